"""One row of the ledger: its columns, its checksum, and what makes it believable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simulation.training.plan import MEASURES, OPTIONAL_MEASURES, TRAINER_VERSION, TrainingPlan, TrainingResult

COLUMNS = ("key", "trainer_version", "plan", *MEASURES, "created", "checksum")
INTEGERS = frozenset({"n_parameters", "model_bytes"})
TEXTS = frozenset({"key", "trainer_version", "plan", "device", "torch_version", "checksum"})

Row = tuple[Any, ...]
"""Values in the order of `COLUMNS`."""


def type_of(column: str) -> type[str] | type[int] | type[float]:
    """What a column holds."""
    return int if column in INTEGERS else str if column in TEXTS else float


def row_checksum(values: Iterable[Any]) -> str:
    """SHA-256 over every column of a row but the last, as JSON."""
    # What JSON cannot say (a blob in a damaged cell) stands for itself in some way that no intact row does.
    return hashlib.sha256(json.dumps(list(values), default=repr).encode()).hexdigest()


def row_of(plan: TrainingPlan, result: TrainingResult, created: float) -> Row:
    """The row of a finished run, `created` seconds after 1970.

    Raises:
        ValueError: the result is of another plan, or a measure is not a number.
    """
    if result.key != plan.key():
        raise ValueError(f"the result {result.key} is not of the plan {plan.key()}")
    # Stored as the column's type: a whole number in a column of reals would not come back as it was summed.
    measures = [_stored(name, getattr(result, name)) for name in MEASURES]
    for name, value in zip(MEASURES, measures, strict=True):
        if value != value:
            raise ValueError(f"run {result.key}: {name} is not a number, so it cannot be recorded")
    values = (result.key, TRAINER_VERSION, plan.as_json(), *measures, created)
    return (*values, row_checksum(values))


def _stored(name: str, value: Any) -> Any:
    return None if value is None and name in OPTIONAL_MEASURES else type_of(name)(value)


def result_of(row: Mapping[str, Any]) -> TrainingResult:
    """What was measured, from a row's columns."""
    return TrainingResult(key=row["key"], **{name: row[name] for name in MEASURES})


def is_intact(row: Sequence[Any]) -> bool:
    """Whether a row matches its checksum."""
    return bool(row_checksum(row[:-1]) == row[-1])


def is_believable(row: Sequence[Any]) -> bool:
    """Whether a row from elsewhere may enter a ledger: intact, whole, and its key that of its plan.

    The plan of another version of the trainer cannot be read with certainty, but its key can be told from its text.
    """
    missing = {name for name, value in zip(COLUMNS, row, strict=True) if value is None}
    if not is_intact(row) or not missing <= set(OPTIONAL_MEASURES) or any(value != value for value in row):
        return False
    key, version, text = row[:3]
    if version != TRAINER_VERSION:
        return bool(key == key_of(version, text))
    try:
        return bool(key == TrainingPlan.from_json(text).key())
    except ValueError:
        return False


def key_of(trainer_version: str, plan: str) -> str:
    """The key that a version of the trainer gives a plan; see `TrainingPlan.key`."""
    return hashlib.sha256(f"{trainer_version}:{plan}".encode()).hexdigest()[:32]
