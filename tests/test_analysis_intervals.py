"""Intervals against published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.statistics.intervals import paired_mean_difference, paired_share_difference, wilson


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
    assert math.isnan(nothing.estimate) and (nothing.low, nothing.high) == (0.0, 1.0)
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
    found = paired_mean_difference(second, first)
    assert found.estimate == pytest.approx(1.58)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_paired_means_leave_out_missing_pairs_and_say_when_they_cannot_tell() -> None:
    found = paired_mean_difference([1.0, math.nan, 3.0, 5.0], [0.0, 1.0, 1.0, 2.0])
    assert (found.estimate, found.n) == (2.0, 3)
    one = paired_mean_difference([2.0], [1.0])
    assert one.estimate == 1.0 and math.isnan(one.low)
    assert one.as_dict("effect") == {"effect": 1.0, "low": None, "high": None, "n": 1}
    with pytest.raises(ValueError, match="one length"):
        paired_mean_difference([1.0], [1.0, 2.0])
