"""Median dates of what happened to a firm, as marks on its trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    ("U", "gave up", "given up"),
    ("K", "closed", "closed by its parent"),
    ("X", "bankrupt", "bankrupt"),
)
ROUNDS = (  # letter, stage, what readers call it; seed capital comes with the founding
    ("A", "A", "series A"),
    ("B", "B", "series B"),
    ("C", "C", "series C"),
    ("G", "growth", "growth round"),
)
LETTER = 0.022  # width of a letter as a share of a panel's, of three panels beside each other
GAP = 0.5  # letters between two labels


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


def marks_of(events: pd.DataFrame, rounds: pd.DataFrame, n_seeds: int) -> list[Mark]:
    """Marks of one firm's events (seed, time, kind) and rounds (seed, time, round); those without a date come last."""
    found = [mark(letter, says, events[events["kind"] == kind], n_seeds) for letter, kind, says in KINDS]
    found += [mark(letter, says, rounds[rounds["round"] == stage], n_seeds) for letter, stage, says in ROUNDS]
    found = [one for one in found if one.n]
    return sorted(found, key=lambda one: (one.date is None, one.date or pd.Timestamp(0)))


def mark(letter: str, says: str, events: pd.DataFrame, n_seeds: int) -> Mark:
    """One mark from the events of its kind: the first in each seed."""
    first = events.groupby("seed")["time"].min().sort_values()
    middle = n_seeds // 2
    date = pd.Timestamp(first.iloc[middle]) if len(first) > middle else None
    return Mark(letter, says, len(first), n_seeds, date)


@dataclass(frozen=True)
class Label:
    """Letters above a panel, in the middle between the first and the last date that they stand for, as shares of its
    width.
    """

    letters: str
    first: float
    last: float

    @property
    def middle(self) -> float:
        return (self.first + self.last) / 2

    def touches(self, other: Label) -> bool:
        """Whether there is too little room for both."""
        needed = (len(self.letters) + len(other.letters)) / 2 + GAP
        return abs(self.middle - other.middle) < needed * LETTER

    def joined(self, other: Label) -> Label:
        """One label in place of two."""
        return Label(self.letters + other.letters, min(self.first, other.first), max(self.last, other.last))


def draw_marks(axes: Axes, marks: Sequence[Mark], months: RunMonths) -> None:
    """Dotted lines with their letters above the panel; those without room of their own stand together."""
    span = months.end - months.start
    labels = []
    for one in marks:
        if one.date is not None:
            axes.axvline(float(date2num(one.date)), color=MUTED, linewidth=0.9, linestyle=":", zorder=1)
            place = float((one.date - months.start) / span)
            labels.append(Label(one.letter, place, place))
    for label in apart(labels):
        axes.annotate(
            label.letters, (months.start + label.middle * span, 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 2), textcoords="offset points", ha="center", va="bottom", fontsize="x-small", color="#4a4f57",
        )  # fmt: skip


def apart(labels: Sequence[Label]) -> list[Label]:
    """Labels from left to right, those that would touch joined; a joined one may touch the one before it in turn."""
    placed: list[Label] = []
    for label in sorted(labels, key=lambda one: one.middle):
        while placed and placed[-1].touches(label):
            label = placed.pop().joined(label)
        placed.append(label)
    return placed


def legend_lines(marks: Sequence[Mark], per_line: int = 7) -> list[str]:
    """What the letters mean: dated marks, then those that half of the seeds or fewer saw."""
    dated = [one.text for one in marks if one.date is not None]
    rare = [one.text for one in marks if one.date is None]
    lines = ["   ".join(dated[i : i + per_line]) for i in range(0, len(dated), per_line)]
    if lines:
        lines[0] = f"median dates:  {lines[0]}"
    return [*lines, *([f"in half of the seeds or fewer:  {'   '.join(rare)}"] if rare else [])]
