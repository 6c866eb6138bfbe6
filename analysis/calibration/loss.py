"""How far a world is from its targets, as one number, and the objective that plays worlds to find it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.base_rates.judge import values_by_seed
from analysis.base_rates.sample import Sample, sample_of_tables
from analysis.base_rates.targets import Target
from analysis.calibration.parameters import Knob, overrides
from analysis.play.experiment import BASE
from analysis.play.lockstep import Arm, Block, Engine, play_block
from analysis.play.plugins import acting_in

FARTHEST = 5.0  # assumption: beyond five units a target is simply missed
MISSING = 3.0  # assumption: what cannot be told (fewer than LEAST observations) counts as three units away
LEAST = 5


@dataclass(frozen=True)
class Outcome:
    """What one choice of values gives; `simulated`: by target, None where it cannot be told; networks trained."""

    loss: float
    simulated: dict[str, float | None]
    trained: int = 0
    from_ledger: int = 0


@dataclass(frozen=True)
class WorldObjective:
    """Plays the scenario in the same seeds for every choice of values, in this process, on a ledger that stays warm."""

    scenario: str
    knobs: tuple[Knob, ...]
    targets: tuple[Target, ...]
    seeds: Sequence[int]
    ledger: Path
    device: str
    engine: Engine
    plugins: Sequence[Any] = ()

    def __call__(self, values: Mapping[str, float]) -> Outcome:
        """The loss of one choice of values."""
        from scenarios import load

        setup = acting_in(load(self.scenario, overrides(self.knobs, values)), self.plugins)
        service = self.engine.open_service(self.ledger, self.device, False)
        played = play_block(Block(0, self.seeds, (Arm(setup.name, BASE, setup),)), self.engine, service)
        tables = {name: played.tables[name].to_pandas() for name in ("firms", "rounds", "endings")}
        simulated = simulate(sample_of_tables(tables, setup.model_dump(mode="json"), self.seeds), self.targets)
        return Outcome(loss(simulated, self.targets), simulated, service.n_runs, service.n_from_ledger)


def simulate(sample: Sample, targets: Sequence[Target]) -> dict[str, float | None]:
    """The statistic of every target by its id; None where there are too few observations."""
    return {target.id: _value(sample, target) for target in targets}


def loss(simulated: Mapping[str, float | None], targets: Sequence[Target]) -> float:
    """Weighted mean of squared distances from the targets' ranges; 0 where every value lies in its range."""
    weights = sum(target.weight for target in targets)
    total = sum(target.weight * distance(simulated[target.id], target) ** 2 for target in targets)
    return total / weights if weights > 0 else 0.0


def distance(value: float | None, target: Target) -> float:
    """Distance from the nearer end of the range in half-widths, 0 inside, at most `FARTHEST`; None: `MISSING`."""
    if value is None or math.isnan(value):
        return MISSING
    low, high = target.range
    below = low - value if low is not None else 0.0
    above = value - high if high is not None else 0.0
    return min(max(below, above, 0.0) / target.scale, FARTHEST)


def _value(sample: Sample, target: Target) -> float | None:
    import numpy as np

    values: Any = np.concatenate(values_by_seed(sample, target))
    number = target.computed.reduce(values, target.of)
    return None if len(values) < LEAST or math.isnan(number) else number
