"""Pairing: a firm, an option or a seller more, wherever and whenever, leaves all others who they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agents.entrant_names import entrant_name, stream_of
from scenarios.build import build_world
from scenarios.strict_yaml.errors import ScenarioError
from simulation.model import MarketModel
from simulation.randomness import Streams
from tests.support.service import FakeService
from tests.support.settings_worlds import MOVING
from tests.support.world_fakes import entrants_of, merged, play, scenario_of, world_of

WAYS = [{"cameras": "licence"}, {"photos": "freemium"}, {"cameras": "solution"}]
HEAT = st.dictionaries(st.integers(2015, 2019), st.floats(0, 4), min_size=1, max_size=4)
PEOPLE = st.fixed_dictionaries({"per_year": st.floats(0, 12), "at_start": st.integers(0, 4)})
NAMED = {
    "early": {"sector": "vision", "offers": {"cameras": "licence"}},
    "late": {"sector": "vision", "offers": {"photos": "freemium"}, "founded": "2016-09"},
    "giant-b": {"kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e7},
}


def played(
    seed: int,
    heat: Mapping[int, float],
    streams: Mapping[str, Mapping[str, Any]],
    firms: Mapping[str, Mapping[str, Any]] | None = None,
) -> MarketModel:
    """Two years of the small market with these streams of entrants, and with further named firms."""
    entrants = {name: {"sector": "vision", "offers": WAYS, **stream} for name, stream in streams.items()}
    data = {"years": 2, "world": {"capital": {"heat": dict(heat)}}, "entrants": entrants, "firms": firms or {}}
    return play(world_of(data, seed))


def numbers_by_month(names: Iterable[str]) -> dict[str, list[int]]:
    """Numbers given within each stream and month, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for name in names:
        month, number = name.rsplit("-", 1)
        found[month].append(int(number))
    return {month: sorted(numbers) for month, numbers in found.items()}


@given(seed=st.integers(0, 2**40), heats=st.tuples(HEAT, HEAT), one=PEOPLE, other=PEOPLE, third=PEOPLE)
@settings(max_examples=15, deadline=None)
def test_entrants_of_both_worlds_are_the_same_people(
    seed: int, heats: tuple[dict[int, float], dict[int, float]], one: Any, other: Any, third: Any
) -> None:
    before = entrants_of(played(seed, heats[0], {"new": one, "next": third}))
    after = entrants_of(played(seed, heats[1], {"new": other, "next": third}))
    assert {name: before[name] for name in before.keys() & after.keys()} == {
        name: after[name] for name in after.keys() & before.keys()
    }
    for numbers in (*numbers_by_month(before).values(), *numbers_by_month(after).values()):
        assert numbers == list(range(1, len(numbers) + 1)), "who comes in a month comes in order"


@given(seed=st.integers(0, 2**40), rates=st.tuples(st.floats(0, 12), st.floats(0, 12)))
@settings(max_examples=10, deadline=None)
def test_a_higher_rate_adds_entrants_and_takes_none_away(seed: int, rates: tuple[float, float]) -> None:
    few, many = (entrants_of(played(seed, {2016: 1.0}, {"new": {"per_year": rate}})) for rate in sorted(rates))
    assert few.keys() <= many.keys()


@given(seed=st.integers(0, 2**40), heat=HEAT, kept=PEOPLE, removed=PEOPLE, n_more=st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_streams_and_named_firms_come_and_go_without_changing_who_else_enters(
    seed: int, heat: dict[int, float], kept: Any, removed: Any, n_more: int
) -> None:
    before = entrants_of(played(seed, heat, {"kept": kept, "another": removed}))
    more_at_start = {"kept": {**kept, "at_start": kept["at_start"] + n_more}}
    after = entrants_of(played(seed, heat, more_at_start, NAMED))
    stayed = {name: traits for name, traits in before.items() if stream_of(name) == "kept"}
    later = [name for name in stayed if name[5:12] != "2016-01"]
    assert {name: after.get(name) for name in stayed} == stayed
    assert {name for name in after if name[5:12] != "2016-01"} == {*later}, "who comes later is the same set"
    assert len(after) == len(stayed) + n_more and set(map(stream_of, after)) <= {"kept"}


def test_an_entrant_more_in_an_early_month_moves_no_later_one() -> None:
    calm, warm = {2015: 1.0}, {2015: 4.0, 2016: 4.0, 2017: 1.0}
    streams = {"new": {"per_year": 6, "at_start": 1}}
    before, after = (entrants_of(played(3, heat, streams)) for heat in (calm, warm))
    more = after.keys() - before.keys()
    later = [name for name in before if name[4:11] > min(more)[4:11]]
    assert more and len(later) > 3 and all(before[name] == after[name] for name in later)
    assert len({str(traits) for traits in before.values()}) == len(before), "they are not all the same person"


# -- names ------------------------------------------------------------------------------------------------------------


def test_the_name_of_an_entrant_says_its_stream_and_month() -> None:
    model = played(1, {2016: 1.0}, {"new": {"per_year": 12, "at_start": 2}})
    for name, (_, founded, *_) in entrants_of(model).items():
        assert name.startswith(f"new-{founded:%Y-%m}-") and stream_of(name) == "new"
        assert entrant_name("new", founded, int(name.rsplit("-", 1)[1])) == name
    assert {"new-2016-01-1", "new-2016-01-2"} <= model.firms.keys()


@pytest.mark.parametrize("name", ["iris", "new-1", "new-2016-01", "new-2016-01-0", "-2016-01-1"])
def test_other_names_are_no_entrants(name: str) -> None:
    assert stream_of(name) is None


def test_a_firm_with_the_name_of_an_entrant_is_refused() -> None:
    firm = {"sector": "vision", "offers": {"cameras": "licence"}}
    stream = {"sector": "vision", "offers": WAYS}
    with pytest.raises(ScenarioError, match=r"firms\.new-2016-05-1: startups that the stream 'new' .* choose another"):
        scenario_of({"firms": {"new-2016-05-1": firm}, "entrants": {"new": stream}})
    scenario_of({"firms": {"new-2016-05-1": firm}, "entrants": {"other": stream}})


# -- choices ----------------------------------------------------------------------------------------------------------

UTILITIES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(-5, 5), min_size=1, max_size=6)


