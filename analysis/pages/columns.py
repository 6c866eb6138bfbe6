"""The tables of columns in docs/outputs.md, from their declarations."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.pages.blocks import Document, Writer, table
from analysis.runs.tables import LABELS
from simulation.records.columns import ROWS, Column, columns_of


def writers() -> dict[str, Writer]:
    """The parts `columns.shared` and `columns.TABLE`."""
    return {"columns.shared": _writer(LABELS)} | {f"columns.{name}": _writer(columns_of(name)) for name in ROWS}


def _writer(columns: Iterable[Column]) -> Writer:
    rows = [[f"`{column.name}`", column.unit, column.meaning] for column in columns]

    def write(document: Document, source: str) -> str:
        return table(["Column", "Unit", "Meaning"], rows)

    return write
