"""Names of drawn startups: stream, month of founding, number within the month (`vision-2016-01-1`).

A potential entrant is who it is by this name alone, for every trait and every later draw is keyed by it. So one entrant
more or less, in whatever month, leaves all others who they are. Founders who come from a firm have that firm in the
place of the number: `vision-2018-09-x-giant` left `giant` (a spin-out), `vision-2019-03-r-2016-01-1` founded
`vision-2016-01-1` before (a serial founder; the stream is not said twice).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

Background = Literal["new", "spin-out", "serial"]
_LETTERS: dict[Background, str] = {"spin-out": "x", "serial": "r"}
_NAME = re.compile(r"(?P<stream>.+?)-\d{4}-\d{2}-(?:[1-9]\d*|(?P<letter>[xr])-(?P<origin>.+))")


def entrant_name(stream: str, founded: date, number: int) -> str:
    """Name of the potential entrant `number` (from 1 on) of a stream in the month of `founded`."""
    return f"{_month_of(stream, founded)}-{number}"


def successor_name(stream: str, founded: date, background: Background, origin: str) -> str:
    """Name of the potential entrant whose founders come from the firm `origin`."""
    short = origin.removeprefix(f"{stream}-") if stream_of(origin) == stream else origin
    return f"{_month_of(stream, founded)}-{_LETTERS[background]}-{short}"


def _month_of(stream: str, founded: date) -> str:
    return f"{stream}-{founded.year:04d}-{founded.month:02d}"


def stream_of(name: str) -> str | None:
    """The stream that would draw a startup of this name; None where the name is no entrant's."""
    found = _NAME.fullmatch(name)
    return found["stream"] if found else None


def founder_of(name: str) -> str:
    """The first startup of its founder, whatever came after: what is keyed by it is the founder's own."""
    found = _NAME.fullmatch(name)
    if found is None or found["letter"] != _LETTERS["serial"]:
        return name
    return founder_of(origin_of(name))


def origin_of(name: str) -> str:
    """The firm that an entrant's founders come from; empty for none."""
    found = _NAME.fullmatch(name)
    if found is None or not found["origin"]:
        return ""
    origin: str = found["origin"]
    return f"{found['stream']}-{origin}" if origin[0].isdigit() else origin  # names of firms begin with a letter
