"""Heavy tails: how fast does the share of values above x fall, P(X > x) ∝ x^−ζ?

References
[1] Hill (1975), A simple general approach to inference about the tail of a distribution. doi:10.1214/aos/1176343247
[2] Clauset, Shalizi & Newman (2009), Power-law distributions in empirical data. doi:10.1137/070710111
[3] Gabaix & Ibragimov (2011), Rank − 1/2: a simple way to improve the OLS estimation of tail exponents.
    doi:10.1198/jbes.2009.06157
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import linregress

from analysis.statistics.survival import Floats

FEWEST_POINTS = 50  # of a tail: "n ≳ 50 is a reasonable rule of thumb" [2], section 3.2
MOST_CUT_OFFS = 200  # tried, evenly spaced in the logarithm of the points above: keeps the cost linear


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of a sample: exponents ζ with their standard errors, and the `n` values above `cut_off` behind them.

    hill: Hill's estimator [1], error ζ/√n; rank_size: least squares of ln(rank − 1/2) on ln x [3], error ζ·√(2/n).
    Both errors take values as independent, which firms of one world are not. NaN where there is no tail.
    """

    cut_off: float
    n: int
    hill: float
    hill_error: float
    rank_size: float
    rank_size_error: float


NO_TAIL = Tail(math.nan, 0, math.nan, math.nan, math.nan, math.nan)


def tail_of(values: ArrayLike) -> Tail:
    """The tail of positive values above the cut-off from which a power law fits best.

    Of all cut-offs that leave at least `FEWEST_POINTS` above them it is the one whose tail has the smallest
    Kolmogorov–Smirnov distance from the fitted law [2]. `NO_TAIL` where there are too few values, or all are alike.
    """
    given: Floats = np.asarray(values, float)
    falling = np.sort(given[np.isfinite(given) & (given > 0)])[::-1]
    candidates = cut_offs(falling)
    if not len(candidates):
        return NO_TAIL
    n = int(min(candidates, key=lambda k: distance(falling, int(k))))
    exponent = hill(falling, n)
    slope = rank_size(falling[:n])
    return Tail(float(falling[n]), n, exponent, exponent / math.sqrt(n), slope, slope * math.sqrt(2 / n))


def cut_offs(falling: Floats) -> np.ndarray:
    """How many of the values, largest first, may be in the tail: never one of two that are alike, and not the other."""
    if len(falling) <= FEWEST_POINTS:
        return np.empty(0, int)
    spaced = np.geomspace(FEWEST_POINTS, len(falling) - 1, MOST_CUT_OFFS)
    found = np.unique(np.round(spaced).astype(int))
    return found[falling[found - 1] > falling[found]]


def hill(falling: Floats, n: int) -> float:
    """Hill's estimator from the n largest values: n / Σ ln(x_i / x_(n+1)) [1]."""
    return float(n / np.log(falling[:n] / falling[n]).sum())


def distance(falling: Floats, n: int) -> float:
    """Kolmogorov–Smirnov distance between the n largest values and the law fitted to them."""
    above = (falling[:n] / falling[n]) ** -hill(falling, n)  # share of the law above each value
    ranks = np.arange(1, n + 1) / n
    return float(np.maximum(np.abs(above - ranks), np.abs(above - ranks + 1 / n)).max())


def rank_size(falling: Floats) -> float:
    """−slope of ln(rank − 1/2) on ln x [3]; NaN where all values are alike."""
    if len(falling) < 2 or falling[0] == falling[-1]:
        return math.nan
    return -float(linregress(np.log(falling), np.log(np.arange(1, len(falling) + 1) - 0.5)).slope)
