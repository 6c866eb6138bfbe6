"""One look for all plots: canvas, colours, axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter

from analysis.runs.files import draft_of

DPI = 120
MILLION = 1e6
FOCAL, RIVALS, MUTED = "#1f5fa8", "#d9822b", "#8a8f98"
ENDING_COLOURS = {
    "profitable": "#2e8b57",
    "public": "#1f5fa8",
    "alive": "#9fb8d1",
    "acquired": "#e0a030",
    "bankrupt": "#c0392b",
}


@contextmanager
def canvas(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure in the project's style, saved as PNG when the block is left; global settings stay as they are."""
    with mpl.rc_context(), sns.axes_style("whitegrid"), sns.plotting_context("notebook"):
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.09))
        FigureCanvasAgg(figure)
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft_of(path) as draft:
            figure.savefig(draft, dpi=DPI, format="png", facecolor="white")


def tidy(axes: Axes, title: str, pad: float = 10) -> None:
    """Title on the left, `pad` points above the panel; no frame on top and right."""
    axes.set_title(title, loc="left", fontsize="medium", fontweight="bold", pad=pad)
    sns.despine(ax=axes)


def dates_on_x(axes: Axes) -> None:
    """Calendar dates along the x axis."""
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def money_on_y(axes: Axes) -> None:
    """Amounts in millions of dollars along the y axis."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / MILLION:,.4g}"))


def percent_on_y(axes: Axes) -> None:
    """Shares as percentages along the y axis."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.3g} %"))


def large_numbers_on_y(axes: Axes) -> None:
    """Counts with thousands separators along the y axis."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}"))


def quantiles_by_month(rows: pd.DataFrame, column: str, levels: Sequence[float]) -> pd.DataFrame:
    """Quantiles of a column over seeds, months × levels."""
    return rows.groupby("month")[column].quantile(np.asarray(levels)).unstack()


def ending_colour(ending: str) -> str:
    """The colour of an ending; unknown ones are grey."""
    return ENDING_COLOURS.get(ending, MUTED)
