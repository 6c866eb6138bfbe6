"""What the law on general-purpose models, and on the texts in them, asks for; what it lets a firm have of the cloud.

Pure functions of settings of law and of numbers, for firms and for labs alike.
"""

from __future__ import annotations

import math

from simulation.settings.foundations import FLOP_GPU_HOUR
from simulation.settings.general_purpose import ComputeLawSettings, GeneralPurposeSettings


def flop_of_hours(gpu_hours: float) -> float:
    """Computation of a training run of so many GPU hours (V100), FLOP."""
    return gpu_hours * FLOP_GPU_HOUR


def flop_threshold_binds(law: GeneralPurposeSettings, flop: float) -> bool:
    """Whether a general-purpose model trained with so much computation has duties (L9)."""
    return 0 < law.flop_threshold <= flop


def duties_usd_month(law: GeneralPurposeSettings, flop: float) -> float:
    """Cost of the duties of a maker whose largest model on sale took so much computation, USD a month."""
    return law.duties_usd_year / 12 if flop_threshold_binds(law, flop) else 0.0


def evaluation_months(law: GeneralPurposeSettings, flop: float) -> float:
    """Time between the end of training and the release, months."""
    return law.evaluation_months if flop_threshold_binds(law, flop) else 0.0


def tokens_left(law: GeneralPurposeSettings, tokens: float) -> float:
    """Public text that may be used for pretraining, in the unit of `tokens`."""
    return tokens * (1 - law.opt_out_share)


def licence_usd(law: GeneralPurposeSettings, tokens: float) -> float:
    """Price of licences for so many tokens of public text, USD."""
    return law.licence_usd_million_tokens * tokens / 1e6


def gpu_price_factor(law: ComputeLawSettings) -> float:
    """Price of a GPU hour for a firm at home there, against the list price."""
    return law.price_factor


def most_gpus(law: ComputeLawSettings) -> float:
    """GPUs that one job of such a firm gets at most; infinite where the law sets no limit."""
    return law.gpus_most if law.gpus_most > 0 else math.inf
