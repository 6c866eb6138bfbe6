"""Products and data services (CH-REVENUE): what they bring, what they cost, and what they depend on."""

from __future__ import annotations

import math
from math import isnan
from typing import Any

import pytest

from agents.startup.startup import Startup
from simulation.model import MarketModel
from simulation.revenue import MODELS, data_worth, terms_of
from simulation.settings import RevenueSettings
from tests.support.world_fakes import found, lone_world, play, released, world_of

PRICE = 2000.0  # of the segment "cameras" of the small market
TERMS = {
    "product_price_months": 18, "product_goods_share": 0.5, "product_upkeep_share": 0.1, "data_serving_share": 0.1,
    "data_rows_least": 1e5, "data_rows_full": 1e9, "data_model_share": 0.25,
}  # fmt: skip
BUYERS = {"cameras": {"customers": 2000, "innovation_rate_year": 0.4, "adoption_hurdle": 0.0, "closure_rate_year": 0}}


def seller(how: str, rows_field: float = 2500.0, law: dict[str, Any] | None = None) -> Startup:
    """A startup with a model, at the reference price."""
    model = lone_world(law, revenue=TERMS)
    firm = found(model, offers={"cameras": how}, capital_usd=1e6)
    released(firm, model, accuracy_lab=0.8, accuracy_field=0.7)
    firm.laboratory.rows_field = rows_field
    firm.sales.show_offers()
    model.market.utilities()
    return firm


def sold(firm: Startup, won: float, renewed: float = 0.0, customers: float = 0.0) -> float:
    """Collect with these customers; returns recurring revenue, USD."""
    slot = firm.sales.slots["cameras"]
    for column, value in (("won", won), ("renewed", renewed), ("customers", customers)):
        firm.model.market[column][slot] = value
    return firm.sales.collect()


# -- products ----------------------------------------------------------------------------------------------------------


def test_a_product_is_paid_once_with_its_hardware_and_the_goods_cost() -> None:
    """Two units at 18 × 2,000, upkeep of ten at 0.1 × 2,000, goods at half of the price: by hand."""
    firm = seller("product")
    before = firm.books.cash_usd
    assert sold(firm, won=2, customers=10) == pytest.approx(72_000 / 2 + 2_000)
    assert firm.books.cash_usd - before == pytest.approx(72_000 + 2_000)
    assert firm.costs_due()["goods"] == pytest.approx(36_000)
    assert firm.sales.serving_usd() == 0 and firm.books.balance["deferred_revenue"] == 0


def test_who_renews_a_product_buys_it_again() -> None:
    firm = seller("product")
    sold(firm, won=0, renewed=3)
    assert -firm.books.balance["sales"] / 100 == pytest.approx(3 * 18 * PRICE)


def test_a_licence_that_is_renewed_is_not_paid_up_front_again() -> None:
    firm = seller("licence")
    sold(firm, won=0, renewed=3)
    assert firm.books.balance["deferred_revenue"] == 0


def test_what_a_buyer_of_a_product_weighs_is_its_price_over_its_life() -> None:
    terms = terms_of("product", 100, 24, RevenueSettings(**TERMS))
    assert terms.perceived_usd_month == pytest.approx(1800 / 24 + 10)


def test_the_market_counts_those_who_renew() -> None:
    """With no closures, who chooses again either renews or is lost: a twelfth of the customers each month."""
    model = world_of({"world": {"sectors": {"vision": {"segments": BUYERS}}}})
    slot = play(model, 12).firms["iris"].sales.slots["cameras"]  # type: ignore[attr-defined]
    had = float(model.market["customers"][slot])
    model.market.clear()
    assert had > 1
    assert model.market["renewed"][slot] + model.market["lost"][slot] == pytest.approx(had / 12)


def played(how: str, **firm: Any) -> MarketModel:
    """Three years of the small market in which many look, with one startup that earns in this way."""
    iris = {"offers": None, "rows": 4e6, "field_share": 0.5, "capital_usd": 3e6, "skill": 0.8, **firm}
    iris["offers"] = {"cameras": how}
    return play(world_of({"world": {"sectors": {"vision": {"segments": BUYERS}}}, "firms": {"iris": iris}}))


