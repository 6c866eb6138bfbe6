"""A ledger that is only read: not a byte of its file is written, and nothing is made beside it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from simulation.training.ledger import schema
from simulation.training.ledger.errors import PASSING, LedgerError
from simulation.training.ledger.file import LedgerFile
from simulation.training.ledger.rows import COLUMNS, Row, is_believable, result_of
from simulation.training.result import TrainingResult

HELPERS = ("-wal", "-shm")  # SQLite's files beside a ledger that somebody has open


class ReadOnlyLedger:
    """Results of a ledger that others may write meanwhile. A row that is not believable is as good as missing.

    A file that does not exist holds nothing. One that cannot be read for now, or no longer, is left alone from then on.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises `LedgerError` where a file stands there that is corrupted, no ledger, or one of another schema."""
        self.path = str(path)
        self._is_left = False
        try:
            self._rows([])
        except LedgerError as error:
            if error.trouble not in PASSING:
                raise
            self._is_left = True

    def get_many(self, keys: Sequence[str]) -> dict[str, TrainingResult]:
        """Results by key; keys that are missing or damaged are left out."""
        if self._is_left or not keys:
            return {}
        try:
            rows = self._rows(keys)
        except LedgerError:
            self._is_left = True
            return {}
        found = (dict(zip(COLUMNS, row, strict=True)) for row in rows if is_believable(row))
        return {row["key"]: result_of(row) for row in found}

    def _rows(self, keys: Sequence[str]) -> list[Row]:
        """Rows as they stand. The file is opened anew each time, for others may have begun to write."""
        if not os.path.exists(self.path):
            return []
        file = _ReadOnlyFile(self.path)
        try:
            return [] if schema.is_new(file.open()) else file.select(keys)
        finally:
            file.close()


class _ReadOnlyFile(LedgerFile):
    def _make_folder(self) -> None:
        self._check_regular()

    def _opened(self) -> sqlite3.Connection:
        # Without its helper files nobody writes to a ledger: it is read as it stands, so that none are made.
        in_use = all(os.path.exists(self.path + helper) for helper in HELPERS)
        options = "mode=ro" if in_use else "mode=ro&immutable=1"
        connection = self._connect(f"file:{quote(os.path.abspath(self.path))}?{options}", uri=True)
        try:
            if not schema.is_new(connection):
                schema.check(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection
