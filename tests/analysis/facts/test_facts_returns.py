"""Multiples of investments follow the world's own cap table; multiples of funds; shares of the best."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.facts.returns import Priced, funds, investments, multiples, proceeds_usd, top_share
from tests.support.fact_tables import firm, tables

SEED, A, NOTE = Priced("seed", 1e6, 4e6), Priced("A", 5e6, 15e6), Priced("bridge", 1e6, math.nan)
DISCOUNT = 0.2


def test_a_bankruptcy_gives_nothing_back() -> None:
    assert proceeds_usd([SEED, A], ("bankrupt", 0.0), DISCOUNT) == [0.0, 0.0]


def test_in_a_cheap_sale_preferred_stock_comes_first_and_in_a_dear_one_all_have_their_share() -> None:
    """The A holds a quarter and claims 5 M$; the seed round bought a fifth of what was there before."""
    assert proceeds_usd([SEED, A], ("acquired", 4e6), DISCOUNT) == pytest.approx([0.0, 4e6])
    assert proceeds_usd([SEED, A], ("acquired", 10e6), DISCOUNT) == pytest.approx([5e6 / 5, 5e6])
    assert proceeds_usd([SEED, A], ("acquired", 40e6), DISCOUNT) == pytest.approx([40e6 * 0.75 / 5, 10e6])


def test_a_listing_converts_all_stock_and_notes() -> None:
    assert proceeds_usd([SEED, A], ("public", 8e6), DISCOUNT) == pytest.approx([8e6 * 0.75 / 5, 2e6])
    back = proceeds_usd([SEED, NOTE], ("public", 10e6), DISCOUNT)
    assert back[1] == pytest.approx(10e6 * 0.125 / 1.125), "1 M$ at 20 % off the price buys an eighth more shares"


def test_a_note_is_repaid_before_all_stock() -> None:
    assert proceeds_usd([SEED, A, NOTE], ("acquired", 1e6), DISCOUNT) == pytest.approx([0.0, 0.0, 1e6])


def test_after_a_recapitalisation_the_old_money_has_common_stock_and_the_new_its_claim() -> None:
    """2 M$ at 8 M$ before: a fifth. All of the A becomes common, so a sale for 4 M$ pays 2 M$ to the new money first.

    Of the rest the A has its quarter, and the seed round a fifth of the founders' three quarters.
    """
    terms = {"converted": 1.0, "preference": 1.0, "pool_share": 0.0}
    back = proceeds_usd([SEED, A, Priced("recap", 2e6, 8e6, terms)], ("acquired", 4e6), DISCOUNT)
    assert back == pytest.approx([2e6 * 0.75 / 5, 2e6 / 4, 2e6])
    kept = proceeds_usd([SEED, A, Priced("recap", 2e6, 8e6, {**terms, "converted": 0.0})], ("acquired", 4e6), DISCOUNT)
    assert kept == pytest.approx([0.0, 4e6 * 5 / 7, 4e6 * 2 / 7])


def test_terms_of_recapitalisations_are_read_off_their_events() -> None:
    fields = json.dumps({"converted": 1.0, "preference": 1.0, "pool_share": 0.0})
    own = tables(
        endings=[firm("a", "2017-01-01", "acquired", exit_value_usd=4e6)],
        rounds=[
            {"firm": "a", "round": "seed", "time": "2014-02-01", "amount_usd": 1e6, "pre_money_usd": 4e6},
            {"firm": "a", "round": "A", "time": "2015-02-01", "amount_usd": 5e6, "pre_money_usd": 15e6},
            {"firm": "a", "round": "recap", "time": "2016-02-01", "amount_usd": 2e6, "pre_money_usd": 8e6},
        ],
        events=[{"firm": "a", "kind": "recapitalised", "time": "2016-02-01", "fields": fields}],
    )
    assert investments(own)["back_usd"].tolist() == pytest.approx([2e6 * 0.75 / 5, 2e6 / 4, 2e6])


def test_a_price_that_is_missing_leaves_the_multiple_open() -> None:
    assert all(map(math.isnan, proceeds_usd([Priced("seed", 1e6, math.nan)], ("acquired", 1e6), DISCOUNT)))


@given(
    st.lists(st.tuples(st.sampled_from(["A", "B", "bridge"]), st.floats(1e4, 1e8), st.floats(1e5, 1e9)), max_size=4),
    st.floats(1.0, 1e9),
    st.sampled_from(["acquired", "public"]),
)
def test_investors_never_get_more_than_was_paid(later: list[tuple[str, float, float]], usd: float, how: str) -> None:
    back = proceeds_usd([SEED, *(Priced(*one) for one in later)], (how, usd), DISCOUNT)
    assert all(one >= 0 for one in back) and sum(back) <= usd * (1 + 1e-9)


def rows_of(*made: tuple[str, str, str, float]) -> list[dict[str, object]]:
    return [{"firm": f, "round": stage, "time": time, "amount_usd": usd} for f, stage, time, usd in made]


def test_investments_in_firms_that_live_are_not_realised_and_a_listing_counts_whatever_came_after() -> None:
    listed = {"firm": "c", "kind": "listed", "time": "2016-01-01", "fields": json.dumps({"value_usd": 10e6})}
    own = tables(
        endings=[
            firm("a", "2015-01-01", "bankrupt"), firm("b"), firm("c", "2018-01-01", "bankrupt"),
            firm("d", "2016-01-01", "acquired", exit_value_usd=10e6),
        ],
        rounds=rows_of(*((name, "seed", "2014-01-01", 1e6) for name in "abcd")),
        events=[listed],
    )  # fmt: skip
    made = investments(own).set_index("firm")["multiple"]
    assert made.to_dict() == pytest.approx({"a": 0.0, "c": 2.0, "d": 2.0})
    everything, seed = multiples(own)
    assert (everything.of, everything.realised, seed.of) == ("all", 3, "seed")
    assert everything.below_one.estimate == pytest.approx(1 / 3) and everything.pooled.estimate == pytest.approx(4 / 3)
    assert everything.median.estimate == pytest.approx(2.0) and everything.top_share.estimate == pytest.approx(0.5)
    assert everything.tail_points == 0 and math.isnan(everything.tail_exponent.estimate)


def test_nothing_realised_no_rows() -> None:
    assert multiples(tables()) == [] == multiples(tables(endings=[firm("a")], rounds=rows_of()))


def test_the_best_tenth_is_one_of_ten_and_two_of_eleven() -> None:
    amounts = np.array([5.0, *[1.0] * 9])
    assert top_share(amounts, amounts) == pytest.approx(5 / 14)
    assert top_share(np.append(amounts, 1.0), np.append(amounts, 1.0)) == pytest.approx(6 / 15)
    assert math.isnan(top_share(np.zeros(3), np.zeros(3)))


def test_multiples_of_funds() -> None:
    def fund(name: str, paid: float, back: float, left: float, seed: int = 0) -> dict[str, object]:
        worth = {"fees_usd": 0.2 * paid, "distributed_usd": back, "residual_usd": left}
        return {"fund": name, "seed": seed, "paid_in_usd": paid, **worth}

    own = [fund("x", 10.0, 4.0, 4.0), fund("y", 10.0, 20.0, 0.0, seed=1), fund("z", 0.0, 0.0, 0.0)]
    tvpi, dpi, gross = funds(tables(seeds=(0, 1), funds=own))
    assert [row.of for row in (tvpi, dpi, gross)] == ["tvpi", "dpi", "gross"]
    assert (tvpi.below_one.estimate, tvpi.below_one.n, tvpi.median.estimate) == (0.5, 2, pytest.approx(1.4))
    assert dpi.pooled.estimate == pytest.approx(1.2) and gross.pooled.estimate == pytest.approx(28 / 16)
    assert funds(tables(funds=own, sectors_asked=["vision"])) == [], "they invest in all sectors"
