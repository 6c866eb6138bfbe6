"""Means of monthly series that may be short."""

from __future__ import annotations

from collections.abc import Sequence


def last_quarter(months: Sequence[float]) -> float:
    """Mean of the last three months, or of those there are; 0 for none."""
    if len(months) < 3:
        return average(months)
    return (months[-3] + months[-2] + months[-1]) / 3


def average(values: Sequence[float]) -> float:
    """Mean; 0 for an empty list."""
    return sum(values) / len(values) if values else 0.0