@pytest.mark.parametrize("how", ["product", "data"])
def test_a_firm_lives_on_it_and_money_is_conserved(how: str) -> None:
    model = played(how)
    frame = model.tables()["firms"]
    own = frame[frame["firm"] == "iris"]
    assert own["paying_customers"].max() > 5 and own["sales_usd"].sum() > 1e5
    assert model.bank.total_cash_usd() == 0
    assert all(books.imbalance_usd() == 0 for books in model.bank.books.values())
    if how == "product":  # half of the price goes to the goods, and nothing to serving
        bought = own["serving_usd"].sum() / own["sales_usd"].sum()
        assert 0.4 < bought < 0.5


def test_the_same_seed_gives_the_same_sales() -> None:
    first, second = (played("product").tables()["firms"] for _ in range(2))
    assert first.equals(second)


# -- data services -----------------------------------------------------------------------------------------------------


def test_the_worth_of_rows_is_a_logarithm_between_its_ends() -> None:
    s = RevenueSettings(**TERMS)
    assert [data_worth(rows, s) for rows in (0, 1e5, 1e7, 1e9, 1e12)] == pytest.approx([0, 0, 0.5, 1, 1])


def test_a_firm_with_few_rows_sells_no_data_products() -> None:
    for rows, sells in ((9e4, False), (2e5, True)):
        firm = seller("data", rows)
        assert firm.model.market.selling[firm.sales.slots["cameras"]] == sells


def test_its_buyers_care_for_the_rows_more_than_for_the_model() -> None:
    firm = seller("data", 1e7)
    market, slot = firm.model.market, firm.sales.slots["cameras"]
    lab, field = firm.laboratory.advantages()
    assert market["lab"][slot] == pytest.approx(0.75 * 0.5 + 0.25 * lab)
    assert market["field"][slot] == pytest.approx(0.75 * 0.5 + 0.25 * field)


def test_rows_that_people_do_not_consent_to_pass_on_are_worth_nothing() -> None:
    full, half = (seller("data", 1e7, {"consent_share": share}) for share in (1.0, 0.5))
    worth = [float(f.model.market["field"][f.sales.slots["cameras"]]) for f in (full, half)]
    assert worth[0] - worth[1] == pytest.approx(0.75 * math.log(2) / math.log(1e4))


def test_data_products_cost_little_to_serve_and_make_no_rows_or_accidents() -> None:
    firm, usual = seller("data", 1e7), seller("subscription", 1e7)
    for one in (firm, usual):
        sold(one, won=0, customers=10)
    assert firm.sales.serving_usd() == pytest.approx(0.1 * usual.sales.serving_usd())
    assert firm.sales.usage_rows(firm.laboratory) == 0 < usual.sales.usage_rows(usual.laboratory)
    assert firm.sales.operators_needed() < usual.sales.operators_needed()


def test_the_models_of_before_keep_their_place() -> None:
    assert MODELS[:5] == ("subscription", "licence", "solution", "freemium", "bundle")


# -- what customers pay for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "share"), [("licence", 1.0), ("solution", 1.0), ("subscription", 0.0), ("product", 0.0)]
)
def test_the_share_of_licences_and_solutions_is_of_what_customers_paid(how: str, share: float) -> None:
    firm = seller(how)
    sold(firm, won=1, customers=4)
    assert firm.sales.licence_solution_share == share
    sold(firm, won=0)
    assert isnan(firm.sales.licence_solution_share)


def test_two_ways_of_earning_share_by_their_payments() -> None:
    """Four licences bring 0.55 of the price each a month, ten subscriptions the whole of theirs: by hand."""
    model = lone_world(None, revenue=TERMS)
    firm = found(model, offers={"cameras": "licence", "photos": "subscription"}, capital_usd=1e6)
    released(firm, model, accuracy_lab=0.8, accuracy_field=0.7)
    firm.sales.show_offers()
    model.market.utilities()
    segments = firm.sector_settings.segments
    for segment, customers in (("cameras", 4), ("photos", 10)):
        model.market["customers"][firm.sales.slots[segment]] = customers
    firm.sales.collect()
    royalty = 4 * model.settings.revenue.licence_royalty_share * segments["cameras"].reference_price_usd
    others = 10 * segments["photos"].reference_price_usd
    assert firm.sales.licence_solution_share == pytest.approx(royalty / (royalty + others))
