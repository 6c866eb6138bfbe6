"""Which statements of a chapter hold in a played world? They are checked on the stored tables, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.cases.evidence import DERIVED, OVER_TWIN, SECTOR_MONTH, TRADITIONAL, TWINS, Evidence
from analysis.cases.window import in_window
from simulation.records.endings import GONE

if TYPE_CHECKING:
    from scenarios.expectation import Expectation, Looked

INCUMBENT = "incumbent"


def judge(expectations: Sequence[Expectation], focal: str | None, evidence: Evidence) -> pd.DataFrame:
    """Which expectation holds in which seed: booleans, seeds × expectation ids.

    An expectation without a firm of its own is about the focal firm. Where there is nothing to judge by (the firm
    never existed, or had no month inside the window) an expectation does not hold; a forbidden event did not occur.
    """
    verdicts = {expected.id: holds(expected, expected.firm or focal, evidence) for expected in expectations}
    return pd.DataFrame(verdicts, index=pd.Index(list(evidence.seeds), name="seed"), dtype=bool)


def counted(expectations: Sequence[Expectation]) -> list[Expectation]:
    """Those that count for the match: all but the background."""
    return [expected for expected in expectations if expected.counts]


def matches(expectations: Sequence[Expectation], verdicts: pd.DataFrame) -> pd.Series:
    """Seeds in which all expectations hold that count, shape (seeds,)."""
    return verdicts[[expected.id for expected in counted(expectations)]].all(axis=1)


def has_outcome(expectations: Sequence[Expectation], verdicts: pd.DataFrame) -> pd.Series | None:
    """Seeds in which all outcome statements hold, shape (seeds,); None for a case that has none."""
    return _all_of([one.id for one in expectations if one.role == "outcome"], verdicts)


def ends_as_stated(expectations: Sequence[Expectation], verdicts: pd.DataFrame) -> pd.Series | None:
    """Seeds in which all counted statements of kind `ending` hold, shape (seeds,); None for a chapter without any."""
    return _all_of([one.id for one in counted(expectations) if one.kind == "ending"], verdicts)


def _all_of(ids: list[str], verdicts: pd.DataFrame) -> pd.Series | None:
    return verdicts[ids].all(axis=1) if ids else None


def holds(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """One expectation in every seed, shape (seeds,)."""
    if expected.ending:
        met = _ending_holds(expected, firm, evidence)
    elif expected.metric:
        met = within(measured(expected, firm, evidence), expected)
    else:
        met = _event_occurs(expected, firm, evidence)
    return met.reindex(pd.Index(list(evidence.seeds), name="seed"), fill_value=False).astype(bool)


def _in_window(times: pd.Series, expected: Looked, evidence: Evidence) -> pd.Series:
    return in_window(times, evidence.months, expected.after, expected.before)


def _ending_holds(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """A firm without a date of its end is alive when the run ends: its ending is of that day."""
    own = evidence.endings[evidence.endings["firm"] == firm]
    met = own["ending"].isin(expected.ending or ())
    met &= _in_window(own["ended"].fillna(evidence.months.end), expected, evidence)
    if expected.exit_value_below_raised:
        met &= (own["ending"] != "acquired") | (own["exit_value_usd"] < own["raised_usd"])
    return met.groupby(own["seed"]).any()


def measured(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """The number that a statement bounds, indexed by seed: a summarised measure, or the count of an event."""
    if expected.metric is not None:
        return summary_of(expected, firm, evidence)
    seeds = pd.Index(list(evidence.seeds), name="seed")
    times = _times_of(str(expected.event), expected, firm, evidence)
    return times.groupby(level="seed").size().reindex(seeds, fill_value=0)


def summary_of(look: Looked, firm: str | None, evidence: Evidence) -> pd.Series:
    """A measure summarised over its window, indexed by seed; seeds without a figure are left out."""
    months = evidence.firms[_in_window(evidence.firms["month"], look, evidence)]
    return summarised(metric_of_firm(months, firm, str(look.metric), look.of).dropna(), look.statistic)


def within(figures: pd.Series, expected: Expectation) -> pd.Series:
    """Which numbers lie within the bounds of a statement."""
    met = pd.Series(True, index=figures.index)
    if expected.at_least is not None:
        met &= figures >= expected.at_least
    if expected.at_most is not None:
        met &= figures <= expected.at_most
    return met


def summarised(figures: pd.Series, statistic: str) -> pd.Series:
    """Sorted monthly figures, indexed by (seed, month), as one number a seed; `change` is the last less the first."""
    by_seed = figures.groupby(level="seed")
    if statistic == "change":
        return by_seed.last() - by_seed.first()
    summary: pd.Series = getattr(by_seed, statistic)()
    return summary


def metric_of_firm(firms: pd.DataFrame, firm: str | None, metric: str, of: str = "value") -> pd.Series:
    """The firm's figure month by month, indexed by (seed, month); `of`: as `figures` has it."""
    own = firms["firm"] == firm
    index = pd.MultiIndex.from_frame(firms.loc[own, ["seed", "month"]])
    return pd.Series(figures(firms, metric, of)[own].to_numpy(float), index=index).sort_index()


