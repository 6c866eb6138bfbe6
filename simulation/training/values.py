"""Names and checks that plans of all kinds of training have in common; no torch here."""

from __future__ import annotations

import math

DOCUMENT_TASKS = (
    "security-reports",
    "speech-transcripts",
    "finance-filings",
    "driving-reports",
    "medical-records",
    "manufacturing-logs",
    "service-dialogues",
    "city-notices",
    "commerce-reviews",
    "education-essays",
    "advice-letters",
)
"""What the documents of each sector mean, in the order of `SECTOR_TASKS`: tasks of one shared language."""
FIRST_YEAR, LAST_YEAR, USUAL_YEAR = 2015, 2035, 2020
"""Years in which the language of documents has a dated state, and the one that plans have unless they name another."""


def require(condition: bool, message: str) -> None:
    """Raise `ValueError` with that message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise `ValueError` unless the value is one of the choices."""
    if value not in choices:  # the message is written where it is needed only: firms write plans all the time
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def require_range(name: str, value: float, low: float, high: float) -> None:
    """Raise `ValueError` unless the value is a number in [low, high]."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not (number and low <= value <= high):
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}], not {value!r}")


def require_integer(name: str, value: int, low: int, high: int) -> None:
    """Raise `ValueError` unless the value is a whole number in [low, high]."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole and low <= value <= high):
        raise ValueError(f"{name} must be a whole number in [{low}, {high}], not {value!r}")
