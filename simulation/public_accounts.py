"""What the state takes, pays and forgoes, by year, programme, jurisdiction, sector and kind of firm.

Every payment to or from the government's books, and every tax that it does not take, is booked here too, in the same
cents: the sum over all rows of what is paid and received is what the government's cash has changed by.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from simulation.records.columns import PublicAccountRow

Flow = Literal["paid", "forgone", "received"]
SIGN: dict[Flow, int] = {"paid": 1, "forgone": 1, "received": -1}


class Recipient(NamedTuple):
    """To whom public money goes, or from whom it comes. Empty: it concerns all, or nobody in particular."""

    jurisdiction: str = ""
    sector: str = ""
    kind: str = ""


class Item(NamedTuple):
    """One line of the accounts."""

    year: int
    programme: str
    flow: Flow
    recipient: Recipient


class PublicAccounts:
    """All lines so far: cents, what they cost society, and the firms behind them."""

    def __init__(self) -> None:
        self._cents: dict[Item, int] = {}
        self._social: dict[Item, float] = {}
        self._firms: dict[Item, set[str]] = {}

    def book(self, item: Item, cents: int, cost_of_funds: float, firms: Iterable[str] = ()) -> None:
        """Add `cents` (≥ 0) to a line; `cost_of_funds` is the marginal cost of public funds in force."""
        if not cents:
            return
        signed = SIGN[item.flow] * cents
        self._cents[item] = self._cents.get(item, 0) + signed
        self._social[item] = self._social.get(item, 0.0) + cost_of_funds * signed
        self._firms.setdefault(item, set()).update(firms)

    def total_cents(self, *flows: Flow) -> int:
        """Sum over all lines of these flows; receipts count as negative."""
        return sum(cents for item, cents in self._cents.items() if item.flow in flows)

    def rows(self) -> list[PublicAccountRow]:
        """The lines, by year, then in the order in which they began."""
        return [self._row(item) for item in sorted(self._cents, key=lambda item: item.year)]

    def _row(self, item: Item) -> PublicAccountRow:
        return PublicAccountRow(
            year=item.year,
            programme=item.programme,
            flow=item.flow,
            jurisdiction=item.recipient.jurisdiction,
            sector=item.recipient.sector,
            kind=item.recipient.kind,
            usd=self._cents[item] / 100,
            social_usd=self._social[item] / 100,
            n_firms=len(self._firms[item]),
        )
