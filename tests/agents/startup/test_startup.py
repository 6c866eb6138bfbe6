"""A startup's money: it spends a round over its runway, cuts, raises or is refused, pivots, and ends with reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.firm.firm import Firm
from agents.fund import Deal
from agents.startup.diagnosis import out_of_cash
from agents.startup.exits import find_buyer
from simulation.capital import usual_round
from simulation.records.events import Breach
from simulation.records.reasons import told
from simulation.revenue import MODELS
from tests.support.startups import FACTS, bidding, fund_of, quiet_world, raiser
from tests.support.world_fakes import found, incumbent, kinds_of_events, lone_world, play, released

# -- spending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("capital_usd", [1e6, 5e6, 2e7])
def test_without_sales_or_investors_a_round_lasts_about_its_runway(capital_usd: float) -> None:
    """V23: 18 to 24 months are aimed at; cuts and slow hiring stretch it, founders' wages shorten it (±1/3)."""
    firm = found(quiet_world(), capital_usd=capital_usd)
    for _ in range(60):
        firm.model.step()
    lasted = firm.model.calendar.month_of(firm.ended) - 1
    assert 18 * 2 / 3 <= lasted <= 24 * 4 / 3


def test_a_round_sets_the_burn_and_revenue_is_spent_on_top() -> None:
    firm = found(quiet_world(), capital_usd=2e6)
    assert firm.burn_usd == pytest.approx(2e6 / 20)
    firm.revenues = [30_000.0] * 3
    assert firm.choose_budget() == pytest.approx(130_000)


def test_it_cuts_when_the_runway_is_short_or_when_nobody_funds_it() -> None:
    firm = found(quiet_world(), capital_usd=2e6)
    firm.revenues, firm.costs = [0.0] * 3, [500_000.0] * 3
    assert firm.runway_months() == pytest.approx(4)
    before = firm.burn_usd
    assert firm.choose_budget() < before
    firm.finance.raising = True
    unchanged = firm.burn_usd
    assert firm.choose_budget() == unchanged
    firm.finance.n_refused = 2
    assert firm.choose_budget() < 0.9 * unchanged


def test_a_mature_firm_aims_at_profit() -> None:
    firm = found(quiet_world())
    firm.recurring = firm.revenues = [2e6] * 12
    firm.finance.last_round_month = firm.model.month - 30
    assert firm.is_mature() and firm.choose_budget() == pytest.approx(0.9 * 2e6)


def test_runway_is_endless_without_a_loss() -> None:
    firm = found(quiet_world())
    firm.revenues, firm.costs = [10.0], [5.0]
    assert firm.runway_months() == float("inf")


def test_a_price_that_does_not_cover_serving_rises_step_by_step() -> None:
    firm = found(quiet_world())
    firm.recurring = [10_000.0] * 3
    firm.sales.serving_usd = lambda: 7_000.0  # type: ignore[method-assign]
    firm.cover_serving_cost()
    assert firm.sales.price_level == pytest.approx(1.05)
    firm.sales.serving_usd = lambda: 5_000.0  # type: ignore[method-assign]
    firm.cover_serving_cost()
    assert firm.sales.price_level == pytest.approx(1.05)


def test_taxes_are_paid_on_profit_after_losses() -> None:
    firm = found(quiet_world())
    bank, rate = firm.model.bank, firm.model.settings.law.tax_rate

    def taxed(sales_usd: float, costs_usd: float) -> float:
        before = bank.books["government"].cash_usd
        bank.pay("customers", firm.name, sales_usd, "spending", "sales")
        firm.spend(costs_usd, "overhead")
        firm.pay_taxes()
        firm.books.close_month()
        return bank.books["government"].cash_usd - before

    assert taxed(0, 10_000) == 0
    assert taxed(15_000, 0) == pytest.approx(5_000 * rate)
    assert taxed(15_000, 0) == pytest.approx(15_000 * rate)


# -- pivot -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("freemium", "subscription"), ("subscription", "solution")])
def test_it_pivots_after_its_patience_and_not_before(before: str, after: str) -> None:
    firm = found(quiet_world(), offers={"cameras": before}, pivot_months=14, capital_usd=5e6)
    play(firm.model, 14)
    assert "pivot" not in kinds_of_events(firm.model, firm.name)
    play(firm.model, 2)
    assert kinds_of_events(firm.model, firm.name).count("pivot") == 1
    assert MODELS[firm.model.market.model[firm.sales.slots["cameras"]]] == after


def test_a_firm_that_sells_does_not_pivot() -> None:
    firm = found(quiet_world(), pivot_months=3)
    released(firm, firm.model)
    firm.revenues, firm.costs = [50_000.0] * 6, [100_000.0] * 6
    firm.model.month += 12
    firm.pivot_if_stuck()
    assert "pivot" not in kinds_of_events(firm.model, firm.name)


# -- raising -----------------------------------------------------------------------------------------------------------


