"""Cross-checks of a scenario: names that must exist, dates that must lie inside the run, numbers by role and year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from agents.entrant_names import stream_of
from agents.settings import FirmSettings
from scenarios.case_rules import case_problems
from scenarios.check_laws import check_laws
from scenarios.content import Content
from scenarios.expectation import Expectation
from scenarios.lab_checks import check_labs
from scenarios.strict_yaml.errors import (
    Path,
    Problem,
    ScenarioError,
    bad_value,
    dotted,
    listed,
    not_one_of,
    show,
    unknown_key,
)
from simulation.training.plan import EXTRA_KINDS, NETWORK_KINDS, PRETRAINED_KINDS, SECTOR_TASKS, classification_tasks


def check(scenario: Content) -> None:
    """Raise `ScenarioError` with everything that does not fit together."""
    problems = [
        *_check_market(scenario),
        *_check_sourcing(scenario),
        *_check_numbers(scenario),
        *_check_breakthroughs(scenario),
        *check_laws(scenario),
        *_check_firms(scenario),
        *_check_entrants(scenario),
        *_check_investors(scenario),
        *check_labs(scenario),
        *_check_expectations(scenario),
        *case_problems(scenario),
    ]
    if problems:
        raise ScenarioError(problems)


def _check_market(s: Content) -> Iterator[Problem]:
    if s.focal is not None and s.focal not in s.firms:
        yield not_one_of(("focal",), s.focal, s.firms, "the firms")
    if not s.firms and not s.entrants:
        yield Problem("nobody is in the market: name at least one firm in firms or one stream in entrants", ("firms",))
    for i, name in enumerate(s.sectors or ()):
        if name not in s.world.sectors:
            yield not_one_of(("sectors", i), name, s.world.sectors, "the sectors in world.sectors")
        if name in (s.sectors or ())[:i]:
            yield Problem(f"sectors[{i}] = {show(name)}: stands there twice", ("sectors", i), name)
    for i, name in enumerate(s.world.law.support.sectors):
        if name not in s.world.sectors:
            path = ("world", "law", "support", "sectors", i)
            yield not_one_of(path, name, s.world.sectors, "the sectors in world.sectors")
    for name, sector in s.world.sectors.items():
        if sector.task not in classification_tasks():
            at = ("world", "sectors", name, "task")
            yield not_one_of(at, sector.task, classification_tasks(), "the training tasks")


def _check_sourcing(s: Content) -> Iterator[Problem]:
    if s.world.sourcing.own_rung is not None and s.world.foundations is None:
        at = ("world", "sourcing", "own_rung")
        says = f"{dotted(at)} = {s.world.sourcing.own_rung:g}: needs world.foundations, which says what one costs"
        yield Problem(says, at, s.world.sourcing.own_rung, "world.foundations")


def _check_breakthroughs(s: Content) -> Iterator[Problem]:
    """Sectors and kinds of models that breakthroughs name."""
    for name, one in s.world.technology.breakthroughs.items():
        path: Path = ("world", "technology", "breakthroughs", name)
        for i, sector in enumerate(one.sectors):
            if sector not in s.world.sectors:
                yield not_one_of((*path, "sectors", i), sector, s.world.sectors, "the sectors in world.sectors")
        if one.source is not None and one.source not in s.world.sectors:
            yield not_one_of((*path, "source"), one.source, s.world.sectors, "the sectors in world.sectors")
        kinds = (*NETWORK_KINDS, *EXTRA_KINDS)
        if one.model_kind is not None and one.model_kind not in kinds:
            yield not_one_of((*path, "model_kind"), one.model_kind, kinds, "the kinds of networks")


def _check_numbers(s: Content) -> Iterator[Problem]:
    """Ranges of numbers by role and by year, which the settings classes leave open."""
    for role, wage in s.world.labour.wage_usd_month.items():
        if not 1 <= wage <= 1e6:
            yield bad_value(("world", "labour", "wage_usd_month", role), wage, "a number between 1 and 1e6 (USD/month)")
    if not s.world.capital.heat:
        yield bad_value(("world", "capital", "heat"), {}, "a mapping of years to the funding climate, not empty")
    for name in ("heat", "ipo_window"):
        yield from _check_climate(("world", "capital", name), getattr(s.world.capital, name))


def _check_climate(at: Path, series: Mapping[int, float]) -> Iterator[Problem]:
    """A climate by year: keys are years, values ratios."""
    for year, climate in series.items():
        path = (*at, str(year))
        if not 1900 <= year <= 2200:
            yield Problem(f"bad key '{year}' in {dotted(at)}: must be a year", path, year, "a year")
        if not 0 <= climate <= 100:
            yield bad_value(path, climate, "a number between 0 and 100 (ratio)")


def _check_firms(s: Content) -> Iterator[Problem]:
    for name, firm in s.firms.items():
        path = ("firms", name)
        if (stream := stream_of(name)) in s.entrants:
            says = f"{dotted(path)}: startups that the stream {show(stream)} of entrants draws have such names"
            yield Problem(f"{says}; choose another", path, name)
        yield from _check_sector(s, path, firm.sector)
        yield from _check_offers(s, (*path, "offers"), firm.sector, firm.offers)
        if not firm.offers and not firm.services:
            yield bad_value((*path, "offers"), firm.offers, "a mapping with at least one entry")
        yield from _check_services((*path, "services"), firm.services)
        if firm.founded is not None and firm.founded >= s.end:
            yield bad_value((*path, "founded"), str(firm.founded), f"before the run ends, {s.end:%Y-%m}")
        yield from _check_staff_and_shares(path, firm)
        yield from _check_adapts_to(s, (*path, "adapts_to"), firm)


def _check_staff_and_shares(path: Path, firm: FirmSettings) -> Iterator[Problem]:
    for role, people in firm.staff.items():
        if not 0 <= people <= 100_000:
            yield bad_value((*path, "staff", role), people, "a number between 0 and 100000 (people)")
    shares = firm.compute_share + firm.data_share + firm.marketing_share
    if shares >= 1:
        says = f"compute_share + data_share + marketing_share = {shares:g}: must be below 1, the rest pays people"
        yield Problem(f"{dotted(path)}: {says}", (*path, "compute_share"), shares, "below 1")


def _check_adapts_to(s: Content, path: Path, firm: FirmSettings) -> Iterator[Problem]:
    """Further sectors of a general firm: their names, and what its model must be to be pretrained."""
    if not firm.adapts_to:
        return
    if firm.direction != "general":
        says = f"{dotted(path)}: only a firm of direction general serves further sectors, not a {firm.direction} one"
        yield Problem(says, path, firm.direction, "direction: general")
    if firm.model_kind not in PRETRAINED_KINDS:
        says = f"{dotted(path)}: needs model_kind {' or '.join(PRETRAINED_KINDS)}, which can be pretrained"
        yield Problem(f"{says}, not {firm.model_kind}", path, firm.model_kind, listed(PRETRAINED_KINDS))
    for sector, offers in firm.adapts_to.items():
        here: Path = (*path, sector)
        if sector not in s.world.sectors:
            yield unknown_key(here, s.world.sectors, "sector")
            continue
        if sector == firm.sector:
            yield Problem(f"{dotted(here)}: is the firm's own sector; it sells there by offers", here, sector)
        if s.world.sectors[sector].task not in SECTOR_TASKS:
            says = f"{dotted(here)}: no model can be pretrained for its task, {s.world.sectors[sector].task}"
            yield Problem(says, here, sector, f"a sector with one of the tasks {listed(SECTOR_TASKS)}")
        if not offers:
            yield bad_value(here, offers, "a mapping with at least one entry")
        yield from _check_offers(s, here, sector, offers)


def _check_services(path: Path, services: Mapping[Any, float]) -> Iterator[Problem]:
    """Prices of services to firms; rows above what labelling them alone costs would find no buyer."""
    for service, price in services.items():
        low, high, unit = (0.05, 1, "share of the labelling cost") if service == "data" else (0, 10, "markup")
        if not low <= price <= high:
            yield bad_value((*path, service), price, f"a number between {low:g} and {high} ({unit})")


def _check_entrants(s: Content) -> Iterator[Problem]:
    for name, stream in s.entrants.items():
        path = ("entrants", name)
        yield from _check_sector(s, path, stream.sector)
        for i, offers in enumerate(stream.offers):
            if not offers:
                yield bad_value((*path, "offers", i), offers, "a mapping with at least one entry")
            yield from _check_offers(s, (*path, "offers", i), stream.sector, offers)
        if not stream.offers and not stream.services:
            yield bad_value((*path, "offers"), stream.offers, "a list with at least one entry")
        for i, services in enumerate(stream.services):
            if not services:
                yield bad_value((*path, "services", i), services, "a mapping with at least one entry")
            yield from _check_services((*path, "services", i), services)


def _check_sector(s: Content, path: Path, sector: str) -> Iterator[Problem]:
    if sector not in s.world.sectors:
        yield not_one_of((*path, "sector"), sector, s.world.sectors, "the sectors in world.sectors")


def _check_offers(s: Content, path: Path, sector: str, offers: Mapping[str, Any]) -> Iterator[Problem]:
    if sector in s.world.sectors:
        segments = s.world.sectors[sector].segments
        yield from (unknown_key((*path, seg), segments, "segment") for seg in offers if seg not in segments)


def _check_investors(s: Content) -> Iterator[Problem]:
    for name, fund in s.investors.items():
        for sector, factor in fund.thesis.items():
            path: Path = ("investors", name, "thesis", sector)
            if sector not in s.world.sectors:
                yield unknown_key(path, s.world.sectors, "sector")
            if not 0 <= factor <= 10:
                yield Problem(f"{dotted(path)} = {show(factor)}: must lie between 0 and 10", path, factor)
        for i, stage in enumerate(fund.stages):
            path = ("investors", name, "stages", i)
            if stage not in s.world.capital.stages:
                yield not_one_of(path, stage, s.world.capital.stages, "the stages in world.capital.stages")
            if stage in fund.stages[:i]:
                yield Problem(f"{dotted(path)} = {show(stage)}: stands there twice", path, stage)


def outside_run(scenario: Content, index: int, at: date, may_be_older: bool = False) -> Problem | None:
    """What is wrong with the date of an intervention that a file writes itself; nothing for a date inside the run.

    Only what a file inherits (or a what-if sets, `may_be_older`) can be older than the run: it is in force from the
    start. What is inherited may come too late too, where the file says other years than the one that it extends.
    """
    if at < scenario.end and (at >= scenario.start or may_be_older):
        return None
    return bad_value(("interventions", index, "at"), f"{at:%Y-%m}", _inside(scenario))


def _inside(s: Content) -> str:
    last = s.end.replace(year=s.end.year - 1, month=12) if s.end.month == 1 else s.end.replace(month=s.end.month - 1)
    return f"inside the run, {s.start:%Y-%m} to {last:%Y-%m}"


def _check_expectations(s: Content) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for i, expectation in enumerate(s.expect):
        path: Path = ("expect", i)
        if expectation.id in seen:
            says = f"{dotted(path)}.id = {show(expectation.id)}: expect[{seen[expectation.id]}] has the same id"
            yield Problem(says, (*path, "id"), expectation.id)
        seen.setdefault(expectation.id, i)
        if expectation.firm is not None and expectation.firm not in s.firms:
            yield not_one_of((*path, "firm"), expectation.firm, s.firms, "the firms")
        if expectation.firm is None and s.focal is None:
            yield Problem(f"{dotted(path)}: needs a firm, for the scenario has no focal firm", path)
        yield from _check_window(s, path, expectation)


def _check_window(s: Content, path: Path, e: Expectation) -> Iterator[Problem]:
    if e.after is not None and not s.start <= e.after < s.end:
        yield bad_value((*path, "after"), f"{e.after:%Y-%m}", _inside(s))
    if e.before is not None and not s.start < e.before <= s.end:
        allowed = f"inside the run, after {s.start:%Y-%m} and at most {s.end:%Y-%m}"
        yield bad_value((*path, "before"), f"{e.before:%Y-%m}", allowed)
