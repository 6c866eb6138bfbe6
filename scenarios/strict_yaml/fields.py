"""What a settings class says of the value at a path: its type, its range, its unit, in plain words."""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints, TypeAdapter
from pydantic.fields import FieldInfo

from scenarios.strict_yaml.errors import Path, listed

_DATE = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(-\d{2})?")
_NAME_PATTERN = "a short name: lower-case letters, digits and hyphens, first a letter"
_ID_PATTERN = "an id such as CASE-VISION: capitals, digits and hyphens, first a capital"


@dataclass(frozen=True)
class Spot:
    """The declared type of one place in a scenario."""

    kind: Any
    field: FieldInfo | None = None
    notes: tuple[Any, ...] = ()
    nullable: bool = False

    @property
    def is_date(self) -> bool:
        return self.kind is date

    @cached_property
    def is_mapping(self) -> bool:
        return get_origin(self.kind) is dict

    def keys(self) -> list[str] | None:
        """The keys that can stand here, `None` where names are free or the value is no mapping."""
        if _is_model(self.kind):
            return list(self.kind.model_fields)
        if self.is_mapping:
            key = _unwrap(get_args(self.kind)[0])
            return [str(name) for name in get_args(key.kind)] if get_origin(key.kind) is Literal else None
        return None

    def child(self, key: str | int) -> Spot | None:
        """The place below `key`."""
        return self._fields.get(key) if self.is_model else self._item

    @cached_property
    def _fields(self) -> dict[str | int, Spot]:
        """The places below a settings class."""
        return {name: _unwrap(field.annotation, field) for name, field in self.kind.model_fields.items()}

    @cached_property
    def _item(self) -> Spot | None:
        """The place of every value in a mapping or list."""
        inner = get_args(self.kind)
        if self.is_mapping:
            return _unwrap(inner[1])
        return _unwrap(inner[0]) if get_origin(self.kind) in (list, tuple) else None

    def key(self) -> Spot:
        """The keys of a mapping."""
        return _unwrap(get_args(self.kind)[0])

    @cached_property
    def is_model(self) -> bool:
        return _is_model(self.kind)

    @property
    def says_a_part(self) -> bool:
        """Whether a settings class stands here of which any parameter may be left out."""
        return bool(getattr(self.kind, "SAYS_A_PART", False))

    @property
    def has_special_default(self) -> bool:
        """Whether a settings class is used here with other defaults than its own."""
        return self.is_model and self._default is not None and self._default != self.kind()

    @cached_property
    def filling(self) -> dict[str, Any]:
        """What a mapping here takes over from its default where a file says only a part of it, as plain data.

        That holds for closed sets of keys (roles, stages) and for settings whose default stands with the field.
        """
        if self._default is None or not (self.keys() and (self.is_mapping or self.has_special_default)):
            return {}
        dumped: dict[str, Any] = TypeAdapter(self.kind).dump_python(self._default, mode="json")
        return dumped

    @property
    def _default(self) -> Any:
        is_given = self.field is not None and not self.field.is_required()
        return self.field.get_default(call_default_factory=True) if self.field and is_given else None

    def as_date(self, text: str) -> str:
        """A month as its first day; what is no date is made unreadable, so that pydantic takes no number for a time."""
        found = _DATE.fullmatch(text)
        if not found:
            return f"no date: {text}"
        return text if found[3] else f"{text}-01"

    def expected(self) -> str:
        """What must stand here, to be read after "must be"."""
        return self._type_in_words() + (", or null" if self.nullable else "")

    def _type_in_words(self) -> str:
        if self.kind in (float, int):
            return self._number_in_words()
        if self.kind is str:
            return self._text_in_words()
        if self.kind is date:
            return "a month such as 2018-05"
        if self.kind is bool:
            return "true or false"
        return self._container_in_words()

    def _container_in_words(self) -> str:
        origin = get_origin(self.kind)
        filled = " with at least one entry" if self._bound("min_length") else ""
        if most := self._bound("max_length"):
            filled = f" with at most {most} entries"
        if origin is Literal:
            names = listed(show_choice(c) for c in get_args(self.kind))
            return f"one of {names}" if len(get_args(self.kind)) > 1 else names
        if origin in (list, tuple):
            return f"a list{filled}"
        if origin is dict or _is_model(self.kind):
            return f"a mapping{filled}"
        return "a value"

    def _number_in_words(self) -> str:
        low, high = self._bound("ge"), self._bound("le")
        noun = "a whole number" if self.kind is int else "a number"
        unit = f" ({self.unit})" if self.unit else ""
        if low is not None and high is not None:
            return f"{noun} between {number(low)} and {number(high)}{unit}"
        if low is not None:
            return f"{noun} of at least {number(low)}{unit}"
        return f"{noun} of at most {number(high)}{unit}" if high is not None else f"{noun}{unit}"

    def _text_in_words(self) -> str:
        patterns = [n.pattern for n in self.notes if isinstance(n, StringConstraints) and n.pattern]
        if not patterns:
            patterns = [p for p in [self._bound("pattern")] if p]
        if not patterns:
            return "text"
        return _ID_PATTERN if "A-Z" in str(patterns[0]) else _NAME_PATTERN

    @property
    def unit(self) -> str:
        extra = self.field.json_schema_extra if self.field else None
        return str(extra.get("unit", "")) if isinstance(extra, dict) else ""

    def _bound(self, name: str) -> Any:
        notes = [*self.notes, *(self.field.metadata if self.field else [])]
        return next((getattr(n, name) for n in notes if getattr(n, name, None) is not None), None)


def spot(model: type[BaseModel], path: Path) -> Spot | None:
    """What `model` declares at `path`, `None` where it declares nothing (an unknown key, free content)."""
    here: Spot | None = _top(model)
    for part in path:
        if here is None:
            return None
        here = here.child(part)
    return here


@cache
def _top(model: type[BaseModel]) -> Spot:
    return Spot(model)


def is_named_mapping(model: type[BaseModel], path: Path) -> bool:
    """Whether the mapping at `path` holds named things (`firms`, `offers`), which `null` removes."""
    here = spot(model, path)
    return here is not None and here.is_mapping and get_args(here.kind)[1] is not Any


def number(value: float) -> str:
    """A bound, short: `1e9`, `0.05`, `8192`."""
    text = str(int(value)) if value == int(value) and abs(value) < 1e6 else f"{value:g}"
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def show_choice(choice: object) -> str:
    """One value of a closed list as a scenario writes it."""
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _unwrap(annotation: Any, field: FieldInfo | None = None, nullable: bool = False) -> Spot:
    """The type under `Annotated[…]` and `… | None`."""
    if get_origin(annotation) is Annotated:
        inner, *notes = get_args(annotation)
        below = _unwrap(inner, field, nullable)
        return Spot(below.kind, field, (*notes, *below.notes), below.nullable)
    if get_origin(annotation) in (Union, types.UnionType):
        choices = [a for a in get_args(annotation) if a is not type(None)]
        return _unwrap(choices[0], field, True)
    return Spot(annotation, field, tuple(field.metadata) if field else (), nullable)
