"""Growth of sales from year to year: its level, the shape of its distribution, its scale by size, its memory.

References
[1] Stanley et al. (1996), Scaling behaviour in the growth of companies: the shape of the distribution, and the scaling
    of its standard deviation with size, S^−β. doi:10.1038/379804a0
[2] Bottazzi & Secchi (2006), Explaining the distribution of firm growth rates: growth net of the mean of sector and
    year. doi:10.1111/j.1756-2171.2006.tb00014.x
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import label, observed
from analysis.facts.tables import STARTUP, Tables
from analysis.statistics.histories import FIRM, full_years
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import (
    CORRELATION,
    NUMBER,
    PLAIN_SHARE,
    POSITIVE,
    by_seed,
    interval_of,
    intervals_of,
)
from analysis.statistics.survival import Floats

LEAST_SALES_USD = 100_000.0  # assumption: of less a growth rate says little
N_BINS = 10  # of size; assumption
FEWEST_IN_BIN = 5  # growth rates from which a standard deviation is taken; assumption


class GrowthRow(NamedTuple):
    """Growth g = ln(sales of the next year / sales of a year), all seeds and years together."""

    of: Annotated[str, label("`startups` or `firms` (incumbents included)")]
    rates: Annotated[int, label(f"firm-years with {LEAST_SALES_USD:,.0f} USD or more in both years", "firm-years")]
    lower: Annotated[Interval, observed("ln", "lower quartile of g")]
    median: Annotated[Interval, observed("ln", "median of g")]
    upper: Annotated[Interval, observed("ln", "upper quartile of g")]
    falling: Annotated[Interval, observed("share", "of firm-years whose sales fall")]
    sd: Annotated[Interval, observed("ln", "standard deviation of g net of the mean of its sector and year")]
    kurtosis: Annotated[
        Interval, observed("", "excess kurtosis of the same: 0 of a normal, 3 of a Laplace distribution")
    ]
    laplace: Annotated[
        Interval,
        observed(
            "nats", "log-likelihood per firm-year of a Laplace less that of a normal distribution: above 0 a tent"
        ),
    ]
    size_slope: Annotated[
        Interval,
        observed("", f"slope of ln sd of g on ln sales over {N_BINS} bins of sales: below 0 it falls with size"),
    ]
    autocorrelation: Annotated[Interval, observed("", "correlation of net g with that of the year before")]


def growth(tables: Tables) -> list[GrowthRow]:
    """One row per population; none for one without any rate."""
    rates = growth_rates(tables)
    kinds = (("startups", rates["kind"] == STARTUP), ("firms", rates["kind"].notna()))
    return [_growth(tables, of, netted(rates[chosen])) for of, chosen in kinds if chosen.any()]


def growth_rates(tables: Tables) -> pd.DataFrame:
    """Growth from one full calendar year to the next: seed, firm, kind, sector, year, size (ln sales before), g."""
    years = full_years(tables.firms, ["sales_usd"])
    years = years[years["sales_usd"] >= LEAST_SALES_USD]
    later = years.assign(year=years["year"] - 1)
    both = years.merge(later, on=[*FIRM, "year"], suffixes=("", "_next"))
    who = tables.firms[[*FIRM, "kind", "sector"]].drop_duplicates(FIRM)
    size = np.log(both["sales_usd"].astype(float))
    return both.assign(size=size, g=np.log(both["sales_usd_next"].astype(float)) - size).merge(who, on=FIRM)


def netted(rates: pd.DataFrame) -> pd.DataFrame:
    """The rates with `net`, less the mean of their sector and year [2], and `before`, net of the year before."""
    net = rates["g"] - rates.groupby(["sector", "year"])["g"].transform("mean")
    own = rates.assign(net=net)
    before = own[[*FIRM, "year", "net"]].assign(year=own["year"] + 1).rename(columns={"net": "before"})
    return own.merge(before, on=[*FIRM, "year"], how="left")


def _growth(tables: Tables, of: str, own: pd.DataFrame) -> GrowthRow:
    seen = by_seed(own, ["g", "net", "size"], tables.seeds)
    followed = by_seed(own.dropna(subset=["before"]), ["net", "before"], tables.seeds)
    scales = [NUMBER] * 3 + [PLAIN_SHARE, POSITIVE] + [NUMBER] * 3
    lower, median, upper, falling, spread, peaked, laplace, slope = intervals_of(seen, _reduce, scales)
    return GrowthRow(
        of=of,
        rates=len(own),
        lower=lower,
        median=median,
        upper=upper,
        falling=falling,
        sd=spread,
        kurtosis=peaked,
        laplace=laplace,
        size_slope=slope,
        autocorrelation=interval_of(followed, correlation, CORRELATION),
    )


def _reduce(values: Floats) -> Floats:
    """Quartiles, share of falls, sd, kurtosis, Laplace against normal, slope by size; of g, net g and ln sales."""
    if not len(values):
        return np.full(8, np.nan)
    g, net, size = values.T
    spread = float(net.std())
    shape = [excess_kurtosis(net), tent(net)] if spread > 0 else [math.nan, math.nan]
    return np.array([*np.quantile(g, (0.25, 0.5, 0.75)), (g < 0).mean(), spread, *shape, size_slope(net, size)])


def excess_kurtosis(net: Floats) -> float:
    """Fourth moment over the squared second, less 3; as `scipy.stats.kurtosis`, which is too slow for every draw."""
    squares = (net - net.mean()) ** 2
    return float((squares**2).mean() / squares.mean() ** 2 - 3)


def tent(net: Floats) -> float:
    """Mean log-likelihood of the best Laplace distribution less that of the best normal one, nats per observation."""
    width = float(np.abs(net - np.median(net)).mean())
    laplace, normal = -math.log(2 * width) - 1, -0.5 * math.log(2 * math.pi * float(net.var())) - 0.5
    return laplace - normal


def size_slope(net: Floats, size: Floats) -> float:
    """Slope of ln sd(g) on mean ln sales, over bins of as many firm-years each [1]; NaN with fewer than three bins."""
    bins = [
        chosen
        for chosen in np.array_split(np.argsort(size, kind="stable"), N_BINS)
        if len(chosen) >= FEWEST_IN_BIN and net[chosen].std() > 0
    ]
    x = np.array([size[one].mean() for one in bins])
    y = np.array([math.log(net[one].std()) for one in bins])
    if len(bins) < 3 or np.ptp(x) == 0:
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / (x @ x))


def correlation(values: Floats) -> float:
    """Pearson's correlation of two columns; NaN with fewer than three rows, or where one does not vary."""
    if len(values) < 3 or (np.ptp(values, axis=0) == 0).any():
        return math.nan
    x, y = (values - values.mean(axis=0)).T
    return float(x @ y / math.sqrt((x @ x) * (y @ y)))
