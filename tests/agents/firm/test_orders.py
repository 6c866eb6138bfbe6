"""What a laboratory can spend on a run, and how long the run then holds GPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm.orders import Funds

HOURS = st.floats(0, 1e7)
GAIN = st.floats(0.5, 3)


@given(hours=HOURS, gain=GAIN)
def test_without_a_public_programme_tooling_alone_says_how_long_to_the_last_bit(hours: float, gain: float) -> None:
    assert Funds(1e4, 2.0, 10.0, gain).held_hours(hours) == hours / gain


@given(hours=HOURS, gain=GAIN)
def test_public_hours_are_neither_paid_nor_saved(hours: float, gain: float) -> None:
    funds = Funds(1e4, 2.0, 10.0, gain, public_hours=500.0)
    assert funds.paid_hours(hours) == max(hours - 500, 0)
    assert funds.held_hours(hours) == pytest.approx(min(hours, 500) + max(hours - 500, 0) / gain)
    assert funds.hours == 10.0 + 500.0 + 5_000.0
