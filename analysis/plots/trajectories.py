"""The focal firm of a scenario over time, with the incumbents of its sector beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.ticker import MaxNLocator

from analysis.cases.expectations import GONE
from analysis.plots.marks import draw_marks, legend_lines, marks_of
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
from analysis.plots.text import wrapped
from analysis.runs.months import RunMonths, months_of
from analysis.runs.run import Run

FEWEST_ALIVE, FEWEST_SHARE = 3, 0.1  # below this many living firms, or share of seeds, a band tells of a few odd worlds
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
INCUMBENT = "incumbent"
ROOM_FOR_MARKS = 20  # points between a panel and its title
ROOM_FOR_WORDS = 0.2  # of the height of a panel, above its curves
OFF_SCALE = 3.0  # times the focal firm's largest figure: incumbents beyond are told in words, not drawn


@dataclass(frozen=True)
class Panel:
    """One measure over time."""

    column: str
    title: str
    axis: Callable[[Axes], None]


PANELS = (
    Panel("quality_field", "Quality in the field", percent_on_y),
    Panel("quality_lab", "Quality in the lab", percent_on_y),
    Panel("trust", "Trust", percent_on_y),
    Panel("paying_customers", "Paying customers", large_numbers_on_y),
    Panel("share", "Share of its sector", percent_on_y),
    Panel("headcount", "Headcount", large_numbers_on_y),
    Panel("revenue_usd", "Revenue a month, M$", money_on_y),
    Panel("cash_usd", "Cash, M$", money_on_y),
)


def plot_trajectory(run: Run, scenario: str, arm: str, focal: str, path: Path) -> Path:
    """Eight measures of the focal firm, median and 50 / 90 % bands over seeds, and how many of the firms are alive.

    Beside it the median of its sector's incumbents; dotted: median dates of what happened to it.
    """
    columns = ["seed", "month", "firm", "kind", "sector", "status", *(panel.column for panel in PANELS)]
    firms = run.select("firms", scenario, arm, columns)
    firms = firms[~firms["status"].isin(GONE)]
    own = firms[firms["firm"] == focal]
    its = [("firm", "==", focal)]
    events = run.select("events", scenario, arm, ["seed", "time", "kind"], its)
    rounds = run.select("rounds", scenario, arm, ["seed", "time", "round"], its)
    marks, months = marks_of(events, rounds, len(run.seeds)), months_of(run, scenario, arm)
    with canvas(path, 15, 13) as figure:
        axes = list(figure.subplots(3, 3, sharex=True).flat)
        draw_panels(axes, firms, own, months, len(run.seeds))
        for axis in axes:
            draw_marks(axis, marks, months)
        title = wrapped(title_of(focal, scenario, len(run.seeds)), 150)
        figure.suptitle("\n".join([title, *legend_lines(marks)]), fontsize="medium")
        handles = {
            text: handle for axis in axes for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
    return path


def title_of(focal: str, scenario: str, n_seeds: int) -> str:
    """What the figure shows, in one line."""
    fewest = fewest_alive(n_seeds)
    return f"{focal} in {scenario}: {n_seeds} seeds; median and bands of those alive, while at least {fewest} are"


def fewest_alive(n_seeds: int) -> int:
    """In how many of the seeds the firm must be alive for a month to be drawn."""
    return min(max(FEWEST_ALIVE, math.ceil(FEWEST_SHARE * n_seeds)), n_seeds)


def draw_panels(axes: Sequence[Axes], firms: pd.DataFrame, own: pd.DataFrame, months: RunMonths, n_seeds: int) -> None:
    """All measures over the whole run, whoever lives to its end, and last how many are alive."""
    rivals = incumbents_beside(firms, own)
    alive = alive_by_month(own, months)
    shown = alive.index[alive >= fewest_alive(n_seeds)]
    for axis, panel in zip(axes, PANELS, strict=False):
        draw_panel(axis, panel, own[own["month"].isin(shown)], rivals)
    draw_alive(axes[len(PANELS)], alive, n_seeds)
    axes[0].set_xlim(float(date2num(months.start)), float(date2num(months.end)))  # all panels share it


def alive_by_month(own: pd.DataFrame, months: RunMonths) -> pd.Series:
    """In how many seeds the focal firm is alive, in every month of the run; a month without rows counts 0."""
    return own.groupby("month")["seed"].nunique().reindex(months.all, fill_value=0)


def incumbents_beside(firms: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Incumbents of the focal firm's sectors, in every month of the run."""
    return firms[(firms["kind"] == INCUMBENT) & firms["sector"].isin(own["sector"].unique())]


def draw_panel(axes: Axes, panel: Panel, own: pd.DataFrame, rivals: pd.DataFrame) -> None:
    """One measure: the focal firm's bands, and the median of its sector's incumbents."""
    panel.axis(axes)
    top = float(own[panel.column].quantile(0.95)) if len(own) else 0.0
    if len(own):
        draw_bands(axes, quantiles_by_month(own, panel.column, QUANTILES))
    if len(rivals):
        draw_rivals(axes, rivals.groupby("month")[panel.column].median().dropna(), top)
    tidy(axes, panel.title, ROOM_FOR_MARKS)
    dates_on_x(axes)


def draw_rivals(axes: Axes, middle: pd.Series, top: float) -> None:
    """The incumbents' median as a thin line, or in words where it would crush the focal firm's curve."""
    if not len(middle):
        return
    if top <= 0 or middle.max() <= OFF_SCALE * top:
        axes.plot(middle.index, middle, color=RIVALS, linewidth=1.2, label="incumbents of its sector (median)")
        return
    written = axes.yaxis.get_major_formatter()
    text = f"incumbents, off the scale:\n{written(middle.min())} to {written(middle.max())} (median)"
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + ROOM_FOR_WORDS * (top - bottom))
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", color=RIVALS, fontsize="x-small")


def draw_bands(axes: Axes, levels: pd.DataFrame) -> None:
    """Median line with the 50 % and the 90 % band; `levels` holds QUANTILES by month."""
    months = levels.index
    axes.fill_between(months, levels[0.05], levels[0.95], color=FOCAL, alpha=0.15, linewidth=0, label="90 % of seeds")
    axes.fill_between(months, levels[0.25], levels[0.75], color=FOCAL, alpha=0.3, linewidth=0, label="50 % of seeds")
    axes.plot(months, levels[0.5], color=FOCAL, linewidth=2.2, label="focal firm (median)")


def draw_alive(axes: Axes, alive: pd.Series, n_seeds: int) -> None:
    """In how many seeds the focal firm is alive, month by month."""
    axes.fill_between(alive.index, alive, step="mid", color=FOCAL, alpha=0.3, linewidth=0)
    axes.step(alive.index, alive, where="mid", color=FOCAL, linewidth=1.8)
    axes.set_ylim(0, n_seeds * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(axes, f"Alive: {int(alive.max())} at most, {int(alive.iloc[-1])} at the end", ROOM_FOR_MARKS)
    dates_on_x(axes)
