"""Sizes of firms at the end of the run: quantiles, how much the largest have, and the tail.

References: see `analysis/statistics/tails.py`.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import OF_ROW, label, observed
from analysis.facts.returns import top_share
from analysis.facts.tables import STARTUP, Tables
from analysis.statistics.histories import full_years
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import ESTIMATED_SHARE, POSITIVE, by_seed, intervals_of, ratio_of
from analysis.statistics.survival import Floats
from analysis.statistics.tails import tail_of

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
UNITS = {"headcount": "people", "sales": "USD/year"}
ONE_PERCENT, TEN_PERCENT = 0.01, 0.1


class SizeRow(NamedTuple):
    """One measure of size, of one population, all seeds together."""

    of: Annotated[str, label("`startups` or `firms` (incumbents included)")]
    measure: Annotated[str, label("`headcount` in the last month, or `sales` in the last full calendar year")]
    unit: Annotated[str, label("`people` or `USD/year`")]
    firms: Annotated[int, label("firms of all seeds", "firms")]
    q10: Annotated[Interval, observed(OF_ROW, "quantile 0.10")]
    q25: Annotated[Interval, observed(OF_ROW, "quantile 0.25")]
    median: Annotated[Interval, observed(OF_ROW, "median")]
    q75: Annotated[Interval, observed(OF_ROW, "quantile 0.75")]
    q90: Annotated[Interval, observed(OF_ROW, "quantile 0.90")]
    q99: Annotated[Interval, observed(OF_ROW, "quantile 0.99")]
    largest_1_percent: Annotated[Interval, observed("share", "of the total that the largest 1 % of firms have")]
    largest_10_percent: Annotated[Interval, observed("share", "of the total that the largest 10 % of firms have")]
    rank_size: Annotated[float, label("−slope of ln(rank − 1/2) on ln size above the cut-off (Gabaix & Ibragimov)")]
    rank_size_error: Annotated[float, label("its standard error, ζ·√(2/n)")]
    tail_exponent: Annotated[Interval, observed("", "Hill's ζ above the cut-off")]
    tail_error: Annotated[float, label("its standard error, ζ/√n")]
    tail_points: Annotated[int, label("firms above the cut-off", "firms")]
    tail_cut_off: Annotated[float, label("the cut-off", OF_ROW)]


def sizes(tables: Tables) -> list[SizeRow]:
    """One row per population and measure; none for what no firm has."""
    sized = {"headcount": headcounts(tables), "sales": last_sales(tables)}
    rows = []
    for measure, own in sized.items():
        for of, chosen in (("startups", own["kind"] == STARTUP), ("firms", own["kind"].notna())):
            if chosen.any():
                rows.append(_sizes(tables, of, measure, own[chosen]))
    return rows


def headcounts(tables: Tables) -> pd.DataFrame:
    """Headcounts in the last month: seed, firm, kind, size."""
    own = tables.firms[tables.firms["month"] == tables.months.last]
    return own[["seed", "firm", "kind", "headcount"]].rename(columns={"headcount": "size"}).dropna(subset=["size"])


def last_sales(tables: Tables) -> pd.DataFrame:
    """Sales in the last full calendar year of the run, of firms that lived all of it: seed, firm, kind, size."""
    months = tables.months.all
    whole = [year for year in tables.years if (months.year == year).sum() == 12]
    own = tables.firms[tables.firms["month"].dt.year == whole[-1]] if whole else tables.firms.iloc[:0]
    sums = full_years(own, ["sales_usd"]).rename(columns={"sales_usd": "size"})
    return sums.merge(own[["seed", "firm", "kind"]].drop_duplicates(), on=["seed", "firm"])


def _sizes(tables: Tables, of: str, measure: str, own: pd.DataFrame) -> SizeRow:
    seen = by_seed(own, ["size"], tables.seeds)
    scales = [POSITIVE] * len(LEVELS) + [ESTIMATED_SHARE] * 2
    tail = tail_of(own["size"])
    above = own[own["size"] > tail.cut_off]
    logs = tables.per_seed(above, np.log(above["size"] / tail.cut_off))
    q10, q25, median, q75, q90, q99, one, ten = intervals_of(seen, _reduce, scales)
    return SizeRow(
        of=of,
        measure=measure,
        unit=UNITS[measure],
        firms=len(own),
        q10=q10,
        q25=q25,
        median=median,
        q75=q75,
        q90=q90,
        q99=q99,
        largest_1_percent=one,
        largest_10_percent=ten,
        rank_size=tail.rank_size,
        rank_size_error=tail.rank_size_error,
        tail_exponent=ratio_of(tables.per_seed(above), logs, POSITIVE, tail.n),
        tail_error=tail.hill_error,
        tail_points=tail.n,
        tail_cut_off=tail.cut_off,
    )


def _reduce(values: Floats) -> Floats:
    size = values[:, 0]
    if not len(size):
        return np.full(len(LEVELS) + 2, np.nan)
    return np.array(
        [*np.quantile(size, LEVELS), top_share(size, size, ONE_PERCENT), top_share(size, size, TEN_PERCENT)]
    )
