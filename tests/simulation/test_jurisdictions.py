"""Jurisdictions: which law binds whom, whom an offer reaches, who leaves; where laws do not differ nothing moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agents.firm.markets_served import decide
from scenarios.build import build_world
from scenarios.load import load, load_whatif
from scenarios.schema import Scenario
from scenarios.strict_yaml.errors import ScenarioError
from simulation.laws import HOME, Laws, laid_over
from simulation.market import Market
from simulation.model import MarketModel
from simulation.settings import RevenueSettings, SectorSettings, SegmentSettings, WorldSettings
from simulation.settings.law import LawSettings
from simulation.settings.market import BrandSettings
from tests.support.conservation import check_all
from tests.support.service import FakeService
from tests.support.world_fakes import entrants_of, found, lone_world, merged, play, released, scenario_of, world_of

PLACES: dict[str, Any] = {
    "us": {"share_of_customers": 0.5, "share_of_founders": 0.6},
    "eu": {"share_of_customers": 0.3, "share_of_founders": 0.3},
}
STREAM: dict[str, Any] = {
    "entrants": {
        "new": {"sector": "vision", "offers": [{"cameras": "subscription"}], "at_start": 3, "per_year": 4},
    },
}  # fmt: skip


def law_world(law: dict[str, Any] | None = None, sector: dict[str, Any] | None = None, **places: Any) -> WorldSettings:
    """Settings of a world with one sector and laws: its own, of the sector, of jurisdictions."""
    sectors = {"vision": {"segments": {"cameras": {}}, "law": sector or {}}, "shops": {"segments": {"chains": {}}}}
    data = {"sectors": sectors, "law": law or {}, "jurisdictions": merged(PLACES, places)}
    return WorldSettings.model_validate(data)


def abroad(eu: dict[str, Any] | None = None, us: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Changes of the small market: two jurisdictions with such laws."""
    places = merged(PLACES, {"eu": {"law": eu or {}}, "us": {"law": us or {}}})
    return merged({"world": {"jurisdictions": places}}, changes)


# -- which law binds whom ----------------------------------------------------------------------------------------------


def test_one_law_for_all_is_the_very_law_of_the_world() -> None:
    world = WorldSettings.model_validate({"sectors": {"vision": {"segments": {"cameras": {}}}}})
    laws = Laws(world)
    assert laws.binding(("vision",), "", ()) is laws.on_sale("vision") is laws.of_state() is world.law
    assert laws.sectors()["vision"] is world.sectors["vision"]


def test_duties_of_all_markets_served_combine_by_the_stricter() -> None:
    eu = {"law": {"consent_share": 0.7, "leakage_limit": 0.1, "minimisation_share": 0.2}}
    us = {"law": {"consent_share": 0.9, "leakage_limit": 0.05}}
    laws = Laws(law_world({"minimisation_share": 0.1}, eu=eu, us=us))
    both, one = laws.binding(("vision",), "us", ("us", "eu")), laws.binding(("vision",), "us", ("us",))
    assert (both.consent_share, both.leakage_limit, both.minimisation_share) == (0.7, 0.05, 0.2)
    assert (one.consent_share, one.leakage_limit, one.minimisation_share) == (0.9, 0.05, 0.1)


def test_costs_of_compliance_and_audits_of_several_laws_add_up() -> None:
    part = {"law": {"compliance_usd_month": 4000, "audits_year": 0.1}}
    laws = Laws(law_world({"compliance_usd_month": 1000}, eu=part, us=part))
    assert laws.binding(("vision",), "", ("us", "eu")).compliance_usd_month == 9000
    assert laws.binding(("vision",), "", ("us", "eu")).audits_year == 0.2
    assert laws.binding(("vision",), "", ()).compliance_usd_month == 1000


def test_tax_support_and_compute_follow_the_home_wherever_it_sells() -> None:
    eu = {"law": {"tax_rate": 0.3, "support": {"grant_usd": 1e5}, "compute": {"price_factor": 2}, "consent_share": 0.7}}
    laws = Laws(law_world(eu=eu))
    at_home, seller = laws.binding(("vision",), "eu", ("us",)), laws.binding(("vision",), "us", ("us", "eu"))
    assert (at_home.tax_rate, at_home.support.grant_usd, at_home.compute.price_factor) == (0.3, 1e5, 2)
    assert at_home.consent_share == 1.0  # it sells nothing there
    assert (seller.tax_rate, seller.support.grant_usd, seller.compute.price_factor) == (0.25, 0, 1)
    assert seller.consent_share == 0.7
    assert {"tax_rate", "support", "university", "compute", "compute_voucher_share"} <= set(HOME)
    assert "certification" not in HOME and "general_purpose" not in HOME


