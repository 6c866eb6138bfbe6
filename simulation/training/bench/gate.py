"""The gate before a benchmark: only who trains to the same loss is timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-3
"""Largest difference of a member's loss from the plain contender's, in shares of it: rounding in another order gives a
few millionths after 300 steps of Adam (measured), other first weights or minibatches a hundredth and more."""
ABSOLUTE = 1e-4
"""The same for losses near 0, in nats; assumption."""


@dataclass(frozen=True)
class Gate:
    """Last losses of the same members, contender by contender.

    Attributes:
        reference: name of the plain contender.
        losses: by contender, one figure per member.
    """

    reference: str
    losses: Mapping[str, Sequence[float]]

    def difference(self, name: str) -> float:
        """Largest difference from the reference, in allowed differences: at most 1 passes."""
        pairs = zip(self.losses[name], self.losses[self.reference], strict=True)
        return max((_share_of_allowed(one, other) for one, other in pairs), default=0.0)

    def passes(self, name: str) -> bool:
        """Whether that contender is timed."""
        return self.difference(name) <= 1.0

    def rows(self) -> list[dict[str, Any]]:
        """The gate as JSON says it; differences in allowed ones."""
        return [
            {
                "name": name,
                "losses": list(losses),
                "difference_of_allowed": self.difference(name),
                "passed": self.passes(name),
            }
            for name, losses in self.losses.items()
        ]


def _share_of_allowed(one: float, other: float) -> float:
    found = abs(one - other) / max(TOLERANCE * abs(other), ABSOLUTE)
    return found if found == found else float("inf")  # not a number: never equal


def document(gate: Gate) -> dict[str, Any]:
    """What the document of a benchmark says of it."""
    return {"reference": gate.reference, "tolerance": TOLERANCE, "absolute": ABSOLUTE, "contenders": gate.rows()}


def why_not(gate: Gate, name: str) -> str:
    """Why a contender is not timed."""
    return f"its losses are {gate.difference(name):.3g} times as far from those of {gate.reference} as is allowed"
