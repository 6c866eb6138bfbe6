"""The plot of a transfer study: labelled rows with and without a foundation, and what a larger foundation brings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.plots.style import FOCAL, MUTED, RIVALS, canvas, tidy
from analysis.training.transfer.law import UNIT_FLOPS
from analysis.training.transfer.study import PLACES, Transfer

COLOURS = {"lab": FOCAL, "field": RIVALS}


def plot_transfer(found: Transfer, path: Path) -> Path:
    """Learning curves in lab and field, multipliers by compute, losses by compute."""
    with canvas(path, 16, 9.5) as figure:
        grid = figure.subplots(2, 2)
        for axes, place in zip(grid[0], PLACES, strict=True):
            _draw_curves(axes, found, place)
        _draw_multipliers(grid[1, 0], found)
        _draw_losses(grid[1, 1], found)
    return path


def _draw_curves(axes: Axes, found: Transfer, place: str) -> None:
    rows = found.size.rows
    for name, colour in (("scratch", RIVALS), ("probe", MUTED), ("adapted", FOCAL)):
        curves = np.array([getattr(one, name)[place] for one in found.sectors])
        axes.plot(rows, curves.T, color=colour, alpha=0.25, linewidth=1)
        axes.plot(rows, curves.mean(axis=0), color=colour, linewidth=2.5, marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.set_xlabel("labelled rows")
    axes.set_ylabel(f"accuracy in the {place}")
    axes.legend(frameon=False)
    tidy(axes, f"Foundation F{found.size.foundation:g}, {place}: mean of {len(found.sectors)} sectors")


def _draw_multipliers(axes: Axes, found: Transfer) -> None:
    flops = np.array([rung["training_flops"] for rung in found.ladder])
    for place in PLACES:
        reached = np.array([rung[f"multiplier_{place}"] or np.nan for rung in found.ladder], dtype=float)
        axes.plot(flops, reached, "o", color=COLOURS[place], label=place)
        law = found.laws[place]
        if law is not None:
            axes.plot(flops, law.scale * (flops / UNIT_FLOPS) ** law.exponent, color=COLOURS[place], linewidth=1)
    axes.axhline(1.0, color=MUTED, linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log", base=2)
    axes.set_xlabel("training operations of the foundation")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    axes.set_ylabel("rows from scratch for one of 256")
    axes.legend(frameon=False)
    tidy(axes, "Data multiplier of a probe, median of sectors")


def _draw_losses(axes: Axes, found: Transfer) -> None:
    flops = [rung["training_flops"] for rung in found.ladder]
    axes.plot(flops, [rung["loss_general"] for rung in found.ladder], "o-", color=FOCAL)
    axes.set_xscale("log")
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axes.set_xlabel("training operations of the foundation")
    axes.set_ylabel("nats a token")
    tidy(axes, "Held-out loss")
