"""Names of drawn startups: stream, month of founding, number within the month (`vision-2016-01-1`).

A potential entrant is who it is by this name alone, for every trait and every later draw is keyed by it. So one entrant
more or less, in whatever month, leaves all others who they are.
"""

from __future__ import annotations

import re
from datetime import date

_NAME = re.compile(r"(.+)-\d{4}-\d{2}-[1-9]\d*")


def entrant_name(stream: str, founded: date, number: int) -> str:
    """Name of the potential entrant `number` (from 1 on) of a stream in the month of `founded`."""
    return f"{stream}-{founded.year:04d}-{founded.month:02d}-{number}"


def stream_of(name: str) -> str | None:
    """The stream that would draw a startup of this name; None where the name is no entrant's."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None
