"""Founders who come from a firm: spin-outs with its know-how, and founders who come back with experience."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.entrant_names import entrant_name, founder_of, origin_of, stream_of, successor_name
from agents.entry.successors import Candidate, Successors
from agents.settings import FirmSettings
from agents.startup.exits import wind_up
from simulation.model import MarketModel
from simulation.records.reasons import Reason
from tests.support.founders import founded, founding_world, stream_of_world, two_years
from tests.support.world_fakes import entrants_of, fields_of, found, incumbent, play, released

WORDS = st.from_regex(r"[a-z][a-z-]{0,8}[a-z]", fullmatch=True)
NEED = Reason("cash", {"cash_usd": 0.0})


# -- names -------------------------------------------------------------------------------------------------------------


@given(stream=WORDS, parent=WORDS, number=st.integers(1, 99), months=st.lists(st.dates(), min_size=3, max_size=3))
def test_names_say_stream_origin_and_founder(stream: str, parent: str, number: int, months: list[date]) -> None:
    first = entrant_name(stream, months[0], number)
    again = successor_name(stream, months[1], "serial", first)
    third = successor_name(stream, months[2], "serial", again)
    left = successor_name(stream, months[2], "spin-out", again)
    outside = successor_name(stream, months[2], "spin-out", parent)
    assert {stream_of(name) for name in (first, again, third, left, outside)} == {stream}
    assert (origin_of(again), origin_of(third), origin_of(left)) == (first, again, again)
    assert origin_of(outside) == parent and origin_of(first) == ""
    assert founder_of(third) == founder_of(again) == first and founder_of(left) == left


def test_a_spin_out_of_another_stream_keeps_the_whole_name() -> None:
    name = successor_name("tools", date(2018, 9, 1), "spin-out", "vision-2016-01-1")
    assert name == "tools-2018-09-x-vision-2016-01-1" and stream_of(name) == "tools"
    assert origin_of(name) == "vision-2016-01-1"
    assert successor_name("vision", date(2018, 9, 1), "spin-out", "vision-2016-01-1") == "vision-2018-09-x-2016-01-1"


# -- spin-outs ---------------------------------------------------------------------------------------------------------


def spawning(rate: float = 12.0, **rules: Any) -> MarketModel:
    """A world in which firms with three people and a model spawn, every month at the highest rate."""
    return founding_world(
        {"spinout_rate_year": rate, "spinout_people": 3.0, "outside_share": 0.0, **rules},
        {"potential_per_year": 0, "per_year": 0, "at_start": 0},
    )


def candidates(model: MarketModel) -> list[Candidate]:
    entry = stream_of_world(model)
    return entry.of_firms()


def test_only_firms_with_people_and_a_model_spawn() -> None:
    model = spawning()
    assert candidates(model) == []
    released(model.firms["iris"], model)
    released(incumbent(model), model)
    assert {one.origin for one in candidates(model)} == {"iris", "giant"}
    model.firms["iris"].staff = dict.fromkeys(model.firms["iris"].staff, 0.5)
    assert {one.origin for one in candidates(model)} == {"giant"}
    assert candidates(spawning(rate=0.0)) == []


def test_the_rate_is_per_firm_and_year() -> None:
    model = spawning(rate=1.2)
    for number in range(40):
        released(found(model, f"firm-{number}"), model)
    n = 0
    for month in range(60):
        model.month = month
        n += len(candidates(model))
    assert n == pytest.approx(40 * 60 * 0.1, rel=0.2)


def test_one_firm_more_changes_no_other_firms_spin_outs() -> None:
    few, many = spawning(rate=3.0), spawning(rate=3.0)
    for name in ("one", "two"):
        released(found(few, name), few)
    for name in ("more", "one", "between", "two"):
        released(found(many, name), many)
    seen = [set[Any](), set[Any]()]
    for month in range(24):
        for place, model in enumerate((few, many)):
            model.month = month
            seen[place] |= {(month, one.origin) for one in candidates(model)}
    assert seen[0] == {one for one in seen[1] if one[1] in ("one", "two")} and len(seen[0]) > 3


def test_a_spin_out_inherits_a_share_of_skill_data_handling_and_engineering() -> None:
    model = spawning(inherited_share=0.25)
    parent = released_parent(model, skill=0.9, data_operations=0.8, engineering={"memory": 2.0})
    own = FirmSettings(sector="vision", offers={"cameras": "licence"}, skill=0.5, data_operations=0.4)
    one = Candidate("new-2016-02-x-parent", "spin-out", parent)
    got = stream_of_world(model).successors.with_past(one, own)
    assert got.skill == pytest.approx(0.6) and got.data_operations == pytest.approx(0.5)
    assert got.engineering.memory == pytest.approx(1.25) and got.engineering.hardware == 1.0
    assert stream_of_world(model).successors.with_past(Candidate("new-2016-02-1"), own) is own


def released_parent(model: MarketModel, **settings: Any) -> str:
    firm = found(model, "parent", **settings)
    released(firm, model)
    return firm.name


def test_spin_outs_enter_the_world_with_a_record_of_their_past() -> None:
    model = play(spawning(rate=3.0), 20)
    spun = {name: firm for name, firm in model.firms.items() if "-x-" in name}
    assert len(spun) > 3
    told = {row.firm: row for row in model.recorder.rows["events"] if row.kind == "founders"}
    assert told.keys() == spun.keys()
    for name, row in told.items():
        assert row.other == origin_of(name) and fields_of(row)["background"] == "spin-out"
        assert fields_of(row)["skill"] == spun[name].settings.skill


def test_the_best_expect_more_so_that_a_past_with_a_good_firm_founds_more() -> None:
    """L11, as a sign: who inherits skill expects more, and enters where others of the same firm would not."""

    def entered(share: float) -> int:
        hopeful = {"certainty_share": 0.5, "crowding_exponent": 0.0, "outside_sigma": 0.5}
        model = spawning(inherited_share=share, outside_share=2.0, **hopeful)
        for number in range(20):
            released(found(model, f"firm-{number}", skill=1.0), model)
        play(model, 1)
        return len(founded(model))

    assert entered(1.0) > entered(0.0)


# -- serial founders ---------------------------------------------------------------------------------------------------


def returning(share: float = 1.0, **rules: Any) -> MarketModel:
    return founding_world(
        {"return_share": share, "return_months": 4.0, "outside_share": 0.0, **rules},
        {"potential_per_year": 0, "per_year": 0, "at_start": 0},
    )


def test_the_founder_of_an_ended_startup_comes_back_with_experience() -> None:
    model = play(returning(), 1)
    firm = found(model, "first", skill=0.5)
    wind_up(firm, NEED)
    play(model, 20)
    (name,) = [name for name in model.firms if origin_of(name) == "first"]
    back = model.firms[name]
    assert back.settings.skill == pytest.approx(0.51) and 2 <= back.founded_month <= 20
    row = next(row for row in model.recorder.rows["events"] if row.kind == "founders" and row.firm == name)
    assert fields_of(row)["background"] == "serial" and row.other == "first"


def test_success_teaches_more_than_failure() -> None:
    model = play(returning(), 1)
    successors = stream_of_world(model).successors
    firm = found(model, "first", skill=0.5)
    for exit_usd, skill in ((10e6, 0.56), (1.0, 0.51)):
        firm.ending, firm.exit_value_usd = "acquired", exit_usd
        assert successors.skill(Candidate("new-2017-01-r-first", "serial", "first"), 0.9) == pytest.approx(skill)


def test_so_many_come_back_as_the_share_says_and_listed_founders_do_not() -> None:
    model = play(returning(0.3), 1)
    successors = Successors(model)
    for number in range(200):
        wind_up(found(model, f"firm-{number}"), NEED)
    assert sum(map(len, successors._due.values())) == pytest.approx(60, abs=20)
    assert min(successors._due) > model.month
    none = play(returning(0.0), 1)
    successors = Successors(none)
    wind_up(found(none, "one"), NEED)
    assert not successors._due


def test_a_sector_s_own_stream_takes_them_in() -> None:
    tools = {"sector": "vision", "direction": "tools", "services": [{"data": 0.5}], "offers": [], "per_year": 0}
    model = founding_world({"spinout_rate_year": 12, "spinout_people": 0}, entrants={"tools": tools})
    released(incumbent(model), model)
    assert stream_of_world(model, "tools").of_firms() == [] != stream_of_world(model).of_firms()


def test_traits_of_newcomers_do_not_hang_on_who_comes_from_firms() -> None:
    without, with_them = (
        two_years(founding={"spinout_rate_year": rate, "spinout_people": 2.0, "return_share": rate and 0.5})
        for rate in (0.0, 2.0)
    )
    before, after = entrants_of(without), entrants_of(with_them)
    both = [name for name in before.keys() & after.keys() if not origin_of(name)]
    assert len(both) > 5 and all(before[name] == after[name] for name in both)
    assert any(origin_of(name) for name in after) and not any(origin_of(name) for name in before)
