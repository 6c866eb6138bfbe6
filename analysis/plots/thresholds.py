"""How much of a match hangs on bounds that were chosen: a curve for each, moved by up to a quarter either way."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes

from analysis.cases.results import CaseResult
from analysis.cases.thresholds import Threshold
from analysis.plots.style import MUTED, RIVALS, canvas, tidy
from analysis.plots.text import labels, wrapped

LABEL_WIDTH = 46  # characters
SIGNS = {"at_least": "≥", "at_most": "≤"}
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")


def plot_thresholds(case: CaseResult, path: Path) -> Path:
    """The match of one case along the curve of each bound; the lowest point of all is marked."""
    with canvas(path, 12, 5.2 + 0.26 * len(case.thresholds)) as figure:
        axes = figure.subplots()
        axes.axhspan(case.match.low, case.match.high, color=MUTED, alpha=0.15, linewidth=0)
        axes.axhline(case.match.estimate, color=MUTED, linewidth=1)
        for number, (one, text) in enumerate(zip(case.thresholds, _labels_of(case), strict=True)):
            draw_curve(axes, one, text, number)
        if case.worst:
            point = case.worst[1]
            axes.plot(point.factor - 1, point.share.estimate, "o", markersize=15, fillstyle="none", color=RIVALS)
        axes.set_ylim(-0.03, 1.03)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f} %" if round(value, 9) else "as it is")
        axes.set_xlabel("bound moved by (grey: the match as it is, 95 % interval; ring: the lowest point)")
        axes.set_ylabel("share of seeds")
        title = f"{case.id}: seeds that meet every statement, by what the bounds of our own are, {case.match.n} seeds"
        tidy(axes, wrapped(title, 90))
        axes.figure.legend(loc="outside lower center", frameon=False, fontsize="small", ncols=2)
    return path


def draw_curve(axes: Axes, one: Threshold, text: str, number: int) -> None:
    """One bound."""
    moved, shares = [p.factor - 1 for p in one.curve], [p.share.estimate for p in one.curve]
    dashes, marker = DASHES[number % len(DASHES)], MARKERS[number % len(MARKERS)]
    axes.plot(moved, shares, linestyle=dashes, marker=marker, markersize=5, linewidth=2, label=text)


def _labels_of(case: CaseResult) -> list[str]:
    return labels([f"{one.id} {SIGNS[one.side]} {one.bound:g}" for one in case.thresholds], LABEL_WIDTH, lines=1)