def test_the_law_of_a_sector_binds_there_alone() -> None:
    laws = Laws(law_world({"consent_share": 0.8}, sector={"consent_share": 0.5, "support": {"grant_usd": 5e4}}))
    assert laws.on_sale("vision").consent_share == 0.5 and laws.on_sale("shops").consent_share == 0.8
    assert laws.at_home("vision").support.grant_usd == 5e4 and laws.at_home("shops").support.grant_usd == 0
    general = laws.binding(("shops", "vision"), "", ())  # it serves both, and has its home in the second
    assert general.consent_share == 0.5 and general.support.grant_usd == 0
    milder = Laws(law_world({"consent_share": 0.8}, sector={"consent_share": 0.9}))
    assert milder.on_sale("vision").consent_share == 0.8


def test_a_law_that_asks_for_no_examination_has_no_say_in_how_one_goes() -> None:
    seal = {"certification": {"scope": "all", "mandatory": False, "exam_months": 2, "sandbox_customers": 20}}
    world = law_world({}, eu={"law": seal})
    eu = Laws(world).on_sale("vision", "eu").certification
    assert (eu.scope, eu.mandatory, eu.exam_months, eu.sandbox_customers) == ("all", False, 2, 20)
    strict = {"certification": {"scope": "safety-critical", "exam_months": 6}}
    both = Laws(law_world(strict, eu={"law": seal})).on_sale("vision", "eu").certification
    assert (both.scope, both.mandatory, both.exam_months, both.sandbox_customers) == ("all", True, 6, 0)


def test_what_is_not_said_changes_nothing() -> None:
    law = LawSettings(consent_share=0.4, audits_year=1.0)
    empty = WorldSettings.model_validate({"sectors": {"vision": {"segments": {"cameras": {}}}}}).sectors["vision"].law
    assert laid_over(law, empty) == law and not empty.says_something() and empty.model_dump() == {}


# -- homes -------------------------------------------------------------------------------------------------------------


def test_homes_are_drawn_by_shares_and_one_jurisdiction_more_moves_only_whom_it_takes() -> None:
    def homes(**places: Any) -> dict[str, str]:
        stream = {"entrants": {"new": {**STREAM["entrants"]["new"], "at_start": 300, "per_year": 0}}}
        model = world_of(merged(stream, {"world": {"jurisdictions": places}}))
        return {name: firm.home for name, firm in model.firms.items() if name.startswith("new")}

    two = homes(**PLACES)
    counts = pd.Series(two).value_counts(normalize=True)
    assert counts["us"] == pytest.approx(0.6, abs=0.09) and counts["eu"] == pytest.approx(0.3, abs=0.09)
    three = homes(**PLACES, china={"share_of_customers": 0.1, "share_of_founders": 0.05})
    moved = {home for name, home in three.items() if two[name] and two[name] != home}
    assert moved == {"china"} and sum(home == "china" for home in three.values()) < 40
    assert homes() == dict.fromkeys(two, "")


# -- pairing -----------------------------------------------------------------------------------------------------------


def tables(changes: dict[str, Any], months: int | None = None) -> dict[str, pd.DataFrame]:
    return play(world_of(changes, seed=3), months).tables()


