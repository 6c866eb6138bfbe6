"""The risk register: what is identified, how it is ranked, and that prevention and response both reduce losses."""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm.hazards import accident_hazard, breach_hazard, hazards_of, outage_hazard
from agents.firm.risk import WORTH_SPENDING
from agents.firm.training_plan import recipe_for
from agents.settings import EntrantSettings, FirmSettings
from agents.startup.startup import Startup
from simulation.records.events import Breach
from simulation.settings import RiskSettings
from tests.support.service import FakeService
from tests.support.world_fakes import bound, fields_of, found, kinds_of_events, lone_world, play, released, world_of

STREAM: dict[str, Any] = {"sector": "vision", "at_start": 5, "per_year": 2, "offers": [{"cameras": "licence"}]}
ROUGH = {"breach_rate_year": 1.0, "outage_rate_year": 4.0, "breach_usd_per_row": 2.0}


def exposed(risk: dict[str, Any] | None = None, **settings: Any) -> Startup:
    """A rich founded firm with a model and 12 M$ of yearly sales, in a world of its own."""
    model = lone_world(risk={"breach_rate_year": 0.5, "outage_rate_year": 2.0, **(risk or {})})
    firm = found(model, **{"capital_usd": 5e6, **settings})
    released(firm, model, accuracy_field=0.9)
    firm.recurring, firm.revenues, firm.costs = [1e6] * 3, [1e6] * 3, [1.05e6] * 3
    return firm


# -- identify and assess -----------------------------------------------------------------------------------------------


def test_technical_risks_are_the_hazards_of_incidents() -> None:
    firm = exposed()
    by_name = {risk.name: risk for risk in firm.risks.technical_risks()}
    assert set(by_name) == {"breach", "outage"} == set(hazards_of(firm))
    breach = by_name["breach"]
    assert breach.rate_year == breach_hazard(firm).rate_year == pytest.approx(0.5 * 0.7)
    assert breach.loss_usd == pytest.approx(0.02 * 50_000 + 0.25 * 12e6)
    assert breach.expected_usd_year == pytest.approx(breach.rate_year * breach.loss_usd)


def test_a_firm_without_a_model_is_not_exposed() -> None:
    firm = found(lone_world())
    assert firm.risks.technical_risks() == []


def test_market_risk_is_the_dependence_on_the_largest_segment() -> None:
    firm = exposed(offers={"cameras": "subscription", "photos": "subscription"})
    columns, slots = firm.sales.market.columns, list(firm.sales.slots.values())
    for slot, customers in zip(slots, (30.0, 10.0), strict=True):
        columns["customers"][slot], columns["monthly_usd"][slot] = customers, 100.0
    risk = firm.risks.market_risk()
    assert (risk.kind, risk.rate_year, risk.loss_usd) == ("market", 0.1, pytest.approx(0.75 * 12e6))


def test_financial_risk_rises_as_the_runway_falls_short() -> None:
    firm = exposed()
    firm.revenues, firm.costs = [0.0] * 3, [5e5] * 3  # 5 M$ last ten months
    risk = firm.risks.financial_risk()
    assert risk.rate_year == pytest.approx(1 - 10 / 18) and risk.loss_usd == pytest.approx(12e6 + 5e6)
    firm.costs = [0.0] * 3
    assert firm.risks.financial_risk().rate_year == 0
    parent = firm.model.firms["giant"]
    assert parent.risks.financial_risk().rate_year == 0  # type: ignore[attr-defined]


def test_the_register_ranks_by_expected_loss() -> None:
    firm = exposed()
    firm.costs = [1.5e6] * 3
    register = firm.risks.risks()
    losses = [risk.expected_usd_year for risk in register]
    assert losses == sorted(losses, reverse=True) and min(losses) > 0
    assert {risk.kind for risk in register} >= {"technical", "financial"}


# -- respond -----------------------------------------------------------------------------------------------------------


