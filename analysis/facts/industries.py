"""Firms, entries and exits over the life of an industry.

References
[1] Klepper (1996), Entry, exit, growth, and innovation over the product life cycle: the shake-out, the fall in the
    number of producers from its peak.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import label, over_seeds
from analysis.facts.tables import ALL_SECTORS, STARTUP, Tables
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import ESTIMATED_SHARE, NUMBER, mean_of

KEYS = ["seed", "sector", "year"]
COUNTS = ("firms", "startups", "entries", "exits")


class YearRow(NamedTuple):
    """One sector in one year; means over seeds."""

    sector: Annotated[str, label(f"sector; `{ALL_SECTORS}`: all together")]
    year: Annotated[int, label("calendar year", "year")]
    firms: Annotated[Interval, over_seeds("firms", "living firms at the year's end, incumbents included")]
    startups: Annotated[Interval, over_seeds("firms", "living startups then")]
    entries: Annotated[Interval, over_seeds("firms/year", "firms whose first month lies in the year")]
    exits: Annotated[Interval, over_seeds("firms/year", "firms wound up or bought in the year")]


class PeakRow(NamedTuple):
    """The peak of one industry; each seed has its own, and means are over seeds."""

    sector: Annotated[str, label(f"sector; `{ALL_SECTORS}`: all together")]
    of: Annotated[str, label("`firms` (incumbents included) or `startups`")]
    peak: Annotated[Interval, over_seeds("firms", "largest number at the end of a year")]
    peak_year: Annotated[Interval, over_seeds("year", "first year with that number; only seeds with any firm")]
    shake_out: Annotated[Interval, over_seeds("share", "fall from the peak to the end of the run; only such seeds")]


def years(tables: Tables) -> list[YearRow]:
    """One row per sector and year."""
    counted = counts(tables)
    rows = []
    for _, own in counted.groupby(["sector", "year"], sort=True):
        cells = own.set_index("seed").reindex(list(tables.seeds))
        means = (mean_of(cells[name]) for name in COUNTS)
        rows.append(YearRow(str(own["sector"].iloc[0]), int(own["year"].iloc[0]), *means))
    return rows


def peaks(tables: Tables) -> list[PeakRow]:
    """Two rows per sector: of all firms, and of startups."""
    counted = counts(tables)
    return [
        _peak(tables, str(sector), of, own)
        for sector, own in counted.groupby("sector", sort=True)
        for of in ("firms", "startups")
    ]


def _peak(tables: Tables, sector: str, of: str, own: pd.DataFrame) -> PeakRow:
    by_year = own.pivot(index="seed", columns="year", values=of).reindex(list(tables.seeds)).sort_index(axis=1)
    peak = by_year.max(axis=1)
    last = by_year.iloc[:, -1]
    first = by_year.eq(peak, axis=0).idxmax(axis=1).where(peak > 0)
    fall = (1 - last / peak.where(peak > 0)).where(peak > 0)
    return PeakRow(sector, of, mean_of(peak), mean_of(first, NUMBER), mean_of(fall, ESTIMATED_SHARE))


def counts(tables: Tables) -> pd.DataFrame:
    """Numbers by seed, sector and year: firms and startups at the year's last month, entries and exits in the year.

    Sectors of which the run tells nothing have no rows; `ALL_SECTORS` is their sum.
    """
    own = tables.sectors.assign(year=tables.sectors["month"].dt.year).sort_values("month", kind="stable")
    by_year = own.groupby(KEYS).agg(
        month=("month", "last"), firms=("n_firms", "last"), entries=("entries", "sum"), exits=("exits", "sum")
    )
    by_year = by_year.reset_index()
    startups = tables.firms[tables.firms["kind"] == STARTUP].groupby(["seed", "sector", "month"]).size()
    found = by_year.merge(startups.rename("startups").reset_index(), on=["seed", "sector", "month"], how="left")
    found = found.assign(startups=found["startups"].fillna(0))[[*KEYS, *COUNTS]].astype({n: float for n in COUNTS})
    together = found.groupby(["seed", "year"])[list(COUNTS)].sum().reset_index().assign(sector=ALL_SECTORS)
    return pd.concat([found, together], ignore_index=True) if found["sector"].nunique() > 1 else found


def year_ends(tables: Tables) -> np.ndarray:
    """The last month of the run in each of its years."""
    months = pd.Series(tables.months.all)
    return months.groupby(months.dt.year).max().to_numpy()
