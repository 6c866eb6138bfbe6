"""Stated reasons: how often, how many, and whether they tell failures from surviving peers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from analysis.facts.causes import cause_counts, causes, peers_of, stated
from analysis.facts.tables import Tables
from tests.support.fact_tables import causes_of, firm, months, tables


def failed(name: str, *kinds: str, **more: Any) -> dict[str, Any]:
    return firm(name, "2016-01-01", "bankrupt", causes=causes_of(*kinds), **more)


def test_shares_of_reasons_and_their_number() -> None:
    own = tables(endings=[failed("a", "cash", "team"), failed("b", "cash"), firm("c"), failed("named", "product")])
    rows = {row.cause: row.failures for row in causes(own)}
    assert list(rows) == ["cash", "team"] and rows["cash"].estimate == 1.0
    assert (rows["team"].estimate, rows["team"].n) == (0.5, 2)
    counts = {row.reasons: row.failures.estimate for row in cause_counts(own)}
    assert counts == {"0": 0, "1": 0.5, "2": 0.5, "3": 0, "4": 0, "5+": 0, "mean": 1.5}


def test_no_deaths_no_reasons() -> None:
    own = tables(endings=[firm("a"), failed("named", "cash")])
    assert causes(own) == [] == cause_counts(own)


def test_a_failure_without_stated_reasons_counts_in_n() -> None:
    own = tables(endings=[failed("a", "cash"), {**failed("b"), "causes": ""}])
    assert causes(own)[0].failures.estimate == 0.5 and cause_counts(own)[0].failures.estimate == 0.5


def market(n_like: int = 4, **of_failure: Any) -> Tables:
    """a fails at the end of 2015 beside b, c, …; d is too old, e fails soon after, f is in another sector."""
    usual = {
        "quality_field": 0.85, "trust": 0.6, "sales_usd": 10e3, "serving_usd": 3e3, "operations_usd": 2e3,
    }  # fmt: skip
    old, young = "2012-01-01", "2014-01-01"
    names = list("pqrs"[:n_like])
    rows = [
        *months("a", "2014-01-01", 24, **{**usual, **of_failure}),
        *(row for name in names for row in months(name, "2014-01-01", 72, **usual)),
        *months("d", "2014-01-01", 72, **{**usual, "trust": 0.1}, founded=old),
        *months("e", "2014-01-01", 30, **{**usual, "trust": 0.1}),
        *months("f", "2014-01-01", 72, **{**usual, "trust": 0.1}, sector="speech"),
        *months("giant", "2014-01-01", 72, kind="incumbent", share=0.7),
    ]
    endings = [
        failed("a", "cash", "product", "capital", "price or cost", "team", "regulation", "outcompeted"),
        *map(firm, names), firm("d", founded=old), firm("e", "2016-07-01", "bankrupt", founded=young),
        firm("f", sector="speech"), firm("giant", kind="incumbent"),
    ]  # fmt: skip
    sectors = [
        {"sector": name, "month": row["month"], "traditional_field": 0.5}
        for name in ("vision", "speech")
        for row in months("d", "2014-01-01", 72)
    ]
    refusals = [{"firm": name, "kind": "raise refused", "time": time} for name, time in
                (("a", "2015-06-10"), ("p", "2015-06-10"), ("q", "2016-02-01"))]  # fmt: skip
    rounds = [{"firm": "p", "round": "A", "time": "2015-11-10"}, {"firm": "a", "round": "bridge", "time": "2015-11-10"}]
    return tables(firms=rows, endings=endings, sectors=sectors, events=refusals, rounds=rounds)


def test_peers_are_of_the_sector_and_age_and_survive() -> None:
    own = market()
    last = peers_of(own, stated(own))
    mine = last[last["failure"] == "a"]
    assert set(mine["firm"]) == {"a", "p", "q", "r", "s"} and mine["itself"].sum() == 1
    few = market(n_like=3)
    assert peers_of(few, stated(few)).empty, "with three peers there is no quartile"


def compared(own: Tables) -> dict[str, tuple[float, float]]:
    rows = causes(tables_without(own, "e"))
    return {row.cause: (row.failures_by_table.estimate, row.peers_by_table.estimate) for row in rows}


def tables_without(own: Tables, name: str) -> Tables:
    """The same, with a firm that is no entrant: its own failure is not asked about."""
    from dataclasses import replace

    return replace(own, entrants=own.entrants[own.entrants["firm"] != name])


def test_a_sign_that_sets_a_failure_apart_and_those_that_do_not() -> None:
    found = compared(market(trust=0.2))
    assert found["product"] == (1.0, 0.0)
    assert found["capital"] == (1.0, 0.0), "p closed a round after its refusal, q was refused later; a note is no round"
    assert found["price or cost"] == found["team"] == found["regulation"] == (0.0, 0.0), "all are alike"


@pytest.mark.parametrize(
    ("kind", "of_failure"),
    [
        ("price or cost", {"operations_usd": 8e3}),
        ("team", {"lost_runs": lambda month: month / 10}),
        ("regulation", {"status": lambda month: "suspended" if month > 20 else "active"}),
        ("product", {"quality_field": 0.4}),
        ("product", {"quality_field": math.nan}),
    ],
)
def test_each_sign_is_read_off_the_tables(kind: str, of_failure: dict[str, Any]) -> None:
    assert compared(market(**of_failure))[kind] == (1.0, 0.0)
    assert compared(market())[kind][0] == 0.0


def test_a_margin_of_next_to_no_sales_says_nothing() -> None:
    assert compared(market(sales_usd=10.0, operations_usd=8e3))["price or cost"][0] == 0.0


def test_only_the_last_year_counts() -> None:
    assert compared(market(trust=lambda month: 0.1 if month < 12 else 0.6))["product"][0] == 0.0


@pytest.mark.parametrize("kind", ["cash", "outcompeted"])
def test_of_other_reasons_tables_do_not_tell(kind: str) -> None:
    assert all(math.isnan(one) for one in compared(market())[kind])


def test_without_peers_there_is_no_comparison() -> None:
    own = tables(endings=[failed("a", "product")], firms=months("a", "2014-01-01", 24, trust=0.1))
    (row,) = causes(own)
    assert row.failures.estimate == 1.0 and math.isnan(row.peers_by_table.estimate) and row.peers_by_table.n == 0
