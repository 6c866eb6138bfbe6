"""Ledgers as Parquet files: what one machine trained, for another to use.

A file holds the ledger's columns as they stand, checksums included. Nothing of a file is believed: every row is checked
before it enters a ledger (`rows.damage_of`). What no check can tell, whether training gives these measures, a trial
tells: some of the rows are trained again first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.errors import AnalysisError
from analysis.runs.files import draft_of
from analysis.training.again import Record, drawn, said_of, train_again
from simulation.training.ledger.ledger import Ledger
from simulation.training.ledger.rows import COLUMNS, Row, is_believable, type_of
from simulation.training.plan import TRAINER_VERSION
from simulation.training.result import OPTIONAL_MEASURES

if TYPE_CHECKING:
    from simulation.training.ledger.verify import Verification

MOST_TOLD = 3
"""Runs that are named in one line."""
SLAB = 5_000
"""Rows in memory, in a row group of the file and in a transaction of the ledger."""
_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}
SCHEMA = pa.schema(
    [pa.field(name, _ARROW_TYPES[type_of(name)], nullable=name in OPTIONAL_MEASURES) for name in COLUMNS]
)
NULLABLE = pa.schema([pa.field(field.name, field.type) for field in SCHEMA])  # what a file may bring


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, rows that were left out because they are damaged, bytes of the file."""

    runs: int
    damaged: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file's rows; `new`, `known` and `damaged` add up to `rows`.

    Attributes:
        rows: in the file.
        new: written to the ledger.
        known: intact, but their key stood in the ledger already, whose row stays.
        damaged: rows that are not believable; never written.
        other_trainer: of the new and known, those of another version of the trainer, which this release cannot use.
        tried: rows that were trained again first; all came out as recorded.
    """

    rows: int
    new: int
    known: int
    damaged: int
    other_trainer: int
    tried: tuple[Verification, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """Which of a file's rows are trained again before any is taken: `n`, drawn by `seed`, and on which device."""

    n: int
    seed: int = 0
    device: str = "auto"


class NotReproduced(AnalysisError):
    """Rows of a file were trained again and came out differently, so that none was taken."""

    exit_code = 1


def export_ledger(ledger: Ledger, file: str | Path, force: bool = False) -> Exported:
    """Write all intact rows, sorted by key, to a Parquet file that appears as a whole or not at all.

    Raises:
        AnalysisError: the file stands already and `force` is false, or no file can stand there.
        LedgerError: the ledger cannot be read.
        OSError: the disk is full.
    """
    path = Path(file)
    _check_target(path, Path(ledger.path), force)
    keys = ledger.keys()
    n_written = 0
    with draft_of(path) as draft:
        options = {"compression": "zstd", "write_page_checksum": True}
        with pq.ParquetWriter(draft, SCHEMA, **options) as writer:
            for start in range(0, len(keys), SLAB):
                rows = ledger.rows(keys[start : start + SLAB])
                writer.write_table(pa.Table.from_pylist(rows, SCHEMA))
                n_written += len(rows)
    return Exported(n_written, len(keys) - n_written, path.stat().st_size)


def import_ledger(file: str | Path, ledger: str | Path, trial: Trial | None = None) -> Imported:
    """Write a file's good rows to the ledger at that path, which is made if it does not exist.

    A key that stands in the ledger keeps its row, unless that row is damaged. Doing it again changes nothing, so an
    import that was cut off is simply done again.

    Raises:
        AnalysisError: the file cannot be read, is no exported ledger, or has no row for the trial; then no ledger is
            made or changed.
        NotReproduced: a row of the trial came out differently; likewise.
        LedgerError: the ledger cannot be read or written.
    """
    path = Path(file)
    table = read_file(path)
    tried = () if trial is None else _tried(table, path, trial)
    target = Ledger(ledger)
    n_good = n_new = n_other = 0
    for start in range(0, table.num_rows, SLAB):
        good = [row for row in _rows_of(table.slice(start, SLAB)) if is_believable(row)]
        n_new += target.add_rows(good)
        n_good += len(good)
        n_other += sum(row[1] != TRAINER_VERSION for row in good)
    target.close()
    return Imported(table.num_rows, n_new, n_good - n_new, table.num_rows - n_good, n_other, tried)


def _tried(table: pa.Table, path: Path, trial: Trial) -> tuple[Verification, ...]:
    """Some rows trained again; all of them came out as recorded."""
    found = tuple(train_again(_drawn_rows(table, path, trial), trial.device, from_here=False))
    if wrong := [said_of(one) for one in found if not one.passed]:
        more = f" and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        told = "; ".join(wrong[:MOST_TOLD]) + more
        counts = f"{len(wrong)} of {len(found)} runs that were trained again came out differently"
        raise NotReproduced(f"{path} is not taken: {counts} ({told})")
    return found


def _drawn_rows(table: pa.Table, path: Path, trial: Trial) -> list[Record]:
    """Good rows of this release's trainer, drawn by the seed."""
    can_train = [
        start + number
        for start in range(0, table.num_rows, SLAB)
        for number, row in enumerate(_rows_of(table.slice(start, SLAB)))
        if is_believable(row) and row[1] == TRAINER_VERSION
    ]
    if not can_train:
        raise AnalysisError(f"{path} is not taken: it has no good row that this release can train again for --trust")
    chosen = (table.slice(index, 1) for index in drawn(can_train, trial.n, trial.seed))
    return [dict(zip(COLUMNS, row, strict=True)) for one in chosen for row in _rows_of(one)]


def read_file(path: Path) -> pa.Table:
    """The ledger's columns of a Parquet file, in their order and types; raises `AnalysisError` where that cannot be."""
    if not path.is_file():
        what = "is a folder; name a file" if path.is_dir() else "does not exist"
        raise AnalysisError(f"{path} {what}, such as one that `ventures ledger export` wrote")
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
            if missing:
                raise AnalysisError(f"{path} is not an exported ledger: it has no column {', '.join(missing)}")
            table = file.read(list(COLUMNS)).select(list(COLUMNS)).cast(NULLABLE)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise AnalysisError(f"{path} cannot be read as an exported ledger ({reason}); export it again") from error
    return table


def _rows_of(table: pa.Table) -> Iterator[Row]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _check_target(path: Path, ledger: Path, force: bool) -> None:
    if path.is_dir():
        raise AnalysisError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise AnalysisError(f"{path} cannot be written: {path.parent} is not a folder")
    if path.exists() and ledger.exists() and path.samefile(ledger):
        raise AnalysisError(f"{path} is the ledger itself; choose another file")
    if path.exists() and not force:
        raise AnalysisError(f"{path} exists; choose another file or overwrite it with --force")
