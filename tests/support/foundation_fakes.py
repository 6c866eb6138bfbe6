"""Foundations for tests: a few steps, so that they take moments."""

from __future__ import annotations

from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import Recipe, TrainingPlan

TINY = FoundationPlan(16, 16 * 32 * 40, batch=32)
"""Forty steps."""
UNREAD = FoundationPlan(16, 0)
TASK = "medical-records"


def adapted(kind: str, rows: int = 128, seed: int = 0, **more: object) -> TrainingPlan:
    """A plan of that kind on the tiny foundation."""
    text = UNREAD if kind == "scratch" else TINY
    values = {"recipe": Recipe(learning_rate=3e-3), "foundation": text, **more}
    return TrainingPlan(TASK, kind, 0, rows, seed=seed, **values)  # type: ignore[arg-type]
