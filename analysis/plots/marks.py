"""Median dates of what happened to a firm, as marks on its trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from analysis.plots.style import MUTED
from analysis.runs.months import RunMonths

KINDS = (  # letter, kind of event, what readers call it; the first of its kind in each seed counts
    ("F", "founded", "founded"),
    ("M", "release", "first model"),
    ("P", "pivot", "pivot"),
    ("+", "profitable", "first profitable year"),
    ("L", "listed", "listed"),
    ("S", "acquired", "sold"),
    ("X", "bankrupt", "bankrupt"),
)
ROUNDS = (  # letter, stage, what readers call it; seed capital comes with the founding
    ("A", "A", "series A"),
    ("B", "B", "series B"),
    ("C", "C", "series C"),
    ("G", "growth", "growth round"),
)
NEAR = 0.035  # of the width of a panel: marks nearer to each other share their place


@dataclass(frozen=True)
class Mark:
    """An event: in how many of all seeds it happened, and its median date; None where half or fewer saw it.

    Seeds without the event count as later than all others, so that the date is one that most seeds have reached.
    """

    letter: str
    says: str
    n: int
    n_seeds: int
    date: pd.Timestamp | None

    @property
    def text(self) -> str:
        seeds = "" if self.n == self.n_seeds else f" ({self.n} of {self.n_seeds})"
        when = f" {self.date:%Y-%m}" if self.date is not None else ""
        return f"{self.letter} {self.says}{when}{seeds}"


def marks_of(events: pd.DataFrame, n_seeds: int) -> list[Mark]:
    """Marks of one firm's events (seed, time, kind, text), by date; those without a date come last."""
    found = [mark(letter, says, events[events["kind"] == kind], n_seeds) for letter, kind, says in KINDS]
    rounds = events[events["kind"] == "round"]
    found += [mark(letter, says, rounds[rounds["text"] == stage], n_seeds) for letter, stage, says in ROUNDS]
    found = [one for one in found if one.n]
    return sorted(found, key=lambda one: (one.date is None, one.date or pd.Timestamp(0)))


def mark(letter: str, says: str, events: pd.DataFrame, n_seeds: int) -> Mark:
    """One mark from the events of its kind: the first in each seed."""
    first = events.groupby("seed")["time"].min().sort_values()
    middle = n_seeds // 2
    date = pd.Timestamp(first.iloc[middle]) if len(first) > middle else None
    return Mark(letter, says, len(first), n_seeds, date)


def draw_marks(axes: Axes, marks: Sequence[Mark], months: RunMonths) -> None:
    """Dotted lines with their letters above the panel; neighbours share one place."""
    span: timedelta = months.end - months.start
    places: list[tuple[pd.Timestamp, str]] = []
    for one in marks:
        if one.date is None:
            continue
        axes.axvline(float(date2num(one.date)), color=MUTED, linewidth=0.9, linestyle=":", zorder=1)
        if places and one.date - places[-1][0] < NEAR * span:
            places[-1] = (places[-1][0], places[-1][1] + one.letter)
        else:
            places.append((one.date, one.letter))
    for date, letters in places:
        axes.annotate(
            letters, (date, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize="x-small", color="#4a4f57",
        )  # fmt: skip


def legend_lines(marks: Sequence[Mark], per_line: int = 7) -> list[str]:
    """What the letters mean: dated marks, then those that half of the seeds or fewer saw."""
    dated = [one.text for one in marks if one.date is not None]
    rare = [one.text for one in marks if one.date is None]
    lines = ["   ".join(dated[i : i + per_line]) for i in range(0, len(dated), per_line)]
    if lines:
        lines[0] = f"median dates:  {lines[0]}"
    return [*lines, *([f"in half of the seeds or fewer:  {'   '.join(rare)}"] if rare else [])]
