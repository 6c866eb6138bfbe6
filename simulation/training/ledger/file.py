"""The SQLite file of a ledger: each process opens it for itself and holds it briefly; read-only where it must be.

Several processes may write at once (write-ahead log); a killed writer leaves either its whole transaction or nothing.
What a killed process had written is safe; a power cut may take the last transactions, which are then trained again.

**Waiting.** A process waits for others that hold a file for `PATIENCE_S` in all, however often it tries. Only waiting
in vain counts: many writers that take turns do not wear it out.

**Read-only places.** A ledger on a read-only disk, or on a full one, is read as it stands: SQLite cannot keep its
index of the log there, so a file with an unfinished log is read from a copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from simulation.training.ledger import schema
from simulation.training.ledger.errors import LedgerError, Trouble, from_sqlite, from_system
from simulation.training.ledger.rows import COLUMNS, Row, is_believable

PATIENCE_S = 5.0
MEMORY = ":memory:"
_BATCH = 500  # keys per query: SQLite's oldest limit on variables is 999
_INSERT = f"INSERT OR REPLACE INTO runs VALUES ({','.join('?' * len(COLUMNS))})"
_WAITED_S: dict[str, float] = {}  # in vain, by file, in this process
_INHERITED: list[sqlite3.Connection | None] = []  # from before a fork: SQLite forbids a child even to close them
_CANNOT_WRITE = (  # what opening says where the log or its index cannot be made
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
)


def patience_left_s(path: str) -> float:
    """How long this process may still wait for others that hold the file."""
    return max(PATIENCE_S - _WAITED_S.get(path, 0.0), 0.0)


class LedgerFile:
    """Rows in an SQLite file; every method raises `LedgerError` where the file does not let it.

    An instance may be carried over a fork: each process opens its own connection.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._why_read_only: LedgerError | None = None

    def open(self) -> sqlite3.Connection:
        """The connection of this process."""
        if self._connection is None or self._owner != os.getpid():
            _INHERITED.append(self._connection)
            self._connection, self._owner = None, os.getpid()
            self._make_folder()
            with self._waiting():
                self._connection = self._opened()
        return self._connection

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection, self._why_read_only = None, None
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def select(self, keys: Sequence[str]) -> list[Row]:
        """Rows of these keys as they stand, sorted by key."""
        rows: list[Row] = []
        connection = self.open()
        with self._waiting(connection):
            for start in range(0, len(keys), _BATCH):
                part = keys[start : start + _BATCH]
                query = f"SELECT {', '.join(COLUMNS)} FROM runs WHERE key IN ({','.join('?' * len(part))}) ORDER BY key"
                rows += connection.execute(query, part).fetchall()
        return rows

    def keys(self) -> list[str]:
        """All keys."""
        connection = self.open()
        with self._waiting(connection):
            return [row[0] for row in connection.execute("SELECT key FROM runs").fetchall()]

    def count(self) -> int:
        """Number of rows, damaged ones too."""
        connection = self.open()
        with self._waiting(connection):
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])

    def write(self, rows: Sequence[Row], least_wait_s: float = 0.0) -> int:
        """Write rows in one transaction; returns how many. A believable row that stands already stays.

        least_wait_s: how long to wait for another process even where no patience is left.
        """
        connection = self._writable()
        with self._transaction(connection, least_wait_s):
            # Looked up under the lock, so that a row which another process wrote meanwhile stays.
            standing = {row[0] for row in self.select([row[0] for row in rows]) if is_believable(row)}
            new = {row[0]: tuple(row) for row in reversed(rows) if row[0] not in standing}
            connection.executemany(_INSERT, new.values())
            self._check_written(new)
        return len(new)

    def _check_written(self, rows: dict[str, Row]) -> None:
        """Raise `LedgerError` where rows are not found again, as in a damaged file whose keys are out of order."""
        if {row[0]: row for row in self.select(list(rows))} != rows:
            reason = "the file is corrupted (what is written to it is not found again)"
            raise LedgerError(self.path, reason, Trouble.CORRUPT)

    def _writable(self) -> sqlite3.Connection:
        connection = self.open()
        if self._why_read_only is not None:  # it may have become writable since
            self.close()
            connection = self.open()
        if self._why_read_only is not None:
            raise self._why_read_only
        return connection

    def _make_folder(self) -> None:
        if self.path == MEMORY:
            return
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise from_system(self.path, "its folder cannot be made", error) from error
        self._check_regular()

    def _check_regular(self) -> None:
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            what = "a folder" if os.path.isdir(self.path) else "no regular file"
            raise LedgerError(self.path, f"it is {what}; the ledger must be a writable file")

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._connected(self.path)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _CANNOT_WRITE:
                raise
            self._why_read_only = self._told(error)
            if not os.access(self.path, os.R_OK) or os.path.getsize(self.path) == 0:
                raise self._why_read_only from error
            return self._read_only(self._why_read_only)

    def _told(self, error: sqlite3.OperationalError) -> LedgerError:
        """What keeps the file from being opened for writing; SQLite itself only says that it could not be opened."""
        known = from_sqlite(self.path, error)
        folder = os.path.dirname(os.path.abspath(self.path))
        existing = [self.path] if os.path.exists(self.path) else []
        if existing and not os.access(self.path, os.R_OK):
            return LedgerError(self.path, "it may not be read", remedy="Make it readable or choose another ledger.")
        if not all(os.access(place, os.W_OK) for place in (folder, *existing)):
            return LedgerError(self.path, "it stands where nothing can be written", Trouble.READ_ONLY)
        if shutil.disk_usage(folder).free < 2**16:  # the index of the log takes half of that
            return LedgerError(self.path, "the disk is full", Trouble.FULL)
        return known

    def _connected(self, path: str) -> sqlite3.Connection:
        connection = self._connect(path)
        try:
            new = schema.is_new(connection)
            if not new:
                schema.check(connection, self.path)
            self._use_wal(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            if new:
                schema.create(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, path: str, uri: bool = False) -> sqlite3.Connection:
        wait_s = patience_left_s(self.path)
        connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None, uri=uri)
        # A damaged text must not make the intact rows beside it unreadable; its row fails its checksum.
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        return connection

    def _read_only(self, why: LedgerError) -> sqlite3.Connection:
        """A connection to a file that stands where nothing can be written."""
        log = f"{self.path}-wal"
        try:
            source = f"file:{quote(os.path.abspath(self.path))}?immutable=1"
            if os.path.exists(log) and os.path.getsize(log) > 0:
                self._copy = tempfile.TemporaryDirectory(prefix="ventures-ledger-", ignore_cleanup_errors=True)
                there = os.path.join(self._copy.name, "ledger.sqlite")
                shutil.copyfile(self.path, there)
                shutil.copyfile(log, f"{there}-wal")
                source = f"file:{quote(there)}"
        except OSError as error:
            raise why from error
        connection = self._connect(source, uri=True)
        try:
            schema.check(connection, self.path)
            connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Switch to the write-ahead log. The busy timeout does not cover the switch, which another may hold up."""
        deadline = time.monotonic() + patience_left_s(self.path)
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    @contextmanager
    def _waiting(self, connection: sqlite3.Connection | None = None, least_s: float = 0.0) -> Iterator[None]:
        """Errors of SQLite in the ledger's words; waiting in vain counts against the patience."""
        if connection is not None:
            wait_s = max(patience_left_s(self.path), least_s)
            connection.execute(f"PRAGMA busy_timeout={round(wait_s * 1000)}")
        started = time.monotonic()
        try:
            yield
        except sqlite3.ProgrammingError:  # a fault of the caller, such as use from another thread
            raise
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            told = from_sqlite(self.path, error)
            if told.trouble is Trouble.HELD:
                _WAITED_S[self.path] = _WAITED_S.get(self.path, 0.0) + time.monotonic() - started
            raise told from error

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection, least_wait_s: float) -> Iterator[None]:
        with self._waiting(connection, least_wait_s):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
