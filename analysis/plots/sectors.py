"""Sectors over time: how many firms, how concentrated, how good, how far adopted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from analysis.comparison import hhi_where_served
from analysis.plots.style import canvas, dates_on_x, large_numbers_on_y, percent_on_y, quantiles_by_month, tidy
from analysis.runs.run import Run

PANELS = (
    ("n_firms", "Firms alive", large_numbers_on_y),
    ("hhi", "Concentration (HHI) where anybody is served", large_numbers_on_y),
    ("best_quality_field", "Best field quality on offer", percent_on_y),
    ("adopters", "Adopters", large_numbers_on_y),
)


def plot_sectors(run: Run, scenario: str, arm: str, path: Path) -> Path:
    """Four measures of every sector: median over seeds, with the 50 % band."""
    rows = run.select("sectors", scenario, arm, ["seed", "month", "sector", *(panel[0] for panel in PANELS)])
    rows["hhi"] = hhi_where_served(rows)
    sectors = sorted(rows["sector"].unique())
    colours = dict(zip(sectors, sns.color_palette("colorblind", len(sectors)), strict=True))
    with canvas(path, 13, 9) as figure:
        axes = figure.subplots(2, 2, sharex=True).flat
        for axis, (column, title, numbers) in zip(axes, PANELS, strict=True):
            for sector in sectors:
                draw_sector(axis, rows[rows["sector"] == sector], column, sector, colours[sector])
            tidy(axis, title)
            numbers(axis)
            dates_on_x(axis)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(5, max(1, len(sectors))), frameon=False)
        figure.suptitle(f"Sectors in {scenario}: median of {len(run.seeds)} seeds, with the 50 % band")
    return path


def draw_sector(axes: Axes, rows: pd.DataFrame, column: str, sector: str, colour: tuple[float, float, float]) -> None:
    """One sector's median line and 50 % band."""
    levels = quantiles_by_month(rows, column, (0.25, 0.5, 0.75))
    axes.fill_between(levels.index, levels[0.25], levels[0.75], color=colour, alpha=0.18, linewidth=0)
    axes.plot(levels.index, levels[0.5], color=colour, linewidth=2, label=sector)
