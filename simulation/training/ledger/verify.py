"""Training recorded runs again, to see that the ledger tells the truth."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch

from simulation.training.device import device_name
from simulation.training.foundation.library import Library
from simulation.training.plan import TRAINER_VERSION, TrainingPlan
from simulation.training.result import DIFFERENCE, MEASURES, SHARE, TrainingResult
from simulation.training.trainer import train_bucket

TOLERANCE = 0.02
"""Largest difference of a share between devices or torch versions: 20 of 1,024 test rows; assumption."""
RELATIVE = 5.0
"""Losses, bounds and distances may differ by this times the tolerance, relative to their size; assumption."""
LEAST_RELATIVE = 1e-4
"""What they may always differ by: last bits of sums, which processors of one name take in different orders."""
COUNTED = ("n_parameters", "model_bytes", "training_flops", "inference_flops")
"""These follow from the plan, so they are the same everywhere."""
COMPARED = tuple(item.name for item in fields(TrainingResult) if item.compare and item.name in MEASURES)
"""All measures but times."""


@dataclass(frozen=True, slots=True)
class Verification:
    """One recorded run trained again.

    Attributes:
        key: of the run.
        passed: whether every compared measure is as near as it must be.
        tolerance: largest difference of a share: 0 on the device and torch version that wrote the row, else
            `TOLERANCE`; None if it was not trained, because another version of the trainer wrote it.
        differences: new minus recorded, by measure.
        beyond: names of the measures that differ by more than they may.
        recorded_on: device and torch version of the row.
        trained_on: device and torch version now.
    """

    key: str
    passed: bool
    tolerance: float | None
    differences: dict[str, float]
    beyond: tuple[str, ...]
    recorded_on: str
    trained_on: str


def verify_row(
    row: dict[str, Any], device: torch.device, from_here: bool = True, library: Library | None = None
) -> Verification:
    """Train the run of one believable ledger row again and compare.

    from_here: whether this machine wrote the row, if it names this device. A row from elsewhere may come from another
        processor of the same name, and gets the tolerance of another device.
    library: where foundations come from; without one they are trained again too.
    """
    recorded_on = f"{row['device']}, torch {row['torch_version']}"
    trained_on = f"{device_name(device)}, torch {torch.__version__}"
    if row["trainer_version"] != TRAINER_VERSION:
        return Verification(row["key"], False, None, {}, (), recorded_on, trained_on)
    plan = TrainingPlan.from_json(row["plan"])
    (result,) = next(iter(train_bucket([plan], device, library=library)))
    tolerance = 0.0 if from_here and recorded_on == trained_on else TOLERANCE
    differences, beyond = compare(result, row, tolerance)
    passed = result.key == row["key"] and not beyond
    return Verification(row["key"], passed, tolerance, differences, beyond, recorded_on, trained_on)


def compare(result: TrainingResult, row: dict[str, Any], tolerance: float) -> tuple[dict[str, float], tuple[str, ...]]:
    """New minus recorded, by measure that the plan's kind has, and the measures that differ by more than they may."""
    differences = {}
    beyond = []
    for name in COMPARED:
        now, then = getattr(result, name), row[name]
        if isinstance(now, (int, float)):
            differences[name] = now - then
            if abs(now - then) > allowed_difference(name, then, tolerance):
                beyond.append(name)
    return differences, tuple(beyond)


def allowed_difference(name: str, recorded: float, tolerance: float) -> float:
    """By how much a measure may differ where a share may differ by `tolerance`."""
    if name in COUNTED:
        return 0.0
    allowed = MEASURES[name]
    if (allowed.low, allowed.high) == (SHARE.low, SHARE.high):
        return tolerance
    if (allowed.low, allowed.high) == (DIFFERENCE.low, DIFFERENCE.high):
        return 2 * tolerance
    return max(RELATIVE * tolerance, LEAST_RELATIVE) * max(abs(recorded), 1.0)
