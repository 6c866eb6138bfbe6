"""Does a played world end as its chapter says? Expectations are checked on the stored tables, seed by seed.

Windows are half-open everywhere: `after` belongs to the window, `before` does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from scenarios.schema import Expectation

GONE = ("bankrupt", "acquired")  # statuses of firms that no longer compete
PROFIT = "profit_usd"


@dataclass(frozen=True)
class Evidence:
    """The tables of one arm, all seeds: what an expectation is judged by.

    firms: seed, month, firm, sector, status and the metrics asked for; events: seed, time, kind, firm, other;
    endings: seed, firm, ended, ending, raised_usd, exit_value_usd. Times are timestamps.
    """

    seeds: Sequence[int]
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


def holds(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    """One expectation in every seed, shape (seeds,)."""
    if expected.ending:
        met = _ending_holds(expected, firm, evidence.endings)
    elif expected.metric:
        met = _metric_holds(expected, firm, evidence.firms)
    else:
        met = _event_occurs(expected, firm, evidence)
    return met.reindex(pd.Index(list(evidence.seeds), name="seed"), fill_value=False).astype(bool)


def in_window(times: pd.Series, after: date | None, before: date | None) -> pd.Series:
    """Which times lie in [after, before); an open side is None, a missing time lies in no bounded window."""
    inside = pd.Series(True, index=times.index)
    if after is not None:
        inside &= times >= pd.Timestamp(after)
    if before is not None:
        inside &= times < pd.Timestamp(before)
    return inside


def _ending_holds(expected: Expectation, firm: str | None, endings: pd.DataFrame) -> pd.Series:
    own = endings[endings["firm"] == firm]
    met = own["ending"].isin(expected.ending or ()) & in_window(own["ended"], expected.after, expected.before)
    if expected.exit_value_below_raised:
        met &= (own["ending"] != "acquired") | (own["exit_value_usd"] < own["raised_usd"])
    return met.groupby(own["seed"]).any()


def _metric_holds(expected: Expectation, firm: str | None, firms: pd.DataFrame) -> pd.Series:
    months = firms[in_window(firms["month"], expected.after, expected.before)]
    figures = metric_of_firm(months, firm, str(expected.metric), expected.of).dropna()
    by_seed = figures.groupby(level="seed")
    measured = getattr(by_seed, expected.statistic)()
    met = pd.Series(True, index=measured.index)
    if expected.at_least is not None:
        met &= measured >= expected.at_least
    if expected.at_most is not None:
        met &= measured <= expected.at_most
    return met


def metric_of_firm(firms: pd.DataFrame, firm: str | None, metric: str, of: str = "value") -> pd.Series:
    """The firm's figure month by month, indexed by (seed, month): the value itself or its rank.

    Rank 1 is the highest; ties share the better rank; compared are firms of one sector alive in that month.
    """
    values = firms["revenue_usd"] - firms["costs_usd"] if metric == PROFIT else firms[metric]
    if of == "rank":
        values = values.where(~firms["status"].isin(GONE))
        rivals = [firms["seed"], firms["month"], firms["sector"]]
        values = values.groupby(rivals, observed=True).rank(ascending=False, method="min")
    own = firms["firm"] == firm
    index = pd.MultiIndex.from_frame(firms.loc[own, ["seed", "month"]])
    return pd.Series(values[own].to_numpy(float), index=index).sort_index()


def _event_occurs(expected: Expectation, firm: str | None, evidence: Evidence) -> pd.Series:
    events = evidence.events
    ours = (events["kind"] == expected.event) & ((events["firm"] == firm) | (events["other"] == firm))
    happened = set(events.loc[ours & in_window(events["time"], expected.after, expected.before), "seed"])
    seeds = list(evidence.seeds)
    return pd.Series([(seed in happened) == expected.occurs for seed in seeds], index=pd.Index(seeds, name="seed"))


def columns_needed(expectations: Sequence[Expectation]) -> list[str]:
    """Columns of the firms table that these expectations read."""
    metrics = {str(expected.metric) for expected in expectations if expected.metric}
    if PROFIT in metrics:
        metrics = (metrics - {PROFIT}) | {"revenue_usd", "costs_usd"}
    keys = ["seed", "month", "firm", "sector", "status"]
    return keys + sorted(metrics - set(keys))
