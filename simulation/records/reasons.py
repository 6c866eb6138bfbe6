"""Why a firm left the market: each reason is a kind and its figures; the words are composed from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from simulation.records import words

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
    "prospects",  # founders expect less of it than of another career
    "living dead",  # it neither grows nor earns, and its investors end it
    "line loses",  # an incumbent's line lost more than its strategy is worth
    "size",  # revenue and growth that an exchange asks for
]
LOW_FIELD_ADVANTAGE = 0.5
"""A model disappoints in the field where its advantage there is under this share of that in the lab; assumption."""
LOW_TRUST = 0.4
"""Trust under which it is named as a reason; assumption."""
LARGE_INCUMBENTS_SHARE = 0.5
"""Share of a sector above which what incumbents hold is named as a reason; assumption."""
PHRASES: dict[str, tuple[str, ...]] = {
    "cash": ("cash ran out",),
    "runway": ("cash for {runway_months:.1f} months was left, and nobody invested",),
    "free": ("free users did not convert ({paying_share:.1%} pay)",),
    "no model": ("no model was ready",),
    "field": ("the model disappoints in the field (accuracy {accuracy_field:.2f}, lab {accuracy_lab:.2f})",),
    "trust": ("customers lost trust ({trust:.2f})",),
    "incumbents": ("incumbents hold {share:.0%} of the sector",),
    "given away": ("an incumbent gives a better model away",),
    "refused": ("series {stage} refused at {revenue_usd_year:money} revenue a year",),
    "bought": ("bought by {buyer} for {price_usd:money}",),
    "threat": (
        "bought by {buyer} while healthy",
        "; better in the field ({better_quality:.3f})",
        "; holds {large_share:.0%} of the sector",
    ),
    "misjudged": ("the buyer saw {seen_usd:money} in it, truly {true_usd:money}",),
    "prospects": ("founders expected {expected_usd:money} of it and {outside_usd:money} elsewhere",),
    "living dead": ("it neither grew ({growth_year:.0%} a year) nor earned, {months:.0f} months after its last round",),
    "line loses": ("it lost {loss_usd_month:money} a month, worth {strategic_usd_month:money} to its parent",),
    "size": ("{revenue_usd_year:money} revenue a year, growing {growth_year:.0%}",),
}
"""How each kind is told, by its figures; a part whose figure is missing is left out."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of an ending: its kind, and the figures behind it by name."""

    kind: ReasonKind
    figures: dict[str, Any] = field(default_factory=dict)

    def as_fields(self) -> dict[str, Any]:
        """The reason as events and endings hold it."""
        return {"kind": self.kind, **self.figures}


def told(reason: Mapping[str, Any]) -> str:
    """A reason in words, from its fields; of a kind that this release does not know, its name."""
    return words.told(PHRASES.get(str(reason.get("kind")), (str(reason.get("kind")),)), reason)


def as_records(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Reasons as plain records, the most telling first."""
    return [reason.as_fields() for reason in reasons]
