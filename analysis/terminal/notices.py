"""Warnings: one plain line each, told once, whether one process or many met with what they are about."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TextIO, TypeVar

from analysis.terminal.console import say_error

Item = TypeVar("Item")
Result = TypeVar("Result")
OURS = ("simulation", "agents", "scenarios", "analysis")
TOLD: dict[Any, Any] = {}
"""The registry of what workers warned of, as `warnings` keeps one for each module."""


@dataclass(frozen=True)
class Heard(Generic[Result]):
    """What a piece of work returned, and the warnings on the way: text, kind, file, line."""

    result: Result
    warnings: tuple[tuple[str, type[Warning], str, int], ...]


def listening(work: Callable[[Item], Result], item: Item) -> Heard[Result]:
    """The work in a worker process with its warnings, which would else stand on the screen once for each worker."""
    with warnings.catch_warnings(record=True) as heard:
        result = work(item)
    said = dict.fromkeys((str(one.message), one.category, one.filename, one.lineno) for one in heard)
    return Heard(result, tuple(said))


def pass_on(heard: Heard[Result]) -> Result:
    """What the work returned; its warnings are given here, each once."""
    for text, kind, file, line in heard.warnings:
        warnings.warn_explicit(text, kind, file, line, registry=TOLD)
    return heard.result


def speak_plainly() -> None:
    """Tell this project's warnings as one line each, once, on standard error.

    Those of libraries speak to programmers, with a path and a line of code: they are told with `python -W` or
    PYTHONWARNINGS only.
    """
    said: set[str] = set()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of caches and fonts

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        ours = category.__module__.partition(".")[0] in OURS
        if ours and str(message) not in said:
            said.add(str(message))
            say_error(f"ventures: {message}")
        elif not ours and sys.warnoptions:
            say_error(warnings.formatwarning(message, category, filename, lineno, line))

    warnings.showwarning = show
