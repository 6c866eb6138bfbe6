"""Every setting of a scenario by path, and other values for each: from the schema, so that a new one is walked too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from scenarios.schema import Scenario
from scenarios.strict_yaml.fields import Spot, spot

Leaf = tuple[str, Any]
"""Dotted path, and the value there as plain data."""


def leaves(data: Mapping[str, Any], parts: tuple[str, ...]) -> list[Leaf]:
    """All settings of a complete document (defaults filled in) below its `parts`."""
    return [leaf for part in parts for leaf in _below((part,), data[part], spot(Scenario, (part,)))]


def _below(path: tuple[str, ...], value: Any, here: Spot | None) -> Iterator[Leaf]:
    """A settings class and a mapping of settings classes are entered; everything else is one setting."""
    assert here is not None, f"the schema does not know {path}"
    if here.is_model and isinstance(value, dict):
        for name, inner in value.items():
            yield from _below((*path, name), inner, here.child(name))
    elif here.is_mapping and get_args(here.kind)[1] is not Any and (child := here.child("")) and child.is_model:
        for name, inner in value.items():
            yield from _below((*path, name), inner, here.child(name))
    else:
        yield ".".join(path), value


def other_values(path: str, value: Any) -> list[Any]:
    """Values within the schema's range that differ from `value`: nearer ones first, then the ends of the range."""
    here = spot(Scenario, tuple(path.split(".")))
    assert here is not None
    return [other for other in _others(here, value) if other != value]


def _others(here: Spot, value: Any) -> Iterator[Any]:
    if get_origin(here.kind) is Literal:
        yield from get_args(here.kind)
    elif here.kind is bool:
        yield not value
    elif here.kind in (int, float):
        yield from _numbers(here, value)
    elif here.is_mapping and isinstance(value, dict):
        yield from _mappings(here, value)


def _numbers(here: Spot, value: float | None) -> Iterator[float]:
    low, high = (here._bound(name) for name in ("ge", "le"))
    for other in (
        (1.0, 0.3) if value is None else (value * 1.5, value / 2, value + 1, value + 0.3, value * 10, low, high)
    ):
        if other is not None and (low is None or other >= low) and (high is None or other <= high):
            yield int(other) if here.kind is int else other


def _mappings(here: Spot, value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One entry changed at a time, then one left out."""
    for name, inner in value.items():
        if child := here.child(name):
            yield from ({**value, name: other} for other in _others(child, inner) if other != inner)
    yield from ({key: inner for key, inner in value.items() if key != name} for name in value)
