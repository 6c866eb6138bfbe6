"""Changes that stand beside what a scenario says, at every later date: floors (`tighten`), amounts on top (`add`).

`set` writes a value, and a later `set` writes another over it. `tighten` asks that from its month on the stricter of
its value and of whatever else holds counts, and `add` that its amount comes on top of it. So a policy need not know the
dates at which the scenario under it changes, and need not repeat itself at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scenarios.reach import check_dated
from scenarios.statements import Intervention
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, show
from scenarios.strict_yaml.fields import spot
from simulation.stricter import has_direction, stricter_of


@dataclass(frozen=True)
class Standing:
    """One value that stands beside the scenario's own: how it combines, where it was written, on whose account."""

    combine: Callable[[FieldInfo, Any, Any], Any]
    key: str
    value: Any
    by: str
    at: Path


def standing_in(intervention: Intervention, model: type[BaseModel], by: str, at: Path) -> Iterator[Standing]:
    """What of an intervention stands from its month on. Raises `ScenarioError` for a key that cannot."""
    for name, changes, check, combine in (
        ("tighten", intervention.tighten, check_tighten, tightened),
        ("add", intervention.add, check_add, added),
    ):
        here: Path = (*at, name)
        check_dated(changes, model, here)
        check(changes, model, here)
        yield from (Standing(combine, key, value, by, here) for key, value in changes.items())


def laid(document: Document, standing: Iterable[Standing], model: type[BaseModel]) -> Document:
    """The document with all that stands, in order; the one given stays."""
    for one in standing:
        path: Path = tuple(one.key.split("."))
        here, held = spot(model, path), document.value(path)
        if here is None or here.field is None or not _compares(held, one.value):
            value = one.value  # which the check of the whole document refuses, or takes where nothing was said
        else:
            value = one.combine(here.field, held, one.value)
        if value != held:
            document = apply_changes(document, {one.key: value}, model, by=one.by, at=one.at)
    return document


def tightened(field: FieldInfo, held: Any, said: Any) -> Any:
    """The stricter of two values."""
    return stricter_of(field, held, said)


def added(field: FieldInfo, held: Any, said: Any) -> Any:
    """The sum of two numbers."""
    return held + said


def check_tighten(keys: Iterable[str], model: type[BaseModel], at: Path) -> None:
    """Raise `ScenarioError` for a parameter of which no value asks more than another."""
    for key in keys:
        here = spot(model, tuple(key.split(".")))
        if here is None or (here.field is not None and has_direction(here.field)):
            continue  # an unknown key is told where it is applied
        what = "name the parameters below it" if here.is_model or here.is_mapping else "use set"
        says = f"an intervention cannot tighten {show(key)}: none of its values is stricter than another; {what}"
        raise ScenarioError(Problem(says, (*at, key), key, hint=what))


def check_add(changes: Iterable[str], model: type[BaseModel], at: Path) -> None:
    """Raise `ScenarioError` for what is no number."""
    for key in changes:
        here = spot(model, tuple(key.split(".")))
        if here is not None and here.kind not in (float, int):
            raise ScenarioError(Problem(f"an intervention cannot add to {show(key)}: it is no number", (*at, key), key))


def _compares(held: Any, said: Any) -> bool:
    """Whether two values are of one kind; numbers are, whole or not, and truth values are no numbers."""
    if isinstance(held, bool) or isinstance(said, bool):
        return isinstance(held, bool) and isinstance(said, bool)
    if isinstance(held, int | float) and isinstance(said, int | float):
        return True
    return isinstance(held, str) and isinstance(said, str)