def test_the_largest_risk_gets_money_as_far_as_it_is_worth() -> None:
    firm = exposed(risk_budget_share=0.1)
    register, cash = firm.risks, firm.books.cash_usd
    register.purse_usd = 1e6
    first = next(risk for risk in register.risks() if risk.kind == "technical")
    register.respond()
    assert register.plan_month == firm.model.month
    assert first.name == "outage"
    assert register.prevention_usd["outage"] == pytest.approx(WORTH_SPENDING * first.expected_usd_year / 4, abs=0.01)
    assert 0 < register.prevention_usd["breach"] < register.prevention_usd["outage"]
    spent = cash - firm.books.cash_usd
    assert spent + register.purse_usd + register.reserve_usd == pytest.approx(1e6)
    event = firm.model.recorder.rows["events"][-1]
    assert event[1] == "risk response"
    assert fields_of(event)["risk"] == "outage" and "drill" in fields_of(event)["done_usd"]
    assert firm.model.bank.total_cash_usd() == 0 and firm.books.imbalance_usd() == 0


def test_what_is_set_aside_is_taken_from_the_budget_and_not_hoarded() -> None:
    firm = exposed(risk_budget_share=0.05)
    register, model = firm.risks, firm.model
    taken = []
    for _ in range(12):
        model.month += 1
        register.respond = lambda: None  # type: ignore[method-assign]
        taken.append(register.manage(100_000))
    assert taken[:3] == [5_000.0] * 3 and sum(taken) == pytest.approx(max(15_000, register.drill_usd()))
    firm = exposed()
    assert firm.risks.manage(100_000) == 0.0 and firm.risks.purse_usd == 0


@given(st.floats(0, 1e9))
def test_prevention_has_diminishing_returns(usd: float) -> None:
    def left(spent: float) -> float:
        FIRM.risks.prevention_usd = {"breach": spent}
        return FIRM.risks.hazard_left("breach")

    assert 0 < left(usd) <= 1 and left(1e5) == 0.5
    assert left(usd) - left(usd + 1e4) >= left(usd + 1e4) - left(usd + 2e4) - 1e-12


def test_steady_prevention_is_a_year_of_spending_and_fades_when_it_ends() -> None:
    register = FIRM.risks
    register.prevention_usd = {"outage": 0.0}
    for _ in range(120):
        register.manage(0.0)
        register.prevention_usd["outage"] += 1_000
    assert register.prevention_usd["outage"] == pytest.approx(12_000, rel=1e-3)
    for _ in range(60):
        register.manage(0.0)
    assert register.prevention_usd["outage"] < 100


def test_prevention_lowers_each_hazard() -> None:
    segment = {"cameras": {"customers": 2000, "reference_price_usd": 2000, "accidents_year": 0.01, "accident_usd": 1e6}}
    model = lone_world(sectors={"vision": {"segments": {**segment, "photos": {}}}}, risk={"key_person_rate_year": 0.2})
    firm = found(model)
    released(firm, model, accuracy_field=0.9)
    firm.sales.market["customers"][firm.sales.slots["cameras"]] = 100.0

    def rates() -> list[float]:
        hazards = (breach_hazard(firm), outage_hazard(firm), accident_hazard(firm, firm.laboratory))
        return [hazard.rate_year for hazard in hazards] + [firm.risks.key_person_rate_year()]

    before = rates()
    firm.risks.prevention_usd = dict.fromkeys(("breach", "outage", "accident", "key person"), 1e5)
    assert rates() == pytest.approx([rate / 2 for rate in before])


# -- plan and drills ---------------------------------------------------------------------------------------------------


