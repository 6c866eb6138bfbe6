"""Forest plots: effects with their intervals against zero, one row per cause or what-if."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.plots.style import FOCAL, MILLION, MUTED, RIVALS, canvas, tidy
from analysis.plots.text import labels, wrapped
from analysis.statistics.intervals import Interval, scaled

MARKERS = ("o", "D", "s", "^", "v")  # of the outcomes in one panel, in their order
LABEL_WIDTH = 36  # characters
ROOM = 0.56  # of a row's height that its outcomes share


@dataclass(frozen=True)
class Outcome:
    """One thing that causes act on: its name, and an effect per row of the plot; None where there is none."""

    name: str
    effects: Sequence[Interval | None]


def plot_cause_effects(causes: Sequence[str], outcomes: Sequence[Outcome], title: str, path: Path) -> Path:
    """What taking each cause away does to shares of seeds: a row per cause, a marker per outcome."""
    with canvas(path, 11, 2.1 + 0.3 * len(outcomes) + (0.3 + 0.25 * len(outcomes)) * len(causes)) as figure:
        axes = figure.subplots()
        draw_rows(axes, labels(causes, LABEL_WIDTH), outcomes)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 100:+.0f}" if value else "0")
        axes.set_xlabel("change in the share of seeds, points (95 % interval; grey: it holds zero)")
        key = [Line2D([], [], color="black", marker=m, linewidth=2, markersize=7) for m in MARKERS[: len(outcomes)]]
        tidy(axes, wrapped(title, 80), pad=8 + 20 * len(outcomes))
        axes.legend(
            key, [one.name for one in outcomes], loc="lower left", bbox_to_anchor=(0, 1.0),
            frameon=False, borderaxespad=0.2,
        )  # fmt: skip
    return path


def plot_differences(panels: Sequence[tuple[str, str, Sequence[tuple[str, Interval]]]], title: str, path: Path) -> Path:
    """One panel per measure: (title, unit, effects of the what-ifs in that unit)."""
    n_rows = -(-len(panels) // 2)
    height = 1.0 + n_rows * (1.6 + 0.4 * max(len(effects) for *_, effects in panels))
    with canvas(path, 13, height) as figure:
        grid = list(figure.subplots(n_rows, 2, squeeze=False, sharey=True).flat)
        for number, (axes, (name, unit, effects)) in enumerate(zip(grid, panels, strict=False)):
            scale, label = scale_of(unit, effects)
            draw_forest(axes, [(text, scaled(effect, scale)) for text, effect in effects])
            axes.set_xlabel(label)
            axes.xaxis.set_major_locator(MaxNLocator(4))
            axes.xaxis.set_major_formatter(lambda value, _: signed(value))
            tidy(axes, name)
            axes.tick_params(labelleft=number % 2 == 0)  # all panels have the same rows
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        figure.suptitle(wrapped(title, 110))
    return path


def draw_forest(axes: Axes, effects: Sequence[tuple[str, Interval]]) -> None:
    """Rows of one outcome."""
    draw_rows(
        axes, labels([text for text, _ in effects], LABEL_WIDTH), [Outcome("", [effect for _, effect in effects])]
    )


def draw_rows(axes: Axes, rows: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """Points with intervals, first row and outcome on top; grey where it holds zero, hollow where there is none."""
    for place, outcome in enumerate(outcomes):
        below = ROOM * ((place + 0.5) / len(outcomes) - 0.5)
        for row, effect in enumerate(outcome.effects):
            if effect is not None:
                draw_effect(axes, effect, len(rows) - 1 - row - below, MARKERS[place])
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), list(reversed(rows)))
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(axis="y", visible=False)


def draw_effect(axes: Axes, effect: Interval, height: float, marker: str) -> None:
    """One interval as a line, its estimate as a marker."""
    if math.isnan(effect.estimate):
        axes.text(0, height, " no seed has it in both arms", va="center", color=MUTED, fontsize="small")
        return
    colour = MUTED if not effect.excludes_zero else FOCAL if effect.estimate < 0 else RIVALS
    axes.plot([effect.low, effect.high], [height, height], color=colour, linewidth=3, solid_capstyle="round")
    fill = colour if effect.is_known else "white"
    size = 9 if marker == "o" else 7
    axes.plot(effect.estimate, height, marker, color=colour, markerfacecolor=fill, markersize=size)


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
