"""Every setting of a scenario does something: changed by date it acts from that date on, or the change is refused.

The walk follows the schema, so that a new setting is walked too. A setting that does nothing in both worlds of
`settings_worlds.py` fails here: let it act, refuse it (`fixed`, `only_for`), or give it a world in which it acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest
from settings_leaves import leaves, other_values
from settings_worlds import WORLDS
from world_fakes import FakeService, merged, scenario_of

from scenarios.build import build_world
from scenarios.schema import Scenario
from scenarios.strict_yaml.errors import ScenarioError

pytestmark = pytest.mark.slow

AT = date(2016, 9, 1)
DATED, FROM_START = ("world", "firms"), ("world", "firms", "entrants", "investors", "regulator")
Rows = list[tuple[Any, ...]]
Place = tuple[str, str, Any]
"""World, dotted path, value there."""
# Settings that are no number, no choice and no mapping of such.
OTHERS: dict[str, list[Any]] = {
    "world.sectors.*.task": ["speech"],
    "world.law.support.sectors": [["shops"], []],
    "firms.*.sector": ["shops", "vision"],
    "firms.*.founded": ["2016-11", "2016-03"],
    "firms.*.adapts_to": [{"shops": {"chains": "licence"}}],
    "firms.*.offers": [{"cameras": "licence"}],
    "firms.*.services": [{"data": 0.5}],
    "entrants.*.sector": ["shops"],
    "entrants.*.offers": [[{"photos": "freemium"}]],
    "entrants.*.services": [[{"data": 0.5}], [{"data": 0.5}, {"outsourcing": 0.2}]],
    "investors.*.stages": [["A"], ["C"]],
    "investors.*.thesis": [{"vision": 3}],
}


def play(scenario: Scenario) -> tuple[Rows, Rows]:
    """All that a world records, the state's books included: what is dated before AT, and the rest."""
    model = build_world(scenario, 1, FakeService())
    rows: list[tuple[date | None, Any]] = []
    while model.month < model.n_months:
        model.step()
        rows.append((model.calendar.date_of(model.month - 1), dict(model.bank.books["government"].balance)))
    model.tables()
    for name, table in model.recorder.rows.items():
        undated = name in ("endings", "funds")
        told = [row for row in table if not (name == "events" and row[1] == "law")]
        rows += [(None if undated else row[0], (name, *row)) for row in told]
    early = [repr(row) for row in rows if row[0] is not None and row[0] < AT]
    return early, [repr(row) for row in rows if row[0] is None or row[0] >= AT]  # type: ignore[return-value]


@cache
def base_scenario(world: str) -> Scenario:
    return scenario_of(base=WORLDS[world])


@cache
def base_path(world: str) -> tuple[Rows, Rows]:
    return play(base_scenario(world))


def kind_of(place: Place) -> str:
    """What is one setting, wherever it stands; those of startups and of incumbents are two."""
    world, path, _ = place
    parts = path.split(".")
    if parts[0] == "firms":
        return ".".join(("firms", base_scenario(world).firms[parts[1]].kind, *parts[2:]))
    return re.sub(r"\b(sectors|segments|entrants|investors)\.[a-z0-9-]+", r"\1.*", path)


def settings_of(parts: tuple[str, ...]) -> dict[str, list[Place]]:
    """All settings below `parts`, each with all places in which it stands in the two worlds."""
    found: dict[str, list[Place]] = {}
    for world in WORLDS:
        for path, value in leaves(base_scenario(world).to_document().data, parts):
            found.setdefault(kind_of((world, path, value)), []).append((world, path, value))
    return found


BY_DATE, AT_START = settings_of(DATED), settings_of(FROM_START)


def values_for(place: Place) -> list[Any]:
    _, path, value = place
    general = re.sub(r"^(firms|entrants|investors|world\.sectors)\.[a-z0-9-]+", r"\1.*", path)
    return [*other_values(path, value), *(other for other in OTHERS.get(general, []) if other != value)]


def changed(place: Place, by_date: bool) -> Iterator[Scenario | ScenarioError]:
    """The world with each other value at that place, or why it was refused."""
    world, path, _ = place
    before = WORLDS[world].get("interventions", [])
    values = values_for(place)
    assert values, f"no other value of {path} is known: add one to OTHERS"
    for value in values:
        try:
            if by_date:
                said = {"at": f"{AT:%Y-%m}", "says": "A change", "set": {path: value}}
                yield scenario_of(base=merged(WORLDS[world], {"interventions": [said, *before]}))
            else:
                yield with_value(world, path, value)
        except ScenarioError as error:
            yield error


def with_value(world: str, path: str, value: Any) -> Scenario:
    from scenarios.strict_yaml.changes import apply_changes

    document = base_scenario(world).to_document()
    return Scenario.from_document(apply_changes(document, {path: value}, Scenario, by="in a what-if: "))


def is_clear(error: ScenarioError, path: str) -> bool:
    """One line that names the setting."""
    return "\n" not in str(error) and path.split(".")[-1] in str(error)


@pytest.mark.parametrize("setting", BY_DATE)
def test_a_dated_change_acts_from_its_date_on_or_is_refused(setting: str) -> None:
    ignored = []
    for place in BY_DATE[setting]:
        world, path, _ = place
        for other in changed(place, by_date=True):
            if isinstance(other, ScenarioError):
                assert is_clear(other, path), str(other)
                continue
            early, late = play(other)
            assert early == base_path(world)[0], f"{path} acts before its date"
            if late != base_path(world)[1]:
                return
            ignored.append(path)
    assert not ignored, f"accepted and ignored: {ignored}"


@pytest.mark.parametrize("setting", AT_START)
def test_a_change_from_the_start_acts_or_is_refused(setting: str) -> None:
    ignored = []
    for place in AT_START[setting]:
        world, path, _ = place
        for other in changed(place, by_date=False):
            if isinstance(other, ScenarioError):
                assert is_clear(other, path), str(other)
                continue
            if play(other) != base_path(world):
                return
            ignored.append(path)
    assert not ignored, f"accepted and ignored: {ignored}"
