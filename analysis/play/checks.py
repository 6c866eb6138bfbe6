"""Checks of what a caller hands in: each says in one clear line which argument is wrong and what would be right."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Sequence
from typing import Any

from analysis.errors import AnalysisError


def whole_number(name: str, value: Any, least: int) -> int:
    """The whole number that was meant, NumPy's included; truth values, texts and fractions are none."""
    wanted = f"{name} must be a whole number of at least {least}"
    if isinstance(value, bool):
        raise AnalysisError(f"{wanted}, not {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise AnalysisError(f"{wanted}, not {value!r}{_meant(value)}") from None
    if number < least:
        raise AnalysisError(f"{name} must be {'0 or more' if least == 0 else f'at least {least}'}, not {number}")
    return number


def truth(name: str, value: Any) -> bool:
    """True or False."""
    if value in (True, False) and type(value).__name__ in ("bool", "bool_"):  # NumPy's truth values too
        return bool(value)
    raise AnalysisError(f"{name} must be True or False, not {value!r}")


def text(name: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise AnalysisError(f"{name} must be a text, not {value!r}")
    return value


def path(name: str, value: Any) -> str | os.PathLike[str]:
    """A path that can be one."""
    if not isinstance(value, (str, os.PathLike)):
        raise AnalysisError(f"{name} must be a path (text or pathlib.Path), not {value!r}")
    told = os.fspath(value)
    if not isinstance(told, str) or not told or "\0" in told:
        raise AnalysisError(f"{name} must be a path, not {told!r}")
    return value


def names(name: str, value: Any) -> list[str]:
    """A list of names or paths; one text alone would be taken for a list of letters."""
    if isinstance(value, (str, os.PathLike)):
        raise AnalysisError(f"{name} must be a list of names, not {os.fspath(value)!r}; write [{os.fspath(value)!r}]")
    if not isinstance(value, Iterable):
        raise AnalysisError(f"{name} must be a list of names, not {value!r}")
    return [os.fspath(path(f"{name}[{i}]", one)) for i, one in enumerate(value)]


def known(given: Iterable[str], allowed: Sequence[str]) -> None:
    """Refuse names of arguments that do not exist, with the likely typo."""
    for name in given:
        if name not in allowed:
            from scenarios.strict_yaml.errors import did_you_mean

            raise AnalysisError(f"unknown option {name!r}; {did_you_mean(name, allowed)}allowed: {', '.join(allowed)}")


def _meant(value: Any) -> str:
    """The number that a text or a fraction stands for, as a hint."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    return f"; did you mean {int(number)}?" if number.is_integer() else ""
