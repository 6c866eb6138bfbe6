"""Why a firm left the market: each reason with its kind and its figures, so that nobody has to read its words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

ReasonKind = Literal[
    "cash",  # it ran out
    "runway",  # it would have run out soon, so a buyer was looked for
    "free",  # free users did not convert
    "no model",
    "field",  # the model disappoints in the field
    "trust",
    "incumbents",  # they hold most of the sector
    "given away",  # one gives a better model away
    "refused",  # the last raise was refused, and no round came after it
    "bought",  # somebody bought it in need
    "threat",  # somebody bought it while it was healthy
    "misjudged",  # the buyer saw something else than there was
    "size",  # revenue and growth that an exchange asks for
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of an ending: its kind, how it is told, and the figures behind it by name."""

    kind: ReasonKind
    says: str
    figures: dict[str, Any] = field(default_factory=dict)

    def as_fields(self) -> dict[str, Any]:
        """The reason as the `fields` of an event hold it."""
        return {"kind": self.kind, "says": self.says, **self.figures}


def told(reasons: Iterable[Reason]) -> str:
    """Reasons in words, for people."""
    return "; ".join(reason.says for reason in reasons)


def as_fields(reasons: Iterable[Reason]) -> dict[str, Any]:
    """The same for the `fields` of the event that ends a firm."""
    return {"causes": [reason.as_fields() for reason in reasons]}
