"""Writing a run folder so that nothing finished is ever lost.

Every finished block is a part of its own (`parts.py`). `merge` joins the tables at the folder's top with the parts and
states in the manifest which seeds they hold. Before a table is replaced, the manifest says what may come in its place;
rows of seeds that the manifest does not name are ignored. So a merge that was cut off anywhere is simply done again.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from analysis.errors import AnalysisError, DamagedRun
from analysis.runs.check import check_present, check_table, note_of, read_table, table_path
from analysis.runs.files import DRAFT, draft_of, is_draft, refuse_links
from analysis.runs.list_layout import NO_TOKEN
from analysis.runs.manifest import MANIFEST, Manifest, PartNote, TableNote, TrainingCost, read_manifest, write_note
from analysis.runs.parts import PARTS, Part, discard, discard_drafts, only_seeds, seeds_in_parts, sound_parts
from analysis.runs.seeds import SeedSet
from analysis.runs.tables import TABLES, merged

ROW_GROUP = 50_000  # rows: tables are sorted by arm, so that reading one arm skips the groups of all others
TALLY = ".progress"
LOCK = ".lock"  # stays when it is released: whoever removed it could take it from somebody else
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest in one rename."""
    write_note(folder / MANIFEST, manifest)


def open_folder(folder: Path, wanted: Manifest) -> Manifest:
    """Begin in a locked folder, or go on with the same experiment; returns the manifest that now stands there.

    Raises `AnalysisError` when it holds something else or another experiment, and `DamagedRun` when what it holds is
    not what was written; then nothing in it is changed.
    """
    refuse_foreign(folder)
    if (folder / MANIFEST).exists():
        wanted = _continued(folder, read_manifest(folder), wanted)
    parts = folder / PARTS
    if parts.exists() and not parts.is_dir():
        raise DamagedRun(f"{parts} is no folder; remove it or choose another --out")
    discard_drafts(folder)
    write_manifest(folder, wanted)  # first of all: a folder that holds anything else and no manifest is not ours
    parts.mkdir(exist_ok=True)
    return wanted


def merge(folder: Path, manifest: Manifest) -> Manifest:
    """Join the finished parts with the tables; returns the manifest with their seeds, training and times added."""
    parts = sound_parts(folder, manifest)
    if parts:
        tables = _rewrite(folder, manifest, parts)
        manifest = _with_parts(manifest, parts).model_copy(update={"tables": tables})
        write_manifest(folder, manifest)
    discard(folder)
    (folder / TALLY).unlink(missing_ok=True)
    return manifest


def refuse_foreign(folder: Path) -> None:
    """Raise `AnalysisError` where the folder holds something, and no run."""
    if not folder.is_dir():
        return
    try:
        held = any(path.name != LOCK and not is_draft(path) for path in folder.iterdir())
    except OSError as error:
        raise AnalysisError(f"--out {folder} cannot be read: {error.strerror or error}") from error
    if held and not (folder / MANIFEST).exists():
        raise AnalysisError(f"{folder} is not empty and holds no run; choose another --out")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against a second writer; the lock ends with the process, however that ends.

    Raises `AnalysisError` when another process holds it. Where a file system knows no locks, the last writer wins.
    """
    _make(folder)
    refuse_links(folder)
    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AnalysisError(f"another process is writing into {folder}; wait for it or choose another --out") from error
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise AnalysisError(f"{path} cannot be locked: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def now() -> str:
    """The time of day, in UTC, for manifests."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise AnalysisError(f"--out {folder} is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=DRAFT):
            pass
    except OSError as error:
        raise AnalysisError(f"--out {folder} cannot be written: {error.strerror or error}") from error