def test_a_rehearsed_plan_lowers_the_loss_of_money_and_trust_and_decays() -> None:
    firm = exposed()
    register, model = firm.risks, firm.model

    def lost() -> tuple[float, float]:
        cash, trust = firm.books.cash_usd, firm.sales.trust()
        firm.suffer(Breach(rows=0), 100_000, 0.1)
        found = cash - firm.books.cash_usd, trust - firm.sales.trust()
        firm.sales.market["trust"][firm.sales.slots["cameras"]] = trust
        return found

    assert lost() == pytest.approx((100_000, 0.1))
    register.plan_month = model.month
    assert lost() == pytest.approx((74_000, 0.074))
    model.month += 12
    assert register.loss_left() == pytest.approx(0.74)
    model.month += 12
    assert register.loss_left() == pytest.approx(0.87)
    model.month += 120
    assert register.loss_left() > 0.999


def test_a_plan_works_through_people_who_work_together() -> None:
    together, apart = exposed(collaboration=1.5), exposed(collaboration=0.5)
    for firm in (together, apart):
        firm.risks.plan_month = firm.model.month
    assert (together.risks.loss_left(), apart.risks.loss_left()) == pytest.approx((0.74, 0.87))


def test_a_drill_must_be_due_affordable_and_worth_it() -> None:
    firm = exposed()
    register = firm.risks
    assert not register.drill_pays()  # nothing in the purse
    register.purse_usd = register.drill_usd()
    assert register.drill_pays() and register.rehearse() == pytest.approx(register.drill_usd(), abs=0.01)
    register.purse_usd = 1e6
    assert not register.drill_pays()
    firm.model.month += 12
    assert register.drill_pays()
    firm.recurring = [0.0] * 3
    assert not register.drill_pays()  # little to lose


def test_an_incident_is_paid_out_of_the_reserve() -> None:
    firm = exposed()
    firm.risks.reserve_usd = 150_000
    firm.suffer(Breach(rows=0), 100_000, 0.0)
    assert firm.risks.reserve_usd == 50_000
    firm.spend(firm.books.cash_usd - 10_000, "overhead")
    firm.risks.prevention_usd = {"breach": 1.0}
    firm.risks.manage(0.0)
    assert firm.risks.reserve_usd == 10_000  # a reserve is part of the cash


# -- key persons -------------------------------------------------------------------------------------------------------


def test_the_next_plan_is_trained_with_the_recipe_of_a_weaker_team() -> None:
    firm = exposed(skill=0.6, staff={"research": 2})
    before, _ = firm.laboratory.draw_plan(100)
    firm.risks.lose_key_person()
    after, _ = firm.laboratory.draw_plan(100)
    assert firm.risks.team().skill == pytest.approx(0.42) and firm.settings.skill == 0.6
    assert (before.recipe.optimizer, after.recipe.optimizer) == ("adam", "momentum")
    assert after.recipe == recipe_for(0.6 * 0.7, firm.laboratory.luck, after.task)
    assert kinds_of_events(firm.model, "iris")[-1] == "key person left"


def test_knowledge_that_is_shared_a_plan_and_a_large_team_lower_the_drop() -> None:
    def drop(planned: bool = False, **settings: Any) -> float:
        firm = exposed(**{"staff": {"research": 2}, **settings})
        firm.risks.plan_month = firm.model.month if planned else None
        return firm.risks.skill_drop()

    assert drop() == pytest.approx(0.3) and drop(planned=True) == pytest.approx(0.3 * 0.74)
    assert drop(collaboration=1.5) == pytest.approx(0.2) and drop(collaboration=0.3) == 0.9
    assert drop(staff={"research": 8}) == pytest.approx(0.3 * sqrt(2 / 8))


def test_a_successor_is_found_after_some_months_and_paid_for() -> None:
    firm = exposed(risk={"key_person_rate_year": 1.0})
    register, model = firm.risks, firm.model
    register.lose_key_person()
    assert register.key_person_rate_year() == 0  # nobody leaves an empty place
    model.month += 5
    register.manage(0.0)
    assert register.vacancy
    model.month += 2
    cash = firm.books.cash_usd
    register.manage(0.0)
    assert register.vacancy is None and register.team() is firm.settings
    assert cash - firm.books.cash_usd == pytest.approx(6 * model.talent.wages["research"], abs=0.01)
    assert kinds_of_events(model, "iris")[-1] == "key person replaced" and firm.books.imbalance_usd() == 0


