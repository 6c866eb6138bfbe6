"""Survival of entrants and the hazard by age; how cohorts ended.

References
[1] Kaplan & Meier (1958), Nonparametric estimation from incomplete observations. doi:10.1080/01621459.1958.10501452
[2] Breslow (1974), Covariance analysis of censored survival data: the hazard as deaths over time at risk, constant
    within an interval. doi:10.2307/2529620
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd

from analysis.facts.figures import label, observed
from analysis.facts.tables import Tables
from analysis.statistics.histories import lifetimes
from analysis.statistics.intervals import Interval
from analysis.statistics.resampling import (
    ESTIMATED_SHARE,
    PLAIN_SHARE,
    POSITIVE,
    bounded,
    drawn_counts,
    ratio_of,
)
from analysis.statistics.survival import Floats, kaplan_meier, survival_at
from simulation.records.endings import FAILED, GONE, EndingKind

YEAR = 12
NOBODY = np.empty(0, int)
ENDINGS: tuple[EndingKind, ...] = ("bankrupt", "gave up", "acquired", "public", "alive")


class SurvivalRow(NamedTuple):
    """Entrants by age."""

    age_years: Annotated[int, label("age", "years")]
    at_risk: Annotated[int, label("entrants alive and under observation when this year of age begins", "firms")]
    alive: Annotated[
        Interval, observed("share", "neither bankrupt nor given up at that age (Kaplan–Meier); an acquisition censors")
    ]
    independent: Annotated[Interval, observed("share", "neither failed nor acquired at that age (Kaplan–Meier)")]
    failure_hazard: Annotated[Interval, observed("1/year", "failures in this year of age over firm-years in it")]
    exit_hazard: Annotated[
        Interval, observed("1/year", "failures and acquisitions in this year of age over firm-years in it")
    ]


class CohortRow(NamedTuple):
    """Entrants founded in a year, as they stand at the end of the run."""

    cohort: Annotated[str, label("calendar year of founding; `all`")]
    firms: Annotated[int, label("entrants founded", "firms")]
    bankrupt: Annotated[Interval, observed("share", "bankrupt by the end of the run")]
    gave_up: Annotated[Interval, observed("share", "given up by its founders or investors by then")]
    acquired: Annotated[Interval, observed("share", "acquired by then")]
    public: Annotated[Interval, observed("share", "listed by then, and still there")]
    alive: Annotated[Interval, observed("share", "alive and private then, profitable or not")]


def survival(tables: Tables) -> list[SurvivalRow]:
    """One row per year of age that somebody was observed to begin; the end of the run censors."""
    failed = lifetimes(tables.entrants, tables.months.end, FAILED)
    left = lifetimes(tables.entrants, tables.months.end, GONE)
    oldest = math.ceil(failed["months"].max() / YEAR) if len(failed) else 0
    return [_of_age(tables, failed, left, age) for age in range(1, oldest + 1)]


def _of_age(tables: Tables, failed: pd.DataFrame, left: pd.DataFrame, age: int) -> SurvivalRow:
    n = int((failed["months"] > YEAR * (age - 1)).sum())
    return SurvivalRow(
        age_years=age,
        at_risk=n,
        alive=share_alive(failed, tables.seeds, age, n),
        independent=share_alive(left, tables.seeds, age, n),
        failure_hazard=hazard(tables, failed, age, n),
        exit_hazard=hazard(tables, left, age, n),
    )


def hazard(tables: Tables, lives: pd.DataFrame, age: int, n: int) -> Interval:
    """Deaths in a year of age over the firm-years spent in it [2]."""
    months = lives["months"]
    spent = (months.clip(upper=YEAR * age) - YEAR * (age - 1)).clip(lower=0.0) / YEAR
    died = lives["died"] & (months > YEAR * (age - 1)) & (months <= YEAR * age)
    return ratio_of(tables.per_seed(lives, died), tables.per_seed(lives, spent), POSITIVE, n)


def share_alive(lives: pd.DataFrame, seeds: Sequence[int], age: int, n: int) -> Interval:
    """Kaplan–Meier share alive at an age [1], with its interval over seeds; NaN beyond what was observed.

    Draws of seeds are counted, not copied: deaths and firms at risk by time are sums over seeds, so each draw's product
    limit follows from its counts.
    """
    months, died = lives["months"].to_numpy(float), lives["died"].to_numpy(bool)
    estimate = survival_at(months, died, YEAR * age)
    times, _ = kaplan_meier(months, died)
    deaths, at_risk, longest = _counts_by_seed(lives, seeds, times[times <= YEAR * age])
    if not len(seeds):
        return Interval(estimate, math.nan, math.nan, n)
    draws = drawn_counts(len(seeds))
    with np.errstate(divide="ignore", invalid="ignore"):
        dying = np.nan_to_num(draws @ deaths / (draws @ at_risk))  # nobody left at risk: nobody dies
    alive: Floats = np.prod(1 - dying, axis=1)
    seen = draws @ (longest >= YEAR * age) > 0
    alive[~seen & (alive > 0)] = math.nan
    return bounded(estimate, n, len(seeds), int((longest > 0).sum()), alive, ESTIMATED_SHARE)


def _counts_by_seed(lives: pd.DataFrame, seeds: Sequence[int], times: Floats) -> tuple[Floats, Floats, Floats]:
    """(deaths at each time, firms at risk then, longest observation) of each seed."""
    deaths, at_risk = np.zeros((len(seeds), len(times))), np.zeros((len(seeds), len(times)))
    longest = np.zeros(len(seeds))
    by_seed = lives.groupby("seed").indices
    all_months, all_died = lives["months"].to_numpy(float), lives["died"].to_numpy(bool)
    for place, seed in enumerate(seeds):
        own = by_seed.get(seed, NOBODY)
        months, died = np.sort(all_months[own]), np.sort(all_months[own][all_died[own]])
        at_risk[place] = len(months) - np.searchsorted(months, times, side="left")
        deaths[place] = np.searchsorted(died, times, side="right") - np.searchsorted(died, times, side="left")
        longest[place] = months[-1] if len(months) else 0.0
    return deaths, at_risk, longest


def cohorts(tables: Tables) -> list[CohortRow]:
    """How entrants ended, by the year in which they were founded, and all together."""
    own = tables.entrants.assign(ending=tables.entrants["ending"].replace("profitable", "alive"))
    founded = own["founded"].dt.year
    groups = [(str(year), own[founded == year]) for year in sorted(founded.dropna().unique())]
    return [_cohort(tables, name, group) for name, group in [*groups, ("all", own)] if len(group)]


def _cohort(tables: Tables, name: str, group: pd.DataFrame) -> CohortRow:
    n = tables.per_seed(group)
    shares = (ratio_of(tables.per_seed(group, group["ending"] == one), n, PLAIN_SHARE) for one in ENDINGS)
    return CohortRow(name, len(group), *shares)
