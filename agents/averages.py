"""Means of monthly series that may be short."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_SALES_USD_MONTH = 5_000.0  # assumption: below that neither growth nor a margin says anything


def last_quarter(months: Sequence[float]) -> float:
    """Mean of the last three months, or of those there are; 0 for none."""
    if len(months) < 3:
        return average(months)
    return (months[-3] + months[-2] + months[-1]) / 3


def average(values: Sequence[float]) -> float:
    """Mean; 0 for an empty list."""
    return sum(values) / len(values) if values else 0.0


def growth_of(recurring: Sequence[float]) -> float:
    """Growth of monthly recurring revenue against a year ago; young firms are compared with their first months."""
    if len(recurring) < 6:
        return 0.0
    before = average(recurring[:-12][-3:] or recurring[:3])
    # Growth from next to nothing is not growth.
    return average(recurring[-3:]) / max(before, LEAST_SALES_USD_MONTH) - 1
