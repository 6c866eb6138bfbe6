"""Returns of funds: multiples and the internal rate of return, against hand-made examples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.fund_returns import Flow, irr_year, multiple, present_value_usd


@pytest.mark.parametrize(
    ("flows", "rate"),
    [
        ([(0, -100.0), (12, 110.0)], 0.1),
        ([(7, -100.0), (31, 144.0)], 0.2),  # two years; only the distance counts
        ([(0, -100.0), (24, 50.0)], math.sqrt(0.5) - 1),
        ([(0, -100.0), (12, -110.0), (24, 242.0)], 0.1),  # 100 · 1.1² + 110 · 1.1 = 242
        ([(0, -100.0), (12, 60.0), (24, 55.0)], 0.1),  # 60 / 1.1 + 55 / 1.21 = 100
        ([(0, -100.0), (12, 100.0)], 0.0),
        ([(0, -100.0), (9, -1.0)], -1.0),
    ],
)
def test_internal_rate_by_hand(flows: list[Flow], rate: float) -> None:
    assert irr_year(flows) == pytest.approx(rate, abs=1e-9)


@pytest.mark.parametrize("flows", [[], [(0, 0.0)], [(0, 5.0)], [(0, -1.0), (1, 1e9)]])
def test_no_rate_where_nothing_was_paid_in_or_no_rate_balances(flows: list[Flow]) -> None:
    assert math.isnan(irr_year(flows))


@given(st.floats(1, 1e9), st.lists(st.tuples(st.integers(1, 300), st.floats(0.01, 1e9)), min_size=1, max_size=20))
def test_the_rate_makes_the_present_value_nothing(paid: float, back: list[Flow]) -> None:
    flows = sorted([(0, -paid), *back])
    rate = irr_year(flows)
    if not math.isnan(rate):
        monthly = (1 + rate) ** (1 / 12) - 1
        gross = paid + sum(usd / (1 + monthly) ** month for month, usd in back)
        assert abs(present_value_usd(flows, monthly)) < 1e-6 * gross


def test_multiples() -> None:
    assert multiple(150.0, 100.0) == 1.5 and multiple(0.0, 100.0) == 0.0
    assert math.isnan(multiple(0.0, 0.0))
