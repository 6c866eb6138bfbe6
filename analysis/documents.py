"""JSON documents: what the commands print with `--json` and write into their folders."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(content: Mapping[str, Any]) -> str:
    """The document as text; numbers that cannot be told (NaN, infinite) are null."""
    return json.dumps(finite(content), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def finite(value: Any) -> Any:
    """The same plain data with None for numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value
