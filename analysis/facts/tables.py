"""What facts are computed from: the tables of one arm of a run, cut down to some sectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.months import RunMonths, months_of
from analysis.runs.run import Run
from analysis.statistics.histories import FIRM
from analysis.statistics.survival import Floats

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "firms": (
        *("seed", "month", "firm", "kind", "sector", "founded", "headcount", "quality_field", "trust"),
        *("share", "status", "sales_usd", "serving_usd", "operations_usd", "lost_runs"),
    ),
    "sectors": (*("seed", "month", "sector", "n_firms", "entries", "exits", "hhi", "adopters", "traditional_field"),),
    "rounds": ("seed", "time", "firm", "round", "amount_usd", "pre_money_usd"),
    "endings": ("seed", "firm", "founded", "ended", "ending", "causes", "exit_value_usd", "kind", "sector"),
    "funds": ("seed", "fund", "paid_in_usd", "fees_usd", "distributed_usd", "residual_usd", "dpi", "tvpi"),
    "events": ("seed", "time", "kind", "firm", "amount_usd", "fields"),
}
EVENTS = ("listed", "raise refused", "grant", "recapitalised")  # the kinds that facts read
STARTUP, INCUMBENT = "startup", "incumbent"
ALL_SECTORS = "all"


@dataclass(frozen=True)
class Tables:
    """Tables of one arm: columns as in `COLUMNS`, of the sectors that were asked for.

    entrants: of `endings`, the startups that the scenario does not name; a stream of founders drew them.
    rounds: in time order within each firm. funds: empty where sectors were asked for, for funds invest in all of them.
    note_discount: of convertible notes, as the scenario sets it at the start.
    """

    seeds: tuple[int, ...]
    months: RunMonths
    firms: pd.DataFrame
    sectors: pd.DataFrame
    rounds: pd.DataFrame
    endings: pd.DataFrame
    entrants: pd.DataFrame
    funds: pd.DataFrame
    events: pd.DataFrame
    note_discount: float = 0.0

    @property
    def years(self) -> list[int]:
        """Calendar years of the run, the first and the last of which may be shorter."""
        return sorted(set(self.months.all.year))

    def of_entrants(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of a table that belong to entrants, with their sector."""
        keys = self.entrants[[*FIRM, "sector"]]
        return table.drop(columns="sector", errors="ignore").merge(keys, on=FIRM)

    def per_seed(self, rows: pd.DataFrame, values: Any = None) -> Floats:
        """Sum of values by seed, 0 for a seed without rows; None: number of rows. Shape (seeds,)."""
        summed = pd.Series(np.ones(len(rows)) if values is None else np.asarray(values, float))
        by_seed = summed.groupby(rows["seed"].to_numpy()).sum()
        return by_seed.reindex(list(self.seeds), fill_value=0.0).to_numpy(float)


def read_tables(run: Run, scenario: str, arm: str, sectors: Collection[str] = ()) -> Tables:
    """The tables of one arm of a run; sectors: those that count, none for all."""
    note = next(one for one in run.manifest.arms if (one.scenario, one.arm) == (scenario, arm))
    read = {
        name: run.select(name, scenario, arm, columns, [("kind", "in", EVENTS)] if name == "events" else ())
        for name, columns in COLUMNS.items()
    }
    return cut(read, note.resolved, run.seeds, months_of(run, scenario, arm), sectors)


def cut(
    tables: Mapping[str, pd.DataFrame],
    resolved: Mapping[str, Any],
    seeds: Sequence[int],
    months: RunMonths,
    sectors: Collection[str] = (),
) -> Tables:
    """Tables of one arm, of some sectors; resolved: the scenario as plain data."""
    own = dict(tables)
    if sectors:
        own |= {name: own[name][own[name]["sector"].isin(sectors)] for name in ("firms", "sectors", "endings")}
        keys = own["endings"][FIRM]
        own |= {name: own[name].merge(keys, on=FIRM) for name in ("rounds", "events")}
        own["funds"] = own["funds"].iloc[:0]
    own["rounds"] = own["rounds"].sort_values([*FIRM, "time"], kind="stable", ignore_index=True)
    endings = own["endings"]
    drawn = endings["kind"].eq(STARTUP) & ~endings["firm"].isin(list(resolved.get("firms", ())))
    discount = resolved.get("world", {}).get("capital", {}).get("note_discount", 0.0)
    return Tables(tuple(seeds), months, **own, entrants=endings[drawn], note_discount=float(discount))
