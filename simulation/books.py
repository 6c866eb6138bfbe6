"""Double-entry books. Money is kept in whole cents, so identities hold exactly, not to rounding.

Every payment has a payer and a payee in one closed circle: firms, funds and five aggregates
(customers, workers, suppliers, government, savers) that stand for the rest of the economy and may owe. Hence the sum of
all cash never changes.
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter

REVENUES = ("sales", "upfront_fees", "core_income", "grants", "gains", "services")
EXPENSES = (
    "wages", "overhead", "compute", "data", "inference", "advertising", "compliance", "incidents", "fines", "taxes",
    "write_offs", "returns", "goods", "outsourcing",
)  # fmt: skip
ASSETS = ("cash", "investments")
LIABILITIES = ("deferred_revenue", "notes")
EQUITY = ("paid_in_capital", "retained_earnings")
_OPEN_ACCOUNTS = REVENUES + EXPENSES
# All balances of a kind in one call: every month of every actor is closed.
_revenues, _expenses, _open = itemgetter(*REVENUES), itemgetter(*EXPENSES), itemgetter(*_OPEN_ACCOUNTS)
_CLOSED = dict.fromkeys(_OPEN_ACCOUNTS, 0)


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
        self.balance: defaultdict[str, int] = defaultdict(int)
        self.month_revenue = 0
        self.month_costs = 0

    @property
    def cash_usd(self) -> float:
        """Cash at hand, USD."""
        return self.balance["cash"] / 100

    def post(self, debit: str, credit: str, cents: int) -> None:
        """Book `cents` from account `credit` to account `debit`."""
        balance = self.balance
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
    def open_accounts() -> tuple[str, ...]:
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

    def pay(self, payer: str, payee: str, usd: float, debit: str, credit: str) -> float:
        """Move `usd` (≥ 0) of cash: the payer debits `debit`, the payee credits `credit`. Returns the USD moved.

        Raises InsufficientCash, with nothing booked, when the payer may not owe and has too little.
        """
        cents = round(usd * 100)  # `to_cents`, and below `Books.post` twice, without the calls: a month is payments
        if cents < 0:
            raise ValueError(f"a payment of {usd} USD from {payer} to {payee} is negative")
        source = self.books[payer]
        giver, taker = source.balance, self.books[payee].balance
        if not source.may_owe and giver["cash"] < cents:
            raise InsufficientCash(payer, cents / 100, source.cash_usd)
        giver[debit] += cents
        giver["cash"] -= cents
        taker["cash"] += cents
        taker[credit] -= cents
        return cents / 100

    def total_cash_usd(self) -> float:
        """Cash of all actors together; constant (0) at every moment."""
        return sum(book.balance["cash"] for book in self.books.values()) / 100
