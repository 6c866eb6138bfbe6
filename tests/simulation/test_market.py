"""The market: one month of choices, with what firms promise and what customers live with."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulation.market import Market
from simulation.revenue import MODELS
from simulation.settings import BrandSettings, RevenueSettings, SectorSettings, SegmentSettings

SEGMENT = {"customers": 1000.0, "reference_price_usd": 100.0, "closure_rate_year": 0.0}


def market_of(*models: str, **segment: Any) -> Market:
    """One segment with an offer of each given model: sold, at the reference price, with half the errors removed."""
    sector = SectorSettings(segments={"all": SegmentSettings(**{**SEGMENT, **segment})})
    market = Market({"vision": sector}, RevenueSettings(), BrandSettings())
    for i, model in enumerate(models):
        slot = market.add_offer(f"firm-{i}", "vision", "all", model)  # type: ignore[arg-type]
        market.set_price(slot, 100.0)
        market.selling[slot] = True
        for column in ("lab", "field"):
            market[column][slot] = 0.5
        market["field_accuracy"][slot] = 0.8
    return market


def clear(market: Market, months: int) -> Market:
    for _ in range(months):
        market.clear()
    return market


def test_an_offer_that_is_not_sold_wins_nobody() -> None:
    market = market_of("subscription", "subscription")
    market.selling[1] = False
    clear(market, 12)
    assert market["customers"][0] > 0 and market["customers"][1] == 0


def test_everybody_who_looks_adopts_along_the_curve_of_bass() -> None:
    market = market_of("subscription", innovation_rate_year=0.03, imitation_rate_year=0.38, adoption_hurdle=-10)
    market["lab"][0] = market["field"][0] = 10.0
    for month in range(1, 180):
        market.clear()
        decay = math.exp(-0.41 * month / 12)
        assert market.served()[0] / 1000 == pytest.approx((1 - decay) / (1 + 0.38 / 0.03 * decay), abs=0.015)


def test_a_lower_price_raises_the_share() -> None:
    market = market_of("subscription", "subscription")
    market.set_price(1, 50.0)
    clear(market, 24)
    assert market["customers"][1] > 1.3 * market["customers"][0]


def test_the_price_that_counts_is_that_of_the_settings_in_force() -> None:
    market = market_of("subscription", "subscription", price_weight=3.0)
    before = market.utilities()[0][0, 0]
    cheaper = SectorSettings(segments={"all": SegmentSettings(**SEGMENT, price_weight=1.0)})
    market.configure({"vision": cheaper}, market.revenue, market.brand)
    assert market.utilities()[0][0, 0] == pytest.approx(before + 2.0)


def test_trust_falls_when_the_promise_exceeds_the_field_and_rises_when_it_is_kept() -> None:
    market = market_of("subscription", "subscription", "subscription")
    market["lab"][0], market["field"][0] = 0.9, 0.2
    market.selling[2] = False
    clear(market, 24)
    start = market.brand.trust_start
    assert market["trust"][0] < start < market["trust"][1]
    assert market["trust"][2] == start  # nobody uses it, so nobody learns


def test_customers_leave_a_supplier_that_disappoints() -> None:
    market = market_of("subscription", "subscription")
    market["lab"][0], market["field"][0] = 0.9, 0.0
    clear(market, 60)
    assert market["customers"][0] < market["customers"][1]


def test_capacity_caps_the_projects_of_a_month() -> None:
    market = market_of("solution", innovation_rate_year=1.0)
    market["capacity"][0] = 2.0
    market.clear()
    assert market["won"][0] == market["customers"][0] == 2.0


def test_nobody_buys_below_the_threshold_and_old_customers_may_stay() -> None:
    market = market_of("subscription", field_threshold=0.85)
    clear(market, 6)
    assert market["customers"][0] == 0
    market["field_accuracy"][0] = 0.9
    clear(market, 6)
    served = market["customers"][0]
    market["field_accuracy"][0] = 0.8
    clear(market, 1)
    assert 0.8 * served < market["customers"][0] < served and market["won"][0] == 0


def test_fewer_free_users_pay_where_an_incumbent_gives_a_better_model_away() -> None:
    converted = []
    for bundle_field in (None, 0.2, 0.8):
        market = market_of("freemium", "bundle")
        market["free"][0] = 400.0
        market.selling[1] = bundle_field is not None
        market["field"][1] = bundle_field or 0.0
        market.clear()
        converted.append(market["converted"][0] / (market["free"][0] + market["converted"][0]))
    alone, worse_rival, better_rival = converted
    assert alone > worse_rival > better_rival > 0


def test_freemium_users_are_free_until_they_convert() -> None:
    market = market_of("freemium")
    market.clear()
    assert market["free"][0] > 0 and market["customers"][0] == market["converted"][0]
    assert market["converted"][0] < 0.1 * market["won"][0]


@pytest.mark.parametrize("capacity", [float("inf"), 1.0])
def test_a_month_changes_the_customers_served_by_those_who_come_go_and_close(capacity: float) -> None:
    market = clear(market_of(*MODELS, closure_rate_year=0.3), 24)
    market["capacity"][MODELS.index("solution")] = capacity
    for _ in range(12):
        before = market.served()[0]
        market.clear()
        flow = market["won"].sum() - market["lost"].sum()
        assert market.served()[0] == pytest.approx(before * (1 - 0.3 / 12) + flow, rel=1e-12)


def test_a_withdrawn_offer_loses_all_its_customers_at_once() -> None:
    market = clear(market_of("subscription", "freemium"), 12)
    for slot in (0, 1):
        market.withdraw(slot)
    assert market.served()[0] == 0 and market.unserved()[0] == 1000
    market.clear()
    assert market.served()[0] == 0


def test_a_suspended_offer_wins_nobody_and_loses_customers_as_contracts_end() -> None:
    market = clear(market_of("subscription", contract_months=4), 12)
    before = market["customers"][0]
    market.selling[0] = False
    market.clear()
    assert market["customers"][0] == pytest.approx(before * 3 / 4) and market["won"][0] == 0


@pytest.mark.parametrize("buyer", MODELS)
@pytest.mark.parametrize("target", MODELS)
def test_bought_customers_stay_and_free_users_only_where_the_buyer_is_free(target: str, buyer: str) -> None:
    market = clear(market_of(target, buyer), 12)
    payers, free = market["customers"].sum(), market["free"].sum()
    already_free = market["free"][1]
    market.move_customers(0, 1)
    assert market["customers"][0] == market["free"][0] == 0
    if buyer == "bundle":  # who paid before now gets it for nothing
        assert market["free"][1] == pytest.approx(payers + free, rel=1e-12)
    elif buyer == "freemium":
        assert market["customers"][1] == pytest.approx(payers, rel=1e-12)
        assert market["free"][1] == pytest.approx(free, rel=1e-12)
    else:
        assert market["customers"][1] == pytest.approx(payers, rel=1e-12)
        assert market["free"][1] == already_free == 0


def test_closing_customers_leave_the_market() -> None:
    market = clear(market_of("subscription"), 12)
    before = market["customers"][0]
    still = {"innovation_rate_year": 0, "imitation_rate_year": 0}
    closing = SectorSettings(segments={"all": SegmentSettings(**{**SEGMENT, **still, "closure_rate_year": 0.6})})
    market.configure({"vision": closing}, market.revenue, market.brand)
    market["field"][0] = 50.0  # nobody leaves by choice
    market.clear()
    assert market["customers"][0] == pytest.approx(before * 0.95)


def test_free_users_go_when_an_offer_stops_being_free_and_payers_stay() -> None:
    market = clear(market_of("freemium"), 12)
    payers = market["customers"][0]
    market.set_model(0, "subscription")
    assert market["free"][0] == 0 and market["customers"][0] == payers > 0


def test_consumer_surplus_grows_with_a_better_offer() -> None:
    worse, better = market_of("subscription"), market_of("subscription")
    better["field"][0] = better["lab"][0] = 0.9
    assert clear(better, 12).surplus_usd[0] > clear(worse, 12).surplus_usd[0] > 0


def test_what_customers_value() -> None:
    market = market_of("subscription", "subscription", tailoring_weight=1.0, edge_weight=0.5, brand_weight=0.3)
    base = market.utilities()[0][0, 0]
    market["edge"][0] = 1.0
    assert market.utilities()[0][0, 0] == pytest.approx(base + 0.5)
    market["brand_usd"][0] = market.brand.brand_unit_usd * (math.e - 1)
    assert market.utilities()[0][0, 0] == pytest.approx(base + 0.8)
    market["fit"][0] = 0.2
    assert market.utilities()[0][0, 0] == pytest.approx(base + 1.0)
    market["trust"][0] += 0.25
    assert market.utilities()[0][0, 0] == pytest.approx(base + 2.0)  # trust_weight is 4