def test_a_round_closes_with_the_best_bidders_at_a_price_between_usual_and_best() -> None:
    model = quiet_world()
    firm, best, second, third = raiser(model), *(fund_of(model, name) for name in ("best", "second", "third"))
    pre, size = usual_round(model.settings.capital, "A", model.year)
    for fund, value in ((third, 1.0), (best, 4.0), (second, 2.0)):
        bidding(fund, value * pre, 0.6 * size)
    before = firm.books.cash_usd
    firm.finance.close_round("A")
    assert firm.books.cash_usd - before == pytest.approx(size, abs=1)
    assert best.uncalled_usd == pytest.approx(1e8 - 0.6 * size) and third.uncalled_usd == 1e8
    assert best.books.cash_usd == 0 and best.books.balance["investments"] == pytest.approx(60 * size, abs=1)
    post = 2 * pre + size
    assert firm.finance.cap_table.shares["best"] == pytest.approx(0.6 * size / post)
    assert firm.finance.cap_table.shares["second"] == pytest.approx(0.4 * size / post)
    assert firm.finance.stage == "A" and firm.finance.n_refused == 0 and firm.raised_usd == pytest.approx(1e6 + size)
    assert firm.burn_usd == pytest.approx(firm.books.cash_usd / 20)
    row = model.recorder.rows["rounds"][-1]
    assert row[1:3] == (firm.name, "A") and row[5] == "best, second"


@pytest.mark.parametrize(("share", "closes"), [(0.61, True), (0.59, False)])
def test_a_round_needs_most_of_the_usual_money(share: float, closes: bool) -> None:
    model = quiet_world()
    firm, fund = raiser(model), fund_of(model)
    pre, size = usual_round(model.settings.capital, "A", model.year)
    bidding(fund, pre, share * size)
    firm.finance.close_round("A")
    assert (firm.finance.stage == "A") == closes
    assert (firm.finance.n_refused == 0) == closes
    assert kinds_of_events(model, firm.name)[-1] == ("round" if closes else "raise refused")
    if not closes:
        assert fund.uncalled_usd == 1e8 and firm.finance.refusal.stage == "A"


def test_it_goes_out_to_raise_when_the_runway_is_short_and_rests_after_a_refusal() -> None:
    model = quiet_world()
    firm = raiser(model)
    firm.revenues, firm.costs = [0.0] * 3, [50_000.0] * 3  # 20 months
    firm.finance.consider()
    assert not firm.finance.raising
    firm.costs = [200_000.0] * 3  # 5 months
    firm.finance.last_refusal_month = model.month - 1
    firm.finance.consider()
    assert not firm.finance.raising
    firm.finance.last_refusal_month = model.month - 4
    firm.finance.consider()
    assert firm.finance.raising and firm.finance.n_raises == 1


def test_a_raise_takes_the_time_of_due_diligence() -> None:
    model = quiet_world(capital={"diligence_months": 4, "diligence_sigma": 0})
    firm, fund = raiser(model), fund_of(model)
    bidding(fund, 1e9, 1e8)
    firm.revenues, firm.costs = [0.0] * 3, [200_000.0] * 3
    firm.finance.consider()
    firm.finance.consider()
    play(model, 4)
    assert firm.finance.stage == "seed"
    play(model, 1)
    assert firm.finance.stage == "A" and firm.finance.n_raises == 1


def test_a_fund_bids_where_it_sees_the_value_at_its_stage_in_the_first_half_of_its_life() -> None:
    model = quiet_world()
    fund = fund_of(model, size_usd=1e8, ticket_share=0.1, life_years=10)
    deal = Deal("iris", "vision", FACTS, "A", 1e6, 1e7, 1)
    bid = fund.bid(deal)
    assert bid is not None and bid.most_usd == 1e7 and bid.value_usd > 1e6
    assert fund.bid(deal) == bid and fund.bid(replace(deal, attempt=2)) != bid
    assert fund.bid(replace(deal, stage="B")) is None
    assert fund.bid(replace(deal, pre_money_usd=1e12)) is None
    old = fund_of(model, "old", vintage=2009, life_years=10)
    assert old.bid(deal) is None
    fund.uncalled_usd = 5e6
    poorer = fund.bid(deal)
    assert poorer is not None and poorer.most_usd == 5e6


# -- the end -----------------------------------------------------------------------------------------------------------


def test_a_firm_that_cannot_pay_is_wound_up_with_its_reasons() -> None:
    firm = found(quiet_world(), capital_usd=5e4)
    play(firm.model, 6)
    assert not firm.alive and firm.ending == "bankrupt" and firm.books.cash_usd == 0
    assert [reason.kind for reason in firm.reasons] == ["cash", "no peers"]
    assert told(firm.reasons[0].as_fields()) == "cash ran out"
    assert kinds_of_events(firm.model, firm.name)[-1] == "bankrupt"
    assert firm.model.firms_in("vision") == [incumbent(firm.model)]


