"""The ledger: one row of SQLite per training run, so that every quality can be traced and trained again.

Several processes may write at once (write-ahead log, busy timeout); a killed writer leaves either its whole
transaction or nothing; a row that does not match its checksum is never served.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from simulation.training.plan import MEASURES, TRAINER_VERSION, TrainingPlan, TrainingResult

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4D56454E  # "MVEN": tells a ledger from any other SQLite file
BUSY_TIMEOUT_S = 60.0
MEMORY = ":memory:"
COLUMNS = ("key", "trainer_version", "plan", *MEASURES, "created", "checksum")
_INTEGERS, _TEXTS = {"n_parameters", "model_bytes"}, {"device", "torch_version"}
_BATCH = 500  # keys per query: SQLite's oldest limit on variables is 999


class LedgerError(Exception):
    """A ledger cannot be read or written.

    Attributes:
        path: the file.
        reason: what is wrong with it.
    """

    def __init__(self, path: str, reason: str, remedy: str) -> None:
        self.path, self.reason, self.remedy = path, reason, remedy
        super().__init__(f"training ledger {path}: {reason}. {remedy}")

    def __reduce__(self) -> tuple[type[LedgerError], tuple[str, str, str]]:
        return type(self), (self.path, self.reason, self.remedy)


def _column(name: str) -> str:
    return f"{name} {'INTEGER' if name in _INTEGERS else 'TEXT' if name in _TEXTS else 'REAL'} NOT NULL"


CREATE = (
    "CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, trainer_version TEXT NOT NULL, plan TEXT NOT NULL, "
    + ", ".join(_column(name) for name in MEASURES)
    + ", created REAL NOT NULL, checksum TEXT NOT NULL) WITHOUT ROWID"
)


def row_checksum(values: Iterable[Any]) -> str:
    """SHA-256 over every column of a row but the last, as JSON."""
    return hashlib.sha256(json.dumps(list(values)).encode()).hexdigest()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. The busy timeout does not cover the switch, which another process may hold up."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)


class Ledger:
    """A store of training runs, safe for several processes.

    An instance may be pickled or carried over a fork: each process opens its own connection.

    Args:
        path: file, or ":memory:" for a ledger that ends with the process.

    Raises:
        LedgerError: the file is corrupted, is no ledger, has another schema or cannot be opened.
    """

    def __init__(self, path: str | Path = MEMORY) -> None:
        self.path = str(path)
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        if self.path != MEMORY:
            try:
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LedgerError(self.path, f"its folder cannot be made ({error})", "Choose another path.") from error
        self._connect()

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The ledger at that path, made if it does not exist."""
        return cls(path)

    def __getstate__(self) -> dict[str, Any]:
        if self.path == MEMORY:
            raise TypeError("a ledger in memory belongs to its process; use a file to share one")
        return {"path": self.path, "_connection": None, "_owner": 0}

    def close(self) -> None:
        """Close the connection; the next use opens it again (a ledger in memory is lost)."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None or self._owner != os.getpid():
            with self._errors():
                self._connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
                self._owner = os.getpid()
                self._prepare(self._connection)
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        n_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if n_tables:
            self._check_schema(connection)
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        if n_tables:
            return
        # Two processes may find an empty file at once: the second waits here and then finds the table.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(CREATE)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        columns = tuple(row[1] for row in connection.execute("PRAGMA table_info(runs)"))
        if application != APPLICATION_ID:
            raise LedgerError(self.path, "it is an SQLite file but not a training ledger", "Choose another path.")
        if version != SCHEMA_VERSION or columns != COLUMNS:
            remedy = "Move the file away (its runs will be trained again) or use the release that wrote it."
            raise LedgerError(self.path, f"it has schema {version}, this release needs {SCHEMA_VERSION}", remedy)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            remedy = "Check that the path is a writable file and the disk is not full; finished runs are kept."
            raise LedgerError(self.path, str(error), remedy) from error
        except sqlite3.DatabaseError as error:
            remedy = "Move the file away: the runs will be trained again and written to a new one."
            raise LedgerError(self.path, f"the file is corrupted ({error})", remedy) from error

    def _select(self, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Stored rows of these keys that match their checksums."""
        wanted = list(dict.fromkeys(keys))
        connection = self._connect()
        with self._errors():
            for start in range(0, len(wanted), _BATCH):
                part = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(part))
                query = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE key IN ({marks}) ORDER BY key"
                for row in connection.execute(query, part).fetchall():
                    if row_checksum(row[:-1]) == row[-1]:
                        yield dict(zip(COLUMNS, row, strict=True))

    def get(self, key: str) -> TrainingResult | None:
        """The result of that key, or None if it is not there or damaged."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, TrainingResult]:
        """Results by key; keys that are missing or damaged are left out."""
        return {
            row["key"]: TrainingResult(key=row["key"], **{name: row[name] for name in MEASURES})
            for row in self._select(keys)
        }

    def add_many(self, runs: Iterable[tuple[TrainingPlan, TrainingResult]]) -> None:
        """Write runs in one transaction; a key that stands already keeps its row, unless that row is damaged."""
        rows = [self._row(plan, result) for plan, result in runs]
        connection = self._connect()
        intact = {row["key"] for row in self._select(row[0] for row in rows)}
        marks = ",".join("?" * len(COLUMNS))
        with self._errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                for row in rows:
                    # A damaged row is replaced; an intact one that another process wrote meanwhile is equal anyway.
                    verb = "IGNORE" if row[0] in intact else "REPLACE"
                    connection.execute(f"INSERT OR {verb} INTO runs VALUES ({marks})", row)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @staticmethod
    def _row(plan: TrainingPlan, result: TrainingResult) -> tuple[Any, ...]:
        measures = (getattr(result, name) for name in MEASURES)
        values = (result.key, TRAINER_VERSION, plan.as_json(), *measures, time.time())
        return (*values, row_checksum(values))

    def rows(self, keys: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Stored rows with all columns, sorted by key; of all runs where no keys are given."""
        return sorted(self._select(self.keys() if keys is None else keys), key=lambda row: row["key"])

    def keys(self) -> list[str]:
        """All keys, sorted."""
        connection = self._connect()
        with self._errors():
            return [row[0] for row in connection.execute("SELECT key FROM runs ORDER BY key").fetchall()]

    def sample(self, n: int, seed: int = 0) -> list[dict[str, Any]]:
        """Up to `n` rows drawn without replacement, the same for the same seed and content."""
        keys = self.keys()
        return self.rows(random.Random(seed).sample(keys, min(n, len(keys))))

    def info(self) -> dict[str, Any]:
        """Number of runs, of damaged rows, by device, training seconds, size in bytes."""
        rows = self.rows()
        devices: dict[str, int] = {}
        for row in rows:
            devices[row["device"]] = devices.get(row["device"], 0) + 1
        size = 0 if self.path == MEMORY else Path(self.path).stat().st_size
        return {
            "path": self.path,
            "schema": SCHEMA_VERSION,
            "trainer_version": TRAINER_VERSION,
            "runs": len(rows),
            "damaged": len(self) - len(rows),
            "of_this_trainer": sum(row["trainer_version"] == TRAINER_VERSION for row in rows),
            "devices": devices,
            "seconds": sum(row["seconds"] for row in rows),
            "bytes": size,
        }

    def __len__(self) -> int:
        connection = self._connect()
        with self._errors():
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
