"""Concentration of sectors, and whether their leaders change."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.comparison import hhi_where_served
from analysis.facts.figures import label, observed, over_seeds
from analysis.facts.industries import year_ends
from analysis.facts.tables import ALL_SECTORS, Tables
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import CORRELATION, ESTIMATED_SHARE, PLAIN_SHARE, mean_of, ratio_of

LARGEST = 3
LAG_YEARS = 2
FEWEST_RANKED = 3  # firms; of two the rank correlation is 1 or −1
CELL = ["seed", "sector", "year"]


class ConcentrationRow(NamedTuple):
    """One sector at the end of one year; means over seeds in which anybody is served."""

    sector: Annotated[str, label(f"sector; `{ALL_SECTORS}`: mean of the sectors in which anybody is served")]
    year: Annotated[int, label("calendar year", "year")]
    hhi: Annotated[Interval, over_seeds("0..1", "Herfindahl–Hirschman index at the year's end")]
    largest_three: Annotated[Interval, over_seeds("share", f"of the {LARGEST} largest firms then")]


class LeaderRow(NamedTuple):
    """Leaders and ranks of sectors, at the ends of years that lie `LAG_YEARS` apart."""

    sector: Annotated[str, label(f"sector; `{ALL_SECTORS}`: all together")]
    changed: Annotated[
        Interval, observed("share", f"of sector-years whose leader by share is another firm {LAG_YEARS} years later")
    ]
    gone: Annotated[Interval, observed("share", "of sector-years whose leader is no more by then")]
    rank_correlation: Annotated[
        Interval,
        observed(
            "", f"Spearman's correlation of shares then and now, mean over sector-years with {FEWEST_RANKED} firms or "
            "more that live at both dates"
        ),
    ]  # fmt: skip


def concentration(tables: Tables) -> list[ConcentrationRow]:
    """One row per sector and year, and the mean of sectors."""
    cells = served_cells(tables)
    together = cells.groupby(["seed", "year"])[["hhi", "three"]].mean().reset_index().assign(sector=ALL_SECTORS)
    both = pd.concat([cells, together]) if cells["sector"].nunique() > 1 else cells
    rows = []
    for _, own in both.groupby(["sector", "year"], sort=True):
        by_seed = own.set_index("seed").reindex(list(tables.seeds))
        means = (mean_of(by_seed[name], ESTIMATED_SHARE) for name in ("hhi", "three"))
        rows.append(ConcentrationRow(str(own["sector"].iloc[0]), int(own["year"].iloc[0]), *means))
    return rows


def served_cells(tables: Tables) -> pd.DataFrame:
    """Index and share of the largest by seed, sector and year, at the year's end, where anybody is served."""
    own = tables.sectors[tables.sectors["month"].isin(year_ends(tables))]
    own = own.assign(year=own["month"].dt.year, hhi=hhi_where_served(own)).dropna(subset=["hhi"])
    ranked = shares_at_year_ends(tables).sort_values("share", ascending=False, kind="stable")
    three = ranked.groupby(CELL).head(LARGEST).groupby(CELL)["share"].sum().rename("three").reset_index()
    return own[[*CELL, "hhi"]].merge(three, on=CELL, how="left")


def shares_at_year_ends(tables: Tables) -> pd.DataFrame:
    """Shares of firms at the ends of years: seed, sector, year, firm, share."""
    own = tables.firms[tables.firms["month"].isin(year_ends(tables))]
    return own.assign(year=own["month"].dt.year)[[*CELL, "firm", "share"]]


def leaders(tables: Tables) -> list[LeaderRow]:
    """One row per sector and one of all; no rows where the run is too short."""
    pairs = compared_years(tables)
    if not len(pairs):
        return []
    groups = [(str(sector), own) for sector, own in pairs.groupby("sector", sort=True)]
    if len(groups) > 1:
        groups.append((ALL_SECTORS, pairs))
    return [_leaders(tables, sector, own) for sector, own in groups]


def _leaders(tables: Tables, sector: str, own: pd.DataFrame) -> LeaderRow:
    n, ranked = tables.per_seed(own), own.dropna(subset=["correlation"])
    return LeaderRow(
        sector,
        ratio_of(tables.per_seed(own, own["changed"]), n, PLAIN_SHARE),
        ratio_of(tables.per_seed(own, own["gone"]), n, PLAIN_SHARE),
        ratio_of(tables.per_seed(ranked, ranked["correlation"]), tables.per_seed(ranked), CORRELATION),
    )


def compared_years(tables: Tables) -> pd.DataFrame:
    """Sector-years served at both ends: seed, sector, year, changed, gone, correlation (NaN: too few firms)."""
    shares = shares_at_year_ends(tables)
    shares = shares[shares.groupby(CELL)["share"].transform("sum") > 0]
    later = shares.assign(year=shares["year"] - LAG_YEARS)
    lead = leaders_of(shares).merge(leaders_of(later), on=CELL, suffixes=("", "_later"))
    alive = later[[*CELL, "firm"]].assign(gone=False)
    lead = lead.merge(alive, on=[*CELL, "firm"], how="left")
    lead = lead.assign(changed=lead["firm"] != lead["firm_later"], gone=lead["gone"].isna())
    ranked = rank_correlations(shares.merge(later, on=[*CELL, "firm"], suffixes=("", "_later")))
    return lead.merge(ranked, on=CELL, how="left")[[*CELL, "changed", "gone", "correlation"]]


def leaders_of(shares: pd.DataFrame) -> pd.DataFrame:
    """The firm with the largest share of each cell; of equals the first by name."""
    ordered = shares.sort_values(["share", "firm"], ascending=[False, True], kind="stable")
    return ordered.drop_duplicates(CELL)[[*CELL, "firm"]]


def rank_correlations(both: pd.DataFrame) -> pd.DataFrame:
    """Spearman's correlation of `share` and `share_later` in each cell, where there are ranks to compare."""
    columns = ["share", "share_later"]
    ranks = both[CELL].join(both.groupby(CELL)[columns].rank())
    ranks[columns] -= ranks.groupby(CELL)[columns].transform("mean")
    x, y = (ranks[name] for name in columns)
    sums = ranks[CELL].assign(n=1, xy=x * y, xx=x * x, yy=y * y).groupby(CELL).sum().reset_index()
    sums = sums[(sums["n"] >= FEWEST_RANKED) & (sums["xx"] > 0) & (sums["yy"] > 0)]
    return sums.assign(correlation=sums["xy"] / np.sqrt(sums["xx"] * sums["yy"]))[[*CELL, "correlation"]]
