"""Names of files and folders: `~` is the home folder, and no name is longer or stranger than a file system takes."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path

from analysis.errors import AnalysisError

MOST_BYTES = (
    100  # of a name made from a title or another file's name; file systems take 255, endings and times included
)
FORBIDDEN = '<>:"|?*/\\'  # in names of files, on one system or another
DIGITS = 8  # of the hash that tells cut names apart


def user_path(text: str | os.PathLike[str]) -> Path:
    """The path, with the home folder in place of `~` and `~user`; raises `AnalysisError` where there is none."""
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise AnalysisError(f"{path}: no home folder is known for {path.parts[0]}; write the path out") from error


def file_name(text: str) -> str:
    """A name for a file or folder from any text: the same text gives the same name, different ones different names."""
    name = "".join("-" if sign in FORBIDDEN or not sign.isprintable() else sign for sign in text).strip("-. ")
    if len(name.encode(errors="replace")) <= MOST_BYTES and name:
        return name
    mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:DIGITS]
    kept = name.encode(errors="replace")[: MOST_BYTES - DIGITS - 1].decode(errors="ignore").rstrip("-. ")
    return f"{kept}-{mark}".lstrip("-")


def short_name(scenario: str) -> str:
    """What files that belong to a scenario are called: its name or path without the ending."""
    return file_name(scenario.removesuffix(".yaml").removesuffix(".yml"))


def new_folder(wanted: Path) -> Path:
    """Make a folder of that name, or with a number behind it where there is one already; two never get the same.

    Raises `AnalysisError` where it cannot be made.
    """
    for number in itertools.count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise AnalysisError(f"{folder} cannot be made: {error.strerror or error}") from error
        return folder
    raise AssertionError("a count has no end")
