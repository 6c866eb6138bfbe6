"""The product-limit estimator of survival, for firms of which some are still alive when the run ends.

References
[1] Kaplan & Meier (1958), Nonparametric estimation from incomplete observations. doi:10.1080/01621459.1958.10501452
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import CensoredData, ecdf

Floats = NDArray[np.float64]


def kaplan_meier(durations: ArrayLike, died: ArrayLike) -> tuple[Floats, Floats]:
    """Distinct times of death, ascending, and the share that survives each of them [1].

    durations: time under observation, any unit, shape (n,); died: whether it ended in death, else censored, shape (n,).
    Who is censored at a time of death still counts as at risk then.
    """
    duration, dead = np.asarray(durations, float), np.asarray(died, bool)
    if not len(duration):
        return np.empty(0), np.empty(0)
    curve = ecdf(CensoredData.right_censored(duration, ~dead)).sf
    at_death = np.isin(curve.quantiles, duration[dead])
    return curve.quantiles[at_death], curve.probabilities[at_death]


def survival_at(durations: ArrayLike, died: ArrayLike, age: float) -> float:
    """Share alive at `age` (unit of the durations); NaN where nobody was observed that long and somebody is left."""
    duration = np.asarray(durations, float)
    if len(duration) == 0:
        return math.nan
    times, surviving = kaplan_meier(duration, died)
    before = int(np.searchsorted(times, age, side="right"))
    share = float(surviving[before - 1]) if before else 1.0
    return share if share == 0 or duration.max() >= age else math.nan
