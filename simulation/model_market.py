"""Foundation models on offer: who has released which, how one can get at it, at what price, and who uses it.

And what is publicly known of products that were made of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

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


class Figures(NamedTuple):
    """Measured accuracies of a firm's product, as it makes them known."""

    firm: str
    lab: float
    field: float


KEPT_FIGURES = 8
"""Products whose figures are remembered for each sector and way of making them; assumption."""


@dataclass(slots=True)
class ModelMarket:
    """What can be had now, in the order of release, and who uses what: customers by the name of an offer.

    `changes` counts releases and withdrawals, so that who looks again sees whether there is anything new.
    """

    offers: dict[str, ModelOffer] = field(default_factory=dict)
    users: dict[str, dict[str, None]] = field(default_factory=dict)
    changes: int = 0
    _figures: dict[tuple[str, str], deque[Figures]] = field(default_factory=dict)

    def release(self, offer: ModelOffer) -> None:
        """Put an offer on the market; one of the same name takes its place."""
        self.offers[offer.name] = offer
        self.changes += 1

    def reprice(self, name: str, usd_per_million_tokens: float, usd_month: float = 0.0) -> None:
        """Change the price for contracts closed from now on. Raises `KeyError` for an unknown offer."""
        old = self.offers[name]
        self.offers[name] = replace(old, usd_per_million_tokens=usd_per_million_tokens, usd_month=usd_month)

    def withdraw(self, name: str) -> None:
        """Take an offer off the market; who builds on it has the time of notice of its contract."""
        if self.offers.pop(name, None) is not None:
            self.changes += 1

    def subscribe(self, firm: str, name: str) -> None:
        """Note that a firm builds on an offer."""
        self.users.setdefault(name, {})[firm] = None

    def leave(self, firm: str, name: str) -> None:
        """Note that a firm builds on it no longer."""
        self.users.get(name, {}).pop(firm, None)

    def publish(self, sector: str, made_of: str, figures: Figures) -> None:
        """Make known what was measured on a product of a sector; `made_of`: the kind, and the foundation's key."""
        self._figures.setdefault((sector, made_of), deque(maxlen=KEPT_FIGURES)).append(figures)

    def figures_of_others(self, sector: str, made_of: str, firm: str) -> list[Figures]:
        """What is known of the last products that other firms made in the same way, the latest last."""
        return [known for known in self._figures.get((sector, made_of), ()) if known.firm != firm]
