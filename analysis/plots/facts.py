"""The plots of `facts`: each panel one fact with its intervals, no target beside it; and effects of what-ifs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.facts.collect import Facts
from analysis.facts.funding import WITHIN_YEARS
from analysis.facts.survival import ENDINGS
from analysis.facts.tables import ALL_SECTORS
from analysis.plots.effects import plot_differences
from analysis.plots.style import FOCAL, MUTED, RIVALS, canvas, ending_colour, percent_on_y, tidy
from analysis.plots.text import labels, wrapped
from analysis.runs.choose import BASE
from analysis.runs.names import file_name
from analysis.statistics.intervals import Interval
from analysis.statistics.verdicts import LEAST_OBSERVATIONS

LABEL_WIDTH = 18  # characters
EMPTY = "nothing of the kind"


def plot_facts(result: Facts, folder: Path) -> list[Path]:
    """`facts.png`, with the arm and the sectors in its name where they are not all; `-effects` in a comparison."""
    parts = [result.arm] * (result.arm != BASE) + list(result.sectors)
    name = "-".join(["facts", *(file_name(part) for part in parts)])
    where = ", ".join([result.scenario, f"arm {result.arm}", *result.sectors])
    title = f"{where}: facts, {len(result.run.seeds)} seeds, 95 % intervals (hollow: too few to tell)"
    paths = [draw_all(result, title, folder / f"{file_name(name)}.png")]
    effects = [one for one in result.found if one.fact.name == "effects" and one.rows]
    if effects:
        title = f"{result.scenario}: effects, {len(result.run.seeds)} paired seeds, 95 % intervals (hollow: too few)"
        paths.append(plot_differences(panels(effects[0].rows), title, folder / f"{file_name(f'{name}-effects')}.png"))
    return paths


def panels(rows: Sequence[Any]) -> list[tuple[str, str, list[tuple[str, Interval]]]]:
    """One panel per measure of the effects."""
    measures = dict.fromkeys((row.measure, row.unit) for row in rows)
    return [
        (name.replace("_", " "), unit, [(row.whatif, row.effect) for row in rows if row.measure == name])
        for name, unit in measures
    ]


def draw_all(result: Facts, title: str, path: Path) -> Path:
    """Eight panels."""
    drawn: tuple[tuple[str, str, Callable[[Axes, Sequence[Any]], None]], ...] = (
        ("survival", "Entrants alive by age, years", survival),
        ("survival", "Failures a year, by year of age", hazards),
        ("cohorts", "How entrants ended, by founding", cohorts),
        ("funnel", f"Of those with a seed round, within {WITHIN_YEARS} years", funnel),
        ("multiples", "Multiples: deciles, quartiles, median", multiples),
        ("causes", "Reasons: failures (dark), peers (light)", causes),
        ("years", "Firms, all sectors", firms),
        ("concentration", "Concentration, mean of sectors", concentration),
    )
    with canvas(path, 13, 15) as figure:
        grid = figure.subplots(4, 2, squeeze=False).flat
        for axes, (name, heading, draw) in zip(grid, drawn, strict=True):
            rows = together(result[name].rows)
            if rows:
                draw(axes, rows)
            else:
                axes.text(0.5, 0.5, EMPTY, ha="center", va="center", color=MUTED, transform=axes.transAxes)
            tidy(axes, heading)
        figure.suptitle(wrapped(title, 110))
    return path


def together(rows: Sequence[Any]) -> list[Any]:
    """Of rows by sector and year those of all sectors, where there are several; other rows as they are."""
    summed = [row for row in rows if getattr(row, "sector", "") == ALL_SECTORS]
    return summed or list(rows)


def line(axes: Axes, xs: Sequence[float], ys: Sequence[Interval], colour: str, name: str) -> None:
    """Estimates as a line, their intervals as a band."""
    low, middle, high = (np.array([getattr(one, part) for one in ys]) for part in ("low", "estimate", "high"))
    axes.fill_between(xs, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(xs, middle, "o-", color=colour, linewidth=2, markersize=4, label=name)


def points(axes: Axes, places: Sequence[float], ys: Sequence[Interval], colour: str, name: str) -> None:
    """Estimates as points with whiskers."""
    for number, (place, one) in enumerate(zip(places, ys, strict=True)):
        axes.plot([place, place], [one.low, one.high], color=colour, linewidth=2)
        fill = colour if one.is_known and one.n >= LEAST_OBSERVATIONS else "white"
        axes.plot(
            [place], [one.estimate], "o", color=colour, markerfacecolor=fill, markersize=7, label=name * (not number)
        )


def names_on_x(axes: Axes, names: Sequence[str]) -> None:
    """Names along the x axis."""
    axes.set_xticks(range(len(names)), labels(names, LABEL_WIDTH), rotation=30 if len(names) > 6 else 0)


def survival(axes: Axes, rows: Sequence[Any]) -> None:
    """Shares alive and independent by age."""
    ages = [0, *(row.age_years for row in rows)]
    whole = Interval(1.0, 1.0, 1.0, 0)
    line(axes, ages, [whole, *(row.alive for row in rows)], FOCAL, "not failed")
    line(axes, ages, [whole, *(row.independent for row in rows)], RIVALS, "nor acquired")
    axes.set_ylim(0, 1.02)
    percent_on_y(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)


def hazards(axes: Axes, rows: Sequence[Any]) -> None:
    """Hazards by year of age."""
    ages = [row.age_years for row in rows]
    points(axes, [age - 0.08 for age in ages], [row.failure_hazard for row in rows], FOCAL, "failed")
    points(axes, [age + 0.08 for age in ages], [row.exit_hazard for row in rows], RIVALS, "failed or acquired")
    axes.set_ylim(bottom=0)
    percent_on_y(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)


def cohorts(axes: Axes, rows: Sequence[Any]) -> None:
    """Shares of endings, stacked."""
    below = np.zeros(len(rows))
    for ending in ENDINGS:
        shares = np.nan_to_num([getattr(row, ending.replace(" ", "_")).estimate for row in rows])
        axes.bar(range(len(rows)), shares, bottom=below, color=ending_colour(ending), label=ending, width=0.8)
        below += shares
    names_on_x(axes, [row.cohort for row in rows])
    percent_on_y(axes)
    axes.legend(frameon=True, fontsize="small", ncols=2)


def funnel(axes: Axes, rows: Sequence[Any]) -> None:
    """Shares that reach each stage."""
    places = np.arange(len(rows))
    points(
        axes,
        list(places - 0.06),
        [row.reached_in_time for row in rows],
        FOCAL,
        f"within {WITHIN_YEARS} years, the end censors",
    )
    points(axes, list(places + 0.06), [row.reached for row in rows], MUTED, "so far")
    names_on_x(axes, [row.stage for row in rows])
    axes.set_ylim(bottom=0)
    percent_on_y(axes)
    axes.legend(frameon=False)


def multiples(axes: Axes, rows: Sequence[Any]) -> None:
    """Quantiles of multiples by kind of investment, linear below 1."""
    for place, row in enumerate(rows):
        axes.plot([place, place], [row.q10.estimate, row.q90.estimate], color=MUTED, linewidth=2)
        axes.plot([place, place], [row.q25.estimate, row.q75.estimate], color=FOCAL, linewidth=7)
        axes.plot([place], [row.median.estimate], "o", color=RIVALS, markersize=8)
    axes.axhline(1, color="black", linewidth=1)
    if max(row.q90.estimate for row in rows) > 10:
        axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    names_on_x(axes, [row.of for row in rows])


def causes(axes: Axes, rows: Sequence[Any]) -> None:
    """Shares of failures with each reason, and of the peers that tables tell of."""
    places = np.arange(len(rows))
    axes.bar(places - 0.2, [row.failures.estimate for row in rows], width=0.4, color=FOCAL)
    axes.bar(places + 0.2, np.nan_to_num([row.peers_by_table.estimate for row in rows]), width=0.4, color="#b9d7ee")
    for place, row in zip(places, rows, strict=True):
        if math.isnan(row.peers_by_table.estimate):
            axes.text(place + 0.2, 0, "–", ha="center", va="bottom", color=MUTED)
    names_on_x(axes, [row.cause for row in rows])
    percent_on_y(axes)


def firms(axes: Axes, rows: Sequence[Any]) -> None:
    """Numbers of firms, startups, entries and exits by year, summed where there are several sectors."""
    years = [row.year for row in rows]
    for name, colour in (("firms", FOCAL), ("startups", RIVALS), ("entries", "#0b7a4b"), ("exits", MUTED)):
        line(axes, years, [getattr(row, name) for row in rows], colour, name)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, ncols=2)


def concentration(axes: Axes, rows: Sequence[Any]) -> None:
    """Index and share of the three largest by year."""
    years = [row.year for row in rows]
    line(axes, years, [row.hhi for row in rows], FOCAL, "HHI")
    line(axes, years, [row.largest_three for row in rows], RIVALS, "share of the three largest")
    axes.set_ylim(0, 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
