"""Rows of facts: named tuples whose fields say once what they mean. Screens, JSON, docs and frames come from here.

A figure with an interval is an `Interval`. It is *too few to tell* where it has no bounds, or fewer observations than
its column asks for; it is shown all the same, with its n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

import pandas as pd

from analysis.statistics.intervals import FEWEST_SEEDS, Interval
from analysis.statistics.verdicts import LEAST_OBSERVATIONS

OF_ROW = "as in the row"  # unit of a figure whose rows have different ones, told by their column `unit`
Row = tuple[Any, ...]
"""A named tuple whose fields are annotated with `Column`s."""


@dataclass(frozen=True, slots=True)
class Column:
    """Unit and meaning of a field of a row.

    least: observations below which a figure is too few to tell; 0 for labels and plain numbers, which have no interval.
    name: the field's name; empty where it is declared.
    """

    unit: str
    meaning: str
    least: int = 0
    name: str = ""


def label(meaning: str, unit: str = "") -> Column:
    """What tells one row from another, or a plain number."""
    return Column(unit, meaning)


def observed(unit: str, meaning: str) -> Column:
    """A figure of observations such as firms or rounds."""
    return Column(unit, meaning, LEAST_OBSERVATIONS)


def over_seeds(unit: str, meaning: str) -> Column:
    """A mean over seeds of one number per seed."""
    return Column(unit, meaning, FEWEST_SEEDS)


@dataclass(frozen=True)
class Fact:
    """One fact: its name, what it is, and the type of its rows.

    long: whether it has a row for each sector and year, too many for a screen unless sectors are asked for.
    """

    name: str
    says: str
    row: type[Row]
    long: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of its rows, in order."""
        return columns_of(self.row)


@dataclass(frozen=True)
class Found:
    """A fact with its rows in one run."""

    fact: Fact
    rows: tuple[Row, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per row; a figure `x` with an interval has the columns `x`, `x_low`, `x_high` and `x_n`."""
        return pd.DataFrame([flat(self.fact, row) for row in self.rows])


@cache
def columns_of(row: type[Row]) -> tuple[Column, ...]:
    """The columns of a row type."""
    hints = get_type_hints(row, include_extras=True)
    notes = {name: next(n for n in hint.__metadata__ if isinstance(n, Column)) for name, hint in hints.items()}
    return tuple(Column(note.unit, note.meaning, note.least, name) for name, note in notes.items())


def is_too_few(one: Interval, column: Column) -> bool:
    """Whether there are too few observations or seeds to tell."""
    return not one.is_known or one.n < column.least


def flat(fact: Fact, row: Row) -> dict[str, Any]:
    """A row as plain values by column."""
    cells: dict[str, Any] = {}
    for column, value in zip(fact.columns, row, strict=True):
        if isinstance(value, Interval):
            cells |= {column.name: value.estimate, f"{column.name}_low": value.low, f"{column.name}_high": value.high}
            cells[f"{column.name}_n"] = value.n
        else:
            cells[column.name] = value
    return cells


def document(found: Found) -> dict[str, Any]:
    """A fact as JSON says it; numbers that cannot be told are null."""
    columns = found.fact.columns
    return {
        "name": found.fact.name,
        "says": found.fact.says,
        "rows": [{c.name: _cell(value, c) for c, value in zip(columns, row, strict=True)} for row in found.rows],
    }


def _cell(value: Any, column: Column) -> Any:
    if isinstance(value, Interval):
        return {**value.as_dict("value"), "too_few": is_too_few(value, column)}
    return None if isinstance(value, float) and not math.isfinite(value) else value
