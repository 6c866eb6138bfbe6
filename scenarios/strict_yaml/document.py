"""A YAML file as plain data that still knows on which line each key stands; merging of files that extend others."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import BaseModel

from scenarios.strict_yaml.errors import (
    FILE,
    Path,
    Place,
    Problem,
    ScenarioError,
    bad_value,
    did_you_mean,
    dotted,
    listed,
)
from scenarios.strict_yaml.fields import Spot, is_named_mapping

MAX_DEPTH = 40
_LARGEST = 1e30


@dataclass(frozen=True)
class Origin:
    """Who changed a value after the file was read: `by` for people, `at` (and perhaps `place`) to find the line."""

    by: str
    at: Path = ()
    place: Place | None = None


@dataclass(frozen=True)
class Document:
    """Data of a file, before validation; `label` is what errors call the file, `what` the kind of file it is."""

    data: dict[str, Any]
    label: str
    places: dict[Path, Place] = field(default_factory=dict)
    origins: dict[Path, Origin] = field(default_factory=dict)
    what: str = FILE

    def place(self, path: Path) -> Place:
        """Where the key at `path` was written; the nearest key above it where the path itself was not written."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(self.label)

    def origin(self, path: Path) -> Origin | None:
        """The change to which the value at `path` goes back."""
        found = (self.origins[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.origins)
        return next(found, None)

    def value(self, path: Path) -> Any:
        """The value at `path`, `None` where there is none."""
        node: Any = self.data
        for part in path:
            if isinstance(node, dict) and part in node:
                node = node[part]
            elif isinstance(node, (list, tuple)) and isinstance(part, int) and 0 <= part < len(node):
                node = node[part]
            else:
                return None
        return node


def merge(parent: Document, child: Document, model: type[BaseModel]) -> Document:
    """`child` over `parent`: mappings are merged, lists and scalars replaced, `name: null` removes a named thing."""
    data = copy.deepcopy(parent.data)
    places = dict(parent.places)
    problems: list[Problem] = []
    _merge_into(data, child, (), model, places, problems)
    if problems:
        raise ScenarioError(problems)
    return Document(data, child.label, places, what=child.what)


def _merge_into(
    target: dict[str, Any],
    child: Document,
    path: Path,
    model: type[BaseModel],
    places: dict[Path, Place],
    problems: list[Problem],
) -> None:
    removable = is_named_mapping(model, path)
    for key, value in child.value(path).items():
        here = (*path, key)
        if value is None and removable:
            if key not in target:
                problems.append(_nothing_to_remove(here, target, child.place(here)))
            forget(places, here, target.pop(key, None))
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                forget(places, here, target.get(key))
                target[key] = {}
            places[here] = child.place(here)
            _merge_into(target[key], child, here, model, places, problems)
        else:
            forget(places, here, target.get(key))
            target[key] = copy.deepcopy(value)
            places.update((p, child.places[p]) for p in paths_in(value, here) if p in child.places)


def _nothing_to_remove(path: Path, names: Mapping[str, Any], place: Place) -> Problem:
    hint = did_you_mean(str(path[-1]), names)
    says = f"{dotted(path)} = null: there is nothing of that name to remove; {hint}present: {listed(names)}"
    return Problem(says, path, None, listed(names), hint.strip(), place=place)


def paths_in(value: Any, path: Path) -> Iterator[Path]:
    """The path of a value and of everything in it."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_in(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from paths_in(item, (*path, i))


def forget(places: dict[Path, Any], path: Path, value: Any) -> None:
    """Drop what is known of `path` and of everything in the value that stood there."""
    for gone in paths_in(value, path):
        places.pop(gone, None)


def fill_and_tidy(data: Any, here: Spot | None) -> Any:
    """A copy of `data` with the defaults of roles, stages and spreads filled in and months written as dates.

    `here` is the declared type of the data. A firm that says only `staff: {research: 8}` keeps the default of the other
    roles: what is not said keeps its default, here as everywhere.
    """
    if here is None:
        return data
    if isinstance(data, dict):
        filled = _with_defaults(data, here)
        for key, value in filled.items():
            if isinstance(value, (dict, list, str)):  # numbers, most of all values, stay what they are
                filled[key] = fill_and_tidy(value, here.child(key))
        return filled
    if isinstance(data, list):
        return [fill_and_tidy(value, here.child(i)) for i, value in enumerate(data)]
    return here.as_date(data) if here.is_date and isinstance(data, str) else data


def _with_defaults(data: dict[str, Any], here: Spot) -> dict[str, Any]:
    default = here.filling
    filled = {**default, **data}
    for key in default.keys() & data.keys():
        if isinstance(default[key], dict) and isinstance(data[key], dict):
            filled[key] = {**default[key], **data[key]}
    return filled


def plain(value: Any, path: Path = (), depth: int = 0) -> Any:
    """A Python value as the plain data a YAML file could hold; raises `ScenarioError` for anything else."""
    if depth > MAX_DEPTH:
        raise ScenarioError(Problem(f"{dotted(path)}: nested deeper than {MAX_DEPTH} levels", path))
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): plain(item, (*path, str(key)), depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, (*path, i), depth + 1) for i, item in enumerate(value)]
    if value is None or isinstance(value, bool):
        return value
    return _plain_scalar(value, path)


def _plain_scalar(value: Any, path: Path) -> Any:
    if hasattr(value, "item") and not isinstance(value, (str, int, float)):
        value = value.item()  # a NumPy scalar
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.encode("utf-8", "replace").decode() == value:
        return value
    if isinstance(value, (int, float)) and abs(value) < _LARGEST:  # not so for NaN
        return value
    raise ScenarioError(bad_value(path, value, "a finite number, text, a list or a mapping"))
