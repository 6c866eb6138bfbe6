"""What audits find beyond leakage and fairness: field accuracy, inputs that may not be collected; fines, remedies."""

from __future__ import annotations

from typing import Any

import pytest

from agents.firm.training_plan import Means, compose_plan
from agents.settings import FirmSettings, RegulatorSettings
from agents.startup.startup import Startup
from agents.state.regulator import Findings, Regulator, examine, field_floor, fine_usd, report
from simulation.dp_accountant import epsilon
from simulation.settings import ComputeSettings, SegmentSettings
from simulation.settings.law import LawSettings
from simulation.training.plan import TrainingPlan
from tests.support.service import result_of
from tests.support.world_fakes import fields_of, found, kinds_of_events, lone_world, merged, released, world_of

PLAN = TrainingPlan("security-vision", "cnn", 2, 1024)


def audited(law: dict[str, Any], **measures: float) -> tuple[Startup, Regulator]:
    """A startup with a model of such measures, just audited."""
    model = lone_world(law=law)
    regulator = Regulator(model, "regulator", RegulatorSettings(audit_months=0.5, fix_months=6))
    firm = found(model, capital_usd=1e8, field_share=0.05)
    released(firm, model, **{"leakage": 0.0, "fairness_gap": 0.0, **measures})
    firm.laboratory.last_order_month = model.month
    model.env.process(regulator.audit(firm))
    model.env.run(until=model.month + 0.9)
    return firm, regulator


# -- what an audit finds -----------------------------------------------------------------------------------------------


def test_the_floor_is_the_highest_of_law_segments_and_what_is_safety_critical() -> None:
    law = LawSettings(field_accuracy_floor=0.3, critical_field_accuracy_floor=0.6)
    plain, risky = SegmentSettings(), SegmentSettings(field_threshold=0.5)
    assert field_floor(law, []) == field_floor(law, [plain]) == 0.3
    assert field_floor(law, [plain, risky]) == 0.6
    assert field_floor(law, [risky, SegmentSettings(field_accuracy_floor=0.7)]) == 0.7


def test_findings_are_by_what_was_measured_and_planned() -> None:
    law = LawSettings(leakage_limit=0.1, fairness_gap_limit=0.1, minimisation_share=0.25)
    good = TrainingPlan("security-vision", "cnn", 2, 1024, minimisation=0.25)
    fine = {"leakage": 0.1, "fairness_gap": 0.1, "accuracy_field": 0.6}
    assert not examine(law, result_of(good, **fine), good, 0.6)
    assert examine(law, result_of(PLAN, **fine), PLAN, 0.6) == Findings(excessive=True)
    assert examine(law, result_of(good, **{**fine, "leakage": 0.2}), good, 0.7) == Findings(True, False, True)


def test_a_poor_model_is_fined_and_its_makers_gather_field_rows() -> None:
    firm, regulator = audited({"field_accuracy_floor": 0.6, "fine_fixed_usd": 5000}, accuracy_field=0.5)
    lab, event = firm.laboratory, firm.model.recorder.rows["events"][-1]
    assert event[1] == "audit failed" and event[4] == 5000 and fields_of(event)["field"] == 0.5
    assert fields_of(event)["findings"] == ["inaccurate"]
    assert lab.fix_ordered and lab.ordered_field_accuracy == 0.6 and "iris" in regulator.deadlines
    clean, field, cash = lab.rows_lab, lab.rows_field, firm.books.cash_usd
    lab.gather_data(10_000)
    assert lab.rows_lab < clean and lab.rows_field > field + 200_000  # all new rows are from the field
    assert cash - firm.books.cash_usd == pytest.approx(20_000)  # and twice the usual sum


def test_only_a_model_above_the_floor_ends_the_order() -> None:
    firm, _ = audited({"field_accuracy_floor": 0.6}, accuracy_field=0.5)
    lab = firm.laboratory
    assert not lab.follows_order(PLAN, result_of(PLAN, accuracy_field=0.59))
    assert lab.follows_order(PLAN, result_of(PLAN, accuracy_field=0.61))
    lab.obey_order()
    assert lab.follows_order(PLAN, result_of(PLAN, accuracy_field=0.1))


def test_the_remedy_trains_once_a_quarter_and_ends_with_its_goal() -> None:
    firm = found(lone_world())
    lab, remedy, model = firm.laboratory, firm.remedy, firm.model
    released(firm, model, accuracy_field=0.5)
    remedy.seek(0.6)
    remedy.review()
    assert not lab.hurried
    model.env.run(until=model.env.now + 3)
    remedy.review()
    assert lab.hurried and remedy.field_share(0.1) == 1.0
    released(firm, model, accuracy_field=0.6)
    remedy.review()
    assert remedy.goal == 0 and remedy.field_share(0.1) == 0.1 and remedy.data_usd(1.0) == 1.0


