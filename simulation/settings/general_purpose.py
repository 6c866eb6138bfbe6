"""Law on general-purpose models and on what they are made of: duties above a threshold of compute, texts, GPUs.

They bind the makers of general-purpose models: labs, and firms of direction general. Off by default.
"""

from __future__ import annotations

from typing import ClassVar

from simulation.parameters import Binds, Settings, parameter


class GeneralPurposeSettings(Settings):
    """Duties of who sells general-purpose models, by the compute of their training, and rules on the texts in them."""

    flop_threshold: float = parameter(
        0.0,
        "computation of training from which a general-purpose model has duties; 0: from none on",
        "FLOP",
        low=0,
        high=1e35,
        kind="lever",
        source="L9: 10^25",
        stricter="lower",
        off=0.0,
    )
    duties_usd_year: float = parameter(
        300_000,
        "cost of the duties for a maker who sells such a model",
        "USD/year",
        low=0,
        high=1e10,
        kind="lever",
        source="assumption: a quality system as in P6, each year",
        stricter="higher",
        adds_up=True,
    )
    evaluation_months: float = parameter(
        2.0,
        "time that the evaluation of such a model takes before it may be released",
        "months",
        low=0,
        high=36,
        kind="lever",
        stricter="higher",
    )
    licence_usd_million_tokens: float = parameter(
        0.0,
        "price of a licence for public text that a model is pretrained on",
        "USD/million tokens",
        low=0,
        high=1e6,
        kind="lever",
        stricter="higher",
        adds_up=True,
    )
    opt_out_share: float = parameter(
        0.0,
        "share of public text that its owners withhold from pretraining",
        "share",
        low=0,
        high=1,
        kind="lever",
        stricter="higher",
    )


class ComputeLawSettings(Settings):
    """What firms of a jurisdiction get of the GPU cloud: export control by others, or a tax of their own state."""

    BINDS: ClassVar[Binds] = "home"

    price_factor: float = parameter(
        1.0,
        "price of a GPU hour for firms at home here, against the list price",
        "ratio",
        low=0.1,
        high=100,
        kind="lever",
        stricter="higher",
    )
    gpus_most: float = parameter(
        0.0,
        "GPUs (V100) that one job of such a firm gets at most, so that it takes longer; 0: no limit",
        "GPUs",
        low=0,
        high=1e8,
        kind="lever",
        stricter="lower",
        off=0.0,
    )
