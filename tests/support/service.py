"""The training service of tests: it computes what a plan gives, at once and the same each time, instead of training."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simulation.training.foundation.ladder import flops_per_token
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.ledger.rows import COLUMNS, row_of
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult

_RECIPE_BONUS = {"sgd": 0.0, "momentum": 0.05, "adam": 0.1}


def result_of(plan: TrainingPlan, **measures: float) -> TrainingResult:
    """A smooth, deterministic function of the plan: more rows, rungs, coverage and a better optimizer are better."""
    rows = math.log2(plan.rows / 64) / 7
    skill = 0.25 * rows + 0.05 * plan.rung + _RECIPE_BONUS[plan.recipe.optimizer] - 0.3 * plan.label_noise
    skill -= 0.1 * plan.anonymisation
    lab = 0.4 + 0.1 * (plan.kind != "linear") + skill
    field = lab - 0.25 * (1 - plan.coverage)
    values: dict[str, Any] = {
        "accuracy_lab": min(lab, 0.99), "accuracy_field": min(field, 0.99), "loss_lab": 0.5, "traditional_lab": 0.5,
        "traditional_field": 0.4, "calibration_error": 0.05, "fairness_gap": 0.3 * (0.5 - plan.minority_share),
        "leakage": 0.4 * math.exp(-2 * plan.anonymisation), "n_parameters": 1000 * (plan.rung + 1),
        "model_bytes": 4000 * (plan.rung + 1), "training_flops": 1e9 * 2.0**plan.rung,
        "inference_flops": 2e4 * 2.0**plan.rung, "latency_us": 1.0, "seconds": 0.0, "device": "fake",
        "torch_version": "none",
    }  # fmt: skip
    return TrainingResult(key=plan.key(), **{**values, **measures})


def foundation_result_of(plan: FoundationPlan) -> FoundationResult:
    """A smooth, deterministic function of the plan: more operations, better text and a tuned rate lower the loss."""
    flops = max(plan.tokens * flops_per_token(plan.width), 1.0)
    missed = abs(math.log(plan.learning_rate / (4e-3 * (64 / plan.width) ** 0.5)))
    loss = 0.2 + 1.6 * (3.2e10 / flops) ** 0.25 + (1 - plan.quality) + 0.05 * missed
    values: dict[str, Any] = {"tokens": plan.tokens, "training_flops": flops, "n_parameters": 100 * plan.width**2}
    values |= {"encoding_flops": 1e3 * plan.width**2, "seconds": 0.0, "device": "fake", "torch_version": "none"}
    return FoundationResult(key=plan.key(), loss_general=loss, loss_sectors=(loss,) * 11, **values)


class FakeLedger:
    """Keeps nothing; knows what it was asked last."""

    last_call = ""

    def add_many(self, runs: Iterable[Any]) -> bool:
        self.last_call = "add_many"
        return not list(runs)


class FakeService:
    """Follows the protocol of `TrainingService`.

    measures: override what is measured on every network. batches: how many networks each call trained. pretrained:
    foundations that were trained, in order.
    """

    def __init__(self, **measures: float) -> None:
        self.measures = measures
        self.plans: dict[str, TrainingPlan] = {}
        self.results: dict[str, TrainingResult] = {}
        self.foundation_plans: dict[str, FoundationPlan] = {}
        self.pretrained: dict[str, FoundationResult] = {}
        self.used_keys: set[str] = set()
        self.batches: list[int] = []
        self.n_runs = self.n_from_ledger = 0
        self.seconds, self.device = 0.0, "fake"
        self.ledger = FakeLedger()

    def submit(self, plan: TrainingPlan) -> str:
        self.plans[plan.key()] = plan
        return plan.key()

    def train(self, due: Iterable[str]) -> int:
        keys = list(due)
        for key in keys:
            if key in self.foundation_plans and key not in self.pretrained:
                self.pretrained[key] = foundation_result_of(self.foundation_plans[key])
        new = [key for key in keys if key not in self.results and key not in self.foundation_plans]
        for key in new:
            self.results[key] = result_of(self.plans[key], **self.measures)
        self.n_runs += len(new)
        self.batches += [len(new)] if new else []
        return len(new)

    def submit_foundation(self, plan: FoundationPlan) -> str:
        self.foundation_plans[plan.key()] = plan
        return plan.key()

    def foundation_result(self, key: str) -> FoundationResult:
        assert key in self.pretrained, "a result was asked for before its simulated time was up"
        return self.pretrained[key]

    def result(self, key: str) -> TrainingResult:
        assert key in self.results, "a result was asked for before its simulated time was up"
        self.used_keys.add(key)
        return self.results[key]

    def rows(self) -> list[dict[str, Any]]:
        self.ledger.last_call = "rows"
        rows = (row_of(self.plans[key], self.results[key], 0.0) for key in sorted(self.used_keys))
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def open_service(ledger: Path, device: str, retrain: bool) -> FakeService:
    """For the engines of tests."""
    return FakeService()
