"""What an experiment will about take, from its scenarios alone: firm-months, time, disk, memory. Training comes on top.

Firms that a scenario names are counted from their founding to the end of the run. Entrants leave at a constant rate, so
that of `n` founded at once `n · exp(−t / LIFE_MONTHS)` are left after `t` months.
"""

from __future__ import annotations

import math
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analysis.errors import AnalysisError
from analysis.play.lockstep import Arm, largest_block
from analysis.play.options import PlayOptions

LIFE_MONTHS = 62.0  # fits the 46.6 living firms of benchmarks/results/market-2-cores-cpu.json
FIRM_MONTH_S = 93e-6  # us_per_firm_month of the reference case there
FIRM_MONTH_BYTES = 2_100  # assumption: in memory, rows and their data frames; measured on 1,000 to 10,000 startups
FIRM_BYTES = 11_000  # assumption: in memory, a firm with its books; measured on the same
PROCESS_BYTES = 400e6  # assumption: a process with torch, pandas and pyarrow
TABLE_BYTES = 450  # assumption: a firm-month in a table in memory, of which a merge holds three
DISK_BYTES = 250  # assumption: a firm-month in the tables and once more in the parts

LARGE_WORLD = 100_000  # firm-months, about ten times the base world over twenty years
MOST_HOURS = 24.0
MOST_DISK_BYTES = 20e9


class LargeWorld(UserWarning):
    """A world is so large that somebody should know before it is played."""


@dataclass(frozen=True)
class Estimate:
    """An experiment before it is played. `largest_world`: firm-months of its largest world; seconds are of market."""

    n_worlds: int
    firm_months: float
    largest_world: float
    seconds: float
    disk_bytes: float
    memory_bytes: float

    def __str__(self) -> str:
        worlds = "1 world" if self.n_worlds == 1 else f"{self.n_worlds:,} worlds"
        return (
            f"{worlds}, about {self.firm_months:,.0f} firm-months: {duration(self.seconds)}, "
            f"{size(self.disk_bytes)} on disk, {size(self.memory_bytes)} of memory, without training"
        )


def estimate(arms: Sequence[Arm], settings: PlayOptions, at_once: int | None = None) -> Estimate:
    """What all arms with all seeds will about take; `at_once`: seeds that one process plays together."""
    n_seeds, jobs = settings.replications, min(settings.n_jobs, settings.replications)
    worlds = [(firm_months(arm.setup), n_firms(arm.setup)) for arm in arms]
    per_seed = sum(months for months, _ in worlds)
    at_once = at_once or min(largest_block(len(arms), settings.device_type), math.ceil(n_seeds / jobs))
    block = at_once * sum(FIRM_MONTH_BYTES * months + FIRM_BYTES * firms for months, firms in worlds)
    merge = 3 * TABLE_BYTES * n_seeds * per_seed
    return Estimate(
        n_worlds=n_seeds * len(arms),
        firm_months=n_seeds * per_seed,
        largest_world=max(months for months, _ in worlds),
        seconds=n_seeds * per_seed * FIRM_MONTH_S / jobs,
        disk_bytes=n_seeds * per_seed * DISK_BYTES,
        memory_bytes=PROCESS_BYTES + max(jobs * (PROCESS_BYTES * (jobs > 1) + block), merge),
    )


def firm_months(setup: Any) -> float:
    """Expected months of living firms in one world of a scenario."""
    length = setup.n_months
    named = sum(length - max(_founded(firm, setup), 0) for firm in setup.firms.values())
    entered = sum(
        stream.at_start * lived(length) + _a_month(stream, setup) * LIFE_MONTHS * (length - lived(length))
        for stream in setup.entrants.values()
    )
    return named + entered


def _a_month(stream: Any, setup: Any) -> float:
    """Startups that may enter in a month: of potential founders all, for how many found is not known before."""
    return float(stream.candidates_year(setup.world.founding.firms_scale)) / 12


def lived(months: float) -> float:
    """Expected months that an entrant lives within so many months of its founding."""
    return LIFE_MONTHS * -math.expm1(-months / LIFE_MONTHS)


def n_firms(setup: Any) -> float:
    """Expected number of firms that a world ever has."""
    return len(setup.firms) + sum(
        stream.at_start + _a_month(stream, setup) * setup.n_months for stream in setup.entrants.values()
    )


def check_size(expected: Estimate, name: str, settings: PlayOptions) -> None:
    """Raise `AnalysisError` for what is larger than anybody may have meant, unless the settings say `yes`.

    A large world is warned of.
    """
    if expected.largest_world > LARGE_WORLD:
        says = f"{name}: about {expected.largest_world:,.0f} firm-months in one world"
        warnings.warn(LargeWorld(f"{says}; {expected}"), stacklevel=3)
    over = [] if settings.yes else beyond(expected, settings)
    if over:
        raise AnalysisError(f"{name}: {expected}; that is more than {' and '.join(over)}: ask for less, or say --yes")


def beyond(expected: Estimate, settings: PlayOptions) -> list[str]:
    """The limits that an experiment goes beyond, in words."""
    import psutil

    memory, disk = psutil.virtual_memory().total, min(MOST_DISK_BYTES, _free_bytes(settings))
    found = [
        (expected.seconds > 3600 * MOST_HOURS, f"{MOST_HOURS:g} hours"),
        (expected.disk_bytes > disk, f"{size(disk)} of disk"),
        (expected.memory_bytes > memory, f"the {size(memory)} of memory here"),
    ]
    return [says for too_much, says in found if too_much]


def duration(seconds: float) -> str:
    """Time in its usual unit."""
    for unit, length in (("years", 31_557_600.0), ("days", 86_400.0), ("hours", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.1f} s"


def size(n_bytes: float) -> str:
    """Bytes in their usual unit."""
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= length:
            return f"{n_bytes / length:,.1f} {unit}"
    return f"{n_bytes / 1e3:.0f} kB"


def _founded(firm: Any, setup: Any) -> int:
    return setup.month_of(firm.founded) if firm.founded is not None else 0


def _free_bytes(settings: PlayOptions) -> float:
    path = settings.intended_out.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free
