"""Base rates: targets as ranges, simulated values as points with intervals; and the losses of a calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from analysis.base_rates.judge import BaseRate
from analysis.plots.style import BAD, FOCAL, GOOD, MUTED, RIVALS, canvas, tidy
from analysis.plots.text import labels, wrapped
from analysis.screens.base_rates import scaled

LABEL_WIDTH = 60  # characters
RANGE = "#cfd8e3"
COLOURS = {"inside": GOOD, "below": BAD, "above": BAD, "too little to tell": MUTED}
MARKERS = {"inside": "o", "below": "X", "above": "X", "too little to tell": "o"}
PANELS = {"share": "Shares, %", "months": "Waits, months", "USD": "Money, M$", "USD/month": "Spending, M$ a month"}
ROW, HEAD = 0.42, 1.0  # inches


def plot_base_rates(rates: Sequence[BaseRate], title: str, path: Path) -> Path:
    """One panel per unit, one line per target."""
    units = list(dict.fromkeys(rate.target.unit for rate in rates))
    groups = [[rate for rate in rates if rate.target.unit == unit] for unit in units]
    height = sum(ROW * len(group) + HEAD for group in groups) + 0.9
    with canvas(path, 11.5, height) as figure:
        panels = figure.subplots(len(groups), 1, squeeze=False, height_ratios=[len(group) + 0.6 for group in groups])
        for axes, unit, group in zip(panels[:, 0], units, groups, strict=True):
            _draw_panel(axes, group, unit)
        figure.suptitle(wrapped(title, 90), x=0.01, ha="left", fontweight="bold")
        _legend(figure)
    return path


def _draw_panel(axes: Axes, rates: Sequence[BaseRate], unit: str) -> None:
    scale, _ = scaled(unit)
    positive = [v * scale for rate in rates for v in _finite(rate) if v > 0]
    if unit.startswith("USD") and positive and max(positive) > 20 * min(positive):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    limits = _limits(rates, scale, axes.get_xscale() == "log")
    for row, rate in enumerate(rates):
        _draw_rate(axes, row, rate, scale, limits)
    axes.set_xlim(limits)
    axes.set_ylim(len(rates) - 0.4, -0.6)
    names = labels([f"{rate.target.says}  ({rate.target.id})" for rate in rates], LABEL_WIDTH)
    axes.set_yticks(range(len(rates)), names, fontsize=10)
    axes.grid(axis="y", visible=False)
    tidy(axes, PANELS.get(unit, unit or "Numbers"))


def _draw_rate(axes: Axes, row: int, rate: BaseRate, scale: float, limits: tuple[float, float]) -> None:
    low, high = rate.target.range
    left = limits[0] if low is None else low * scale
    right = limits[1] if high is None else high * scale
    axes.fill_betweenx([row - 0.3, row + 0.3], left, right, color=RANGE, linewidth=0, zorder=1)
    one = rate.simulated
    colour = COLOURS[rate.verdict]
    if math.isnan(one.estimate):
        axes.text(limits[0], row, " none observed", va="center", ha="left", fontsize=9, color=MUTED)
        return
    if not math.isnan(one.low):
        axes.plot([one.low * scale, one.high * scale], [row, row], color=colour, linewidth=2.2, zorder=2)
    axes.plot([one.estimate * scale], [row], MARKERS[rate.verdict], color=colour, markersize=7, zorder=3)


def _limits(rates: Sequence[BaseRate], scale: float, log: bool) -> tuple[float, float]:
    values = [v * scale for rate in rates for v in _finite(rate)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if log:
        return min(v for v in values if v > 0) / 1.4, high * 1.4
    margin = 0.06 * (high - min(low, 0.0)) or 1.0
    return (0.0 if low >= 0 else low - margin), high + margin


def _finite(rate: BaseRate) -> list[float]:
    one = rate.simulated
    return [v for v in (*rate.target.range, one.estimate, one.low, one.high) if v is not None and not math.isnan(v)]


def _legend(figure: object) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[object] = [Patch(color=RANGE, label="target")]
    for name in ("inside", "below", "too little to tell"):
        label = {"below": "outside"}.get(name, name)
        style: dict[str, Any] = {"marker": MARKERS[name], "color": COLOURS[name], "linewidth": 2.2}
        handles.append(Line2D([], [], label=f"simulated: {label}", **style))
    figure.legend(handles=handles, loc="outside lower right", ncols=4, frameon=False, fontsize=10)  # type: ignore[attr-defined]


def plot_losses(losses: Sequence[float], title: str, path: Path) -> Path:
    """Loss of every trial in order, the best so far as a line, the world as it is as a level."""
    order = np.arange(len(losses))
    with canvas(path, 9.0, 4.6) as figure:
        axes = figure.subplots()
        axes.plot(order, losses, "o", color=MUTED, markersize=5, label="trial", clip_on=False, zorder=3)
        axes.plot(
            order, np.minimum.accumulate(losses), color=FOCAL, linewidth=2, drawstyle="steps-post", label="best so far"
        )
        axes.axhline(losses[0], color=RIVALS, linestyle="--", linewidth=1.3, label="as it is (trial 0)")
        axes.set_xlabel("trial")
        axes.set_ylabel("loss")
        axes.set_yscale("symlog", linthresh=1e-3)  # good trials lie a hundredfold below bad ones, and may have none
        axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        axes.set_ylim(0, 2 * max(*losses, 1e-3))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        tidy(axes, wrapped(title, 70))
    return path
