"""Parameters of large models: how far they go, what pretraining and answers cost, and who keeps what is open.

The bridge from real money to a rung of the ladder of foundations. The largest model that anybody trains takes
`frontier_growth_year` times as many operations each year; progress in algorithms halves what a rung takes every
`algorithmic_halving_months`. So with t in years since 2018 and a ladder that moves `yearly` rungs a year

    operations(rung, t) = first_flop · g^rung · 2^(−12 t / halving)      g = (growth · 2^(12 / halving))^(1 / yearly)
    GPU hours           = operations / flop_gpu_hour
    cost in USD         = GPU hours · price of a GPU hour · (1 + staff_ratio + text_ratio)

and on the frontier, where rung = yearly · t, operations = first_flop · growth^t. What an answer costs follows from
the parameters of a model of that many operations (Hoffmann et al. 2022): see `serving_flop_token`.
"""

from __future__ import annotations

import math
from typing import Literal, Protocol

from simulation.parameters import Settings, parameter
from simulation.settings.resources import ComputeSettings, list_price_usd
from simulation.training.foundation.ladder import FIRST_YEAR, LADDERS, Ladder

TOKENS_PER_PARAMETER = 20.0
"""Length of the text over parameters (C18)."""
FLOP_PER_SQUARED_PARAMETER = 6 * TOKENS_PER_PARAMETER
"""Training operations over parameters squared: 6 operations a parameter and token (C18)."""
FLOP_PER_PARAMETER_AND_TOKEN = 2.0
"""Of an answer (C18)."""

FLOP_GPU_HOUR = 125e12 * 0.3 * 3600
"""Training operations of a V100 hour: 125e12 a second by its data sheet of 2017, 0.3 of it reached (assumption)."""


class CommunitySettings(Settings):
    """Who keeps open weights on offer, and trains some of its own where a state pays for it."""

    lag_months: float = parameter(
        6.0,
        "time after which it knows how to train what somebody else has released; what it can pay for may take longer",
        "months",
        low=0,
        high=120,
    )
    run_months: float = parameter(4.0, "time that one of its own runs takes", "months", low=0.5, high=36)
    skill: float = parameter(0.7, "skill with which it chooses its learning rate", "0..1", low=0, high=1)
    text_quality: float = parameter(
        0.98, "share of tokens of its text that stand as they were written", "share", low=0.5, high=1
    )


class FoundationSettings(Settings):
    """Large models: the ladder that stands for them, and the bridge from real money to its rungs. A world has none
    unless it says `foundations`, `{}` for all that stands here.
    """

    ladder: Literal["laptop", "gpu"] = parameter(
        "laptop", "which machine trains the foundations that stand for them", kind="constant", fixed=True
    )
    pool: int = parameter(
        2, "seeds of foundations, of which every laboratory draws one", "seeds", low=1, high=64, kind="constant",
        fixed=True,
    )  # fmt: skip
    last_rung: float | None = parameter(
        None,
        "no foundation is larger than this rung, whatever can be paid for; empty: the last of the ladder",
        "rung",
        low=0,
        high=12,
        kind="constant",
    )
    scale: float = parameter(
        1.0,
        "part of each laboratory that is in this world, of its money and of its costs; the rest lives on customers "
        "whom the world does not have",
        "share",
        low=1e-6,
        high=1,
        fixed=True,
    )
    first_flop: float = parameter(
        2e22,
        "training operations that the smallest rung stood for at the beginning of 2018: with the growth below, the "
        "largest of 2023 takes 2e25",
        "FLOP",
        low=1e15,
        high=1e30,
        source="C17",
        fixed=True,
    )
    frontier_growth_year: float = parameter(
        4.0, "training operations of the largest model grow each year by", "ratio", low=1, high=100, source="C15",
        fixed=True,
    )  # fmt: skip
    algorithmic_halving_months: float = parameter(
        8.0, "operations for a given quality halve every", "months", low=1, high=240, source="C7", fixed=True
    )
    flop_gpu_hour: float = parameter(
        FLOP_GPU_HOUR,
        "training operations that one 2017 V100 does in an hour: 125e12 a second at best, three tenths of it reached",
        "FLOP/GPU h (V100)",
        low=1e12,
        high=1e21,
    )
    staff_ratio: float = parameter(
        0.6, "wages of those who train, per dollar of compute", "ratio", low=0, high=10, source="C16"
    )
    text_ratio: float = parameter(
        0.0, "what text costs, licences included, per dollar of compute", "ratio", low=0, high=10, kind="lever"
    )
    cloud_share: float = parameter(
        0.1, "part of a run that is done in the shared cloud; the rest on machines that nobody else could rent",
        "share", low=0, high=1,
    )  # fmt: skip
    serving_halving_months: float = parameter(
        8.0,
        "operations of an answer of a given quality halve every, from when that quality was new; as training (C7)",
        "months",
        low=1,
        high=240,
        fixed=True,
    )
    loss_price_scale: float = parameter(
        0.3, "a loss lower by so much makes an answer worth e times as much", "nats", low=0.01, high=10
    )
    frontier_value_usd: float = parameter(
        2e9,
        "what investors see in a laboratory without revenue whose model is the largest that anybody trains, in a usual "
        "funding climate; half as much for each half rung behind",
        "USD",
        low=0,
        high=1e13,
    )
    round_share: float = parameter(
        0.2, "part of its value that a laboratory sells in a round", "share", low=0, high=0.9
    )
    round_months: float = parameter(12.0, "least time between two rounds", "months", low=1, high=60)
    community: CommunitySettings = CommunitySettings()


