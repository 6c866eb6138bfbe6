"""What is publicly known of products made of models: accuracies as they were measured, by sector and way of making."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEPT = 8
"""Products that are remembered for each sector and way; assumption."""


class Figures(NamedTuple):
    """Measured accuracies of a firm's product."""

    firm: str
    lab: float
    field: float


class PublicFigures:
    """The last products of each sector and way of making them, as their makers announced them."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], deque[Figures]] = {}

    def publish(self, sector: str, made_of: str, figures: Figures) -> None:
        """Make known what was measured on a product; `made_of` names the way, and the foundation where there is one."""
        self._known.setdefault((sector, made_of), deque(maxlen=KEPT)).append(figures)

    def of_others(self, sector: str, made_of: str, firm: str) -> list[Figures]:
        """What is known of other firms' products that were made in that way, the latest last."""
        return [known for known in self._known.get((sector, made_of), ()) if known.firm != firm]
