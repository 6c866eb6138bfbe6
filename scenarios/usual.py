"""What is usual for a startup: the traits of the median entrant of its sector in its founding month.

A trait that the stream of entrants draws has its median there (of rows the median itself, of the others the mean of a
normal draw); the seed is the usual round of that date; every other trait has the default of a firm, as it has for
entrants (`agents.entry`). Of several streams into the sector the largest counts. What a firm does, where and from when
is its identity: of that there is no median.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from agents.settings import EntrantSettings, FirmSettings, Spread
from scenarios.content import Content
from scenarios.strict_yaml.errors import Problem, ScenarioError, show
from scenarios.strict_yaml.fields import Spot
from simulation.calendar import Calendar
from simulation.parameters import Settings, parameter_records
from simulation.settings import CapitalSettings

IDENTITY = ("kind", "sector", "direction", "founded", "offers", "adapts_to", "services")
"""What makes a firm the one it is: no trait that could be usual or not."""
CITED = ("sector", "founded", "offers")
"""Parts of the identity for which a case says where they come from."""
SAME = 1e-9  # relative: numbers that differ by less are alike

Traits = dict[str, Any]
"""Plain values by dotted path below a firm, such as `engineering.memory`."""


def usual_traits(scenario: Content, firm: str) -> Traits:
    """The traits of the median entrant of a firm's sector in its founding month, all of them.

    Raises `ScenarioError` where nobody enters the sector.
    """
    own, entrant = scenario.firms[firm], stream_into(scenario, firm)
    drawn = {name: _median(name, getattr(entrant, name)) for name in _drawn_names()}
    identity = {name: getattr(own, name) for name in ("sector", "direction", "offers", "services")}
    seed_usd = _usual_seed_usd(scenario, scenario.founding_month(firm))
    return traits_of(FirmSettings(kind="startup", **identity, **drawn, capital_usd=seed_usd))


def stream_into(scenario: Content, firm: str) -> EntrantSettings:
    """The stream of entrants that a firm is compared with. Raises `ScenarioError` where there is none."""
    own = scenario.firms[firm]
    streams = [one for one in scenario.entrants.values() if (one.sector, one.direction) == (own.sector, own.direction)]
    if not streams:
        says = (
            f"no startups of direction {own.direction} enter the sector {show(own.sector)} of {firm}, so nothing says "
            "what is usual there; add a stream of entrants"
        )
        raise ScenarioError(Problem(says, ("firms", firm, "sector"), own.sector))
    return max(streams, key=lambda one: one.per_year)


def traits_of(firm: FirmSettings) -> Traits:
    """The traits of a firm as plain data, by dotted path."""
    data = firm.model_dump(mode="json")
    return {".".join(path): _at(data, path) for path in _paths(Spot(FirmSettings), ()) if path[0] not in IDENTITY}


def trait_names() -> list[str]:
    """Dotted paths of all traits that a firm has."""
    return [".".join(path) for path in _paths(Spot(FirmSettings), ()) if path[0] not in IDENTITY]


def are_alike(one: Any, other: Any) -> bool:
    """Whether two values of a trait are the same but for rounding."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
    return math.isclose(one, other, rel_tol=SAME) if numbers else bool(one == other)


def _paths(here: Spot, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Settings classes are entered; a mapping is one trait."""
    for name in here.kind.model_fields:
        child = here.child(name)
        if child is not None and child.is_model:
            yield from _paths(child, (*path, name))
        else:
            yield (*path, name)


def _at(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    node: Any = data
    for part in path:
        node = node[part]
    return node


def _drawn_names() -> list[str]:
    """Traits that a stream of entrants says something of."""
    return [name for name in EntrantSettings.model_fields if name in FirmSettings.model_fields and name not in IDENTITY]


def _median(name: str, said: Spread | Settings) -> Any:
    """The middle of a draw, clipped to the range of what it fills; settings are what every entrant has."""
    if not isinstance(said, Spread):
        return said
    record = next(one for one in parameter_records(FirmSettings) if one["name"] == name)
    low, high = record["low"], record["high"]
    return min(max(said.mean, -math.inf if low is None else low), math.inf if high is None else high)


def _usual_seed_usd(scenario: Content, month: int) -> float:
    """Founders of a month meet the terms of the month before, which ends with their founding."""
    from simulation.capital import usual_round  # needs NumPy, which nobody needs who only lists scenarios

    in_force = [world for since, world, _ in scenario.settings_at() if since <= max(month - 1, 0)]
    capital: CapitalSettings = (in_force[-1] if in_force else scenario.world).capital
    return usual_round(capital, "seed", Calendar(scenario.start).year_of(month))[1]
