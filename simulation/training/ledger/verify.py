"""Training recorded runs again, to see that the ledger tells the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from simulation.training.device import device_name, resolve_device
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import TRAINER_VERSION, TrainingPlan
from simulation.training.trainer import train_bucket

TOLERANCE = 0.02
"""Largest difference of an accuracy between devices or torch versions: 20 of 1,024 test rows; assumption."""
COMPARED = ("accuracy_lab", "accuracy_field", "traditional_lab", "traditional_field")


@dataclass(frozen=True, slots=True)
class Verification:
    """One recorded run trained again.

    Attributes:
        key: of the run.
        passed: whether every compared measure is within the tolerance.
        tolerance: 0 on the device and torch version that wrote the row, else `TOLERANCE`; None if it was not trained,
            because another version of the trainer wrote it.
        differences: new minus recorded, by measure.
        recorded_on: device and torch version of the row.
        trained_on: device and torch version now.
    """

    key: str
    passed: bool
    tolerance: float | None
    differences: dict[str, float]
    recorded_on: str
    trained_on: str


def verify(ledger: Ledger, sample: int = 5, seed: int = 0, device: str = "auto") -> list[Verification]:
    """Train up to `sample` recorded runs again, drawn by `seed`, and compare their accuracies.

    Raises:
        LedgerError: the ledger cannot be read.
        DeviceError: this machine has no such device.
    """
    where = resolve_device(device)
    return [verify_row(row, where) for row in ledger.sample(sample, seed)]


def verify_row(row: dict[str, Any], device: torch.device) -> Verification:
    """Train the run of one ledger row again and compare."""
    recorded_on = f"{row['device']}, torch {row['torch_version']}"
    trained_on = f"{device_name(device)}, torch {torch.__version__}"
    if row["trainer_version"] != TRAINER_VERSION:
        return Verification(row["key"], False, None, {}, recorded_on, trained_on)
    plan = TrainingPlan.from_json(row["plan"])
    (result,) = next(iter(train_bucket([plan], device)))
    differences = {name: getattr(result, name) - row[name] for name in COMPARED}
    tolerance = 0.0 if recorded_on == trained_on else TOLERANCE
    passed = result.key == row["key"] and all(abs(value) <= tolerance for value in differences.values())
    return Verification(row["key"], passed, tolerance, differences, recorded_on, trained_on)
