"""Live progress of many processes: each writes its own row of a small shared file, one thread draws the sum."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from analysis.runs.files import draft_of
from analysis.terminal.console import PlainConsole, bar

REFRESH_S = 0.2
MOST_ROWS = 4096  # far more than blocks that are played at one time
BAR = "{task.completed:,.0f}/{task.total:,.0f} world-months, {task.fields[trained]:,} networks"


class Tally:
    """Counters in a memory-mapped file of shape (n_rows, 2): months of worlds played, networks trained.

    Blocks share rows where there are very many of them; those that are played at one time do not.
    """

    def __init__(self, path: Path, n_rows: int) -> None:
        self.path, self.n_rows = path, n_rows
        self._counts: np.memmap | None = None
        self._noted: tuple[int, int, int] = (-1, 0, 0)

    @classmethod
    def create(cls, path: Path, n_blocks: int) -> Tally:
        """A new file with all counters at zero, in place of whatever stands there."""
        n_rows = min(max(n_blocks, 1), MOST_ROWS)
        with draft_of(path) as draft:
            np.zeros((n_rows, 2), dtype=np.int64).tofile(draft)
        return cls(path, n_rows)

    def __reduce__(self) -> tuple[type[Tally], tuple[Path, int]]:
        return Tally, (self.path, self.n_rows)

    @property
    def counts(self) -> np.memmap:
        """The mapped counters of this process."""
        if self._counts is None:
            self._counts = np.memmap(self.path, dtype=np.int64, mode="r+", shape=(self.n_rows, 2))
        return self._counts

    def note(self, block: int, months: int, trained: int) -> None:
        """State how far a block is."""
        _, before_months, before_trained = self._noted if self._noted[0] == block else (block, 0, 0)
        self.counts[block % self.n_rows] += months - before_months, trained - before_trained
        self._noted = block, months, trained

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
