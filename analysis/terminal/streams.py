"""Standard output and standard error that end no command: any encoding, a closed pipe, a full disk, or not open at all.

The results of a run lie in its folder. Whether somebody still reads what is printed must not decide about them.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
READER_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN, errno.EINVAL)  # EINVAL: a closed pipe on Windows
TURNING = (
    "LRE",
    "RLE",
    "LRO",
    "RLO",
    "PDF",
    "LRI",
    "RLI",
    "FSI",
    "PDI",
)  # bidirectional classes that turn a line around
FALLBACK = "ventures.fallback"  # name of the error handler of encodings
SPELLED = {  # signs of our own screens in encodings that lack them
    "–": "-", "—": "-", "−": "-", "…": "...", "→": "->", "←": "<-", "×": "x", "µ": "u", "μ": "u", "≥": ">=",
    "≤": "<=", "±": "+/-", "·": ".", "•": "*", "∞": "inf", "§": "sec.", "α": "alpha", "β": "beta", "δ": "delta",
    "²": "2", "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def open_streams() -> None:
    """Make the standard streams safe to write to: once, before anything is printed."""
    codecs.register_error(FALLBACK, spelled_out)
    fill_closed_descriptors()
    sys.stdout, sys.stderr = safe(sys.stdout, 1), safe(sys.stderr, 2)


def fill_closed_descriptors() -> None:
    """Open the null device where a standard stream is closed, or the next file that is opened takes its place."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def safe(stream: TextIO | None, descriptor: int) -> TextIO:
    """The stream, or one in its place that raises nothing when it cannot be written to."""
    if stream is None:
        return io.TextIOWrapper(Outlet(descriptor), "utf-8", FALLBACK, write_through=True)
    if not isinstance(raw_of(stream), io.FileIO):  # a console of Windows, or what an editor put there
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=FALLBACK)
        return stream
    stream.flush()
    outlet, unbuffered = Outlet(stream.fileno()), raw_of(stream) is stream.buffer
    buffer = outlet if unbuffered else io.BufferedWriter(outlet)
    by_line = bool(stream.line_buffering)
    return io.TextIOWrapper(buffer, stream.encoding, FALLBACK, line_buffering=by_line, write_through=unbuffered)


def raw_of(stream: TextIO) -> object:
    """What the bytes of a stream go through at last; with `python -u` there is no buffer before it."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)


class Outlet(io.FileIO):
    """A file descriptor that takes everything: after a failure the rest is dropped and `error` says why."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Take all bytes; returns their number."""
        rest = memoryview(data).cast("B")
        while len(rest) and self.error is None:
            try:
                written = super().write(rest)
            except OSError as error:
                self.error = error
                break
            if written is None:
                select.select([], [self], [])  # somebody made the pipe non-blocking, and it is full
            rest = rest[written or 0 :]
        return memoryview(data).nbytes


def failure_of(stream: TextIO) -> OSError | None:
    """Why the last of what was printed did not arrive; None where it did or where the reader wanted no more."""
    stream.flush()
    error = getattr(raw_of(stream), "error", None)
    return error if error is not None and error.errno not in READER_GONE else None


def spelled_out(error: UnicodeError) -> tuple[str, int]:
    """Handler of encoding errors: the sign in plain letters where there is such a spelling, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(spelled, error.object[error.start : error.end])), error.end


def spelled(sign: str) -> str:
    """One character in ASCII."""
    if sign in SPELLED:
        return SPELLED[sign]
    parts = [part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)]
    return "".join(parts) if parts and all(part.isascii() and part.isprintable() for part in parts) else "?"


def printable(text: str) -> str:
    """The text with a replacement for each character that would command the terminal: controls, bidirectional ones."""
    if text.isprintable():
        return text
    return "".join(REPLACEMENT if commands(sign) else sign for sign in text)


def commands(sign: str) -> bool:
    """Whether a terminal would obey the character instead of showing it."""
    if sign in "\n\t":
        return False
    return unicodedata.category(sign) == "Cc" or unicodedata.bidirectional(sign) in TURNING
