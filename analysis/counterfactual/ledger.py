"""The ledger of replays: a private file that takes all that is written, over another ledger that is only read.

A run folder may come from anybody. Its training results go into a file of their own, in a folder that ends with the
replays; what replays train goes there too. The user's ledger serves what is missing there and is never written. A row
that does not pass every check is as good as missing: its network is trained.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import AnalysisError
from analysis.runs.run import Run

if TYPE_CHECKING:
    from simulation.training.ledger.ledger import Ledger
    from simulation.training.plan import TrainingPlan
    from simulation.training.result import TrainingResult

BATCH = 500  # keys per query: SQLite's oldest limit on variables is 999
BUSY_TIMEOUT_S = 5.0
HELPERS = ("-wal", "-shm")  # SQLite's files beside a ledger that is in use


class LayeredLedger:
    """What a training service asks of a ledger: results from `own`, else from the file `below`; new ones go to `own`.

    Once `below` cannot be read it is left alone, so that a process that holds it is waited for only once.
    """

    def __init__(self, own: Ledger, below: Path) -> None:
        self.own = own
        self.below: Path | None = below

    def get_many(self, keys: Iterable[str]) -> dict[str, TrainingResult]:
        """Results by key; keys that are missing in both, or damaged, are left out."""
        wanted = list(dict.fromkeys(keys))
        found = self.own.get_many(wanted)
        missing = [key for key in wanted if key not in found]
        return found | self.from_below(missing)

    def from_below(self, keys: Sequence[str]) -> dict[str, TrainingResult]:
        """Results of these keys from the ledger that is only read."""
        if self.below is None or not keys or not self.below.is_file():
            return {}
        try:
            return read_only(self.below, keys)
        except sqlite3.DatabaseError:
            self.below = None
            return {}

    def add_many(self, runs: Iterable[tuple[TrainingPlan, TrainingResult]]) -> bool:
        """Record finished runs in `own`."""
        return self.own.add_many(runs)


def read_only(path: Path, keys: Sequence[str]) -> dict[str, TrainingResult]:
    """Results of these keys from a ledger, without writing a byte. Rows that do not pass every check are left out.

    Raises `sqlite3.DatabaseError` where it cannot be read.
    """
    from simulation.training.ledger.rows import COLUMNS, is_believable, result_of

    rows: list[tuple[Any, ...]] = []
    with closing(connect(path)) as connection:
        for start in range(0, len(keys), BATCH):
            part = keys[start : start + BATCH]
            query = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE key IN ({','.join('?' * len(part))})"
            rows += connection.execute(query, part).fetchall()
    believed = (dict(zip(COLUMNS, row, strict=True)) for row in rows if is_believable(row))
    return {row["key"]: result_of(row) for row in believed}


def connect(path: Path) -> sqlite3.Connection:
    """A connection that can only read.

    SQLite keeps two helper files beside a ledger while somebody has it open. Where they are, they are used; where they
    are not, nobody writes, and the file is read as it stands, so that none are made.
    """
    in_use = all(path.with_name(path.name + helper).exists() for helper in HELPERS)
    mode = "mode=ro" if in_use else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT_S)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


def check_ledger(path: Path) -> None:
    """Raise `AnalysisError` where a file stands at that path that is no ledger of this release."""
    from simulation.training.ledger import schema
    from simulation.training.ledger.errors import LedgerError

    if not path.exists():
        return
    try:
        with closing(connect(path)) as connection:
            if not schema.is_new(connection):
                schema.check(connection, str(path))
    except LedgerError as error:
        raise AnalysisError(f"{error} Name another with --ledger") from error
    except sqlite3.DatabaseError as error:
        raise AnalysisError(f"training ledger {path} cannot be read ({error}); name another with --ledger") from error


def bring_training(run: Run, ledger: Path) -> None:
    """Import the run folder's own training results, so that a run from another machine need not be trained again."""
    from analysis.training.ledger_files import import_ledger

    try:
        import_ledger(run.folder / "training.parquet", ledger)
    except AnalysisError:
        pass  # another layout of the ledger, or none: what is missing is trained
