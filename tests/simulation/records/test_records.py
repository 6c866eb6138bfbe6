"""Records: each column is declared once, with a type, a unit where there is one, and a meaning."""

from __future__ import annotations

import pytest

from analysis.runs.tables import WORLD_TABLES, world_table
from simulation.records.columns import ROWS, columns_of
from simulation.records.recorder import Recorder


@pytest.mark.parametrize("table", ROWS)
def test_every_column_has_a_type_and_a_meaning(table: str) -> None:
    columns = columns_of(table)
    assert [column.name for column in columns] == list(ROWS[table]._fields)  # type: ignore[attr-defined]
    for column in columns:
        assert column.meaning, column.name
        assert column.unit == "USD" or not column.name.endswith("_usd") or "USD" in column.unit, column.name


@pytest.mark.parametrize("table", WORLD_TABLES)
def test_a_table_without_rows_has_the_types_of_one_with_rows(table: str) -> None:
    types = {
        field.name: str(field.type) for field in world_table(table, [("s", "base", 0, Recorder().frame(table))]).schema
    }
    arrow = {"date": "timestamp[us]", "integer": "int64", "number": "double", "text": "string"}
    for column in columns_of(table):
        assert types[column.name] == arrow[column.dtype], column.name


def test_a_row_is_built_by_name() -> None:
    with pytest.raises(TypeError, match="unexpected keyword"):
        ROWS["sectors"](mont=1)  # type: ignore[call-arg]
