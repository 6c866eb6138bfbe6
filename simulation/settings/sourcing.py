"""Parameters of how application firms get their models: from scratch, by the token, as weights, or by pretraining.

They act in sectors whose task is one of documents, once somebody offers a foundation. Source ids as in
`docs/sources.md`.
"""

from __future__ import annotations

from typing import Literal

from simulation.parameters import Settings, parameter

Way = Literal["scratch", "api", "open", "licence", "own"]
"""A network of one's own; answers by the token; open or licensed weights; a foundation of one's own."""


class PriorSettings(Settings):
    """Share of the traditional method's errors that a firm expects a way to remove while nobody has measured any."""

    scratch: float = parameter(0.15, "a network from scratch", "advantage", low=-1, high=1)
    api: float = parameter(0.2, "answers by the token", "advantage", low=-1, high=1)
    open: float = parameter(0.2, "open weights", "advantage", low=-1, high=1)
    licence: float = parameter(0.2, "licensed weights", "advantage", low=-1, high=1)
    own: float = parameter(0.15, "a foundation of its own", "advantage", low=-1, high=1)

    def of(self, way: Way) -> float:
        """What is expected of a way."""
        return float(getattr(self, way))


class SourcingSettings(Settings):
    """What firms weigh when they choose how to get the next model, and the terms of supply."""

    quality_weight: float = parameter(
        20.0,
        "utility of removing all errors of the traditional method, as the firm expects it",
        "utils",
        low=0,
        high=100,
    )
    cost_weight: float = parameter(
        4.0, "disutility of a cost as high as the price that customers pay", "utils", low=0, high=100
    )
    data_weight: float = parameter(
        0.5, "disutility of customers' data leaving the house, where no law is strict", "utils", low=0, high=20
    )
    critical_data_factor: float = parameter(
        2.0, "the same in safety-critical segments and in those that ask for an examination", "ratio", low=1, high=20
    )
    dependence_weight: float = parameter(
        0.5, "disutility of resting on one supplier with the whole product", "utils", low=0, high=20
    )
    switching_weight: float = parameter(
        3.0, "disutility of leaving what the model in use builds on", "utils", low=0, high=20
    )
    switching_staff_months: float = parameter(
        3.0, "engineers' work when a product moves to another supplier or way", "staff months", low=0, high=200
    )
    prior: PriorSettings = PriorSettings()
    trial_chance: float = parameter(
        0.5, "share of the ways open to a firm that it tries before it chooses", "share", low=0, high=1
    )
    trial_months: float = parameter(0.5, "length of a trial", "months", low=0.05, high=6)
    trial_cost_share: float = parameter(
        0.05, "most that one trial may cost, of the money for the next run", "share", low=0, high=1
    )
    tokens_per_usd: float = parameter(
        20_000,
        "tokens of use for each dollar of a segment's reference price, where the segment says nothing",
        "tokens/USD",
        low=0,
        high=1e9,
        source="M5: inference is 20 % of revenue; at 10 USD per million tokens (assumption)",
    )
    tokens_per_row: float = parameter(
        500, "tokens of one labelled row that an interface is asked about", "tokens/row", low=0, high=1e6
    )
    contract_months: int = parameter(12, "time for which a supplier's price holds", "months", low=1, high=120)
    notice_months: int = parameter(
        3, "time for which a model may be used after its supplier has ended or withdrawn it", "months", low=0, high=60
    )
    tuned_as: Literal["adapter", "finetuned"] = parameter(
        "finetuned", "what is trained of weights that a firm has", kind="lever"
    )
    tuned_rung: int = parameter(
        3,
        "largest rung for as many steps as which weights are tuned: more rows ask for no more",
        "rung",
        low=0,
        high=5,
        source="docs/foundation-models.md: on which tuning was measured",
    )
    own_rung: float | None = parameter(
        None, "largest foundation that an application firm pretrains for itself; empty: none", "rung", low=0, high=12
    )
    own_sector_share: float = parameter(
        0.5, "part of the text of such a foundation that comes from the firm's sector", "share", low=0.01, high=1
    )
    aging: bool = parameter(
        False, "documents are written in the language of the year, and each January models are measured anew"
    )
