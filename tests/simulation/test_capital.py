"""Capital: usual terms, what a startup is worth to an investor, who owns what; and the books underneath."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.books import Bank, InsufficientCash
from simulation.capital import (
    CapTable,
    Facts,
    fair_value_usd,
    next_stage,
    protected_price_usd,
    trend,
    usual_round,
)
from simulation.settings import STAGES, CapitalSettings

FACTS = Facts(revenue_usd_year=1e6, growth_year=0.5, advantage_lab=0.4, advantage_field=0.3, free_users=1000)


def test_rounds_of_2014_and_2022_are_those_of_the_sources() -> None:
    """Median pre-money valuations of 2014 by stage (V16); round sizes of both years where V20 has them."""
    capital = CapitalSettings()
    assert [usual_round(capital, s, 2014)[0] for s in ("seed", "A", "B", "C")] == [5.9e6, 13.1e6, 36.9e6, 70.5e6]
    assert usual_round(capital, "seed", 2014)[1] == 1e6 and usual_round(capital, "seed", 2022)[1] == 2.5e6
    assert usual_round(capital, "A", 2022)[1] == 14e6 and usual_round(capital, "B", 2022)[1] == 21e6
    assert usual_round(capital, "seed", 2018)[1] == pytest.approx(1.75e6)
    assert usual_round(capital, "seed", 2018)[0] == pytest.approx(5.9e6 * 1.75)
    assert usual_round(capital, "seed", 2000) == usual_round(capital, "seed", 2014)


def test_stages_follow_each_other_and_growth_repeats() -> None:
    assert [next_stage(stage) for stage in STAGES] == ["A", "B", "C", "growth", "growth"]


def test_a_trend_is_linear_between_years_and_flat_outside() -> None:
    series = {2016: 2.0, 2014: 1.0}
    assert [trend(series, y) for y in (2010, 2014, 2015, 2016, 2030)] == [1.0, 1.0, 1.5, 2.0, 2.0]


@pytest.mark.parametrize("name", ["revenue_usd_year", "growth_year", "free_users", "advantage_lab", "advantage_field"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_startup_is_never_worth_less_for_being_better(name: str, stage: str) -> None:
    capital = CapitalSettings()
    values = [
        fair_value_usd(capital, replace(FACTS, **{name: factor * getattr(FACTS, name)}), stage, 1.0, 2018)  # type: ignore[arg-type]
        for factor in (0.0, 0.5, 1.0, 1.5, 2.0)
    ]
    assert values == sorted(values)
    blind = (stage == "seed" and name == "advantage_field") or (stage == "growth" and name == "advantage_lab")
    assert (values[-1] > values[0]) != blind


def test_fair_value_by_hand() -> None:
    """Series A is the first of four steps: 1 M$ × (6 + 8 × 0.5) + ½ × (30 M$ × (¾ × 0.4 + ¼ × 0.3) + 40 k$)."""
    capital = CapitalSettings(
        revenue_multiple=6, growth_multiple=8, option_usd=30e6, option_fade=0.5, user_value_usd=40
    )
    by_hand = 1e6 * 10 + 0.5 * (30e6 * 0.375 + 40 * 1000)
    assert fair_value_usd(capital, FACTS, "A", 1.0, 2014) == pytest.approx(by_hand)
    assert fair_value_usd(capital, FACTS, "A", 1.6, 2014) == pytest.approx(1.6 * by_hand)


def test_later_money_wants_revenue() -> None:
    """The same technique without revenue is worth less from stage to stage, in the same year and climate."""
    idea = replace(FACTS, revenue_usd_year=0.0, advantage_field=0.4)
    capital = CapitalSettings()
    values = [fair_value_usd(capital, idea, stage, 1.0, 2014) for stage in STAGES]
    assert values == sorted(values, reverse=True)


def test_dilution_by_hand() -> None:
    table = CapTable()
    assert table.shares == {"savers": 1.0}
    table.issue({"early": 2e6}, 8e6)
    assert table.shares == pytest.approx({"savers": 0.8, "early": 0.2})
    table.issue({"early": 5e6, "late": 5e6}, 40e6)
    assert table.shares == pytest.approx({"savers": 0.64, "early": 0.26, "late": 0.1})
    assert table.split(100e6) == pytest.approx({"savers": 64e6, "early": 26e6, "late": 10e6})


def test_preferences_by_hand() -> None:
    """Early paid 2 M$ for 26 % and late 10 M$ for 10 %: worth it to late from 100 M$, to early from 7.7 M$ a firm."""
    table = CapTable()
    table.issue({"early": 2e6}, 8e6)
    table.issue({"late": 10e6}, 90e6)
    assert table.shares == pytest.approx({"savers": 0.72, "early": 0.18, "late": 0.1})
    assert table.split(6e6) == pytest.approx({"savers": 0, "early": 1e6, "late": 5e6})  # less than was paid in
    assert table.split(13e6) == pytest.approx({"savers": 1e6, "early": 2e6, "late": 10e6})  # nobody converts
    assert table.split(40e6) == pytest.approx({"savers": 24e6, "early": 6e6, "late": 10e6})  # early converts
    assert table.split(200e6) == pytest.approx({"savers": 144e6, "early": 36e6, "late": 20e6})  # all convert


def test_a_down_round_by_hand() -> None:
    """Broad-based weighted average: 100 shares, of which early has 20 bought at 1 M$; 10 M$ more at 0.5 M$ a share.

    CP₂ = 1 · (100 + 10) / (100 + 20) = 11/12 M$, so early's 20 shares convert into 20 · 12/11 = 21.82.
    """
    assert protected_price_usd(1e6, 100, 10e6, 0.5e6) == pytest.approx(1e6 * 110 / 120)
    assert protected_price_usd(1e6, 100, 10e6, 1e6) == protected_price_usd(1e6, 100, 10e6, 3e6) == 1e6
    table = CapTable()
    table.issue({"early": 20e6}, 80e6)
    table.issue({"late": 10e6}, 50e6)  # half the price of the last round
    total = 80 + 20 * 12 / 11 + 20
    assert table.shares == pytest.approx({"savers": 80 / total, "early": 20 * 12 / 11 / total, "late": 20 / total})
    assert table.post_money_usd == pytest.approx(0.5e6 * total)
    assert table.preference_usd == {"early": 20e6, "late": 10e6}
    table.issue({"late": 10e6}, 200e6)  # an up round protects nobody again
    assert table.series[0].price_usd / table.series[1].price_usd == pytest.approx(11 / 12 / 0.5)


def test_common_stock_is_not_protected_in_a_down_round() -> None:
    table = CapTable()
    table.issue({"savers": 1e6}, 9e6)
    table.issue({"late": 1e6}, 4e6)
    assert table.shares == pytest.approx({"savers": 0.8, "late": 0.2})


def test_notes_convert_at_a_discount_and_are_repaid_first_by_hand() -> None:
    """Early lends 0.8 M$ and buys at 20 % off the next price: for 1 M$ of shares, beside 10 M$ and 2 M$ of new."""
    table = CapTable()
    table.issue({"early": 2e6}, 8e6)
    table.lend({"early": 0.8e6})
    assert table.shares == pytest.approx({"savers": 0.8, "early": 0.2})
    assert table.split(0.5e6) == pytest.approx({"savers": 0, "early": 0.5e6})
    assert table.split(2.8e6) == pytest.approx({"savers": 0, "early": 2.8e6})
    assert table.split(100.8e6) == pytest.approx({"savers": 80e6, "early": 20.8e6})
    table.issue({"late": 2e6}, 10e6, note_discount=0.2)
    assert table.shares == pytest.approx({"savers": 8 / 13, "early": 3 / 13, "late": 2 / 13})
    assert table.notes_usd == {} and table.preference_usd == {"early": 2.8e6, "late": 2e6}


def test_a_lender_without_shares_is_repaid() -> None:
    table = CapTable()
    table.lend({"angel": 1e6})
    assert table.split(3e6) == pytest.approx({"savers": 2e6, "angel": 1e6})
    assert table.split(0.0) == {"savers": 0.0, "angel": 0.0}


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "savers"]), st.floats(1e3, 1e8), st.floats(1e4, 1e9), st.floats(0, 1e7)),
        min_size=1,
        max_size=10,
    ),
    st.floats(0, 1e10),
)
def test_down_rounds_and_notes_keep_the_table_whole(rounds: list[tuple[str, float, float, float]], sold: float) -> None:
    """Shares sum to 1, no series is worse off than common stock, and a sale pays out exactly its price."""
    table = CapTable()
    for holder, usd, pre, note in rounds:
        before = [sum(series.shares.values()) / table.common for series in table.series]
        common = table.common
        table.issue({holder: usd}, pre, 0.2)
        after = [sum(series.shares.values()) / common for series in table.series]
        assert all(new >= old * (1 - 1e-12) for new, old in zip(after, before, strict=False))
        assert sum(table.shares.values()) == pytest.approx(1, abs=1e-12)
        assert table.post_money_usd >= (pre + usd) * (1 - 1e-9)
        if note > 1:
            table.lend({"a": note})
    parts = table.split(sold)
    assert sum(parts.values()) == pytest.approx(sold, rel=1e-9, abs=1e-6) and min(parts.values()) >= -1e-6
    assert parts.get("a", 0.0) >= min(sold, table.notes_usd.get("a", 0.0)) * (1 - 1e-9)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(1e3, 1e8), st.floats(1e4, 1e9)), min_size=1, max_size=8),
    st.floats(0, 1e10),
)
def test_no_holder_would_rather_have_chosen_otherwise(rounds: list[tuple[str, float, float]], proceeds: float) -> None:
    table = CapTable()
    for holder, usd, pre in rounds:
        table.issue({holder: usd}, pre)
    parts = table.split(proceeds)
    assert sum(parts.values()) == pytest.approx(proceeds, rel=1e-9, abs=1e-6)
    assert min(parts.values()) >= -1e-6
    for holder, claim in table.preference_usd.items():
        if proceeds >= sum(table.preference_usd.values()):
            assert parts[holder] >= claim * (1 - 1e-9)
        price = parts["savers"] / table.shares["savers"]  # what a share of common stock gets
        assert parts[holder] == pytest.approx(max(price * table.shares[holder], min(claim, parts[holder])), rel=1e-6)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(1, 1e9), st.floats(1e4, 1e10)), max_size=12))
def test_shares_always_sum_to_one(rounds: list[tuple[str, float, float]]) -> None:
    table = CapTable()
    for holder, usd, pre in rounds:
        before = table.shares.get("savers", 0.0)
        table.issue({holder: usd}, pre)
        assert table.shares["savers"] <= before
        assert sum(table.shares.values()) == pytest.approx(1, abs=1e-12)
        assert sum(table.split(1e8).values()) == pytest.approx(1e8)


# -- books -------------------------------------------------------------------------------------------------------------


def test_money_moves_and_is_never_made() -> None:
    bank = Bank()
    firm = bank.open("firm")
    bank.pay("savers", "firm", 100.0, "spending", "paid_in_capital")
    assert bank.pay("firm", "workers", 33.333, "wages", "income") == 33.33
    assert firm.cash_usd == 66.67 and bank.books["workers"].cash_usd == 33.33
    assert bank.total_cash_usd() == 0
    assert firm.imbalance_usd() == 0 == bank.books["savers"].imbalance_usd()


def test_a_firm_cannot_pay_what_it_does_not_have_and_nothing_is_booked() -> None:
    bank = Bank()
    firm = bank.open("firm")
    bank.pay("savers", "firm", 10.0, "spending", "paid_in_capital")
    with pytest.raises(InsufficientCash, match=r"firm needs 10\.01 USD and has 10\.00") as caught:
        bank.pay("firm", "workers", 10.01, "wages", "income")
    assert (caught.value.needed_usd, caught.value.cash_usd) == (10.01, 10.0)
    assert firm.cash_usd == 10.0 and bank.books["workers"].cash_usd == 0
    with pytest.raises(ValueError, match="negative"):
        bank.pay("savers", "firm", -1.0, "spending", "sales")
    with pytest.raises(ValueError, match="firm"):
        bank.open("firm")


def test_closing_a_month_moves_the_result_to_equity() -> None:
    bank = Bank()
    firm = bank.open("firm")
    bank.pay("savers", "firm", 100.0, "spending", "paid_in_capital")
    bank.pay("customers", "firm", 50.0, "spending", "sales")
    bank.pay("firm", "workers", 70.0, "wages", "income")
    assert firm.close_month() == (50.0, 70.0)
    assert firm.equity_usd() == firm.assets_usd() == 80.0
    assert firm.close_month() == (0.0, 0.0)
