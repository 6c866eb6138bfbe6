"""A firm's laboratory: what it releases, what data it holds, when it trains; incidents; entrants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.actor import Actor
from agents.firm.laboratory import Job
from agents.incidents import IncidentProcess
from simulation.model import PHASES, MarketModel
from simulation.settings import LabourSettings, StageTerms
from simulation.training.plan import TrainingPlan
from tests.support.service import FakeService, result_of
from tests.support.world_fakes import QUIET, bound, found, kinds_of_events, lone_world, play, released, world_of

YEARS = ("round_usd_2014", "round_usd_2022")


def come_out(firm: Any, seed: int, **measures: float) -> None:
    """A training run of the firm ends with these measures."""
    plan = TrainingPlan("security-vision", "cnn", 2, 1024, seed=seed)
    firm.model.service.results[plan.key()] = result_of(plan, **measures)
    firm.laboratory.finished.append(Job(plan, plan.key()))
    firm.laboratory.receive()


def test_every_phase_exists_and_every_actor_answers_it() -> None:
    for name, of_world, of_actors in PHASES:
        assert bool(of_world) != bool(of_actors), name
        assert callable(getattr(MarketModel if of_world else Actor, of_world or of_actors))


def test_a_better_model_is_released_and_a_worse_one_is_not() -> None:
    firm = found(lone_world(), data_operations=0.5)  # it sees its customers' data, so it judges by the field
    come_out(firm, 1, accuracy_lab=0.8, accuracy_field=0.7)
    assert (firm.laboratory.quality_lab, firm.laboratory.quality_field) == (0.8, 0.7)
    come_out(firm, 2, accuracy_lab=0.9, accuracy_field=0.6)
    assert firm.laboratory.quality_lab == 0.8
    come_out(firm, 3, accuracy_lab=0.7, accuracy_field=0.75)
    assert firm.laboratory.quality_lab == 0.7
    assert kinds_of_events(firm.model, "iris").count("release") == 2


def test_a_team_without_field_data_is_taken_in_by_the_lab() -> None:
    firm = found(lone_world(), data_operations=0.0)
    come_out(firm, 1, accuracy_lab=0.8, accuracy_field=0.7)
    come_out(firm, 2, accuracy_lab=0.9, accuracy_field=0.4)
    assert firm.laboratory.quality_field == 0.4


def test_before_the_first_model_there_is_nothing_to_show() -> None:
    firm = found(lone_world())
    assert np.isnan(firm.quality_field) and firm.laboratory.advantages() == (0.0, 0.0)
    firm.sales.show_offers()
    assert not firm.model.market.selling[firm.sales.slots["cameras"]]


def test_advantages_are_taken_over_the_measured_traditional_method() -> None:
    firm = found(lone_world())
    old = firm.model.traditional["vision"]
    released(firm, firm.model, accuracy_lab=1 - (1 - old.accuracy_lab) / 2, accuracy_field=old.accuracy_field)
    assert firm.laboratory.advantages() == pytest.approx((0.5, 0.0))


def test_a_result_comes_when_its_simulated_time_is_up_and_not_before() -> None:
    """A month of training and at most a month of preparation; `FakeService` refuses results asked for too early."""
    model = lone_world()
    firm = found(model)
    model.step()
    assert firm.laboratory.job is not None and firm.laboratory.job.key not in model.service.results
    play(model, 3)
    assert firm.laboratory.released is not None


def test_data_decay_and_grow_by_what_use_brings() -> None:
    firm = found(lone_world(), rows=1000, field_share=0.5)
    firm.laboratory.gather_data(0.0)
    assert firm.laboratory.rows_lab + firm.laboratory.rows_field == pytest.approx(1000 * (1 - 0.2 / 12))


def test_eight_bit_weights_halve_the_cost_of_serving() -> None:
    model = lone_world()
    plain, small = found(model, "plain"), found(model, "small", compression="int8")
    for firm in (plain, small):
        come_out(firm, 1, inference_flops=1e6)
    plan = small.laboratory.released_plan
    assert plan is not None
    small.laboratory.released_plan = TrainingPlan(plan.task, plan.kind, plan.rung, plan.rows, compression="int8")
    assert small.laboratory.serving_scale() == pytest.approx(plain.laboratory.serving_scale() / 2)


def test_own_gpus_need_no_cloud() -> None:
    model = lone_world()
    firm = found(model, reserved_gpus=400)
    before = firm.books.cash_usd
    firm.laboratory.order_training()
    assert firm.laboratory.job is not None and firm.laboratory.job.plan.rung > 0
    assert firm.books.cash_usd == before


def test_prevention_and_operators_make_incidents_rarer() -> None:
    def incidents(**settings: Any) -> int:
        model = lone_world(risk={"breach_rate_year": 3.0, "outage_rate_year": 3.0, "breach_usd_per_row": 0})
        firm = found(model, capital_usd=1e9, **settings)
        released(firm, model)
        incidents = IncidentProcess(model)
        for month in range(600):
            model.month = month
            incidents.acquire()
        return len([kind for kind in kinds_of_events(model, "iris") if kind in ("breach", "outage")])

    careless, careful = incidents(prevention=0.0), incidents(prevention=0.9)
    staffed = incidents(prevention=0.0, staff={"research": 2, "operations": 9})
    assert 200 < careless < 400  # expected: 300, standard deviation about 15
    assert careful < careless / 5 and staffed < careless


def test_accidents_follow_customers_errors_and_prevention_and_are_liable() -> None:
    def accidents(field: float, **settings: Any) -> tuple[int, float]:
        segments = {"cameras": {"accidents_year": 0.5, "accident_usd": 2e6}}
        model = lone_world(sectors={"vision": {"segments": segments}}, risk=QUIET)
        firm = found(model, capital_usd=1e9, prevention=0.0, **settings)
        released(firm, model, accuracy_field=field)
        model.market["customers"][firm.sales.slots["cameras"]] = 20
        incidents, before = IncidentProcess(model), firm.books.cash_usd
        for month in range(240):
            model.month = month
            incidents.acquire()
        return kinds_of_events(model, "iris").count("accident"), before - firm.books.cash_usd

    n_poor, paid = accidents(0.8)  # 20 customers · 0.5 · 0.2 = 2 a year: 40 in 20 years, at most one a month
    assert 25 < n_poor < 50
    assert paid == pytest.approx(n_poor * 2e6)
    assert accidents(0.95)[0] < n_poor / 2
    assert accidents(1.0)[0] == 0


def test_runs_break_down_at_their_rate_and_then_take_longer() -> None:
    def runs(**practice: float) -> tuple[list[float], list[int]]:
        months, broken = [], []
        for number in range(120):
            model = lone_world()
            firm = found(model, f"iris-{number}", engineering=practice, reserved_gpus=50)
            firm.laboratory.order_training()
            model.env.run(until=model.month + 14)
            months.append(firm.laboratory.run_months)
            broken.append(firm.laboratory.n_broken)
        return months, broken

    calm, none = runs(failure_rate=0.0)
    assert sum(none) == 0
    months, broken = runs(failure_rate=0.4, lost_share=0.5)
    assert sum(broken) / 120 == pytest.approx(0.4 / 0.6, abs=0.35)  # geometric; three standard errors
    lucky = [m for m, b in zip(months, broken, strict=True) if b == 0]
    unlucky = [m for m, b in zip(months, broken, strict=True) if b >= 2]
    assert max(lucky) < max(unlucky)
    assert sum(unlucky) / len(unlucky) > sum(lucky) / len(lucky) + 0.5
    submitted = 0.5  # months until a run begins, on average
    assert sum(months) / 120 - submitted == pytest.approx(
        (sum(calm) / 120 - submitted) * (1 + 0.5 * 0.4 / 0.6), abs=0.25
    )


def test_better_practice_trains_sooner_and_cheaper() -> None:
    def run(**practice: float) -> tuple[float, int, float]:
        model = lone_world()
        firm = found(model, capital_usd=3e6, engineering={"failure_rate": 0, **practice})
        firm.laboratory.purse_usd, before = 3e5, firm.books.cash_usd
        firm.laboratory.order_training()
        paid, plan = before - firm.books.cash_usd, firm.laboratory.last_plan
        model.env.run(until=model.month + 8)
        assert plan is not None
        return firm.laboratory.run_months, plan.rung, paid

    usual, fast, slow = run(), run(hardware=1.5, memory=1.2), run(parallelism=4.0)
    assert fast[1] == usual[1] == slow[1]  # the same rung
    assert fast[0] < usual[0] < slow[0]
    assert fast[2] == pytest.approx(usual[2] / 1.8, rel=0.1)
    assert slow[2] > usual[2]


def test_a_change_of_one_trait_of_entrants_leaves_their_other_traits_alone() -> None:
    stream = {
        "sector": "vision",
        "per_year": 0,
        "at_start": 20,
        "offers": [{"cameras": "licence"}, {"photos": "freemium"}],
    }
    one = world_of({"entrants": {"new": stream}})
    other = world_of({"entrants": {"new": {**stream, "skill": {"mean": 0.9, "sd": 0.05}}}})
    before = [one.firms[f"new-2016-01-{i}"].settings for i in range(1, 21)]
    after = [other.firms[f"new-2016-01-{i}"].settings for i in range(1, 21)]
    assert np.mean([s.skill for s in after]) == pytest.approx(0.9, abs=0.04)
    assert np.mean([s.skill for s in before]) == pytest.approx(0.55, abs=0.12)
    assert 0.08 < np.std([s.skill for s in before]) < 0.25 and np.std([s.skill for s in after]) < 0.08
    assert [s.model_copy(update={"skill": 0}) for s in before] == [s.model_copy(update={"skill": 0}) for s in after]
    assert {tuple(s.offers) for s in before} == {("cameras",), ("photos",)}


def test_named_firms_enter_in_their_month() -> None:
    model = world_of({"firms": {"late": {"sector": "vision", "founded": "2016-07", "offers": {"cameras": "licence"}}}})
    play(model, 5)
    assert "late" not in model.firms
    play(model, 1)
    assert str(model.firms["late"].founded) == "2016-07-01"
    frame = play(model, 2).tables()["firms"].query("firm == 'late'")
    assert str(frame["month"].min())[:7] == "2016-07"


@pytest.mark.parametrize(
    "world",
    [
        {"labour": {"label_cost_usd": bound(LabourSettings, "label_cost_usd", "low")}},
        {"capital": {"stages": {"seed": {year: bound(StageTerms, year, "low") for year in YEARS}}}},
    ],
    ids=["labels cost nothing", "tiny seed rounds"],
)
def test_values_at_the_edge_of_the_schema_run(world: dict[str, Any]) -> None:
    entrants = {"new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}}
    play(world_of({"world": world, "entrants": entrants}, service=FakeService()), 24)
