"""What can be wrong with a ledger's file."""

from __future__ import annotations

import errno
import sqlite3
from enum import StrEnum


class Trouble(StrEnum):
    """What keeps a ledger from being read or written."""

    HELD = "held"  # by another process
    FULL = "full"
    READ_ONLY = "read-only"
    CORRUPT = "corrupt"
    FOREIGN = "foreign"  # not a ledger, or one of another schema
    UNUSABLE = "unusable"


PASSING = frozenset({Trouble.HELD, Trouble.FULL, Trouble.READ_ONLY})
"""Troubles of the place, not of the ledger: runs go on without it."""
MOST_WORDS = 200
"""Characters of what SQLite says."""
_REMEDIES = {
    Trouble.HELD: "Another process holds the file: wait for it or end it.",
    Trouble.FULL: "Free space on the disk or choose another ledger; finished runs are kept.",
    Trouble.READ_ONLY: "Make the file and its folder writable or choose another ledger.",
    Trouble.CORRUPT: "Move the file away: the runs will be trained again and written to a new one.",
    Trouble.UNUSABLE: "Choose another path.",
}
_BY_CODE = {  # SQLite's primary result codes
    sqlite3.SQLITE_BUSY: Trouble.HELD,
    sqlite3.SQLITE_LOCKED: Trouble.HELD,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: Trouble.CORRUPT,
    sqlite3.SQLITE_NOTADB: Trouble.CORRUPT,
}
_BY_ERRNO = {
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EROFS: Trouble.READ_ONLY,
    errno.EACCES: Trouble.READ_ONLY,
    errno.EPERM: Trouble.READ_ONLY,
}


class LedgerError(Exception):
    """A ledger cannot be read or written.

    Attributes:
        path: the file.
        reason: what is wrong with it.
        remedy: what to do.
        trouble: the same for programs.
    """

    def __init__(self, path: str, reason: str, trouble: Trouble = Trouble.UNUSABLE, remedy: str = "") -> None:
        self.path, self.reason, self.trouble = path, reason, trouble
        self.remedy = remedy or _REMEDIES[trouble]
        super().__init__(f"training ledger {path}: {reason}. {self.remedy}")

    def __reduce__(self) -> tuple[type[LedgerError], tuple[str, str, Trouble, str]]:
        return type(self), (self.path, self.reason, self.trouble, self.remedy)

    @property
    def exit_code(self) -> int:
        """What the command line leaves with: 1 where the place is at fault, 2 for a wrong request."""
        return 1 if self.trouble in PASSING else 2


class LedgerWarning(UserWarning):
    """The ledger has damaged rows, or cannot be read or written for now, so that finished runs are in memory only."""


def from_sqlite(path: str, error: sqlite3.DatabaseError | UnicodeDecodeError) -> LedgerError:
    """What SQLite says, in the ledger's words; a `UnicodeDecodeError` where it quotes what a damaged file holds."""
    if isinstance(error, UnicodeDecodeError):
        return LedgerError(path, "the file is corrupted (names in it are no text)", Trouble.CORRUPT)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    trouble = _BY_CODE.get(code, Trouble.UNUSABLE if isinstance(error, sqlite3.OperationalError) else Trouble.CORRUPT)
    said = "".join(sign if sign.isprintable() else "?" for sign in str(error))[:MOST_WORDS]  # names of a file, too
    reason = f"the file is corrupted ({said})" if trouble is Trouble.CORRUPT else said
    remedy = "Check that the path is a writable file and the disk is not full; finished runs are kept."
    return LedgerError(path, reason, trouble, remedy if trouble is Trouble.UNUSABLE else "")


def from_system(path: str, what: str, error: OSError | ValueError) -> LedgerError:
    """What the operating system says of a file or folder, in the ledger's words."""
    trouble = _BY_ERRNO.get(getattr(error, "errno", None) or 0, Trouble.UNUSABLE)
    return LedgerError(path, f"{what} ({getattr(error, 'strerror', None) or error})", trouble)
