"""Figures of result files as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"


def share(found: Mapping[str, Any] | None, bold: bool = False) -> str:
    """A share of seeds with its interval."""
    if not found:
        return NONE
    value = f"{found['share']:.2f}"
    return f"{f'**{value}**' if bold else value} {bounds(found)}"


def effect(found: Mapping[str, Any] | None) -> str:
    """An effect with its interval, signed."""
    return f"{found['effect']:+.2f} {bounds(found, '+')}" if found else NONE


def bounds(found: Mapping[str, Any], sign: str = "") -> str:
    """The interval in brackets."""
    if found["low"] is None or found["high"] is None:
        return ""
    return f"[{found['low']:{sign}.2f}, {found['high']:{sign}.2f}]"


def percent(value: float) -> str:
    """A share in whole per cent."""
    return f"{100 * value:.0f} %"


def minutes(seconds: float) -> str:
    """Whole minutes."""
    return f"{seconds / 60:.0f}"


def short(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}" if not math.isnan(value) else NONE


def span_of(seeds: Sequence[int] | None) -> tuple[int, int] | None:
    """First and last of seeds that follow one another; None where there are gaps, or where a file does not tell."""
    if not seeds or list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))):
        return None
    return seeds[0], seeds[-1]
