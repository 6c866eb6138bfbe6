"""Intervals for shares and for paired differences.

References
[1] Wilson (1927), Probable inference, the law of succession, and statistical inference.
    doi:10.1080/01621459.1927.10502953
[2] Tango (1998), Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design. doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B
[3] Student (1908), The probable error of a mean. doi:10.1093/biomet/6.1.1
[4] Efron (1979), Bootstrap methods: another look at the jackknife. doi:10.1214/aos/1176344552
[5] Hesterberg (2015), What teachers should know about the bootstrap. doi:10.1080/00031305.2015.1089789
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import binomtest, ttest_rel

LEVEL = 0.95
FEWEST_SEEDS = 2  # of one seed alone nothing is known of the others: no interval, whatever the statistic
RESAMPLES = 4000  # of a bootstrap; the same ones in every call with as many seeds
ROUNDING = 1e-12  # relative: what differs by less is the same
NEARLY_ZERO = 1e-12  # where Tango's variance vanishes (no discordant pair), the root at the estimate itself is skipped


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided interval; `low` and `high` are NaN where there are too few seeds to tell."""

    estimate: float
    low: float
    high: float
    n: int

    @property
    def is_known(self) -> bool:
        """Whether there are bounds."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    def as_dict(self, estimate: str) -> dict[str, float | int | None]:
        """For JSON: the estimate under the given key; NaN becomes None."""
        return {
            estimate: number_or_null(self.estimate),
            "low": number_or_null(self.low),
            "high": number_or_null(self.high),
            "n": self.n,
        }


@dataclass(frozen=True)
class PairedMeans:
    """Means of two arms over the same pairs, and their difference: `effect.estimate` is `treated - control` exactly."""

    treated: float
    control: float
    effect: Interval


def number_or_null(value: float) -> float | None:
    """A number for JSON: None where it cannot be told."""
    return value if math.isfinite(value) else None


def no_interval(estimate: float, n: int) -> Interval:
    """An estimate without bounds."""
    return Interval(estimate, math.nan, math.nan, n)


def scaled(one: Interval, divisor: float) -> Interval:
    """The same interval in another unit."""
    return Interval(one.estimate / divisor, one.low / divisor, one.high / divisor, one.n)


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval [1] for a share of seeds; fewer than two have none (NaN)."""
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n = {n}, not {successes}")
    if n < FEWEST_SEEDS:
        return no_interval(successes / n if n else math.nan, n)
    low, high = binomtest(successes, n).proportion_ci(level, method="wilson")
    # At the ends rounding can leave the bound a hair from the share that it must hold.
    bounds = 0.0 if successes == 0 else float(low), 1.0 if successes == n else float(high)
    return Interval(successes / n, *bounds, n)


