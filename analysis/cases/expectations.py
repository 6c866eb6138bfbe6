"""Which statements of a chapter hold in a played world? They are checked on the stored tables, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.cases.window import in_window
from analysis.runs.months import RunMonths
from simulation.records.endings import GONE

if TYPE_CHECKING:
    from scenarios.expectation import Expectation

INCUMBENT = "incumbent"
SECTOR_MONTH = ["seed", "month", "sector"]
DERIVED = {  # metrics that are no column of their own: what they are made of
    "profit_usd": ("revenue_usd", "costs_usd"),
    "quality_gap": ("quality_lab", "quality_field"),
    "free_share": ("customers", "paying_customers"),
}
TRADITIONAL = {  # the same of the sector's traditional method: a column of the sectors table, or two to subtract
    "quality_lab": ("traditional_lab",),
    "quality_field": ("traditional_field",),
    "quality_gap": ("traditional_lab", "traditional_field"),
}


@dataclass(frozen=True)
class Evidence:
    """The tables of one arm, all seeds: what an expectation is judged by.

    months: those of the run. firms: seed, month, firm, sector, status, what the metrics asked for are made of
    (`columns_needed`), and the sector's columns of `sector_columns_needed`. events: seed, time, kind, firm, other.
    endings: seed, firm, ended, ending, raised_usd, exit_value_usd. Times are timestamps.
    """

    seeds: Sequence[int]
    months: RunMonths
    firms: pd.DataFrame
    events: pd.DataFrame
    endings: pd.DataFrame


def judge(expectations: Sequence[Expectation], focal: str | None, evidence: Evidence) -> pd.DataFrame:
    """Which expectation holds in which seed: booleans, seeds × expectation ids.

    An expectation without a firm of its own is about the focal firm. Where there is nothing to judge by (the firm
    never existed, or had no month inside the window) an expectation does not hold; a forbidden event did not occur.
    """
    verdicts = {expected.id: holds(expected, expected.firm or focal, evidence) for expected in expectations}
    return pd.DataFrame(verdicts, index=pd.Index(list(evidence.seeds), name="seed"), dtype=bool)


def matches(verdicts: pd.DataFrame) -> pd.Series:
    """Seeds in which all expectations hold, shape (seeds,)."""
    return verdicts.all(axis=1)


def ends_as_stated(expectations: Sequence[Expectation], verdicts: pd.DataFrame) -> pd.Series | None:
    """Seeds in which all expectations of kind `ending` hold, shape (seeds,); None for a chapter that has none."""
    stated = [expected.id for expected in expectations if expected.kind == "ending"]
    return verdicts[stated].all(axis=1) if stated else None


def holds(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """One expectation in every seed, shape (seeds,)."""
    if expected.ending:
        met = _ending_holds(expected, firm, evidence)
    elif expected.metric:
        met = _metric_holds(expected, firm, evidence)
    else:
        met = _event_occurs(expected, firm, evidence)
    return met.reindex(pd.Index(list(evidence.seeds), name="seed"), fill_value=False).astype(bool)


def _in_window(times: pd.Series, expected: Expectation, evidence: Evidence) -> pd.Series:
    return in_window(times, evidence.months, expected.after, expected.before)


def _ending_holds(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """A firm without a date of its end is alive when the run ends: its ending is of that day."""
    own = evidence.endings[evidence.endings["firm"] == firm]
    met = own["ending"].isin(expected.ending or ())
    met &= _in_window(own["ended"].fillna(evidence.months.end), expected, evidence)
    if expected.exit_value_below_raised:
        met &= (own["ending"] != "acquired") | (own["exit_value_usd"] < own["raised_usd"])
    return met.groupby(own["seed"]).any()


def _metric_holds(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    months = evidence.firms[_in_window(evidence.firms["month"], expected, evidence)]
    figures = metric_of_firm(months, firm, str(expected.metric), expected.of).dropna()
    return _within(summarised(figures, expected.statistic), expected)


def _within(measured: pd.Series, expected: Expectation) -> pd.Series:
    met = pd.Series(True, index=measured.index)
    if expected.at_least is not None:
        met &= measured >= expected.at_least
    if expected.at_most is not None:
        met &= measured <= expected.at_most
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
    multiple of, the highest figure among the sector's incumbents that are alive in that month. NaN where there is no
    figure, no incumbent with one, or nothing to divide by.
    """
    values = values_of(firms, metric)
    if of == "value":
        return values
    if of == "over_traditional":
        first, *second = (firms[column] for column in TRADITIONAL[metric])
        return values - (first - second[0] if second else first)
    alive = values.where(~firms["status"].isin(GONE))
    rivals = [firms[key] for key in SECTOR_MONTH]
    if of == "rank":
        return alive.groupby(rivals, observed=True).rank(ascending=False, method="min")
    best = alive.where(firms["kind"] == INCUMBENT).groupby(rivals, observed=True).transform("max")
    return values - best if of == "over_incumbents" else values / best.where(best != 0)


def values_of(firms: pd.DataFrame, metric: str) -> pd.Series:
    """The plain metric of every row, shape (rows,). Free users are a share of all users; without users it is NaN."""
    if metric not in DERIVED:
        return firms[metric]
    whole, part = (firms[column] for column in DERIVED[metric])
    return 1 - part / whole.where(whole > 0) if metric == "free_share" else whole - part


def _event_occurs(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """Whether it occurs (or, with bounds, how often), and where that is asked for, earlier than another kind."""
    seeds = pd.Index(list(evidence.seeds), name="seed")
    times = _times_of(str(expected.event), expected, firm, evidence)
    if expected.at_least is not None or expected.at_most is not None:
        return _within(times.groupby(level="seed").size().reindex(seeds, fill_value=0), expected)
    if expected.earlier_than is not None:
        later = _times_of(expected.earlier_than, expected, firm, evidence).groupby(level="seed").min().reindex(seeds)
        return times.groupby(level="seed").min().reindex(seeds) < later  # a missing one is earlier than nothing
    return pd.Series(seeds.isin(times.index) == expected.occurs, index=seeds)


def _times_of(kind: str, expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """When events of a kind happened to the firm inside the window, indexed by seed."""
    events = evidence.events
    ours = (events["kind"] == kind) & ((events["firm"] == firm) | (events["other"] == firm))
    return events[ours & _in_window(events["time"], expected, evidence)].set_index("seed")["time"]


def columns_needed(expectations: Sequence[Expectation]) -> list[str]:
    """Columns of the firms table that these expectations read."""
    keys = ["seed", "month", "firm", "sector", "status"]
    metrics = [str(expected.metric) for expected in expectations if expected.metric]
    columns = {column for metric in metrics for column in DERIVED.get(metric, (metric,))}
    if any(expected.of.endswith("_incumbents") for expected in expectations):
        columns.add("kind")
    return keys + sorted(columns - set(keys))


def sector_columns_needed(expectations: Sequence[Expectation]) -> list[str]:
    """Columns of the sectors table that these expectations read, beside seed, month and sector."""
    compared = [str(expected.metric) for expected in expectations if expected.of == "over_traditional"]
    return sorted({column for metric in compared for column in TRADITIONAL[metric]})
