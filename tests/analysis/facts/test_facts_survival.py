"""Survival, hazards and endings of cohorts, on tables whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.facts.survival import cohorts, share_alive, survival
from analysis.statistics.resampling import ESTIMATED_SHARE, by_seed, interval_of, ratio_of
from analysis.statistics.survival import survival_at
from tests.support.fact_tables import firm, tables


def test_hazards_are_deaths_over_firm_years_and_survival_is_their_product_limit() -> None:
    """Of four, one dies after half a year, one after a year and a half; one is bought after two years and a quarter."""
    rows = survival(
        tables(
            years=4,
            endings=[
                firm("a", "2014-07-01", "bankrupt"),
                firm("b", "2015-07-01", "bankrupt"),
                firm("c", "2016-04-01", "acquired"),
                firm("d"),
                firm("named", "2014-02-01", "bankrupt"),
                firm("giant", kind="incumbent"),
            ],
        )
    )
    assert [row.age_years for row in rows] == [1, 2, 3, 4] and [row.at_risk for row in rows] == [4, 3, 2, 1]
    assert [row.alive.estimate for row in rows] == pytest.approx([0.75, 0.5, 0.5, 0.5])
    assert [row.independent.estimate for row in rows] == pytest.approx([0.75, 0.5, 0.25, 0.25])
    assert [row.failure_hazard.estimate for row in rows] == pytest.approx([1 / 3.5, 1 / 2.5, 0, 0])
    assert rows[2].exit_hazard.estimate == pytest.approx(1 / 1.25)
    assert [row.alive.n for row in rows] == [4, 3, 2, 1]
    assert math.isnan(rows[0].alive.low), "one seed has no interval"


def test_a_listed_firm_goes_on_and_the_end_of_the_run_censors() -> None:
    young = firm("b", founded="2018-01-01")
    rows = survival(tables(years=5, endings=[firm("a", "2015-01-01", "public"), young]))
    assert [row.at_risk for row in rows] == [2, 1, 1, 1, 1]
    assert rows[-1].alive.estimate == 1.0


def test_who_dies_on_the_anniversary_counts_in_that_year_of_age_alone() -> None:
    rows = survival(tables(endings=[firm("a", "2015-01-01", "bankrupt"), firm("b")]))
    assert [row.failure_hazard.estimate for row in rows[:2]] == pytest.approx([0.5, 0.0])
    assert rows[0].alive.estimate == 0.5


def test_no_entrants_give_no_rows() -> None:
    assert survival(tables(endings=[firm("named"), firm("giant", kind="incumbent")])) == []
    assert survival(tables()) == [] and cohorts(tables()) == []


def test_without_a_death_all_survive_and_the_hazard_is_zero() -> None:
    rows = survival(tables(years=2, seeds=(0, 1), endings=[firm("a"), firm("a", seed=1)]))
    assert [row.alive.estimate for row in rows] == [1.0, 1.0] and rows[0].failure_hazard.estimate == 0.0
    assert rows[0].alive.low < 1.0 == rows[0].alive.high, "two seeds do not make survival sure"


def lives() -> pd.DataFrame:
    """Twelve seeds with some censored firms."""
    draw = np.random.default_rng(5)
    months = draw.integers(1, 60, 240).astype(float)
    return pd.DataFrame({"seed": draw.integers(0, 12, 240), "months": months, "died": draw.random(240) < 0.7})


@pytest.mark.parametrize("age", [1, 3, 5])
def test_draws_that_are_counted_give_the_interval_of_draws_that_are_copied(age: int) -> None:
    seeds = range(13)  # the last has no firm
    found = share_alive(lives(), seeds, age, 7)
    values = by_seed(lives(), ["months", "died"], seeds)
    copied = interval_of(values, lambda seen: survival_at(seen[:, 0], seen[:, 1], 12 * age), ESTIMATED_SHARE)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (copied.estimate, copied.low, copied.high), nan_ok=True
    )
    assert found.n == 7


def test_a_ratio_of_sums_has_the_interval_of_drawing_its_seeds_again() -> None:
    own = lives()
    values = by_seed(own, ["died", "months"], range(12))
    found = ratio_of([v[:, 0].sum() for v in values], [v[:, 1].sum() for v in values], ESTIMATED_SHARE)
    copied = interval_of(values, lambda seen: seen[:, 0].sum() / seen[:, 1].sum(), ESTIMATED_SHARE)
    assert (found.estimate, found.low, found.high) == pytest.approx((copied.estimate, copied.low, copied.high))


def test_cohorts_say_how_their_entrants_stand() -> None:
    endings = [
        firm("a", "2014-07-01", "bankrupt"),
        firm("b", ending="profitable"),
        firm("c", "2016-01-01", "public", founded="2015-03-01"),
        firm("d", "2016-01-01", "acquired", founded="2015-03-01"),
    ]
    rows = {row.cohort: row for row in cohorts(tables(endings=endings))}
    assert list(rows) == ["2014", "2015", "all"] and rows["all"].firms == 4
    shares = [
        [getattr(rows[year], name).estimate for name in ("bankrupt", "acquired", "public", "alive")] for year in rows
    ]
    assert shares == [[0.5, 0, 0, 0.5], [0, 0.5, 0.5, 0], [0.25] * 4]
