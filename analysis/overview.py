"""What a run without a case shows: its sectors at the horizon and how its startups ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.comparison import startup_endings, survival
from analysis.play.experiment import BASE
from analysis.runs.run import Run

SECTOR_MEASURES = ("n_firms", "hhi", "best_quality_field", "adopters")


@dataclass(frozen=True)
class Overview:
    """sectors: one row per sector with medians over seeds in the last month; endings: startups by ending, all seeds."""

    sectors: pd.DataFrame
    endings: dict[str, int]
    survival: float


def overview(run: Run) -> Overview:
    """Summarise the only scenario of a run, from its tables."""
    scenario = run.manifest["arms"][0]["scenario"]
    rows = run.select("sectors", scenario, BASE, ["month", "sector", *SECTOR_MEASURES])
    last = rows[rows["month"] == rows["month"].max()]
    sectors = last.groupby("sector")[list(SECTOR_MEASURES)].median().reset_index()
    endings = startup_endings(run, scenario, BASE)["ending"].value_counts()
    return Overview(sectors, {str(k): int(v) for k, v in endings.items()}, float(survival(run, scenario, BASE).mean()))


def as_document(run: Run, found: Overview) -> dict[str, Any]:
    """The result as JSON says it."""
    sectors = [
        {name: None if value != value else value for name, value in row.items()}
        for row in found.sectors.to_dict("records")
    ]
    return {
        "scenario": run.manifest["name"],
        "title": run.manifest["arms"][0]["title"],
        "seeds": run.seeds,
        "endings": found.endings,
        "survival": None if found.survival != found.survival else found.survival,
        "sectors": sectors,
        "training": run.training_cost,
        "seconds": run.manifest["seconds"],
        "out": str(run.folder),
    }
