"""Audits that incidents bring, and how firms end a leak: noise on inputs, fewer inputs, private training."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest

from agents.firm.remedy import DP_MOST, LeakRemedy
from agents.incidents import IncidentProcess
from agents.settings import FirmSettings, RegulatorSettings
from agents.startup.startup import Startup
from agents.state.regulator import Findings, Regulator
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import Recipe, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.service import TrainingService
from tests.support.scenario_files import error_of, write
from tests.support.service import FakeService, result_of
from tests.support.world_fakes import fields_of, found, kinds_of_events, lone_world, merged, play, released, world_of

FLOOR = {"field_accuracy_floor": 0.9, "fairness_gap_limit": 1, "leakage_limit": 1}
PLAN = TrainingPlan("security-vision", "cnn", 2, 1024)


# -- audits after incidents --------------------------------------------------------------------------------------------


def audited_after(kind: str, share: float, seed: int = 0, months: int = 3) -> Startup:
    """A startup with a poor model that has such an incident, in a law without audits of its own."""
    model = lone_world(law={**FLOOR, "audit_after_incident": share})
    model.streams = type(model.streams)(seed)
    Regulator(model, "regulator", RegulatorSettings(audit_months=0.5, fix_months=30))
    firm = found(model, capital_usd=1e8, release_months=60)
    released(firm, model, accuracy_field=0.5)
    firm.laboratory.last_order_month = model.month
    firm.incident_to_audit = kind
    play(model, months)
    return firm


@pytest.mark.parametrize("kind", ["breach", "accident"])
def test_an_incident_brings_an_audit_of_the_model_that_is_sold(kind: str) -> None:
    firm = audited_after(kind, 1.0)
    (event,) = [row for row in firm.model.recorder.rows["events"] if row[1] == "audit failed"]
    assert fields_of(event)["run"] == firm.laboratory.released.key and fields_of(event)["incident"] == kind
    assert firm.laboratory.fix_ordered and firm.incident_to_audit == ""


def test_without_the_rule_or_an_incident_nobody_looks() -> None:
    assert not any(kind.startswith("audit") for kind in kinds_of_events(audited_after("breach", 0.0).model, "iris"))
    assert not any(kind.startswith("audit") for kind in kinds_of_events(audited_after("", 1.0).model, "iris"))


def test_a_share_of_incidents_is_followed_up() -> None:
    seen = sum(
        "audit failed" in kinds_of_events(audited_after("breach", 0.5, seed).model, "iris") for seed in range(24)
    )
    assert 5 <= seen <= 19  # beyond 2.8 standard deviations of 12


def test_a_breach_that_strikes_is_reported() -> None:
    model = lone_world(risk={"breach_rate_year": 12, "outage_rate_year": 0})
    firm = found(model, prevention=0.0)
    released(firm, model)
    incidents = IncidentProcess(model)
    for _ in range(12):
        model.month += 1
        incidents.acquire()
    assert firm.incident_to_audit == "breach"


def test_incidents_in_a_played_world_bring_audits_and_an_outage_none() -> None:
    def audits(risk: dict[str, Any]) -> int:
        law = {**FLOOR, "audit_after_incident": 1}
        changes = {"world": {"law": law, "risk": risk}, "regulator": {"audit_months": 0.5}}
        events = play(world_of(changes)).tables()["events"]
        return int(events["kind"].str.startswith("audit").sum())

    assert audits({"breach_rate_year": 6}) > 3
    assert audits({"breach_rate_year": 0, "outage_rate_year": 12}) == 0


# -- remedies ----------------------------------------------------------------------------------------------------------


class Leaky(FakeService):
    """Leakage falls with noise on inputs and with private training; leaving inputs out does little, as measured."""

    def train(self, due: Any) -> int:
        n = super().train(due)
        for key, plan in self.plans.items():
            if key in self.results:
                self.results[key] = self.leaking(plan)
        return n

    @staticmethod
    def leaking(plan: TrainingPlan) -> TrainingResult:
        left = (1 - plan.anonymisation / 1.5) / (1 + 2 * plan.dp_noise) * (1 - 0.1 * plan.minimisation)
        return result_of(plan, leakage=0.4 * max(left, 0.0))


def remedied(remedy: str, months: int = 60) -> Startup:
    """A firm that is audited often and ends its leak in this way."""
    law = {"audits_year": 6, "leakage_limit": 0.2, "fairness_gap_limit": 1}
    iris = {"capital_usd": 1e8, "remedy": remedy}
    changes = {"years": 5, "world": {"law": law}, "firms": {"iris": iris}, "regulator": {"audit_months": 0.5}}
    model = play(world_of(changes, service=Leaky()), months)
    firm = model.firms["iris"]
    assert isinstance(firm, Startup)
    return firm


def test_orders_go_one_step_further_each_and_end_in_noise() -> None:
    remedy = LeakRemedy()
    for _ in range(8):
        remedy.order("dp")
    assert (remedy.dp_noise, remedy.anonymisation) == (DP_MOST, 0.0)
    remedy.order("dp")
    assert (remedy.dp_noise, remedy.anonymisation) == (DP_MOST, 0.3)
    other = LeakRemedy()
    other.order("minimise")
    assert other.applied(PLAN).minimisation == 0.25 and other.is_followed_by(other.applied(PLAN))
    assert not other.is_followed_by(PLAN)


def test_what_a_kind_of_model_cannot_do_is_left_out() -> None:
    remedy = LeakRemedy()
    remedy.order("dp")
    recurrent = TrainingPlan("speech", "rnn", 2, 1024)
    assert remedy.applied(recurrent) is recurrent and remedy.is_followed_by(recurrent)
    assert LeakRemedy().applied(PLAN) is PLAN


def test_the_usual_remedy_is_noise_on_inputs() -> None:
    assert FirmSettings(sector="vision", offers={"cameras": "licence"}).remedy == "anonymise"
    plan = remedied("anonymise").laboratory.released_plan
    assert plan is not None and plan.anonymisation > 0 and plan.dp_noise == plan.minimisation == 0


def test_private_training_is_really_planned_and_passes_on_its_own_leakage() -> None:
    firm = remedied("dp")
    lab, kinds = firm.laboratory, kinds_of_events(firm.model, "iris")
    assert lab.released_plan is not None and lab.released_plan.dp_noise > 0 and lab.released_plan.anonymisation == 0
    assert lab.released is not None and lab.released.leakage <= 0.2 and not lab.fix_ordered
    assert kinds.index("audit failed") < len(kinds) - 1 - kinds[::-1].index("audit passed")
    passed = [row for row in firm.model.recorder.rows["events"] if row[1:3] == ("audit passed", "iris")]
    assert fields_of(passed[-1])["epsilon"] > 0


def test_really_trained_private_training_leaks_less_and_errs_more(tmp_path: Any) -> None:
    """Eight networks each on 512 rows, trained for this test: no number of it is typed in."""
    recipe = Recipe(optimizer="adam", activation="relu", learning_rate=0.01, schedule="cosine")
    plain = [TrainingPlan("security-vision", "cnn", 3, 512, coverage=0.3, recipe=recipe, seed=s) for s in range(8)]
    remedy = LeakRemedy()
    for _ in range(3):
        remedy.order("dp")
    private = [remedy.applied(plan) for plan in plain]
    service = TrainingService(Ledger(tmp_path / "ledger.sqlite"), device="cpu")
    keys = [[service.submit(plan) for plan in plans] for plans in (plain, private)]
    service.train({*keys[0], *keys[1]})
    before, after = ([service.result(key) for key in arm] for arm in keys)
    assert fmean(r.leakage for r in after) < fmean(r.leakage for r in before) - 0.05
    assert fmean(r.accuracy_lab for r in after) < fmean(r.accuracy_lab for r in before)


def test_a_remedy_that_does_not_help_fails_again_until_noise_does() -> None:
    firm = remedied("minimise")
    lab, kinds = firm.laboratory, kinds_of_events(firm.model, "iris")
    assert kinds.count("audit failed") > remedied("dp").model.tables()["events"].query(
        "kind == 'audit failed' and firm == 'iris'"
    ).shape[0]  # fmt: skip
    assert lab.released_plan is not None and lab.released_plan.minimisation == 0.75
    assert lab.leak_remedy.anonymisation > 0


def test_a_model_without_the_remedy_does_not_end_the_order() -> None:
    model = lone_world(law={"leakage_limit": 0.1})
    regulator = Regulator(model, "regulator", RegulatorSettings(fix_months=12))
    firm = found(model, capital_usd=1e8, remedy="dp")
    released(firm, model, leakage=0.4)
    regulator.order_fix(firm, Findings(leaks=True))
    lab = firm.laboratory
    assert not lab.follows_order(PLAN, result_of(PLAN))
    lab.last_order_month = -100
    lab.order_training()
    assert lab.job is not None and lab.job.plan.dp_noise == 0.5
    assert lab.follows_order(lab.job.plan, result_of(lab.job.plan))


@pytest.mark.parametrize(
    ("firm", "says"),
    [
        ("remedy: dp, model_kind: rnn", "remedy = dp needs model_kind mlp or cnn"),
        ("remedy: dp, compression: distilled", "remedy = dp needs model_kind mlp or cnn"),
        ("remedy: minimise, model_kind: linear", "remedy = minimise needs model_kind"),
        ("remedy: anonymize", "anonymise"),
    ],
)
def test_a_remedy_that_cannot_be_done_is_refused(tmp_path: Any, firm: str, says: str) -> None:
    text = (
        "title: t\nstart: 2016-01\nyears: 3\nworld: {sectors: {vision: {segments: {cameras: {}}}}}\n"
        f"firms: {{iris: {{sector: vision, offers: {{cameras: licence}}, {firm}}}}}\n"
    )
    assert says in str(error_of(write(tmp_path, text)))


def test_money_is_conserved_with_all_remedies() -> None:
    for remedy in ("anonymise", "minimise", "dp"):
        firm = remedied(remedy, 24)
        assert firm.model.bank.total_cash_usd() == 0


def test_merged_law_keeps_the_rule() -> None:
    change = {"at": "2017-01", "set": {"world.law.audit_after_incident": 1}}
    law = merged({"world": {"law": FLOOR}}, {"interventions": [change], "regulator": {}})
    model = play(world_of(merged(law, {"world": {"risk": {"breach_rate_year": 6}}})))
    events = model.tables()["events"]
    audits = events[events["kind"].str.startswith("audit")]
    assert not audits.empty and audits["time"].min().year >= 2017
