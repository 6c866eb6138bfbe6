"""Plots of a scaling study: a page per task, and all tasks beside the exponents of large language models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from analysis.plots.style import FOCAL, MUTED, RIVALS, canvas, tidy
from analysis.training.checks import compute_exponents
from analysis.training.law import C14
from analysis.training.study import Study

TERMS = (("alpha", "α"), ("beta", "β"))


def plot_studies(studies: Sequence[Study], folder: Path) -> list[Path]:
    """The summary, then one page per study."""
    pages = [plot_study(one, folder / f"{one.name}.png") for one in studies]
    return [plot_summary(studies, folder / "summary.png"), *pages]


def plot_study(one: Study, path: Path) -> Path:
    """Losses against rows, size and compute with the fit; residuals; exponents; measured against fitted."""
    with canvas(path, 17, 10.5) as figure:
        grid = figure.subplots(2, 3)
        _draw_rows(grid[0, 0], one)
        _draw_sizes(grid[0, 1], one)
        _draw_compute(grid[0, 2], one)
        _draw_residuals(grid[1, 0], one)
        _draw_exponents(grid[1, 1], [one])
        _draw_agreement(grid[1, 2], one)
        law, edge = one.fit.law, ", no floor seen" if "E" in one.fit.at_bounds else ""
        figure.suptitle(
            f"{one.task}, {one.kind}: L = {law.E:.3g} + {law.A:.3g}/N^{law.alpha:.2f} + {law.B:.3g}/D^{law.beta:.2f}"
            f"   ({one.losses.n_seeds} seeds, R² of log-loss {one.fit.r_squared(one.losses):.3f}, "
            f"residual sd {one.fit.residual_sd:.2f}{edge})"
        )
    return path


def plot_summary(studies: Sequence[Study], path: Path) -> Path:
    """Exponents of all studies with their intervals, those of fact C14 as lines; how well the law fits."""
    with canvas(path, 15, 2.6 + 0.42 * len(studies)) as figure:
        panels = figure.subplots(1, 3, sharey=True, width_ratios=(1, 1, 0.8))
        ordered = list(reversed(studies))
        for axes, (term, sign), what in zip(panels, TERMS, ("a larger rung", "more rows"), strict=False):
            for height, one in enumerate(ordered):
                _draw_estimate(axes, one, term, height)
            value = getattr(C14, term)
            axes.axvline(value, color=RIVALS, linewidth=2, label=f"C14, language models: {value:.2f}")
            axes.set_xlim(left=0)
            axes.set_xlabel(f"{sign}: gain from {what} (95 % over seeds)")
            tidy(axes, f"Exponent {sign}")
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.06), frameon=False)
        for height, one in enumerate(ordered):
            panels[2].barh(height, one.fit.residual_sd, color=FOCAL, height=0.55)
            panels[2].plot(one.fit_all.residual_sd, height, "o", color=MUTED, markersize=8)
        panels[2].plot([], [], "o", color=MUTED, label="law over all cells")
        panels[2].legend(loc="lower center", bbox_to_anchor=(0.5, 1.06), frameon=False)
        panels[2].set_xlabel("sd of log-residuals (0.1: about 10 %)")
        tidy(panels[2], "Misfit")
        panels[0].set_yticks(range(len(ordered)), [one.task for one in ordered])
        for axes in panels:
            axes.grid(axis="y", visible=False)
    return path


def _draw_estimate(axes: Axes, one: Study, term: str, height: float) -> None:
    low, high = one.intervals.get(term, (np.nan, np.nan))
    axes.plot([low, high], [height, height], color=FOCAL, linewidth=3, solid_capstyle="round")
    axes.plot(getattr(one.fit.law, term), height, "o", color=FOCAL, markersize=8)


def _draw_rows(axes: Axes, one: Study) -> None:
    d = np.geomspace(one.losses.d[0], one.losses.d[-1], 100)
    for rung, colour in enumerate(_colours(len(one.losses.n))):
        axes.plot(d, one.fit.law.loss(one.losses.n[rung], d), color=colour, linewidth=1.2)
        axes.plot(one.losses.d, one.losses.mean[rung], "o", color=colour, markersize=6, label=f"rung {rung}")
    _guess_line(axes, one)
    _log_log(axes, one.losses.d, "rows D")
    axes.legend(frameon=False, fontsize="x-small", ncols=2, loc="lower left", handletextpad=0.2)
    tidy(axes, "Loss by rows: points measured, lines fitted")


def _draw_sizes(axes: Axes, one: Study) -> None:
    n = np.geomspace(one.losses.n[0], one.losses.n[-1], 100)
    for column, colour in enumerate(_colours(len(one.losses.d))):
        rows = one.losses.d[column]
        axes.plot(n, one.fit.law.loss(n, rows), color=colour, linewidth=1.2)
        axes.plot(one.losses.n, one.losses.mean[:, column], "o", color=colour, markersize=6, label=f"{rows:,.0f} rows")
    _guess_line(axes, one)
    _log_log(axes, one.losses.n, "parameters N (steps grow with them)")
    axes.legend(frameon=False, fontsize="x-small", ncols=2, loc="lower left", handletextpad=0.2)
    tidy(axes, "Loss by size")


def _draw_compute(axes: Axes, one: Study) -> None:
    loss = one.losses.loss[:, -1, :]
    error = loss.std(axis=1, ddof=1) / np.sqrt(one.losses.n_seeds) if one.losses.n_seeds > 1 else None
    axes.errorbar(one.flops, loss.mean(axis=1), yerr=error, fmt="o-", color=FOCAL, capsize=3)
    exponent, _ = compute_exponents(one.flops, loss.mean(axis=1))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _plain_logs(axes.yaxis)
    axes.set_xlabel(f"training operations C, {one.losses.d[-1]:,.0f} rows")
    axes.set_ylabel("lab cross-entropy, nats")
    tidy(axes, f"Loss by compute: about C^−{exponent:.2f}")


def _draw_residuals(axes: Axes, one: Study) -> None:
    values = one.fit.residuals
    limit = max(0.1, float(np.abs(values).max()))
    sns.heatmap(
        values,
        ax=axes,
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        xticklabels=[f"{d:,.0f}" for d in one.losses.d],
        yticklabels=[str(rung) for rung in range(len(one.losses.n))],
        cbar_kws={"label": "log measured − log fitted"},
    )
    for rung, column in np.argwhere(one.guessed):
        axes.text(
            column + 0.5,
            rung + 0.5,
            "×",
            ha="center",
            va="center",
            fontsize="x-large",
            color=_ink(values[rung, column], limit),
        )
    for rise in one.rises:
        (rung, column), down = rise.cell, rise.axis == "parameters"
        place = (column + 0.5, rung + 0.14) if down else (column + 0.14, rung + 0.5)
        style: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "fontsize": "small",
            "alpha": 1.0 if rise.clear else 0.35,
        }
        style["color"] = _ink(values[rung, column], limit)
        axes.text(*place, "▼" if down else "▶", **style)
    axes.set_xlabel(
        "rows D      × no better than guessing, not in the fit\n▼ ▶ loss rises into this cell (faint: under 2 errors)"
    )
    axes.set_ylabel("rung")
    axes.tick_params(axis="x", rotation=45)
    axes.set_title("Residuals, and where the law fails", loc="left", fontsize="medium", fontweight="bold", pad=10)


def _ink(value: float, limit: float) -> str:
    """What can be read on that cell of the heat map."""
    return "white" if abs(value) > 0.6 * limit else "black"


def _draw_exponents(axes: Axes, studies: Sequence[Study]) -> None:
    for height, (term, _) in enumerate(TERMS):
        for one in studies:
            _draw_estimate(axes, one, term, height)
        axes.plot(getattr(C14, term), height, "D", color=RIVALS, markersize=9)
    axes.plot([], [], "o-", color=FOCAL, linewidth=3, label="this task, 95 % over seeds")
    axes.plot([], [], "D", color=RIVALS, linestyle="none", label="C14, large language models")
    axes.set_yticks(range(len(TERMS)), [f"{sign}\n({what})" for (_, sign), what in zip(TERMS, "ND", strict=True)])
    axes.set_ylim(-0.6, 1.6)
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("exponent")
    axes.legend(frameon=False, loc="center", fontsize="small")
    tidy(axes, "Exponents")


def _draw_agreement(axes: Axes, one: Study) -> None:
    measured, used = one.losses.mean, one.fit.used
    fitted = measured / np.exp(one.fit.residuals)
    axes.plot(fitted[used], measured[used], "o", color=FOCAL, label="in the fit")
    if not used.all():
        axes.plot(fitted[~used], measured[~used], "x", color=RIVALS, label="no better than guessing")
    ends = [min(fitted.min(), measured.min()), max(fitted.max(), measured.max())]
    axes.plot(ends, ends, color=MUTED, linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        _plain_logs(axis)
    axes.set_xlabel("fitted loss")
    axes.set_ylabel("measured loss")
    axes.legend(frameon=False, loc="upper left", fontsize="small")
    tidy(axes, "Measured against fitted")


def _guess_line(axes: Axes, one: Study) -> None:
    axes.axhline(one.guess, color=MUTED, linestyle="--", linewidth=1.2)
    style: dict[str, Any] = {"color": MUTED, "fontsize": "x-small", "ha": "right", "va": "bottom"}
    axes.text(0.99, one.guess, "guessing", transform=axes.get_yaxis_transform(), **style)


def _log_log(axes: Axes, places: np.ndarray, label: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(places.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.tick_params(axis="x", rotation=45)
    _plain_logs(axes.yaxis)
    axes.set_xlabel(label)
    axes.set_ylabel("lab cross-entropy, nats")


def _plain_logs(axis: object) -> None:
    """Ticks at 1, 2 and 5 of every decade, as plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))  # type: ignore[attr-defined]
    axis.set_minor_locator(NullLocator())  # type: ignore[attr-defined]
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))  # type: ignore[attr-defined]


def power_of_ten(value: float) -> str:
    """A tick of a logarithmic axis without the markup of formulae, which is switched off."""
    exponent = str(round(np.log10(value)))
    return "10" + exponent.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _colours(n: int) -> list[tuple[float, float, float]]:
    return list(sns.color_palette("viridis", n))
