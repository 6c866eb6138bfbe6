"""What base rates are computed from: tables of one scenario, cut down to the startups that entered by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.play.experiment import BASE
from analysis.runs.months import RunMonths, months_of_scenario
from analysis.runs.run import Run

FIRM_COLUMNS = (
    *("seed", "month", "firm", "founded", "price_usd", "paying_customers", "sales_usd", "serving_usd"),
    *("operations_usd", "freemium_paying", "freemium_free", "new_paying"),
)
ROUND_COLUMNS = ("seed", "time", "firm", "round", "amount_usd", "pre_money_usd")
ENDING_COLUMNS = ("seed", "firm", "founded", "ended", "ending")


@dataclass(frozen=True)
class Sample:
    """Entrants of one scenario over its seeds: startups that the scenario does not name.

    firms: one row per firm and month; rounds: by seed, firm and time; endings: one row per firm.
    months: those of the run; round_sizes: usual round by stage in 2014 and 2022, USD, as the scenario sets it.
    """

    seeds: tuple[int, ...]
    months: RunMonths
    firms: pd.DataFrame
    rounds: pd.DataFrame
    endings: pd.DataFrame
    round_sizes: Mapping[str, tuple[float, float]]


def sample_of_run(run: Run) -> Sample:
    """The sample behind a run of one scenario."""
    arm = run.manifest["arms"][0]
    tables = {name: run.select(name, arm["scenario"], BASE) for name in ("firms", "rounds", "endings")}
    return sample_of_tables(tables, arm["resolved"], run.seeds)


def sample_of_tables(tables: Mapping[str, pd.DataFrame], resolved: Mapping[str, Any], seeds: Sequence[int]) -> Sample:
    """The sample in tables of one arm; `resolved`: the scenario as plain data. Columns that are missing are NaN."""
    endings = tables["endings"]
    of_interest = endings["kind"].eq("startup") & ~endings["firm"].isin(list(resolved["firms"]))
    entrants = endings.loc[of_interest].reindex(columns=list(ENDING_COLUMNS))
    stages = resolved["world"]["capital"]["stages"]
    return Sample(
        seeds=tuple(seeds),
        months=months_of_scenario(resolved),
        firms=_of(entrants, tables["firms"], FIRM_COLUMNS, "month"),
        rounds=_of(entrants, tables["rounds"], ROUND_COLUMNS, "time"),
        endings=entrants,
        round_sizes={name: (terms["round_usd_2014"], terms["round_usd_2022"]) for name, terms in stages.items()},
    )


def _of(entrants: pd.DataFrame, table: pd.DataFrame, columns: Sequence[str], time: str) -> pd.DataFrame:
    """Rows of a table that belong to entrants, in time order within each firm."""
    wanted = table.reindex(columns=list(columns)).merge(entrants[["seed", "firm"]], on=["seed", "firm"])
    return wanted.sort_values(["seed", "firm", time], kind="stable", ignore_index=True)
