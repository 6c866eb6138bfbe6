"""Idle cash: what a mature startup earned is paid out, what it was given is invested."""

from __future__ import annotations

import pytest

from agents.startup.reserves import earned_share, excess_usd, expansion_usd, pay_dividend, payout_usd
from agents.startup.startup import Startup
from tests.support.conservation import check_all
from tests.support.startups import fund_of, quiet_world
from tests.support.world_fakes import found, kinds_of_events, play


def mature(cash_usd: float = 30e6, earned_usd: float = 20e6, **rules: float) -> Startup:
    """A startup of which a fund holds half, with 1 M$ of costs a month; it was given 11 M$ and earned the rest."""
    model = quiet_world(exit={"cash_target_months": 12.0, **rules})
    firm = found(model, capital_usd=1e6)
    fund_of(model, fee_share_year=0)
    firm.finance.take({"angel": 10e6}, 10e6, "A")
    model.bank.pay("customers", firm.name, earned_usd, "spending", "sales")
    firm.books.close_month()
    if (spare := firm.books.cash_usd - cash_usd) > 0:
        firm.books.post("investments", "cash", round(spare * 100))
    firm.recurring = firm.revenues = [2e6] * 12
    firm.costs = [1e6] * 12
    return firm


def test_who_is_mature_and_has_more_than_its_target_has_cash_to_spare() -> None:
    firm = mature()
    assert firm.is_mature() and excess_usd(firm) == pytest.approx(30e6 - 12e6)
    assert excess_usd(mature(11e6)) == 0
    young = mature()
    young.recurring = [1e3] * 12
    assert excess_usd(young) == 0 == payout_usd(young) == expansion_usd(young)
    assert excess_usd(mature(cash_target_months=0.0)) == 0


def test_earned_equity_is_paid_out_and_given_equity_is_invested() -> None:
    firm = mature()
    assert earned_share(firm) == pytest.approx(20 / 31)
    assert payout_usd(firm) == pytest.approx(18e6 * 20 / 31)
    assert expansion_usd(firm) == pytest.approx(18e6 * 11 / 31 / 12)
    loser = mature(earned_usd=19e6)
    loser.books.post("retained_earnings", "paid_in_capital", round(19e6 * 100))
    assert earned_share(loser) == 0 == payout_usd(loser)


def test_the_budget_grows_by_what_is_invested() -> None:
    firm = mature()
    kept = mature(cash_target_months=0.0)
    assert firm.choose_budget() - kept.choose_budget() == pytest.approx(expansion_usd(firm))


def test_a_dividend_goes_to_all_shares_once_a_year_and_is_no_cost() -> None:
    firm = mature()
    model, fund = firm.model, firm.model.funds[0]
    model.month = firm.founded_month + 11
    pay_dividend(firm)
    assert "dividend" not in kinds_of_events(model, firm.name)
    model.month += 1
    usd, share = payout_usd(firm), firm.finance.cap_table.shares["angel"]
    pay_dividend(firm)
    assert fund.flows[-1][1] == pytest.approx(share * usd, abs=0.01) and fund.books.cash_usd == 0
    assert firm.books.month_profit_usd() == 0 and kinds_of_events(model, firm.name)[-1] == "dividend"
    assert firm.books.imbalance_usd() == 0 and -firm.books.balance["retained_earnings"] >= 0


def test_never_more_than_was_earned() -> None:
    firm = mature(cash_usd=30e6, earned_usd=1e6)
    assert payout_usd(firm) <= 1e6


def test_a_world_with_dividends_balances() -> None:
    firm = mature(earned_usd=30e6, cash_usd=1e9)
    firm.finance.stage = "C"
    play(firm.model, 13)
    assert kinds_of_events(firm.model, firm.name).count("dividend") == 1
    check_all(firm.model)
