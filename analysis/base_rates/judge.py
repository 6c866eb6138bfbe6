"""Does a world reproduce the base rates? Simulated statistics with intervals over seeds, beside their targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from scipy.special import stdtrit

from analysis.base_rates.sample import Sample, sample_of_run
from analysis.base_rates.statistics import Statistic
from analysis.base_rates.targets import Target, load_targets
from analysis.play.experiment import run as play_scenario
from analysis.play.options import PlayArguments, PlayOptions
from analysis.runs.files import write_json
from analysis.runs.run import Run
from analysis.statistics.intervals import (
    FEWEST_SEEDS,
    LEVEL,
    Interval,
    are_alike,
    no_interval,
    score_bounds,
    wilson,
)
from analysis.statistics.survival import Floats
from analysis.statistics.verdicts import MANY_ALIKE

if TYPE_CHECKING:
    from scenarios import Scenario

Verdict = Literal["inside", "below", "above", "too little to tell"]
N_BOOTSTRAP = 1000
LEAST_OBSERVATIONS = 20  # assumption: a median or a share of fewer says nothing
REPORT = "base-rates.json"
STREAM = 20140101  # key of the bootstrap's generator: the same tables give the same interval


@dataclass(frozen=True)
class BaseRate:
    """One target, what the world gives (`simulated.n`: observations), and what to think of it."""

    target: Target
    simulated: Interval
    verdict: Verdict


@dataclass(frozen=True)
class BaseRates:
    """All targets of one run."""

    run: Run
    rates: tuple[BaseRate, ...]


def validate_world(
    scenario: Scenario | str | Path = "markets/base",
    targets: str | Path | None = None,
    **options: Unpack[PlayArguments],
) -> BaseRates:
    """Play a scenario and compare it with base rates; the report is written into the run folder.

    targets: a YAML file (None: the shipped targets); options: as for `run`. Raises as `run`.
    """
    PlayOptions.of(options)  # first: it loads the plug-ins, whose statistics targets may name
    wanted = load_targets(targets)
    return judge_run(play_scenario(scenario, **options), wanted)


def judge_run(run: Run, targets: Sequence[Target]) -> BaseRates:
    """Base rates of a played run, from its tables alone; writes them to `base-rates.json` in its folder."""
    result = BaseRates(run, base_rates(sample_of_run(run), targets))
    write_json(run.folder / REPORT, as_document(result))
    return result


def base_rates(sample: Sample, targets: Sequence[Target]) -> tuple[BaseRate, ...]:
    """Every target with its simulated value, 95 % interval and verdict."""
    return tuple(rate_of(sample, target) for target in targets)


def rate_of(sample: Sample, target: Target) -> BaseRate:
    """One target on one sample."""
    by_seed = values_by_seed(sample, target)
    simulated = interval_over_seeds(by_seed, target.computed, target.of)
    return BaseRate(target, simulated, verdict_of(simulated, target.range))


def values_by_seed(sample: Sample, target: Target) -> list[Floats]:
    """Observations of each seed, shape (n, columns); seeds without any have n = 0."""
    seen = target.computed.observe(sample, target.of)
    columns = [name for name in seen.columns if name != "seed"]
    values, seeds = seen[columns].to_numpy(float), seen["seed"].to_numpy()
    return [values[seeds == seed] for seed in sample.seeds]


def interval_over_seeds(by_seed: Sequence[Floats], statistic: Statistic, of: Any) -> Interval:
    """The statistic of all observations together; its interval by drawing whole seeds again.

    Seeds are the independent units, not firms. The half-width is Student's quantile times the bootstrap's standard
    deviation, times √(S/(S−1)) for S seeds, so that few seeds give wide intervals; for plain shares it is at least
    Wilson's. Where every draw gives the same, see `_bounds_where_alike`. Fewer than two seeds with observations have no
    interval (NaN).
    """
    pooled = np.concatenate(by_seed) if by_seed else np.zeros((0, 1))
    estimate, n = statistic.reduce(pooled, of), len(pooled)
    n_seen = sum(len(one) > 0 for one in by_seed)
    if n_seen < FEWEST_SEEDS or math.isnan(estimate):
        return no_interval(estimate, n)
    drawn = _drawn(by_seed, statistic, of)
    if are_alike(drawn, scale=abs(estimate)):
        return Interval(estimate, *_bounds_where_alike(estimate, n_seen, statistic), n)
    half = _student(len(by_seed)) * float(drawn.std()) * math.sqrt(len(by_seed) / (len(by_seed) - 1))
    low, high = estimate - half, estimate + half
    if statistic.share == "plain":
        alone = wilson(round(estimate * n), n)
        low, high = min(low, alone.low), max(high, alone.high)
    high = high if statistic.highest is None else min(high, statistic.highest)
    return Interval(estimate, max(low, statistic.lowest), high, n)


def _drawn(by_seed: Sequence[Floats], statistic: Statistic, of: Any) -> Floats:
    """The statistic of seeds drawn again, of those draws that have one."""
    n_seeds = len(by_seed)
    draws = np.random.Generator(np.random.Philox(key=STREAM)).integers(n_seeds, size=(N_BOOTSTRAP, n_seeds))
    again = np.array([statistic.reduce(np.concatenate([by_seed[i] for i in drawn]), of) for drawn in draws])
    return again[np.isfinite(again)]


def _bounds_where_alike(estimate: float, n_seeds: int, statistic: Statistic) -> tuple[float, float]:
    """Bounds where drawing seeds again always gives the same, so that their spread is not known.

    Of a share: Wilson's of as many observations as there are seeds. Another number is a point where many seeds agree
    (the median of rounds that are all of the usual size), and has no bounds (NaN) where they are a handful.
    """
    if statistic.share is not None:
        return score_bounds(estimate, n_seeds)
    return (estimate, estimate) if n_seeds >= MANY_ALIKE else (math.nan, math.nan)


def _student(n_seeds: int) -> float:
    return float(stdtrit(n_seeds - 1, (1 + LEVEL) / 2))


def verdict_of(simulated: Interval, wanted: tuple[float | None, float | None]) -> Verdict:
    """inside, below or above only where the whole interval is; else too little to tell."""
    low = -math.inf if wanted[0] is None else wanted[0]
    high = math.inf if wanted[1] is None else wanted[1]
    if math.isnan(simulated.low) or simulated.n < LEAST_OBSERVATIONS:
        return "too little to tell"
    if low <= simulated.low and simulated.high <= high:
        return "inside"
    if simulated.high < low:
        return "below"
    return "above" if simulated.low > high else "too little to tell"


def as_document(result: BaseRates) -> dict[str, Any]:
    """The result as JSON says it."""
    run = result.run
    return {
        "scenario": run.manifest["name"],
        "title": run.manifest["arms"][0]["title"],
        "seeds": run.seeds,
        "targets": [rate_document(rate) for rate in result.rates],
        "training": run.training_cost,
        "seconds": run.manifest["seconds"],
        "out": str(run.folder),
    }


def rate_document(rate: BaseRate) -> dict[str, Any]:
    """One base rate as JSON says it."""
    target = rate.target
    low, high = target.range
    return {
        "id": target.id,
        "says": target.says,
        "source": target.source,
        "statistic": target.statistic,
        "parameters": target.of.model_dump(mode="json"),
        "unit": target.unit,
        "population": target.population,
        "target_low": low,
        "target_high": high,
        **rate.simulated.as_dict("simulated"),
        "verdict": rate.verdict,
    }
