"""The training service of tests: it computes what a plan gives, at once and the same each time, instead of training."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

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


class FakeLedger:
    """Keeps nothing; knows what it was asked last."""

    last_call = ""

    def add_many(self, runs: Iterable[Any]) -> bool:
        self.last_call = "add_many"
        return not list(runs)


class FakeService:
    """Follows the protocol of `TrainingService`.

    measures: override what is measured on every network. batches: how many networks each call trained.
    """

    def __init__(self, **measures: float) -> None:
        self.measures = measures
        self.plans: dict[str, TrainingPlan] = {}
        self.results: dict[str, TrainingResult] = {}
        self.used_keys: set[str] = set()
        self.batches: list[int] = []
        self.n_runs = self.n_from_ledger = 0
        self.seconds, self.device = 0.0, "fake"
        self.ledger = FakeLedger()

    def submit(self, plan: TrainingPlan) -> str:
        self.plans[plan.key()] = plan
        return plan.key()

    def train(self, due: Iterable[str]) -> int:
        new = [key for key in due if key not in self.results]
        for key in new:
            self.results[key] = result_of(self.plans[key], **self.measures)
        self.n_runs += len(new)
        self.batches += [len(new)] if new else []
        return len(new)

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
