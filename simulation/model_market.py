"""Foundation models on offer: who has released which, how one can get at it, at what price, and who uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import nan
from typing import Literal

from simulation.training.foundation.plan import FoundationPlan

Access = Literal["api", "licence", "open"]
"""Answers by the token; weights for a fee; weights for everybody."""
OUT_OF_BUSINESS = "suppliers"
"""Who is paid for what a supplier that has ended still owes its customers."""


@lru_cache(maxsize=4096)
def _key_of(plan: FoundationPlan) -> str:
    return plan.key()  # a hash of its JSON text, and names are asked for every month


@dataclass(frozen=True, slots=True)
class ModelOffer:
    """One way to get at one released foundation.

    Attributes:
        supplier: name of who releases it.
        plan: what it was trained on.
        rung: of the world's ladder of foundations.
        access: how one can get at it.
        usd_per_million_tokens: of answers through an API; 0 for weights, whose user pays for the compute.
        usd_month: fee of a licence; 0 otherwise.
        month: of the run, in which it was released.
        loss_general: measured on it: nats a token of held-out text, known to everybody; NaN where nobody measured.
        training_flop: real training operations that it stands for: what the threshold of a law looks at.
        maker: name of who trained it, where that is somebody else.
    """

    supplier: str
    plan: FoundationPlan
    rung: float
    access: Access
    usd_per_million_tokens: float = 0.0
    usd_month: float = 0.0
    month: int = 0
    loss_general: float = nan
    training_flop: float = nan
    maker: str = ""

    @property
    def name(self) -> str:
        """The same as long as only prices change."""
        return f"{self.supplier}:{_key_of(self.plan)}:{self.access}"

    @property
    def made_by(self) -> str:
        """Who trained it."""
        return self.maker or self.supplier


@dataclass(slots=True)
class Use:
    """What one offer was used in a month."""

    million_tokens: float = 0.0
    usd: float = 0.0


@dataclass(slots=True)
class ModelMarket:
    """What can be had now, in the order of release, and who uses what.

    Attributes:
        offers: by name.
        users: customers by the name of an offer, those under contract for one that was withdrawn included.
        ended: suppliers that are out of business.
        uses: of the open month by the name of an offer.
    """

    offers: dict[str, ModelOffer] = field(default_factory=dict)
    users: dict[str, dict[str, None]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    uses: dict[str, Use] = field(default_factory=dict)

    def release(self, offer: ModelOffer) -> None:
        """Put an offer on the market; one of the same name takes its place."""
        self.offers[offer.name] = offer

    def reprice(self, name: str, usd_per_million_tokens: float, usd_month: float = 0.0) -> None:
        """Change the price for contracts closed from now on. Raises `KeyError` for an unknown offer."""
        old = self.offers[name]
        self.offers[name] = replace(old, usd_per_million_tokens=usd_per_million_tokens, usd_month=usd_month)

    def withdraw(self, name: str) -> None:
        """Take an offer off the market; contracts go on until they end, and for the time of notice at least."""
        self.offers.pop(name, None)

    def end_supplier(self, supplier: str) -> None:
        """A supplier goes out of business: its offers are withdrawn, those of others (the community) stay."""
        self.ended.add(supplier)
        for name in [name for name, offer in self.offers.items() if offer.supplier == supplier]:
            self.withdraw(name)

    def payee(self, supplier: str) -> str:
        """Whose books take what customers of a supplier pay: its own, or `suppliers` once it has ended."""
        return OUT_OF_BUSINESS if supplier in self.ended else supplier

    def offers_of(self, supplier: str) -> list[ModelOffer]:
        """Offers of one supplier, in the order of release."""
        return [offer for offer in self.offers.values() if offer.supplier == supplier]

    def subscribe(self, firm: str, name: str) -> None:
        """Note that a firm builds on an offer."""
        self.users.setdefault(name, {})[firm] = None

    def leave(self, firm: str, name: str) -> None:
        """Note that a firm builds on it no longer."""
        self.users.get(name, {}).pop(firm, None)

    def meter(self, name: str, million_tokens: float, usd: float) -> None:
        """Note what a customer used of an offer this month, and paid for it; the supplier serves it."""
        use = self.uses.setdefault(name, Use())
        use.million_tokens += million_tokens
        use.usd += usd

    def uses_of(self, supplier: str) -> Iterator[tuple[str, Use]]:
        """Offers of a supplier that were used in the open month, withdrawn ones included, and how much."""
        return ((name, use) for name, use in self.uses.items() if name.split(":", 1)[0] == supplier)

    def close_month(self) -> None:
        """Begin a new month of use."""
        self.uses.clear()
