"""The data multiplier: how many rows from scratch a row on a foundation is worth, and how that grows with compute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.training.law import LEVEL, Array

FEW = 256
"""Labelled rows on a foundation for which the multiplier is measured."""
RESAMPLES = 1000
FEWEST_RUNGS = 3
UNIT_FLOPS = 1e12


def multiplier(rows: Sequence[int], curve: Sequence[float], target: float) -> float | None:
    """Rows at which a curve reaches the target, over `FEW`: by the logarithm of rows between those measured.

    The curve is taken as never falling. A target that is reached at the fewest rows gives their number, one that is
    never reached gives None: nothing is extrapolated.
    """
    rising = np.maximum.accumulate(np.asarray(curve, dtype=float))
    reached = np.flatnonzero(rising >= target)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return rows[0] / FEW
    share = (target - rising[at - 1]) / (rising[at] - rising[at - 1])
    return float(math.exp(math.log(rows[at - 1]) + share * math.log(rows[at] / rows[at - 1])) / FEW)


def median(values: Sequence[float | None]) -> float | None:
    """The median, where those that are out of sight are larger than all others; None where it is out of sight too."""
    middle = float(np.median(_finite_or_infinite(values)))
    return middle if math.isfinite(middle) else None


@dataclass(frozen=True)
class Power:
    """multiplier = scale · (operations / 10¹²)^exponent.

    Attributes:
        scale, exponent: least squares of logarithms.
        low, high: 95 % of the exponent, by drawing whole sectors again.
        r_squared: of the logarithms of medians.
        n_rungs: rungs whose median was in sight.
    """

    scale: float
    exponent: float
    low: float
    high: float
    r_squared: float
    n_rungs: int


def fit_power(flops: Sequence[float], multipliers: Sequence[Sequence[float | None]]) -> Power | None:
    """The power law through medians over sectors; None where fewer than three are in sight.

    Args:
        flops: training operations of each rung.
        multipliers: [rungs, sectors], None where out of sight.
    """
    table = np.asarray([_finite_or_infinite(row) for row in multipliers])
    x = np.log(np.asarray(flops, dtype=float) / UNIT_FLOPS)
    found = _line(x, table)
    if found is None:
        return None
    draws = np.random.default_rng(0).integers(0, table.shape[1], (RESAMPLES, table.shape[1]))
    again = [line[0] for draw in draws if (line := _line(x, table[:, draw])) is not None]
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    slope, intercept, r_squared, n_rungs = found
    return Power(math.exp(intercept), slope, float(low), float(high), r_squared, n_rungs)


def _finite_or_infinite(values: Sequence[float | None]) -> Array:
    return np.asarray([math.inf if value is None else value for value in values], dtype=float)


def _line(x: Array, table: Array) -> tuple[float, float, float, int] | None:
    """Slope, intercept, R² and number of points of the logarithms of medians."""
    medians = np.median(table, axis=1)
    seen = np.isfinite(medians)
    if seen.sum() < FEWEST_RUNGS:
        return None
    y = np.log(medians[seen])
    slope, intercept = np.polyfit(x[seen], y, 1)
    left = y - slope * x[seen] - intercept
    whole = float(((y - y.mean()) ** 2).sum())
    r_squared = 1.0 - float((left**2).sum()) / whole if whole > 0 else 1.0
    return float(slope), float(intercept), r_squared, int(seen.sum())
