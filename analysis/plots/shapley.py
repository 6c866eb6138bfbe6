"""What each cause contributes to meeting every statement of its case: bars with intervals, one panel per case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from analysis.cases.shapley import Attribution, Contribution
from analysis.plots.style import FOCAL, MUTED, RIVALS, canvas, tidy
from analysis.plots.text import labels, wrapped
from analysis.statistics.intervals import Interval

WHOLE = "sum"
LABEL_WIDTH = 40  # characters


def plot_shapley(found: Sequence[Attribution], path: Path) -> Path:
    """All cases on one scale: a bar per cause, the first on top, with its 95 % interval; a diamond marks the sum."""
    bars = [1 + len(one.contributions) for one in found]
    with canvas(path, 12, 1.6 + sum(0.95 + 0.42 * n for n in bars)) as figure:
        panels = figure.subplots(len(found), 1, squeeze=False, sharex=True, height_ratios=bars)[:, 0]
        for axes, one in zip(panels, found, strict=True):
            draw_case(axes, one)
        panels[-1].xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f}" if value else "0")
        panels[-1].set_xlabel(
            "Shapley value in points of the share of seeds that meet every statement (95 % interval)\n"
            "grey: the interval holds zero; diamond: all causes together, which is the sum of the bars"
        )
    return path


def draw_case(axes: Axes, found: Attribution) -> None:
    """The bars of one case and, below them, their sum."""
    causes = list(reversed(found.contributions))
    for height, cause in enumerate(causes, start=1):
        value = cause.value
        colour = MUTED if not value.excludes_zero else FOCAL if value.estimate > 0 else RIVALS
        axes.barh(height, value.estimate, height=0.6, color=colour, alpha=0.75)
        draw_interval(axes, value, height)
    draw_interval(axes, found.whole, 0)
    axes.plot(found.total, 0, "D", color="black", markersize=7)
    axes.axvline(0, color="black", linewidth=1)
    axes.axhline(0.5, color=MUTED, linewidth=0.8)
    texts = [f"{WHOLE}  {points(found.total)}", *(bar_label(one) for one in causes)]
    axes.set_yticks(range(len(texts)), labels(texts, LABEL_WIDTH))
    axes.set_ylim(-0.6, len(causes) + 0.6)
    axes.grid(axis="y", visible=False)
    match = f"{found.match_all.estimate:.0%} of {found.match_all.n} seeds meet every statement with all causes"
    tidy(axes, wrapped(f"{found.id}: {match}, {found.match_none.estimate:.0%} with none", 90))


def draw_interval(axes: Axes, value: Interval, height: float) -> None:
    """A thin line with ends."""
    axes.plot([value.low, value.high], [height, height], color="black", linewidth=1.6)
    axes.plot([value.low, value.high], [height, height], "|", color="black", markersize=9)


def bar_label(cause: Contribution) -> str:
    """The cause, its section, its value."""
    return f"{cause.name} (§{cause.section})  {points(cause.value.estimate)}"


def points(value: float) -> str:
    """A share in points, signed unless it rounds to zero."""
    rounded = round(value * 100)
    return f"{rounded:+d}" if rounded else "0"
