"""A command line that plays a small market, to be killed: `python -m tests.support.crash_run run small.yaml …`.

World, ledger, parts and tables are the real ones; networks are computed, not trained, so that a run takes seconds.
PAUSE_S, an environment variable, is how long a month and a batch of networks take. Plots are left out: they take longer
than all the rest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import yaml

from analysis.play.lockstep import Engine
from scenarios.build import build_world
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.service import TrainingService
from tests.support.explain_fakes import ENTRANTS
from tests.support.service import result_of
from tests.support.world_fakes import MARKET, merged

SMALL = yaml.safe_dump(merged(MARKET, {"entrants": ENTRANTS, "years": 1}))
CODE = "this code"  # somebody may edit a source file while the tests run
CHUNK = 3  # networks


def pause() -> None:
    """Let time pass, so that a signal can meet the run anywhere."""
    time.sleep(float(os.environ.get("PAUSE_S", "0")))


def compute_bucket(plans: Sequence[TrainingPlan], device: Any, library: Any = None) -> Iterator[list[TrainingResult]]:
    """In place of `train_bucket`: what each plan gives, some at a time."""
    for first in range(0, len(plans), CHUNK):
        pause()
        yield [result_of(plan) for plan in plans[first : first + CHUNK]]


class ComputingService(TrainingService):
    """The real service, but for the training itself."""

    def train(self, due: Any) -> int:
        with patch("simulation.training.service.train_bucket", compute_bucket):
            return super().train(due)


class SlowWorld:
    """The real world, at a speed of its own."""

    def __init__(self, scenario: Any, seed: int, service: Any) -> None:
        self.world = build_world(scenario, seed, service)
        self.n_months = self.world.n_months

    @property
    def month(self) -> int:
        return self.world.month

    def advance_clock(self) -> set[str]:
        return self.world.advance_clock()

    def finish_month(self) -> None:
        pause()
        self.world.finish_month()

    def tables(self) -> dict[str, pd.DataFrame]:
        return self.world.tables()


def open_service(ledger: Path, device: str, retrain: bool) -> ComputingService:
    return ComputingService(Ledger.open(ledger), device, retrain)


SLOW = Engine(SlowWorld, open_service)


def main() -> None:
    """The command line with the small market in place of the real one."""
    import analysis.play.experiment
    import analysis.play.provenance
    import analysis.plots
    from analysis.cli.main import main as ventures
    from tests.support import crash_run

    nothing: Any = lambda *_: []  # noqa: E731
    analysis.play.experiment.real_engine = lambda: crash_run.SLOW
    analysis.play.provenance.code_fingerprint = lambda: CODE
    analysis.plots.plot_run = nothing
    ventures()


if __name__ == "__main__":
    main()
