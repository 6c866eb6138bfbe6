"""Writing a run folder so that nothing finished is ever lost.

Every finished block is a folder `parts/seeds-<first>-<last>` that appears in one rename. `merge` joins the tables at
the folder's top with the parts and states in the manifest which seeds they hold; rows of seeds that the manifest does
not name are ignored, so a merge that was cut off anywhere can be done again.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.documents import json_text
from analysis.errors import AnalysisError
from analysis.play.lockstep import Played
from analysis.runs.tables import TABLES, merged

LAYOUT = 1
ROW_GROUP = 50_000  # rows: tables are sorted by arm, so that reading one arm skips the groups of all others
MANIFEST = "manifest.json"
PARTS = "parts"
PART = "part.json"
TALLY = ".progress"


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder; raises `AnalysisError` where there is none that can be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        layout = manifest["layout"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"{folder} is not a run folder: its {MANIFEST} cannot be read ({error})") from error
    if layout != LAYOUT:
        raise AnalysisError(f"{folder} was written with layout {layout}; this release reads layout {LAYOUT}")
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest in one rename."""
    _write_json(folder / MANIFEST, manifest)


def open_folder(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Make the folder, or go on with one of the same experiment; returns the manifest that now stands there.

    Raises `AnalysisError` when the path cannot be written, holds something else, or holds another experiment.
    """
    _make(folder)
    if (folder / MANIFEST).exists():
        earlier = read_manifest(folder)
        _check_same(folder, earlier, manifest)
        kept = {name: earlier[name] for name in ("finished_seeds", "training", "started", "seconds", "devices")}
        manifest = {**manifest, **kept}
    elif any(folder.iterdir()):
        raise AnalysisError(f"{folder} is not empty and holds no run; choose another --out")
    for leftover in folder.glob(f"{PARTS}/.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    write_manifest(folder, manifest)
    return manifest


def write_part(folder: Path, seeds: Sequence[int], played: Played) -> None:
    """Write one finished block; it is there as a whole or not at all."""
    parts = folder / PARTS
    parts.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=parts))
    for name, table in played.tables.items():
        pq.write_table(table, draft / f"{name}.parquet")
    note = {"seeds": list(seeds), "seconds": played.seconds, "training": played.training, "device": played.device}
    _write_json(draft / PART, note)
    draft.rename(parts / f"seeds-{seeds[0]}-{seeds[-1]}")


def finished_parts(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Finished blocks that are not merged yet, with their notes, by first seed."""
    found = [
        (path.parent, json.loads(path.read_text(encoding="utf-8"))) for path in folder.glob(f"{PARTS}/seeds-*/{PART}")
    ]
    return sorted(found, key=lambda part: part[1]["seeds"][0])


def finished_seeds(folder: Path, manifest: dict[str, Any]) -> set[int]:
    """Seeds that need not be played again: those in the tables and those in parts."""
    return set(manifest["finished_seeds"]).union(*(note["seeds"] for _, note in finished_parts(folder)))


def merge(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Join the finished parts with the tables; returns the manifest with their seeds, training and times added."""
    known = set(manifest["finished_seeds"])
    parts = [(path, note) for path, note in finished_parts(folder) if not known & set(note["seeds"])]
    if parts:
        for name in TABLES:
            tables = [pq.read_table(path / f"{name}.parquet") for path, _ in parts]
            _write_table(folder / f"{name}.parquet", merged(name, [*_earlier(folder, name, known), *tables]))
        manifest = _add_notes(manifest, [note for _, note in parts])
        write_manifest(folder, manifest)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    (folder / TALLY).unlink(missing_ok=True)
    return manifest


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against a second writer; the lock ends with the process, however that ends.

    Raises `AnalysisError` when another process holds it. Where a system cannot lock folders, the last writer wins.
    """
    _make(folder)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise AnalysisError(f"another process is writing into {folder}; wait for it or choose another --out") from error
    except OSError:  # some network file systems
        pass
    try:
        yield
    finally:
        os.close(handle)


def now() -> str:
    """The time of day, in UTC, for manifests."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise AnalysisError(f"--out {folder} is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise AnalysisError(f"--out {folder} cannot be written: {error.strerror or error}") from error


def _check_same(folder: Path, earlier: dict[str, Any], wanted: dict[str, Any]) -> None:
    if earlier["fingerprint"] != wanted["fingerprint"]:
        raise AnalysisError(
            f"{folder} holds another experiment ({earlier['kind']} {earlier['name']}); choose another --out"
        )
    if earlier["code"] != wanted["code"]:
        raise AnalysisError(f"{folder} was played with other code; choose another --out")
    held, asked = finished_seeds(folder, earlier), set(wanted["seeds"])
    if not held <= asked:
        raise AnalysisError(
            f"{folder} holds seeds {min(held)} to {max(held)}; ask for seeds that include them or choose another --out"
        )


def _earlier(folder: Path, name: str, known: set[int]) -> list[pa.Table]:
    path = folder / f"{name}.parquet"
    if not known or not path.exists():
        return []
    table = pq.read_table(path)
    if "seed" not in table.column_names:
        return [table]
    return [table.filter(pc.is_in(table["seed"], value_set=pa.array(sorted(known), pa.int64())))]


def _add_notes(manifest: dict[str, Any], notes: list[dict[str, Any]]) -> dict[str, Any]:
    training = dict(manifest["training"])
    for note in notes:
        for name in ("runs", "from_ledger", "seconds"):
            training[name] += note["training"][name]
        training["process_seconds"] += note["seconds"]
    training["share"] = training["seconds"] / training["process_seconds"] if training["process_seconds"] else 0.0
    seeds = sorted({*manifest["finished_seeds"], *(seed for note in notes for seed in note["seeds"])})
    devices = sorted({*manifest["devices"], *(note["device"] for note in notes)})
    return {**manifest, "finished_seeds": seeds, "training": training, "devices": devices}


def _write_table(path: Path, table: pa.Table) -> None:
    draft = path.with_name(f".{path.name}")
    pq.write_table(table, draft, compression="zstd", row_group_size=ROW_GROUP)
    os.replace(draft, path)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(json_text(content) + "\n", encoding="utf-8")
    os.replace(draft, path)
