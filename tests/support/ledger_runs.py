"""Made-up runs for tests of the ledger."""

from __future__ import annotations

from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult


def run_of(seed: int) -> tuple[TrainingPlan, TrainingResult]:
    plan = TrainingPlan("speech", "mlp", 0, 100, seed=seed)
    return plan, TrainingResult(
        key=plan.key(),
        accuracy_lab=0.5 + seed * 1e-9,
        accuracy_field=0.4,
        loss_lab=0.7,
        traditional_lab=1 / 3,
        traditional_field=0.2,
        calibration_error=0.1,
        fairness_gap=-0.01,
        leakage=0.2,
        n_parameters=2000,
        model_bytes=8000,
        training_flops=1e7,
        inference_flops=1e4,
        latency_us=30.0,
        seconds=0.01,
        device="cpu (test)",
        torch_version="2",
    )
