"""The JSON of every document that the project writes or prints."""

from __future__ import annotations

import json
from typing import Any


def json_text(content: Any, encoding: str | None = None) -> str:
    """The content with its letters as they are, or as \\u escapes where the encoding (UTF-8) lacks one of them.

    UTF-8 lacks halves of surrogate pairs, which stand for bytes in names of files that are no text.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(content, ensure_ascii=True, allow_nan=False, indent=1)
    return text
