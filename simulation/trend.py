"""Trends by date: what grows or falls at a yearly rate, through 1 in the year to which its parameter refers.

An intervention may change the rate. The level then bends at that date: what was reached until then stays, and only from
there on the new rate counts. Without a change of rate a trend is the closed form, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

Shape = Callable[[float, float], float]
"""Level after so many years at a rate: `shape(rate, years)`, 1 after none."""


def grown(growth_year: float, years: float) -> float:
    """Level after years of growth at a yearly rate (0.1: 10 % a year)."""
    return float((1 + growth_year) ** years)


def doubled(doubling_years: float, years: float) -> float:
    """Level of what doubles every `doubling_years`."""
    return float(2 ** (years / doubling_years))


def halved(halving_years: float, years: float) -> float:
    """Level of what halves every `halving_years`."""
    return float(2 ** (-years / halving_years))


class Trend:
    """A level that follows one shape, at a rate that may change by date."""

    def __init__(self, shape: Shape, rate: float, reference_year: float) -> None:
        self.shape, self.rate, self.since = shape, rate, reference_year
        self.reached = 1.0

    def bend(self, rate: float, year: float) -> None:
        """Go on at another rate from `year` on."""
        if rate != self.rate:
            self.reached = self.at(year)
            self.rate, self.since = rate, year

    def at(self, year: float) -> float:
        """The level in `year`, which must not lie before the last bend."""
        return self.reached * self.shape(self.rate, year - self.since)
