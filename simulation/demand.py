"""Random-utility demand with switching costs, in flows of customers (McFadden 1974; Berry 1994; Bass 1969).

Pure functions of arrays. An *offer* is one firm's product in one segment. Only customers whose contract is up, free
users who look again, and unserved customers who have become aware choose in a month.

    U[c, j] = newcomer[j] − switching · [j is not c's supplier],      own[j] for c's supplier itself
    P[c, j] = exp(U[c, j]) / (exp(U[c, outside]) + Σ_k exp(U[c, k]))

`newcomer` uses the figure that marketing shows (lab), `own` the one that customers live with (field). Flows are
expectations, not draws: segments are large, and a draw per offer would only add noise to the books.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def advantage(accuracy: float, traditional: float) -> float:
    """Share of the traditional method's errors that the model removes; negative when it makes more, at least −1."""
    return max(1 - (1 - accuracy) / max(1 - traditional, 1e-6), -1.0)


@dataclass(frozen=True, slots=True)
class Choices:
    """Result of a month's choices; customers per offer unless said otherwise."""

    lost: Floats  # of those who chose again, to rivals or back to the traditional method
    won: Floats  # from rivals and from the unserved


def choose(
    segment: Ints, newcomer: Floats, own: Floats, choosing: Floats, aware: Floats, switching: Floats, hurdle: Floats
) -> Choices:
    """Let customers choose.

    Shapes: `segment` and `newcomer` are [offers]; `own` and `choosing` (customers of each offer who choose again) are
    [offers], or [kinds, offers] where an offer has several kinds of customers, and so is `lost` in the result;
    `aware` (unserved customers who look), `switching` and `hurdle` (disutility of the first step away from the
    traditional method, which only the unserved still face) are [segments]. An offer that nobody may buy has
    newcomer = −inf; one that must lose its customers has own = −inf too.
    """
    n_segments = len(aware)
    e_new, e_own, keep, first = np.exp(newcomer), np.exp(own), np.exp(-switching), np.exp(-hurdle)
    total = np.bincount(segment, e_new, n_segments)
    k = keep[segment]
    denominator = k * (1 + total[segment] - e_new) + e_own
    leave_weight = choosing / denominator
    staying = leave_weight * e_own
    leaving_offer = leave_weight.reshape(-1, len(segment)).sum(axis=0)
    pool = np.bincount(segment, leaving_offer, n_segments)
    from_rivals = k * e_new * (pool[segment] - leaving_offer)
    from_unserved = (aware * first / (1 + first * total))[segment] * e_new
    return Choices(lost=choosing - staying, won=from_rivals + from_unserved)


def inclusive_value(segment: Ints, utility: Floats, n_segments: int) -> Floats:
    """log(1 + Σ exp U) per segment: expected surplus of the choice over the outside option, in utils."""
    return np.log1p(np.bincount(segment, np.exp(utility), n_segments))


def aware_unserved(unserved: Floats, served_share: Floats, innovation: Floats, imitation: Floats) -> Floats:
    """Unserved customers who look at AI this month (Bass hazard p + q·F, yearly rates). All shapes [segments]."""
    return unserved * np.minimum((innovation + imitation * served_share) / 12, 1.0)


def next_trust(trust: Floats, gap: Floats, speed: float, tolerance: float) -> Floats:
    """Trust after a month of use: moves toward 1 − gap/tolerance, where gap = promised − lived advantage (≥ 0)."""
    target = np.clip(1 - np.maximum(gap, 0) / tolerance, 0, 1)
    return trust + speed * (target - trust)
