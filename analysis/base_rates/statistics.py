"""The statistics that a target can ask for: each turns a sample into observations, and observations into one number.

Two steps, so that seeds can be drawn again: `observe` returns rows of (seed, values…), `reduce` summarises any of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from analysis.base_rates.sample import Sample
from analysis.statistics.ages import months_between
from analysis.statistics.histories import first_rounds, full_years, lifetimes
from analysis.statistics.survival import Floats, survival_at
from simulation.parameters import Settings, parameter
from simulation.records.endings import GONE
from simulation.settings import STAGES, Stage

Year = int
Deadly = Literal["bankrupt", "gave up", "acquired"]


class _Years(Settings):
    """Calendar years that count, both inclusive; null: all."""

    years: tuple[Year, Year] | None = Field(None, description="first and last calendar year that count")

    @model_validator(mode="after")
    def _in_order(self) -> _Years:
        if self.years and self.years[0] > self.years[1]:
            raise ValueError(f"years run from {self.years[0]} to {self.years[1]}; the first must not be the later one")
        return self


class SurvivalOf(Settings):
    """Share of entrants alive at an age."""

    age_years: float = parameter(..., "age", "years", low=0.08, high=40)
    deaths: tuple[Deadly, ...] = Field(("bankrupt", "gave up"), description="endings that count as death", min_length=1)


class NextRoundOf(Settings):
    """Share of firms with a round of one stage that raise another round in time."""

    stage: Stage = parameter("seed", "round from which time runs")
    within_months: float = parameter(..., "time for the next round; rounds closer to the run's end are left out", low=1)


class WaitOf(_Years):
    """Median wait between rounds of two stages, by the year of the later round."""

    first: Stage = parameter(..., "earlier stage")
    then: Stage = parameter(..., "later stage")

    @model_validator(mode="after")
    def _later(self) -> WaitOf:
        if STAGES.index(self.first) >= STAGES.index(self.then):
            raise ValueError(f"then must be a later stage than first, not {self.then} after {self.first}")
        return self


class RoundSizeOf(_Years):
    """Median new money of a stage."""

    stage: Stage = parameter(..., "stage of the round")


class PreMoneyOf(_Years):
    """Median pre-money valuation of a stage."""

    stage: Stage = parameter(..., "stage of the round")
    at_year: Year | None = parameter(None, "year in whose terms valuations are told", "year", low=1980, high=2100)


class CapacityOf(_Years):
    """Median of round over months that it lasted."""

    stage: Stage = parameter(..., "stage of the round")
    follow_up_months: float = parameter(36, "rounds closer than this to the run's end are left out", "months", low=1)


class PayingShareOf(_Years):
    """Median paying share of firms with a freemium offer, in December."""

    least_users: float = parameter(1000, "users, paying and free, below which a firm is left out", "users", low=1)
    least_age_months: float = parameter(12, "age below which a firm is left out", "months", low=0)


class MarginOf(_Years):
    """Median gross margin of a firm's calendar year."""

    least_sales_usd: float = parameter(500_000, "yearly sales below which a firm is left out", "USD/year", low=1)
    operations: bool = parameter(True, "whether wages of operations staff count as cost of sales")


class ChurnOf(_Years):
    """Median yearly churn of paying customers."""

    least_price_usd: float = parameter(100, "monthly price from which customers count as business", "USD/month", low=0)
    least_customers: float = parameter(5, "mean paying customers below which a firm is left out", "customers", low=0.01)


@dataclass(frozen=True)
class Statistic:
    """One computed statistic. `observe` returns a frame with the column `seed` and those that `reduce` reads.

    reduce: from values, shape (n, number of columns after `seed`), to a number; NaN where there is none.
    share: `plain` of successes among the observations, or an `estimate` of a share; None for other numbers.
    highest: largest value that it can take (None: none).
    """

    name: str
    says: str
    parameters: type[Settings]
    observe: Callable[[Sample, Any], pd.DataFrame]
    reduce: Callable[[Floats, Any], float]
    share: Literal["plain", "estimate"] | None = None
    lowest: float = 0.0
    highest: float | None = None


