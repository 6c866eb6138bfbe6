"""Contracts with suppliers of models: bills that balance, prices that hold, notice, the end of a supplier."""

from __future__ import annotations

from typing import Any

import pytest

from agents.firm.supply import Supply, tokens_of
from agents.firm.ways import Option
from agents.startup.startup import Startup
from simulation.model import MarketModel
from simulation.model_market import ModelMarket
from simulation.settings import SegmentSettings, SourcingSettings
from tests.support.conservation import check_all
from tests.support.model_offers import KindService, documents_world, offer, on_offer
from tests.support.world_fakes import found, kinds_of_events, play

TERMS = SourcingSettings(contract_months=12, notice_months=3)
RICH: dict[str, Any] = {"capital_usd": 5e7}


def supplied(access: str = "api", customers: float = 20.0, **world: Any) -> tuple[MarketModel, Startup]:
    """A startup with customers on an offer of a supplier that has books of its own."""
    model = documents_world(world)
    model.bank.open("labco")
    terms = {"usd_month": 5000.0} if access == "licence" else {}
    firm = on_offer(model, offer(access=access, **terms), **RICH)
    model.market["customers"][firm.sales.slots["cameras"]] = customers
    firm.sales.show_offers()
    model.market.utilities()  # terms of the offers
    return model, firm


# -- bills -------------------------------------------------------------------------------------------------------------


def test_tokens_follow_use_and_their_price() -> None:
    model, firm = supplied(sourcing={"tokens_per_usd": 1000})
    tokens, usd = firm.laboratory.sourcing.bill()
    assert tokens == pytest.approx(20 * 2000 * 1000 / 1e6) and usd == pytest.approx(tokens * 10)
    model.market["customers"][firm.sales.slots["cameras"]] = 40
    assert firm.laboratory.sourcing.bill()[1] == pytest.approx(2 * usd)


def test_a_segment_may_say_its_tokens() -> None:
    assert tokens_of(SegmentSettings(reference_price_usd=100), SourcingSettings(tokens_per_usd=50)) == 5000
    assert tokens_of(SegmentSettings(tokens_month=7), SourcingSettings(tokens_per_usd=50)) == 7


def test_customers_who_run_the_model_themselves_make_no_tokens() -> None:
    model, firm = supplied()
    slot = firm.sales.slots["cameras"]
    model.market["serving_share"][slot] = 0.0
    assert firm.laboratory.sourcing.bill() == (0.0, 0.0)


def test_bills_go_to_the_suppliers_books_and_are_a_cost_of_sales() -> None:
    model, firm = supplied()
    tokens, usd = firm.laboratory.sourcing.bill()
    firm.close_books()
    assert firm.model_access_usd == pytest.approx(usd, abs=0.01) and usd > 100
    assert model.bank.books["labco"].cash_usd == pytest.approx(usd, abs=0.01)
    assert -model.bank.books["labco"].balance["access_fees"] / 100 == pytest.approx(usd, abs=0.01)
    in_sales, out_serving, _ = firm.margin
    assert out_serving >= firm.model_access_usd and in_sales > out_serving
    use = model.model_market.uses[offer().name]
    assert (use.million_tokens, use.usd) == pytest.approx((tokens, usd), abs=0.01)
    assert model.bank.total_cash_usd() == 0 and model.bank.books["labco"].imbalance_usd() == 0


def test_a_licence_costs_its_fee_and_open_weights_nothing() -> None:
    model, firm = supplied("licence")
    assert firm.laboratory.sourcing.bill() == (0.0, 5000.0)
    firm.close_books()
    assert model.bank.books["labco"].cash_usd == 5000.0
    _, free = supplied("open")
    assert free.laboratory.sourcing.bill() == (0.0, 0.0)


def test_who_has_no_books_is_paid_through_the_aggregate() -> None:
    model = documents_world()
    firm = on_offer(model, offer("community", "licence", usd_month=300.0), **RICH)
    firm.close_books()
    assert firm.model_access_usd == 300.0 and model.bank.total_cash_usd() == 0


def test_a_firm_that_cannot_pay_its_supplier_is_insolvent() -> None:
    model, firm = supplied("licence")
    model.bank.pay(firm.name, "savers", firm.books.cash_usd, "overhead", "income")
    firm.staff = dict.fromkeys(firm.staff, 0.0)
    model.market["customers"][firm.sales.slots["cameras"]] = 0
    firm.close_books()
    assert firm.insolvent


def test_the_bill_leaves_less_for_people() -> None:
    def people(price: float) -> float:
        _, firm = supplied()
        assert firm.laboratory.sourcing.supply is not None
        firm.laboratory.sourcing.supply.offer = offer(usd_per_million_tokens=price)
        firm.budget_usd = 3e5
        for _ in range(12):
            firm.plan_staff()
        return firm.headcount()

    assert people(50.0) < people(0.0)


