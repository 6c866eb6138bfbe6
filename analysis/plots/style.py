"""One look for all plots: canvas, colours, axes."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, NullFormatter

from analysis.plots.text import NOTE, make_drawable
from analysis.runs.files import draft_of

Colour = tuple[float, float, float]
DPI = 120
MILLION = 1e6
FOCAL, RIVALS, MUTED = "#1f5fa8", "#d9822b", "#8a8f98"
GOOD, BAD = FOCAL, "#8c3b00"  # blue against brown, which also those tell apart who cannot tell red from green
ENDING_COLOURS = {  # blue for those that go on, orange for those that do not; neighbours also differ in lightness
    "profitable": "#0b3c7d",
    "public": "#3d8bd0",
    "alive": "#b9d7ee",
    "acquired": "#f2b35e",
    "gave up": "#c8712a",
    "closed": "#e9dcc3",
    "bankrupt": BAD,
}
TINTS = {"-": (0.0, 0.0), "--": (0.0, 0.5), "-.": (1.0, 0.5), ":": (0.0, 0.75)}  # by dashes: towards what, how far
PLAIN: Any = {  # a dollar is a dollar
    "text.usetex": False, "text.parse_math": False, "axes.formatter.use_mathtext": False,
}  # fmt: skip
LOG = "matplotlib.font_manager"  # complains of a font without bold letters, line after line
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOTE_INCHES, LEGEND_PAD = 0.3, 0.18  # inches


@contextmanager
def canvas(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure in the project's style, saved as PNG when the block is left; global settings stay as they are."""
    with (
        mpl.rc_context(),
        silent(LOG),
        sns.axes_style("whitegrid"),
        sns.plotting_context("notebook"),
        mpl.rc_context(PLAIN),
    ):
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.09))
        FigureCanvasAgg(figure)
        yield figure
        write_powers_plainly(figure)
        families, told_by_code = make_drawable(figure)
        mpl.rcParams["font.family"] = families
        if told_by_code:
            add_note(figure, NOTE)
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft_of(path) as draft:
            figure.savefig(draft, dpi=DPI, format="png", facecolor="white")


@contextmanager
def silent(name: str) -> Iterator[None]:
    """Nothing but errors from a logger."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def write_powers_plainly(figure: Figure) -> None:
    """Write ticks of logarithmic axes as 10⁸: Matplotlib writes them as formulae, which are switched off."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        formatter, base = axis.get_major_formatter(), getattr(axis.get_transform(), "base", None)
        if isinstance(formatter, LogFormatterMathtext) and base is not None:
            axis.set_major_formatter(FuncFormatter(lambda value, _, base=base: power(value, base)))
            axis.set_minor_formatter(NullFormatter())


def power(value: float, base: float) -> str:
    """A power as text; nothing for what is none."""
    exponent = math.log(value, base) if value > 0 else math.nan
    if not math.isclose(exponent, whole := round(exponent) if math.isfinite(exponent) else 0, abs_tol=1e-6):
        return ""
    return f"{base:g}" + str(whole).translate(SUPERSCRIPTS)


def add_note(figure: Figure, text: str) -> None:
    """A line in a strip of its own below the figure and its legends, for which the layout no longer makes room."""
    figure.draw_without_rendering()
    keys = max((legend.get_window_extent().height / figure.dpi + LEGEND_PAD for legend in figure.legends), default=0.0)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + NOTE_INCHES)
    strip, free = NOTE_INCHES / (height + NOTE_INCHES), (NOTE_INCHES + keys) / (height + NOTE_INCHES)
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(rect=(0, free, 1, 1 - free))
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0, strip, 1, 1 - strip), transform=figure.transFigure)
    figure.text(0.01, strip / 2, text, fontsize="small", color=MUTED, va="center")


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


def ink_on(colour: str) -> str:
    """Black or white, whichever can be read on that ground."""
    red, green, blue = to_rgb(colour)
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else "black"


def line_styles(n: int) -> list[tuple[Colour, str]]:
    """A colour and a dash pattern for each of n lines; up to forty lines no two share a colour.

    After ten colours the same ones come in other tints, with other dashes.
    """
    colours = sns.color_palette("colorblind", 10)
    patterns = list(TINTS)
    tens = [(patterns[number // 10 % len(patterns)], number) for number in range(n)]
    return [(tinted(colours[number % 10], *TINTS[dashes]), dashes) for dashes, number in tens]


def tinted(colour: Colour, towards: float, how_far: float) -> Colour:
    """The colour on its way to black (0) or white (1)."""
    red, green, blue = (one + (towards - one) * how_far for one in colour)
    return red, green, blue
