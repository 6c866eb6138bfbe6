"""Intervals by drawing whole seeds again: firms of one world share its fate, so seeds are the independent units.

The half-width is Student's quantile times the bootstrap's standard deviation [1], times √(S/(S−1)) for S seeds, so that
few seeds give wide intervals [2]; for plain shares the interval is at least Wilson's.

References
[1] Efron (1979), Bootstrap methods: another look at the jackknife. doi:10.1214/aos/1176344552
[2] Hesterberg (2015), What teachers should know about the bootstrap. doi:10.1080/00031305.2015.1089789
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from analysis.statistics.intervals import FEWEST_SEEDS, LEVEL, Interval, are_alike, no_interval, score_bounds, wilson
from analysis.statistics.survival import Floats
from analysis.statistics.verdicts import MANY_ALIKE

N_BOOTSTRAP = 1000
STREAM = 20140101  # key of the bootstrap's generator: the same tables give the same interval


@dataclass(frozen=True, slots=True)
class Scale:
    """What values a statistic can take.

    share: `plain` of successes among the observations, or an `estimate` of a share; None for other numbers.
    highest: largest value that it can take (None: none).
    """

    share: Literal["plain", "estimate"] | None = None
    lowest: float = 0.0
    highest: float | None = None


PLAIN_SHARE = Scale("plain", 0.0, 1.0)
ESTIMATED_SHARE = Scale("estimate", 0.0, 1.0)
POSITIVE = Scale()
NUMBER = Scale(None, -math.inf, None)
CORRELATION = Scale(None, -1.0, 1.0)


def by_seed(seen: pd.DataFrame, columns: Sequence[str], seeds: Sequence[int]) -> list[Floats]:
    """Values of each seed, shape (n, columns); seeds without any have n = 0."""
    values, places = seen[list(columns)].to_numpy(float), seen.groupby("seed").indices
    none = np.empty(0, int)
    return [values[places.get(seed, none)] for seed in seeds]


def interval_of(values: Sequence[Floats], reduce: Callable[[Floats], float], scale: Scale) -> Interval:
    """A statistic of all observations together, with its interval; values: those of each seed.

    Where every draw gives the same, see `_bounds_where_alike`. Fewer than two seeds with observations have no interval
    (NaN).
    """
    return intervals_of(values, lambda all_of_them: np.array([reduce(all_of_them)]), [scale])[0]


def intervals_of(
    values: Sequence[Floats], reduce: Callable[[Floats], Floats], scales: Sequence[Scale]
) -> list[Interval]:
    """Several statistics of the same observations, as `interval_of`; `reduce` returns one number per scale."""
    pooled = np.concatenate(values) if len(values) else np.zeros((0, 1))
    estimates, n_seen = reduce(pooled), sum(len(one) > 0 for one in values)
    if n_seen < FEWEST_SEEDS or np.isnan(estimates).all():
        return [no_interval(float(one), len(pooled)) for one in estimates]
    drawn = np.array([reduce(np.concatenate([values[i] for i in draw])) for draw in _drawn(len(values), N_BOOTSTRAP)])
    return [
        bounded(float(one), len(pooled), len(values), n_seen, draws, scale)
        for one, draws, scale in zip(estimates, drawn.T, scales, strict=True)
    ]


def ratio_of(hits: ArrayLike, totals: ArrayLike, scale: Scale, n: int | None = None) -> Interval:
    """Sum of `hits` over sum of `totals`, both of shape (seeds,); n: observations (None: the sum of `totals`)."""
    above, below = np.asarray(hits, float), np.asarray(totals, float)
    n = round(float(below.sum())) if n is None else n
    estimate = float(above.sum() / below.sum()) if below.sum() > 0 else math.nan
    n_seen = int((below > 0).sum())
    if n_seen < FEWEST_SEEDS:
        return no_interval(estimate, n)
    counts = drawn_counts(len(below))
    sums = counts @ below
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = np.where(sums > 0, counts @ above / sums, math.nan)
    return bounded(estimate, n, len(below), n_seen, draws, scale)


def mean_of(values: ArrayLike, scale: Scale = POSITIVE) -> Interval:
    """Mean over seeds of one number per seed; seeds without one (NaN) are left out, n counts the others."""
    numbers: np.ndarray = np.asarray(values, float)
    seen = np.isfinite(numbers)
    return ratio_of(np.where(seen, numbers, 0.0), seen, scale)


def bounded(estimate: float, n: int, n_seeds: int, n_seen: int, draws: Floats, scale: Scale) -> Interval:
    """An estimate with the interval that its draws give; `n_seen`: seeds with observations. Draws may be NaN."""
    draws = draws[np.isfinite(draws)]
    if n_seen < FEWEST_SEEDS or math.isnan(estimate):
        return no_interval(estimate, n)
    if are_alike(draws, scale=abs(estimate)):
        return Interval(estimate, *_bounds_where_alike(estimate, n_seen, scale), n)
    half = _student(n_seeds) * float(draws.std()) * math.sqrt(n_seeds / (n_seeds - 1))
    low, high = estimate - half, estimate + half
    if scale.share == "plain":
        alone = wilson(round(estimate * n), n)
        low, high = min(low, alone.low), max(high, alone.high)
    return Interval(estimate, max(low, scale.lowest), high if scale.highest is None else min(high, scale.highest), n)


def drawn_counts(n_seeds: int) -> Floats:
    """How often each seed is drawn in each draw, shape (N_BOOTSTRAP, seeds)."""
    return _counts(n_seeds, N_BOOTSTRAP)


@lru_cache(maxsize=4)
def _counts(n_seeds: int, n_draws: int) -> Floats:
    return np.array([np.bincount(draw, minlength=n_seeds) for draw in _drawn(n_seeds, n_draws)], float)


@lru_cache(maxsize=4)
def _drawn(n_seeds: int, n_draws: int) -> NDArray[np.int64]:
    """Which seeds are drawn in each draw, shape (draws, seeds)."""
    return np.random.Generator(np.random.Philox(key=STREAM)).integers(n_seeds, size=(n_draws, n_seeds))


def _bounds_where_alike(estimate: float, n_seeds: int, scale: Scale) -> tuple[float, float]:
    """Bounds where drawing seeds again always gives the same, so that their spread is not known.

    Of a share: Wilson's of as many observations as there are seeds. Another number is a point where many seeds agree
    (the median of rounds that are all of the usual size), and has no bounds (NaN) where they are a handful.
    """
    if scale.share is not None:
        return score_bounds(estimate, n_seeds)
    return (estimate, estimate) if n_seeds >= MANY_ALIKE else (math.nan, math.nan)


def _student(n_seeds: int) -> float:
    return float(stdtrit(n_seeds - 1, (1 + LEVEL) / 2))
