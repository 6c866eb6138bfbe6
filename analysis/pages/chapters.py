"""Whether a result file tells of the chapters as they are today: statements and causes that have come or gone since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from analysis.pages.blocks import Document

NOTES = "benchmarks/README.md"


@dataclass(frozen=True)
class Changed:
    """One chapter: names of statements and causes that only the file has, and that only the shipped scenario has."""

    case: str
    gone: tuple[str, ...]
    new: tuple[str, ...]


def changed_since(document: Document) -> list[Changed]:
    """The chapters of a file of cases that have changed since it was written; none where it tells no statements."""
    return [one for case in document.get("cases", ()) if "expectations" in case for one in _compared(case)]


def in_english(document: Document) -> str:
    """In brackets, with a gap in front; nothing where no chapter has changed."""
    told = "; ".join(_told(one, "no longer has", "now has", " and ") for one in changed_since(document))
    return f" (Chapters have changed since this file was written, see [benchmarks]({NOTES}): {told}.)" if told else ""


def in_chinese(document: Document) -> str:
    """The same in Chinese."""
    told = "；".join(_told(one, "去掉了", "增加了", "，") for one in changed_since(document))
    return f"（该文件写成之后各章有改动，见 [benchmarks]({NOTES})：{told}。）" if told else ""


def _compared(case: Mapping[str, Any]) -> Iterator[Changed]:
    shipped = _shipped(case["scenario"])
    if shipped is None:
        return
    there = _names(case["expectations"], "id") + _names(case["causes"], "name")
    gone = tuple(name for name in there if name not in shipped)
    new = tuple(name for name in shipped if name not in there)
    if gone or new:
        yield Changed(case["id"], gone, new)


@cache
def _shipped(name: str) -> tuple[str, ...] | None:
    """Names of the statements and causes of a shipped chapter; None where none is called so."""
    from scenarios import load
    from scenarios.shelf import shipped_names

    if name not in shipped_names():
        return None
    setup = load(name)
    return (*(one.id for one in setup.expect), *setup.causes)


def _names(rows: Sequence[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(str(row[key]) for row in rows)


def _told(one: Changed, without: str, having: str, joint: str) -> str:
    parts = [(without, one.gone), (having, one.new)]
    lists = [f"{word} {', '.join(f'`{name}`' for name in names)}" for word, names in parts if names]
    return f"{one.case} {joint.join(lists)}"
