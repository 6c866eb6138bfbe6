"""Every setting of a scenario does something: changed by date it acts from that date on, or the change is refused.

The walk follows the schema, so that a new setting is walked too. A setting that does nothing in any world of
`settings_worlds.py` fails here: let it act, refuse it (`fixed`, `only_for`), or give it a world in which it acts. Only
what is declared may be refused everywhere; everything else acts somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest

from scenarios.build import build_world
from scenarios.schema import Scenario
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.errors import ScenarioError
from scenarios.strict_yaml.fields import spot
from simulation.parameters import declared
from tests.support.service import FakeService
from tests.support.settings_leaves import leaves, other_values
from tests.support.settings_worlds import WORLDS, supply_models
from tests.support.world_fakes import merged, scenario_of

pytestmark = pytest.mark.slow

AT = date(2016, 9, 1)
DATED = ("world", "firms")
FROM_START = ("start", "years", "sectors", "world", "firms", "entrants", "investors", "labs", "regulator")
NOT_WALKED = {
    "id": "a label",
    "title": "a label",
    "about": "a label",
    "focal": "names the firm that screens and causes are about; no world asks for it",
    "interventions": "each setting in them is walked by date",
    "expect": "statements about results, read after the world was played",
    "causes": "changes from the start: what they set is walked",
    "actors": "of types from users' own modules, each with settings of its own",
    "plugins": "settings of users' own modules, free of these worlds",
}
ELSEWHERE = {
    "labs.*.product_capital_usd": "acts where customers build on models: tests/agents/lab/test_envelopment.py",
}
"""Settings that do nothing in these worlds, and where they are seen to act."""
Rows = list[tuple[Any, ...]]
Place = tuple[str, str, Any]
"""World, dotted path, value there."""
# Settings that are no number, no choice and no mapping of such.
OTHERS: dict[str, list[Any]] = {
    "start": ["2016-03"],
    "sectors": [["vision"]],
    "world.sectors.*.task": ["speech"],
    "world.law.support.sectors": [["shops"], []],
    "world.technology.breakthroughs.*.at": ["2016-04", "2018-06"],
    "world.technology.breakthroughs.*.sectors": [["shops"], []],
    "world.technology.breakthroughs.*.model_kind": ["mlp"],
    "world.technology.breakthroughs.*.source": ["vision"],
    "world.capital.ipo_window": [dict.fromkeys(range(2015, 2020), 0.1)],
    "firms.*.sector": ["shops", "vision"],
    "firms.*.founded": ["2016-11", "2016-03"],
    "firms.*.home": ["eu"],
    "world.jurisdictions.*.share_in_sector": [{"vision": 0.3}, {"shops": 0.1}],
    "firms.*.adapts_to": [{"shops": {"chains": "licence"}}],
    "firms.*.offers": [{"cameras": "licence"}],
    "firms.*.services": [{"data": 0.5}],
    "entrants.*.sector": ["shops", "vision"],
    "entrants.*.offers": [[{"photos": "freemium"}]],
    "entrants.*.services": [[{"data": 0.5}], [{"data": 0.5}, {"outsourcing": 0.2}]],
    "investors.*.stages": [["A"], ["C"]],
    "investors.*.thesis": [{"vision": 3}],
    "world.foundations": [{"community": {"lag_months": 1}}],
    "labs.*.owner": ["other"],
    "labs.*.founded": ["2016-09", "2016-05"],
    "regulator": [{"fix_months": 2}],
}
# What a value needs beside it: alone it is refused, with the key that is missing.
BESIDE: dict[tuple[str, Any], dict[str, Any]] = {
    ("world.technology.breakthroughs.*.kind", "architecture"): {"factor": None, "model_kind": "mlp"},
    ("firms.*.direction", "tools"): {"services": {"data": 0.5}},
    ("firms.*.direction", "general"): {"model_kind": "transformer", "adapts_to": {"shops": {"chains": "licence"}}},
    ("entrants.*.direction", "tools"): {"services": [{"data": 0.5}]},
}


def play(scenario: Scenario) -> tuple[Rows, Rows]:
    """All that a world records, the state's books included: what is dated before AT, and the rest.

    The announcement that an intervention comes into force is left out: it would tell any two worlds apart.
    """
    model = build_world(scenario, 1, FakeService())
    rows: list[tuple[date | None, Any]] = []
    while model.month < model.n_months:
        supply_models(model, scenario.title)
        model.step()
        rows.append((model.calendar.date_of(model.month - 1), dict(model.bank.books["government"].balance)))
    model.tables()
    for name, table in model.recorder.rows.items():
        undated = name in ("endings", "funds", "public_accounts")
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
    named = r"\b(sectors|segments|types|breakthroughs|entrants|investors|jurisdictions|labs)\.[a-z0-9-]+"
    return re.sub(named, r"\1.*", path)


def settings_of(parts: tuple[str, ...]) -> dict[str, list[Place]]:
    """All settings below `parts`, each with all places in which it stands in the two worlds."""
    found: dict[str, list[Place]] = {}
    for world in WORLDS:
        for path, value in leaves(base_scenario(world).to_document().data, parts):
            found.setdefault(kind_of((world, path, value)), []).append((world, path, value))
    return {kind: places for kind, places in found.items() if kind not in ELSEWHERE}


BY_DATE, AT_START = settings_of(DATED), settings_of(FROM_START)


def general(path: str) -> str:
    """The path with a star for the name of a firm, stream, fund or sector."""
    named = r"firms|entrants|investors|labs|world\.sectors|world\.technology\.breakthroughs|world\.jurisdictions"
    return re.sub(rf"^({named})\.[a-z0-9-]+", r"\1.*", path)


def values_for(place: Place) -> list[Any]:
    _, path, value = place
    return [*other_values(path, value), *(other for other in OTHERS.get(general(path), []) if other != value)]


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
    owner = path.rpartition(".")[0]
    beside = BESIDE.get((general(path), value), {}) if isinstance(value, str) else {}
    changes = {path: value, **{f"{owner}.{key}": other for key, other in beside.items()}}
    document = base_scenario(world).to_document()
    return Scenario.from_document(apply_changes(document, changes, Scenario, by="in a what-if: "))


def is_clear(error: ScenarioError, path: str) -> bool:
    """One line that names the setting, or the firm or stream whose other settings no longer fit."""
    owner = ".".join(path.split(".")[:2])
    return "\n" not in str(error) and (path.split(".")[-1] in str(error) or owner in str(error))


def acts(places: list[Place], by_date: bool) -> bool:
    """Whether some value does something in some place; fails where one is accepted and nowhere does anything."""
    ignored = []
    for place in places:
        world, path, _ = place
        for other in changed(place, by_date):
            if isinstance(other, ScenarioError):
                assert is_clear(other, path), str(other)
                continue
            early, late = play(other)
            if by_date:
                assert early == base_path(world)[0], f"{path} acts before its date"
            if (early, late) != base_path(world):
                return True
            ignored.append(path)
    assert not ignored, f"accepted and ignored: {ignored}"
    return False


def is_of_others(place: Place) -> bool:
    """Whether the setting is declared to be for firms of the other kind alone."""
    world, path, _ = place
    parts = path.split(".")
    kind = base_scenario(world).firms[parts[1]].kind if parts[0] == "firms" else None
    return kind is not None and declared_of(path, "only_for") not in (None, kind)


def declared_of(path: str, what: str) -> Any:
    here = spot(Scenario, tuple(path.split(".")))
    return declared(here.field, what) if here is not None and here.field is not None else None


@pytest.mark.parametrize("setting", BY_DATE)
def test_a_dated_change_acts_from_its_date_on_or_is_refused(setting: str) -> None:
    places = BY_DATE[setting]
    fixed = any(declared_of(places[0][1], what) for what in ("fixed", "settled"))
    assert acts(places, by_date=True) is not (fixed or is_of_others(places[0]))


@pytest.mark.parametrize("setting", AT_START)
def test_every_setting_acts_somewhere(setting: str) -> None:
    places = AT_START[setting]
    assert acts(places, by_date=False) is not is_of_others(places[0])


def test_what_is_not_walked_is_said() -> None:
    assert {*FROM_START, *NOT_WALKED} == {*Scenario.model_fields}


UNDATED = ["entrants.new.per_year", "investors.early.hurdle", "regulator.fix_months", "years", "plugins.mine.rate"]


@pytest.mark.parametrize("path", [*UNDATED, "actors.community.rate"])
def test_what_is_drawn_or_set_at_the_start_takes_no_date(path: str) -> None:
    said = {"at": f"{AT:%Y-%m}", "says": "A change", "set": {path: 1}}
    with pytest.raises(ScenarioError, match=f"an intervention cannot set '{re.escape(path)}'"):
        scenario_of(base=merged(WORLDS["lively"], {"interventions": [said]}))