def test_a_poor_firm_goes_on_without_and_scarce_people_take_longer() -> None:
    firm = exposed()
    firm.model.talent.index["research"] = 2.0
    firm.risks.lose_key_person()
    assert firm.risks.vacancy and firm.risks.vacancy.until == firm.model.month + 12
    firm.model.month += 13
    firm.spend(firm.books.cash_usd - 50_000, "overhead")
    firm.risks.manage(0.0)
    assert firm.risks.vacancy and firm.books.cash_usd == pytest.approx(50_000)


# -- worlds ------------------------------------------------------------------------------------------------------------


def played(risk: dict[str, Any] | None = None, seed: int = 0, **stream: Any) -> Any:
    changes = {"years": 6, "world": {"risk": risk or {}}, "entrants": {"new": {**STREAM, **stream}}}
    return play(world_of(changes, seed, FakeService()))


def test_without_a_budget_and_key_people_who_leave_nothing_changes() -> None:
    """The other numbers of plans and prevention are read by nobody then."""
    plain = played(ROUGH)
    other = played({**ROUGH, "plan_loss_share": 1.0, "prevention_half_usd_year": 1e3, "drill_days": 0})
    assert repr(plain.recorder.rows) == repr(other.recorder.rows)
    assert not {"risk response", "key person left"} & {row[1] for row in plain.recorder.rows["events"]}


def test_key_people_leave_at_the_rate_stated() -> None:
    """One leaves two years after the last came, who came half a year after the place was empty: 0.4 a year.

    About 170 firm-years give 68 with a standard deviation of 8; the bounds are three of them away.
    """
    left = firm_years = 0.0
    for seed in range(5):
        model = played({"key_person_rate_year": 0.5}, seed)
        left += sum(row[1] == "key person left" for row in model.recorder.rows["events"])
        firm_years += len(model.recorder.rows["firms"]) / 12
        assert model.bank.total_cash_usd() == 0
    assert 0.26 < left / firm_years < 0.54


def test_a_risk_budget_makes_incidents_rarer_and_cheaper_in_a_played_world() -> None:
    """Five paired seeds; what is compared is losses of entrants per firm-year, money and incidents."""

    def per_firm_year(share: float) -> tuple[float, float]:
        incidents = usd = months = 0.0
        for seed in range(5):
            model = played({**ROUGH, "prevention_half_usd_year": 1e4}, seed, risk_budget_share={"mean": share, "sd": 0})
            assert model.bank.total_cash_usd() == 0
            rows = [r for r in model.recorder.rows["events"] if r[1] in ("breach", "outage") and r[2] != "giant"]
            incidents, usd = incidents + len(rows), usd + sum(float(row[4]) for row in rows)  # type: ignore[arg-type]
            months += sum(row[1] != "giant" for row in model.recorder.rows["firms"])
        return incidents / months, usd / max(incidents, 1)

    (rate, each), (rate_left, each_left) = per_firm_year(0.0), per_firm_year(0.05)
    assert rate_left < 0.95 * rate and each_left < 0.97 * each


def test_the_draws_of_entrants_stay_inside_the_schema() -> None:
    model = played(risk_budget_share={"mean": 0.4, "sd": 0.5}, managed={"mean": 0.5, "sd": 2})
    shares = [f.given.risk_budget_share for f in model.firms.values()]
    assert max(shares) <= bound(FirmSettings, "risk_budget_share", "high") and min(shares) >= 0
    assert EntrantSettings.model_fields["risk_budget_share"].default.mean == 0
    assert RiskSettings().key_person_rate_year == 0 and pytest.approx(exp(-1)) == WORTH_SPENDING


FIRM = exposed()
