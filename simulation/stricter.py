"""How values of law combine: the stricter of two, or their sum, as each parameter declares."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from simulation.parameters import declared


def has_direction(field: FieldInfo) -> bool:
    """Whether one value of the parameter can ask more than another."""
    return declared(field, "stricter") is not None


def stricter_of(field: FieldInfo, one: Any, other: Any) -> Any:
    """Which of two values of a parameter asks more; `other` where it declares no direction."""
    direction, off = declared(field, "stricter"), declared(field, "off")
    if direction is None or (off is not None and one == off):
        return other
    if off is not None and other == off:
        return one
    first, second = _rank(field, one), _rank(field, other)
    return other if (second > first) is (direction == "higher") and second != first else one


def side_by_side(field: FieldInfo, one: Any, other: Any) -> Any:
    """What holds where two laws apply, `other` the more special: their sum, the stricter, or what `other` says."""
    return one + other if declared(field, "adds_up") else stricter_of(field, one, other)


def _rank(field: FieldInfo, value: Any) -> float:
    """A number by which values compare; choices count in the order in which they are declared."""
    kind = next((one for one in (field.annotation, *get_args(field.annotation)) if get_origin(one) is Literal), None)
    return float(get_args(kind).index(value)) if kind is not None else float(value)
