"""Intervals against published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.statistics.intervals import (
    Interval,
    alike_bounds,
    bootstrap_means,
    bootstrap_ratio,
    paired_means,
    paired_share_difference,
    wilson,
)
from analysis.statistics.verdicts import MANY_ALIKE, EffectVerdict, effect_verdict


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_of_newcombe_1998_table_1(successes: int, n: int, low: float, high: float) -> None:
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, method 3.
    found = wilson(successes, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.estimate == successes / n


def test_wilson_mirrors_and_stays_between_0_and_1() -> None:
    few, many = wilson(1, 29), wilson(28, 29)
    assert (1 - many.high, 1 - many.low) == pytest.approx((few.low, few.high))
    assert wilson(20, 20).high == 1.0 and wilson(0, 20).low == 0.0
    nothing = wilson(0, 0)
    assert math.isnan(nothing.estimate) and not nothing.is_known
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(3, 2)


def pairs(both: int, gained: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """(treated, control) with these counts of pairs."""
    counts = (both, gained, lost, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def test_paired_shares_give_tangos_interval_of_fagerland_2014() -> None:
    # Airway reactivity before and after stem-cell transplantation (Bentur 2009): 1, 1, 7, 12 of 21 pairs;
    # Fagerland, Lydersen & Laake (2014), doi:10.1002/sim.6148: -0.517 to -0.026.
    found = paired_share_difference(*pairs(1, 1, 7, 12))
    assert (round(found.low, 3), round(found.high, 3)) == (-0.517, -0.026)
    assert found.estimate == pytest.approx(-6 / 21)
    assert found.excludes_zero


def test_paired_shares_agree_with_r_propcis() -> None:
    # PropCIs::scoreci.mp(25, 28, 618, 0.90) = -0.0148 to 0.0247 for (28 - 25) / 618.
    found = paired_share_difference(*pairs(300, 28, 25, 265), level=0.90)
    assert (round(found.low, 4), round(found.high, 4)) == (-0.0148, 0.0247)


def test_paired_shares_at_the_edges() -> None:
    z2 = 1.959963984540054**2
    same = paired_share_difference(*pairs(20, 0, 0, 12))
    assert (same.low, same.high) == pytest.approx((-z2 / (32 + z2), z2 / (32 + z2)))  # closed form for no discord
    assert same.estimate == 0 and not same.excludes_zero
    all_lost = paired_share_difference(*pairs(0, 0, 10, 0))
    assert all_lost.low == all_lost.estimate == -1.0
    assert all_lost.high == pytest.approx(-(10 - z2) / (10 + z2))
    mirrored = paired_share_difference(*pairs(1, 7, 1, 12))
    assert (mirrored.low, mirrored.high) == pytest.approx((0.026, 0.517), abs=5e-4)


def test_pairing_matters_where_arms_agree_seed_by_seed() -> None:
    correlated = paired_share_difference(*pairs(16, 0, 5, 11))
    opposed = paired_share_difference(*pairs(6, 10, 15, 1))
    assert correlated.estimate == opposed.estimate
    assert correlated.excludes_zero and not opposed.excludes_zero


def test_paired_means_give_students_sleep_interval() -> None:
    # Student (1908): extra sleep under two drugs; R: t.test(extra ~ group, paired = TRUE) on `sleep`.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = paired_means(second, first)
    assert (found.treated, found.control) == pytest.approx((2.33, 0.75))
    assert found.effect.estimate == pytest.approx(1.58)
    assert (found.effect.low, found.effect.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_paired_means_are_of_the_same_pairs_and_leave_out_what_is_missing() -> None:
    found = paired_means([1.0, math.nan, 3.0, 5.0, 9.0], [0.0, 1.0, 1.0, 2.0, math.nan])
    assert (found.treated, found.control, found.effect.estimate, found.effect.n) == (3.0, 1.0, 2.0, 3)
    draws = np.random.default_rng(1).normal(1e9, 1, (2, 200))
    many = paired_means(*draws)
    assert many.treated - many.control == many.effect.estimate
    with pytest.raises(ValueError, match="one length"):
        paired_means([1.0], [1.0, 2.0])


ONE_SEED: dict[str, Interval] = {
    "a share": wilson(1, 1),
    "a share of none": wilson(0, 1),
    "two shares": paired_share_difference([True], [False]),
    "two means": paired_means([2.0], [1.0]).effect,
    "two means of shares": paired_means([1.0], [0.5], is_share=True).effect,
    "a bootstrap": bootstrap_means([[0.5]])[0],
    "a pooled share": bootstrap_ratio([3], [9]),
    "a pooled share of one seed among empty ones": bootstrap_ratio([3, 0, 0], [9, 0, 0]),
}


@pytest.mark.parametrize("what", ONE_SEED)
def test_one_seed_has_no_interval_whatever_is_measured(what: str) -> None:
    one = ONE_SEED[what]
    assert not one.is_known and not one.excludes_zero and not math.isnan(one.estimate)
    assert one.as_dict("x") == {"x": one.estimate, "low": None, "high": None, "n": one.n}


SEEDS = (2, 4, 8, 200)


@pytest.mark.parametrize("n", SEEDS)
def test_seeds_that_agree_have_no_point_for_an_interval(n: int) -> None:
    """Means of unbounded numbers have none; shares have a bound that narrows as seeds become more."""
    same = np.full(n, 0.1) * np.arange(1, n + 1)  # differences that are equal but for rounding
    for shift in (0.0, 0.3):
        assert not paired_means(same + shift, same).effect.is_known
    shares = {
        "share": wilson(n, n), "none": wilson(0, n), "pairs": paired_share_difference([True] * n, [True] * n),
        "means": paired_means(np.full(n, 0.7), np.full(n, 0.7), is_share=True).effect,
        "bootstrap": bootstrap_means(np.full((n, 1), 1 / 3))[0], "ratio": bootstrap_ratio([1] * n, [3] * n),
    }  # fmt: skip
    for name, one in shares.items():
        assert one.high - one.low > 1 / n and one.low <= one.estimate <= one.high, name


def test_a_mean_of_equal_shares_is_bound_by_the_seeds_that_may_still_differ() -> None:
    half = wilson(0, 8).high
    assert alike_bounds(0.2, 8) == pytest.approx((0.2 - half, 0.2 + half))
    assert alike_bounds(0.9, 8)[1] == 1.0 and alike_bounds(-0.9, 8)[0] == -1.0
    low, high = alike_bounds(-2.0, 2)  # an interaction of two causes can be as large
    assert low <= -2.0 <= high
    same = paired_means([0.5] * 8, [0.25] * 8, is_share=True).effect
    assert (same.low, same.high) == pytest.approx(alike_bounds(0.25, 8))


def test_a_difference_of_shares_keeps_to_what_shares_can_differ_by() -> None:
    found = paired_means([0, 0, 0, 0], [1, 0, 0, 0], is_share=True).effect
    assert (found.estimate, found.low) == (-0.25, -1.0) and 0 < found.high < 1


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        (Interval(1.0, 0.5, 1.5, 9), "increase"),
        (Interval(-1.0, -1.5, -0.5, 9), "decrease"),
        (Interval(1.0, -0.5, 2.5, 9), "open"),
        (Interval(1.0, math.nan, math.nan, 1), "too few seeds"),
        (Interval(0.0, math.nan, math.nan, MANY_ALIKE - 1), "too few seeds"),
        (Interval(0.0, math.nan, math.nan, MANY_ALIKE), "alike"),
        (Interval(math.nan, math.nan, math.nan, 0), "no figure"),
    ],
)
def test_a_verdict_says_no_more_than_the_interval(effect: Interval, verdict: EffectVerdict) -> None:
    assert effect_verdict(effect) == verdict
