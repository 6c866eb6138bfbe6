"""The focal firm of a scenario over time, with the incumbents of its sector beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.expectations import GONE
from analysis.plots.style import (
    FOCAL,
    RIVALS,
    canvas,
    dates_on_x,
    large_numbers_on_y,
    money_on_y,
    percent_on_y,
    quantiles_by_month,
    tidy,
)
from analysis.store import Run

FEWEST_ALIVE = 3  # below this many living firms a band says nothing
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
INCUMBENT = "incumbent"


@dataclass(frozen=True)
class Panel:
    """One measure over time. `rivals`: how the incumbents' line sums them up, None for no such line."""

    column: str
    title: str
    axis: Callable[[Axes], None]
    rivals: str | None = None


PANELS = (
    Panel("quality_field", "Quality in the field", percent_on_y, "max"),
    Panel("quality_lab", "Quality in the lab", percent_on_y, "max"),
    Panel("trust", "Trust", percent_on_y, "max"),
    Panel("customers", "Customers", large_numbers_on_y),
    Panel("share", "Share of its sector", percent_on_y, "max"),
    Panel("headcount", "Headcount", large_numbers_on_y),
    Panel("revenue_usd", "Revenue a month, M$", money_on_y),
    Panel("cash_usd", "Cash, M$", money_on_y),
)


def plot_trajectory(run: Run, scenario: str, arm: str, focal: str, path: Path) -> Path:
    """Eight measures of the focal firm, median and 50 / 90 % bands over seeds, and how many of the firms are alive."""
    columns = ["seed", "month", "firm", "kind", "sector", "status", *(panel.column for panel in PANELS)]
    firms = run.select("firms", scenario, arm, columns)
    firms = firms[~firms["status"].isin(GONE)]
    own = firms[firms["firm"] == focal]
    rivals = incumbents_beside(firms, own)
    alive = own.groupby("month")["seed"].nunique()
    shown = alive.index[alive >= min(FEWEST_ALIVE, len(run.seeds))]
    with canvas(path, 15, 12) as figure:
        axes = figure.subplots(3, 3, sharex=True).flat
        for axis, panel in zip(axes, PANELS, strict=False):
            draw_panel(axis, panel, own[own["month"].isin(shown)], rivals)
        draw_alive(axes[len(PANELS)], alive, len(run.seeds), firms["month"])
        figure.suptitle(
            f"{focal} in {scenario}: {len(run.seeds)} seeds; median and bands of those alive, "
            f"while at least {min(FEWEST_ALIVE, len(run.seeds))} are"
        )
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return path


def incumbents_beside(firms: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Incumbents of the focal firm's sectors, in every month of the run."""
    return firms[(firms["kind"] == INCUMBENT) & firms["sector"].isin(own["sector"].unique())]


def draw_panel(axes: Axes, panel: Panel, own: pd.DataFrame, rivals: pd.DataFrame) -> None:
    """One measure: the focal firm's bands, and the best incumbent's median where the panel asks for it."""
    if len(own):
        draw_bands(axes, quantiles_by_month(own, panel.column, QUANTILES))
    if panel.rivals and len(rivals):
        best = rivals.groupby(["month", "seed"])[panel.column].agg(panel.rivals).groupby("month").median()
        axes.plot(best.index, best, color=RIVALS, linestyle="--", linewidth=1.8, label="best incumbent (median)")
    tidy(axes, panel.title)
    panel.axis(axes)
    dates_on_x(axes)


def draw_bands(axes: Axes, levels: pd.DataFrame) -> None:
    """Median line with the 50 % and the 90 % band; `levels` holds QUANTILES by month."""
    months = levels.index
    axes.fill_between(months, levels[0.05], levels[0.95], color=FOCAL, alpha=0.15, linewidth=0, label="90 % of seeds")
    axes.fill_between(months, levels[0.25], levels[0.75], color=FOCAL, alpha=0.3, linewidth=0, label="50 % of seeds")
    axes.plot(months, levels[0.5], color=FOCAL, linewidth=2.2, label="focal firm (median)")


def draw_alive(axes: Axes, alive: pd.Series, n_seeds: int, months: pd.Series) -> None:
    """In how many seeds the focal firm is alive, month by month."""
    every = alive.reindex(sorted(months.unique()), fill_value=0)
    axes.fill_between(every.index, every, step="mid", color=FOCAL, alpha=0.3, linewidth=0)
    axes.step(every.index, every, where="mid", color=FOCAL, linewidth=1.8)
    axes.set_ylim(0, n_seeds * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(axes, f"Alive: {int(alive.max()) if len(alive) else 0} at most, {int(every.iloc[-1])} at the end")
    dates_on_x(axes)