def alike(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> bool:
    return all(
        one[name]
        .drop(columns="jurisdiction", errors="ignore")
        .equals(other[name].drop(columns="jurisdiction", errors="ignore"))
        for name in one
        if name != "public_accounts"
    )


def test_jurisdictions_whose_laws_do_not_differ_change_no_path() -> None:
    assert alike(tables(STREAM), tables(abroad(**STREAM)))


def test_a_law_where_nobody_lives_changes_no_path() -> None:
    nowhere = {"share_of_customers": 0.0, "share_of_founders": 0.0, "law": {"tax_rate": 0.9}}
    assert alike(tables(STREAM), tables(merged(STREAM, {"world": {"jurisdictions": {"moon": nowhere}}})))


def test_a_law_of_one_home_changes_nothing_before_somebody_with_that_home_is_touched() -> None:
    late = {"at": "2017-06", "says": "Tax", "set": {"world.jurisdictions.eu.law.tax_rate": 0.9}}
    base, arm = (play(world_of(abroad(**STREAM, interventions=i), seed=3)) for i in ([], [late]))
    assert entrants_of(base) == entrants_of(arm)
    for name in ("firms", "events"):
        one, other = base.tables()[name], arm.tables()[name]
        early = [frame[frame["month"] < "2017-06"].reset_index(drop=True) for frame in (one, other)]
        assert early[0].equals(early[1])


def test_export_control_leaves_the_world_as_it_was_until_it_begins() -> None:
    base = load("markets/base", {"sectors": ["service", "speech"], "start": "2021-01", "years": 3})
    model, arm = (build_world(one, 0, FakeService()) for one in (base, load_whatif("policies/export-control", base)))
    one, other = (play(world).tables()["firms"] for world in (model, arm))
    early = [frame[frame["month"] < "2022-10"].reset_index(drop=True) for frame in (one, other)]
    assert early[0].equals(early[1]) and not one.equals(other)
    assert {firm.home for firm in arm.firms.values()} >= {"us", "china", ""}


# -- reach -------------------------------------------------------------------------------------------------------------


def market_of(n_customers: float = 1000.0) -> Market:
    segment = SegmentSettings(customers=n_customers, innovation_rate_year=1.0)
    market = Market({"vision": SectorSettings(segments={"cameras": segment})}, RevenueSettings(), BrandSettings())
    for firm in ("near", "far"):
        slot = market.add_offer(firm, "vision", "cameras", "subscription")
        market.set_price(slot, 1000.0)
        market.show(slot, (0.9, 0.9, 0.9, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0), True)
    return market


def test_an_offer_for_a_part_of_the_customers_wins_that_part_of_them() -> None:
    market = market_of()
    market.set_reach(1, 0.25)
    market.clear()
    assert market["won"][1] == pytest.approx(0.25 * market["won"][0])


def test_who_no_longer_serves_a_part_of_the_customers_loses_that_part() -> None:
    market = market_of()
    market["customers"][:] = 100.0
    market.set_reach(1, 0.6)
    market.set_reach(1, 0.3)
    assert market["customers"].tolist() == [100.0, pytest.approx(30.0)]
    market.set_reach(1, 1.0)
    assert market["customers"][1] == pytest.approx(30.0)  # they come back as others do, by choosing


def test_offers_that_reach_all_are_bit_for_bit_what_they_were() -> None:
    one, other = market_of(), market_of()
    other.set_reach(0, 1.0)
    for market in (one, other):
        market.clear()
    assert all(np.array_equal(one[name], other[name]) for name in ("won", "lost", "customers", "trust"))


def test_no_more_customers_are_served_than_live_where_the_firm_sells() -> None:
    easy = {"adoption_hurdle": -8, "innovation_rate_year": 1.0, "price_weight": 0.01}
    world = {"sectors": {"vision": {"segments": {"cameras": easy}}}}
    changes = abroad(
        {"compliance_usd_month": 1e7}, world=world, firms={"iris": {"market_exit_months": 1, "capital_usd": 1e9}}
    )
    model = world_of(changes)
    for _ in range(36):
        model.step()
        check_all(model)
    iris, market = model.firms["iris"], model.market
    slot = iris.sales.slots["cameras"]
    assert iris.markets_served == ("us",) and market["reach"][slot] == pytest.approx(0.7)
    served = market["customers"][slot]
    assert 0.5 * 2000 < served <= 0.7 * 2000 * (1 + 1e-9)  # nearly all of those it reaches


# -- examinations in one jurisdiction ----------------------------------------------------------------------------------


def test_without_a_certificate_it_sells_where_none_is_asked_for() -> None:
    asks = {"certification": {"scope": "all", "field_accuracy": 0.9, "transition_months": 0, "exam_months": 1}}
    model = lone_world(jurisdictions=merged(PLACES, {"eu": {"law": asks}}))
    firm = found(model, capital_usd=1e8)
    released(firm, model, accuracy_field=0.6)
    firm.sales.show_offers()
    slot = firm.sales.slots["cameras"]
    assert model.market.selling[slot] and model.market["reach"][slot] == pytest.approx(0.7)
    asked_everywhere = lone_world(law=asks, jurisdictions=PLACES)
    other = found(asked_everywhere, capital_usd=1e8)
    released(other, asked_everywhere, accuracy_field=0.6)
    other.sales.show_offers()
    assert not asked_everywhere.market.selling[other.sales.slots["cameras"]]


def test_a_certificate_opens_the_jurisdiction_that_asks_for_it() -> None:
    asks = {"certification": {"scope": "all", "field_accuracy": 0.3, "transition_months": 0, "exam_months": 1}}
    model = lone_world(jurisdictions=merged(PLACES, {"eu": {"law": asks}}))
    firm = found(model, capital_usd=1e8, release_months=60)
    released(firm, model, accuracy_field=0.6)
    firm.laboratory.last_order_month = model.month
    play(model, 1)
    reach = model.market["reach"]
    assert reach[firm.sales.slots["cameras"]] == pytest.approx(0.7)
    play(model, 3)
    assert reach[firm.sales.slots["cameras"]] == 1.0


# -- who leaves, who comes back ----------------------------------------------------------------------------------------


def seller(eu: dict[str, Any], sales_usd: float, **settings: Any) -> Any:
    """A firm with such monthly sales, half a year old, in a world with such a law in one jurisdiction."""
    model = lone_world(jurisdictions=merged(PLACES, {"eu": {"law": eu}}))
    firm = found(model, capital_usd=1e8, market_exit_months=6, **settings)
    released(firm, model)
    firm.recurring = [sales_usd] * 6
    firm.margin = (sales_usd, 0.1 * sales_usd, 0.1 * sales_usd)
    return firm


def reviewed(firm: Any, quarters: int) -> tuple[str, ...]:
    """Where it sells after so many quarters of the same figures."""
    for quarter in range(quarters):
        firm.model.month = firm.founded_month + 3 * quarter
        firm.markets.review()
    return firm.markets_served


def test_a_firm_leaves_where_the_law_costs_more_than_sales_there_bring() -> None:
    cost = {"compliance_usd_month": 10_000}
    poor, rich = seller(cost, 40_000), seller(cost, 45_000)
    assert rich.markets.earned_usd_month("eu") == pytest.approx(0.8 * 45_000 * 0.3) and rich.markets.worth_serving("eu")
    assert reviewed(poor, 1) == ("us", "eu")  # not at the first bad quarter
    assert reviewed(poor, 1) == ("us",) and reviewed(rich, 4) == ("us", "eu")
    (event,) = [row for row in poor.model.recorder.rows["events"] if row.kind == "market left"]
    assert (event.firm, event.other, event.amount_usd) == ("iris", "eu", 10_000)


def test_it_comes_back_when_sales_elsewhere_say_that_it_pays() -> None:
    firm = seller({"compliance_usd_month": 10_000}, 1_000)
    assert reviewed(firm, 2) == ("us",)
    firm.recurring, firm.margin = [100_000] * 12, (100_000, 0, 0)
    assert firm.markets.earned_usd_month("eu") == pytest.approx(100_000 * 0.3 / 0.7)
    assert reviewed(firm, 1) == ("us",) and reviewed(firm, 1) == ("us", "eu")
    assert [row.kind for row in firm.model.recorder.rows["events"]][-1] == "market entered"


def test_the_home_market_is_never_left_and_who_has_no_model_leaves_nothing() -> None:
    heavy = {"compliance_usd_month": 1e6}
    assert reviewed(seller(heavy, 100.0, home="eu"), 4) == ("us", "eu")
    firm = seller(heavy, 100.0)
    firm.laboratory.released = None
    assert reviewed(firm, 4) == ("us", "eu")


def test_fines_to_be_expected_and_dearer_data_count_as_costs_of_a_law() -> None:
    leaky = seller({"audits_year": 1.2, "leakage_limit": 0.0, "fine_fixed_usd": 50_000}, 20_000)
    leaky.laboratory.released = replace(leaky.laboratory.released, leakage=0.2)
    assert leaky.markets.cost_usd_month("eu") == pytest.approx(0.1 * 50_000)
    data = seller({"data_cost_factor": 1.5}, 20_000, data_share=0.2)
    data.budget_usd = 1e5
    assert data.markets.cost_usd_month("eu") == pytest.approx(0.5 * 0.2 * 1e5)
    assert data.markets.cost_usd_month("us") == 0


def test_where_to_sell_is_a_rule_that_a_plugin_can_replace() -> None:
    firm = seller({"compliance_usd_month": 1e6}, 0.0)
    firm.model.rules["firm.markets_served"] = lambda owner, markets: ("eu",)
    assert decide(firm, firm.markets) == ("eu",)


# -- audits ------------------------------------------------------------------------------------------------------------


def fined(**laws: Any) -> MarketModel:
    changes = abroad(**laws, regulator={"audit_months": 0.2, "fix_months": 2}, firms={"iris": {"capital_usd": 1e8}})
    return play(world_of(changes), 30)


def test_who_audits_does_so_by_its_own_law_and_gets_the_fine() -> None:
    strict = {"audits_year": 12, "fairness_gap_limit": 0.0, "fine_fixed_usd": 1000}
    rows = fined(eu=strict, us={"audits_year": 6, "fairness_gap_limit": 1.0}).tables()
    fines = rows["public_accounts"].query("programme == 'fines'")
    assert set(fines["jurisdiction"]) == {"eu"} and (fines["usd"] < 0).all()
    kinds = rows["events"]["kind"].value_counts()
    assert kinds["audit failed"] > 5 and kinds["audit passed"] > 5


# -- checks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"us": {"share_of_customers": 0.8}}, "shares of customers of sector vision add up to 1.1: must be at most 1"),
        ({"us": {"share_of_founders": 0.8}}, "shares of founders add up to 1.1"),
        ({"us": {"share_in_sector": {"visio": 0.1}}}, "unknown sector 'visio'"),
        ({"eu": {"law": {"consent_shar": 0.1}}}, "unknown key 'consent_shar' in world.jurisdictions.eu.law"),
        ({"eu": {"law": {"consent_share": 7}}}, "law.consent_share = 7: must be a number between 0 and 1 (share)"),
        ({"eu": {"law": {"support": {"sectors": ["visio"]}}}}, "world.jurisdictions.eu.law.support.sectors"),
        ({"eu": {"share_of_customers": None}}, "world.jurisdictions.eu.share_of_customers"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_one_line(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario_of({"world": {"jurisdictions": merged(PLACES, changes)}})
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_homes_must_exist_and_jurisdictions_neither_come_nor_go() -> None:
    with pytest.raises(ScenarioError, match=r"firms.iris.home = 'eux': must be one of the jurisdictions .*'eu'"):
        scenario_of(abroad(firms={"iris": {"home": "eux"}}))
    gone = {"at": "2017-01", "says": "Gone", "set": {"world.jurisdictions.eu": None}}
    with pytest.raises(ScenarioError, match="adds or removes jurisdiction 'eu'"):
        scenario_of(abroad(interventions=[gone]))


def test_what_holds_for_a_whole_state_has_no_place_in_the_law_of_a_sector() -> None:
    law = {"support": {"budget_usd_year": {"grants": 1.0}}}
    with pytest.raises(ScenarioError, match=r"sectors.vision.law.support.budget_usd_year: holds for a whole state"):
        scenario_of({"world": {"sectors": {"vision": {"law": law}}}})


def test_a_path_may_say_what_a_law_has_not_said_before() -> None:
    change = {"at": "2017-01", "says": "x", "set": {"world.sectors.vision.law.certification.exam_months": 9}}
    scenario = scenario_of({"interventions": [change]})
    assert scenario.settings_at()[0][1].sectors["vision"].law.model_dump() == {"certification": {"exam_months": 9}}
    wrong = {"at": "2017-01", "says": "x", "set": {"world.sectors.vision.law.certification.exam_month": 9}}
    with pytest.raises(ScenarioError, match="did you mean 'exam_months'"):
        scenario_of({"interventions": [wrong]})


# -- interoperability --------------------------------------------------------------------------------------------------


def test_a_duty_to_interoperate_makes_changing_the_supplier_cheaper_where_it_binds() -> None:
    usual = SegmentSettings().switching_cost
    everywhere = world_of({"world": {"law": {"interoperability": 0.5}}}).market.s["switching_cost"]
    assert everywhere.tolist() == [usual * 0.5] * 2
    in_one = world_of(abroad({"interoperability": 0.5})).market.s["switching_cost"]
    assert in_one == pytest.approx([usual * (1 - 0.3 * 0.5)] * 2)
    dated = world_of({"interventions": [{"at": "2016-03", "says": "x", "set": {"world.law.interoperability": 1}}]})
    assert play(dated, 2).market.s["switching_cost"].tolist() == [usual] * 2
    assert play(dated, 1).market.s["switching_cost"].tolist() == [0.0] * 2


# -- a whole world -----------------------------------------------------------------------------------------------------


def test_money_and_customers_add_up_in_a_world_with_several_jurisdictions() -> None:
    eu = {
        "compliance_usd_month": 8000, "audits_year": 2, "fairness_gap_limit": 0.05, "fine_fixed_usd": 1e4,
        "support": {"grant_usd": 1e5, "budget_usd_year": {"grants": 1.5e5}}, "tax_rate": 0.4, "consent_share": 0.5,
        "certification": {"scope": "all", "field_accuracy": 0.5},
    }  # fmt: skip
    changes = abroad(eu, {"compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 1e5}, **STREAM, regulator={})
    model = build_world(Scenario.from_document(scenario_of(changes).to_document()), 1, FakeService())
    while model.month < model.n_months:
        model.step()
        check_all(model)
    accounts = model.tables()["public_accounts"]
    grants = accounts[accounts["programme"] == "grants"]
    assert set(grants["jurisdiction"]) == {"eu"} and (grants["usd"] <= 1.5e5).all() and len(grants)
    assert set(accounts[accounts["programme"] == "vouchers"]["jurisdiction"]) == {"us"}
