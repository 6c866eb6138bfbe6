"""Foundation models on offer: who has released which, how one can get at it, at what price, and who uses it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from simulation.training.foundation.plan import FoundationPlan

Access = Literal["api", "licence", "open"]
"""Answers by the token; weights for a fee; weights for everybody."""


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
    """

    supplier: str
    plan: FoundationPlan
    rung: float
    access: Access
    usd_per_million_tokens: float = 0.0
    usd_month: float = 0.0
    month: int = 0

    @property
    def name(self) -> str:
        """The same as long as only prices change."""
        return f"{self.supplier}:{self.plan.key()}:{self.access}"


@dataclass(slots=True)
class ModelMarket:
    """What can be had now, in the order of release, and who uses what: customers by the name of an offer."""

    offers: dict[str, ModelOffer] = field(default_factory=dict)
    users: dict[str, dict[str, None]] = field(default_factory=dict)

    def release(self, offer: ModelOffer) -> None:
        """Put an offer on the market; one of the same name takes its place."""
        self.offers[offer.name] = offer

    def reprice(self, name: str, usd_per_million_tokens: float, usd_month: float = 0.0) -> None:
        """Change the price for contracts closed from now on. Raises `KeyError` for an unknown offer."""
        old = self.offers[name]
        self.offers[name] = replace(old, usd_per_million_tokens=usd_per_million_tokens, usd_month=usd_month)

    def withdraw(self, name: str) -> None:
        """Take an offer off the market; contracts go on until they end."""
        self.offers.pop(name, None)

    def subscribe(self, firm: str, name: str) -> None:
        """Note that a firm builds on an offer."""
        self.users.setdefault(name, {})[firm] = None

    def leave(self, firm: str, name: str) -> None:
        """Note that a firm builds on it no longer."""
        self.users.get(name, {}).pop(firm, None)
