"""The real calendar behind simulated time: month indices, dates and years as decimals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Calendar:
    """Months counted from `start` (the first of a month). SimPy time is in months, so 0.5 is mid-month."""

    start: date

    def date_of(self, time: float) -> date:
        """The day on which `time` (months since the start) falls; a month counts as 28 days plus its tail."""
        month = int(time)
        total = self.start.year * 12 + self.start.month - 1 + month
        day = 1 + int((time - month) * 28)
        return date(total // 12, total % 12 + 1, day)

    def month_of(self, day: date) -> int:
        """Index of the month in which `day` falls (negative before the start)."""
        return (day.year - self.start.year) * 12 + day.month - self.start.month

    def year_of(self, time: float) -> float:
        """Decimal year, for trends by date."""
        return self.start.year + (self.start.month - 1 + time) / 12
