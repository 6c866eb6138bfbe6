"""Demand: the vectorised choice is the multinomial logit of the textbook, adoption is Bass's curve, trust is earned."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.demand import advantage, aware_unserved, choose, inclusive_value, next_trust

OUTSIDE = -1
Case = dict[str, np.ndarray]


def by_hand(case: Case) -> tuple[list[float], list[float]]:
    """(lost, won) of every offer, one group of customers and one alternative at a time (McFadden 1974)."""
    n = len(case["segment"])
    lost, won = [0.0] * n, [0.0] * n

    def spread(group: float, utilities: dict[int, float], supplier: int) -> None:
        total = sum(math.exp(u) for u in utilities.values())
        for choice, utility in utilities.items():
            people = group * math.exp(utility) / total
            if choice != supplier and supplier != OUTSIDE:
                lost[supplier] += people
            if choice not in (supplier, OUTSIDE):
                won[choice] += people

    for g, people in enumerate(case["aware"]):
        offers = [j for j in range(n) if case["segment"][j] == g]
        first = {j: case["newcomer"][j] - case["hurdle"][g] for j in offers}
        spread(people, {OUTSIDE: 0.0, **first}, OUTSIDE)
        for i in offers:
            rivals = {j: case["newcomer"][j] - case["switching"][g] for j in offers if j != i}
            spread(case["choosing"][i], {OUTSIDE: -case["switching"][g], **rivals, i: case["own"][i]}, i)
    return lost, won


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n, g = draw(st.integers(1, 6)), draw(st.integers(1, 3))

    def floats(low: float, high: float, size: int) -> np.ndarray:
        return np.array(draw(st.lists(st.floats(low, high), min_size=size, max_size=size)))

    newcomer = floats(-6, 6, n)
    newcomer[draw(st.lists(st.booleans(), min_size=n, max_size=n))] = -np.inf
    return {
        "segment": np.array(draw(st.lists(st.integers(0, g - 1), min_size=n, max_size=n))), "newcomer": newcomer,
        "own": floats(-6, 6, n), "choosing": floats(0, 1e6, n), "aware": floats(0, 1e6, g),
        "switching": floats(0, 5, g), "hurdle": floats(-3, 5, g),
    }  # fmt: skip


@given(cases())
def test_flows_equal_the_logit_formula_worked_out_one_by_one(case: Case) -> None:
    choices = choose(**case)
    lost, won = by_hand(case)
    np.testing.assert_allclose(choices.lost, lost, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(choices.won, won, rtol=1e-9, atol=1e-6)


@given(cases())
def test_flows_conserve_customers(case: Case) -> None:
    choices = choose(**case)
    n_segments = len(case["aware"])
    lost = np.bincount(case["segment"], choices.lost, n_segments)
    won = np.bincount(case["segment"], choices.won, n_segments)
    assert (choices.lost >= 0).all() and (choices.lost <= case["choosing"] * (1 + 1e-12)).all()
    assert (won <= (lost + case["aware"]) * (1 + 1e-9) + 1e-9).all()
    assert (choices.won[np.isneginf(case["newcomer"])] == 0).all()


def one_segment(newcomer: list[float], own: list[float], switching: float = 1.0, hurdle: float = 1.0) -> Case:
    return {
        "segment": np.zeros(len(own), int), "newcomer": np.array(newcomer), "own": np.array(own),
        "choosing": np.full(len(own), 100.0), "aware": np.array([100.0]), "switching": np.array([switching]),
        "hurdle": np.array([hurdle]),
    }  # fmt: skip


def test_an_offer_that_must_lose_its_customers_loses_all_who_choose() -> None:
    choices = choose(**one_segment([-np.inf, 1.0], [-np.inf, 1.0]))
    assert choices.lost[0] == 100 and choices.won[0] == 0


def test_switching_cost_holds_customers_and_the_hurdle_holds_back_newcomers() -> None:
    easy, hard = (choose(**one_segment([1.0, 1.2], [1.0, 1.2], switching=s)) for s in (0.0, 3.0))
    assert (hard.lost < easy.lost).all()
    low, high = (choose(**one_segment([1.0, 1.2], [1.0, 1.2], hurdle=h)) for h in (0.0, 3.0))
    assert (high.won < low.won).all() and (high.lost == low.lost).all()


def test_a_better_offer_wins_more_and_takes_from_its_rival() -> None:
    before, after = (choose(**one_segment([u, 1.0], [u, 1.0])) for u in (1.0, 2.0))
    assert after.won[0] > before.won[0] and after.lost[0] < before.lost[0]
    assert after.won[1] < before.won[1] and after.lost[1] > before.lost[1]


def test_the_irrelevant_alternative_does_not_matter() -> None:
    """The logit's own property: the odds of two offers do not depend on a third (Luce 1959)."""
    two = choose(**{**one_segment([1.0, 0.3], [1.0, 0.3]), "choosing": np.zeros(2)}).won
    three = choose(**{**one_segment([1.0, 0.3, 2.0], [1.0, 0.3, 2.0]), "choosing": np.zeros(3)}).won
    assert three[0] / three[1] == pytest.approx(two[0] / two[1]) == pytest.approx(math.exp(0.7))


