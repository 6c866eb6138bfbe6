"""The figures of the study: what worlds give in each column, and which of them leave the unlimited column's interval.

Reference
[1] The interval of a standard deviation is that of a normal sample: (n − 1) s² / σ² has a chi-square distribution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2

from analysis.base_rates.judge import rate_of
from analysis.base_rates.sample import Sample, sample_of_tables
from analysis.base_rates.targets import load_targets
from analysis.cases.evidence import OVER_TWIN, read_evidence
from analysis.cases.expectations import ends_as_stated, judge, matches
from analysis.cases.results import share_of
from analysis.comparison import MEASURES, startup_endings
from analysis.play.experiment import BASE
from analysis.runs.run import Run
from analysis.statistics.intervals import FEWEST_SEEDS, LEVEL, Interval, no_interval
from analysis.statistics.resampling import ESTIMATED_SHARE, POSITIVE, mean_of
from analysis.training.pool.columns import UNLIMITED

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.expectation import Expectation

Kind = Literal["base rate", "mean", "spread", "match"]
BANKRUPT = "bankrupt"
SHARES = ("share", "accuracy")


@dataclass(frozen=True)
class Figure:
    """One figure in every column. kind: a base rate, the mean or spread over seeds of an outcome, a case's share."""

    scenario: str
    kind: Kind
    name: str
    unit: str
    columns: Mapping[str, Interval]

    @property
    def reference(self) -> Interval:
        """The unlimited column."""
        return self.columns[UNLIMITED]

    @property
    def can_tell(self) -> bool:
        """Whether there is an interval to leave."""
        return self.reference.is_known

    def leaves(self, column: str) -> bool:
        """Whether the column's figure lies outside the unlimited one's interval, or cannot be told though that can."""
        return self.can_tell and not self.reference.low <= self.columns[column].estimate <= self.reference.high


@dataclass(frozen=True)
class Verdict:
    """How many of `n` figures leave the interval in a column, and which."""

    column: str
    n: int
    left: tuple[tuple[str, str, str], ...]
    """Scenario, kind and name."""


def verdicts(figures: Sequence[Figure], columns: Sequence[str]) -> list[Verdict]:
    """One for every column but the unlimited."""
    told = [figure for figure in figures if figure.can_tell]
    return [
        Verdict(column, len(told), tuple((one.scenario, one.kind, one.name) for one in told if one.leaves(column)))
        for column in columns
        if column != UNLIMITED
    ]


def figures_of(scenario: Scenario, runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    """All figures of a scenario from its runs by column, of the same seeds; none where nothing is played."""
    if not runs[UNLIMITED]:
        return []
    return figures_of_case(scenario, runs) if scenario.expect else figures_of_world(scenario, runs)


def figures_of_world(scenario: Scenario, runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    """Base rates, and means and spreads over seeds of the outcomes that comparisons show."""
    samples = {column: sample_of(found) for column, found in runs.items()}
    found = [
        Figure(
            scenario.name,
            "base rate",
            target.id,
            target.unit,
            {column: rate_of(sample, target).simulated for column, sample in samples.items()},
        )
        for target in load_targets()
    ]
    for name, unit, of_seeds in OUTCOMES:
        by_seed = {column: outcome_of(some, scenario.name, of_seeds) for column, some in runs.items()}
        scale = ESTIMATED_SHARE if unit in SHARES else POSITIVE
        means = {column: mean_of(some, scale) for column, some in by_seed.items()}
        spreads = {column: spread_of(some) for column, some in by_seed.items()}
        found.append(Figure(scenario.name, "mean", name, unit, means))
        found.append(Figure(scenario.name, "spread", name, unit, spreads))
    return found


def figures_of_case(scenario: Scenario, runs: Mapping[str, Sequence[Run]]) -> list[Figure]:
    """Shares of seeds that meet every statement, and that have the chapter's ending."""
    expect = judged(scenario)
    met = {column: [case_verdicts(run, scenario) for run in some] for column, some in runs.items()}
    matched = {column: share_of(pd.concat([matches(expect, one) for one in some])) for column, some in met.items()}
    found = [Figure(scenario.name, "match", "every statement", "share", matched)]
    if any(expected.kind == "ending" and expected.counts for expected in expect):
        ended = {
            column: share_of(pd.concat([part for one in some if (part := ends_as_stated(expect, one)) is not None]))
            for column, some in met.items()
        }
        found.append(Figure(scenario.name, "match", "ending", "share", ended))
    return found


def case_verdicts(run: Run, scenario: Scenario) -> pd.DataFrame:
    """Which statement holds in which seed."""
    expect = judged(scenario)
    return judge(expect, scenario.focal, read_evidence(run, scenario, BASE, expect))


def judged(scenario: Scenario) -> list[Expectation]:
    """The statements that the arm as it is can answer: no twin is played here."""
    return [expected for expected in scenario.expect if expected.of != OVER_TWIN]


def sample_of(runs: Sequence[Run]) -> Sample:
    """The sample behind runs of one scenario in blocks of seeds."""
    arm = runs[0].manifest.arms[0]
    tables = {
        name: pd.concat([run.select(name, arm.scenario, BASE) for run in runs], ignore_index=True)
        for name in ("firms", "rounds", "endings")
    }
    return sample_of_tables(tables, arm.resolved, [seed for run in runs for seed in run.seeds])


def outcome_of(runs: Sequence[Run], scenario: str, of_seeds: Callable[[Run, str, str], pd.Series]) -> np.ndarray:
    """An outcome by seed, shape (seeds,); seeds without a figure are left out."""
    values = pd.concat([of_seeds(run, scenario, BASE) for run in runs]).to_numpy(float)
    return values[np.isfinite(values)]


def bankruptcy(run: Run, scenario: str, arm: str) -> pd.Series:
    """Share of all startups ever founded that went bankrupt, by seed."""
    endings = startup_endings(run, scenario, arm)
    return endings["ending"].eq(BANKRUPT).groupby(endings["seed"]).mean()


def rounds_raised(run: Run, scenario: str, arm: str) -> pd.Series:
    """Priced rounds and notes of all firms together, by seed."""
    rounds = run.select("rounds", scenario, arm, ["seed"])
    return rounds.groupby("seed").size().reindex(run.seeds, fill_value=0)


OUTCOMES = (
    (BANKRUPT, "share", bankruptcy),
    ("rounds", "rounds", rounds_raised),
    *((measure.name, measure.unit, measure.of_seeds) for measure in MEASURES),
)


def spread_of(values: np.ndarray) -> Interval:
    """Standard deviation over seeds with the interval of a normal sample [1]."""
    n = len(values)
    if n < FEWEST_SEEDS:
        return no_interval(math.nan, n)
    sd = float(values.std(ddof=1))
    low, high = (sd * math.sqrt((n - 1) / chi2.ppf(tail, n - 1)) for tail in ((1 + LEVEL) / 2, (1 - LEVEL) / 2))
    return Interval(sd, low, high, n)
