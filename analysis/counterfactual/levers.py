"""The levers that `ventures explain` pulls on one firm, and the unit in which it compares how hard.

A size is a share of the lever's range in LEVERS: the distance between two values, over the distance between the ends of
the range, both on the lever's scale. Ranges are the schema's where it bounds a share, else about what firms of the
shipped scenarios span (assumptions). A switch (a way of earning, a compression) has no size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from agents.settings import Compression
from analysis.counterfactual.changes import Changes
from analysis.explain.offers import FREEMIUM
from simulation.revenue import MODELS

if TYPE_CHECKING:
    from agents.settings import FirmSettings


@dataclass(frozen=True)
class LeverSetting:
    """One setting: its path below the firm, the ends of its range, and whether its scale is logarithmic."""

    path: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value stands: 0 at the low end of the range, 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, place: float) -> float:
        """The value at a place, rounded to four figures and never beyond the range."""
        place = min(max(place, 0.0), 1.0)
        raw = self.low * (self.high / self.low) ** place if self.log else self.low + place * (self.high - self.low)
        return float(f"{raw:.4g}")


@dataclass(frozen=True)
class Lever:
    """Knobs that move together.

    helps: +1 more of it helps a firm, −1 less does, 0 open, so both ways are tried.
    acts_on: the causes of an ending that it acts on directly: a measure or a kind of `simulation.records.reasons`, or a
        rule.
    """

    name: str
    knobs: tuple[LeverSetting, ...]
    helps: int
    acts_on: tuple[str, ...] = ()


LEVERS: tuple[Lever, ...] = (
    Lever(
        "skill of its researchers",
        (LeverSetting("skill", 0, 1),),
        +1,
        ("skill", "no model", "lab advantage", "field advantage", "field gap", "growth", "threat"),
    ),
    Lever("collaboration", (LeverSetting("collaboration", 0.5, 1.6),), +1),
    Lever(
        "data from the field",
        (LeverSetting("field_share", 0, 1), LeverSetting("data_operations", 0, 1)),
        +1,
        ("field advantage", "field gap", "trust", "growth"),
    ),
    Lever(
        "rows at the start",
        (LeverSetting("rows", 1e3, 1e8, log=True),),
        +1,
        ("lab advantage", "field advantage", "field gap", "growth"),
    ),
    Lever(
        "seed capital",
        (LeverSetting("capital_usd", 1e5, 1e8, log=True),),
        +1,
        ("cash", "runway", "raised", "refused", "unfunded", "money"),
    ),
    Lever("price level", (LeverSetting("price_level", 0.25, 4, log=True),), 0, ("gross margin", "burn", "profit")),
    Lever("prevention of incidents", (LeverSetting("prevention", 0, 0.95),), +1, ("trust", "incident")),
    Lever("months before a pivot", (LeverSetting("pivot_months", 3, 120, log=True),), 0, ("paying share", "free")),
    Lever("marketing share", (LeverSetting("marketing_share", 0, 0.6),), 0, ("customers won",)),
    Lever("research share of wages", (LeverSetting("research_share", 0.05, 0.95),), 0),
    Lever("months between models", (LeverSetting("release_months", 3, 36, log=True),), 0, ("no model", "growth")),
    Lever("engineering: hardware", (LeverSetting("engineering.hardware", 0.2, 3, log=True),), +1, ("no model",)),
    Lever("engineering: memory", (LeverSetting("engineering.memory", 0.2, 3, log=True),), +1, ("no model",)),
    Lever("engineering: losses to parallel code", (LeverSetting("engineering.parallelism", 0, 4),), -1, ("no model",)),
    Lever(
        "engineering: runs that break down",
        (LeverSetting("engineering.failure_rate", 0, 0.9),),
        -1,
        ("lost runs", "no model"),
    ),
    Lever(
        "engineering: work lost in a breakdown",
        (LeverSetting("engineering.lost_share", 0, 1),),
        -1,
        ("lost runs", "no model"),
    ),
)
LEAST_ROOM = 0.01  # a lever that stands nearer to the end of its range cannot be pulled
NOTHING_FREE = "others sell what they gave away"
STARTUP_MODELS = tuple(model for model in MODELS if model != "bundle")  # only a parent's other business pays for one


@dataclass(frozen=True)
class LeverChange:
    """One lever in one direction (+1, −1), from where the firm stands; for a switch the settings it puts in place.

    start: values of the knobs; sold: segments that other firms sell instead of giving them away.
    acts_on: what it takes away, as causes of endings and rules name it (docs/explain.md).
    """

    lever: str
    direction: int
    knobs: tuple[LeverSetting, ...] = ()
    start: tuple[float, ...] = ()
    switch: tuple[tuple[str, Any], ...] = ()
    sold: tuple[tuple[str, tuple[str, ...]], ...] = ()
    acts_on: tuple[str, ...] = ()

    @property
    def room(self) -> float:
        """The largest size: until the last of its knobs is at the end of the range."""
        places = [knob.place(value) for knob, value in zip(self.knobs, self.start, strict=True)]
        return max((1 - place if self.direction > 0 else place for place in places), default=0.0)

    def changes(self, size: float) -> dict[str, Any]:
        """The firm's settings at that size."""
        moved = {}
        for knob, value in zip(self.knobs, self.start, strict=True):
            room = 1 - knob.place(value) if self.direction > 0 else knob.place(value)
            if room > 0:
                moved[knob.path] = knob.value(knob.place(value) + self.direction * min(size, room))
        return {**moved, **dict(self.switch)}

    def at(self, size: float) -> Changes:
        """The changes of a replay at that size."""
        return Changes(self.changes(size), dict(self.sold))

    def says(self, size: float) -> str:
        """The change in words: path, before → after."""
        after = self.changes(size)
        before = {knob.path: value for knob, value in zip(self.knobs, self.start, strict=True)}
        moves = [f"{path} {before[path]:,.4g} → {after[path]:,.4g}" for path in before if path in after]
        return ", ".join(moves) or self.lever


