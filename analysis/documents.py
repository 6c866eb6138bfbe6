"""JSON documents: what the commands print with `--json` and write into their folders."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(content: Any, encoding: str | None = None) -> str:
    """The content with its letters as they are, or as \\u escapes where the encoding (UTF-8) lacks one of them.

    Numbers that cannot be told (NaN, infinite) are null. UTF-8 lacks halves of surrogate pairs, which stand for bytes
    in names of files that are no text.
    """
    plain = finite(content)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(plain, ensure_ascii=True, allow_nan=False, indent=1)
    return text


def finite(value: Any) -> Any:
    """The same plain data with None for numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value
