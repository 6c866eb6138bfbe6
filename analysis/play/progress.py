"""Live progress of many processes: each writes its own row of a small shared file, one thread draws the sum."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from analysis.terminal.console import PlainConsole, bar

REFRESH_S = 0.2
BAR = "{task.completed:,.0f}/{task.total:,.0f} world-months, {task.fields[trained]:,} networks"


class Tally:
    """Counters in a memory-mapped file of shape (n_blocks, 2): months of worlds played, networks trained."""

    def __init__(self, path: Path, n_blocks: int) -> None:
        self.path, self.n_blocks = path, n_blocks
        self._counts: np.memmap | None = None

    @classmethod
    def create(cls, path: Path, n_blocks: int) -> Tally:
        """A new file with all counters at zero."""
        np.zeros((n_blocks, 2), dtype=np.int64).tofile(path)
        return cls(path, n_blocks)

    def __reduce__(self) -> tuple[type[Tally], tuple[Path, int]]:
        return Tally, (self.path, self.n_blocks)

    @property
    def counts(self) -> np.memmap:
        """The mapped counters of this process."""
        if self._counts is None:
            self._counts = np.memmap(self.path, dtype=np.int64, mode="r+", shape=(self.n_blocks, 2))
        return self._counts

    def note(self, block: int, months: int, trained: int) -> None:
        """State how far a block is; every block has one writer, so nothing is lost."""
        self.counts[block] = months, trained

    def totals(self) -> tuple[int, int]:
        """Months of worlds played and networks trained, over all blocks."""
        months, trained = np.asarray(self.counts).sum(axis=0)
        return int(months), int(trained)


@contextmanager
def progress_bar(label: str, total: int, read: Callable[[], tuple[int, int]], shown: bool) -> Iterator[None]:
    """Draw `read()` (done, trained) on standard error until the block is left; nothing where not `shown`."""
    if not shown or total == 0:
        yield
        return
    PlainConsole(stderr=True).print(label, soft_wrap=True)
    with bar(BAR, total=total, left=True, transient=False, trained=0) as note:
        stop = threading.Event()

        def draw() -> None:
            done, trained = read()
            note(completed=done, trained=trained)

        def watch() -> None:
            while not stop.wait(REFRESH_S):
                draw()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
            draw()