def lever_changes(
    settings: FirmSettings, failed: bool, given_away: Mapping[str, tuple[str, ...]] | None = None
) -> list[LeverChange]:
    """All pulls on a firm: those that should help where it failed, those that should hurt where it did not.

    given_away: by other firm, the segments in which it gave away what this one sells.
    """
    data = settings.model_dump()
    pulls = []
    for lever in LEVERS:
        wanted = (lever.helps if failed else -lever.helps,) if lever.helps else (+1, -1)
        start = tuple(float(value_at(data, knob.path)) for knob in lever.knobs)
        pulls += [LeverChange(lever.name, way, lever.knobs, start, acts_on=lever.acts_on) for way in wanted]
    others = [giving_nothing(given_away)] if failed and given_away else []
    return [*(pull for pull in pulls if pull.room >= LEAST_ROOM), *switches(settings), *others]


def giving_nothing(given_away: Mapping[str, tuple[str, ...]]) -> LeverChange:
    """Others sell what they gave away."""
    acts_on = ("customers lost", "customers won", "paying share", "bundle")
    return LeverChange(NOTHING_FREE, 0, sold=tuple(sorted(given_away.items())), acts_on=acts_on)


def switches(settings: FirmSettings) -> list[LeverChange]:
    """Other ways of earning in each segment, one at a time, and other compressions."""
    offers = dict(settings.offers)
    earning = [
        LeverChange(
            f"{segment}: {how} → {other}",
            0,
            switch=(("offers", {**offers, segment: other}),),
            acts_on=("gross margin", "burn", "profit", *(["paying share", "free"] if how == FREEMIUM else [])),
        )
        for segment, how in offers.items()
        for other in STARTUP_MODELS
        if other != how
    ]
    before = settings.compression
    packed = [
        LeverChange(f"compression: {before} → {other}", 0, switch=(("compression", other),))
        for other in get_args(Compression)
        if other != before
    ]
    return [*earning, *packed]


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path."""
    node: Any = data
    for part in path.split("."):
        node = node[part]
    return node
