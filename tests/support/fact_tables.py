"""Small tables of a run, made by hand: only what a test says, the rest empty or usual."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.facts.tables import COLUMNS, Tables, cut
from analysis.runs.months import RunMonths

START = "2014-01-01"
DATES = ("time", "month", "founded", "ended")
USUAL: dict[str, dict[str, Any]] = {
    "endings": {
        "founded": START,
        "ended": None,
        "ending": "alive",
        "causes": "",
        "kind": "startup",
        "sector": "vision",
    },
    "firms": {
        "kind": "startup",
        "sector": "vision",
        "founded": START,
        "share": 0.0,
        "sales_usd": 0.0,
        "trust": 0.5,
        "status": "active",
        "serving_usd": 0.0,
        "operations_usd": 0.0,
        "lost_runs": 0.0,
    },
    "sectors": {"sector": "vision", "hhi": 0.5, "adopters": 1.0, "entries": 0, "exits": 0, "n_firms": 0},
    "rounds": {"pre_money_usd": 4e6, "amount_usd": 1e6},
    "funds": {"fees_usd": 0.0, "residual_usd": 0.0},
    "events": {"amount_usd": 0.0, "fields": ""},
}
TEXTS = {"firm", "kind", "sector", "round", "ending", "causes", "fund", "fields", "status"}


def frame(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of rows; seed 0 and the usual values where nothing is said."""
    filled = [{"seed": 0, **USUAL[name], **row} for row in rows]
    made = pd.DataFrame(filled).reindex(columns=list(COLUMNS[name]))
    for column in made:
        if column in DATES:
            made[column] = pd.to_datetime(made[column]).astype("datetime64[us]")
        elif column == "seed":
            made[column] = made[column].astype("int64")
        elif column in TEXTS:
            made[column] = made[column].astype(object)
        else:
            made[column] = made[column].astype(float)
    return made


def tables(
    years: int = 6, seeds: Sequence[int] = (0,), sectors_asked: Sequence[str] = (), **rows: Sequence[Mapping[str, Any]]
) -> Tables:
    """Tables of a run from 2014 on; firms whose names begin with `named` stand in the scenario."""
    given = {name: frame(name, rows.get(name, ())) for name in COLUMNS}
    names = {firm: {} for firm in given["endings"]["firm"] if str(firm).startswith("named")}
    resolved = {"firms": names, "world": {"capital": {"note_discount": 0.2}}}
    return cut(given, resolved, seeds, RunMonths(pd.Timestamp(START), 12 * years), sectors_asked)


def firm(name: str, ended: str | None = None, ending: str = "alive", seed: int = 0, **more: Any) -> dict[str, Any]:
    """One row of endings."""
    return {"firm": name, "ended": ended, "ending": ending, "seed": seed, **more}


def months(name: str, first: str, n: int, **columns: Any) -> list[dict[str, Any]]:
    """Rows of a firm in n months; a value may be a function of the month's number."""
    dates = pd.date_range(first, periods=n, freq="MS")
    return [
        {"firm": name, "month": date, **{key: one(i) if callable(one) else one for key, one in columns.items()}}
        for i, date in enumerate(dates)
    ]


def causes_of(*kinds: str) -> str:
    """Reasons as endings hold them."""
    return json.dumps([{"kind": kind} for kind in kinds])