def observe_survival(sample: Sample, of: SurvivalOf) -> pd.DataFrame:
    """Months under observation and whether they ended in death; other endings and the run's end censor."""
    return lifetimes(sample.endings, sample.months.end, of.deaths)


def observe_next_round(sample: Sample, of: NextRoundOf) -> pd.DataFrame:
    """Whether each first round of the stage was followed by another in time; only with that much follow-up."""
    first = first_rounds(sample.rounds, of.stage)
    waited = months_between(first["time"], first["next"])
    long_enough = months_between(first["time"], sample.months.end) >= of.within_months
    return pd.DataFrame({"seed": first["seed"], "raised": waited <= of.within_months})[long_enough]


def observe_wait(sample: Sample, of: WaitOf) -> pd.DataFrame:
    """Months between the first rounds of both stages, of firms that raised both."""
    early, late = first_rounds(sample.rounds, of.first), first_rounds(sample.rounds, of.then)
    both = late.merge(early, on=["seed", "firm"], suffixes=("", "_first"))
    both = _in_years(both, "time", of.years)
    return pd.DataFrame({"seed": both["seed"], "months": months_between(both["time_first"], both["time"])})


def observe_round_size(sample: Sample, of: RoundSizeOf) -> pd.DataFrame:
    """New money of each round of the stage, USD."""
    own = _in_years(sample.rounds[sample.rounds["round"] == of.stage], "time", of.years)
    return own[["seed", "amount_usd"]]


def observe_pre_money(sample: Sample, of: PreMoneyOf) -> pd.DataFrame:
    """Valuation before each round of the stage, USD; in terms of `at_year` by the scenario's own trend of rounds."""
    own = _in_years(sample.rounds[sample.rounds["round"] == of.stage], "time", of.years)
    value = own["pre_money_usd"].to_numpy(float)
    if of.at_year is not None:
        year = own["time"].dt.year + (own["time"].dt.dayofyear - 1) / 365.25
        value = value * usual_size(sample, of.stage, of.at_year) / usual_size(sample, of.stage, year.to_numpy(float))
    return pd.DataFrame({"seed": own["seed"], "pre_money_usd": value})


def usual_size(sample: Sample, stage: str, year: Any) -> Any:
    """Usual round of a stage, USD, as `simulation.capital.usual_round` moves it (flat outside 2014–2022)."""
    return np.interp(year, [2014, 2022], sample.round_sizes[stage])


def observe_capacity(sample: Sample, of: CapacityOf) -> pd.DataFrame:
    """Round over months until the next round, the firm's end or the run's end, whichever is first, USD a month."""
    own = _in_years(first_rounds(sample.rounds, of.stage), "time", of.years)
    own = own[months_between(own["time"], sample.months.end) >= of.follow_up_months]
    gone = sample.endings[sample.endings["ending"].isin(GONE)][["seed", "firm", "ended"]]
    own = own.merge(gone, on=["seed", "firm"], how="left")
    until = own[["next", "ended"]].min(axis=1).fillna(sample.months.end)
    months = months_between(own["time"], until).clip(lower=1.0)
    return pd.DataFrame({"seed": own["seed"], "usd_month": own["amount_usd"] / months})


def observe_paying_share(sample: Sample, of: PayingShareOf) -> pd.DataFrame:
    """Paying over all users of a firm's freemium offers, each December."""
    rows = _in_years(sample.firms[sample.firms["month"].dt.month == 12], "month", of.years)
    users = rows["freemium_paying"] + rows["freemium_free"]
    old = months_between(rows["founded"], rows["month"]) >= of.least_age_months
    share = pd.DataFrame({"seed": rows["seed"], "share": rows["freemium_paying"] / users})
    return share[(rows["freemium_free"] > 0) & (users >= of.least_users) & old]


