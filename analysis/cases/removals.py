"""What taking a cause away does: to every statement, to the outcome, and to what it should change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.cases.evidence import Evidence, read_evidence
from analysis.cases.expectations import counted, ends_as_stated, has_outcome, judge, matches, summary_of
from analysis.cases.results import CauseResult, Manipulation, ShareChange
from analysis.cases.setups import WITHOUT
from analysis.runs.run import Run
from analysis.statistics.intervals import FEWEST_SEEDS, paired_means, paired_share_difference

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.expectation import Measure

SHARES = (
    "quality_lab", "quality_field", "trust", "share", "field_coverage", "licence_solution_share", "free_share",
)  # fmt: skip
"""Metrics between 0 and 1."""


def assess_cause(run: Run, setup: Scenario, name: str, evidence: Evidence, with_cause: pd.DataFrame) -> CauseResult:
    """What taking one cause away does.

    evidence, with_cause: the case with the cause in place, and which statements hold there, seeds × ids.
    """
    cause, other = setup.causes[name], read_evidence(run, setup, f"{WITHOUT}{name}")
    without = judge(setup.expect, setup.focal, other)
    match = share_change(matches(setup.expect, without), matches(setup.expect, with_cause))
    changes = {one.id: share_change(without[one.id], with_cause[one.id]) for one in counted(setup.expect)}
    moved = tuple(one for one, change in changes.items() if change.effect.excludes_zero)
    check = cause.manipulation
    return CauseResult(
        name,
        cause.section,
        cause.says,
        match.effect,
        match.share_without,
        ending=_change(*(ends_as_stated(setup.expect, one) for one in (without, with_cause))),
        outcome=_change(*(has_outcome(setup.expect, one) for one in (without, with_cause))),
        manipulation=None if check is None else manipulation(check, str(setup.focal), other, evidence),
        moved=moved,
        forbidden=forbidden(setup, moved, without),
    )


def share_change(without: pd.Series, with_cause: pd.Series) -> ShareChange:
    """Two verdicts on the same seeds compared, shape (seeds,) each; Tango's interval for paired shares."""
    effect = paired_share_difference(without.to_numpy(), with_cause.to_numpy())
    return ShareChange(effect, float(without.mean()))


def manipulation(check: Measure, focal: str, without: Evidence, with_cause: Evidence) -> Manipulation:
    """Did the removal change what it should? Paired over the seeds that have a figure in both arms."""
    seeds = pd.Index(list(with_cause.seeds), name="seed")
    after, before = (summary_of(check, check.firm or focal, one).reindex(seeds) for one in (without, with_cause))
    is_share = check.metric in SHARES and check.of == "value" and check.statistic not in ("change", "sum")
    return Manipulation(check, paired_means(after.to_numpy(float), before.to_numpy(float), is_share))


def forbidden(setup: Scenario, moved: tuple[str, ...], without: pd.DataFrame) -> str | None:
    """The only statement that moves, where the removal seems to rule it out by itself.

    That is so where it holds in no seed at all; what becomes of a firm no removal can rule out.
    """
    if len(moved) != 1 or len(without) < FEWEST_SEEDS or without[moved[0]].any():
        return None
    statement = next(one for one in setup.expect if one.id == moved[0])
    return None if statement.is_about_the_outcome else statement.id


def _change(without: pd.Series | None, with_cause: pd.Series | None) -> ShareChange | None:
    return None if without is None or with_cause is None else share_change(without, with_cause)