@given(seed=st.integers(0, 2**40), utilities=UTILITIES, more=st.floats(-5, 5))
def test_one_name_more_takes_choices_over_and_moves_none_between_others(
    seed: int, utilities: dict[str, float], more: float
) -> None:
    streams = Streams(seed)
    for month in range(20):
        before = streams.choice(utilities, "buys", "iris", month)
        assert streams.choice({"new": more, **utilities}, "buys", "iris", month) in (before, "new")
        assert streams.choice(dict(reversed(utilities.items())), "buys", "iris", month) == before


def test_choices_follow_the_logit() -> None:
    utilities = {"": 0.0, "a": 1.0, "b": -1.0, "c": 1.0}
    taken = [Streams(4).choice(utilities, "buys", "iris", month) for month in range(20_000)]
    weights = np.exp(list(utilities.values()))
    expected = len(taken) * weights / weights.sum()
    assert stats.chisquare([taken.count(name) for name in utilities], expected).pvalue > 0.001
    assert Streams(4).choice({}, "buys") == ""


def test_one_way_of_earning_more_changes_only_entrants_who_take_it() -> None:
    streams = {"new": {"per_year": 0, "at_start": 60}}
    many = entrants_of(played(2, {2016: 1.0}, streams))
    few = entrants_of(played(2, {2016: 1.0}, {"new": {**streams["new"], "offers": WAYS[:2]}}))
    took = {name for name, (traits, *_) in many.items() if traits.offers == WAYS[2]}
    assert 5 < len(took) < 40
    assert all(few[name] == many[name] for name in few.keys() - took)


def test_an_option_that_stands_there_twice_is_taken_twice_as_often() -> None:
    world = played(2, {2016: 1.0}, {"new": {"per_year": 0, "at_start": 300, "offers": [WAYS[0], WAYS[0], WAYS[1]]}})
    n_twice = sum(traits.offers == WAYS[0] for traits, *_ in entrants_of(world).values())
    assert n_twice / 300 == pytest.approx(2 / 3, abs=4 * (2 / 9 / 300) ** 0.5)


# -- a firm that does nothing -----------------------------------------------------------------------------------------


def test_a_firm_that_sells_nothing_changes_no_other_path_where_tastes_and_technology_move() -> None:
    """Types of buyers, market research, breakthroughs, crossovers and inertia are all on; wages and queues stand still,
    for these answer everybody who works or waits."""
    world = {
        "sectors": {"vision": {"segments": {"closed": {"field_threshold": 1.0}}}},
        "labour": {"wage_response": 0},
        "compute": {"congestion": 0},
    }
    still = {"kind": "incumbent", "sector": "vision", "offers": {"closed": "subscription"}, "rows": 1e9}
    changes = {"world": world}
    before, after = (
        play(build_world(scenario_of(merged(changes, {"firms": firms}), MOVING), 0, FakeService()))
        for firms in ({}, {"still": still})
    )
    kinds = {row.kind for row in before.recorder.rows["events"]}
    assert {"market research", "segment entered", "breakthrough", "breakthrough taken up"} <= kinds
    for name in ("firms", "events", "rounds", "endings"):
        table = after.tables()[name]
        pd.testing.assert_frame_equal(before.tables()[name], table[table["firm"] != "still"].reset_index(drop=True))
