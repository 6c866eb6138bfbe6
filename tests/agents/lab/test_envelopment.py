"""Platform envelopment: where a laboratory enters with a product of its own, and how that product lives and ends."""

from __future__ import annotations

from typing import Any

import pytest

from agents.lab.envelopment import customers_usd_year, sector_to_enter
from agents.lab.product import LabProduct
from simulation.model import MarketModel
from tests.support.conservation import check_all, check_endings
from tests.support.lab_worlds import IDLE, give_model, lab_of, lab_world, use
from tests.support.world_fakes import play

ENTERS: dict[str, Any] = {
    **IDLE, "capital_usd": 1e8, "envelopment_share": 0.2, "product_capital_usd": 2e7,
    "stake": 0.01, "run_months": 0.5,
}  # fmt: skip


def platform(earned_usd_month: float = 1e7, task: str = "service-dialogues", **settings: Any) -> MarketModel:
    """A laboratory whose model one firm builds on, which earns that much."""
    changes = {"world": {"sectors": {"vision": {"task": task}}}, "firms": {"iris": {"capital_usd": 1e9}}, "years": 6}
    model = lab_world({"alpha": {**ENTERS, **settings}}, changes)
    use(model, "iris", give_model(lab_of(model, "alpha")), "alpha")
    play(model, 1)
    model.firms["iris"].recurring += [earned_usd_month] * 3
    return model


def product_of(model: MarketModel) -> LabProduct:
    product = model.firms["alpha-vision"]
    assert isinstance(product, LabProduct)
    return product


# -- whether ----------------------------------------------------------------------------------------------------------


def test_it_enters_where_its_customers_earn_enough_to_pay_the_capital_back() -> None:
    enough = 2e7 / 3 / 0.2 / 12
    assert sector_to_enter(lab_of(platform(1.01 * enough), "alpha")) == "vision"
    assert sector_to_enter(lab_of(platform(0.99 * enough), "alpha")) is None


@pytest.mark.parametrize(
    "settings",
    [{"envelopment_share": 0.0}, {"capital_usd": 3.9e7}, {"task": "security-vision"}],
    ids=["never", "poor", "no documents"],
)
def test_it_stays_out_without_the_wish_the_money_or_documents(settings: dict[str, Any]) -> None:
    model = platform(1e9, **settings)
    assert sector_to_enter(lab_of(model, "alpha")) is None
    play(model, 24)
    assert "alpha-vision" not in model.firms


def test_only_living_customers_count_and_its_own_product_does_not() -> None:
    model = platform()
    lab = lab_of(model, "alpha")
    assert customers_usd_year(lab, "vision") == pytest.approx(12e7)
    play(model, 1)
    product = product_of(model)
    use(model, product.name, lab.models[0], "alpha")
    product.recurring += [1e9] * 3
    assert customers_usd_year(lab, "vision") < 12e7
    model.model_market.leave("iris", lab.models[0].offer_by("alpha").name)
    assert customers_usd_year(lab, "vision") == 0


# -- the product ------------------------------------------------------------------------------------------------------


def test_the_product_sells_what_the_laboratorys_model_does_and_the_books_balance() -> None:
    model = platform()
    lab = lab_of(model, "alpha")
    one, cash = lab.models[0], lab.books.cash_usd
    while model.month < 12:
        model.step()
        check_all(model)
    product = product_of(model)
    assert lab.books.balance["investments"] == 20_000_000_00 and lab.books.cash_usd < cash
    plan = product.laboratory.released_plan
    assert plan is not None and plan.foundation == one.trained.plan and plan.kind in ("finetuned", "probe")
    assert plan.task == "service-dialogues" and model.ordered[plan.key()].plan == plan
    assert product.sales.slots.keys() == {"cameras", "photos"} and product.sales.total("customers") > 0
    rows = model.tables()["firms"]
    assert set(rows[rows["firm"] == "alpha-vision"]["kind"]) == {"incumbent"}
    events = model.tables()["events"]
    entry = events[events["kind"] == "platform entry"].iloc[0]
    assert (entry["firm"], entry["other"], entry["amount_usd"]) == ("alpha", "alpha-vision", 2e7)


