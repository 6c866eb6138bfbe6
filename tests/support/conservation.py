"""What holds of every world after every month: money, customers, shares and firms add up."""

from __future__ import annotations

import numpy as np
import pytest

from agents.fund import committed_usd
from simulation.books import ASSETS, EQUITY, LIABILITIES
from simulation.model import MarketModel
from simulation.public_accounts import SIGN
from simulation.records.endings import ENDINGS, FAILED, GONE


def check_money(model: MarketModel) -> None:
    assert model.bank.total_cash_usd() == 0
    for owner, books in model.bank.books.items():
        assert books.imbalance_usd() == 0, owner
        assert books.may_owe or books.cash_usd >= 0, owner
        assert all(isinstance(cents, int) for cents in books.balance.values()), owner


def check_closed_books(model: MarketModel) -> None:
    """Books of every firm after the month: nothing open, assets = liabilities + equity, as the definitions say."""
    for name, firm in model.firms.items():
        books = firm.books
        balance = books.balance
        assert set(balance) <= {*ASSETS, *LIABILITIES, *EQUITY, *books.open_accounts()}, name
        assert all(balance[account] == 0 for account in books.open_accounts()), name
        assets, deferred = sum(balance[a] for a in ASSETS), -sum(balance[a] for a in LIABILITIES)
        equity = -sum(balance[a] for a in EQUITY)
        assert deferred >= 0 and assets == deferred + equity, name  # in whole cents, so exactly
        assert (books.assets_usd(), books.equity_usd()) == (assets / 100, equity / 100), name


def check_customers(model: MarketModel) -> None:
    market = model.market
    for column in ("customers", "free", "won", "lost", "converted"):
        assert np.isfinite(market[column]).all() and (market[column] >= 0).all(), column
    assert (market.served() <= market.s["customers"] * (1 + 1e-9)).all()
    assert ((market["trust"] >= 0) & (market["trust"] <= 1)).all()
    assert np.isfinite(market.surplus_usd).all()
    for sector, shares in model.sector_shares().items():
        assert sum(shares.values()) <= 1 + 1e-9, sector


def check_firms(model: MarketModel) -> None:
    market = model.market
    for name, firm in model.firms.items():
        assert firm.ending in ENDINGS.keys() - {"profitable"}, name
        assert firm.alive == (firm.ending in ("alive", "public")), name
        if firm.kind == "startup":
            assert sum(firm.finance.cap_table.shares.values()) == pytest.approx(1, abs=1e-12), name
            assert all(share >= 0 for share in firm.finance.cap_table.shares.values()), name
            notes = sum(firm.finance.cap_table.notes_usd.values()) if firm.alive else 0.0
            assert -firm.books.balance["notes"] / 100 == pytest.approx(notes, abs=0.05), name
        if not firm.alive:
            assert firm.books.cash_usd == 0 and firm.books.assets_usd() == 0, name
            assert all(market[c][slot] == 0 for c in ("customers", "free") for slot in firm.sales.slots.values()), name
            assert not any(market.selling[slot] for slot in firm.sales.slots.values()), name


def check_endings(model: MarketModel) -> None:
    """One row per firm; who is gone has a date, and the bankrupt have reasons."""
    endings = model.tables()["endings"]
    assert sorted(endings["firm"]) == sorted(model.firms) and set(endings["ending"]) <= ENDINGS.keys()
    gone = endings["ending"].isin([*GONE, "public"])
    assert (endings["ended"].notna() == gone).all()
    assert (endings.loc[endings["ending"].isin(FAILED), "causes"] != "").all()


def check_funds(model: MarketModel) -> None:
    """A fund keeps no cash; what partners paid in, what it holds and what it may still call agree with its books."""
    for fund in model.funds:
        books, paid_in = fund.books, sum(-usd for _, usd in fund.flows if usd < 0)
        startups = [firm for firm in model.firms.values() if firm.kind == "startup"]
        cost = sum(firm.finance.invested_usd.get(fund.name, 0.0) for firm in startups)
        assert books.cash_usd == 0, fund.name
        assert -books.balance["paid_in_capital"] / 100 == pytest.approx(paid_in, abs=0.01), fund.name
        assert books.balance["investments"] / 100 == pytest.approx(cost, abs=0.01), fund.name
        assert 0 <= fund.reserve_usd <= fund.uncalled_usd + 1e-6 and fund.fees_left_usd >= 0, fund.name
        recalled = sum(usd for _, usd in fund.flows if usd > 0)
        assert paid_in <= committed_usd(fund.settings) + recalled + 1, fund.name


def check_public_accounts(model: MarketModel) -> None:
    """What the public accounts tell is what moved through the government's books, to the cent and by programme."""
    balance, rows = model.bank.books["government"].balance, model.public_accounts.rows()
    cents = {flow: sum(round(row.usd * 100) for row in rows if row.flow == flow) for flow in SIGN}
    assert balance["cash"] == -cents["paid"] - cents["received"] and balance["income"] == cents["received"]
    assert -balance["tax_forgone"] == cents["forgone"]
    told: dict[str, int] = {}
    for row in rows:
        assert row.usd * SIGN[row.flow] >= 0 and (row.kind != "" or row.n_firms == 0), row
        if row.flow != "received":
            account = " ".join(part for part in (row.programme, row.jurisdiction, str(row.year)) if part)
            told[account] = told.get(account, 0) + round(row.usd * 100)
    assert told == {account: held for account, held in balance.items() if account[-4:].isdigit() and held}


def check_all(model: MarketModel) -> None:
    check_money(model)
    check_public_accounts(model)
    check_funds(model)
    check_closed_books(model)
    check_customers(model)
    check_firms(model)
