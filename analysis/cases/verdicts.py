"""What the numbers say, in plain words and without flattery."""

from __future__ import annotations

from analysis.cases.results import CaseResult, CauseResult, Manipulation, ShareChange, TwinResult
from analysis.statistics.intervals import FEWEST_SEEDS, Interval
from analysis.statistics.written import written_number

TOO_FEW = "too few seeds to tell"
MOST = 0.5  # "in most seeds"
SMALL = 0.15  # an effect of zero whose interval is wider than this is not known to be none


def case_verdict(case: CaseResult) -> str:
    """Whether the chapter is matched, all of its statements together, and how sure that is."""
    match = case.match
    if not match.is_known:
        return TOO_FEW
    if match.low > MOST:
        return "matched in most seeds"
    if match.high < MOST:
        return "not matched"
    if match.estimate > MOST:
        return f"matched in this sample, but {match.n} seeds leave it open whether in most seeds"
    return f"not matched in this sample ({match.n} seeds leave it open)"


def cause_verdict(cause: CauseResult) -> str:
    """Whether a named cause matters here: without it, are all statements met more rarely?"""
    effect = cause.effect
    if not effect.is_known:
        return TOO_FEW
    if cause.forbidden:
        return f"{cause.forbidden} alone moves, and the removal rules it out"
    if effect.high < 0:
        return "matters"
    if effect.low > 0:
        return "works the other way"
    if effect.estimate == 0 and max(-effect.low, effect.high) <= SMALL:
        return "does not matter here: effect +0.00"
    return "open (interval holds 0)" if effect.estimate <= 0 else "open, if anything the other way"


def outcome_verdict(outcome: ShareChange) -> str:
    """Whether the chapter is borne out: does its outcome surely become rarer without the cause?"""
    effect = outcome.effect
    if not effect.is_known:
        return TOO_FEW
    if effect.high < 0:
        return "reproduced"
    return "not reproduced: the other way" if effect.low > 0 else "not reproduced (interval holds 0)"


def manipulation_verdict(found: Manipulation) -> str:
    """Whether the removal changed what it should."""
    effect = found.means.effect
    if not effect.n:
        return "no seed has it in both arms"
    if not effect.is_known:
        if effect.n < FEWEST_SEEDS:
            return TOO_FEW
        return "changed by the same in every seed" if effect.estimate else "alike in every seed"
    return "changed" if effect.excludes_zero else "unchanged, as far as can be told"


def twin_verdict(twin: TwinResult) -> str:
    """Whether the firm has the outcome more often than its twin."""
    effect = twin.effect
    if not effect.is_known:
        return TOO_FEW
    if effect.low > 0:
        return "more often than its twin"
    return "more rarely than its twin" if effect.high < 0 else "no more often than its twin, as far as can be told"


def ending_verdict(change: ShareChange) -> str:
    """What taking a cause away does to the chapter's ending; "unchanged" only where the interval is narrow."""
    effect = change.effect
    if not effect.is_known:
        return TOO_FEW
    if effect.high < 0:
        return "rarer"
    if effect.low > 0:
        return "more frequent"
    return "unchanged" if max(-effect.low, effect.high) <= SMALL else "open (interval holds 0)"


def written(interval: Interval, signed: bool = False, form: str = ".2f") -> str:
    """An estimate with its interval, to two digits; no brackets where there is no interval, a dash for no estimate."""
    signed_form = f"+{form}" if signed else form
    value = written_number(interval.estimate, signed_form)
    if not interval.is_known:
        return value
    return f"{value} [{interval.low:{signed_form}}, {interval.high:{signed_form}}]"
