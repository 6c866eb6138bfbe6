"""Tails: known exponents are found again, with errors of the right size, and too few values give none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.statistics.tails import FEWEST_POINTS, NO_TAIL, distance, hill, rank_size, tail_of


def pareto(exponent: float, n: int, seed: int = 1) -> np.ndarray:
    return (1 - np.random.default_rng(seed).random(n)) ** (-1 / exponent)


@pytest.mark.parametrize("exponent", [0.8, 1.5, 3.0])
def test_the_exponent_of_a_power_law_is_found(exponent: float) -> None:
    found = tail_of(pareto(exponent, 4000))
    assert abs(found.hill - exponent) < 4 * found.hill_error
    assert abs(found.rank_size - exponent) < 4 * found.rank_size_error
    assert found.hill_error == pytest.approx(found.hill / math.sqrt(found.n))
    assert found.rank_size_error == pytest.approx(found.rank_size * math.sqrt(2 / found.n))


def test_the_cut_off_leaves_out_a_body_that_is_no_power_law() -> None:
    body, tail = np.random.default_rng(2).uniform(0.1, 10, 5000), 10 * pareto(1.2, 1500)
    found = tail_of(np.concatenate([body, tail, np.zeros(100)]))
    assert 7 < found.cut_off < 30 and abs(found.hill - 1.2) < 4 * found.hill_error


def test_hill_and_the_slope_by_hand() -> None:
    assert hill(np.array([4.0, 2.0, 1.0]), 2) == pytest.approx(2 / math.log(8))
    ranks = np.arange(1, 51)
    assert rank_size((ranks - 0.5) ** (-1 / 1.7)) == pytest.approx(1.7), "an exact law has an exact slope"
    assert 0 < distance(np.array([4.0, 2.0, 1.0]), 2) < 1


@pytest.mark.parametrize("values", [[], [1.0] * 500, pareto(1.0, FEWEST_POINTS), [0.0, -1.0, math.nan, math.inf] * 40])
def test_too_few_values_or_all_alike_have_no_tail(values: list[float]) -> None:
    found = tail_of(values)
    assert found.n == 0 and math.isnan(found.hill) and found is NO_TAIL


def test_ties_at_the_cut_off_stay_on_one_side() -> None:
    found = tail_of(np.concatenate([np.full(300, 2.0), 2 * pareto(1.5, 300)]))
    assert found.n == (np.concatenate([np.full(300, 2.0), 2 * pareto(1.5, 300)]) > found.cut_off).sum()