class PaysForCompute(Protocol):
    """Settings of a world that say what compute costs and what foundations take."""

    @property
    def compute(self) -> ComputeSettings: ...
    @property
    def foundations(self) -> FoundationSettings | None: ...


def ladder_of(settings: FoundationSettings) -> Ladder:
    """The ladder of a world's foundations."""
    return LADDERS[settings.ladder]


def largest_rung(settings: FoundationSettings, year: int, ahead_rungs: float = 0.0) -> float:
    """The largest rung, by halves, that may be trained in a year by who is so many rungs ahead of the others."""
    ladder = ladder_of(settings)
    bounds = [
        ladder.frontier(year) + ahead_rungs,
        ladder.last,
        *([] if settings.last_rung is None else [settings.last_rung]),
    ]
    return math.floor(2 * min(bounds) + 1e-9) / 2


def growth_rung(settings: FoundationSettings) -> float:
    """What the operations grow by from a rung to the next, at one date."""
    yearly = settings.frontier_growth_year * 2 ** (12 / settings.algorithmic_halving_months)
    return float(yearly ** (1 / ladder_of(settings).yearly))


def training_flop(settings: FoundationSettings, rung: float, year: float) -> float:
    """Real training operations that a rung stands for when it is trained in `year`."""
    progress = 2 ** (12 * (year - FIRST_YEAR) / settings.algorithmic_halving_months)
    return float(settings.first_flop * growth_rung(settings) ** rung / progress)


def text_tokens(flop: float) -> float:
    """Real tokens that a training run of so many operations reads."""
    return TOKENS_PER_PARAMETER * math.sqrt(flop / FLOP_PER_SQUARED_PARAMETER)


def pretraining_gpu_hours(settings: FoundationSettings, rung: float, year: float) -> float:
    """GPU hours (2017 V100) that a rung takes in `year`."""
    return training_flop(settings, rung, year) / settings.flop_gpu_hour


def pretraining_cost_usd(settings: FoundationSettings, rung: float, year: float, price_usd_hour: float) -> float:
    """What training a rung costs in `year` at a price of a GPU hour, wages and text included, USD."""
    beside = 1 + settings.staff_ratio + settings.text_ratio
    return beside * pretraining_gpu_hours(settings, rung, year) * price_usd_hour


def pretraining_usd(settings: PaysForCompute, rung: float, year: float) -> float:
    """What training a rung costs in `year` at the cloud's list price, wages and text included, USD.

    Raises:
        ValueError: a world without foundations.
    """
    if settings.foundations is None:
        raise ValueError("world.foundations is not set: nothing says what a foundation costs")
    return pretraining_cost_usd(settings.foundations, rung, year, list_price_usd(settings.compute, year))


def serving_flop_token(settings: FoundationSettings, rung: float, year: float) -> float:
    """Operations of an answer for each token: those of a model that was trained when its rung was the largest.

    From then on answers of that quality take less, as training does.
    """
    new = max(FIRST_YEAR + rung / ladder_of(settings).yearly, FIRST_YEAR)
    n_parameters = math.sqrt(training_flop(settings, rung, new) / FLOP_PER_SQUARED_PARAMETER)
    progress = 2 ** (12 * max(year - new, 0.0) / settings.serving_halving_months)
    return FLOP_PER_PARAMETER_AND_TOKEN * n_parameters / progress


def serving_usd_million_tokens(settings: FoundationSettings, rung: float, year: float, price_usd_hour: float) -> float:
    """What a million tokens of answers cost who runs the model, at a price of a GPU hour, USD."""
    return 1e6 * serving_flop_token(settings, rung, year) / settings.flop_gpu_hour * price_usd_hour
