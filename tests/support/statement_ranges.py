"""What a world can produce at all: the range of a measure that follows from its structure, before anything is played.

A bound is only given where no draw, no rival and no luck can lead beyond it; where nothing limits a measure the range
is open. So a statement that these ranges decide is decided by the way in which the scenario is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from agents.firm.certification import demand_of
from agents.settings import FirmSettings
from scenarios import Scenario
from scenarios.expectation import Expectation
from simulation.records.endings import ENDINGS
from simulation.revenue import BY_NAME
from simulation.settings import RevenueModel, WorldSettings
from simulation.training.ladder import RUNGS, architecture, inference_flops
from simulation.training.tasks import get_task

Range = tuple[float, float]
SHARES = ("trust", "share", "field_coverage", "quality_lab", "quality_field", "licence_solution_share")
AMOUNTS = ("cash_usd", "revenue_usd", "costs_usd", "headcount", "price_usd", "brand_usd", "broken_runs", "lost_runs")
PRUNED_LEFT = 0.4  # pruning leaves half of each layer's weights; a little less is allowed for rounding
LEAST_RUN_MONTHS = 0.05  # the shortest run that the cloud knows (docs/model.md §7.3)


def decided(setup: Scenario, one: Expectation) -> str:
    """How the structure of a scenario decides a statement: `always`, `never`, or nothing where it is open."""
    if one.kind == "ending":
        return _decided_ending(one)
    if one.kind == "event":
        return _decided_event(setup, one)
    low, high = range_of(setup, one)
    at_least, at_most = _bounds(one)
    if low > high or high < at_least or low > at_most:
        return "never"
    return "always" if at_least <= low and high <= at_most else ""


def range_of(setup: Scenario, one: Expectation) -> Range:
    """Range of the number that a statement about a measure bounds; (inf, -inf) where there is no month to measure."""
    name = one.firm or str(setup.focal)
    entered = setup.firms[name].founded
    if one.before is not None and entered is not None and one.before <= entered:
        return inf, -inf
    if one.of == "rank":
        return 1.0, inf
    low, high = _monthly(setup, name, str(one.metric))
    if one.of == "over_traditional":
        low, high = low - 1, high
    elif one.of != "value":
        low, high = -inf, inf
    return _summarised(setup, name, one, low, high)


def _summarised(setup: Scenario, name: str, one: Expectation, low: float, high: float) -> Range:
    if one.statistic == "change":
        return low - high, high - low
    if one.statistic == "sum":
        return min(low, 0.0) if low < 0 else low, inf if high > 0 else high
    if (one.metric, one.of) == ("rows", "value") and one.after is None and one.statistic in ("max", "first"):
        kept = 1 - max(world.labour.data_decay_year for world in _worlds(setup)) / 12
        return setup.firms[name].rows * kept, high  # measured at the end of the first month
    return low, high


def _monthly(setup: Scenario, name: str, metric: str) -> Range:
    """Range of a measure in any month."""
    firms = list(_states_of(setup, name))
    if metric == "inference_flops":
        return _inference_flops(setup, firms)
    if metric == "rung":
        return -1.0, len(RUNGS) - 1.0
    if metric == "quality_gap":
        return -1.0, 1.0
    if metric == "run_months":
        return LEAST_RUN_MONTHS, inf
    if metric == "free_share":
        return 0.0, float(any(BY_NAME[way].starts_free for firm in firms for way in _reachable(firm)))
    if metric == "licence_solution_share":
        by_contract = [BY_NAME[way].by_contract for firm in firms for way in _reachable(firm)]
        return float(all(by_contract)), float(any(by_contract))
    if metric in ("customers", "paying_customers"):
        return 0.0, _potential_customers(setup, firms)
    if metric in SHARES:
        return 0.0, 1.0
    return (0.0, inf) if metric in (*AMOUNTS, "rows") else (-inf, inf)


def _inference_flops(setup: Scenario, firms: list[FirmSettings]) -> Range:
    """Of the networks that the firm can deploy: its kinds on every rung; pruning leaves half of the weights."""
    tasks = {setup.world.sectors[firm.sector].task for firm in firms}
    kinds = {firm.model_kind for firm in firms}
    rungs = range(len(RUNGS))
    all_of_them = [inference_flops(architecture(get_task(t), k, r)) for t in tasks for k in kinds for r in rungs]
    least = PRUNED_LEFT if any(firm.compression == "pruned" for firm in firms) else 1.0
    return least * min(all_of_them), max(all_of_them)


def _potential_customers(setup: Scenario, firms: list[FirmSettings]) -> float:
    """All customers of the segments that the firm sells in; without bound where the segments grow."""
    names = {segment for firm in firms for segment in firm.offers}
    most = 0.0
    for world in _worlds(setup):
        segments = [world.sectors[firms[0].sector].segments[name] for name in names]
        if any(segment.customers_growth_year for segment in segments):
            return inf
        most = max(most, sum(segment.customers for segment in segments))
    return most


def _reachable(firm: FirmSettings) -> set[RevenueModel]:
    """Ways of earning that the firm has, or can have after pivots."""
    ways = set(firm.offers.values())
    while more := {after for way in ways if (after := BY_NAME[way].pivots_to)} - ways:
        ways |= more
    return ways


def _decided_ending(one: Expectation) -> str:
    everything = set(one.ending or ()) == ENDINGS.keys() and one.after is None and one.before is None
    return "always" if everything and not one.exit_value_below_raised else ""


def _decided_event(setup: Scenario, one: Expectation) -> str:
    """Only examinations are bound to something that a scenario may lack: a segment of the firm that asks for one."""
    if one.event not in ("certified", "certificate refused") or _asked_for_examinations(setup, one):
        return ""
    wanted = one.occurs and one.at_most is None
    return "never" if wanted else "always"


def _asked_for_examinations(setup: Scenario, one: Expectation) -> bool:
    name = one.firm or str(setup.focal)
    return any(
        demand_of(world.law.certification, segment) is not None
        for firm in _states_of(setup, name)
        for world in _worlds(setup)
        for offered, segment in world.sectors[firm.sector].segments.items()
        if offered in firm.offers
    )


def _bounds(one: Expectation) -> Range:
    return (-inf if one.at_least is None else one.at_least), (inf if one.at_most is None else one.at_most)


def _states_of(setup: Scenario, name: str) -> Iterator[FirmSettings]:
    yield setup.firms[name]
    yield from (firms[name] for _, _, firms in setup.settings_at() if name in firms)


def _worlds(setup: Scenario) -> Iterator[WorldSettings]:
    yield setup.world
    yield from (world for _, world, _ in setup.settings_at())