def figures(firms: pd.DataFrame, metric: str, of: str = "value") -> pd.Series:
    """A metric of every row of the firms table, shape (rows,): its value, its rank, or against a yardstick.

    rank: 1 is the highest; ties share the better rank; compared are firms of one sector alive in that month.
    over_traditional: less what the sector's traditional method has. over_incumbents, times_incumbents: less, or as a
    multiple of, the highest figure among the sector's incumbents that are alive in that month. over_twin: less what the
    focal firm has in that month in the arm without its endowments. NaN where there is no figure, no incumbent with one,
    or nothing to divide by.
    """
    values = values_of(firms, metric)
    if of == "value":
        return values
    if of == "over_traditional":
        first, *second = (firms[column] for column in TRADITIONAL[metric])
        return values - (first - second[0] if second else first)
    if of == OVER_TWIN:
        return values - values_of(firms, metric, TWINS)
    alive = values.where(~firms["status"].isin(GONE))
    rivals = [firms[key] for key in SECTOR_MONTH]
    if of == "rank":
        return alive.groupby(rivals, observed=True).rank(ascending=False, method="min")
    best = alive.where(firms["kind"] == INCUMBENT).groupby(rivals, observed=True).transform("max")
    return values - best if of == "over_incumbents" else values / best.where(best != 0)


def values_of(firms: pd.DataFrame, metric: str, of_whom: str = "") -> pd.Series:
    """The plain metric of every row, shape (rows,). Free users are a share of all users; without users it is NaN.

    of_whom: what the columns begin with, where they are not the firm's own.
    """
    if metric not in DERIVED:
        return firms[f"{of_whom}{metric}"]
    whole, part = (firms[f"{of_whom}{column}"] for column in DERIVED[metric])
    return 1 - part / whole.where(whole > 0) if metric == "free_share" else whole - part


def _event_occurs(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """Whether it occurs (or, with bounds, how often), and where that is asked for, earlier than another kind."""
    if expected.at_least is not None or expected.at_most is not None:
        return within(measured(expected, firm, evidence), expected)
    seeds = pd.Index(list(evidence.seeds), name="seed")
    times = _times_of(str(expected.event), expected, firm, evidence)
    if expected.earlier_than is not None:
        later = _times_of(expected.earlier_than, expected, firm, evidence).groupby(level="seed").min().reindex(seeds)
        return times.groupby(level="seed").min().reindex(seeds) < later  # a missing one is earlier than nothing
    return pd.Series(seeds.isin(times.index) == expected.occurs, index=seeds)


def _times_of(kind: str, expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """When events of a kind happened to the firm inside the window, indexed by seed."""
    events = evidence.events
    ours = (events["kind"] == kind) & ((events["firm"] == firm) | (events["other"] == firm))
    return events[ours & _in_window(events["time"], expected, evidence)].set_index("seed")["time"]