def test_an_order_about_the_field_is_followed_by_a_model_above_the_floor() -> None:
    """The whole way: audit, field rows, new models, a release above the floor. Fake accuracy rises with coverage."""
    law = {"audits_year": 12, "field_accuracy_floor": 0.7, "leakage_limit": 1, "fairness_gap_limit": 1}
    changes = {"world": {"law": law}, "regulator": {"audit_months": 0.2, "fix_months": 0.5}}
    iris = {"capital_usd": 2e7, "field_share": 0.0, "data_operations": 0.0, "skill": 0.6, "rows": 3e5}
    model = world_of(merged(changes, {"firms": {"iris": iris}}))
    firm, below, above = model.firms["iris"], [], []
    for _ in range(36):
        model.step()
        if firm.laboratory.released:
            (above if firm.quality_field >= 0.7 else below).append(firm.laboratory.released_plan.coverage)
    kinds = kinds_of_events(model, "iris")
    assert "audit failed" in kinds and "withdrawn" in kinds and kinds[-1] == "audit passed"
    assert below and above and min(above) > max(below)
    assert not firm.suspended and not firm.laboratory.fix_ordered and firm.remedy.goal == 0


# -- fines -------------------------------------------------------------------------------------------------------------


def test_fines_stay_below_the_higher_part_of_the_ceiling() -> None:
    law = LawSettings(fine_turnover_share=0.02, fine_fixed_usd=1e5)
    assert fine_usd(law, 1e6) == 1e5 and fine_usd(law, 1e8) == 2e6  # the fixed sum, or the share
    greedy = law.model_copy(update={"fine_fixed_usd": 1e9})
    assert fine_usd(greedy, 1e6) == 22e6 and fine_usd(greedy, 1e9) == 4e7  # 20 M€, or 4 % of turnover (P9)


# -- data minimisation and private training ----------------------------------------------------------------------------


def plan_of(minimisation: float = 0.0, **settings: Any) -> TrainingPlan:
    """The plan of a firm with such settings under such a law."""
    firm = FirmSettings(sector="vision", offers={"cameras": "licence"}, **settings)
    means = Means(1e4, 1.0, 1e5, 1e4, 0.1, 0.0, minimisation)
    return compose_plan(firm, "security-vision", ComputeSettings(), means, 0.0, 1)[0]


def test_law_and_firm_decide_how_private_the_plan_is() -> None:
    assert plan_of() == plan_of(minimisation=0.0, dp_noise=0.0)  # and so the key of the run
    assert plan_of(minimisation=0.25).minimisation == 0.25
    assert plan_of(minimisation=0.25, model_kind="linear").minimisation == 0  # the traditional method has no such lever
    assert plan_of(dp_noise=0.5).dp_noise == 0.5


@pytest.mark.parametrize("wrong", [{"model_kind": "rnn"}, {"compression": "distilled"}])
def test_private_training_is_refused_where_it_cannot_be_done(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="dp_noise = 1 needs model_kind mlp or cnn"):
        FirmSettings(sector="vision", offers={"cameras": "licence"}, dp_noise=1.0, **wrong)


def test_the_audit_reports_what_private_training_guarantees() -> None:
    private = TrainingPlan("security-vision", "cnn", 2, 4096, dp_noise=1.0)
    assert report(result_of(private), private)["epsilon"] == epsilon(private)
    assert report(result_of(PLAN), PLAN)["epsilon"] is None


def test_firms_train_anew_when_the_law_forbids_inputs_even_if_the_model_gets_worse() -> None:
    law = {"at": "2017-06", "set": {"world.law.minimisation_share": 0.5}}
    model = world_of({"interventions": [law], "firms": {"iris": {"capital_usd": 1e8}}})
    firm = model.firms["iris"]
    for _ in range(36):
        model.step()
    assert firm.laboratory.released_plan.minimisation == 0.5


def test_an_audit_finds_models_that_still_collect_too_much() -> None:
    firm, _ = audited({"minimisation_share": 0.3})
    lab = firm.laboratory
    assert lab.fix_ordered and lab.ordered_minimisation == 0.3 and lab.hurried
    lab.last_order_month = -100
    lab.order_training()
    assert lab.job is not None and lab.job.plan.minimisation == 0.3
    assert lab.follows_order(lab.job.plan, result_of(lab.job.plan))
