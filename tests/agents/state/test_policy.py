"""Law and policy: audits of the model that is really sold, fines, orders, vouchers, and dated interventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agents.settings import RegulatorSettings
from agents.startup.startup import Startup
from agents.state.regulator import Findings, Regulator
from scenarios.build import build_world
from simulation.model import MarketModel
from simulation.revenue import MODELS
from simulation.settings import SegmentSettings
from tests.support.service import FakeService
from tests.support.world_fakes import (
    fields_of,
    found,
    incumbent,
    kinds_of_events,
    lone_world,
    merged,
    play,
    released,
    scenario_of,
    world_of,
)

STRICT = {"audits_year": 12, "leakage_limit": 0.1, "fairness_gap_limit": 0.1, "fine_turnover_share": 0.04}
TURNOVER = [1e5] * 14  # the last twelve months count


def audited(law: Mapping[str, Any] | None = None, **measures: float) -> tuple[Startup, Regulator]:
    """A startup with a model of such measures, audited for one month."""
    model = lone_world(law=merged(STRICT, law or {}))
    regulator = Regulator(model, "regulator", RegulatorSettings(audit_months=0.5, fix_months=3))
    firm = found(model, capital_usd=1e8, release_months=60)
    released(firm, model, **{"leakage": 0.0, "fairness_gap": 0.0, **measures})
    firm.revenues = list(TURNOVER)
    firm.laboratory.last_order_month = model.month  # busy with nothing else
    model.env.process(regulator.audit(firm))
    model.env.run(until=model.month + 0.9)
    return firm, regulator


def test_a_sound_model_passes() -> None:
    firm, _ = audited()
    assert kinds_of_events(firm.model, "iris")[-1] == "audit passed"
    assert not firm.laboratory.fix_ordered and firm.books.balance["fines"] == 0


@pytest.mark.parametrize("measures", [{"leakage": 0.3}, {"fairness_gap": 0.3}], ids=["leaks", "unfair"])
def test_a_model_that_fails_is_fined_by_turnover_and_must_be_fixed(measures: dict[str, float]) -> None:
    firm, regulator = audited(**measures)
    lab, event = firm.laboratory, firm.model.recorder.rows["events"][-1]
    assert event[1] == "audit failed" and lab.fix_ordered
    assert event[4] == firm.books.balance["fines"] / 100 == pytest.approx(0.04 * 12 * 1e5)
    assert fields_of(event)["run"] == lab.released.key  # the model that was audited
    assert regulator.deadlines["iris"] == pytest.approx(firm.model.month + 0.5 + 3)
    assert (lab.extra_anonymisation > 0) == ("leakage" in measures)
    assert (lab.minority_share > 0.1) == ("fairness_gap" in measures)


def test_an_audit_looks_at_the_law_of_its_day() -> None:
    firm, _ = audited({"leakage_limit": 0.4}, leakage=0.3)
    assert kinds_of_events(firm.model, "iris")[-1] == "audit passed"


def test_no_model_no_finding() -> None:
    model = lone_world(law=STRICT)
    regulator = Regulator(model, "regulator", RegulatorSettings(audit_months=0.5))
    firm = found(model)
    model.env.process(regulator.audit(firm))
    model.env.run(until=model.month + 0.9)
    assert not any(kind.startswith("audit") for kind in kinds_of_events(model, "iris"))


def test_without_audits_in_the_law_nobody_is_audited() -> None:
    model = play(world_of({"world": {"law": {"audits_year": 0}}, "regulator": {}}), 24)
    assert not any(kind.startswith("audit") for kind in kinds_of_events(model, "giant"))


def test_an_order_that_is_not_followed_in_time_costs_the_market_until_a_better_model_is_out() -> None:
    law = merged(STRICT, {"fairness_gap_limit": 1.0, "leakage_limit": 0.3})
    changes = {"world": {"law": law}, "regulator": {"audit_months": 0.2, "fix_months": 0.5}}
    model = world_of(merged(changes, {"firms": {"iris": {"capital_usd": 1e8}}}))
    firm = model.firms["iris"]
    assert isinstance(firm, Startup)
    slot, suspended = firm.sales.slots["cameras"], []
    while model.month < 30 and "withdrawn" not in kinds_of_events(model, "iris"):
        model.step()
    assert firm.suspended and firm.laboratory.released and firm.laboratory.released.leakage > 0.3
    while model.month < 30 and firm.suspended:
        suspended.append(bool(model.market.selling[slot]))
        assert model.market["won"][slot] == 0 or len(suspended) == 1
        model.step()
    assert not firm.suspended and model.market.selling[slot] and model.market["won"][slot] > 0
    assert firm.laboratory.released.leakage < 0.3  # the new model was trained with noise on personal data
    status = model.tables()["firms"].query("firm == 'iris'")["status"]
    assert set(status) == {"active", "suspended"}


def test_fines_over_a_whole_run_stay_below_the_ceiling_of_turnover() -> None:
    changes = {"years": 6, "world": {"law": STRICT}, "regulator": {"audit_months": 0.2}}
    model = play(world_of(changes, service=FakeService(leakage=0.4)))
    fines = model.tables()["events"].query("kind == 'audit failed'")
    firms = model.tables()["firms"]
    assert len(fines) > 10
    for fine in fines.itertuples():
        months = firms[(firms["firm"] == fine.firm) & (firms["month"] < fine.time)]
        assert fine.amount_usd <= 0.04 * months["revenue_usd"].tail(12).sum() + 0.01


def test_the_finding_itself_is_no_fix() -> None:
    """A model that was ordered before the audit and has none of the ordered changes does not end the order."""
    model = lone_world(law=merged(STRICT, {"fairness_gap_limit": 1.0}))
    regulator = Regulator(model, "regulator", RegulatorSettings(fix_months=12))
    firm = found(model, capital_usd=1e8)
    released(firm, model, leakage=0.4)
    firm.laboratory.order_training()
    before = firm.laboratory.job
    assert before is not None
    regulator.order_fix(firm, Findings(leaks=True))
    play(model, 4)
    assert firm.laboratory.released_plan is not None
    assert firm.laboratory.fix_ordered or firm.laboratory.released_plan.anonymisation > before.plan.anonymisation


# -- vouchers ----------------------------------------------------------------------------------------------------------


VOUCHER = {"compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 300_000}


def test_a_voucher_pays_its_share_up_to_the_cap_of_the_year() -> None:
    model = lone_world(law=VOUCHER)
    firm = found(model, capital_usd=1e7)
    assert firm.support.voucher_usd(400_000) == pytest.approx(200_000)
    assert firm.support.pay_compute(400_000) == pytest.approx(200_000)
    assert firm.support.pay_compute(400_000) == pytest.approx(300_000)  # 100,000 of the cap were left
    assert firm.support.voucher_usd(400_000) == 0
    assert firm.support.pay_compute(400_000) == pytest.approx(400_000)
    assert firm.books.cash_usd == pytest.approx(1e7 - 900_000)
    assert -firm.books.balance["grants"] / 100 == pytest.approx(300_000)
    model.env.run(until=13)
    assert firm.support.voucher_usd(100_000) == pytest.approx(50_000)  # a new year


def test_incumbents_get_no_voucher() -> None:
    model = lone_world(law=VOUCHER)
    assert incumbent(model).support.voucher_usd(100_000) == 0


def test_a_firm_near_the_cap_plans_with_what_the_cap_leaves() -> None:
    """The state's part ends at the cap; what the firm pays itself must not exceed what it set aside."""
    model = lone_world(law={"compute_voucher_share": 0.9, "compute_voucher_cap_usd_year": 1000})
    firm = found(model, capital_usd=1e8, skill=0.9)
    firm.laboratory.purse_usd = purse = 100_000.0
    before = firm.books.cash_usd
    firm.laboratory.order_training()
    assert firm.laboratory.job is not None
    assert before - firm.books.cash_usd <= purse + 1


