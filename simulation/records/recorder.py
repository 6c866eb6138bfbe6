"""What a run leaves behind: rows of its tables, collected as tuples and turned into data frames once, at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

COLUMNS: dict[str, tuple[str, ...]] = {
    "firms": (
        "month", "firm", "kind", "sector", "founded", "cash_usd", "revenue_usd", "costs_usd", "customers", "headcount",
        "price_usd", "quality_lab", "quality_field", "trust", "share", "ledger_key", "status", "paying_customers",
        "rows", "field_coverage", "rung", "brand_usd", "stage", "run_months", "broken_runs", "lost_runs",
        "sales_usd", "serving_usd", "operations_usd", "freemium_paying", "freemium_free", "new_paying",
        "service_revenue_usd", "licence_solution_share", "inference_flops",
    ),
    "sectors": (
        "month", "sector", "n_firms", "entries", "exits", "hhi", "adopters", "best_quality_field",
        "consumer_surplus_usd", "traditional_lab", "traditional_field", "gpu_price_usd_hour", "productivity_usd",
        "jobs_displaced", "jobs_created", "minority_burden", "exposed_users",
    ),
    "events": ("time", "kind", "firm", "other", "amount_usd", "cause", "text", "month", "fields"),
    "rounds": ("time", "firm", "round", "amount_usd", "pre_money_usd", "investors"),
    "endings": ("firm", "founded", "ended", "ending", "causes", "raised_usd", "exit_value_usd", "kind", "sector"),
    "funds": (
        "fund", "vintage", "committed_usd", "paid_in_usd", "fees_usd", "distributed_usd", "residual_usd",
        "dpi", "tvpi", "irr_year", "n_companies",
    ),
}  # fmt: skip


@dataclass(slots=True)
class Recorder:
    """Rows by table. `month` and `time` are dates; money is in USD."""

    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def event(
        self,
        time: date,
        month: date,
        kind: str,
        firm: str,
        other: str = "",
        amount_usd: float = 0.0,
        cause: str = "",
        text: str = "",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Record one event: who, what, with whom, how much, because of what; `fields` says the same as data.

        `month` is the month being played. With the order of the rows it says what came first, which `time` cannot:
        what a month's phases decide, what the month's end measures and what the next month begins with share a date.
        """
        written = json.dumps(fields, ensure_ascii=False, allow_nan=False) if fields else ""
        self.rows["events"].append((time, kind, firm, other, amount_usd, cause, text, month, written))

    def add(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Append rows, each in the order of COLUMNS[table]."""
        self.rows[table].extend(rows)

    def frames(self) -> dict[str, pd.DataFrame]:
        """All tables as data frames; dates become timestamps."""
        frames = {}
        for name, columns in COLUMNS.items():
            frame = pd.DataFrame.from_records(self.rows[name], columns=list(columns))
            for column in ("month", "time", "founded", "ended"):
                if column in frame:
                    frame[column] = pd.to_datetime(frame[column])
            frames[name] = frame
        return frames
