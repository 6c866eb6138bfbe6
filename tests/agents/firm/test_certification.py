"""Examinations before sale: who must pass, what it takes, what happens in the meantime, and the sandbox."""

from __future__ import annotations

import math
from typing import Any

import pytest

from agents.firm.certification import Demand, demand_of
from agents.startup.startup import Startup
from scenarios import load
from scenarios.build import build_world
from simulation.settings import SegmentSettings
from simulation.settings.law import CertificationSettings
from tests.support.service import FakeService
from tests.support.world_fakes import found, incumbent, kinds_of_events, lone_world, merged, play, released, world_of

RULES = {"scope": "all", "field_accuracy": 0.6, "fairness_gap": 0.2, "exam_months": 2.0, "fee_usd": 10_000}


def candidate(rules: dict[str, Any] | None = None, service: FakeService | None = None, **measures: float) -> Startup:
    """A startup that has just released a model with such measures, where the law asks for an examination."""
    model = lone_world({"certification": merged(RULES, rules or {})}, service)
    firm = found(model, capital_usd=1e8, release_months=60)
    released(firm, model, **{"accuracy_field": 0.7, "fairness_gap": 0.05, **measures})
    firm.laboratory.last_order_month = model.month  # busy with nothing else
    return firm


def on_sale(firm: Startup) -> list[bool]:
    """Whether it sells in each of its segments."""
    return [bool(firm.model.market.selling[slot]) for slot in firm.sales.slots.values()]


# -- who must pass what ------------------------------------------------------------------------------------------------


def test_an_examination_is_asked_by_law_for_its_scope_or_by_the_segment() -> None:
    plain, risky = SegmentSettings(), SegmentSettings(accidents_year=0.1)
    choosy = SegmentSettings(certified_field_accuracy=0.8)
    law = CertificationSettings(scope="safety-critical", field_accuracy=0.6, fairness_gap=0.2)
    assert demand_of(CertificationSettings(), plain) is None
    assert demand_of(CertificationSettings(), choosy) == Demand(0.8, 1.0)
    assert demand_of(law, plain) is None and demand_of(law, risky) == Demand(0.6, 0.2)
    assert demand_of(law.model_copy(update={"scope": "all"}), choosy) == Demand(0.8, 0.2)  # the stricter of both


def test_a_model_is_sold_only_after_its_examination_which_takes_months_and_a_fee() -> None:
    firm = candidate()
    before = firm.books.cash_usd
    firm.certification.apply()
    play(firm.model, 1)
    assert on_sale(firm) == [False] and "cameras" in firm.certification.examined
    assert before - firm.books.cash_usd >= 10_000
    play(firm.model, 3)
    assert on_sale(firm) == [True] and kinds_of_events(firm.model, "iris").count("certified") == 1


@pytest.mark.parametrize("measures", [{"accuracy_field": 0.5}, {"fairness_gap": 0.3}], ids=["poor", "unfair"])
def test_a_model_that_fails_is_not_sold_and_its_makers_work_on_it(measures: dict[str, float]) -> None:
    firm = candidate(**measures)
    play(firm.model, 6)
    assert on_sale(firm) == [False]
    assert kinds_of_events(firm.model, "iris").count("certificate refused") == 1  # the same model is not examined twice
    assert (firm.remedy.goal == 0.6) == ("accuracy_field" in measures)
    assert (firm.laboratory.minority_share > 0.1) == ("fairness_gap" in measures)


def test_a_better_model_is_certified_after_a_refusal() -> None:
    firm = candidate(accuracy_field=0.5)
    play(firm.model, 5)
    released(firm, firm.model, rung=3, accuracy_field=0.65, fairness_gap=0.0)
    play(firm.model, 4)
    assert on_sale(firm) == [True] and firm.remedy.goal == 0


def test_who_cannot_pay_the_fee_is_not_examined() -> None:
    firm = candidate({"fee_usd": 1e7})
    firm.spend(9.5e7, "incidents")
    play(firm.model, 4)
    assert on_sale(firm) == [False] and not firm.certification.examined


# -- new models and time -----------------------------------------------------------------------------------------------


def test_a_new_model_is_covered_while_it_is_examined_and_loses_the_market_if_it_fails() -> None:
    firm = candidate()
    play(firm.model, 4)
    released(firm, firm.model, rung=3, accuracy_field=0.4, fairness_gap=0.0)
    play(firm.model, 1)
    assert on_sale(firm) == [True] and "cameras" in firm.certification.examined
    play(firm.model, 3)
    assert on_sale(firm) == [False] and not firm.certification.certificates


def test_a_certificate_is_renewed_before_it_ends() -> None:
    firm = candidate({"renewal_months": 12}, FakeService(accuracy_field=0.7, fairness_gap=0.05))
    play(firm.model, 4)
    sold = []
    for _ in range(30):
        play(firm.model, 1)
        sold += on_sale(firm)
    assert all(sold) and kinds_of_events(firm.model, "iris").count("certified") >= 3


