"""Careful reading of YAML: plain data and the line of every key, or one clear line about what is wrong.

The reader works on PyYAML's events, not on its objects: no tag is ever followed, anchors and aliases are refused before
they can expand, and nesting is bounded, so that a hostile file costs no more than its size. Scalars follow YAML 1.2's
core schema, because YAML 1.1 surprises: there `1e6` is text and `no` is false. Dates stay text until the schema reads
them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path as FilePath
from typing import Any

import yaml

from scenarios.strict_yaml.document import MAX_DEPTH, Document
from scenarios.strict_yaml.errors import (
    FILE,
    Path,
    Place,
    Problem,
    ScenarioError,
    did_you_mean,
    dotted,
    listed,
    shorten,
    show,
)

MAX_BYTES = 1_000_000
MAX_ENTRIES = 20_000
"""Keys and items, of all levels together."""
_MAX_DIGITS = 30
_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_file(path: FilePath, label: str | None = None, what: str = FILE) -> Document:
    """The document in a YAML file. Raises `ScenarioError`.

    Args:
        path: the file.
        label: what errors call the file.
        what: the kind of file that it should be, such as "scenario".
    """
    return read_bytes(_content(path, label or str(path)), label or str(path), what)


def read_parent(path: FilePath, label: str, what: str, keys: Collection[str]) -> Document:
    """The document in a file that not the user but another file names (`extends`).

    If none of `keys` stands at its top it is something else, and nothing of its content is told.
    """
    content = _content(path, label)
    stranger = ScenarioError(Problem(f"is no {what}: it has none of the keys {listed(keys)}", place=Place(label)))
    try:
        document = read_bytes(content, label, what)
    except ScenarioError:
        if _has_key(content, keys):
            raise
        raise stranger from None
    if document.data.keys().isdisjoint(keys):
        raise stranger
    return document


def _content(path: FilePath, label: str) -> bytes:
    try:
        if path.is_dir():
            raise ScenarioError(Problem("is a directory; give a YAML file in it", place=Place(label)))
        if not path.exists():
            raise ScenarioError(Problem(f"no such file{_similar(path)}", place=Place(label)))
        if not path.is_file():
            raise ScenarioError(Problem("is not a regular file", place=Place(label)))
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError(Problem(f"cannot be read: {reason}", place=Place(label))) from None


def read_bytes(content: bytes, label: str, what: str = FILE) -> Document:
    """The document in the bytes of a YAML file; the rest as in `read_file`."""
    if len(content) > MAX_BYTES:
        raise ScenarioError(Problem(f"is larger than {MAX_BYTES // 1_000_000} MB; no {what} is", place=Place(label)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = Problem(f"is not UTF-8 text (byte {error.start}); save it as UTF-8", place=Place(label, line))
        raise ScenarioError(problem) from None
    return read_text(text, label, what)


def read_text(text: str, label: str, what: str = FILE) -> Document:
    """The document in YAML text; the rest as in `read_file`."""
    try:
        return _Reader(text, label, what).document()
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        problem = Problem("contains a control character; is it a text file?", place=Place(label, line))
        raise ScenarioError(problem) from None
    except yaml.MarkedYAMLError as error:
        raise ScenarioError(_syntax_problem(error, text, label)) from None


class _Reader:
    """Builds plain data from the events of one YAML text."""

    def __init__(self, text: str, label: str, what: str) -> None:
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_Loader))
        self.label = label
        self.what = what
        self.places: dict[Path, Place] = {}

    def document(self) -> Document:
        next(self.events)  # start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise self.error("is empty", None)
        first = next(self.events)
        data = self.value(first, ())
        next(self.events)  # end of the document
        after = next(self.events)
        if isinstance(after, yaml.DocumentStartEvent):
            raise self.error(f"a second document begins here; a {self.what} is one document", after)
        if data is None:
            raise self.error("is empty", None)
        if not isinstance(data, dict):
            kind = "a list" if isinstance(data, list) else "a single value"  # which may be of a file of another kind
            raise self.error(f"must be a mapping of keys to values, not {kind}", first)
        return Document(data, self.label, self.places, what=self.what)

    def value(self, event: yaml.Event, path: Path) -> Any:
        self.refuse_tricks(event, path)
        if path:
            self.places.setdefault(path, Place(self.label, _line(event)))
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.scalar(event, path)

    def refuse_tricks(self, event: yaml.Event, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            name = f"{sign}{getattr(event, 'anchor', '')}"
            says = f"anchors and aliases ({show(name)}) are not allowed, they can blow up a file; write the values out"
            raise self.error(says, event, path)
        if tag := getattr(event, "tag", None):
            raise self.error(f"the tag {show(tag)} is not allowed; write plain values", event, path)
        if isinstance(event, yaml.ScalarEvent) and any("\ud800" <= c <= "\udfff" for c in event.value):
            raise self.error("contains half a Unicode character", event, path)
        if len(path) > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels", event, path[:3])
        if len(self.places) > MAX_ENTRIES:
            raise self.error(f"has more than {MAX_ENTRIES} entries; no {self.what} has", event)

    def mapping(self, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self.refuse_tricks(event, path)
            if not isinstance(event, yaml.ScalarEvent) or not event.value:
                raise self.error("a key must be a word, not a list, a mapping or nothing", event, path)
            here = (*path, event.value)
            if event.value in data:
                first = self.places[here].line
                raise self.error(f"duplicate key '{dotted(here)}', first on line {first}", event, here)
            self.places[here] = Place(self.label, _line(event))
            data[event.value] = self.value(next(self.events), here)
        return data

    def sequence(self, path: Path) -> list[Any]:
        data: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            data.append(self.value(event, (*path, len(data))))
        return data

    def scalar(self, event: Any, path: Path) -> Any:
        if event.style:
            return event.value
        try:
            return plain_scalar(event.value)
        except ValueError as error:
            says = f"{dotted(path)} = {shorten(event.value)}: {error}"
            raise self.error(says, event, path, event.value) from None

    def error(self, says: str, event: yaml.Event | None, path: Path = (), value: Any = None) -> ScenarioError:
        line = _line(event) if event is not None else None
        return ScenarioError(Problem(says, path, value, place=Place(self.label, line)))


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark is not None else None


def plain_scalar(text: str) -> Any:
    """The value of an unquoted scalar by YAML 1.2's core schema, with `_` allowed in numbers; never NaN or infinite."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("must be a finite number")
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"must be a number of at most {_MAX_DIGITS} digits")
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        if not math.isfinite(number):
            raise ValueError("must be a finite number")
        return number
    return text


def _has_key(content: bytes, names: Collection[str]) -> bool:
    """Whether one of the keys begins a line or the file, which may stand in braces."""
    keys = "|".join(map(re.escape, names))
    return re.search(rf"""(?m)(^|\A\s*\{{\s*)["']?({keys})["']?\s*:""".encode(), content) is not None


def _similar(path: FilePath) -> str:
    if not path.parent.is_dir():
        return ""
    names = [p.name for p in path.parent.iterdir() if p.suffix in (".yaml", ".yml")]
    hint = did_you_mean(path.name, names).strip()
    return f"; {hint}" if hint else ""


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, label: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    reason = error.problem or error.context or "unknown"
    if "nesting depth" in reason:  # newer parsers have a limit of their own, far above ours
        place = Place(label, mark.line + 1 if mark else None)
        return Problem(f"nested deeper than {MAX_DEPTH} levels", place=place)
    if mark is None:
        return Problem(f"not readable as YAML: {reason}", place=Place(label))
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    tab = "; a tab stands in the indentation, use spaces" if "\t" in indent else ""
    says = f"not readable as YAML: {reason} (column {mark.column + 1}){tab}"
    return Problem(says, hint=tab.removeprefix("; "), place=Place(label, mark.line + 1))
