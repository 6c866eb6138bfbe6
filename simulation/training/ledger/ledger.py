"""The ledger: one row of SQLite per training run, so that every quality can be traced and trained again.

A row that is not believable (`rows.damage_of`) is never served: the run is trained again and the row replaced; one
`LedgerWarning` says so, and `info` counts such rows.

**When the file fails.** A file that is corrupted, or no ledger, is an error at once, before anything is trained. One
that cannot be written (full disk, read-only place), or that another process holds, does not stop a run: finished
results are kept in memory, served from there and written as soon as that succeeds, at the latest when the process ends
its work; one `LedgerWarning` says so. A file that is found to be corrupted later is an error even then: what it serves
could not be trusted.
"""

from __future__ import annotations

import os
import random
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from simulation.training.ledger.errors import PASSING, LedgerError, LedgerWarning
from simulation.training.ledger.file import MEMORY, LedgerFile
from simulation.training.ledger.rows import COLUMNS, Damage, Row, damage_of, result_of, row_of
from simulation.training.ledger.schema import SCHEMA_VERSION
from simulation.training.plan import TRAINER_VERSION, TrainingPlan
from simulation.training.result import TrainingResult

__all__ = ["Ledger", "LedgerError", "LedgerWarning"]

LAST_WAIT_S = 0.25
"""How long the last attempt of a piece of work waits for others, where no patience is left."""
FEW = 1_000
"""Unsaved runs that are cheap to try again with every new one; more are tried every `RETRY_S`."""
RETRY_S = 30.0
_UNSAVED: dict[str, dict[str, Row]] = {}  # by file: what this process could not write yet, whoever opens the file next
_SAID: set[tuple[str, str]] = set()  # what this process has said: subject and file
_UNUSABLE, _DAMAGED = "cannot be used for now", "has damaged rows"


