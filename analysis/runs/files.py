"""Files of a run folder: each appears as a whole or not at all, and none is written through a link."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from analysis.documents import json_text
from analysis.errors import AnalysisError

MOST_BYTES = 256 * 2**20  # of a document; the largest manifests have about 10 MB
DRAFT = ".draft-"  # what a process that was killed was about to write


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the system inside name the file: of a full disk, for one, libraries say only that there is no space."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno or errno.EIO, reason, str(path)) from error


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place when the block is left, and is removed where that fails.

    Raises `OSError`, with the file's name, where it cannot be written.
    """
    draft = path.with_name(f"{DRAFT}{secrets.token_hex(6)}-{path.name}")
    with naming(path):
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield draft
            sync(draft)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON document in one rename."""
    text = json_text(content)
    with draft_of(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def bounded(path: Path) -> bytes:
    """The content of a document; raises `ValueError` where it is no plain file or larger than any we write."""
    if not is_plain_file(path):
        raise ValueError("there is no such file")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"{size:,} bytes, more than {MOST_BYTES:,}")
    return path.read_bytes()


def read_json(path: Path) -> Any:
    """A JSON document; raises `ValueError` where it is none, or nested or large beyond all measure."""
    return from_json(bounded(path), allow_inf_nan=False)


def sync(path: Path) -> None:
    """Have the disk hold what was written: a rename may otherwise survive a power cut that its content does not."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_plain_file(path: Path) -> bool:
    """Whether a file stands there, and no folder, device, pipe or dangling link."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def is_draft(path: Path) -> bool:
    """Whether a process that was killed left it behind unfinished."""
    return path.name.startswith(DRAFT)


def refuse_links(folder: Path) -> None:
    """Raise `AnalysisError` where something below the folder is a link: what is written there would land elsewhere."""
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above, name)
            if path.is_symlink():
                raise AnalysisError(f"{path} is a link; a run folder that is written to holds none: remove it")