def _continued(folder: Path, earlier: Manifest, wanted: Manifest) -> Manifest:
    """The wanted manifest with what the folder holds already; refuses another experiment and a damaged folder."""
    if changed := _changed_plugins(earlier, wanted):
        raise AnalysisError(f"{folder} was played with {changed}; choose another --out")
    if earlier.fingerprint != wanted.fingerprint or {*earlier.arm_names} != {*wanted.arm_names}:
        raise AnalysisError(f"{folder} holds another experiment ({earlier.kind} {earlier.name}); choose another --out")
    if earlier.code != wanted.code:
        raise AnalysisError(f"{folder} was played with other code; choose another --out")
    check_present(folder, earlier)
    if earlier.finished_seeds:
        for name in TABLES:
            check_table(folder, name, earlier)
    held = earlier.finished_seeds | seeds_in_parts(folder, earlier)
    if not held <= wanted.seeds:
        raise AnalysisError(f"{folder} holds seeds {held}; ask for seeds that include them or choose another --out")
    kept = {name: earlier[name] for name in ("finished_seeds", "training", "started", "seconds", "devices", "tables")}
    token = wanted.token if earlier.token == NO_TOKEN else earlier.token
    manifest = wanted.model_copy(update={**kept, "token": token})
    return manifest if earlier.tables or not earlier.finished_seeds else _noted(folder, manifest)


def _changed_plugins(earlier: Manifest, wanted: Manifest) -> str:
    """What differs between the plug-ins of two runs, in words; empty where nothing does."""
    before, now = ({one.name: one.sha256 for one in manifest.plugins} for manifest in (earlier, wanted))
    if gone := before.keys() - now.keys():
        return f"the plug-in {min(gone)}, which this command does not load"
    if new := now.keys() - before.keys():
        return f"no plug-in {min(new)}"
    other = [name for name in before if before[name] != now[name]]
    return f"an earlier version of the plug-in {other[0]}" if other else ""


def _noted(folder: Path, manifest: Manifest) -> Manifest:
    """A folder of layout 1, whose manifest says nothing of its tables: they are written anew, and noted."""
    notes = {}
    for name in TABLES:
        _write_table(table_path(folder, name), merged(name, _earlier(folder, name, manifest.finished_seeds)))
        notes[name] = note_of(table_path(folder, name))
    return manifest.model_copy(update={"tables": notes})


def _rewrite(folder: Path, manifest: Manifest, parts: Sequence[Part]) -> dict[str, TableNote]:
    """Replace all tables by ones that hold the parts too; returns what there is to say of them."""
    with ExitStack() as drafts:
        notes = {}
        for name in TABLES:
            draft = drafts.enter_context(draft_of(table_path(folder, name)))
            tables = [*_earlier(folder, name, manifest.finished_seeds), *(part.table(name) for part in parts)]
            pq.write_table(merged(name, tables), draft, compression="zstd", row_group_size=ROW_GROUP)
            notes[name] = note_of(draft)
        write_manifest(folder, manifest.model_copy(update={"tables": _announced(manifest.tables, notes)}))
    return notes


def _announced(earlier: dict[str, TableNote], coming: dict[str, TableNote]) -> dict[str, TableNote]:
    """Notes of the tables that stand there, with what comes in their place; of a first merge what comes alone."""
    if not earlier:
        return coming
    news = {name: tuple(sorted({*note.coming, coming[name].sha256})) for name, note in earlier.items()}
    return {name: note.model_copy(update={"coming": news[name]}) for name, note in earlier.items()}


def _earlier(folder: Path, name: str, seeds: SeedSet) -> list[pa.Table]:
    if not seeds:
        return []
    table = read_table(table_path(folder, name))
    return [table if name == "training" else only_seeds(table, seeds)]


def _with_parts(manifest: Manifest, parts: Sequence[Part]) -> Manifest:
    seeds, training = manifest.finished_seeds, manifest.training
    for part in parts:
        seeds, training = seeds | part.seeds, _added(training, part.note)
    devices = tuple(sorted({*manifest.devices, *(part.note.device for part in parts)}))
    return manifest.model_copy(update={"finished_seeds": seeds, "training": training, "devices": devices})


def _added(cost: TrainingCost, note: PartNote) -> TrainingCost:
    seconds, process_seconds = cost.seconds + note.training.seconds, cost.process_seconds + note.seconds
    return TrainingCost(
        runs=cost.runs + note.training.runs,
        from_ledger=cost.from_ledger + note.training.from_ledger,
        seconds=seconds,
        process_seconds=process_seconds,
        share=seconds / process_seconds if process_seconds else 0.0,
    )


def _write_table(path: Path, table: pa.Table) -> None:
    with draft_of(path) as draft:
        pq.write_table(table, draft, compression="zstd", row_group_size=ROW_GROUP)
