"""What founders hear of a sector: rounds and exits that encourage, refusals and failures that do not, and fade."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from simulation.records.events import Acquired, Bankrupt, Event, GaveUp, Listed, RaiseRefused, Round

if TYPE_CHECKING:
    from agents.firm.owner import World

_GOOD: tuple[type[Event], ...] = (Round, Listed)
_BAD: tuple[type[Event], ...] = (RaiseRefused, Bankrupt, GaveUp)


def is_good(event: Event, raised_usd: float) -> bool | None:
    """Whether an event of a startup encourages founders; None where it says nothing of success.

    A seed round comes with every founding and tells nothing; a sale is good news where it pays more than was raised.
    """
    if isinstance(event, Acquired):
        return event.amount_usd > raised_usd
    if isinstance(event, _BAD):
        return False
    return True if isinstance(event, _GOOD) and getattr(event, "stage", "") != "seed" else None


class News:
    """Faded numbers of good and bad news by sector: exp(−Δ/`memory_months`) of what was told Δ months ago is left."""

    def __init__(self, model: World) -> None:
        self.model = model
        self._told: dict[str, tuple[int, float, float]] = {}  # month of the last update, good, bad

    def hear(self, name: str, event: Event) -> None:
        """Take notice of an event of a firm."""
        firm = self.model.firms.get(name)
        if firm is None or firm.kind != "startup":
            return
        good = is_good(event, getattr(firm, "raised_usd", 0.0))
        if good is not None:
            before = self.of(firm.sector)
            self._told[firm.sector] = (self.model.month, before[0] + good, before[1] + (not good))

    def of(self, sector: str) -> tuple[float, float]:
        """(Good, bad) news of a sector, as they are remembered now."""
        month, good, bad = self._told.get(sector, (self.model.month, 0.0, 0.0))
        left = exp((month - self.model.month) / self.model.settings.founding.memory_months)
        return good * left, bad * left
