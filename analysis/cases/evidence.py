"""The tables by which the statements of a chapter are judged: those of one arm, and the twin's beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.runs.months import RunMonths, months_of
from analysis.runs.run import Run

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.expectation import Looked

SECTOR_MONTH = ["seed", "month", "sector"]
TWIN = "twin"
"""The arm in which the focal firm has none of its endowments."""
TWINS = "twin "
"""What columns of the twin's figures begin with."""
OVER_TWIN = "over_twin"
DERIVED = {  # metrics that are no column of their own: what they are made of
    "profit_usd": ("revenue_usd", "costs_usd"),
    "quality_gap": ("quality_lab", "quality_field"),
    "free_share": ("customers", "paying_customers"),
}
TRADITIONAL = {  # the same of the sector's traditional method: a column of the sectors table, or two to subtract
    "quality_lab": ("traditional_lab",),
    "quality_field": ("traditional_field",),
    "quality_gap": ("traditional_lab", "traditional_field"),
}
FLOWS = ("revenue_usd", "costs_usd", "customers", "paying_customers", "share", "headcount")
"""Of these a firm that is gone has none, which is a figure."""


@dataclass(frozen=True)
class Evidence:
    """The tables of one arm, all seeds: what an expectation is judged by.

    months: those of the run. firms: seed, month, firm, sector, status, what the metrics asked for are made of
    (`columns_needed`), the sector's columns of `sector_columns_needed` and the twin's (`with_twin`). events: seed,
    time, kind, firm, other. endings: seed, firm, ended, ending, raised_usd, exit_value_usd. Times are timestamps.
    """

    seeds: Sequence[int]
    months: RunMonths
    firms: pd.DataFrame
    events: pd.DataFrame
    endings: pd.DataFrame


def read_evidence(run: Run, setup: Scenario, arm: str, expect: Sequence[Looked] | None = None) -> Evidence:
    """The tables that the expectations of a case, its checks of removals, or others need, of one arm."""
    looks = _looks_of(setup) if expect is None else expect
    firms = run.select("firms", setup.name, arm, columns_needed(looks))
    if columns := sector_columns_needed(looks):
        sectors = run.select("sectors", setup.name, arm, [*SECTOR_MONTH, *columns])
        firms = firms.merge(sectors, on=SECTOR_MONTH, how="left")
    if columns := twin_columns_needed(looks):
        twin = run.select("firms", setup.name, TWIN, ["seed", "month", *columns], [("firm", "==", setup.focal)])
        firms = with_twin(firms, twin)
    events = run.select("events", setup.name, arm, ["seed", "time", "kind", "firm", "other"])
    columns = ["seed", "firm", "ended", "ending", "raised_usd", "exit_value_usd"]
    endings = run.select("endings", setup.name, arm, columns)
    return Evidence(run.seeds, months_of(run, setup.name, arm), firms, events, endings)


def with_twin(firms: pd.DataFrame, twin: pd.DataFrame) -> pd.DataFrame:
    """The firms table with the twin's figures of the same seed and month in every row; a twin that is gone earns 0."""
    columns = {name: f"{TWINS}{name}" for name in twin.columns if name not in ("seed", "month")}
    beside = firms.merge(twin.rename(columns=columns), on=["seed", "month"], how="left")
    gone = [column for name, column in columns.items() if name in FLOWS]
    beside[gone] = beside[gone].fillna(0.0)
    return beside


def has_twin(run: Run, name: str) -> bool:
    """Whether the twin of a scenario was played."""
    return any((one.scenario, one.arm) == (name, TWIN) for one in run.manifest.arms)


def columns_needed(expectations: Sequence[Looked]) -> list[str]:
    """Columns of the firms table that these expectations read."""
    keys = ["seed", "month", "firm", "sector", "status"]
    columns = _parts_of(expectations)
    if any(expected.of.endswith("_incumbents") for expected in expectations):
        columns.add("kind")
    return keys + sorted(columns - set(keys))


def sector_columns_needed(expectations: Sequence[Looked]) -> list[str]:
    """Columns of the sectors table that these expectations read, beside seed, month and sector."""
    compared = [str(expected.metric) for expected in expectations if expected.of == "over_traditional"]
    return sorted({column for metric in compared for column in TRADITIONAL[metric]})


def twin_columns_needed(expectations: Sequence[Looked]) -> list[str]:
    """Columns of the twin's rows of the firms table that these expectations read, beside seed and month."""
    return sorted(_parts_of([expected for expected in expectations if expected.of == OVER_TWIN]))


def _parts_of(expectations: Sequence[Looked]) -> set[str]:
    """Columns that the metrics are made of."""
    metrics = [str(expected.metric) for expected in expectations if expected.metric]
    return {column for metric in metrics for column in DERIVED.get(metric, (metric,))}


def _looks_of(setup: Scenario) -> list[Looked]:
    checks = [cause.manipulation for cause in setup.causes.values() if cause.manipulation is not None]
    return [*setup.expect, *checks]
