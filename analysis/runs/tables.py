"""The tables of a run: their names, the types of their columns, and how parts become one table in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import pandas as pd
import pyarrow as pa

from simulation.records.columns import ROWS, DType, Is, columns_of, columns_of_rows

WORLD_TABLES = tuple(ROWS)  # what a world measures
TABLES = (*WORLD_TABLES, "training")
LATER = ("foundations", "founding", "public_accounts")
"""Tables that earlier releases did not measure: in their run folders these are missing, and read as empty."""


class Label(NamedTuple):
    """Which world a row is of: the first columns of every table that a world measures."""

    scenario: Annotated[str, Is("", "shipped name (`cases/vision`) or the stem of the file")]
    arm: Annotated[
        str,
        Is(
            "",
            "`base`; `without:CAUSE` in cases, `without:CAUSE+CAUSE` with `--shapley`; the name of the what-if in "
            "comparisons",
        ),
    ]
    seed: Annotated[int, Is("", "seed of the world; the same seed in two arms is a pair with common random numbers")]


LABELS = columns_of_rows(Label)
ORDER = [(label.name, "ascending") for label in LABELS]
ARROW: dict[DType, pa.DataType] = {
    "date": pa.timestamp("us"),
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
}
KEYS: dict[str, tuple[str, ...]] = {
    **{name: (*Label._fields, *(column.name for column in columns_of(name)[:2])) for name in WORLD_TABLES},
    "training": ("key",),
}
"""Columns without which a table is none of a run."""


def world_table(name: str, parts: Iterable[tuple[str, str, int, pd.DataFrame]]) -> pa.Table:
    """The table of that name from (scenario, arm, seed, frame) of many worlds, in the order given."""
    labelled = []
    for scenario, arm, seed, frame in parts:
        columns = Label(scenario, arm, seed)._asdict()
        labelled.append(frame.drop(columns=[label for label in columns if label in frame]).assign(**columns))
    full = pd.concat([frame for frame in labelled if len(frame)] or labelled[:1], ignore_index=True)
    first = list(Label._fields)
    return typed(name, full[first + [column for column in full if column not in first]])


def training_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Ledger rows as a table; nested values (the plan) become JSON text."""
    flat = [{name: _flat(value) for name, value in row.items()} for row in rows]
    return pa.Table.from_pylist(flat) if flat else pa.table({"key": pa.array([], pa.string())})


def typed(name: str, frame: pd.DataFrame) -> pa.Table:
    """An Arrow table with the types of that table's columns; one that is not among them has the type of its values."""
    types = _dtypes(name)
    return pa.table({str(column): _column(types.get(str(column)), frame[column]) for column in frame})


def merged(name: str, parts: list[pa.Table]) -> pa.Table:
    """Parts as one table, in an order that does not depend on how the seeds were split into blocks."""
    whole = pa.concat_tables(parts, promote_options="permissive")
    if name != "training":
        return whole.sort_by(ORDER)  # stable: within a seed the world's own order stays
    if "key" not in whole.column_names or not len(whole):
        return whole
    by_key = whole.sort_by("key")
    keys = by_key["key"].to_pylist()
    first = [i for i, key in enumerate(keys) if i == 0 or key != keys[i - 1]]
    return by_key.take(pa.array(first, pa.int64()))


def known(table: str) -> tuple[str, ...]:
    """The columns that this release gives a table, beside scenario, arm and seed; none for the ledger's rows."""
    return tuple(column.name for column in columns_of(table)) if table in ROWS else ()


def type_of(table: str, column: str) -> pa.DataType | None:
    """The type that a column must have; None for one that follows from its values."""
    dtype = _dtypes(table).get(column)
    return None if dtype is None else ARROW[dtype]


def nothing(table: str, column: str, n_rows: int) -> pd.Series:
    """A column of missing values, of the column's type."""
    return pd.Series(pa.nulls(n_rows, type_of(table, column) or pa.float64()).to_pandas())


def _dtypes(table: str) -> dict[str, DType]:
    if table not in ROWS:
        return {"key": "text"}
    return {column.name: column.dtype for column in (*LABELS, *columns_of(table))}


def _column(dtype: DType | None, values: pd.Series) -> pa.Array:
    if dtype == "date":
        return pa.array(pd.to_datetime(values).astype("datetime64[us]"), ARROW[dtype], from_pandas=True)
    if dtype == "integer":
        return pa.array(values, ARROW[dtype], from_pandas=True)
    if dtype == "number":
        return pa.array(pd.to_numeric(values).astype(float), ARROW[dtype], from_pandas=True)
    if dtype == "text":
        return pa.array([_text(value) for value in values], ARROW[dtype])
    return pa.array(values, from_pandas=True)


def _text(value: Any) -> str | None:
    if isinstance(value, list | tuple | set | frozenset):
        return "; ".join(str(item) for item in value)
    return None if value is None or value is pd.NaT or value != value else str(value)


def _flat(value: Any) -> Any:
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, dict | list | tuple) else value
