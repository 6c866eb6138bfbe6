"""The funnel: who reaches which stage, and after how many months."""

from __future__ import annotations

import math

import pytest

from analysis.facts.funding import funnel
from tests.support.fact_tables import firm, tables


def rounds(name: str, *dated: tuple[str, str], seed: int = 0) -> list[dict[str, object]]:
    return [{"firm": name, "round": stage, "time": time, "seed": seed} for stage, time in dated]


def test_shares_and_months_of_each_stage() -> None:
    made = [
        *rounds("a", ("seed", "2014-01-01"), ("bridge", "2014-06-01"), ("A", "2015-01-01"), ("B", "2016-07-01")),
        *rounds("b", ("seed", "2014-01-01"), ("A", "2015-03-01")),
        *rounds("c", ("seed", "2014-01-01")),
        *rounds("d", ("seed", "2014-01-01")),
        *rounds("named", ("seed", "2014-01-01"), ("A", "2014-02-01")),
    ]
    endings = [firm("a"), firm("b"), firm("c", "2014-12-01", "bankrupt"), firm("d"), firm("named")]
    a, b, c, growth = funnel(tables(rounds=made, endings=endings))
    assert [row.stage for row in (a, b, c, growth)] == ["A", "B", "C", "growth"]
    assert (a.reached.estimate, a.reached.n) == (0.5, 4) and b.reached.estimate == 0.25
    assert (b.of_previous.estimate, b.of_previous.n) == (0.5, 2)
    assert (a.months_lower.estimate, a.months_median.estimate, a.months_upper.estimate) == (12.5, 13.0, 13.5)
    assert b.months_median.estimate == 18.0 and b.months_median.n == 1
    assert c.reached.estimate == 0.0 and math.isnan(c.months_median.estimate)
    assert growth.of_previous.n == 0 and math.isnan(growth.of_previous.estimate)


def test_the_end_of_the_run_censors_and_an_end_of_the_firm_does_not() -> None:
    """Two of four have no five years; one of the others went bankrupt: it stays among those who have not reached A."""
    made = [
        *rounds("a", ("seed", "2014-01-01"), ("A", "2015-01-01")),
        *rounds("b", ("seed", "2014-01-01")),
        *rounds("c", ("seed", "2019-07-01")),
        *rounds("d", ("seed", "2019-07-01")),
    ]
    endings = [firm("a"), firm("b", "2014-03-01", "bankrupt"), *(firm(name, founded="2019-07-01") for name in "cd")]
    a = funnel(tables(rounds=made, endings=endings))[0]
    assert a.reached.estimate == 0.25, "so far"
    assert a.reached_in_time.estimate == pytest.approx(0.5) and a.reached_in_time.n == 2


def test_no_seed_round_no_funnel() -> None:
    assert funnel(tables(endings=[firm("a")])) == [] == funnel(tables())
