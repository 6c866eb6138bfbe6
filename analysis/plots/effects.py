"""Forest plots: effects with their intervals against zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.plots.style import FOCAL, MILLION, MUTED, RIVALS, canvas, tidy
from analysis.statistics.intervals import Interval, scaled


def plot_cause_effects(effects: Sequence[tuple[str, Interval]], title: str, path: Path) -> Path:
    """What taking each cause away does to the share of matching seeds."""
    with canvas(path, 11, 2.0 + 0.5 * len(effects)) as figure:
        axes = figure.subplots()
        draw_forest(axes, effects)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f}" if value else "0")
        axes.set_xlabel("change in the share of seeds that end as the chapter says, points (95 % interval)")
        tidy(axes, title)
    return path


def plot_differences(panels: Sequence[tuple[str, str, Sequence[tuple[str, Interval]]]], title: str, path: Path) -> Path:
    """One panel per measure: (title, unit, effects of the what-ifs in that unit)."""
    n_rows = -(-len(panels) // 2)
    height = 1.0 + n_rows * (1.6 + 0.4 * max(len(effects) for *_, effects in panels))
    with canvas(path, 13, height) as figure:
        grid = list(figure.subplots(n_rows, 2, squeeze=False).flat)
        for axes, (name, unit, effects) in zip(grid, panels, strict=False):
            scale, label = scale_of(unit, effects)
            draw_forest(axes, [(text, scaled(effect, scale)) for text, effect in effects])
            axes.set_xlabel(label)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.xaxis.set_major_formatter(lambda value, _: signed(value))
            tidy(axes, name)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        figure.suptitle(title)
    return path


def draw_forest(axes: Axes, effects: Sequence[tuple[str, Interval]]) -> None:
    """Points with intervals, first on top; grey where the interval holds zero, hollow where there is no interval."""
    for height, (_, effect) in enumerate(reversed(effects)):
        draw_effect(axes, effect, height)
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(effects)), [text for text, _ in reversed(effects)])
    axes.set_ylim(-0.6, len(effects) - 0.4)
    axes.grid(axis="y", visible=False)


def draw_effect(axes: Axes, effect: Interval, height: float) -> None:
    """One interval as a line, its estimate as a marker."""
    if math.isnan(effect.estimate):
        axes.text(0, height, " no seed has it in both arms", va="center", color=MUTED, fontsize="small")
        return
    colour = MUTED if not effect.excludes_zero else FOCAL if effect.estimate < 0 else RIVALS
    axes.plot([effect.low, effect.high], [height, height], color=colour, linewidth=3, solid_capstyle="round")
    fill = colour if effect.is_known else "white"
    axes.plot(effect.estimate, height, "o", color=colour, markerfacecolor=fill, markersize=9)


def scale_of(unit: str, effects: Sequence[tuple[str, Interval]]) -> tuple[float, str]:
    """What to divide by, and the name of the unit then: numbers on the axis stay short."""
    if unit == "USD":
        return MILLION, "M$"
    numbers = [abs(number) for _, effect in effects for number in (effect.estimate, effect.low, effect.high)]
    largest = max((number for number in numbers if math.isfinite(number)), default=0.0)
    return (1e3, f"thousand {unit}") if largest >= 1e5 else (1.0, unit)


def signed(value: float) -> str:
    """A change as a tick label."""
    return "0" if value == 0 else f"{value:+,.0f}" if abs(value) >= 1000 else f"{value:+.4g}"