def test_an_acquisition_pays_preferences_first_and_hands_over_customers_cash_and_data() -> None:
    model = quiet_world()
    firm, fund, giant = raiser(model), fund_of(model), incumbent(model)
    firm.finance.take({"angel": 5e6}, 15e6, "A")  # a quarter
    released(firm, model, accuracy_field=0.9)
    released(giant, model, accuracy_field=0.6)
    slot = firm.sales.slots["cameras"]
    model.market["customers"][slot] = 40.0
    cash = {name: model.bank.books[name].cash_usd for name in ("savers", "giant", "iris")}
    rows = giant.laboratory.rows_lab
    assert find_buyer(firm, out_of_cash(firm))
    price = firm.exit_value_usd
    assert price == pytest.approx(300_000 * firm.staff["research"]) and firm.ending == "acquired"
    assert price < 5e6  # less than the angel paid: the founders get nothing
    assert model.bank.books["savers"].cash_usd - cash["savers"] == pytest.approx(price, abs=0.01)  # the fund's partners
    assert fund.flows[-1] == (1, pytest.approx(price, abs=0.01)) and fund.books.cash_usd == 0
    assert giant.books.cash_usd == pytest.approx(cash["giant"] - price + cash["iris"], abs=0.02)
    assert fund.books.balance["investments"] == 0  # what it had cost is off the books
    assert model.market["customers"][giant.sales.slots["cameras"]] == 40 and model.market["customers"][slot] == 0
    assert giant.laboratory.rows_lab == rows + firm.laboratory.rows_lab
    assert model.bank.total_cash_usd() == 0


def test_free_users_of_a_bought_firm_do_not_become_payers() -> None:
    model = quiet_world()
    firm, giant = found(model, offers={"cameras": "freemium"}), incumbent(model)  # which sells licences there
    model.market["free"][firm.sales.slots["cameras"]] = 1000.0
    giant.absorb(firm)
    assert model.market["customers"][giant.sales.slots["cameras"]] == 0


def test_nobody_buys_a_failing_firm_without_customers_or_a_better_model() -> None:
    model = quiet_world()
    firm = raiser(model)
    released(incumbent(model), model, accuracy_field=0.95)
    assert not find_buyer(firm, out_of_cash(firm)) and not firm.reasons


def test_a_firm_goes_public_once_when_revenue_and_growth_are_there() -> None:
    model = quiet_world(capital={"ipo_revenue_usd_year": 12e6})
    firm, fund = raiser(model), fund_of(model)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    firm.recurring = [5e5] * 12 + [1.5e6] * 3
    before = firm.books.cash_usd
    firm.leave_or_enter()
    assert firm.alive and firm.ending == "public"
    value = 18e6 * (6 + 8 * 1.0)
    assert firm.exit_value_usd == pytest.approx(value)
    assert firm.books.cash_usd - before == pytest.approx(0.15 * value)
    assert fund.books.cash_usd == 0 and fund.flows[-1][1] == pytest.approx(value / 4)
    firm.leave_or_enter()
    assert kinds_of_events(model, firm.name).count("listed") == 1


def test_a_listed_firm_raises_no_venture_round() -> None:
    model = quiet_world(capital={"ipo_revenue_usd_year": 12e6})
    firm = raiser(model)
    firm.recurring = [5e5] * 12 + [1.5e6] * 3
    firm.leave_or_enter()
    firm.revenues, firm.costs = [0.0] * 3, [firm.books.cash_usd] * 3
    firm.seek_capital()
    assert not firm.finance.raising


def test_profit_over_a_year_is_recorded_once_and_ends_as_profitable() -> None:
    firm = found(quiet_world())
    firm.revenues, firm.costs = [2.0] * 12, [1.0] * 12
    firm.note_profit()
    firm.note_profit()
    assert kinds_of_events(firm.model, firm.name).count("profitable") == 1
    assert firm.final_row()[3] == "profitable"


def test_an_incumbent_cannot_run_out_of_cash() -> None:
    model = lone_world()
    giant = incumbent(model)
    model.bank.pay(giant.name, "savers", giant.books.cash_usd, "returns", "income")
    giant.staff["research"] = 5000.0
    play(model, 3)
    assert giant.alive and not giant.insolvent and giant.books.cash_usd >= 0


def test_an_incumbent_answers_a_large_or_better_startup_after_its_delay() -> None:
    model = quiet_world()
    firm, giant = raiser(model), incumbent(model)
    released(giant, model, accuracy_field=0.5)
    released(firm, model, accuracy_field=0.8)
    model.market["customers"][firm.sales.slots["cameras"]] = 500.0
    giant.respond_to_market()
    assert giant.sales.price_level == 1.0  # too early
    model.month += 12
    giant.respond_to_market()
    assert giant.sales.price_level == pytest.approx(0.9)
    assert kinds_of_events(model, "giant")[-2:] == ["price cut", "imitation"]
    for _ in range(20):
        model.month += 12
        giant.respond_to_market()
    assert giant.sales.price_level == 0.5


def test_incidents_cost_money_and_trust() -> None:
    firm: Firm = found(quiet_world(), capital_usd=1e6)
    firm.suffer(Breach(rows=50_000), 1000.0, 0.2)
    assert firm.books.balance["incidents"] == 100_000 and firm.sales.trust() == pytest.approx(0.3)
    firm.suffer(Breach(rows=1e9), 1e9, 0.9)
    assert firm.books.cash_usd == 0 and firm.sales.trust() == 0
