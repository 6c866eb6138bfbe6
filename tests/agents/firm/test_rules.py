"""Rules of firms that need no world: recipes, release intervals, staff, plans."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm.staffing import adjust, staff_wanted, wage_bill
from agents.firm.training_plan import Means, compose_plan, engineering, judged, recipe_for, release_interval
from agents.settings import FirmSettings
from simulation.compute import effective_gpu_hours, gpu_hours_for_rung, rung_for
from simulation.labour import monthly_wages
from simulation.settings import ROLES, ComputeSettings, LabourSettings
from simulation.training.plan import TrainingPlan
from tests.support.service import result_of

OPTIMIZERS = ("sgd", "momentum", "adam")


def firm_of(**settings: Any) -> FirmSettings:
    return FirmSettings(**{"sector": "vision", "offers": {"cameras": "subscription"}, **settings})


def plan_of(firm: FirmSettings, hours: float = 1000.0, **means: Any) -> tuple[TrainingPlan, float]:
    values: dict[str, Any] = {
        "progress": 1.0,
        "rows_lab": 9e4,
        "rows_field": 1e4,
        "minority_share": 0.1,
        "anonymisation": 0,
    }
    return compose_plan(firm, "speech", ComputeSettings(), Means(hours, **{**values, **means}), 0.0, 7)


def test_recipes_follow_skill_at_the_stated_thresholds() -> None:
    skills = (0.0, 0.34, 0.35, 0.54, 0.55, 0.79, 0.8, 1.0)
    names = {skill: recipe_for(skill, 0.0, "speech").optimizer for skill in skills}
    assert list(names.values()) == ["sgd", "sgd", "momentum", "momentum", "adam", "adam", "adam", "adam"]
    assert [recipe_for(skill, 0.0, "speech").augmentation for skill in (0.79, 0.8)] == [False, True]
    assert recipe_for(0.2, 0.0, "speech").activation == "sigmoid"
    assert recipe_for(0.6, 0.0, "speech").schedule == "cosine"
    assert not recipe_for(0.9, 0.0, "medical-imaging").augmentation  # measured: it does harm there


def test_a_weak_team_misses_its_learning_rate_by_more() -> None:
    def spread(skill: float) -> float:
        return recipe_for(skill, 2.0, "speech").learning_rate / recipe_for(skill, -2.0, "speech").learning_rate

    assert spread(0.0) > spread(0.3) > 1 and spread(0.55) > spread(0.75)
    assert recipe_for(1.0, 2.0, "speech") == recipe_for(1.0, -2.0, "speech")


@given(st.floats(0, 1), st.floats(-8, 8))
def test_every_recipe_can_be_trained(skill: float, luck: float) -> None:
    assert recipe_for(skill, luck, "speech").optimizer in OPTIMIZERS  # Recipe refuses what is out of range


def test_engineering_is_one_for_the_average_team_and_grows() -> None:
    def able(skill: float, collaboration: float = 1.0, **practice: float) -> float:
        return engineering(firm_of(skill=skill, collaboration=collaboration, engineering=practice))

    assert able(0.5) == pytest.approx(1.0)
    assert able(0.9) > able(0.5) < able(0.5, 1.3)
    assert able(0.5, hardware=1.5) == pytest.approx(1.5)
    assert able(0.5, memory=1.2) == pytest.approx(1.2)
    assert able(0.5, failure_rate=0.0) == pytest.approx(1 + 0.5 * 0.17 / 0.83)
    assert able(0.5, failure_rate=0.5) < able(0.5) < able(0.5, lost_share=0.1)


def test_release_interval_by_hand_and_within_its_bounds() -> None:
    assert release_interval(firm_of(release_months=9), 2) == pytest.approx(9)
    assert release_interval(firm_of(release_months=18), 8) == pytest.approx(9)
    assert release_interval(firm_of(release_months=9, collaboration=0.5), 4) == pytest.approx(9)
    assert release_interval(firm_of(release_months=9), 0) == release_interval(firm_of(release_months=60), 2) == 18
    assert release_interval(firm_of(release_months=1), 100) == 5


@given(
    hours=st.just(0.0) | st.floats(1e-6, 1e8),
    skill=st.floats(0, 1),
    together=st.floats(0.3, 2),
    rows=st.floats(100, 1e11),
)
def test_a_plan_takes_the_highest_rung_that_can_be_paid_and_no_more_hours(
    hours: float, skill: float, together: float, rows: float
) -> None:
    plan, needed = plan_of(firm_of(skill=skill, collaboration=together), hours, rows_lab=rows)
    able, compute = engineering(firm_of(skill=skill, collaboration=together)), ComputeSettings()
    assert plan.rung == rung_for(compute, effective_gpu_hours(compute, hours, 1.0, able), 5)
    assert 0 <= needed <= hours and needed <= gpu_hours_for_rung(compute, plan.rung, 1.0, able)


def test_a_plan_is_made_of_what_the_firm_has() -> None:
    firm = firm_of(label_noise=0.1234, compression="int8", model_kind="mlp")
    plan, _ = plan_of(firm, rows_lab=6e4, rows_field=2e4, minority_share=0.2, anonymisation=0.3)
    assert (plan.task, plan.kind, plan.compression, plan.seed) == ("speech", "mlp", "int8", 7)
    assert (plan.label_noise, plan.minority_share, plan.anonymisation) == (0.123, 0.2, 0.3)
    assert plan.coverage == pytest.approx(0.25, abs=0.051)  # on a grid, so that like plans are the same plan
    assert plan_of(firm, rows_lab=0.0, rows_field=0.0)[0].coverage == 0


def test_teams_judge_by_what_they_see() -> None:
    result = result_of(plan_of(firm_of())[0], accuracy_lab=0.9, accuracy_field=0.5)
    assert (judged(result, 0.0), judged(result, 1.0)) == (0.9, 0.5) and judged(result, 0.5) == pytest.approx(0.7)


# -- people ------------------------------------------------------------------------------------------------------------


def test_wages_grow_from_2017() -> None:
    labour = LabourSettings()
    assert monthly_wages(labour, 2017) == labour.wage_usd_month
    assert monthly_wages(labour, 2019)["research"] == pytest.approx(12_000 * 1.035**2)
    assert wage_bill({"research": 2.0, "product": 1.0}, labour.wage_usd_month) == 33_000


@given(st.floats(0, 1e8), st.floats(0.05, 0.95), st.floats(0, 1e4))
def test_the_staff_wanted_costs_what_the_budget_pays(budget: float, research: float, operators: float) -> None:
    wages = LabourSettings().wage_usd_month
    wanted = staff_wanted(budget, wages, research, operators)
    assert set(wanted) == set(ROLES) and all(people >= 0 for people in wanted.values())
    assert wage_bill(wanted, wages) == pytest.approx(budget)
    assert wanted["operations"] <= operators
    assert wanted["research"] * wages["research"] == pytest.approx(
        research * (budget - wanted["operations"] * wages["operations"]), abs=1e-6
    )


def test_hiring_is_slow_and_cutting_faster() -> None:
    assert adjust({"research": 2.0}, {"research": 10.0}) == {"research": 3.0}
    assert adjust({"research": 50.0}, {"research": 100.0}) == pytest.approx({"research": 56.0})
    assert adjust({"research": 2.0}, {"research": 2.5}) == {"research": 2.5}
    assert adjust({"research": 10.0}, {"research": 0.0}) == pytest.approx({"research": 7.0})
    assert adjust({"research": 10.0, "product": 1.0}, {"research": 9.0}) == {"research": 9.0, "product": 1.0}
