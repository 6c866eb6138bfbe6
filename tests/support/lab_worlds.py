"""Small worlds with laboratories of large models, and customers who build on them by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.lab.base import Lab
from agents.lab.lab import FoundationLab
from agents.lab.pretraining import Trained
from agents.lab.supplier import Released
from simulation.model import MarketModel
from simulation.settings.foundations import ladder_of, training_flop
from tests.support.service import foundation_result_of
from tests.support.world_fakes import merged, world_of

LAB_MARKET: dict[str, Any] = {
    "start": "2022-01",
    "world": {
        "sectors": {"vision": {"task": "service-dialogues", "market_opens": 2022}},
        "foundations": {"cloud_share": 0.0},
    },
}
"""Laid over the small market: its sector writes documents, and large models may be made."""
RICH: dict[str, Any] = {"capital_usd": 1e11, "investor_belief": 0.0}
IDLE: dict[str, Any] = {
    "investor_belief": 0.0, "release_months": 120, "stake": 0.01, "capital_usd": 1e3, "staff": 0,
}  # fmt: skip
"""Trains nothing and pays nobody: tests give it models."""


def lab_world(
    labs: Mapping[str, Any], changes: Mapping[str, Any] | None = None, seed: int = 0, service: Any = None
) -> MarketModel:
    """A world of the small market with these laboratories, not stepped yet."""
    return world_of(merged(merged(LAB_MARKET, {"labs": dict(labs)}), changes or {}), seed, service)


def without_labs(changes: Mapping[str, Any] | None = None, seed: int = 0) -> MarketModel:
    """The same market without any."""
    return world_of(merged(LAB_MARKET, changes or {}), seed)


def lab_of(model: MarketModel, name: str) -> FoundationLab:
    """The laboratory of that name."""
    found = next(lab for lab in model.labs if lab.name == name)
    assert isinstance(found, FoundationLab)
    return found


def give_model(lab: Lab, rung: float = 2.0, cost_usd: float = 1e7, **plan: Any) -> Released:
    """Put a foundation into a laboratory's hands, released as it releases; `plan`: changes of what it would train."""
    settings = lab.foundations
    intended = replace(lab.pretraining.intend(rung, 0.8, 0.95).plan, **plan)
    flop = training_flop(settings, rung, lab.model.year)
    trained = Trained(intended, rung, foundation_result_of(intended), cost_usd, flop)
    assert isinstance(lab, FoundationLab) and rung in ladder_of(settings).rungs
    lab.pretraining.last_order_month = lab.model.month
    lab.release(trained)
    return lab.models[-1]


def use(model: MarketModel, firm: str, one: Released, supplier: str, million_tokens: float = 0.0) -> None:
    """Let a firm build on a model; it pays for its tokens out of its own cash."""
    market, offer = model.model_market, one.offer_by(supplier)
    market.subscribe(firm, offer.name)
    if million_tokens:
        usd = million_tokens * offer.usd_per_million_tokens
        paid = model.bank.pay(firm, market.payee(supplier), usd, "inference", "sales")
        market.meter(offer.name, million_tokens, paid)
