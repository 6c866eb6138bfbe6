"""Worlds with documents and foundations on offer, whose qualities a test says by the kind of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.firm.ways import Option
from agents.startup.startup import Startup
from scenarios.build import build_world
from simulation.model import MarketModel
from simulation.model_market import ModelOffer
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult
from tests.support.foundation_fakes import TINY
from tests.support.service import FakeService, result_of
from tests.support.world_fakes import MARKET, found, merged, play, scenario_of

DOCUMENTS: dict[str, Any] = {
    "start": "2021-01",
    "years": 4,
    "world": {"sectors": {"vision": {"task": "security-reports", "market_opens": 2021}}},
}
SURE = {"trial_chance": 1, "trial_cost_share": 1, "cost_weight": 0, "data_weight": 0, "dependence_weight": 0}
"""Whoever can tries everything, and nothing but quality counts."""


class KindService(FakeService):
    """Field and lab accuracy as the test says, by kind; aged models lose a twentieth a year."""

    def __init__(self, **accuracy: float) -> None:
        super().__init__()
        self.accuracy = accuracy

    def train(self, due: Any) -> int:
        new = [key for key in due if key not in self.results]
        for key in new:
            self.results[key] = self.made(self.plans[key])
        self.n_runs += len(new)
        return len(new)

    def made(self, plan: TrainingPlan) -> TrainingResult:
        value = self.accuracy.get(plan.kind)
        measures = {} if value is None else {"accuracy_lab": value, "accuracy_field": value}
        aged = 0.05 * (plan.tested_in - plan.year)
        result = result_of(plan, **measures)
        return replace(result, accuracy_lab=result.accuracy_lab - aged, accuracy_field=result.accuracy_field - aged)


def documents_world(
    world: Mapping[str, Any] | None = None, service: Any = None, seed: int = 0, offers: tuple[ModelOffer, ...] = ()
) -> MarketModel:
    """A world of documents with one incumbent and no startup yet, which has played one month with these offers."""
    data = merged(merged(MARKET, DOCUMENTS), {"world": world or {}})
    del data["firms"]["iris"]
    model = build_world(scenario_of(base=data), seed, service or KindService())
    for one in offers:
        model.model_market.release(one)
    return play(model, 1)


def offer(supplier: str = "labco", access: Any = "api", plan: FoundationPlan = TINY, **terms: Any) -> ModelOffer:
    """An offer of a foundation."""
    prices = {"usd_per_million_tokens": 10.0} if access == "api" else {}
    return ModelOffer(supplier, plan, 0.0, access, **{**prices, **terms})


def on_offer(model: MarketModel, one: ModelOffer, **settings: Any) -> Startup:
    """A startup whose released model builds on an offer, with a contract from now on."""
    firm = found(model, **settings)
    sourcing, lab = firm.laboratory.sourcing, firm.laboratory
    model.model_market.release(one)
    plan = TrainingPlan("security-reports", "probe", 0, 256, foundation=one.plan, year=model.today.year)
    lab.released, lab.released_plan = result_of(plan, accuracy_lab=0.8, accuracy_field=0.7), plan
    sourcing.put_in_force(Option(one.access, one.name, one), plan, lab.released)
    return firm
