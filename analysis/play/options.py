"""How an experiment is played: how many seeds, on what, and where the results go."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from analysis.errors import AnalysisError
from analysis.play import checks
from analysis.play.plugins import load_plugins
from analysis.runs.names import new_folder, user_path
from analysis.runs.seeds import LARGEST_SEED, SeedSet

if TYPE_CHECKING:
    from simulation.plugins.plugin import Plugin

IN_MEMORY = ":memory:"  # a ledger that ends with each block


@dataclass(frozen=True)
class NewFolder:
    """A run folder that is made when it is first written to: of this name, or with a number behind it if it exists."""

    wanted: Path


class PlayArguments(TypedDict, total=False):
    """The keyword arguments that `run`, `cases` and `compare` share; `PlayOptions` holds their defaults."""

    replications: int
    seed: int
    jobs: int | None
    device: str
    out: str | os.PathLike[str] | NewFolder | None
    ledger: str | os.PathLike[str] | None
    retrain: bool
    progress: bool
    yes: bool
    plugins: Sequence[str | os.PathLike[str] | Plugin[Any]]
    over: str | os.PathLike[str] | None


@dataclass(frozen=True, kw_only=True)
class PlayOptions:
    """One experiment's settings, checked on creation.

    replications: number of seeds (≥ 1); seed: the first of them (≥ 0, and 0 is a seed like any other).
    jobs: worker processes (≥ 1; None: one per core).
    device: auto, cpu, cuda or mps.
    out: run folder to write or to go on with (None: a temporary folder that lives as long as its `Run`); `~` is home.
    ledger: file of the training ledger (None: `default_ledger()`; ":memory:" keeps none).
    retrain: train every plan again although it stands in the ledger.
    progress: show a progress bar on standard error.
    plugins: files (`FILE.py`), modules or installed names of plug-ins, loaded now; they act in every world that is
        played. A plug-in that a scenario names itself must be loaded this way too.
    over: file of sets of values (or "uncertainty": those shipped for the scenario) of which every seed has one; for
        `run` and `compare`.
    yes: play also what is larger than the limits of `estimate` allow without being asked twice.
    Raises `AnalysisError`, in one line, when a value has the wrong type or is out of its range.
    """

    replications: int = 32
    seed: int = 0
    jobs: int | None = None
    device: str = "auto"
    out: str | os.PathLike[str] | NewFolder | None = None
    ledger: str | os.PathLike[str] | None = None
    retrain: bool = False
    progress: bool = False
    yes: bool = False
    plugins: Sequence[str | os.PathLike[str] | Plugin[Any]] = ()
    over: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        checked = {
            "replications": checks.whole_number("replications", self.replications, 1),
            "seed": checks.whole_number("seed", self.seed, 0),
            "jobs": None if self.jobs is None else checks.whole_number("jobs", self.jobs, 1),
            "device": checks.text("device", self.device),
            "retrain": checks.truth("retrain", self.retrain),
            "progress": checks.truth("progress", self.progress),
            "yes": checks.truth("yes", self.yes),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # plain Python values: a manifest can say them
        object.__setattr__(self, "plugins", load_plugins(self.plugins))
        if self.out is not None and not isinstance(self.out, NewFolder):
            checks.path("out", self.out)
        for name in ("ledger", "over"):
            if getattr(self, name) is not None:
                checks.path(name, getattr(self, name))
        if self.seed > LARGEST_SEED - self.replications:
            raise AnalysisError(f"seed must leave room for {self.replications} seeds below 2^63, not {self.seed}")
        if self.jobs is not None and self.jobs > most_jobs():
            raise AnalysisError(f"jobs must be at most {most_jobs():,} on this machine, not {self.jobs:,}")

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> PlayOptions:
        """The settings of these keyword arguments; raises `AnalysisError` for one that does not exist."""
        checks.known(options, [field.name for field in fields(cls)])
        return cls(**options)

    def open_out(self) -> tuple[Path, tempfile.TemporaryDirectory[str] | None]:
        """The run folder, a new one made now; and what keeps a temporary one alive."""
        if self.out is None:
            keep = tempfile.TemporaryDirectory(prefix="ventures-")
            return Path(keep.name), keep
        return new_folder(self.out.wanted) if isinstance(self.out, NewFolder) else user_path(self.out), None

    @property
    def intended_out(self) -> Path:
        """Where the run folder will about be, before it is made."""
        if self.out is None:
            return Path(tempfile.gettempdir())
        return self.out.wanted if isinstance(self.out, NewFolder) else user_path(self.out)

    @property
    def seeds(self) -> SeedSet:
        """The seeds S … S+N−1."""
        return SeedSet.of(range(self.seed, self.seed + self.replications))

    @property
    def ledger_path(self) -> Path:
        """The ledger file that is really used, as an absolute path."""
        path = user_path(self.ledger) if self.ledger is not None else default_ledger()
        return path if str(path) == IN_MEMORY else path.resolve()

    @property
    def device_type(self) -> str:
        """The kind of device that is really used; one that does not exist is told when it is opened."""
        if self.device in ("cpu", "mps"):
            return self.device
        from simulation.training.device import DeviceError, resolve_device

        try:
            return resolve_device(self.device).type
        except DeviceError:
            return "cpu"

    @property
    def n_jobs(self) -> int:
        """The number of worker processes that is really allowed."""
        return self.jobs if self.jobs is not None else usable_cores()


def default_ledger() -> Path:
    """The ledger that all runs of this user share: $VENTURES_LEDGER, else a file in the user's cache."""
    named = os.environ.get("VENTURES_LEDGER")
    if named:
        return user_path(named)
    from platformdirs import user_cache_path

    return user_cache_path("model-ventures", appauthor=False) / "ledger.sqlite"


def most_jobs() -> int:
    """Most worker processes that may be asked for: more than a few per core only fill the memory."""
    return max(64, 4 * usable_cores())


def usable_cores() -> int:
    """Cores that this process may use (affinity and container limits counted)."""
    from joblib import cpu_count

    return max(1, int(cpu_count()))
