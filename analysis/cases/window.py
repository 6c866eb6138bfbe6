"""The months in which an expectation looks: the one place where windows are decided.

A window is half-open in months of the run, [first, stop). A left-out side is the run's own, so that a window over the
whole run is no window. Every date belongs to one month of the run (`RunMonths.number_of`): that in which it lies, and
the first day after the run, to which the last month's decisions are dated, to the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from analysis.runs.months import RunMonths


@dataclass(frozen=True)
class Window:
    """Numbers of months: `first` belongs to the window, `stop` does not. They may lie outside the run."""

    months: RunMonths
    first: int
    stop: int

    def holds(self, times: pd.Series) -> pd.Series:
        """Which dates belong to a month of the window; NaT belongs to none."""
        numbers = self.months.number_of(times)
        return (numbers >= self.first) & (numbers < self.stop)


def window(months: RunMonths, after: date | None, before: date | None) -> Window:
    """The window from the month `after` to the month before `before`."""
    first = 0 if after is None else months.number(after)
    stop = months.n if before is None else months.number(before)
    return Window(months, first, stop)
