"""Finished blocks of seeds, each on disk before the next begins: written, checked, and set aside where damaged.

A part is a folder `parts/seeds-FIRST-LAST-…` that appears in one rename under a name of its own, so that a process
that outlives its run for a moment cannot get into the way of the next one. Its note says for which folder it was
played, which seeds it holds, and what each of its tables weighs.
"""

from __future__ import annotations

import os
import secrets
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.errors import DamagedRun
from analysis.runs.check import Content, check_content, note_of, read_table, table_path
from analysis.runs.files import DRAFT, is_draft, is_plain_file, naming, sha256_of, sync
from analysis.runs.manifest import BlockCost, Manifest, PartNote, read_note, write_note
from analysis.runs.seeds import SeedSet
from analysis.runs.tables import TABLES

PARTS = "parts"
PART = "part.json"
SET_ASIDE = "set-aside"


class SetAside(UserWarning):
    """A damaged part was moved out of the way; its seeds are played again."""


@dataclass(frozen=True)
class Played:
    """What one block measured."""

    tables: dict[str, pa.Table]
    seconds: float
    training: BlockCost
    device: str


@dataclass(frozen=True)
class Part:
    """One finished block on disk, and those of its seeds that no other part and no table holds."""

    path: Path
    note: PartNote
    seeds: SeedSet

    def table(self, name: str) -> pa.Table:
        """One of its tables, cut down to its seeds."""
        table = read_table(table_path(self.path, name))
        return table if name == "training" or self.seeds == self.note.seeds else only_seeds(table, self.seeds)


def only_seeds(table: pa.Table, seeds: SeedSet) -> pa.Table:
    """The rows of these seeds."""
    held = pc.unique(table["seed"]).to_pylist()
    wanted = pa.array([seed for seed in held if seed in seeds], pa.int64())
    return table.filter(pc.is_in(table["seed"], value_set=wanted))


def write_part(folder: Path, token: str, seeds: SeedSet, played: Played) -> None:
    """Write one finished block; it is there as a whole or not at all."""
    name = secrets.token_hex(6)
    with naming(folder / PARTS):
        _write_draft(folder / PARTS / f"{DRAFT}{name}", token, seeds, played).rename(
            folder / PARTS / f"seeds-{seeds[0]}-{seeds[-1]}-{name}"
        )


def _write_draft(draft: Path, token: str, seeds: SeedSet, played: Played) -> Path:
    draft.mkdir()  # never `parts` itself: where that is gone, nobody waits for this block any more
    for table, content in played.tables.items():
        pq.write_table(content, table_path(draft, table))
        sync(table_path(draft, table))
    tables = {table: note_of(table_path(draft, table)) for table in TABLES}
    note = PartNote(
        token=token,
        seeds=seeds,
        seconds=played.seconds,
        training=played.training,
        device=played.device,
        tables=tables,
    )
    write_note(draft / PART, note)
    return draft


def sound_parts(folder: Path, manifest: Manifest) -> list[Part]:
    """Finished blocks that are not merged yet, no seed in two of them; damaged ones are set aside, and that is said."""
    taken, found = manifest.finished_seeds, []
    for path, note in sorted(_checked(folder, manifest), key=lambda part: (part[1].seeds[0], part[0].name)):
        if new := note.seeds - taken:
            found.append(Part(path, note, new))
            taken = taken | new
    return found


def seeds_in_parts(folder: Path, manifest: Manifest) -> SeedSet:
    """Seeds of the finished blocks that are not merged yet; nothing is moved."""
    seeds = SeedSet()
    for path in _present(folder):
        try:
            seeds = seeds | _check(path, manifest).seeds
        except DamagedRun:
            pass
    return seeds


def discard(folder: Path) -> None:
    """Remove all parts, once the tables hold them."""
    shutil.rmtree(folder / PARTS, ignore_errors=True)


def discard_drafts(folder: Path) -> None:
    """Remove what processes that were killed left unfinished."""
    for path in (*folder.glob(f"{DRAFT}*"), *folder.glob(f"{PARTS}/{DRAFT}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _checked(folder: Path, manifest: Manifest) -> Iterator[tuple[Path, PartNote]]:
    for path in _present(folder):
        try:
            yield path, _check(path, manifest)
        except DamagedRun as error:
            _set_aside(folder, path, error)


def _present(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / PARTS).glob("*") if not is_draft(path))


def _check(path: Path, manifest: Manifest) -> PartNote:
    """The note of a part; raises `DamagedRun` where note, tables and rows do not agree with each other."""
    note = read_note(path / PART, PartNote)
    if note.token != manifest.token:
        raise DamagedRun(f"{path} was played for another run folder")
    if not note.seeds or not note.seeds <= manifest.seeds:
        raise DamagedRun(f"{path} holds seeds {note.seeds}, which were not asked for")
    wanted = Content(manifest.arm_names, note.seeds, exactly=True)
    for name in TABLES:
        table = table_path(path, name)
        if name not in note.tables or not is_plain_file(table) or sha256_of(table) != note.tables[name].sha256:
            raise DamagedRun(f"{table} is not what was written")
        check_content(table, name, wanted)
    return note


def _set_aside(folder: Path, path: Path, error: DamagedRun) -> None:
    aside = folder / SET_ASIDE
    aside.mkdir(exist_ok=True)
    target = aside / f"{path.name}-{secrets.token_hex(3)}"
    os.rename(path, target)
    reason = str(error).removesuffix("; nothing was changed: play it again into another --out")
    warnings.warn(SetAside(f"{reason}; moved to {target}, its seeds are played again"), stacklevel=2)
