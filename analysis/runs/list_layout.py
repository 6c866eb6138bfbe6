"""Manifests of layout 1, which listed every seed and knew no digests, in the form of today."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from pydantic_core import from_json

from analysis.runs.seeds import SeedSet

LAYOUT = 1
NEW = ("digest", "tables", "token")
NO_TOKEN = "0" * 32


def as_ranges(content: bytes, layout: int, fields: Container[str]) -> bytes:
    """The document with its seeds as ranges; what it says wrongly is left for the checks of `Manifest`."""
    document = from_json(content, allow_inf_nan=False)
    kept = {name: value for name, value in document.items() if name in fields and name not in NEW}
    kept |= {name: _pairs(kept.get(name)) for name in ("seeds", "finished_seeds")}
    return json.dumps({**kept, "layout": layout, "token": NO_TOKEN}).encode()


def _pairs(listed: Any) -> Any:
    whole = isinstance(listed, list) and all(type(seed) is int for seed in listed)
    return SeedSet.of(listed).pairs if whole else listed
