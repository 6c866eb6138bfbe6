"""The tables of a run: their names, the types of their columns, and how parts become one table in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

WORLD_TABLES = ("firms", "sectors", "events", "rounds", "endings", "funds")  # what a world measures
TABLES = (*WORLD_TABLES, "training")
ORDER = [("scenario", "ascending"), ("arm", "ascending"), ("seed", "ascending")]

DATES = {"month", "time", "founded", "ended"}
COUNTS = {"seed", "n_firms", "entries", "exits", "vintage", "n_companies"}
TEXTS = {
    *("scenario", "arm", "firm", "kind", "sector", "status", "ledger_key", "other", "cause", "causes", "text"),
    *("round", "investors", "ending", "fund"),
}
MEASURES = {
    *("customers", "headcount", "quality_lab", "quality_field", "trust", "share", "hhi", "adopters"),
    *("best_quality_field", "jobs_displaced", "jobs_created", "minority_burden", "exposed_users"),
    *("dpi", "tvpi", "irr_year"),
}


def world_table(parts: Iterable[tuple[str, str, int, pd.DataFrame]]) -> pa.Table:
    """One table from (scenario, arm, seed, frame) of many worlds, in the order given."""
    labelled = []
    for scenario, arm, seed, frame in parts:
        columns: dict[str, Any] = {"scenario": scenario, "arm": arm, "seed": seed}
        labelled.append(frame.drop(columns=[name for name in columns if name in frame]).assign(**columns))
    full = pd.concat([frame for frame in labelled if len(frame)] or labelled[:1], ignore_index=True)
    first = ["scenario", "arm", "seed"]
    return typed(full[first + [name for name in full if name not in first]])


def training_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Ledger rows as a table; nested values (the plan) become JSON text."""
    flat = [{name: _flat(value) for name, value in row.items()} for row in rows]
    return pa.Table.from_pylist(flat) if flat else pa.table({"key": pa.array([], pa.string())})


def typed(frame: pd.DataFrame) -> pa.Table:
    """An Arrow table with the types that every part of a run shares, whatever it happens to contain."""
    return pa.table({str(name): _column(str(name), frame[name]) for name in frame})


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


def _column(name: str, values: pd.Series) -> pa.Array:
    if name in DATES:
        return pa.array(pd.to_datetime(values).astype("datetime64[us]"), pa.timestamp("us"), from_pandas=True)
    if name in COUNTS:
        return pa.array(values, pa.int64(), from_pandas=True)
    if name in MEASURES or name.endswith("_usd"):
        return pa.array(pd.to_numeric(values).astype(float), pa.float64(), from_pandas=True)
    if name in TEXTS:
        return pa.array([_text(value) for value in values], pa.string())
    return pa.array(values, from_pandas=True)


def _text(value: Any) -> str | None:
    if isinstance(value, list | tuple | set | frozenset):
        return "; ".join(str(item) for item in value)
    return None if value is None or value is pd.NaT or value != value else str(value)


def _flat(value: Any) -> Any:
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, dict | list | tuple) else value
