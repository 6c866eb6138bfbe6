"""What DP-SGD guarantees: the ε of a training plan, from the accountant of a library (Opacus)."""

from __future__ import annotations

import math
import warnings
from functools import lru_cache

from simulation.training.classifiers.dp_sgd import sampling_rate
from simulation.training.ladder import size_of
from simulation.training.plan import TrainingPlan

DELTA = 1e-5
"""Probability with which the guarantee may fail; the value of most published examples."""


def epsilon(plan: TrainingPlan, delta: float = DELTA) -> float:
    """ε of (ε, δ)-differential privacy of the plan's network; infinite without DP-SGD.

    Rényi accounting of the Poisson-sampled Gaussian mechanism (Mironov et al. 2019, arXiv:1908.10530). Neighbouring
    data sets differ by one row.
    """
    if plan.dp_noise == 0:
        return math.inf
    size = size_of(plan)
    return _accounted(plan.dp_noise, sampling_rate(plan.rows, size.batch), size.steps, delta)


@lru_cache(maxsize=4096)
def _accounted(noise_multiplier: float, rate: float, steps: int, delta: float) -> float:
    from opacus.accountants import RDPAccountant  # heavy, and only private plans need it

    accountant = RDPAccountant()
    accountant.history = [(noise_multiplier, rate, steps)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where the best order is the largest: the bound then is only wider
        return float(accountant.get_epsilon(delta=delta))