class Ledger:
    """A store of training runs, safe for several processes.

    An instance may be pickled or carried over a fork: each process opens its own connection.

    Args:
        path: file, or ":memory:" for a ledger that ends with the process.

    Attributes:
        damaged: what is wrong with rows that were asked for and not served, by key.

    Raises:
        LedgerError: the file is corrupted, is no ledger, has another schema, or cannot be opened for now.
    """

    def __init__(self, path: str | Path = MEMORY) -> None:
        self._set_up(str(path), goes_on=False)
        self._file.open()

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The ledger at that path for a run, made if it does not exist.

        Where the file can for now neither be made, read nor written, the run goes on in memory.

        Raises:
            LedgerError: the file is corrupted, is no ledger or has another schema.
        """
        ledger = cls.__new__(cls)
        ledger._set_up(str(path), goes_on=True)
        try:
            ledger._file.open()
        except LedgerError as error:
            ledger._go_on(error)
        return ledger

    def _set_up(self, path: str, goes_on: bool) -> None:
        self.path = path
        self._goes_on = goes_on
        self.damaged: dict[str, Damage] = {}
        self._file = LedgerFile(path)
        self._tried = 0.0
        # Shared by all that open the file: a run opens it anew for every block of seeds.
        self._unsaved = {} if path == MEMORY else _UNSAVED.setdefault(os.path.realpath(path), {})

    def __getstate__(self) -> dict[str, Any]:
        if self.path == MEMORY:
            raise TypeError("a ledger in memory belongs to its process; use a file to share one")
        return {"path": self.path, "goes_on": self._goes_on}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set_up(**state)

    def close(self) -> None:
        """Write what is kept in memory and close the connection; the next use opens it again.

        A ledger in memory is lost. Raises `LedgerError` where finished runs still cannot be written; they stay here.
        """
        self.flush(LAST_WAIT_S)
        self._file.close()

    def _go_on(self, error: LedgerError) -> None:
        """Say once that the file cannot be used for now; raise the error where that is no reason to go on."""
        if not self._goes_on or error.trouble not in PASSING:
            raise error
        self._say(error)

    def _say(self, error: LedgerError) -> None:
        kept = "Finished runs are kept in memory and written as soon as that is possible."
        self._say_once(_UNUSABLE, f"{error} {kept}")

    def _say_once(self, subject: str, text: str) -> None:
        if (subject, self.path) not in _SAID:
            _SAID.add((subject, self.path))
            warnings.warn(LedgerWarning(text), stacklevel=5)

    def _stored(self, keys: Sequence[str]) -> Iterator[Row]:
        """Believable rows of these keys that stand in the file."""
        try:
            rows = self._file.select(keys)
        except LedgerError as error:
            self._go_on(error)
            return
        for row in rows:
            damage = damage_of(row)
            if damage is None:
                yield row
            else:
                self.damaged[row[0]] = damage

    def _select(self, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Rows of these keys, from memory where they could not be written yet."""
        wanted = list(dict.fromkeys(keys))
        kept = (self._unsaved[key] for key in wanted if key in self._unsaved)
        for row in (*kept, *self._stored([key for key in wanted if key not in self._unsaved])):
            yield dict(zip(COLUMNS, row, strict=True))

    def get(self, key: str) -> TrainingResult | None:
        """The result of that key, or None if it is not there or damaged."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, TrainingResult]:
        """Results by key; keys that are missing or damaged are left out."""
        results = {row["key"]: result_of(row) for row in self._select(keys)}
        if self.damaged:
            what = "some of its rows are damaged. They are not used: their runs are trained again and replace them."
            self._say_once(_DAMAGED, f"training ledger {self.path}: {what}")
        return results

    def add_many(self, runs: Iterable[tuple[TrainingPlan, TrainingResult]]) -> bool:
        """Record finished runs in one transaction; a key that stands already keeps its row, unless that is damaged.

        Returns whether they stand in the file. If not, they are kept in memory, served from there, and written with
        the next runs or by `flush`; a `LedgerWarning` says so when that begins. Without runs it is the last attempt of
        a piece of work, which waits a little for others.

        Raises:
            ValueError: a result is not of its plan, or a measure cannot be what it is.
        """
        rows = [row_of(plan, result, time.time()) for plan, result in runs]
        for row in rows:
            self._unsaved.setdefault(row[0], row)
        if not rows or len(self._unsaved) <= FEW or time.monotonic() - self._tried > RETRY_S:
            try:
                self.flush(0.0 if rows else LAST_WAIT_S)
            except LedgerError as error:  # whatever it is, what was trained is not thrown away
                self._say(error)
        return not self._unsaved

    @property
    def n_unsaved(self) -> int:
        """Finished runs that are in memory only."""
        return len(self._unsaved)

    def flush(self, least_wait_s: float = 0.0) -> None:
        """Write the runs that are kept in memory.

        least_wait_s: how long to wait for another process even where no patience is left.

        Raises:
            LedgerError: they cannot be written; they are still kept.
        """
        if self._unsaved:
            self._tried = time.monotonic()
            self._file.write(list(self._unsaved.values()), least_wait_s)
            self._unsaved.clear()

    def add_rows(self, rows: Sequence[Row]) -> int:
        """Write rows as they are in one transaction, by the rules of `add_many`; returns how many were written.

        Raises:
            LedgerError: they cannot be written; then none is.
        """
        return self._file.write(rows, LAST_WAIT_S)

    def rows(self, keys: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Stored rows with all columns, sorted by key; of all runs where no keys are given."""
        return sorted(self._select(self.keys() if keys is None else keys), key=lambda row: row["key"])

    def keys(self) -> list[str]:
        """All keys, sorted; those of damaged rows too."""
        return sorted({str(key) for key in self._file.keys()} | self._unsaved.keys())

    def sample(self, n: int, seed: int = 0) -> list[dict[str, Any]]:
        """Up to `n` rows drawn without replacement, the same for the same seed and content."""
        keys = self.keys()
        return self.rows(random.Random(seed).sample(keys, min(n, len(keys))))

    def info(self) -> dict[str, Any]:
        """Number of runs, of damaged rows and why, of runs by device, training seconds, size in bytes."""
        self.damaged.clear()
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
            "damaged_by": dict(sorted(Counter(self.damaged.values()).items())),
            "of_this_trainer": sum(row["trainer_version"] == TRAINER_VERSION for row in rows),
            "devices": devices,
            "seconds": sum(row["seconds"] for row in rows),
            "bytes": size,
        }

    def __len__(self) -> int:
        return len(self.keys()) if self._unsaved else self._file.count()
