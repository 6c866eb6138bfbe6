"""The ladders of foundations: rungs F0, F0.5, F1, … whose compute grows by the square root of ten from F0 to F1.

Width and tokens of a rung follow from its compute, in the proportion that the fit to measured losses found best
(docs/foundation-models.md). A ladder is data: it ends where its machine would train for more than minutes. A rung
beyond is an error, never an extrapolated quality.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from simulation.training.foundation.plan import BATCH_STEP, WIDTH_STEP, FoundationPlan
from simulation.training.values import shown

FIRST_FLOPS = 3.2e10
"""Training operations of F0: about a second of one core; assumption."""
GROWTH = math.sqrt(10.0)
"""Of the compute from a rung to the next."""
FIRST_YEAR = 2018
"""Until when F0 is the frontier; assumption."""
WIDTH_1T, WIDTH_EXPONENT = 48.0, 0.3
"""Best width at 10^12 operations, and the power of compute that it grows by."""
RATE_64, RATE_EXPONENT = 4e-3, 0.5
"""Learning rate at width 64, and the power of the width that it falls by."""
MAIN_LADDER = "laptop"
_NAME = re.compile(r"F(\d+)(\.5)?")


@dataclass(frozen=True, slots=True)
class Ladder:
    """How far foundations go on one kind of machine.

    Attributes:
        name: that a world calls it by.
        yearly: rungs by which the frontier moves in a year.
        last: the largest rung.
        batch: texts of a step at F0.
        batch_growth: what the batch grows by from rung to rung.
    """

    name: str
    yearly: float
    last: float
    batch: int
    batch_growth: float

    @property
    def rungs(self) -> tuple[float, ...]:
        """All rungs, by halves."""
        return tuple(n / 2 for n in range(int(2 * self.last) + 1))

    def frontier(self, year: int) -> float:
        """The largest rung that anyone trains in that year."""
        return min(max(year - FIRST_YEAR, 0) * self.yearly, self.last)

    def plan(self, rung: float) -> FoundationPlan:
        """What the foundation of that rung is trained on: broad text of full quality.

        Raises:
            ValueError: the ladder has no such rung.
        """
        if rung not in self.rungs:
            has = f"it has F0 to {name_of(self.last)}, by halves"
            raise ValueError(f"foundation {name_of(rung)} is beyond the ladder {self.name!r}: {has}")
        flops = FIRST_FLOPS * GROWTH**rung
        width = best_width(flops)
        batch = BATCH_STEP * max(1, round(self.batch * self.batch_growth**rung / BATCH_STEP))
        rate = float(f"{RATE_64 * (64 / width) ** RATE_EXPONENT:.3g}")
        return FoundationPlan(width, round(flops / flops_per_token(width)), learning_rate=rate, batch=batch)


LADDERS = {
    ladder.name: ladder
    for ladder in (
        Ladder(MAIN_LADDER, yearly=0.5, last=6.0, batch=64, batch_growth=1.0),
        Ladder("gpu", yearly=1.0, last=12.0, batch=64, batch_growth=1.6),
    )
}
"""By name: what one core trains in minutes, and what a card of 80 to 140 GB does. That the card is a thousand times
faster is an assumption, and so is the growth of its batches."""


def best_width(flops: float) -> int:
    """The width that makes most of that compute, a multiple of 16."""
    return WIDTH_STEP * max(1, round(WIDTH_1T * (flops / 1e12) ** WIDTH_EXPONENT / WIDTH_STEP))


def flops_per_token(width: int) -> float:
    """Training operations of a foundation for each token that it reads (`TextModel`, as `ladder.training_flops`)."""
    return 97.5 * width**2 + 320.0 * width


def name_of(rung: float) -> str:
    """F0, F0.5, F1, …"""
    return f"F{rung:g}"


def foundation_named(name: str, ladder: str = MAIN_LADDER) -> FoundationPlan:
    """The plan of a rung by its name, as F2 or F2.5, or with its ladder, as gpu/F7.

    Raises:
        ValueError: no ladder has such a rung.
    """
    check_name("foundation", name)
    ladder, rung = name.split("/") if "/" in name else (ladder, name)
    return LADDERS[ladder].plan(float(rung[1:]))


def check_name(field: str, value: Any) -> None:
    """Raise `ValueError` unless the value names a rung of a ladder."""
    text = value if isinstance(value, str) else ""
    ladder, _, rung = text.rpartition("/")
    found = LADDERS.get(ladder or MAIN_LADDER)
    if found is None or not _NAME.fullmatch(rung) or float(rung[1:]) not in found.rungs:
        ranges = ", ".join(f"{one.name}/F0 to {one.name}/{name_of(one.last)}" for one in LADDERS.values())
        raise ValueError(f"{field} must be a rung as F2 or F2.5, of {ranges} by halves, not {shown(value)}")


def label(plan: FoundationPlan) -> str:
    """The name of a rung where the plan is one's, its key where it is none."""
    names = (
        f"{ladder.name}/{name_of(rung)}"
        for ladder in LADDERS.values()
        for rung in ladder.rungs
        if ladder.plan(rung) == plan
    )
    return next(names, plan.key())
