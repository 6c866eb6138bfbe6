"""The runs of the study, block by block of seeds: every column plays a block before the next begins.

A part is a run folder of its own, so that the study can be interrupted, gone on with and added to; each column has one
ledger for each scenario, which fills up from block to block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.cases.setups import load_case
from analysis.play.experiment import BASE, play
from analysis.play.lockstep import Arm, Engine
from analysis.play.options import PlayOptions
from analysis.runs.manifest import MANIFEST
from analysis.runs.names import short_name
from analysis.runs.run import Run
from analysis.training.pool.columns import Column

if TYPE_CHECKING:
    from scenarios import Scenario

WARM = "warm"
USUAL_CASES = ("speech", "vision")


@dataclass(frozen=True)
class Plan:
    """What is played: seeds from `first` on of each scenario, in blocks, for each column.

    settings: `jobs`, `device` and `yes` count.
    """

    folder: Path
    columns: tuple[Column, ...]
    scenarios: tuple[tuple[Scenario, int], ...]
    """With the number of seeds."""
    first: int
    block: int
    settings: PlayOptions

    def blocks(self, n_seeds: int) -> list[range]:
        """Seeds of each block."""
        end = self.first + n_seeds
        return [range(begin, min(begin + self.block, end)) for begin in range(self.first, end, self.block)]

    def parts(self) -> Iterator[Part]:
        """All parts in the order in which they are played: the last are those with a full ledger."""
        most = max(n_seeds for _, n_seeds in self.scenarios)
        for number in range(len(self.blocks(most))):
            for scenario, n_seeds in self.scenarios:
                for seeds in self.blocks(n_seeds)[number : number + 1]:
                    yield from (Part(column, scenario, seeds) for column in self.columns)
        for scenario, n_seeds in self.scenarios:
            yield from (Part(column, scenario, self.blocks(n_seeds)[0], WARM) for column in self.columns)


@dataclass(frozen=True)
class Part:
    """One block of seeds of one scenario in one column; `kind` WARM: the first once more, on a full ledger."""

    column: Column
    scenario: Scenario
    seeds: range
    kind: str = ""

    @property
    def label(self) -> str:
        """Its place below the folder of the study."""
        span = f"{self.kind or 'seeds'}-{self.seeds[0]}-{self.seeds[-1]}"
        return f"{self.column.folder}/{short_name(self.scenario.name)}/{span}"

    def ledger(self, folder: Path) -> Path:
        """The ledger of its column and scenario."""
        return folder / self.column.folder / f"{short_name(self.scenario.name)}.sqlite"

    def played(self, folder: Path) -> Run | None:
        """Its run, where it is finished."""
        path = folder / self.label
        run = Run(path) if (path / MANIFEST).exists() else None
        return run if run is not None and run.status == "finished" else None


def scenarios_of(
    world: str, n_seeds: int, cases: Sequence[str] | None, n_case_seeds: int
) -> tuple[tuple[Scenario, int], ...]:
    """The world and the cases with their numbers of seeds; those with none are left out."""
    from scenarios import load

    found = [(load(world), n_seeds)] if n_seeds else []
    return (*found, *((load_case(name), n_case_seeds) for name in (cases or USUAL_CASES) if n_case_seeds))


def quick_scenarios() -> tuple[tuple[Scenario, int], ...]:
    """A small piece of the base world and the case that trains least, two seeds each."""
    from scenarios import load

    small = {"years": 3, "sectors": ["speech"], "interventions": []}
    return (load("markets/base", small), 2), (load_case("fraud"), 2)


def play_parts(plan: Plan, engine: Engine | None = None) -> Iterator[Part]:
    """Play what is missing; yields each part when it is finished.

    Raises:
        Interrupted: Ctrl-C; finished seeds of the part are kept.
        AnalysisError: a folder holds a run of another scenario.
    """
    for part in plan.parts():
        setup = part.column.applied(part.scenario)
        if (run := part.played(plan.folder)) is None or run.manifest.arms[0].fingerprint != setup.fingerprint():
            settings = replace(
                plan.settings,
                replications=len(part.seeds),
                seed=part.seeds[0],
                out=plan.folder / part.label,
                ledger=part.ledger(plan.folder),
            )
            part.ledger(plan.folder).parent.mkdir(parents=True, exist_ok=True)
            play([Arm(setup.name, BASE, setup)], settings, kind="run", name=part.label, engine=engine)
        yield part


def common_runs(plan: Plan, scenario: Scenario, n_seeds: int) -> dict[str, list[Run]]:
    """Finished runs of a scenario by column, in the blocks that are finished in every column."""
    found: dict[str, list[Run]] = {column.name: [] for column in plan.columns}
    for seeds in plan.blocks(n_seeds):
        runs = [Part(column, scenario, seeds).played(plan.folder) for column in plan.columns]
        there: Sequence[Run] = [run for run in runs if run is not None]
        if len(there) == len(runs):
            for column, run in zip(plan.columns, there, strict=True):
                found[column.name].append(run)
    return found
