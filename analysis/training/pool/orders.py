"""What worlds order: the training runs of some worlds with a pool, and the skill behind each recipe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.engine import refuse_replaced_rules
from analysis.errors import AnalysisError, TrainingInterrupted
from analysis.play.experiment import BASE
from analysis.play.lockstep import Arm, Block, one_thread, open_training_service, split_into_blocks
from analysis.play.options import PlayOptions
from analysis.play.workers import parallel_map
from analysis.terminal.console import counted
from scenarios.build import build_world
from simulation.model import Ordered

if TYPE_CHECKING:
    from scenarios import Scenario
    from simulation.training.service import TrainingService

OpenService = Callable[[Path, str, bool], "TrainingService"]


@dataclass(frozen=True)
class Order:
    """One run that a world ordered and whose result it waited for; `flops` is what its training took."""

    ordered: Ordered
    flops: float


@dataclass(frozen=True)
class PlayedBlock:
    """Orders by seed, and the networks that were trained for them now."""

    orders: dict[int, list[Order]]
    n_trained: int


def pooled(scenario: Scenario, pool: int | None) -> Scenario:
    """The scenario with a pool of that size, or with its own where none is given.

    Raises:
        AnalysisError: it has none, so that no network can be trained for worlds that are not played yet.
        ScenarioError: the size is out of range.
    """
    from scenarios import Scenario as Complete

    if pool is not None:
        document = scenario.to_document()
        document.data["world"]["training"]["pool"] = pool
        return Complete.from_document(document, scenario.name)
    if scenario.world.training.pool is None:
        raise AnalysisError(
            f"--grid pool: {scenario.name} has no pool (world.training.pool is empty), so teams share no network; "
            "set it in the scenario, or give --pool"
        )
    return scenario


def orders_of(scenario: Scenario, settings: PlayOptions, open_service: OpenService | None = None) -> PlayedBlock:
    """Orders of the worlds of a scenario with the seeds of the settings, played through the ledger.

    Raises:
        TrainingInterrupted: Ctrl-C; what was trained by then is in the ledger.
    """
    refuse_replaced_rules()
    blocks = split_into_blocks(settings.seeds, [Arm(scenario.name, BASE, scenario)], settings.n_jobs)
    work = partial(
        orders_of_block,
        ledger=settings.ledger_path,
        device=settings.device,
        open_service=open_service or open_training_service,
    )
    orders: dict[int, list[Order]] = {}
    n_trained = 0
    try:
        with closing(parallel_map(work, blocks, settings.n_jobs, "try again with fewer --jobs")) as outcomes:
            text = f"playing {len(settings.seeds)} worlds of {scenario.name}: blocks"
            for block in counted(outcomes, text, len(blocks), shown=settings.progress):
                orders |= block.orders
                n_trained += block.n_trained
    except KeyboardInterrupt as stop:
        raise TrainingInterrupted(n_trained) from stop  # of blocks that were finished; the others' are there too
    return PlayedBlock(dict(sorted(orders.items())), n_trained)


def orders_of_block(block: Block, ledger: Path, device: str, open_service: OpenService) -> PlayedBlock:
    """Play the worlds of a block together and keep only what they ordered."""
    service = open_service(ledger, device, False)
    due: dict[int, set[str]] = {seed: set() for seed in block.seeds}
    with one_thread():
        worlds = {seed: build_world(block.arms[0].setup, seed, service) for seed in block.seeds}
        for _ in range(block.arms[0].setup.n_months):
            now = {seed: world.advance_clock() for seed, world in worlds.items()}
            service.train(sorted(set().union(*now.values())))
            for seed, world in worlds.items():
                due[seed] |= now[seed]
                world.finish_month()
    service.ledger.add_many(())
    return PlayedBlock(
        {
            seed: [
                Order(ordered, service.result(key).training_flops)
                for key, ordered in world.ordered.items()
                if key in due[seed]
            ]
            for seed, world in worlds.items()
        },
        service.n_runs,
    )
