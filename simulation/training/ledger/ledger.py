"""The ledger: one row of SQLite per training run, so that every quality can be traced and trained again.

Several processes may write at once (write-ahead log, busy timeout); a killed writer leaves either its whole
transaction or nothing; a row that does not match its checksum is never served. What a killed process had written is
safe; a power cut may take the last transactions, which are then trained again.

**When the file fails.** A ledger that cannot be opened is an error at once, before anything is trained. A file that can
no longer be written (full disk, folder made read-only, another process that holds it) does not stop a running service:
finished runs are kept in memory, served from there and written as soon as that succeeds, and one `LedgerWarning` says
so. A file that can no longer be read is an error even then: what it serves could not be trusted.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from simulation.training.ledger.rows import COLUMNS, Row, is_intact, result_of, row_of, type_of
from simulation.training.plan import OPTIONAL_MEASURES, TRAINER_VERSION, TrainingPlan, TrainingResult

SCHEMA_VERSION = 2
APPLICATION_ID = 0x4D56454E  # "MVEN": tells a ledger from any other SQLite file
BUSY_TIMEOUT_S = 60.0
MEMORY = ":memory:"
_SQL_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL"}
_BATCH = 500  # keys per query: SQLite's oldest limit on variables is 999
_INHERITED: list[sqlite3.Connection | None] = []  # from before a fork: SQLite forbids a child even to close them
_REMEDIES = {  # by SQLite's primary result code
    sqlite3.SQLITE_BUSY: "Another process holds the file: wait for it or end it.",
    sqlite3.SQLITE_FULL: "Free space on the disk or choose another ledger; finished runs are kept.",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable or choose another ledger.",
}


class LedgerError(Exception):
    """A ledger cannot be read or written.

    Attributes:
        path: the file.
        reason: what is wrong with it.
        remedy: what to do.
    """

    def __init__(self, path: str, reason: str, remedy: str) -> None:
        self.path, self.reason, self.remedy = path, reason, remedy
        super().__init__(f"training ledger {path}: {reason}. {remedy}")

    def __reduce__(self) -> tuple[type[LedgerError], tuple[str, str, str]]:
        return type(self), (self.path, self.reason, self.remedy)


class LedgerWarning(UserWarning):
    """Finished runs are in memory only, because the ledger cannot be written for now."""


def _column(name: str) -> str:
    constraint = "PRIMARY KEY" if name == "key" else "" if name in OPTIONAL_MEASURES else "NOT NULL"
    return f"{name} {_SQL_TYPES[type_of(name)]} {constraint}".rstrip()


CREATE = f"CREATE TABLE IF NOT EXISTS runs ({', '.join(map(_column, COLUMNS))}) WITHOUT ROWID"


def _decode(text: bytes) -> str:
    # A damaged text must not make the intact rows beside it unreadable; its row fails its checksum.
    return text.decode("utf-8", "replace")


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
        self._unsaved: dict[str, Row] = {}
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
        return {"path": self.path, "_connection": None, "_owner": 0, "_unsaved": {}}

    def close(self) -> None:
        """Write what is kept in memory and close the connection; the next use opens it again.

        A ledger in memory is lost. Raises `LedgerError` where finished runs still cannot be written; they stay here.
        """
        self.flush()
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None or self._owner != os.getpid():
            _INHERITED.append(self._connection)
            with self._errors():
                connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
                connection.text_factory = _decode
                try:
                    self._prepare(connection)
                except BaseException:
                    connection.close()
                    raise
                self._connection, self._owner = connection, os.getpid()
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
        except sqlite3.ProgrammingError:  # a fault of the caller, such as use from another thread
            raise
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            remedy = "Check that the path is a writable file and the disk is not full; finished runs are kept."
            raise LedgerError(self.path, str(error), _REMEDIES.get(code, remedy)) from error
        except sqlite3.DatabaseError as error:
            remedy = "Move the file away: the runs will be trained again and written to a new one."
            raise LedgerError(self.path, f"the file is corrupted ({error})", remedy) from error

    def _stored(self, keys: Sequence[str]) -> Iterator[Row]:
        """Rows of these keys that stand in the file and match their checksums."""
        connection = self._connect()
        with self._errors():
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                marks = ",".join("?" * len(part))
                query = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE key IN ({marks}) ORDER BY key"
                yield from filter(is_intact, connection.execute(query, part).fetchall())

    def _select(self, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Intact rows of these keys, from memory where they could not be written yet."""
        wanted = list(dict.fromkeys(keys))
        kept = (self._unsaved[key] for key in wanted if key in self._unsaved)
        for row in (*kept, *self._stored([key for key in wanted if key not in self._unsaved])):
            yield dict(zip(COLUMNS, row, strict=True))

    def get(self, key: str) -> TrainingResult | None:
        """The result of that key, or None if it is not there or damaged."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, TrainingResult]:
        """Results by key; keys that are missing or damaged are left out."""
        return {row["key"]: result_of(row) for row in self._select(keys)}

    def add_many(self, runs: Iterable[tuple[TrainingPlan, TrainingResult]]) -> bool:
        """Record finished runs in one transaction; a key that stands already keeps its row, unless that is damaged.

        Returns whether they stand in the file. If not, they are kept in memory, served from there, and written with
        the next runs or by `flush`; a `LedgerWarning` says so when that begins.

        Raises:
            ValueError: a result is not of its plan, or a measure is not a number.
        """
        rows = [row_of(plan, result, time.time()) for plan, result in runs]
        begins = not self._unsaved
        self._unsaved.update((row[0], row) for row in rows if row[0] not in self._unsaved)
        try:
            self.flush()
        except LedgerError as error:
            if begins:
                kept = "Finished runs are kept in memory and written as soon as that is possible."
                warnings.warn(LedgerWarning(f"{error} {kept}"), stacklevel=2)
        return not self._unsaved

    def flush(self) -> None:
        """Write the runs that are kept in memory.

        Raises:
            LedgerError: they cannot be written; they are still kept.
        """
        if self._unsaved:
            self.add_rows(list(self._unsaved.values()))
            self._unsaved.clear()

    def add_rows(self, rows: Sequence[Row]) -> int:
        """Write rows as they are in one transaction, by the rules of `add_many`; returns how many were written.

        Raises:
            LedgerError: they cannot be written; then none is.
        """
        connection = self._connect()
        marks = ",".join("?" * len(COLUMNS))
        n_new = 0
        with self._transaction(connection):
            # Looked up under the lock, so that a row which another process wrote meanwhile stays.
            intact = {row[0] for row in self._stored([row[0] for row in rows])}
            for row in rows:
                if row[0] not in intact:
                    connection.execute(f"INSERT OR REPLACE INTO runs VALUES ({marks})", row)
                    intact.add(row[0])
                    n_new += 1
        return n_new

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        with self._errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def rows(self, keys: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Stored rows with all columns, sorted by key; of all runs where no keys are given."""
        return sorted(self._select(self.keys() if keys is None else keys), key=lambda row: row["key"])

    def keys(self) -> list[str]:
        """All keys, sorted."""
        connection = self._connect()
        with self._errors():
            stored = {row[0] for row in connection.execute("SELECT key FROM runs").fetchall()}
        return sorted(stored | self._unsaved.keys())

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
        if self._unsaved:
            return len(self.keys())
        connection = self._connect()
        with self._errors():
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
