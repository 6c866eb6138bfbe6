"""Recapitalisations: who loses what, and what a sale pays to whom after one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.capital import CapTable
from simulation.recapitalisation import clearing_price_usd, parts_due_usd, recapitalise
from simulation.settings.valuation import RecapitalisationSettings


def two_rounds() -> CapTable:
    """Worth 40 M$ after its B round: founders 45 %, early 30 %, late 25 %."""
    table = CapTable()
    table.issue({"early": 12e6}, 18e6, 0.2)
    table.issue({"late": 10e6}, 30e6, 0.2)
    return table


def terms(**said: float) -> RecapitalisationSettings:
    return RecapitalisationSettings(**{"pool_share": 0.0, **said})


def test_each_holder_of_preferred_stock_owes_its_part() -> None:
    assert parts_due_usd(two_rounds(), 11e6) == pytest.approx({"early": 6e6, "late": 5e6})
    assert parts_due_usd(CapTable(), 11e6) == {}


def test_who_pays_nothing_becomes_common_and_who_pays_keeps_all() -> None:
    """2 M$ at 3 M$ before: the new money gets 40 %. Early stock keeps its claim of 12 M$, late stock loses its own."""
    table = two_rounds()
    moved = recapitalise(table, {"early": 2e6}, 3e6, terms(), 0.2)
    assert moved == pytest.approx(0.25 / 0.55)
    assert table.shares == pytest.approx({"savers": 0.27, "early": 0.18 + 0.4, "late": 0.15})
    assert table.preference_usd == {"early": 14e6} and table.other_common["late"] == pytest.approx(1 / 1.8)
    assert table.post_money_usd == pytest.approx(5e6)


def test_who_pays_a_part_keeps_that_part() -> None:
    """Of 2 M$, late owed 0.909 M$ and paid half of that: half of its stock becomes common."""
    table, due = two_rounds(), 2e6 * 0.25 / 0.55
    recapitalise(table, {"early": 2e6 - due / 2, "late": due / 2}, 3e6, terms(), 0.2)
    assert table.preference_usd["late"] == pytest.approx(5e6 + due / 2)
    assert sum(one.shares.get("late", 0.0) for one in table.series[:2]) == pytest.approx(0.5 / 1.8)


def test_without_pay_to_play_nobody_is_converted_but_all_are_diluted() -> None:
    table = two_rounds()
    assert recapitalise(table, {"early": 2e6}, 3e6, terms(pay_to_play=0), 0.2) == 0
    assert table.preference_usd == {"early": 14e6, "late": 10e6} and table.other_common == {}
    assert table.shares["late"] == pytest.approx(0.15), "no protection against the low price"


def test_founders_and_staff_get_a_new_pool_and_notes_convert() -> None:
    table = two_rounds()
    table.lend({"early": 0.8e6})
    recapitalise(table, {"outside": 2e6}, 3e6, terms(pool_share=0.2), 0.2)
    assert table.notes_usd == {} and table.preference_usd == {"outside": 2e6, "early": 0.8e6}
    before_pool = 3e6 + 2e6 + 0.8e6 / 0.8
    assert table.shares["savers"] == pytest.approx(0.2 + 0.8 * 0.45 * 3e6 / before_pool)
    assert sum(table.shares.values()) == pytest.approx(1)


def test_a_sale_after_a_recapitalisation_by_hand() -> None:
    """New money claims 2 M$ (twice: 4 M$) first; what is left goes by shares, converted stock among the common."""
    table = two_rounds()
    recapitalise(table, {"outside": 2e6}, 3e6, terms(), 0.2)
    assert table.split(1.5e6) == pytest.approx({"savers": 0, "early": 0, "late": 0, "outside": 1.5e6})
    assert table.split(3e6) == pytest.approx({"savers": 0.45e6, "early": 0.3e6, "late": 0.25e6, "outside": 2e6})
    assert table.split(10e6) == pytest.approx({"savers": 2.7e6, "early": 1.8e6, "late": 1.5e6, "outside": 4e6})
    double = two_rounds()
    recapitalise(double, {"outside": 2e6}, 3e6, terms(preference=2.0), 0.2)
    assert double.split(5e6)["outside"] == pytest.approx(4e6)


def test_a_holder_of_both_kinds_gets_its_claim_and_its_part_of_the_common() -> None:
    """Early pays half of the 2 M$ that it owes, so half of its old stock becomes common: an eighth of the firm.

    Of 8 M$ it takes its claims of 6 M$, outside its 1 M$ (a quarter of the firm is worth less), and the last 1 M$ goes
    to the common stock, of which founders hold two thirds.
    """
    table = CapTable()
    table.issue({"early": 10e6}, 10e6, 0.2)
    recapitalise(table, {"early": 1e6, "outside": 1e6}, 2e6, terms(), 0.2)
    assert table.shares == pytest.approx({"savers": 0.25, "early": 0.25 + 0.25, "outside": 0.25})
    assert table.preference_usd == pytest.approx({"early": 6e6, "outside": 1e6})
    assert table.split(8e6) == pytest.approx({"savers": 2e6 / 3, "early": 6e6 + 1e6 / 3, "outside": 1e6})
    assert table.split(80e6) == pytest.approx({"savers": 20e6, "early": 40e6, "outside": 20e6}), "all convert"


@given(
    paid=st.tuples(st.floats(0, 3e6), st.floats(0, 3e6), st.floats(1e5, 3e6)),
    pre=st.floats(1e5, 1e8),
    share=st.floats(0, 1),
    preference=st.floats(0, 3),
    price=st.floats(0, 1e8),
)
def test_shares_and_proceeds_add_up_whatever_the_terms(
    paid: tuple[float, float, float], pre: float, share: float, preference: float, price: float
) -> None:
    table = two_rounds()
    invested = {name: usd for name, usd in zip(("early", "late", "outside"), paid, strict=True) if usd > 0}
    moved = recapitalise(table, invested, pre, terms(pay_to_play=share, preference=preference, pool_share=0.1), 0.2)
    assert 0 <= moved <= 1 + 1e-12 and sum(table.shares.values()) == pytest.approx(1)
    parts = table.split(price)
    assert sum(parts.values()) == pytest.approx(price, abs=1e-3) and min(parts.values()) >= -1e-6
    post = table.post_money_usd
    assert parts_due_usd(table, 1.0).keys() <= table.shares.keys() and post > pre


def test_the_price_that_clears() -> None:
    offers = {"a": (10e6, 1e6), "b": (4e6, 1e6), "c": (2e6, 5e6)}
    assert clearing_price_usd(offers, 1e6) == 10e6 and clearing_price_usd(offers, 2e6) == 4e6
    assert clearing_price_usd(offers, 2.1e6) == 2e6 == clearing_price_usd(offers, 50e6)
    assert clearing_price_usd({}, 1e6) == 0
