"""What the numbers say, in plain words and without flattery."""

from __future__ import annotations

from analysis.cases.assess import CaseResult, CauseResult, ShareChange
from analysis.statistics.intervals import Interval
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
    if effect.high < 0:
        return "matters"
    if effect.low > 0:
        return "works the other way"
    if effect.estimate == 0 and max(-effect.low, effect.high) <= SMALL:
        return "does not matter here: effect +0.00"
    return "open (interval holds 0)" if effect.estimate <= 0 else "open, if anything the other way"


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
