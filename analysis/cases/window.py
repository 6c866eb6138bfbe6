"""The months in which an expectation looks: the one place where windows are decided.

A window is half-open in months of the run: it holds the month `after` and no longer the month `before`. A left-out side
is the run's own, so that a window over the whole run is no window. Every date belongs to one month of the run: that in
which it lies, and the first day after the run, to which the last month's decisions are dated, to the last one.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from analysis.runs.months import RunMonths


def in_window(times: pd.Series, months: RunMonths, after: date | None, before: date | None) -> pd.Series:
    """Which dates belong to a month of the window; NaT belongs to none."""
    inside = months.dated_within(times)
    first = months.start if after is None else pd.Timestamp(after)
    stop = months.end if before is None else pd.Timestamp(before)
    return (inside >= first) & (inside < stop)
