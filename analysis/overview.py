"""What a run without a case shows: its sectors at the horizon and how its startups ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.comparison import hhi_where_served, startup_endings, survival
from analysis.play.experiment import BASE
from analysis.runs.months import months_of
from analysis.runs.run import Run
from analysis.statistics.intervals import number_or_null

SECTOR_MEASURES = ("n_firms", "hhi", "best_quality_field", "adopters")


@dataclass(frozen=True)
class Overview:
    """A run at the horizon.

    sectors: one row per sector with medians over seeds in the last month; `n_hhi` and `n_best_quality_field` count the
    seeds behind two of them: a market in which nobody is served has no concentration, one without a model no quality.
    endings: startups by ending, all seeds. survival: mean over the `n_survival` seeds that founded a startup.
    public_money_usd: by programme, tax, fee or fine, its cost over the run, mean over seeds; receipts are negative.
    """

    n_seeds: int
    sectors: pd.DataFrame
    endings: dict[str, int]
    survival: float
    n_survival: int
    public_money_usd: dict[str, float]


def overview(run: Run) -> Overview:
    """Summarise the only scenario of a run, from its tables."""
    scenario = run.manifest["arms"][0]["scenario"]
    endings = startup_endings(run, scenario, BASE)["ending"].value_counts()
    alive = survival(run, scenario, BASE)
    return Overview(
        len(run.seeds),
        sectors_at_the_end(run, scenario),
        {str(ending): int(n) for ending, n in endings.items()},
        float(alive.mean()),
        len(alive),
        public_money(run, scenario),
    )


def public_money(run: Run, scenario: str) -> dict[str, float]:
    """Public cost of each programme over the run, mean over seeds, USD; receipts are negative."""
    rows = run.select("public_accounts", scenario, BASE, ["programme", "usd"])
    sums = rows.groupby("programme")["usd"].sum() / len(run.seeds)
    return {str(programme): float(usd) for programme, usd in sums.items()}


def sectors_at_the_end(run: Run, scenario: str) -> pd.DataFrame:
    """Medians over seeds of every sector in the last month, with the seeds that have a figure."""
    last = ("month", "==", months_of(run, scenario, BASE).last)
    rows = run.select("sectors", scenario, BASE, ["sector", *SECTOR_MEASURES], [last])
    rows["hhi"] = hhi_where_served(rows)
    by_sector = rows.groupby("sector")
    counted = by_sector[["hhi", "best_quality_field"]].count().add_prefix("n_")
    return by_sector[list(SECTOR_MEASURES)].median().join(counted).reset_index()


def as_document(run: Run, found: Overview) -> dict[str, Any]:
    """The result as JSON says it."""
    sectors = [
        {name: number_or_null(value) if isinstance(value, float) else value for name, value in row.items()}
        for row in found.sectors.to_dict("records")
    ]
    return {
        "scenario": run.manifest["name"],
        "title": run.manifest["arms"][0]["title"],
        "seeds": run.seeds,
        "endings": found.endings,
        "survival": number_or_null(found.survival),
        "n_survival": found.n_survival,
        "public_money_usd": found.public_money_usd,
        "sectors": sectors,
        "training": run.training_cost,
        "seconds": run.manifest["seconds"],
        "out": str(run.folder),
    }