def test_adoption_without_competition_follows_the_curve_of_bass() -> None:
    """F(t) = (1 − e^{−(p+q)t}) / (1 + (q/p) e^{−(p+q)t}); a monthly step is off by less than one point and a half."""
    p, q, adopters, worst = 0.03, 0.38, 0.0, 0.0
    for month in range(1, 12 * 20):
        adopters += float(
            aware_unserved(np.array([1 - adopters]), np.array([adopters]), np.array([p]), np.array([q]))[0]
        )
        decay = math.exp(-(p + q) * month / 12)
        worst = max(worst, abs(adopters - (1 - decay) / (1 + q / p * decay)))
    assert worst < 0.015 and adopters > 0.95


def test_never_do_more_customers_look_than_there_are() -> None:
    assert aware_unserved(np.array([10.0]), np.array([1.0]), np.array([10.0]), np.array([30.0]))[0] == 10


def test_advantage_is_the_share_of_errors_removed() -> None:
    assert advantage(0.9, 0.8) == pytest.approx(0.5)
    assert advantage(0.8, 0.8) == 0 and advantage(1.0, 0.3) == 1
    assert advantage(0.7, 0.8) == pytest.approx(-0.5) and advantage(0.1, 0.9) == -1
    assert advantage(1.0, 1.0) == 1 and advantage(0.9, 1.0) == -1


def test_the_value_of_a_choice_grows_with_every_offer() -> None:
    segment = np.array([0, 0, 1])
    value = inclusive_value(segment, np.array([1.0, -np.inf, 1.0]), 3)
    assert value == pytest.approx([math.log(1 + math.e), math.log(1 + math.e), 0.0])
    assert inclusive_value(segment, np.array([1.0, 0.0, 1.0]), 3)[0] > value[0]


def test_trust_follows_experience() -> None:
    kept, broken = np.array([0.0]), np.array([0.4])
    assert next_trust(np.array([0.5]), kept, 0.1, 0.8)[0] == pytest.approx(0.55)
    assert next_trust(np.array([0.8]), broken, 0.1, 0.8)[0] == pytest.approx(0.77)
    assert next_trust(np.array([0.5]), -broken, 0.1, 0.8)[0] == pytest.approx(0.55)  # better than promised: as promised
    trust = np.array([0.9])
    for _ in range(200):
        trust = next_trust(trust, broken, 0.1, 0.8)
    assert trust[0] == pytest.approx(0.5)


@given(st.floats(0, 1), st.floats(-5, 5), st.floats(0, 1), st.floats(0.01, 5))
def test_trust_stays_between_none_and_full(trust: float, gap: float, speed: float, tolerance: float) -> None:
    assert 0 <= next_trust(np.array([trust]), np.array([gap]), speed, tolerance)[0] <= 1
