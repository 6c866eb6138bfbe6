"""What a run leaves behind: rows of its tables, collected and turned into data frames once, at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from simulation.records.columns import ROWS, EventRow, columns_of


@dataclass(slots=True)
class Recorder:
    """Rows by table, each a named tuple of `simulation.records.columns`."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in ROWS})

    def event(
        self,
        time: date,
        kind: str,
        firm: str,
        other: str = "",
        amount_usd: float = 0.0,
        cause: str = "",
        text: str = "",
    ) -> None:
        """Record one event: who, what, with whom, how much, because of what."""
        self.rows["events"].append(EventRow(time, kind, firm, other, amount_usd, cause, text))

    def add(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Append rows of the table's type."""
        self.rows[table].extend(rows)

    def frames(self) -> dict[str, pd.DataFrame]:
        """All tables as data frames; dates become timestamps."""
        return {name: self.frame(name) for name in ROWS}

    def frame(self, table: str) -> pd.DataFrame:
        """One table as a data frame."""
        columns = columns_of(table)
        frame = pd.DataFrame.from_records(self.rows[table], columns=[column.name for column in columns])
        for column in columns:
            if column.dtype == "date":
                frame[column.name] = pd.to_datetime(frame[column.name])
        return frame