def alike_bounds(value: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Bounds for a mean of shares, or of differences of shares, that is the same in all n seeds.

    Resampling and t intervals would be points. Here: give or take the share of seeds that may still differ (the upper
    bound of Wilson's interval [1] of none), as if each of them differed by 1.
    """
    if n < FEWEST_SEEDS:
        return math.nan, math.nan
    _, wide = score_bounds(0.0, n, level)
    return min(value, max(value - wide, -1.0)), max(value, min(value + wide, 1.0))


def paired_share_difference(treated: ArrayLike, control: ArrayLike, level: float = LEVEL) -> Interval:
    """Share in `treated` minus share in `control`, pair by pair, with Tango's score interval [2].

    Both arguments: booleans of shape (n,), the same seeds in the same order. One pair alone has no interval (NaN).
    The interval excludes zero exactly when McNemar's score test rejects equality at this level.
    """
    after, before = _pairs(treated, control, bool)
    n = len(after)
    gained = int(np.sum(after & ~before))
    lost = int(np.sum(~after & before))
    if n < FEWEST_SEEDS:
        return no_interval((gained - lost) / n, n)
    low = -_tango_upper(lost, gained, n, level)
    high = _tango_upper(gained, lost, n, level)
    return Interval((gained - lost) / n, low, high, n)


def paired_means(treated: ArrayLike, control: ArrayLike, is_share: bool = False, level: float = LEVEL) -> PairedMeans:
    """Means of both arms and of `treated - control` with the paired t interval [3]; pairs with a NaN are left out.

    Both arguments: numbers of shape (n,), the same seeds in the same order; `is_share`: both lie in [0, 1].
    One pair alone has no interval (NaN). Nor have pairs that all differ alike, for their t interval would be a point;
    shares then have that of `alike_bounds`.
    """
    after, before = _pairs(treated, control, float)
    seen = np.isfinite(after) & np.isfinite(before)
    after, before, n = after[seen], before[seen], int(seen.sum())
    if n == 0:
        return PairedMeans(math.nan, math.nan, no_interval(math.nan, 0))
    means = float(after.mean()), float(before.mean())
    effect = Interval(means[0] - means[1], *_paired_bounds(after, before, is_share, level), n)
    return PairedMeans(*means, effect)


def _paired_bounds(after: np.ndarray, before: np.ndarray, is_share: bool, level: float) -> tuple[float, float]:
    mean, n = float(after.mean() - before.mean()), len(after)
    if are_alike(after - before, scale=float(np.abs([after, before]).max())):
        return alike_bounds(mean, n, level) if is_share else (math.nan, math.nan)
    low, high = map(float, ttest_rel(after, before).confidence_interval(level))
    return (max(low, -1.0), min(high, 1.0)) if is_share else (low, high)


def are_alike(values: ArrayLike, scale: float = 1.0) -> bool:
    """Whether all values are the same but for rounding of numbers as large as `scale`; one alone, or none, is too."""
    seen: np.ndarray = np.asarray(values, dtype=float)
    return len(seen) < FEWEST_SEEDS or bool(np.ptp(seen) <= ROUNDING * scale)


def resampled_counts(n: int) -> np.ndarray:
    """How often each of n seeds is drawn in each resample of the bootstrap [4], shape (RESAMPLES, n)."""
    return np.random.default_rng([n, RESAMPLES]).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)


def bootstrap_means(by_seed: ArrayLike, level: float = LEVEL) -> list[Interval]:
    """Means over seeds with percentile intervals of the paired bootstrap [4]: whole seeds are drawn, for all columns.

    by_seed: shares, or differences of shares, of shape (seeds, columns). Where all seeds agree resampling cannot tell:
    then `alike_bounds`. One seed has no interval (NaN).
    Percentiles are expanded for few seeds [5], as a t interval is wider than a normal one.
    """
    table: np.ndarray = np.asarray(by_seed, dtype=float)
    n = len(table)
    means = table.mean(axis=0)
    if n < FEWEST_SEEDS:
        return [no_interval(float(mean), n) for mean in means]
    drawn = resampled_counts(n) @ table / n
    tail = float(ndtr(-math.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 + level) / 2)))
    bounds = np.quantile(drawn, [tail, 1 - tail], axis=0).T
    for column in np.flatnonzero([are_alike(values) for values in table.T]):
        bounds[column] = alike_bounds(float(means[column]), n, level)
    return [Interval(float(mean), float(low), float(high), n) for mean, (low, high) in zip(means, bounds, strict=True)]


def bootstrap_ratio(counted: ArrayLike, of: ArrayLike, level: float = LEVEL) -> Interval:
    """Sum of `counted` over sum of `of`, both of shape (seeds,), resampling whole seeds [4]; n is the sum of `of`.

    Where the share is the same in every seed (none, all, or one of two), resampling cannot tell: then Wilson's interval
    [1] of as many observations as there are seeds, as if those of one seed were one. Where fewer than two seeds have
    observations there is no interval (NaN).
    """
    hits, totals = np.asarray(counted, dtype=float), np.asarray(of, dtype=float)
    n, n_seeds = int(totals.sum()), int((totals > 0).sum())
    share = float(hits.sum() / n) if n else math.nan
    if n_seeds < FEWEST_SEEDS:
        return no_interval(share, n)
    if are_alike(hits[totals > 0] / totals[totals > 0]):
        return Interval(share, *score_bounds(share, n_seeds, level), n)
    counts = resampled_counts(len(hits))
    sums = counts @ totals
    low, high = np.quantile((counts @ hits)[sums > 0] / sums[sums > 0], [(1 - level) / 2, (1 + level) / 2])
    return Interval(share, float(low), float(high), n)


def score_bounds(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Bounds of Wilson's score interval [1] for a share of n observations, n ≥ 1.

    share · n need not be whole, as SciPy's has it: where each seed holds several firms, and all the same share of them.
    """
    z = _normal_quantile(level)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return 0.0 if share == 0 else max(0.0, centre - half), 1.0 if share == 1 else min(1.0, centre + half)


def _tango_upper(gained: int, lost: int, n: int, level: float) -> float:
    """Upper bound: the difference above the estimate at which Tango's score statistic equals −z."""
    if gained == n:
        return 1.0
    z = _normal_quantile(level)

    def excess(delta: float) -> float:
        """Squared score minus z² times its variance: negative inside the interval."""
        return (gained - lost - n * delta) ** 2 - z * z * n * _tango_variance(gained, lost, n, delta)

    return float(brentq(excess, (gained - lost) / n + NEARLY_ZERO, 1.0, xtol=1e-12))


def _tango_variance(gained: int, lost: int, n: int, delta: float) -> float:
    """Per-pair variance of the difference under the restricted maximum-likelihood estimate (Tango's eq. 12–14)."""
    b = -gained - lost + (2 * n - gained + lost) * delta
    c = -lost * delta * (1 - delta)
    p_lost = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
    return 2 * p_lost + delta * (1 - delta)


def _pairs(treated: ArrayLike, control: ArrayLike, kind: type) -> tuple[np.ndarray, np.ndarray]:
    after: np.ndarray = np.asarray(treated, dtype=kind)
    before: np.ndarray = np.asarray(control, dtype=kind)
    if after.ndim != 1 or after.shape != before.shape:
        raise ValueError(f"pairs need two vectors of one length, not {after.shape} and {before.shape}")
    if len(after) == 0:
        raise ValueError("pairs need at least one seed")
    return after, before


def _normal_quantile(level: float) -> float:
    return float(ndtri((1 + level) / 2))
