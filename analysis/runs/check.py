"""Are the tables of a run folder, or of one finished block, those that were written? Nothing is read before that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import DamagedRun
from analysis.runs.files import is_plain_file, sha256_of
from analysis.runs.manifest import Manifest, TableNote
from analysis.runs.seeds import SeedSet
from analysis.runs.tables import KEYS, LATER, TABLES, type_of

UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError)
EVERY_SEED = "sectors"  # the one table in which every world has rows: one per sector and month

ONCE = (EVERY_SEED, "training")  # tables whose keys name a row


@dataclass(frozen=True)
class Content:
    """What tables may hold: rows of these arms in these seeds. `exactly`: each arm in each seed, and no other seed."""

    arms: Collection[tuple[str, str]]
    seeds: SeedSet
    exactly: bool


def note_of(path: Path) -> TableNote:
    """What there is to say of a table that was just written."""
    with pq.ParquetFile(path) as file:
        rows = file.metadata.num_rows
    return TableNote(rows=rows, bytes=path.stat().st_size, sha256=sha256_of(path))


def check_present(folder: Path, manifest: Manifest) -> None:
    """Raise `DamagedRun` where a table is missing or has another length than the one that was written."""
    if not manifest.finished_seeds:
        return
    for name in TABLES:
        path, note = table_path(folder, name), manifest.tables.get(name)
        if is_unknown_to(folder, name, manifest):
            continue
        if not is_plain_file(path):
            raise DamagedRun(f"{path} is missing, so {folder} cannot be used; play it again into another --out")
        if note is not None and not note.coming and path.stat().st_size != note.bytes:
            raise _damaged(path, f"it has {path.stat().st_size:,} bytes, {note.bytes:,} were written")


def is_unknown_to(folder: Path, name: str, manifest: Manifest) -> bool:
    """Whether a run folder is of an earlier release, which did not measure that table."""
    return name in LATER and name not in manifest.tables and not table_path(folder, name).exists()


def check_table(folder: Path, name: str, manifest: Manifest) -> bool:
    """Whether a table of a run folder holds finished seeds alone; a merge that was cut off may have added more.

    Raises `DamagedRun` where it is not the one that was written, or does not hold what the manifest says.
    """
    path, note = table_path(folder, name), manifest.tables.get(name)
    settled = note is not None and _is_settled(path, note)
    check_content(path, name, Content(manifest.arm_names, manifest.finished_seeds, exactly=settled))
    return settled


def check_content(path: Path, name: str, wanted: Content) -> None:
    """Raise `DamagedRun` where a table has other columns, types, arms or seeds than it must have."""
    with readable(path), pq.ParquetFile(path) as file:
        _check_columns(path, name, file.schema_arrow)
        rows = file.read(list(KEYS[name]))
    if name != "training":
        _check_labels(path, rows, wanted, every=name == EVERY_SEED)
    if name in ONCE and len(rows.group_by(list(KEYS[name]), use_threads=False).aggregate([])) < len(rows):
        raise _damaged(path, "it holds rows twice")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raise `DamagedRun` where the bytes of a table make no sense to whoever reads it inside."""
    try:
        yield
    except UNREADABLE as error:
        raise _damaged(path, f"it is no readable table ({' '.join(str(error).split())[:80]})") from error


def read_table(path: Path) -> pa.Table:
    """The whole table; raises `DamagedRun` where it cannot be read."""
    with readable(path):
        return pq.read_table(path, partitioning=None)


def table_path(folder: Path, name: str) -> Path:
    """Where a table stands in a run folder or a part."""
    return folder / f"{name}.parquet"


def _is_settled(path: Path, note: TableNote) -> bool:
    digest = sha256_of(path)
    if digest not in (note.sha256, *note.coming):
        raise _damaged(path, "its content is not what was written")
    return digest == note.sha256


def _check_columns(path: Path, name: str, schema: pa.Schema) -> None:
    missing = [column for column in KEYS[name] if column not in schema.names]
    if missing:
        raise _damaged(path, f"it has no column {', '.join(missing)}")
    for column in schema:
        wanted = type_of(name, column.name)
        if wanted is not None and column.type != wanted:
            raise _damaged(path, f"its column {column.name} is {column.type}, not {wanted}")


def _check_labels(path: Path, labels: pa.Table, wanted: Content, every: bool) -> None:
    found = labels.group_by(["scenario", "arm", "seed"], use_threads=False).aggregate([]).to_pylist()
    seeds: dict[tuple[str, str], list[int]] = {}
    for row in found:
        seeds.setdefault((row["scenario"], row["arm"]), []).append(row["seed"])
    if odd := [arm for arm in seeds if arm not in wanted.arms]:
        raise _damaged(path, f"it holds {' '.join(map(str, odd[0]))}, which the manifest does not name")
    for arm in wanted.arms:
        held = SeedSet.of(seeds.get(arm, ()))
        if (wanted.exactly and not held <= wanted.seeds) or (every and not wanted.seeds <= held):
            raise _damaged(path, f"of {' '.join(arm)} it holds seeds {_brief(held)}, not {_brief(wanted.seeds)}")


def _brief(seeds: SeedSet) -> str:
    text = str(seeds)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _damaged(path: Path, says: str) -> DamagedRun:
    return DamagedRun(f"{path} is damaged: {says}; nothing was changed: play it again into another --out")