# -- interventions -----------------------------------------------------------------------------------------------------


def changed(**set_: Any) -> MarketModel:
    """A world in which these paths change in January 2017; it has played its first year."""
    paths = {key.replace("__", "."): value for key, value in set_.items()}
    return play(world_of({"interventions": [{"at": "2017-01", "says": "New law", "set": paths}]}), 12)


def test_an_intervention_takes_effect_in_its_month() -> None:
    usual = SegmentSettings().switching_cost
    model = changed(world__law__tax_rate=0.5, world__sectors__vision__segments__cameras__switching_cost=4.0)
    assert model.settings.law.tax_rate == 0.25 and set(model.market.s["switching_cost"]) == {usual}
    model.step()
    assert model.settings.law.tax_rate == 0.5 and set(model.market.s["switching_cost"]) == {usual, 4.0}
    (law,) = [row for row in model.recorder.rows["events"] if row[1] == "law"]
    assert fields_of(law) == {"says": "New law"}
    play(model, 12)
    assert model.settings.law.tax_rate == 0.5


def test_the_law_event_bears_the_date_of_the_intervention() -> None:
    model = play(changed(world__law__tax_rate=0.5), 1)
    (law,) = [row for row in model.recorder.rows["events"] if row[1] == "law"]
    assert str(law[0])[:7] == "2017-01"


