"""Which uncertain parameters matter: elementary effects of each on every target, over the whole of its range.

References
[1] Morris (1991), Factorial sampling plans for preliminary computational experiments. Technometrics 33.
[2] Campolongo, Cariboni & Saltelli (2007), An effective screening design. Environmental Modelling & Software 22 (μ*).
[3] Iwanaga, Usher & Herman (2022), Toward SALib 2.0. doi:10.18174/sesmo.18155
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.base_rates.targets import Target
from analysis.calibration.loss import MISSING
from analysis.calibration.parameters import Knob
from analysis.calibration.search import Trial

LEVELS = 4
"""Values that a parameter takes, as in [1]."""
LOSS = "loss"


@dataclass(frozen=True)
class Effect:
    """What one parameter does to one figure, in half-widths of the target's range (of the loss: as it is).

    Attributes:
        parameter: its short name.
        figure: id of a target, or `LOSS`.
        size: mean absolute change of the figure over the parameter's whole range (μ*).
        half: half-width of its 95 % interval, from resampling the trajectories.
        spread: standard deviation of the changes (σ): large beside `size` where the effect depends on the others.
    """

    parameter: str
    figure: str
    size: float
    half: float
    spread: float


def points_of(knobs: Sequence[Knob], n_trajectories: int, seed: int) -> list[dict[str, float]]:
    """The trials of a screening: `n_trajectories` walks, each of which moves every parameter once."""
    from SALib.sample import morris

    unit = morris.sample(_problem(knobs), n_trajectories, num_levels=LEVELS, seed=seed)
    return [{knob.free.name: _value(knob, share) for knob, share in zip(knobs, row, strict=True)} for row in unit]


def effects(
    knobs: Sequence[Knob], targets: Sequence[Target], trials: Sequence[Trial], points: Sequence[Mapping[str, float]]
) -> list[Effect]:
    """Effects on the loss and on every target, of the trajectories that are finished; empty where none is."""
    from SALib.analyze import morris

    whole = len(trials) // (len(knobs) + 1) * (len(knobs) + 1)
    if whole == 0:
        return []
    unit = np.array([[_share(knob, point[knob.free.name]) for knob in knobs] for point in points[:whole]])
    found = []
    for figure, values in _figures(targets, trials[:whole]):
        seen = morris.analyze(_problem(knobs), unit, np.array(values), num_levels=LEVELS, seed=0)
        columns: Any = zip(knobs, seen["mu_star"], seen["mu_star_conf"], seen["sigma"], strict=True)
        found += [Effect(knob.free.name, figure, *map(_number, rest)) for knob, *rest in columns]
    return found


def _figures(targets: Sequence[Target], trials: Sequence[Trial]) -> Iterator[tuple[str, list[float]]]:
    yield LOSS, [trial.loss for trial in trials]
    for target in targets:
        yield target.id, [_in_half_widths(trial.simulated[target.id], target) for trial in trials]


def _in_half_widths(value: float | None, target: Target) -> float:
    """Where a figure lies; one that cannot be told is as far away as the loss says."""
    low, high = target.range
    end = high if high is not None else low
    assert end is not None  # a target has at least one bound
    return MISSING if value is None or math.isnan(value) else (value - end) / target.scale


def _problem(knobs: Sequence[Knob]) -> dict[str, Any]:
    return {"num_vars": len(knobs), "names": [knob.free.name for knob in knobs], "bounds": [[0.0, 1.0]] * len(knobs)}


def _value(knob: Knob, share: float) -> float:
    low, high = knob.free.low, knob.free.high
    return low * (high / low) ** float(share) if knob.free.log else low + float(share) * (high - low)


def _share(knob: Knob, value: float) -> float:
    low, high = knob.free.low, knob.free.high
    return math.log(value / low) / math.log(high / low) if knob.free.log else (value - low) / (high - low)


def _number(value: Any) -> float:
    return float(value) if math.isfinite(value) else 0.0
