"""Books: accounts are an enumeration, and a payment is booked whole or not at all."""

from __future__ import annotations

import pytest

from simulation.books import ACCOUNTS, Bank, InsufficientCash, UnknownAccount


def bank() -> Bank:
    bank = Bank()
    bank.open("firm")
    bank.pay("savers", "firm", 100.0, "spending", "paid_in_capital")
    return bank


@pytest.mark.parametrize(("debit", "credit"), [("wage", "income"), ("wages", "incomes"), ("vouchers 2016", "income")])
def test_a_mistyped_account_is_an_error_and_books_nothing(debit: str, credit: str) -> None:
    books = bank()
    before = {name: dict(actor.balance) for name, actor in books.books.items()}
    with pytest.raises(UnknownAccount, match="no account"):
        books.pay("firm", "workers", 10.0, debit, credit)  # type: ignore[arg-type]
    with pytest.raises(UnknownAccount):
        books.books["firm"].post(debit, credit, 5)  # type: ignore[arg-type]
    assert {name: dict(actor.balance) for name, actor in books.books.items()} == before


def test_the_error_names_the_likely_account() -> None:
    with pytest.raises(UnknownAccount, match="no account 'wage'; did you mean 'wages'"):
        _ = bank().books["firm"].balance["wage"]  # type: ignore[index]


def test_a_firm_has_no_accounts_of_the_aggregates() -> None:
    books = bank()
    assert set(books.books["firm"].balance) == set(ACCOUNTS)
    with pytest.raises(UnknownAccount):
        books.pay("firm", "workers", 1.0, "spending", "income")


def test_a_programme_has_an_account_once_it_is_opened() -> None:
    government = bank().books["government"]
    account = government.open_account("vouchers 2016")
    government.post(account, "tax_forgone", 250)
    assert government.open_account("vouchers 2016") == account and government.balance[account] == 250


def test_who_may_not_owe_pays_no_more_than_it_has() -> None:
    books = bank()
    with pytest.raises(InsufficientCash, match=r"firm needs 100\.01 USD and has 100\.00"):
        books.pay("firm", "workers", 100.01, "wages", "income")
    assert books.books["firm"].cash_usd == 100.0 and books.total_cash_usd() == 0