def test_a_price_war_by_intervention_changes_the_price() -> None:
    model = changed(firms__giant__price_level=0.5)
    slot = incumbent(model).sales.slots["cameras"]
    before = model.market["price_usd"][slot]
    model.step()
    assert model.market["price_usd"][slot] == pytest.approx(before / 2)


def test_an_intervention_changes_how_a_firm_earns_and_where() -> None:
    model = play(changed(firms__giant__offers={"cameras": "subscription"}), 1)
    giant = incumbent(model)
    assert MODELS[model.market.model[giant.sales.slots["cameras"]]] == "subscription"
    assert list(giant.sales.slots) == ["cameras"]
    photos = [
        s for s in range(model.market.n_offers) if model.market.segment_names[model.market.segment[s]][1] == "photos"
    ]
    assert model.market["free"][photos].sum() == 0


def test_firm_levers_change_by_intervention() -> None:
    model = play(changed(firms__iris__skill=1.0, firms__giant__acquires=False), 1)
    assert incumbent(model).settings.acquires is False
    assert model.firm_settings["iris"].skill == 1.0


def test_an_intervention_in_a_cloud_term_moves_the_price_of_a_gpu_hour() -> None:
    scenario = scenario_of({"interventions": [{"at": "2016-07", "set": {"world.compute.price_usd_hour": 6.12}}]})
    with_it, without = build_world(scenario, 0, FakeService()), world_of()
    play(with_it, 7)
    play(without, 7)
    assert with_it.cloud.price_usd(2016.5) == pytest.approx(2 * without.cloud.price_usd(2016.5))


def test_consent_law_lowers_the_rows_that_use_brings() -> None:
    def rows(consent: float) -> float:
        model = lone_world(law={"consent_share": consent})
        firm = found(model, data_operations=1.0, field_share=0.0)
        model.market["customers"][firm.sales.slots["cameras"]] = 100.0
        firm.laboratory.rows_field = 0.0
        firm.laboratory.gather_data(1e5)
        return firm.laboratory.rows_field

    assert rows(1.0) == pytest.approx(100 * 1000)
    assert rows(0.4) == pytest.approx(0.4 * rows(1.0)) and rows(0.0) == 0


def test_data_law_makes_rows_dearer() -> None:
    def rows(factor: float) -> float:
        firm = found(lone_world(law={"data_cost_factor": factor}), rows=100)
        firm.laboratory.gather_data(8000)
        return firm.laboratory.rows_lab + firm.laboratory.rows_field

    assert rows(1.0) == pytest.approx(100_000, rel=0.01) and rows(2.0) == pytest.approx(50_000, rel=0.01)