def test_offers_on_sale_have_a_transition_when_the_rule_comes() -> None:
    rules = {"world.law.certification": merged(RULES, {"transition_months": 6, "exam_months": 20})}
    model = world_of({"interventions": [{"at": "2017-01", "set": rules}]}, service=FakeService(accuracy_field=0.7))
    play(model, 12)
    giant = incumbent(model)
    before = [bool(model.market.selling[slot]) for slot in giant.sales.slots.values()]
    play(model, 6)
    during = [bool(model.market.selling[slot]) for slot in giant.sales.slots.values()]
    play(model, 3)
    after = [bool(model.market.selling[slot]) for slot in giant.sales.slots.values()]
    assert all(before) and all(during) and not any(after)


def test_a_seal_is_voluntary_and_earns_trust_once() -> None:
    firm = candidate({"mandatory": False, "trust": 0.2})
    slot = firm.sales.slots["cameras"]
    play(firm.model, 1)
    assert on_sale(firm) == [True] and firm.certification.room("cameras") == math.inf
    before = firm.model.market["trust"][slot]
    firm.certification.grant("cameras", firm.laboratory.released)
    firm.certification.grant("cameras", firm.laboratory.released)
    assert firm.model.market["trust"][slot] == pytest.approx(before + 0.2)


# -- sandbox -----------------------------------------------------------------------------------------------------------


def test_the_sandbox_lets_a_young_startup_sell_to_a_few_customers() -> None:
    firm = candidate({"sandbox_customers": 5, "sandbox_years": 1, "exam_months": 36})
    slot = firm.sales.slots["cameras"]
    play(firm.model, 10)
    assert on_sale(firm) == [True] and 0 < firm.model.market["customers"][slot] <= 5
    play(firm.model, 4)  # more than a year old
    assert on_sale(firm) == [False]


def test_incumbents_have_no_sandbox() -> None:
    model = lone_world(law={"certification": merged(RULES, {"sandbox_customers": 5, "exam_months": 36})})
    giant = incumbent(model)
    released(giant, model)
    assert not giant.certification.in_sandbox() and found(model).certification.in_sandbox()


def test_examination_fees_go_to_the_state() -> None:
    firm = candidate()
    state = firm.model.bank.books["government"]
    before = state.cash_usd
    firm.certification.apply()
    firm.model.env.run(until=firm.model.month + 0.5)
    assert state.cash_usd - before == pytest.approx(10_000) and firm.model.bank.total_cash_usd() == 0


# -- off by default ----------------------------------------------------------------------------------------------------


def test_rules_that_are_off_change_nothing_whatever_else_they_say() -> None:
    """Durations, caps and ceilings have no effect while no examination, grant, subsidy or floor is in force."""
    off = {
        "certification": {
            "field_accuracy": 0.9, "fairness_gap": 0.0, "exam_months": 30, "fee_usd": 1e6, "renewal_months": 1,
            "transition_months": 0, "trust": 1, "sandbox_customers": 9,
        },
        "support": {
            "sectors": ["vision"], "grant_skill": 0.9, "commons_field_share": 1, "research_wage_cap_usd_year": 0,
        },
        "fine_ceiling_share": 1.0, "fine_ceiling_usd": 1e9,
    }  # fmt: skip
    law = {"audits_year": 2, "leakage_limit": 0.1, "fairness_gap_limit": 0.1, "fine_turnover_share": 0.04}
    stream = {"sector": "vision", "per_year": 4, "offers": [{"cameras": "licence"}, {"photos": "freemium"}]}
    changes = {"world": {"law": law}, "regulator": {}, "entrants": {"new": stream}}
    tables = play(world_of(changes)).tables()
    others = play(world_of(merged(changes, {"world": {"law": off}}))).tables()
    for name, table in tables.items():
        assert table.equals(others[name]), name


# -- the base world ----------------------------------------------------------------------------------------------------


def test_in_the_base_world_clinics_buy_only_what_was_examined() -> None:
    changes = {"sectors": ["health"], "years": 3, "start": "2016-01"}
    model = build_world(load("markets/base", changes), 0, FakeService(accuracy_field=0.7))
    sellers = set()
    for _ in range(36):
        model.step()
        for firm in model.living.values():
            for segment in {"radiology", "screening-programmes"} & firm.sales.slots.keys():
                if model.market.selling[firm.sales.slots[segment]]:
                    sellers.add(firm.name)
                    assert firm.certification.is_certified(segment) or firm.certification.in_transition(segment)
    assert sellers


def test_in_the_base_world_cars_without_a_driver_need_a_permit_from_april_2018() -> None:
    scenario = load("markets/base", {"sectors": ["driving"]})
    city = scenario.world.sectors["driving"].segments["robotaxi-operators"]
    (permit,) = [change for change in scenario.interventions if any("robotaxi" in path for path in change.set)]
    assert demand_of(scenario.world.law.certification, city) is None
    assert f"{permit.at:%Y-%m}" == "2018-04" and list(permit.set.values()) == [city.field_threshold]
