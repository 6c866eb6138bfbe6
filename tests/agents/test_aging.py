"""Language goes on: models of documents are measured anew each January, and lose where they do not follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulation.model import MarketModel
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import TrainingPlan
from simulation.training.service import TrainingService
from simulation.training.values import language_year
from tests.support.foundation_fakes import TINY
from tests.support.model_offers import KindService, documents_world
from tests.support.world_fakes import found, play, world_of

IDLE: dict[str, Any] = {"capital_usd": 5e7, "release_months": 60, "staff": {"research": 1}}


def aging_world(aging: bool = True, **law: Any) -> MarketModel:
    """A world of documents from January 2021 in which every model has 0.8 in its own year."""
    return documents_world({"sourcing": {"aging": aging}, "law": law}, KindService(cnn=0.8))


def with_model(model: MarketModel, name: str = "iris") -> Any:
    """A startup with a model of this year that trains no other."""
    firm = found(model, name, **IDLE)
    plan = TrainingPlan("security-reports", "cnn", 2, 512, year=model.today.year)
    firm.laboratory.released_plan = plan
    firm.laboratory.released = model.service.made(plan)
    firm.laboratory.job = object()  # type: ignore[assignment]
    return firm


def test_a_model_in_use_falls_behind_each_january() -> None:
    model = aging_world()
    firm = with_model(model)
    seen = []
    for _ in range(26):
        play(model, 1)
        seen.append((model.calendar.date_of(model.month - 1).isoformat()[:7], round(firm.quality_field, 6)))
    by_month = dict(seen)
    assert by_month["2021-12"] == 0.8 and by_month["2022-01"] == 0.75
    assert by_month["2022-12"] == 0.75 and by_month["2023-01"] == 0.7
    lab = firm.laboratory
    assert lab.released_plan.year == 2021 and lab.released_plan.tested_in == 2023
    assert lab.released.key == lab.released_plan.key(), "the table names the run that measured it"


def test_without_aging_nothing_is_measured_anew() -> None:
    model = aging_world(aging=False)
    firm = with_model(model)
    play(model, 26)
    assert firm.quality_field == 0.8
    assert not any(one.plan.test_year for one in model.ordered.values())


def test_classical_tasks_are_as_they_were() -> None:
    def path(**sourcing: Any) -> str:
        model = play(world_of({"world": {"sourcing": sourcing}}))
        return "".join(table.to_csv() for table in model.tables().values())

    assert path() == path(aging=True)


def test_the_traditional_method_is_fitted_anew_each_year() -> None:
    model = aging_world()
    before = model.traditional["vision"]
    assert model.traditional_plan("vision").year == 2021
    play(model, 13)
    after = model.traditional["vision"]
    assert after.key != before.key and after.key == model.traditional_plan("vision").key()
    assert model.traditional_plan("vision").year == 2022


def test_a_firm_trains_on_the_language_of_the_new_year_and_leads_again() -> None:
    model = aging_world()
    stays, trains = with_model(model, "stays"), found(model, "trains", capital_usd=5e7)
    play(model, 20)
    assert trains.laboratory.released_plan is not None and trains.laboratory.released_plan.year == 2022
    assert trains.quality_field == 0.8 > stays.quality_field


def test_a_model_of_last_year_that_comes_out_late_is_measured_too() -> None:
    model = aging_world()
    firm = with_model(model)
    old = replace(firm.laboratory.released_plan, year=2015)
    firm.laboratory.released_plan = old
    play(model, 2)
    assert firm.laboratory.released_plan.tested_in == 2021


def test_a_model_that_is_replaced_meanwhile_is_not_put_back() -> None:
    model = aging_world()
    firm = with_model(model)
    play(model, 11)
    assert model.today.year == 2022, "the order was given in the phases of December"
    new = TrainingPlan("security-reports", "cnn", 4, 512, year=2022)
    firm.laboratory.released_plan, firm.laboratory.released = new, model.service.made(new)
    play(model, 1)
    assert firm.laboratory.released_plan == new


def test_a_certificate_stays_with_the_model_that_is_measured_anew() -> None:
    law = {"certification": {"scope": "all", "exam_months": 2, "fee_usd": 1000, "transition_months": 0}}
    model = aging_world(**law)
    firm = with_model(model)
    play(model, 20)
    examined = [row for row in model.recorder.rows["events"] if row.firm == "iris" and row.kind == "certified"]
    assert len(examined) == 1, "a model is examined once, not each year"
    assert firm.laboratory.released_plan.tested_in == 2022 and firm.certification.is_certified("cameras")


def test_an_examination_over_new_year_certifies_the_model() -> None:
    law = {"certification": {"scope": "all", "exam_months": 4, "fee_usd": 1000, "transition_months": 0}}
    model = aging_world(**law)
    play(model, 9)
    firm = with_model(model)
    play(model, 8)
    assert firm.laboratory.released_plan.tested_in == 2022 and firm.certification.is_certified("cameras")


@pytest.mark.parametrize(("year", "state"), [(2010, 2015), (2015, 2015), (2020, 2020), (2035, 2035), (2050, 2035)])
def test_the_language_has_dated_states(year: int, state: int) -> None:
    assert language_year(year) == state


# -- the trainer -------------------------------------------------------------------------------------------------------

PLAN = TrainingPlan("medical-records", "cnn", 1, 512, year=2020)


def test_a_test_in_another_year_is_part_of_the_key_and_one_in_the_same_is_not() -> None:
    assert replace(PLAN, test_year=2020) == PLAN and replace(PLAN, test_year=2020).key() == PLAN.key()
    later = replace(PLAN, test_year=2024)
    assert later.key() != PLAN.key() and "test_year" not in PLAN.as_json()
    assert TrainingPlan.from_json(later.as_json()) == later and (later.tested_in, PLAN.tested_in) == (2024, 2020)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"test_year": 1999}, r"test_year must be a whole number in \[2015, 2035\], not 1999"),
        ({"test_year": 2024, "task": "speech"}, "test_year needs a task of documents, not 'speech'"),
    ],
)
def test_a_test_year_that_cannot_be_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(PLAN, **change)


def test_a_network_really_does_worse_on_the_texts_of_later_years() -> None:
    """The same network, measured on three years: what it has learnt is worth less each time (seed fixed)."""
    service = TrainingService(Ledger(":memory:"), device="cpu")
    plan = TrainingPlan("medical-records", "cnn", 2, 4096, year=2018)
    keys = [service.submit(replace(plan, test_year=year)) for year in (2018, 2023, 2030)]
    service.train(keys)
    now, later, much_later = (service.result(key) for key in keys)
    assert now.accuracy_lab > later.accuracy_lab > much_later.accuracy_lab
    assert now.n_parameters == much_later.n_parameters and now.leakage == much_later.leakage
    assert later.traditional_lab != now.traditional_lab


def test_a_probe_is_measured_on_the_texts_of_the_year_of_the_test() -> None:
    service = TrainingService(Ledger(":memory:"), device="cpu")
    probe = TrainingPlan("medical-records", "probe", 0, 1024, year=2018, foundation=TINY)
    keys = [service.submit(replace(probe, test_year=year)) for year in (2018, 2030)]
    service.train(keys)
    then, later = (service.result(key) for key in keys)
    assert then.accuracy_lab != later.accuracy_lab and then.leakage == later.leakage
