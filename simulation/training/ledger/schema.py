"""The table that a ledger's file holds, and what tells a ledger from any other SQLite file."""

from __future__ import annotations

import sqlite3

from simulation.training.ledger.errors import LedgerError, Trouble
from simulation.training.ledger.rows import COLUMNS, type_of
from simulation.training.result import OPTIONAL_MEASURES

SCHEMA_VERSION = 2
APPLICATION_ID = 0x4D56454E  # "MVEN"
_SQL_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL"}
_LAYOUT = [(name, _SQL_TYPES[type_of(name)], int(name == "key"), 0) for name in COLUMNS]
"""Name, type, place in the primary key, whether computed."""


def _column(name: str) -> str:
    constraint = "PRIMARY KEY" if name == "key" else "" if name in OPTIONAL_MEASURES else "NOT NULL"
    return f"{name} {_SQL_TYPES[type_of(name)]} {constraint}".rstrip()


CREATE = f"CREATE TABLE IF NOT EXISTS runs ({', '.join(map(_column, COLUMNS))}) WITHOUT ROWID"


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether the file holds nothing yet."""
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0)


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
    if version != SCHEMA_VERSION or _layout(connection) != _LAYOUT or not _is_plain(connection):
        reason = f"it has schema {version}, this release needs {SCHEMA_VERSION}"
        if version == SCHEMA_VERSION:
            reason = "its table of runs is not the one that a training ledger has"
        remedy = "Move the file away (its runs will be trained again) or use the release that wrote it."
        raise LedgerError(path, reason, Trouble.FOREIGN, remedy)


def _layout(connection: sqlite3.Connection) -> list[tuple[str, str, int, int]]:
    return [(row[1], row[2], row[5], row[6]) for row in connection.execute("PRAGMA table_xinfo(runs)")]


def _is_plain(connection: sqlite3.Connection) -> bool:
    """Whether `runs` is an ordinary table and nothing happens on its own when it is written."""
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    tables = [sql for kind, name, sql in found if kind == "table" and name == "runs"]
    ordinary = len(tables) == 1 and str(tables[0]).upper().startswith("CREATE TABLE")
    return ordinary and not any(kind == "trigger" for kind, _, _ in found)
