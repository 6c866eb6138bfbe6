"""`manifest.json` and `part.json`: what they may say, checked in every field before anything else looks at them.

Both end with a digest of everything they say, so that a flipped bit in a number is noticed too.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, PlainValidator, ValidationError
from pydantic import model_validator as validated
from pydantic_core import from_json

from analysis.errors import AnalysisError, DamagedRun
from analysis.runs import list_layout
from analysis.runs.files import bounded, write_json
from analysis.runs.seeds import Pair, SeedSet
from analysis.runs.tables import LATER, TABLES

LAYOUT: Literal[2] = 2
MANIFEST = "manifest.json"
MOST_SHOWN = 60  # characters of a value in an error

Status = Literal["running", "interrupted", "failed", "finished"]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Token = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


def _as_seeds(value: Any) -> SeedSet:
    if isinstance(value, SeedSet):
        return value
    if not isinstance(value, list) or not all(_is_pair(one) for one in value):
        raise ValueError("must be a list of [first, last]")
    return SeedSet.of_pairs(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(type(end) is int for end in value)


def _pairs(seeds: SeedSet) -> list[Pair]:
    return seeds.pairs


Seeds = Annotated[SeedSet, PlainValidator(_as_seeds), PlainSerializer(_pairs)]


class Note(BaseModel):
    """Part of a document: nothing but what it declares, of the type that it declares. Fields are also items."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    def __getitem__(self, name: str) -> Any:
        if name not in type(self).model_fields:
            raise KeyError(name)
        return getattr(self, name)


class TableNote(Note):
    """One written table. `coming`: what merges that are under way, or were cut off, may have put in its place."""

    rows: Count
    bytes: Count
    sha256: Digest
    coming: tuple[Digest, ...] = ()


class PluginNote(Note):
    """A plug-in that acted: where it came from, and the hash of its source."""

    name: Text
    origin: Text
    sha256: Digest


class OverNote(Note):
    """Sets of values of which every seed had one: seed s had set s mod n. `name`: what the request called them."""

    name: Text
    title: Text
    sha256: Digest
    sets: Annotated[tuple[dict[str, float], ...], Field(min_length=1)]


class SealedNote(Note):
    """A document of its own, with a digest of its content; "" until it is written."""

    digest: Digest | Literal[""] = ""

    def sealed(self) -> Self:
        """The same with its digest."""
        return self.model_copy(update={"digest": digest_of(self)})


class TrainingCost(Note):
    """Networks trained live, results from the ledger, training seconds, seconds of all processes, their quotient."""

    runs: Count = 0
    from_ledger: Count = 0
    seconds: Seconds = 0.0
    process_seconds: Seconds = 0.0
    share: Seconds = 0.0


class BlockCost(Note):
    """The same of one block."""

    runs: Count
    from_ledger: Count
    seconds: Seconds


class GitNote(Note):
    """The checkout that the code stood in."""

    commit: Text
    modified: bool


class ArmNote(Note):
    """One arm. `resolved`: its complete scenario as plain data."""

    scenario: str
    arm: Text
    id: str | None
    title: str
    start: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    n_months: Annotated[int, Field(ge=1)]
    focal: str | None
    fingerprint: Text
    resolved: dict[str, JsonValue]


class Manifest(SealedNote):
    """What was played, with what, by which code; docs/outputs.md explains the fields."""

    layout: Literal[2] = LAYOUT
    kind: Text
    name: str
    fingerprint: Text
    token: Token
    status: Status
    seeds: Seeds
    finished_seeds: Seeds = SeedSet()
    device: Text
    devices: tuple[Text, ...] = ()
    jobs: Annotated[int, Field(ge=1)]
    ledger: Text
    retrain: bool
    started: Text
    finished: Text | None = None
    seconds: Seconds = 0.0
    training: TrainingCost = TrainingCost()
    python: Text
    platform: str
    versions: dict[str, str | None]
    code: Text
    git: GitNote | None
    arms: Annotated[tuple[ArmNote, ...], Field(min_length=1)]
    tables: dict[str, TableNote] = {}
    plugins: tuple[PluginNote, ...] = ()
    over: OverNote | None = None

    @validated(mode="after")
    def _agrees_with_itself(self) -> Self:
        names = self.arm_names
        if len(set(names)) < len(names):
            raise ValueError("two arms have the same name")
        if not self.finished_seeds <= self.seeds:
            raise ValueError(f"finished_seeds ({self.finished_seeds}) are not among seeds ({self.seeds})")
        if self.tables and not {*TABLES} - {*LATER} <= {*self.tables} <= {*TABLES}:
            raise ValueError(f"tables must be {', '.join(TABLES)}")
        return self

    @property
    def arm_names(self) -> list[tuple[str, str]]:
        """(scenario, arm) of every arm."""
        return [(one.scenario, one.arm) for one in self.arms]


class PartNote(SealedNote):
    """One finished block of seeds; `token` is that of the folder it was played for."""

    token: Token
    seeds: Seeds
    seconds: Seconds
    training: BlockCost
    device: Text
    tables: dict[str, TableNote]


N = TypeVar("N", bound=SealedNote)


def digest_of(note: SealedNote) -> str:
    """SHA-256 of what a document says, however it is laid out."""
    content = note.model_dump(mode="json", exclude={"digest"})
    for name in ("plugins", "over"):
        if not content.get(name):
            content.pop(name, None)  # earlier manifests do not have the key
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_note(path: Path, note: SealedNote) -> None:
    """Write a document with its digest in one rename."""
    write_json(path, note.sealed().model_dump(mode="json"))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run folder; raises `AnalysisError` in one line where there is none that can be trusted."""
    path = folder / MANIFEST
    try:
        content = bounded(path)
        layout = _layout_of(content)
    except (OSError, ValueError) as error:
        raise DamagedRun(f"{folder} is not a run folder: its {MANIFEST} cannot be read ({_shown(error)})") from error
    if layout not in (list_layout.LAYOUT, LAYOUT):
        raise AnalysisError(f"{folder} was written with layout {_shown(layout)}; this release reads layout {LAYOUT}")
    if layout == LAYOUT:
        return read_note(path, Manifest, content)
    return _parsed(path, Manifest, list_layout.as_ranges(content, LAYOUT, Manifest.model_fields))


def read_note(path: Path, kind: type[N], content: bytes | None = None) -> N:
    """The document in a file, its digest checked; raises `DamagedRun` in one line."""
    try:
        content = bounded(path) if content is None else content
    except (OSError, ValueError) as error:
        raise DamagedRun(f"{path} cannot be read ({_shown(error)})") from error
    note = _parsed(path, kind, content)
    if note.digest != digest_of(note):
        raise DamagedRun(f"{path} was changed after it was written: its digest is not that of its content")
    return note


def _layout_of(content: bytes) -> Any:
    document = from_json(content, allow_inf_nan=False)
    if not isinstance(document, dict) or "layout" not in document:
        raise ValueError("it has no layout")
    return document["layout"]


def _parsed(path: Path, kind: type[N], content: bytes) -> N:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DamagedRun(f"{path}: {_said(problems[0])}{more}") from error


def _said(problem: Any) -> str:
    """`finished_seeds: must be a list of [first, last], not 'many'`."""
    key = ".".join(str(part) for part in problem["loc"])
    says = problem["msg"].removeprefix("Value error, ")
    value = "" if problem["type"] == "missing" or not key else f", not {_shown(problem['input'])}"
    return f"{_shown(key)}: {says}{value}" if key else says


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, str | Exception) else repr(value)
    text = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
