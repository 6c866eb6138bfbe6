"""How much hangs on a number that we chose: the match with each such bound moved by up to a quarter, either way.

A bound that the chapter or a fact gives is no choice, and a bound of 0 is a sign. The curve comes from the worlds that
were played: only the statement with the bound is judged anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.cases.evidence import Evidence
from analysis.cases.expectations import counted, measured, within
from analysis.statistics.intervals import Interval, wilson

if TYPE_CHECKING:
    from scenarios.expectation import Expectation

PERCENT = tuple(range(75, 126, 5))
"""What a bound is moved to, in per cent of itself."""


@dataclass(frozen=True)
class Point:
    """A bound moved: by which factor, what it is then, and the match with it."""

    factor: float
    bound: float
    share: Interval


@dataclass(frozen=True)
class Threshold:
    """One bound of a statement (`side`: at_least or at_most), and the match along its curve."""

    id: str
    side: str
    bound: float
    curve: tuple[Point, ...]

    @property
    def worst(self) -> Point:
        """Where the match is smallest; of several points the one nearest to the bound."""
        return min(self.curve, key=lambda point: (point.share.estimate, abs(point.factor - 1)))


def worst_of(thresholds: Sequence[Threshold]) -> tuple[Threshold, Point] | None:
    """The bound with the smallest match on its curve, and where."""
    found = [(one, one.worst) for one in thresholds]
    return min(found, key=lambda pair: pair[1].share.estimate, default=None)


def thresholds_of(
    expectations: Sequence[Expectation], focal: str | None, evidence: Evidence, verdicts: pd.DataFrame
) -> tuple[Threshold, ...]:
    """The curves of all bounds that were chosen; `verdicts`: which statement holds in which seed, seeds × ids."""
    return tuple(
        threshold_of(one, side, bound, focal, evidence, _others(expectations, one, verdicts))
        for one in counted(expectations)
        for side, bound in chosen_bounds(one)
    )


def chosen_bounds(one: Expectation) -> Iterator[tuple[str, float]]:
    """The bounds of a statement that neither the chapter nor a fact gives, and that are more than a sign."""
    if one.from_chapter or one.fact is not None:
        return
    for side in ("at_least", "at_most"):
        if bound := getattr(one, side):
            yield side, float(bound)


def threshold_of(
    one: Expectation, side: str, bound: float, focal: str | None, evidence: Evidence, others: pd.Series
) -> Threshold:
    """The curve of one bound; `others`: seeds that meet all other statements that count."""
    figures = measured(one, one.firm or focal, evidence)
    points = []
    for percent in PERCENT:
        moved = bound * percent / 100  # in this order whole numbers stay whole
        met = within(figures, one.model_copy(update={side: moved})).reindex(others.index, fill_value=False) & others
        points.append(Point(percent / 100, moved, wilson(int(met.sum()), len(met))))
    return Threshold(one.id, side, bound, tuple(points))


def _others(expectations: Sequence[Expectation], one: Expectation, verdicts: pd.DataFrame) -> pd.Series:
    return verdicts[[other.id for other in counted(expectations) if other.id != one.id]].all(axis=1)
