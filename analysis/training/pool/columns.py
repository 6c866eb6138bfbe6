"""The columns of the study: sizes of the pool and grids of plans, each with a ledger of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import AnalysisError
from simulation.parameters import parameter_records
from simulation.settings import TrainingSettings

if TYPE_CHECKING:
    from scenarios import Scenario

UNLIMITED, CONTROL = "none", "control"
CONTROL_POOL = 65_536
"""So many members that hardly two teams share one: what it changes is that every team's seed and luck are others."""
GRIDS: dict[str, Mapping[str, float]] = {
    "fine": {},
    "rows": {"rows_step": 1.0},
    "rows-coverage": {"rows_step": 1.0, "coverage_step": 0.25},
    "coarse": {"rows_step": 1.0, "coverage_step": 0.25, "rate_step": 0.5},
}
USUAL = (UNLIMITED, CONTROL, "32", "64", "128", "64:rows", "64:rows-coverage", "64:coarse")


@dataclass(frozen=True)
class Column:
    """One way to draw and to round; `pool` None: each team has a seed and a luck of its own."""

    name: str
    pool: int | None
    grid: str

    @property
    def settings(self) -> dict[str, Any]:
        """What it sets in `world.training`."""
        return {"pool": self.pool, **GRIDS[self.grid]}

    @property
    def folder(self) -> str:
        """Where its runs stand, as a name of a folder."""
        return self.name.replace(":", "-")

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario with this pool and grid, under the same name."""
        document = scenario.to_document()
        document.data["world"]["training"] |= self.settings
        return type(scenario).from_document(document, scenario.name)


def column_named(text: str) -> Column:
    """The column of `none`, `control`, or a size of the pool, each with `:GRID` behind it or without.

    Raises:
        AnalysisError: there is no such column.
    """
    found = re.fullmatch(rf"({UNLIMITED}|{CONTROL}|\d+)(?::(\S+))?", text)
    if not found or (found[2] or "fine") not in GRIDS:
        sizes = f"{UNLIMITED}, {CONTROL} or the size of a pool"
        raise AnalysisError(f"--column must be {sizes}, or one with :{', :'.join(GRIDS)} behind it, not {text!r}")
    pool = {UNLIMITED: None, CONTROL: CONTROL_POOL}.get(found[1], int(found[1]) if found[1].isdigit() else None)
    record = next(one for one in parameter_records(TrainingSettings) if one["name"] == "pool")
    if pool is not None and not record["low"] <= pool <= record["high"]:
        raise AnalysisError(f"--column {text}: a pool has {record['low']:,} to {record['high']:,} members")
    return Column(text, pool, found[2] or "fine")


def columns_named(texts: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns, each once; the unlimited one, which all are compared with, is always the first."""
    return tuple(column_named(text) for text in dict.fromkeys((UNLIMITED, *texts)))
