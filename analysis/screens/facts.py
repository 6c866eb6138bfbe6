"""What `facts` shows: one table per fact, every figure with its interval and its n."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.cases.verdicts import written as written_interval
from analysis.facts.collect import Facts
from analysis.facts.figures import OF_ROW, Column, Found, is_too_few
from analysis.facts.tables import ALL_SECTORS
from analysis.screens.base_rates import written
from analysis.screens.experiments import plain_table
from analysis.statistics.intervals import Interval, no_interval

TOO_FEW = "too few to tell"
NOTHING = "nothing of the kind happened"
MOST_ACROSS = 5  # columns with intervals; a fact with more stands upright, a column per row


def facts_screen(result: Facts) -> Group:
    """All facts, one below the other."""
    seeds = f"{len(result.run.seeds)} seed{'s' * (len(result.run.seeds) != 1)}"
    where = "".join(f", {name}" for name in result.sectors)
    head = Text(f"\n{result.scenario}, arm {result.arm}{where}: facts, {seeds}, 95 % intervals", style="bold")
    parts: list[RenderableType] = [head, *(Text(note, style="dim") for note in result.notes)]
    for found in result.found:
        parts += [Text(f"\n{found.fact.says}", style="bold"), *shown(found, bool(result.sectors))]
    return Group(*parts)


def shown(found: Found, by_sector: bool) -> list[RenderableType]:
    """The table of a fact, and what it leaves out."""
    rows = list(found.rows)
    if not rows:
        return [Text(NOTHING, style="dim")]
    if found.fact.long and not by_sector and any(row[0] == ALL_SECTORS for row in rows):
        rows = [row for row in rows if row[0] == ALL_SECTORS]
        more = Text("one row per sector and year: with --sector or --json", style="dim")
        return [table(found, rows), more]
    return [table(found, rows)]


def table(found: Found, rows: list[Any]) -> Table:
    """Rows of a fact; upright where they are wide."""
    columns = found.fact.columns
    cells = [[cell(value, column, row) for column, value in zip(columns, row, strict=True)] for row in rows]
    names = [column.name.replace("_", " ") for column in columns]
    if sum(column.least > 0 for column in columns) <= MOST_ACROSS:
        across = plain_table(*names)
        for one in cells:
            across.add_row(*one)
        return across
    n_labels = next(i for i, value in enumerate(rows[0]) if not isinstance(value, str))
    upright = plain_table("", *(" ".join(one[:n_labels]) for one in cells))
    for place in range(n_labels, len(columns)):
        upright.add_row(names[place], *(one[place] for one in cells))
    return upright


def cell(value: Any, column: Column, row: Any) -> str:
    """One value: text, number, or a figure with interval and n, told where that is too few."""
    unit = getattr(row, "unit", "") if column.unit == OF_ROW else column.unit
    if isinstance(value, Interval):
        text = f"{figure(value, unit)}  n {value.n:,}"
        return f"{text}, {TOO_FEW}" if is_too_few(value, column) else text
    if isinstance(value, float):
        return figure(no_interval(value, 0), unit)
    return f"{value:,}" if isinstance(value, int) and unit != "year" else str(value)


def figure(one: Interval, unit: str) -> str:
    """A number with its interval: shares in percent, money in millions, years without commas; other units are told by
    the docs.
    """
    if unit == "year":
        return written_interval(one, form=".1f")
    return written(one.estimate, one.low, one.high, unit if unit == "share" or unit.startswith("USD") else "")
