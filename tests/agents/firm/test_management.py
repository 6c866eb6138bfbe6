"""Managers: what the indicators say, which lever moves, what a step costs, and that nothing moves where all is well."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm.hazards import outage_hazard
from agents.firm.management import LIMITS, SEARCH, STEPS, at_least, at_most, next_aspiration, worst_miss
from agents.settings import FirmSettings, Spread
from agents.startup.startup import Startup
from simulation.records.events import Outage
from tests.support.service import FakeService
from tests.support.shipped import shipped
from tests.support.world_fakes import bound, fields_of, found, kinds_of_events, lone_world, play, released, world_of

MET = dict.fromkeys(SEARCH, 1.0)
STREAM: dict[str, Any] = {"sector": "vision", "at_start": 4, "per_year": 2, "offers": [{"cameras": "subscription"}]}


def managed(**settings: Any) -> Startup:
    """A founded firm with a model, whose managers review each quarter; a rich one."""
    model = lone_world()
    firm = found(model, **{"managed": 1.0, "capital_usd": 5e6, **settings})
    released(firm, model, accuracy_field=0.9)
    firm.management.watch()
    return firm


def last_event(firm: Startup) -> tuple[Any, ...]:
    return firm.model.recorder.rows["events"][-1]


# -- rules -------------------------------------------------------------------------------------------------------------


def test_indicators_by_hand() -> None:
    assert (at_least(0.3, 0.6), at_least(-1, 0.6), at_least(9, 0.6)) == (0.5, 0.0, 2.0)
    assert (at_most(4, 2), at_most(1, 2), at_most(0, 2)) == (0.5, 2.0, 2.0)


def test_the_worst_miss_is_found_against_the_level_aspired_to() -> None:
    reached = {"quality": 0.8, "innovation": 0.7, "efficiency": 1.0}
    assert worst_miss(reached, MET) == "innovation"
    assert worst_miss(reached, {**MET, "innovation": 0.7}) == "quality"
    assert worst_miss({"quality": 1.0}, MET) == worst_miss({}, MET) == ""


@given(st.floats(0.5, 1), st.floats(0, 2), st.floats(0, 1))
def test_levels_follow_experience_between_half_of_the_target_and_the_target(
    aspired: float, reached: float, adaptation: float
) -> None:
    level = next_aspiration(aspired, reached, adaptation)
    assert 0.5 <= level <= 1
    assert (level - aspired) * (reached - aspired) >= 0  # toward what was reached, or not at all
    assert next_aspiration(aspired, reached, 0.0) == aspired


def test_every_indicator_leads_to_steps_and_every_step_has_limits() -> None:
    assert {name for steps in SEARCH.values() for name in steps} == set(STEPS)
    assert {step.lever for step in STEPS.values()} == set(LIMITS)
    assert all(abs(step.by) <= step.reach for step in STEPS.values())


# -- reviews -----------------------------------------------------------------------------------------------------------


def test_the_four_indicators_are_read_from_the_firm() -> None:
    firm = managed()
    firm.recurring, firm.revenues, firm.costs = [1e4] * 3 + [3e4] * 3, [3e4] * 3, [9e4] * 3
    firm.management.margins = [(2e4, 4e3, 8e3)] * 3
    reached = firm.management.reached(firm.settings.management)
    assert reached["efficiency"] == pytest.approx(2 * 240_000 / 180_000 / 1, abs=1) == min(2 * 24 / 18, 2.0)
    assert reached["cost control"] == pytest.approx(0.4 / 0.5)
    assert reached["quality"] == pytest.approx(firm.sales.trust() / 0.6)
    rival = firm.model.firms["giant"]
    released(rival, firm.model, accuracy_field=0.95)
    assert firm.management.accuracy_ratio() == pytest.approx(0.9 / 0.95)
    firm.suffer(Outage(operators=0), 0.0, 0.0)
    firm.suffer(Outage(operators=0), 0.0, 0.0)
    assert firm.management.failures_year() == 2
    assert firm.management.reached(firm.settings.management)["quality"] == pytest.approx(0.5)


def test_the_worst_miss_moves_one_lever_one_step_at_a_price() -> None:
    firm = managed()
    firm.management.incident_months = [firm.model.month] * 3
    cash = firm.books.cash_usd
    firm.management.review()
    assert firm.settings.prevention == pytest.approx(0.35) and firm.given.prevention == 0.3
    assert firm.settings.model_copy(update={"prevention": 0.3}) == firm.given  # nothing else moved
    wages = sum(people * firm.model.talent.wages[role] for role, people in firm.staff.items())
    assert cash - firm.books.cash_usd == pytest.approx(2 / 21 * wages, abs=0.01)
    event = last_event(firm)
    fields = fields_of(event)
    assert event[1] == "management" and fields["indicator"] == "quality" and f"{fields['reached']:.0%}" == "33%"
    assert (fields["before"], fields["after"]) == (pytest.approx(0.3), pytest.approx(0.35))
    assert event[4] == pytest.approx(cash - firm.books.cash_usd, abs=0.01)
    assert firm.model.bank.total_cash_usd() == 0 and firm.books.imbalance_usd() == 0


def test_who_reaches_all_targets_changes_nothing() -> None:
    firm = managed(management={"satisfaction": 0.05, "accuracy_ratio": 0.5, "better_model_months": 120})
    cash = firm.books.cash_usd
    for _ in range(5):
        firm.management.review()
    assert (
        firm.settings == firm.given
        and firm.books.cash_usd == cash
        and "management" not in kinds_of_events(firm.model, firm.name)
    )


def test_a_step_that_does_not_help_is_followed_by_the_next() -> None:
    firm = managed()
    for reached in (0.3, 0.3, 0.4, 0.4):
        firm.management.search("quality", reached)
    steps = [fields_of(row)["step"] for row in firm.model.recorder.rows["events"] if row[1] == "management"]
    assert steps == ["prevention", "lean", "lean", "data-driven"]


def test_levers_stop_at_their_reach_and_poor_firms_do_not_step() -> None:
    firm = managed()
    for _ in range(40):
        firm.management.search("innovation", 0.1)
    s = firm.settings
    assert s.compute_share == pytest.approx(0.28) and s.research_share == pytest.approx(0.57)
    assert s.data_operations == pytest.approx(0.5) and s.collaboration == pytest.approx(1.15)
    assert not firm.management.take("compute", "innovation", 0.1)
    firm.spend(firm.books.cash_usd - 1000, "overhead")
    assert not firm.management.take("prevention", "quality", 0.1)


def test_shares_for_things_leave_room_for_people() -> None:
    firm = managed(compute_share=0.5, data_share=0.1, marketing_share=0.1)
    assert not firm.management.take("marketing", "efficiency", 0.1) and firm.management.take(
        "thrift", "efficiency", 0.1
    )


def test_automation_does_work_of_operators_and_keeps_outages_as_rare() -> None:
    firm = managed()
    slot = firm.sales.slots["cameras"]
    firm.sales.market["customers"][slot] = 200.0
    firm.staff["operations"] = needed = firm.sales.operators_needed()
    rate = outage_hazard(firm).rate_year
    firm.management.move("automation", 0.0, 0.4)
    assert firm.sales.operators_needed() == pytest.approx(0.6 * needed)
    firm.staff["operations"] *= 0.6
    assert outage_hazard(firm).rate_year == pytest.approx(rate)
    assert firm.management.step_usd(STEPS["automation"]) == pytest.approx(5 * firm.management.step_usd(STEPS["lean"]))


def test_a_dated_change_keeps_what_the_managers_moved() -> None:
    changes = {
        "firms": {"iris": {"managed": 1.0, "capital_usd": 5e6}},
        "interventions": [{"at": "2016-06", "says": "more data", "set": {"firms.iris.data_share": 0.15}}],
    }
    model = world_of(changes)
    firm = model.firms["iris"]
    assert isinstance(firm, Startup)
    firm.management.take("data", "innovation", 0.1)
    assert firm.settings.data_share == pytest.approx(0.1)
    play(model, 7)
    moved = firm.management.moves["data_share"]
    assert firm.settings.data_share == pytest.approx(0.15 + moved) and moved >= 0.02


def test_reviews_come_as_often_as_attention_allows() -> None:
    def reviews(attention: float) -> int:
        firm, count = managed(managed=attention), []
        firm.management.review = lambda: count.append(1)  # type: ignore[method-assign, func-returns-value, assignment]
        for month in range(firm.model.month, firm.model.month + 24):
            firm.model.month = month
            firm.management.manage()
        return len(count)

    assert [reviews(a) for a in (0.0, 0.25, 0.5, 1.0)] == [0, 2, 4, 8]


# -- worlds ------------------------------------------------------------------------------------------------------------


def test_unmanaged_firms_are_as_they_were() -> None:
    def rows(**stream: Any) -> list[Any]:
        model = play(world_of({"years": 3, "entrants": {"new": {**STREAM, **stream}}}, seed=3))
        assert model.bank.total_cash_usd() == 0
        return model.recorder.rows["firms"] + model.recorder.rows["events"]

    plain = rows()
    # Targets that nobody looks at change nothing; `repr` because months before a first model hold NaN.
    assert repr(rows(management={"satisfaction": 1.0, "adaptation": 0.0})) == repr(plain)
    looked = rows(managed={"mean": 1.0, "sd": 0.0})
    assert repr(looked) != repr(plain) and repr(rows(managed={"mean": 1.0, "sd": 0.0})) == repr(looked)


def test_entrants_differ_in_attention_and_share_their_other_traits() -> None:
    def settings(**stream: Any) -> list[FirmSettings]:
        model = world_of({"entrants": {"new": {**STREAM, **stream}}}, service=FakeService())
        return [firm.given for name, firm in model.firms.items() if name.startswith("new")]  # type: ignore[attr-defined]

    plain, looked = settings(), settings(managed={"mean": 0.5, "sd": 0.2})
    assert len({s.managed for s in looked}) == 4 and {s.managed for s in plain} == {0.0}
    assert [s.model_copy(update={"managed": 0.0}) for s in looked] == plain


def test_moved_settings_stay_inside_the_schema() -> None:
    for name, (low, high) in LIMITS.items():
        if name in FirmSettings.model_fields:
            assert bound(FirmSettings, name, "low") <= low < high <= bound(FirmSettings, name, "high")
    firm = managed(collaboration=1.95, prevention=0.93, data_operations=0.99, compute_share=0.03, research_share=0.94)
    for missed in list(SEARCH) * 20:
        firm.management.search(missed, 0.1)
    assert FirmSettings(**firm.settings.model_dump()) == firm.settings
    laid_over = firm.management.applied(firm.given)
    for lever in firm.management.moves.keys() & FirmSettings.model_fields.keys():
        assert getattr(laid_over, lever) == pytest.approx(getattr(firm.settings, lever)), lever


def test_the_shipped_world_without_managers_differs_from_the_base_world_in_this_alone() -> None:
    base, world = shipped("markets/base"), shipped("markets/unmanaged-firms")
    assert all(stream.managed.mean > 0 < stream.risk_budget_share.mean for stream in base.entrants.values())
    plain = {"managed": Spread(mean=0, sd=0), "risk_budget_share": Spread(mean=0, sd=0)}
    assert {name: stream.model_copy(update=plain) for name, stream in base.entrants.items()} == world.entrants
    quiet = base.world.risk.model_copy(update={"key_person_rate_year": 0.0})
    assert base.world.risk.key_person_rate_year > 0 and base.world.model_copy(update={"risk": quiet}) == world.world
