"""When something was: a moment orders all that a run wrote down, also where dates are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

BEGINNING, MEASURED, OVER = -1, 2**62, 2**62 + 1  # places in a month; those between are rows of `events`
MONTH = pd.DateOffset(months=1)


@dataclass(frozen=True, order=True)
class Moment:
    """A point of a run: the month being played, and the place in it.

    place: number of the row in the world's `events`, which are written as they happen; `BEGINNING` before all of a
        month, `MEASURED` for the tables' rows of the month, which are measured last of all, `OVER` after that.
    part: −1 for what an event rests on (its recorded causes, the training behind it), which comes right before it.
    """

    month: pd.Timestamp
    place: int
    part: int = 0

    def just_before(self) -> Moment:
        """The moment of what an event rests on."""
        return replace(self, part=-1)

    def as_document(self) -> dict[str, Any]:
        """JSON-serialisable dict; schema in docs/explain.md."""
        named = {BEGINNING: "beginning", MEASURED: "measured", OVER: "over"}
        return {"month": f"{self.month:%Y-%m}", "place": named.get(self.place, self.place), "part": self.part}


def beginning_of(month: pd.Timestamp) -> Moment:
    """Before all that happens in a month."""
    return Moment(month, BEGINNING)


def measured_in(month: pd.Timestamp) -> Moment:
    """When the tables' rows of a month are measured: at its end."""
    return Moment(month, MEASURED)


def end_of(month: Any) -> Any:
    """The date of a month's end (of a date or a series): the first day of the next, as its phases' decisions have."""
    return month + MONTH


def month_of(day: Any) -> pd.Timestamp:
    """The first day of the month in which a day lies."""
    return pd.Timestamp(day).to_period("M").to_timestamp()
