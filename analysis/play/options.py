"""How an experiment is played: how many seeds, on what, and where the results go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from analysis.errors import AnalysisError
from analysis.runs.seeds import LARGEST_SEED, SeedSet

IN_MEMORY = ":memory:"  # a ledger that ends with each block


class Options(TypedDict, total=False):
    """The keyword arguments that `run`, `cases` and `compare` share; `Settings` holds their defaults."""

    replications: int
    seed: int
    jobs: int | None
    device: str
    out: str | Path | None
    ledger: str | Path | None
    retrain: bool
    progress: bool
    yes: bool


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One experiment's settings, checked on creation.

    replications: number of seeds (≥ 1); seed: the first of them (≥ 0, and 0 is a seed like any other).
    jobs: worker processes (≥ 1; None: one per core).
    device: auto, cpu, cuda or mps.
    out: run folder to write or to go on with (None: a temporary folder that lives as long as its `Run`).
    ledger: file of the training ledger (None: `default_ledger()`; ":memory:" keeps none).
    retrain: train every plan again although it stands in the ledger.
    progress: show a progress bar on standard error.
    yes: play also what is larger than `estimate.LIMITS` allow without being asked twice.
    Raises `AnalysisError` when a value is out of its range.
    """

    replications: int = 32
    seed: int = 0
    jobs: int | None = None
    device: str = "auto"
    out: str | Path | None = None
    ledger: str | Path | None = None
    retrain: bool = False
    progress: bool = False
    yes: bool = False

    def __post_init__(self) -> None:
        if self.replications < 1:
            raise AnalysisError(f"replications must be at least 1, not {self.replications}")
        if self.seed < 0:
            raise AnalysisError(f"seed must be 0 or more, not {self.seed}")
        if self.seed > LARGEST_SEED - self.replications:
            raise AnalysisError(f"seed must leave room for {self.replications} seeds below 2^63, not {self.seed}")
        if self.jobs is not None and self.jobs < 1:
            raise AnalysisError(f"jobs must be at least 1, not {self.jobs}")
        if self.jobs is not None and self.jobs > most_jobs():
            raise AnalysisError(f"jobs must be at most {most_jobs():,} on this machine, not {self.jobs:,}")

    @property
    def seeds(self) -> SeedSet:
        """The seeds S … S+N−1."""
        return SeedSet.of(range(self.seed, self.seed + self.replications))

    @property
    def ledger_path(self) -> Path:
        """The ledger file that is really used, as an absolute path."""
        path = Path(self.ledger) if self.ledger is not None else default_ledger()
        return path if str(path) == IN_MEMORY else path.resolve()

    @property
    def n_jobs(self) -> int:
        """The number of worker processes that is really allowed."""
        return self.jobs if self.jobs is not None else usable_cores()


def default_ledger() -> Path:
    """The ledger that all runs of this user share: $VENTURES_LEDGER, else a file in the user's cache."""
    named = os.environ.get("VENTURES_LEDGER")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("model-ventures", appauthor=False) / "ledger.sqlite"


def most_jobs() -> int:
    """Most worker processes that may be asked for: more than a few per core only fill the memory."""
    return max(64, 4 * usable_cores())


def usable_cores() -> int:
    """Cores that this process may use (affinity and container limits counted)."""
    from joblib import cpu_count

    return max(1, int(cpu_count()))
