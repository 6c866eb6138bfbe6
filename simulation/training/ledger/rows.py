"""One row of the ledger: its columns, its checksum, and what makes it believable.

A row is believed, wherever it comes from, when everything that can be told without training holds: its checksum fits,
its key is the hash of its plan and of its trainer's version, every measure is of its type and in its range, and it has
the measures that a network of its plan's kind has. Whether training gives these measures only training tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

from simulation.training.plan import TRAINER_VERSION, TrainingPlan
from simulation.training.result import MEASURES, OPTIONAL_MEASURES, Allowed, TrainingResult, not_of_kind, out_of_range

COLUMNS = ("key", "trainer_version", "plan", *MEASURES, "created", "checksum")
KEY_DIGITS = 32
MAX_PLAN_TEXT = 2_000
"""Characters; the plan with the longest values has under 500."""
_OTHERS = {  # what the columns beside the measures hold
    "key": Allowed(str),
    "trainer_version": Allowed(str),
    "plan": Allowed(str, max_text=MAX_PLAN_TEXT),
    "created": Allowed(low=0.0, high=1e11),
    "checksum": Allowed(str),
}
ALLOWED: dict[str, Allowed] = {name: MEASURES.get(name) or _OTHERS[name] for name in COLUMNS}
"""What each column can hold."""
_CHECKED_ALONE = tuple(ALLOWED.items())

Row = tuple[Any, ...]
"""Values in the order of `COLUMNS`."""


class Damage(StrEnum):
    """Why a row is not believed; the first of these that fails is told."""

    CHECKSUM = "checksum"
    RANGE = "range"
    KEY = "key"
    KIND = "kind"


CHECKS = {
    Damage.CHECKSUM: "the row matches its checksum",
    Damage.RANGE: "every value is of its column's type and in its range",
    Damage.KEY: "the key is the hash of a valid plan and of the trainer's version",
    Damage.KIND: "a network of the plan's kind has these measures",
}
"""What is checked of every row, in words."""


def type_of(column: str) -> type[str] | type[int] | type[float]:
    """What a column holds."""
    return ALLOWED[column].type


def row_checksum(values: Iterable[Any]) -> str:
    """SHA-256 over every column of a row but the last, as JSON."""
    # What JSON cannot say (a blob in a damaged cell) stands for itself in some way that no intact row does.
    return hashlib.sha256(json.dumps(list(values), default=repr).encode()).hexdigest()


def row_of(plan: TrainingPlan, result: TrainingResult, created: float) -> Row:
    """The row of a finished run, `created` seconds after 1970.

    Raises:
        ValueError: the result is of another plan, or a measure cannot be what it is.
    """
    if result.key != plan.key():
        raise ValueError(f"the result {result.key} is not of the plan {plan.key()}")
    # Stored as the column's type: a whole number in a column of reals would not come back as it was summed.
    measures = [(name, _stored(name, getattr(result, name))) for name in MEASURES]
    if wrong := out_of_range(measures):
        raise ValueError(f"run {result.key}: {wrong} = {getattr(result, wrong)!r} cannot be, so it cannot be recorded")
    if wrong := not_of_kind(plan.kind, measures):
        raise ValueError(f"run {result.key}: {wrong} is not what a network of the kind {plan.kind} has")
    values = (result.key, plan.trainer_version, plan.as_json(), *(value for _, value in measures), created)
    return (*values, row_checksum(values))


def _stored(name: str, value: Any) -> Any:
    if value is None and name in OPTIONAL_MEASURES:
        return None
    stored = type_of(name)(value)
    return stored if isinstance(stored, str) else stored + 0  # SQLite does not keep the sign of a zero


def result_of(row: Mapping[str, Any]) -> TrainingResult:
    """What was measured, from a row's columns."""
    return TrainingResult(key=row["key"], **{name: row[name] for name in MEASURES})


def damage_of(row: Sequence[Any]) -> Damage | None:
    """Why a row is not believed; None for one that is.

    The plan of another version of the trainer cannot be read with certainty, but its key can be told from its text.
    """
    if row_checksum(row[:-1]) != row[-1]:
        return Damage.CHECKSUM
    for (name, allowed), value in zip(_CHECKED_ALONE, row, strict=True):
        if not (allowed.holds(value) or (value is None and name in OPTIONAL_MEASURES)):
            return Damage.RANGE
    key, version, text = row[:3]
    if key != key_of(version, text):
        return Damage.KEY
    return None if version != TRAINER_VERSION else _damage_of_plan(row, text)


def _damage_of_plan(row: Sequence[Any], text: str) -> Damage | None:
    """What is wrong with the plan of this release's trainer, or with its measures."""
    kind = _kind_in(text)
    if not kind:
        return Damage.KEY
    return Damage.KIND if not_of_kind(kind, zip(MEASURES, row[3:], strict=False)) else None


@lru_cache(maxsize=2**14)  # half of what a row costs, and a run asks for most of its rows twice
def _kind_in(text: str) -> str:
    """The kind of network in the text of a plan; empty where no plan is written so."""
    try:
        plan = TrainingPlan.from_json(text)
    except (ValueError, RecursionError):
        return ""
    return plan.kind if plan.as_json() == text else ""


def is_believable(row: Sequence[Any]) -> bool:
    """Whether a row may be served, or enter a ledger."""
    return damage_of(row) is None


def key_of(trainer_version: str, plan: str) -> str:
    """The key that a version of the trainer gives a plan; see `TrainingPlan.key`."""
    return hashlib.sha256(f"{trainer_version}:{plan}".encode()).hexdigest()[:KEY_DIGITS]