def test_a_new_foundation_makes_a_new_product() -> None:
    model = platform()
    lab = lab_of(model, "alpha")
    play(model, 12)
    first = product_of(model).laboratory.released_plan
    assert first is not None and first.foundation == lab.models[0].trained.plan
    newer = give_model(lab, 2.5)
    play(model, 12)
    orders = [order.plan for order in model.ordered.values() if order.plan.foundation == newer.trained.plan]
    assert {plan.year for plan in orders} == {2023, 2024} and len(orders) < 5, "each year's language is learned"


def test_a_product_without_cash_ends_and_is_written_off() -> None:
    model = platform()
    lab = lab_of(model, "alpha")
    play(model, 3)
    product = product_of(model)
    model.bank.pay(product.name, "suppliers", product.books.cash_usd, "overhead", "income")
    play(model, 2)
    check_all(model)
    check_endings(model)
    assert product.ending == "bankrupt" and lab.books.balance["investments"] == 0 and lab.alive
    play(model, 24)
    assert [name for name in model.firms if name.startswith("alpha")] == ["alpha-vision"], "it does not try again"


def test_a_product_outlives_its_laboratory_with_the_model_it_has() -> None:
    model = platform(staff=100)
    lab = lab_of(model, "alpha")
    play(model, 6)
    product = product_of(model)
    model.bank.pay("alpha", "suppliers", lab.books.cash_usd, "overhead", "income")
    play(model, 6)
    check_all(model)
    assert not lab.alive and lab.books.assets_usd() == 0 and product.alive and product.laboratory.on_sale()


def test_at_most_one_sector_a_year_is_entered() -> None:
    sectors = {
        name: {
            "task": "city-notices",
            "market_opens": 2022,
            "segments": {"all": {"customers": 500, "reference_price_usd": 500}},
        }
        for name in ("town", "port")
    }
    firms = {name: {"sector": name, "offers": {"all": "subscription"}, "capital_usd": 1e9} for name in ("town", "port")}
    firms = {f"{name}-firm": settings for name, settings in firms.items()}
    model = lab_world({"alpha": ENTERS}, {"world": {"sectors": sectors}, "firms": firms, "years": 6})
    one = give_model(lab_of(model, "alpha"))
    entered = {}
    for _ in range(30):
        for name, earned in (("town-firm", 2e7), ("port-firm", 3e7)):
            use(model, name, one, "alpha")
            model.firms[name].recurring += [earned] * 3
        model.step()
        for name in model.firms.keys() & {"alpha-town", "alpha-port"}:
            entered.setdefault(name, model.month)
    assert list(entered) == ["alpha-port", "alpha-town"], "where more is earned first"
    assert entered["alpha-town"] - entered["alpha-port"] == 12


def test_a_unit_founds_nothing_against_its_owner() -> None:
    unit = {**ENTERS, "owner": "giant"}
    del unit["investor_belief"]
    model = lab_world({"alpha": unit}, {"firms": {"iris": {"capital_usd": 1e9}}})
    use(model, "iris", give_model(lab_of(model, "alpha")), "alpha")
    model.firms["iris"].recurring += [1e9] * 3
    assert sector_to_enter(lab_of(model, "alpha")) is None


# -- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "takes"), [(0.1, True), (0.0, False)])
def test_the_owners_product_takes_the_units_model(share: float, takes: bool) -> None:
    unit = {"owner": "giant", "capital_usd": 1e3, "stake": 0.01, "staff": 0, "envelopment_share": share}
    model = lab_world({"alpha": unit})
    one = give_model(lab_of(model, "alpha"))
    play(model, 8)
    plans = [order.plan for order in model.ordered.values() if order.plan.foundation == one.trained.plan]
    events = model.tables()["events"]
    shown = "".join(events[(events["kind"] == "release") & (events["firm"] == "giant")]["fields"])
    assert any(plan.key() in shown for plan in plans) or not takes  # else it may choose that model as all firms do
    entries = events[events["kind"] == "platform entry"]
    assert list(entries["other"]) == ["giant"] * takes
