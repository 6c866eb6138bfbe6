"""Entry: how many startups are founded in a month."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from agents.entry import poisson_count


@given(u=st.floats(0, 1, exclude_min=True, exclude_max=True), rate=st.floats(1e-9, 1e5))
def test_the_count_is_the_quantile_of_the_poisson_distribution(u: float, rate: float) -> None:
    assert poisson_count(u, rate) == poisson.ppf(u, rate)


@pytest.mark.parametrize("u", [1e-300, 0.5, 1 - 2**-53])
def test_nobody_enters_where_nobody_is_expected(u: float) -> None:
    assert poisson_count(u, 0.0) == 0
