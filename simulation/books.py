"""Double-entry books. Money is kept in whole cents, so identities hold exactly, not to rounding.

Every payment has a payer and a payee in one closed circle: firms, funds and five aggregates
(customers, workers, suppliers, government, savers) that stand for the rest of the economy and may owe. Hence the sum of
all cash never changes.
"""

from __future__ import annotations

from difflib import get_close_matches
from operator import itemgetter
from typing import Literal, NewType, NoReturn, get_args

Revenue = Literal["sales", "upfront_fees", "core_income", "grants", "gains", "services", "access_fees"]
Expense = Literal[
    "wages", "overhead", "compute", "data", "inference", "advertising", "compliance", "incidents", "fines", "taxes",
    "write_offs", "returns", "goods", "outsourcing", "model_access", "severance", "positioning",
]  # fmt: skip
Asset = Literal["cash", "investments"]
Liability = Literal["deferred_revenue", "notes"]
Equity = Literal["paid_in_capital", "retained_earnings"]
Outside = Literal["spending", "income", "tax_forgone"]
"""Flows of the aggregates, whose months are never closed."""
Account = Revenue | Expense | Asset | Liability | Equity | Outside
ProgrammeAccount = NewType("ProgrammeAccount", str)
"""The government's account of one programme in one year; opened by `Books.open_account`."""
AccountName = Account | ProgrammeAccount

REVENUES: tuple[Revenue, ...] = get_args(Revenue)
EXPENSES: tuple[Expense, ...] = get_args(Expense)
ASSETS: tuple[Asset, ...] = get_args(Asset)
LIABILITIES: tuple[Liability, ...] = get_args(Liability)
EQUITY: tuple[Equity, ...] = get_args(Equity)
ACCOUNTS: tuple[Account, ...] = (*REVENUES, *EXPENSES, *ASSETS, *LIABILITIES, *EQUITY)
_OF_AGGREGATES: tuple[Account, ...] = (*ACCOUNTS, *get_args(Outside))
_OPEN_ACCOUNTS = REVENUES + EXPENSES
# All balances of a kind in one call: every month of every actor is closed.
_revenues, _expenses, _open = itemgetter(*REVENUES), itemgetter(*EXPENSES), itemgetter(*_OPEN_ACCOUNTS)
_CLOSED: dict[AccountName, int] = dict.fromkeys(_OPEN_ACCOUNTS, 0)


class UnknownAccount(KeyError):
    """A payment or a question names an account that the books do not have."""

    def __init__(self, account: str, known: tuple[str, ...]) -> None:
        near = get_close_matches(account, known, 1)
        super().__init__(f"no account {account!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        self.account = account

    def __str__(self) -> str:
        return str(self.args[0])


class Balances(dict[AccountName, int]):
    """Balances of one actor in cents by account; an account that was not opened is an error on the spot."""

    def __missing__(self, account: str) -> NoReturn:
        raise UnknownAccount(account, tuple(self))


class InsufficientCash(Exception):
    """A payer that may not owe has less cash than the payment needs."""

    def __init__(self, payer: str, needed_usd: float, cash_usd: float) -> None:
        super().__init__(f"{payer} needs {needed_usd:,.2f} USD and has {cash_usd:,.2f}")
        self.payer, self.needed_usd, self.cash_usd = payer, needed_usd, cash_usd


def to_cents(usd: float) -> int:
    """Round dollars to whole cents."""
    return round(usd * 100)


class Books:
    """The books of one actor. Balances are in cents; debits are positive on assets and expenses."""

    __slots__ = ("balance", "may_owe", "month_costs", "month_revenue", "owner")

    def __init__(self, owner: str, may_owe: bool = False) -> None:
        self.owner = owner
        self.may_owe = may_owe
        self.balance = Balances((account, 0) for account in (_OF_AGGREGATES if may_owe else ACCOUNTS))
        self.month_revenue = 0
        self.month_costs = 0

    @property
    def cash_usd(self) -> float:
        """Cash at hand, USD."""
        return self.balance["cash"] / 100

    def open_account(self, name: str) -> ProgrammeAccount:
        """An account of a name that is not among `ACCOUNTS`, opened with the first call."""
        account = ProgrammeAccount(name)
        self.balance.setdefault(account, 0)
        return account

    def post(self, debit: AccountName, credit: AccountName, cents: int) -> None:
        """Book `cents` from account `credit` to account `debit`. Raises UnknownAccount, with nothing booked."""
        balance = self.balance
        if credit not in balance:
            balance.__missing__(credit)
        balance[debit] += cents
        balance[credit] -= cents

    def close_month(self) -> tuple[float, float]:
        """Move the month's revenues and expenses to retained earnings; returns (revenue, costs) in USD."""
        balance = self.balance
        revenue, costs = -sum(_revenues(balance)), sum(_expenses(balance))
        balance.update(_CLOSED)
        balance["retained_earnings"] -= revenue - costs
        self.month_revenue, self.month_costs = revenue, costs
        return revenue / 100, costs / 100

    @staticmethod
    def open_accounts() -> tuple[Account, ...]:
        """Accounts of the open month: revenues and expenses."""
        return _OPEN_ACCOUNTS

    def month_profit_usd(self) -> float:
        """Revenues less expenses of the open month, USD."""
        return -sum(_open(self.balance)) / 100

    def imbalance_usd(self) -> float:
        """Assets − liabilities − equity (with the open month's result); 0 in sound books."""
        return sum(self.balance.values()) / 100

    def assets_usd(self) -> float:
        """Sum of assets, USD."""
        return sum(self.balance[name] for name in ASSETS) / 100

    def equity_usd(self) -> float:
        """Sum of equity, USD."""
        return -sum(map(self.balance.__getitem__, EQUITY)) / 100


class Bank:
    """All books of one world, and the only way in which cash moves."""

    AGGREGATES = ("customers", "workers", "suppliers", "government", "savers")

    def __init__(self) -> None:
        self.books: dict[str, Books] = {}
        for name in self.AGGREGATES:
            self.open(name, may_owe=True)

    def open(self, owner: str, may_owe: bool = False) -> Books:
        """Open books for a new actor. Raises ValueError when the name is taken."""
        if owner in self.books:
            raise ValueError(f"books of {owner!r} are open already")
        self.books[owner] = Books(owner, may_owe)
        return self.books[owner]

    def pay(self, payer: str, payee: str, usd: float, debit: AccountName, credit: AccountName) -> float:
        """Move `usd` (≥ 0) of cash: the payer debits `debit`, the payee credits `credit`. Returns the USD moved.

        Raises:
            InsufficientCash: the payer may not owe and has too little.
            UnknownAccount: there is no such account. With either, nothing is booked.
        """
        cents = round(usd * 100)  # `to_cents`, and below `Books.post` twice, without the calls: a month is payments
        if cents < 0:
            raise ValueError(f"a payment of {usd} USD from {payer} to {payee} is negative")
        source = self.books[payer]
        giver, taker = source.balance, self.books[payee].balance
        if not source.may_owe and giver["cash"] < cents:
            raise InsufficientCash(payer, cents / 100, source.cash_usd)
        if credit not in taker:
            taker.__missing__(credit)
        giver[debit] += cents
        giver["cash"] -= cents
        taker["cash"] += cents
        taker[credit] -= cents
        return cents / 100

    def total_cash_usd(self) -> float:
        """Cash of all actors together; constant (0) at every moment."""
        return sum(book.balance["cash"] for book in self.books.values()) / 100
