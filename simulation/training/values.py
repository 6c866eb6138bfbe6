"""Names and checks that plans of all kinds of training have in common; no torch here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
_MAX_SHOWN = 60


def language_year(year: int) -> int:
    """The dated state of the language that is nearest to a calendar year."""
    return min(max(year, FIRST_YEAR), LAST_YEAR)


Check = Callable[[str, Any], None]
"""Raises `ValueError` where the named field cannot have the value."""


def shown(value: Any) -> str:
    """A value as a message quotes it, cut where it is long."""
    return repr(value[:_MAX_SHOWN] if isinstance(value, str | list) else value)[: _MAX_SHOWN + 2]


def choice(choices: tuple[str, ...]) -> Check:
    """One of these texts."""

    def check(name: str, value: Any) -> None:
        if value not in choices:  # the message is written where it is needed only: firms write plans all the time
            raise ValueError(f"{name} must be one of {', '.join(choices)}, not {shown(value)}")

    return check


def number(low: float, high: float) -> Check:
    """A number in [low, high]."""

    def check(name: str, value: Any) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number and low <= value <= high):  # not so for NaN
            raise ValueError(f"{name} must lie in [{low:g}, {high:g}], not {shown(value)}")

    return check


def whole(low: int, high: int, multiple_of: int = 1) -> Check:
    """A whole number in [low, high]."""

    def check(name: str, value: Any) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not (is_whole and low <= value <= high and value % multiple_of == 0):
            what = "a whole number" if multiple_of == 1 else f"a multiple of {multiple_of}"
            raise ValueError(f"{name} must be {what} in [{low}, {high}], not {shown(value)}")

    return check


def yes_or_no(name: str, value: Any) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {shown(value)}")
