"""Values by expected earnings: annuities by hand, growth that fades, bargains."""

from __future__ import annotations

from math import exp, inf

import pytest
from scipy.integrate import quad

from simulation.capital import Facts, fair_value_usd, revenue_for_value
from simulation.settings import CapitalSettings
from simulation.settings.valuation import ExpectationSettings
from simulation.valuation import (
    ExpectedEarnings,
    bargained_usd,
    discounted_arrivals,
    in_place_usd,
    listing_usd,
    standalone_usd,
    to_come_usd,
)

TERMS = ExpectationSettings(discount_year=0.1, failure_year=0.05, profit_share=0.5, growth_kept=0.5)


def test_customers_in_place_are_an_annuity_that_churn_and_failure_shorten() -> None:
    assert in_place_usd(1e6, 0.15, TERMS, 0.0) == pytest.approx(4e6)
    total, _ = quad(lambda t: 1e6 * exp(-(0.1 + 0.15 + 0.05) * t), 0, inf)
    assert in_place_usd(1e6, 0.15, TERMS, 0.05) == pytest.approx(total)


def test_customers_to_come_are_worth_what_they_pay_from_when_they_come() -> None:
    expected = ExpectedEarnings(gross_margin=0.6, churn_year=0.15, potential_usd_year=1e7, arriving=0.25)
    assert to_come_usd(expected, 0.3, TERMS, 0.05) == pytest.approx(1e7 * 0.25 * 0.3 / 0.3)


def test_customers_come_as_awareness_spreads() -> None:
    """Without imitation the unserved come at a constant hazard, p / (p + w) of them discounted, as years get short."""
    assert discounted_arrivals(0.02, 0.0, 0.3, 0.1) == pytest.approx(0.02 / 0.12, rel=0.1)
    assert discounted_arrivals(0.02, 0.4, 0.3, 0.1) > 2 * discounted_arrivals(0.02, 0.0, 0.3, 0.1)
    assert discounted_arrivals(0.02, 0.4, 0.3, 0.3) < discounted_arrivals(0.02, 0.4, 0.3, 0.1) < 1
    assert discounted_arrivals(0.0, 0.4, 0.0, 0.1) == 0 == discounted_arrivals(0.1, 0.4, 1.0, 0.1)
    assert discounted_arrivals(1.0, 0.0, 0.5, 0.0) == 1


def test_a_startup_by_itself_is_worth_both_less_what_a_firm_costs() -> None:
    expected = ExpectedEarnings(0.6, 0.15, 1e7, 0.3)
    both = in_place_usd(1e6 * 0.3, 0.15, TERMS, 0.05) + to_come_usd(expected, 0.3, TERMS, 0.05)
    assert standalone_usd(1e6, expected, TERMS) == pytest.approx(both)


def test_a_listed_firm_without_growth_is_its_earnings_over_the_discount_rate() -> None:
    flat = ExpectationSettings(discount_year=0.1, growth_long_run_year=0.0, profit_share=0.5)
    assert listing_usd(1e8, 0.0, 0.3, 0.6, flat) == pytest.approx(1e8 * 0.3 / 0.1)


def test_the_multiple_of_a_listing_grows_with_growth_and_margin_and_falls_with_the_rate() -> None:
    def multiple(growth: float = 0.5, margin: float = 0.0, gross: float = 0.6, **said: float) -> float:
        return listing_usd(1.0, growth, margin, gross, ExpectationSettings(**{"growth_kept": 0.5, **said}))

    assert multiple(1.0) > multiple() > multiple(0.0) > 0
    assert multiple(margin=0.2) > multiple() > multiple(margin=-0.5) and multiple(gross=0.8) > multiple()
    assert multiple(discount_year=0.2) < multiple() < multiple(growth_kept=0.8)
    assert listing_usd(1e8, 0.0, -1.0, 0.0, TERMS) == 0, "never below nothing"


def test_growth_fades_by_the_same_part_every_year() -> None:
    """By hand, year by year: growth 0.03 + 0.97 · 0.5ᵗ, margin 0.3 − 0.3 · 0.5ᵗ, and a perpetuity after ten years."""
    huge = ExpectationSettings(discount_year=1.0, growth_kept=0.5, profit_share=0.5)
    years, revenue, value = 0.5, 1.0, 0.0
    for year in range(1, 11):
        revenue *= 1.03 + 0.97 * years
        value += revenue * (0.3 - 0.3 * years) / 2.0**year
        years /= 2
    assert listing_usd(1.0, 1.0, 0.0, 0.6, huge) == pytest.approx(value + revenue * 1.03 * 0.3 / 0.97 / 2**10)


def test_a_firm_does_not_outgrow_its_markets() -> None:
    free = listing_usd(1e6, 30.0, 0.1, 0.6, TERMS)
    bound = listing_usd(1e6, 30.0, 0.1, 0.6, TERMS, 5e6)
    assert bound < free and bound < listing_usd(5e6, 0.03, 0.3, 0.6, TERMS)
    assert listing_usd(1e6, 0.0, 0.1, 0.6, TERMS, 1e9) == listing_usd(1e6, 0.0, 0.1, 0.6, TERMS)


def test_a_bargain_shares_the_gain() -> None:
    assert bargained_usd(10e6, 6e6, 1e9, TERMS) == 8e6
    assert bargained_usd(10e6, 6e6, 7e6, TERMS) == 7e6 and bargained_usd(10e6, 6e6, 5e6, TERMS) == 0
    assert bargained_usd(6e6, 6e6, 1e9, TERMS) == 0


def test_funds_value_prospects_where_they_know_them_in_the_climate_of_the_day() -> None:
    capital = CapitalSettings()
    plain = Facts(1e6, 1.0, 0.5, 0.5, 0.0)
    known = Facts(1e6, 1.0, 0.5, 0.5, 0.0, ExpectedEarnings(0.6, 0.15, 1e7, 0.3))
    value = standalone_usd(1e6, known.expected, capital.expectation)  # type: ignore[arg-type]
    assert fair_value_usd(capital, known, "A", 0.5, 2016) == pytest.approx(0.5 * value)
    assert fair_value_usd(capital, plain, "A", 0.5, 2016) != pytest.approx(0.5 * value)
    asked = revenue_for_value(capital, 2e7, known, "A", 0.5, 2016)
    wanted = Facts(asked, 1.0, 0.5, 0.5, 0.0, known.expected)
    assert fair_value_usd(capital, wanted, "A", 0.5, 2016) == pytest.approx(2e7)
