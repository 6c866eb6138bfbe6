"""The lockstep player: many worlds go through time together, so that their training runs fuse into large batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

from analysis.engine import refuse_replaced_rules
from analysis.play.progress import Tally
from analysis.runs.manifest import BlockCost
from analysis.runs.parts import Played
from analysis.runs.seeds import SeedSet
from analysis.runs.tables import WORLD_TABLES, training_table, world_table

if TYPE_CHECKING:
    import pandas as pd

    from simulation.training.service import TrainingService

LARGEST_BLOCK = 8  # seeds: 16 need an eighth less time (larger batches), but a block is what an interrupt can lose
LARGEST_BATCH = 256  # worlds in memory at once
ON_A_CARD = 32  # times as many of both where a card trains: batches of eight seeds leave it idle; assumption


class World(Protocol):
    """What the player asks of a world (`MarketModel`)."""

    month: int
    n_months: int

    def advance_clock(self) -> set[str]:
        """Run simulated time to the month's end; returns the ledger keys that are due now."""

    def finish_month(self) -> None:
        """Run the monthly phases."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Everything measured so far."""


class Service(Protocol):
    """What the player asks of a training service."""

    ledger: Any
    n_runs: int
    n_from_ledger: int
    seconds: float
    device: str

    def train(self, due: Iterable[str]) -> int:
        """Make the results of these keys available."""

    def rows(self) -> list[dict[str, Any]]:
        """Ledger rows of all results that were used."""


@dataclass(frozen=True)
class Engine:
    """How worlds and training services are made; tests hand in small ones of their own. Must be picklable."""

    build_world: Callable[..., World]  # (scenario, seed, service); replays add changes of drawn entrants
    open_service: Callable[[Path, str, bool], Service]


@dataclass(frozen=True)
class Arm:
    """One arm of an experiment: a scenario under its name, and what was done to it."""

    scenario: str
    name: str  # "base", "without:<cause>" or the name of a what-if
    setup: Any  # the resolved Scenario
    variants: tuple[Any, ...] = ()  # the same with each of several sets of values, of which every seed has one

    def setup_of(self, seed: int) -> Any:
        """What is played with a seed: the sets take turns, so that all arms of a seed have the same one."""
        return self.variants[seed % len(self.variants)] if self.variants else self.setup


@dataclass(frozen=True)
class Block:
    """Seeds that are played together, in all arms, by one process."""

    index: int
    seeds: Sequence[int]
    arms: tuple[Arm, ...]

    @property
    def n_world_months(self) -> int:
        """Months of all its worlds together."""
        return len(self.seeds) * sum(arm.setup.n_months for arm in self.arms)


@dataclass(frozen=True)
class Blocks(Sequence[Block]):
    """Even blocks of seeds, each made when it is asked for: there may be more than fit into memory."""

    seeds: SeedSet
    arms: tuple[Arm, ...]
    n_blocks: int

    def __len__(self) -> int:
        return self.n_blocks

    @overload
    def __getitem__(self, place: int) -> Block: ...
    @overload
    def __getitem__(self, place: slice) -> list[Block]: ...
    def __getitem__(self, place: int | slice) -> Block | list[Block]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(self.n_blocks))]
        if not 0 <= place < self.n_blocks:
            raise IndexError(place)
        first, end = (len(self.seeds) * i // self.n_blocks for i in (place, place + 1))
        return Block(place, self.seeds[first:end], self.arms)


def split_into_blocks(seeds: SeedSet, arms: Sequence[Arm], jobs: int, device: str = "cpu") -> Blocks:
    """Even blocks of at most `largest_block` seeds, as many as keep all jobs busy to the end."""
    if not seeds:
        return Blocks(seeds, tuple(arms), 0)
    rounds = -(-len(seeds) // (largest_block(len(arms), device) * jobs))
    return Blocks(seeds, tuple(arms), min(len(seeds), rounds * jobs))


def largest_block(n_arms: int, device: str = "cpu") -> int:
    """Most seeds that one process plays together; device: "cuda", or another that wants small batches."""
    times = ON_A_CARD if device == "cuda" else 1
    return max(1, min(times * LARGEST_BLOCK, times * LARGEST_BATCH // n_arms))


def play_block(block: Block, engine: Engine, service: Service, tally: Tally | None = None) -> Played:
    """Play all worlds of a block from their first month to their last, month by month together."""
    started = time.perf_counter()
    with one_thread():
        cast = [(arm, seed) for arm in block.arms for seed in block.seeds]
        worlds = [engine.build_world(arm.setup_of(seed), seed, service) for arm, seed in cast]
        months = 0
        while running := [world for world in worlds if world.month < world.n_months]:
            play_month(running, service)
            months += len(running)
            if tally is not None:
                tally.note(block.index, months, service.n_runs)
        frames = [world.tables() for world in worlds]
    labels = [(arm.scenario, arm.name, seed) for arm, seed in cast]
    tables = {
        name: world_table(name, ((*label, frame[name]) for label, frame in zip(labels, frames, strict=True)))
        for name in WORLD_TABLES
    }
    tables["training"] = training_table(service.rows())
    service.ledger.add_many(())  # the last chance for runs that could not be written before
    training = BlockCost(runs=service.n_runs, from_ledger=service.n_from_ledger, seconds=service.seconds)
    return Played(tables, time.perf_counter() - started, training, str(service.device))


def play_month(worlds: Sequence[World], service: Service) -> None:
    """One month of many worlds: clocks first, then one training call for all that is due, then the phases."""
    due: set[str] = set()
    for world in worlds:
        due |= world.advance_clock()
    service.train(sorted(due))
    for world in worlds:
        world.finish_month()


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread in torch and BLAS: sums are then taken in the same order with any number of jobs."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


def real_engine() -> Engine:
    """The real world with the real trainer; raises `AnalysisError` where a rule of theirs was replaced at run time."""
    from scenarios.build import build_world
    from simulation.training import service  # noqa: F401  (loaded before it is looked at)

    refuse_replaced_rules()
    return Engine(build_world, open_training_service)


def open_training_service(ledger: Path, device: str, retrain: bool) -> TrainingService:
    """A training service on the ledger file at that path."""
    from simulation.training.ledger.ledger import Ledger
    from simulation.training.service import TrainingService

    return TrainingService(Ledger.open(ledger), device, retrain)
