"""Ctrl-C while worlds are played: what was finished by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the command line knows this class before it loads anything heavy
    from analysis.runs.run import Run


class Interrupted(KeyboardInterrupt):
    """Ctrl-C arrived while worlds were played; `run` holds every seed that was finished by then.

    A `KeyboardInterrupt`, so that a loop around it stops as the person at the keyboard wanted.
    """

    def __init__(self, run: Run) -> None:
        done, wanted = len(run.seeds), len(run.manifest["seeds"])
        super().__init__(
            f"interrupted: {done} of {wanted} seeds are finished and usable in {run.folder}, every network trained so "
            f"far is in the ledger; the same command with --out {run.folder} goes on from there"
        )
        self.run = run
