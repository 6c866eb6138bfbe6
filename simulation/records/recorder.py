"""What a run leaves behind: rows of its tables, collected and turned into data frames once, at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from simulation.records.columns import ROWS, EventRow, columns_of
from simulation.records.events import Event


@dataclass(slots=True)
class Recorder:
    """Rows by table, each a named tuple of `simulation.records.columns`."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in ROWS})

    def event(
        self,
        time: date,
        month: date,
        firm: str,
        event: Event,
    ) -> None:
        """Record one event of a firm; of none, where the name is empty.

        `month` is the month being played. With the order of the rows it says what came first, which `time` cannot:
        what a month's phases decide, what the month's end measures and what the next month begins with share a date.
        """
        row = EventRow(time, event.kind, firm, event.other, event.amount_usd, month, event.as_json())
        self.rows["events"].append(row)

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
