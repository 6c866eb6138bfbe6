"""Does a world reproduce the base rates? Simulated statistics with intervals over seeds, beside their targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from analysis.base_rates.sample import Sample, sample_of_run
from analysis.base_rates.statistics import Statistic
from analysis.base_rates.targets import Target, load_targets
from analysis.play.experiment import run as play_scenario
from analysis.play.options import PlayArguments, PlayOptions
from analysis.runs.files import write_json
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import Scale, by_seed, interval_of
from analysis.statistics.survival import Floats
from analysis.statistics.verdicts import LEAST_OBSERVATIONS

if TYPE_CHECKING:
    from scenarios import Scenario

Verdict = Literal["inside", "below", "above", "too little to tell"]
REPORT = "base-rates.json"


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
    simulated = interval_over_seeds(values_by_seed(sample, target), target.computed, target.of)
    return BaseRate(target, simulated, verdict_of(simulated, target.range))


def values_by_seed(sample: Sample, target: Target) -> list[Floats]:
    """Observations of each seed, shape (n, columns); seeds without any have n = 0."""
    seen = target.computed.observe(sample, target.of)
    return by_seed(seen, [name for name in seen.columns if name != "seed"], sample.seeds)


def interval_over_seeds(values: Sequence[Floats], statistic: Statistic, of: Any) -> Interval:
    """The statistic of all observations together; its interval by drawing whole seeds again."""
    scale = Scale(statistic.share, statistic.lowest, statistic.highest)
    return interval_of(values, lambda seen: statistic.reduce(seen, of), scale)


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
