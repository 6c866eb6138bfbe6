"""Sectors over time: how many firms, how concentrated, how good, how far adopted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from analysis.comparison import hhi_where_served
from analysis.plots.style import (
    Colour,
    canvas,
    dates_on_x,
    large_numbers_on_y,
    line_styles,
    percent_on_y,
    quantiles_by_month,
    tidy,
)
from analysis.plots.text import wrapped
from analysis.runs.run import Run

QUARTILES = (0.25, 0.5, 0.75)
MOST_BANDS = 6  # with more sectors the bands hide the lines
FEW_ADOPTERS = 100  # below this the logarithmic scale is linear: a market begins with none
FAR_APART = 30  # times
PANELS = (
    ("n_firms", "Firms alive", large_numbers_on_y),
    ("hhi", "Concentration (HHI) where anybody is served", large_numbers_on_y),
    ("best_quality_field", "Best field quality on offer", percent_on_y),
    ("adopters", "Adopters", large_numbers_on_y),
)


def plot_sectors(run: Run, scenario: str, arm: str, path: Path) -> Path:
    """Four measures of every sector: median over seeds, with the 50 % band where there are few sectors."""
    rows = run.select("sectors", scenario, arm, ["seed", "month", "sector", *(panel[0] for panel in PANELS)])
    rows["hhi"] = hhi_where_served(rows)
    sectors = sorted(rows["sector"].unique())
    styles, banded = line_styles(len(sectors)), len(sectors) <= MOST_BANDS
    with canvas(path, 13, 9) as figure:
        axes = figure.subplots(2, 2, sharex=True).flat
        for axis, (column, title, numbers) in zip(axes, PANELS, strict=True):
            for sector, style in zip(sectors, styles, strict=True):
                levels = quantiles_by_month(rows[rows["sector"] == sector], column, QUARTILES)
                draw_sector(axis, levels, sector, *style, banded=banded)
            tidy(axis, title)
            if column == "adopters" and far_apart(rows):
                axis.set_yscale("symlog", linthresh=FEW_ADOPTERS)
                axis.minorticks_off()
            numbers(axis)
            dates_on_x(axis)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(5, max(1, len(sectors))), frameon=False)
        title = f"Sectors in {scenario}: median of {len(run.seeds)} seeds" + ", with the 50 % band" * banded
        figure.suptitle(wrapped(title, 100))
    return path


def draw_sector(axes: Axes, levels: pd.DataFrame, sector: str, colour: Colour, dashes: str, *, banded: bool) -> None:
    """One sector's median line and 50 % band, from its quartiles by month."""
    if banded:
        axes.fill_between(levels.index, levels[0.25], levels[0.75], color=colour, alpha=0.18, linewidth=0)
    axes.plot(levels.index, levels[0.5], color=colour, linewidth=2, linestyle=dashes, label=sector)


def far_apart(rows: pd.DataFrame) -> bool:
    """Whether some sectors have so many more adopters in the end than others that one scale would hide these."""
    last = rows[rows["month"] == rows["month"].max()].groupby("sector")["adopters"].median()
    return bool(last.max() > FAR_APART * max(last.min(), FEW_ADOPTERS))
