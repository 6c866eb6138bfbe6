"""The table that a ledger's file holds, and what tells a ledger from any other SQLite file."""

from __future__ import annotations

import sqlite3

from simulation.training.ledger.errors import LedgerError, Trouble
from simulation.training.ledger.rows import COLUMNS, type_of
from simulation.training.result import OPTIONAL_MEASURES

SCHEMA_VERSION = 2
APPLICATION_ID = 0x4D56454E  # "MVEN"
_SQL_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL"}


def _column(name: str) -> str:
    constraint = "PRIMARY KEY" if name == "key" else "" if name in OPTIONAL_MEASURES else "NOT NULL"
    return f"{name} {_SQL_TYPES[type_of(name)]} {constraint}".rstrip()


COLUMNS_SQL = f"runs ({', '.join(map(_column, COLUMNS))}) WITHOUT ROWID"
CREATE = f"CREATE TABLE IF NOT EXISTS {COLUMNS_SQL}"
KEPT = f"CREATE TABLE {COLUMNS_SQL}"
"""What SQLite keeps of it."""


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether the file holds nothing yet, and no other program has claimed it."""
    claimed = connection.execute("PRAGMA application_id").fetchone()[0] not in (0, APPLICATION_ID)
    return not claimed and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def create(connection: sqlite3.Connection) -> None:
    """Make the table. Two processes may find an empty file at once: the second waits and then finds the table."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(CREATE)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.execute("COMMIT")


def check(connection: sqlite3.Connection, path: str) -> None:
    """Raise `LedgerError` where the file holds anything but this release's table of runs."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise LedgerError(
            path, "it is an SQLite file but not a training ledger", Trouble.FOREIGN, "Choose another path."
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION or not _is_plain(connection):
        reason = f"it has schema {version}, this release needs {SCHEMA_VERSION}"
        if version == SCHEMA_VERSION:
            reason = "its table of runs is not the one that a training ledger has"
        remedy = "Move the file away (its runs will be trained again) or use the release that wrote it."
        raise LedgerError(path, reason, Trouble.FOREIGN, remedy)


def _is_plain(connection: sqlite3.Connection) -> bool:
    """Whether `runs` is the table that `create` makes, and nothing happens on its own when it is read or written."""
    found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return ("table", "runs", KEPT) in found and all(kind == "table" for kind, _, _ in found)
