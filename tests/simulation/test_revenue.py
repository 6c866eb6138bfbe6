"""Revenue models as cash flows: the money of a month, worked out by hand."""

from __future__ import annotations

import pytest

from agents.startup.startup import Startup
from simulation.compute import list_price_usd
from simulation.revenue import BY_NAME, MODELS, terms_of
from simulation.settings import RevenueSettings
from tests.support.world_fakes import found, lone_world, released

PRICE, CONTRACT = 2000.0, 12  # of the segment "cameras" of the small market
WON, PAYING, FREE = 2.0, 10.0, 500.0
TERMS = {
    "licence_upfront_months": 6, "licence_royalty_share": 0.55, "solution_fee_months": 8, "solution_upkeep_share": 0.6,
    "free_serving_share": 0.5, "licence_serving_share": 0.0, "solution_serving_share": 0.5,
}  # fmt: skip


def seller(how: str) -> Startup:
    """A startup that has 10 paying customers (two of them new) and 500 free users, at the reference price."""
    model = lone_world(revenue=TERMS)
    firm = found(model, offers={"cameras": how}, capital_usd=1e6)
    released(firm, model)
    firm.sales.show_offers()
    slot = firm.sales.slots["cameras"]
    model.market.utilities()  # terms follow prices when choices are made
    for column, value in (("won", WON), ("customers", PAYING), ("free", FREE)):
        model.market[column][slot] = value
    return firm


def taken(firm: Startup) -> tuple[float, float, float, float]:
    """(recurring, cash in, sales, deferred) of one collection, USD."""
    before = firm.books.cash_usd
    recurring = firm.sales.collect()
    balance = firm.books.balance
    return recurring, firm.books.cash_usd - before, -balance["sales"] / 100, -balance["deferred_revenue"] / 100


def test_subscription_is_the_price_of_every_customer_every_month() -> None:
    assert taken(seller("subscription")) == pytest.approx((20_000, 20_000, 20_000, 0))


def test_freemium_earns_from_converted_users_only() -> None:
    assert taken(seller("freemium")) == pytest.approx((20_000, 20_000, 20_000, 0))


def test_a_bundle_earns_nothing() -> None:
    assert taken(seller("bundle")) == (0, 0, 0, 0)


def test_solution_is_a_fee_on_delivery_and_upkeep() -> None:
    """Two projects at 8 × 2,000, and upkeep of ten at 0.6 × 2,000."""
    firm = seller("solution")
    assert taken(firm) == pytest.approx((12_000, 44_000, 12_000, 0))
    assert -firm.books.balance["upfront_fees"] / 100 == pytest.approx(32_000)


def test_licence_fees_are_cash_at_once_and_revenue_over_the_contract() -> None:
    """Two licences at 6 × 2,000 up front and ten royalties at 0.55 × 2,000; a twelfth of what is deferred is earned."""
    firm = seller("licence")
    assert taken(firm) == pytest.approx((11_000, 35_000, 11_000, 22_000))
    assert firm.books.close_month()[0] == pytest.approx(11_000 + 2_000)
    firm.sales.market["won"][firm.sales.slots["cameras"]] = 0.0
    assert taken(firm) == pytest.approx((11_000, 11_000, 11_000, 22_000 * 11 / 12), abs=0.01)
    assert firm.books.close_month()[0] == pytest.approx(11_000 + 22_000 / 12, abs=0.01)
    assert firm.books.imbalance_usd() == 0


def test_deferred_fees_are_earned_in_the_end_and_never_twice() -> None:
    firm = seller("licence")
    firm.sales.collect()
    slot = firm.sales.slots["cameras"]
    firm.sales.market["won"][slot] = firm.sales.market["customers"][slot] = 0.0
    for _ in range(200):
        firm.sales.collect()
    assert -firm.books.balance["upfront_fees"] / 100 == pytest.approx(24_000, abs=0.1)


@pytest.mark.parametrize(
    ("how", "share_of_payers", "share_of_free"),
    [
        ("subscription", 1.0, 0.5),
        ("freemium", 1.0, 0.5),
        ("bundle", 1.0, 0.5),
        ("solution", 0.5, 0.25),
        ("licence", 0, 0),
    ],
)
def test_serving_costs_gpu_hours_where_the_vendor_runs_the_model(
    how: str, share_of_payers: float, share_of_free: float
) -> None:
    firm = seller(how)
    compute = firm.model.settings.compute
    hours = firm.laboratory.serving_scale() * (PAYING * share_of_payers + FREE * share_of_free)
    assert firm.sales.serving_usd() == pytest.approx(hours * list_price_usd(compute, firm.model.year))


def test_what_a_customer_weighs_is_all_that_it_pays() -> None:
    """Over a contract: fee spread over the months, and what comes every month. Free to start weighs nothing."""
    s = RevenueSettings(**TERMS)
    weighed = {m: terms_of(m, 100, CONTRACT, s).perceived_usd_month for m in MODELS}
    assert weighed == pytest.approx({
        "subscription": 100, "licence": 50 + 55, "solution": 800 / 12 + 60, "freemium": 0, "bundle": 0,
        "product": 1800 / 12 + 10, "data": 100,
    })  # fmt: skip
    assert [m for m in MODELS if BY_NAME[m].starts_free] == ["freemium", "bundle"]
    assert [m for m in MODELS if BY_NAME[m].deferred] == ["licence"]
