"""When a run begins and ends. Its scenario says so; it is never read off the rows that happen to be there.

A month in which nobody lives has no rows in the firms table, so whoever looks for the end of a run among its rows finds
the end of its last survivor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.runs.run import Run

YEAR = 12


@dataclass(frozen=True)
class RunMonths:
    """The months of a run; `start` is the first day of the first."""

    start: pd.Timestamp
    n: int

    @property
    def all(self) -> pd.DatetimeIndex:
        """First days of all months, as the column `month` of the tables has them."""
        return pd.date_range(self.start, periods=self.n, freq="MS")

    @property
    def last(self) -> pd.Timestamp:
        """First day of the last month."""
        return self.all[-1]

    @property
    def last_year(self) -> pd.DatetimeIndex:
        """The last twelve months."""
        return self.all[-YEAR:]

    @property
    def end(self) -> pd.Timestamp:
        """First day after the run; what the last month's phases decide is dated to it."""
        return self.start + pd.DateOffset(months=self.n)

    def dated_within(self, times: pd.Series) -> pd.Series:
        """The dates, each on a day of the run: the first day after it counts as the last of its last month."""
        late = times.mask(times >= self.end, self.end - pd.Timedelta(days=1))
        return late.mask(late < self.start, self.start)


def months_of(run: Run, scenario: str, arm: str) -> RunMonths:
    """The months that one arm of a run covers, as its manifest says."""
    found = next(one for one in run.manifest["arms"] if (one["scenario"], one["arm"]) == (scenario, arm))
    return RunMonths(pd.Timestamp(found["start"]), int(found["n_months"]))


def months_of_scenario(resolved: Mapping[str, Any]) -> RunMonths:
    """The months of a scenario given as plain data."""
    return RunMonths(pd.Timestamp(resolved["start"]), YEAR * int(resolved["years"]))
