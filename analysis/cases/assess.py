"""Playing the case chapters: does everything that a chapter states hold, and for the reasons that it gives?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Unpack

import pandas as pd

from analysis.cases.beside import shares_beside
from analysis.cases.evidence import TWIN, Evidence, has_twin, read_evidence
from analysis.cases.expectations import ends_as_stated, has_outcome, judge, matches
from analysis.cases.removals import assess_cause
from analysis.cases.results import CaseResult, CasesResult, ExpectationResult, TwinResult, share_of
from analysis.cases.setups import arms_of_case, load_cases
from analysis.cases.thresholds import thresholds_of
from analysis.play.experiment import BASE, play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayArguments, PlayOptions
from analysis.runs.run import Run
from analysis.statistics.intervals import paired_share_difference

if TYPE_CHECKING:
    from scenarios import Scenario


def cases(names: Sequence[str] = (), **options: Unpack[PlayArguments]) -> CasesResult:
    """Play cases, each as it is, as its twin and with every named cause taken away, all in the same seeds.

    names: ids, names or short names ("CASE-VISION", "cases/vision", "vision") or YAML files; none: all shipped cases.
    options: as for `run`. Raises as `run`.
    """
    settings = PlayOptions.of(options)
    setups = load_cases(names, settings.plugins)
    return play_cases(setups, [arm for setup in setups for arm in arms_of_case(setup)], settings)


def play_cases(setups: Sequence[Scenario], arms: Sequence[Arm], settings: PlayOptions) -> CasesResult:
    """Play arms of these cases, at least those of `arms_of_case`, and judge the cases."""
    name = setups[0].name if len(setups) == 1 else "cases"
    run = play(arms, settings, kind="cases", name=name)
    return CasesResult(run, tuple(assess_case(run, setup) for setup in setups))


def assess_case(run: Run, setup: Scenario) -> CaseResult:
    """Judge one case of a run, from its tables alone."""
    evidence = read_evidence(run, setup, BASE)
    verdicts = judge(setup.expect, setup.focal, evidence)
    met, ended = matches(setup.expect, verdicts), ends_as_stated(setup.expect, verdicts)
    outcome = has_outcome(setup.expect, verdicts)
    own = evidence.endings[evidence.endings["firm"] == setup.focal]
    return CaseResult(
        id=setup.id or setup.name,
        name=setup.name,
        title=setup.title,
        focal=str(setup.focal),
        match=share_of(met),
        expectations=expectation_results(run, setup, evidence, verdicts),
        causes=tuple(assess_cause(run, setup, name, evidence, verdicts) for name in setup.causes),
        endings={str(ending): int(count) for ending, count in own["ending"].value_counts().items()},
        median_end=median_end(own),
        ending=None if ended is None else share_of(ended),
        unmet=seeds_without(met),
        unmet_ending=None if ended is None else seeds_without(ended),
        outcome=None if outcome is None else share_of(outcome),
        twin=None if outcome is None or not has_twin(run, setup.name) else assess_twin(run, setup, outcome),
        thresholds=thresholds_of(setup.expect, setup.focal, evidence, verdicts),
    )


def expectation_results(
    run: Run, setup: Scenario, evidence: Evidence, verdicts: pd.DataFrame
) -> tuple[ExpectationResult, ...]:
    """Each statement, in which share of seeds it holds, and how many of the startups beside the firm meet it."""
    beside = shares_beside(run, setup, evidence)
    return tuple(
        ExpectationResult(
            one.id, one.section, one.says, share_of(verdicts[one.id]), one.kind, one.role, beside.get(one.id)
        )
        for one in setup.expect
    )


def assess_twin(run: Run, setup: Scenario, outcome: pd.Series) -> TwinResult:
    """Focal firm against twin; `outcome`: seeds in which the focal firm has all of it."""
    verdicts = judge(setup.expect, setup.focal, read_evidence(run, setup, TWIN))
    twins = has_outcome(setup.expect, verdicts)
    assert twins is not None, "the same statements"
    return TwinResult(share_of(twins), paired_share_difference(outcome.to_numpy(), twins.to_numpy()))


def seeds_without(met: pd.Series) -> tuple[int, ...]:
    """Seeds in which it does not hold."""
    return tuple(int(seed) for seed in met.index[~met])


def median_end(endings: pd.DataFrame) -> date | None:
    """Median date at which firms ended; those that have not ended count as later than all others.

    Of an even number the later one in the middle, so that there is a date only where more than half have ended.
    """
    ended = endings["ended"].sort_values(na_position="last")
    middle = ended.iloc[len(ended) // 2] if len(ended) else pd.NaT
    return None if pd.isna(middle) else pd.Timestamp(middle).date()
