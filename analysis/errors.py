"""What can go wrong in an experiment, said in one line each."""

from __future__ import annotations


class AnalysisError(Exception):
    """A request that cannot be met; its text is one clear line that says what to do.

    `exit_code` is what the command line leaves with: 2 for a wrong request, 1 for a run that broke.
    """

    exit_code = 2


class DamagedRun(AnalysisError):
    """A run folder whose files are not what was written; nothing in it was changed."""


class BrokenRun(AnalysisError):
    """Playing stopped for a reason that lies outside the request, such as a killed worker process."""

    exit_code = 1


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C arrived while the plans of a grid were trained; those finished by then are in the ledger."""

    def __init__(self, done: int, wanted: int | None = None) -> None:
        self.done = done
        how_many = f"{done:,}" if wanted is None else f"{done:,} of {wanted:,}"
        super().__init__(f"interrupted: {how_many} networks are trained and in the ledger; the same command goes on")
