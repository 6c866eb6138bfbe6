"""Numbers as text; what cannot be told is a dash, never `nan`."""

from __future__ import annotations

import math

NO_NUMBER = "–"


def written_number(value: float, form: str) -> str:
    """A number in a format such as `.2f`, or a dash where there is none."""
    return NO_NUMBER if math.isnan(value) else f"{value:{form}}"
