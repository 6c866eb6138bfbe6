"""The SQLite file of a study: told from any other file before it is touched, and its errors in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from analysis.errors import AnalysisError, BrokenRun

STUDY = "calibration"
TABLES = frozenset({"studies", "study_user_attributes", "trials", "trial_params", "trial_user_attributes"})
"""Some of those in which Optuna keeps a study."""
MOST_WORDS = 200
"""Characters of a reason."""
_PLACE = {  # SQLite's primary result codes for what may be mended without another file
    sqlite3.SQLITE_FULL: "free space on the disk",
    sqlite3.SQLITE_BUSY: "wait for the process that holds it, or end it",
    sqlite3.SQLITE_LOCKED: "wait for the process that holds it, or end it",
    sqlite3.SQLITE_READONLY: "make it and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "make it and its folder writable",
    sqlite3.SQLITE_IOERR: "see whether its disk is full or broken",
}


def check_study_file(file: Path) -> None:
    """Raise `AnalysisError` where something stands at that path that is no study of ours; nothing is written."""
    if file.is_dir() or (file.exists() and not file.is_file()):
        raise _refused(file, "it is no regular file")
    try:
        if not file.exists() or file.stat().st_size == 0:
            return
        with closing(sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro&immutable=1", uri=True)) as connection:
            if connection.execute("PRAGMA application_id").fetchone()[0] != 0:
                raise _refused(file, "it is an SQLite file of another kind")
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not names >= TABLES:
                raise _refused(file, "it is an SQLite file of another kind")
            held = [row[0] for row in connection.execute("SELECT study_name FROM studies LIMIT 2")]
    except (OSError, sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite may quote what is no text
        raise _refused(file, reason_of(error)) from error
    if held and held != [STUDY]:  # none: whoever made it was killed before it held one
        raise _refused(file, "it holds studies of another program")


def _refused(file: Path, why: str) -> AnalysisError:
    return AnalysisError(f"--study {file} cannot be used as a study ({why}); choose another file")


@contextmanager
def errors_of(file: Path, reading: bool = False) -> Iterator[None]:
    """What goes wrong with the file inside, as one line; `reading`: content that makes no sense counts too."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    of_file = (SQLAlchemyError, OptunaError, *((OSError,) if reading else ()))  # worlds that are played have files too
    senseless = (KeyError, TypeError, ValueError, AttributeError, RuntimeError) if reading else ()
    try:
        yield
    except of_file as error:
        raise _broken(file, error) from error
    except senseless as error:
        raise _refused(file, "its content is not what a calibration writes") from error


def _broken(file: Path, error: Exception) -> AnalysisError:
    root = _root(error)
    remedy = _PLACE.get(getattr(root, "sqlite_errorcode", 0) & 0xFF)
    if remedy is None and not isinstance(root, OSError):
        return _refused(file, reason_of(error))
    again = f"{remedy or 'choose another file'}, then the same command goes on"
    return BrokenRun(f"--study {file}: {reason_of(error)}; finished trials are kept: {again}")


def reason_of(error: BaseException) -> str:
    """What SQLite or the system says, without the statement and the links that libraries wrap around it."""
    root = _root(error)
    text = getattr(root, "strerror", None) or str(root) or type(root).__name__
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(str(text).split()))[:MOST_WORDS]


def _root(error: BaseException) -> BaseException:
    """The error of SQLite or of the system below those of the libraries."""
    seen: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in seen:
        seen.append(here)
        if isinstance(here, (sqlite3.Error, OSError)):
            return here
        here = getattr(here, "orig", None) or here.__cause__ or here.__context__
    return error
