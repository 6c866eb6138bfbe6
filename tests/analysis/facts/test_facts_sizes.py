"""Sizes at the end of the run and growth from year to year."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import kurtosis, pearsonr

from analysis.facts.growth import correlation, excess_kurtosis, growth, growth_rates, netted, size_slope, tent
from analysis.facts.sizes import sizes
from tests.support.fact_tables import months, tables


def yearly(name: str, *sales: float, **more: Any) -> list[dict[str, Any]]:
    """Rows of a firm with these sales by year, USD, from 2014 on."""
    return months(name, "2014-01-01", 12 * len(sales), sales_usd=lambda i: sales[i // 12] / 12, **more)


def test_sizes_are_of_the_last_month_and_the_last_full_year() -> None:
    rows = [
        *yearly("a", 1e6, 2e6, headcount=10.0),
        *yearly("b", 1e6, 4e6, headcount=30.0),
        *months("late", "2015-06-01", 7, sales_usd=1e6, headcount=5.0),
        *yearly("gone", 9e6, headcount=99.0),
        *yearly("giant", 5e7, 6e7, headcount=200.0, kind="incumbent"),
    ]
    found = {(row.of, row.measure): row for row in sizes(tables(2, firms=rows))}
    assert found["startups", "headcount"].firms == 3 and found["startups", "headcount"].median.estimate == 10
    assert found["firms", "headcount"].largest_1_percent.estimate == pytest.approx(200 / 245)
    sales = found["startups", "sales"]
    assert (sales.firms, sales.median.estimate, sales.unit) == (2, pytest.approx(3e6), "USD/year")
    assert sales.largest_10_percent.estimate == pytest.approx(4 / 6) and sales.tail_points == 0


def test_a_tail_of_sizes_has_both_exponents() -> None:
    draw = (1 - np.random.default_rng(3).random(600)) ** (-1 / 1.3)
    rows = [
        {**months(f"f{i}", "2014-12-01", 1, headcount=size)[0], "seed": i % 6} for i, size in enumerate(draw.tolist())
    ]
    row = sizes(tables(1, range(6), firms=rows))[0]
    assert abs(row.tail_exponent.estimate - 1.3) < 4 * row.tail_error and row.tail_exponent.is_known
    assert abs(row.rank_size - 1.3) < 4 * row.rank_size_error and row.tail_exponent.n == row.tail_points


def test_nobody_at_the_end_no_sizes_no_growth() -> None:
    assert sizes(tables()) == [] == growth(tables())
    assert growth(tables(2, firms=yearly("a", 1e6))) == [], "one year has no growth"


def test_growth_is_of_full_years_with_sales_worth_the_name() -> None:
    rows = [
        *yearly("a", 1e6, 2e6, 2e6),
        *yearly("small", 1e3, 1e7),
        *months("late", "2014-03-01", 34, sales_usd=1e5),
    ]
    rates = growth_rates(tables(3, firms=rows)).set_index(["firm", "year"])["g"]
    assert rates.to_dict() == pytest.approx({("a", 2014): math.log(2), ("a", 2015): 0.0, ("late", 2015): 0.0})
    (startups, firms) = growth(tables(3, firms=rows))
    assert startups.rates == firms.rates == 3 and startups.median.estimate == pytest.approx(0.0)
    assert startups.falling.estimate == 0.0


def test_net_growth_is_less_the_mean_of_sector_and_year_and_knows_the_year_before() -> None:
    rows = [*yearly("a", 1e6, 2e6, 2e6), *yearly("b", 1e6, 1e6, 2e6)]
    own = netted(growth_rates(tables(3, firms=rows))).set_index(["firm", "year"])
    half = math.log(2) / 2
    assert own["net"].to_dict() == pytest.approx(
        {("a", 2014): half, ("a", 2015): -half, ("b", 2014): -half, ("b", 2015): half}
    )
    assert own.loc[("a", 2015), "before"] == pytest.approx(half) and math.isnan(own.loc[("a", 2014), "before"])


def test_the_shape_tells_a_tent_from_a_bell() -> None:
    draw = np.random.default_rng(4)
    assert tent(draw.laplace(size=20_000)) == pytest.approx(0.072, abs=0.01), "ln(2π)/2 + 1/2 + ln(2)/2 − ln 2 − 1"
    assert tent(draw.normal(size=20_000)) < -0.03


def test_the_slope_by_size_of_a_spread_that_falls_with_size() -> None:
    draw = np.random.default_rng(5)
    size = draw.uniform(10, 20, 20_000)
    assert size_slope(draw.normal(size=20_000) * np.exp(-0.2 * size), size) == pytest.approx(-0.2, abs=0.02)
    assert math.isnan(size_slope(np.arange(8.0), np.arange(8.0))), "too few for three bins"
    assert math.isnan(size_slope(draw.normal(size=100), np.full(100, 3.0)))


def test_a_correlation_needs_three_rows_that_vary() -> None:
    assert correlation(np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])) == pytest.approx(1.0)
    assert math.isnan(correlation(np.zeros((2, 2)))) and math.isnan(correlation(np.ones((5, 2))))


def test_moments_are_those_of_scipy() -> None:
    draw = np.random.default_rng(6).standard_t(5, (300, 2))
    assert excess_kurtosis(draw[:, 0]) == pytest.approx(kurtosis(draw[:, 0]))
    assert correlation(draw) == pytest.approx(pearsonr(draw[:, 0], draw[:, 1]).statistic)