def observe_margin(sample: Sample, of: MarginOf) -> pd.DataFrame:
    """1 − (inference + wages of operations) / sales, by firm and full calendar year."""
    years = _full_years(sample, of.years, ["sales_usd", "serving_usd", "operations_usd"])
    years = years[years["sales_usd"] >= of.least_sales_usd]
    out_costs = years["serving_usd"] + (years["operations_usd"] if of.operations else 0.0)
    return pd.DataFrame({"seed": years["seed"], "margin": 1 - out_costs / years["sales_usd"]})


def observe_churn(sample: Sample, of: ChurnOf) -> pd.DataFrame:
    """Paying customers lost in a full calendar year over their mean, by firm."""
    firms = sample.firms
    before = firms.groupby(["seed", "firm"])["paying_customers"].shift()
    lost = (before + firms["new_paying"] - firms["paying_customers"]).clip(lower=0.0)
    years = _full_years(sample, of.years, ["lost", "paying_customers", "price_usd"], lost=lost)
    customers, price = years["paying_customers"] / 12, years["price_usd"] / 12
    kept = (price >= of.least_price_usd) & (customers >= of.least_customers)
    return pd.DataFrame({"seed": years["seed"], "churn": years["lost"] / customers})[kept]


def median(values: Floats, _: Any = None) -> float:
    """Median of the first column; NaN without observations."""
    return float(np.median(values[:, 0])) if len(values) else math.nan


def mean(values: Floats, _: Any = None) -> float:
    """Mean of the first column; NaN without observations."""
    return float(values[:, 0].mean()) if len(values) else math.nan


def survival(values: Floats, of: SurvivalOf) -> float:
    """Kaplan–Meier share alive at the age; values: months, died."""
    return survival_at(values[:, 0], values[:, 1], 12 * of.age_years)


def _in_years(rows: pd.DataFrame, column: str, years: tuple[int, int] | None) -> pd.DataFrame:
    return rows if years is None else rows[rows[column].dt.year.between(*years)]


def _full_years(sample: Sample, years: tuple[int, int] | None, columns: list[str], **more: pd.Series) -> pd.DataFrame:
    """Sums by seed, firm and calendar year, of years in which the firm has all twelve months."""
    return full_years(_in_years(sample.firms.assign(**more), "month", years), columns)


STATISTICS: dict[str, Statistic] = {
    one.name: one
    for one in (
        Statistic(
            "survival", "share alive at an age (Kaplan–Meier)", SurvivalOf, observe_survival, survival,
            share="estimate", highest=1.0,
        ),
        Statistic(
            "next_round", "share that raises another round in time", NextRoundOf, observe_next_round, mean,
            share="plain", highest=1.0,
        ),
        Statistic("wait", "median months between two rounds", WaitOf, observe_wait, median),
        Statistic("round_size", "median round", RoundSizeOf, observe_round_size, median),
        Statistic("pre_money", "median pre-money valuation", PreMoneyOf, observe_pre_money, median),
        Statistic("capacity", "median of round over months that it lasted", CapacityOf, observe_capacity, median),
        Statistic(
            "paying_share", "median paying share of freemium users", PayingShareOf, observe_paying_share, median,
            highest=1.0,
        ),
        Statistic(
            "gross_margin", "median gross margin of a year", MarginOf, observe_margin, median, lowest=-math.inf,
            highest=1.0,
        ),
        Statistic("churn", "median yearly churn of paying customers", ChurnOf, observe_churn, median),
    )
}  # fmt: skip


def statistics() -> dict[str, Statistic]:
    """The statistics that targets may ask for: ours, and those of loaded plug-ins."""
    from simulation.plugins.loading import LOADED

    return STATISTICS | {name: one for plugin in LOADED.values() for name, one in plugin.statistics.items()}