def test_books_balance_in_a_world_in_which_firms_buy_and_suppliers_change() -> None:
    terms = {"trial_chance": 1, "trial_cost_share": 1}
    model = documents_world({"sourcing": {**terms, "aging": True}}, KindService(probe=0.8, finetuned=0.75))
    model.bank.open("labco")
    for one in (offer(), offer("opens", "open"), offer("lic", "licence", usd_month=900.0)):
        model.model_market.release(one)
    for number in range(3):
        found(model, f"iris-{number}", **RICH)
    for month in range(30):
        if month == 15:
            model.model_market.end_supplier("labco")
        play(model, 1)
        check_all(model)
    assert model.bank.books["labco"].cash_usd > 0


# -- terms -------------------------------------------------------------------------------------------------------------


def test_a_price_holds_for_the_contract_and_then_the_price_of_the_day_holds() -> None:
    market = ModelMarket()
    market.release(offer())
    supply = Supply(offer(), until=12)
    market.reprice(offer().name, 2.0)
    for month in range(12):
        assert not supply.review(market, month, TERMS) and supply.offer.usd_per_million_tokens == 10.0
    assert supply.review(market, 12, TERMS) and supply.offer.usd_per_million_tokens == 2.0
    market.reprice(offer().name, 30.0)
    assert not supply.review(market, 23, TERMS) and supply.offer.usd_per_million_tokens == 2.0
    assert supply.review(market, 24, TERMS) and supply.offer.usd_per_million_tokens == 30.0


def test_who_ends_gives_the_time_of_notice_and_who_withdraws_keeps_its_contracts() -> None:
    def ends(until: int, ended: bool, access: Any = "api") -> int | None:
        market = ModelMarket()
        supply = Supply(offer(access=access), until)
        if ended:
            market.release(offer(access=access))
            market.end_supplier("labco")
        supply.review(market, 5, TERMS)
        supply.review(market, 6, TERMS)
        return supply.ends

    assert ends(12, ended=True) == 8 and ends(6, ended=True) == 8
    assert ends(12, ended=False) == 12 and ends(6, ended=False) == 8
    assert ends(12, ended=True, access="open") is None, "weights that are everybody's stay"


def test_a_supplier_that_ends_after_it_has_withdrawn_shortens_the_time() -> None:
    market, supply = ModelMarket(), Supply(offer(), 24)
    supply.review(market, 5, TERMS)
    assert supply.ends == 24
    market.end_supplier("labco")
    assert supply.review(market, 10, TERMS) and supply.ends == 13
    assert not supply.review(market, 11, TERMS) and supply.ends == 13


def test_an_offer_that_comes_back_ends_the_notice() -> None:
    market, supply = ModelMarket(), Supply(offer(), 12)
    supply.review(market, 5, TERMS)
    assert supply.ends == 12
    market.release(offer())
    assert supply.review(market, 6, TERMS) and supply.ends is None


def test_after_the_notice_a_firm_must_have_changed_or_it_stops_selling() -> None:
    model, firm = supplied()
    firm.laboratory.job = object()  # type: ignore[assignment]  # it does nothing about it
    model.model_market.end_supplier("labco")
    slot, selling = firm.sales.slots["cameras"], []
    for _ in range(5):
        play(model, 1)
        selling.append(bool(model.market.selling[slot]))
    assert selling == [True, True, True, False, False]
    assert kinds_of_events(model, "iris").count("supplier lost") == 1
    assert firm.laboratory.sourcing.bill() == (0.0, 0.0)


@pytest.mark.parametrize("others", [(), (offer("other"),)])
def test_a_firm_whose_supplier_ends_trains_out_of_turn_and_goes_on_selling(others: tuple[Any, ...]) -> None:
    model, firm = supplied(sourcing={"notice_months": 6, "trial_chance": 0})
    model.service.accuracy |= {"cnn": 0.5, "probe": 0.5}  # worse than what it has
    firm.laboratory.last_order_month = model.month
    model.model_market.end_supplier("labco")
    for one in others:
        model.model_market.release(one)
    play(model, 8)
    assert firm.laboratory.sourcing.supplier != "labco" and not firm.laboratory.sourcing.is_cut_off
    assert model.market.selling[firm.sales.slots["cameras"]]
    assert firm.laboratory.released is not None and firm.laboratory.released.accuracy_field == 0.5
    assert "iris" not in model.model_market.users[offer().name]


def test_the_same_offer_for_the_next_model_keeps_its_contract_and_another_begins_one() -> None:
    model, firm = supplied()
    lab, sourcing = firm.laboratory, firm.laboratory.sourcing
    assert lab.released is not None and lab.released_plan is not None and sourcing.supply is not None
    sourcing.supply.until = 7
    sourcing.put_in_force(sourcing.option, lab.released_plan, lab.released)
    assert sourcing.supply.until == 7
    model.month = 20
    on = offer("other")
    model.model_market.release(on)
    sourcing.put_in_force(Option("api", on.name, on), lab.released_plan, lab.released)
    assert sourcing.supply.offer.supplier == "other" and sourcing.supply.until == 32
