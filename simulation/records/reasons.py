"""Why a firm left the market: each reason is a kind and its figures; the words are composed from them.

What made it leave comes first (`cash`, `runway`). Then its causes, in the categories that surveys of founders use: each
is something that set the firm apart from its peers while it declined, and without which it would have lived at least
`LEAST_MONTHS_BOUGHT` longer (`agents/diagnosis/`). Measures of a cause are declared here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from simulation.records import words

Category = Literal[
    "capital",
    "no need",
    "outcompeted",
    "price or cost",
    "product",
    "team",
    "regulation",
    "timing",
]
"""Categories of causes, as in surveys of founders."""
CATEGORIES: tuple[Category, ...] = get_args(Category)
ReasonKind = Literal[
    Category,
    "cash",  # it ran out
    "runway",  # it would have run out soon, so a buyer was looked for
    "none apart",  # nothing set it apart from its peers that would have bought it months
    "no peers",  # there were too few to tell
    "bought",  # somebody bought it in need
    "threat",  # somebody bought it while it was healthy
    "misjudged",  # the buyer saw something else than there was
    "prospects",  # founders expect less of it than of another career
    "living dead",  # it neither grows nor earns, and its investors end it
    "line loses",  # an incumbent's line lost more than its strategy is worth
    "size",  # revenue and growth that an exchange asks for
]
NOTHING_TOLD: tuple[ReasonKind, ...] = ("none apart", "no peers")
"""Kinds that say that no cause was found: they cause nothing."""
MeasureName = Literal[
    "raised", "refused", "adopting", "customers lost", "customers won", "gross margin", "paying share", "no model",
    "lab advantage", "field advantage", "trust", "skill", "lost runs", "regulation cost", "barred", "climate",
    "looking",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measure:
    """What a cause may be found in: its category, unit and meaning, and whether much of it is bad for a firm."""

    category: Category
    unit: str
    meaning: str
    much_is_bad: bool = False


MEASURES: dict[MeasureName, Measure] = {
    "raised": Measure("capital", "USD", "money raised until the age that the firm reached"),
    "refused": Measure("capital", "0/1", "refused money, though its revenue grew like that of its peers", True),
    "adopting": Measure("no need", "share", "of the customers in its segments who looked, those who took any offer"),
    "customers lost": Measure("outcompeted", "1/month", "customers lost, beyond what its product explains", True),
    "customers won": Measure(
        "outcompeted",
        "ratio",
        "new monthly sales per dollar of costs, beyond what its product and its segments explain",
    ),
    "gross margin": Measure("price or cost", "share", "sales less serving, goods and operations staff"),
    "paying share": Measure("price or cost", "share", "of its users, by value, those who pay; only with free users"),
    "no model": Measure("product", "share", "of its offers and months, those without a model", True),
    "lab advantage": Measure("product", "advantage", "over the traditional method, as promised"),
    "field advantage": Measure("product", "advantage", "over the traditional method, as lived"),
    "trust": Measure("product", "0..1", "trust of its customers"),
    "skill": Measure("team", "0..1", "skill of its researchers, less while a key person was missing"),
    "lost runs": Measure("team", "runs", "work lost in training runs that broke down", True),
    "regulation cost": Measure("regulation", "share", "of its costs: fines, examinations, compliance", True),
    "barred": Measure("regulation", "share", "of its offers and months, those with a model not to be sold", True),
    "climate": Measure("timing", "ratio", "funding climate against that of its last round"),
    "looking": Measure("timing", "1/month", "unserved customers in its segments who looked"),
}
"""All measures of causes. Values are means over the months looked at, but where their meaning says otherwise."""

LEAST_PEERS = 4
"""Peers from which there are quartiles to compare with: with fewer, a quartile would be read off a single firm."""
DECLINE_MONTHS = 12
"""Months before the end over which a firm is compared with its peers."""
LEAST_MONTHS_BOUGHT = 6.0
"""Months of life that a cause must have cost."""
MOST_MONTHS_BOUGHT = words.MANY_MONTHS
"""Months of life beyond which nothing is told apart: assumption."""

_APART = ("{kind}: {measure} {own:figure}, {peers:figure} of its peers; undone, {months_bought:months} more",)
PHRASES: dict[str, tuple[str, ...]] = {
    "cash": ("cash ran out",),
    "runway": ("cash for {runway_months:.1f} months was left, and nobody invested",),
    **dict.fromkeys(CATEGORIES, _APART),
    "none apart": ("nothing set it apart from its {n_peers} peers",),
    "no peers": ("it had too few peers to compare it with",),
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
