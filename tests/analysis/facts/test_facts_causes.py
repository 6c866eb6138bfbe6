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
    own = tables(endings=[failed("a", "cash", "trust"), failed("b", "cash"), firm("c"), failed("named", "free")])
    rows = {row.cause: row.failures for row in causes(own)}
    assert list(rows) == ["cash", "trust"] and rows["cash"].estimate == 1.0
    assert (rows["trust"].estimate, rows["trust"].n) == (0.5, 2)
    counts = {row.reasons: row.failures.estimate for row in cause_counts(own)}
    assert counts == {"0": 0, "1": 0.5, "2": 0.5, "3": 0, "4": 0, "5+": 0, "mean": 1.5}


def test_no_deaths_no_reasons() -> None:
    own = tables(endings=[firm("a"), failed("named", "cash")])
    assert causes(own) == [] == cause_counts(own)


def test_a_failure_without_stated_reasons_counts_in_n() -> None:
    own = tables(endings=[failed("a", "cash"), {**failed("b"), "causes": ""}])
    assert causes(own)[0].failures.estimate == 0.5 and cause_counts(own)[0].failures.estimate == 0.5


def market(**of_failure: Any) -> Tables:
    """a fails at the end of 2015; b and c are peers; d is too old, e fails soon after, f is in another sector."""
    usual = {"quality_lab": 0.9, "quality_field": 0.85, "trust": 0.6, "freemium_free": 0.0}
    old, young = "2012-01-01", "2014-01-01"
    rows = [
        *months("a", "2014-01-01", 24, **{**usual, "trust": 0.2, **of_failure}),
        *months("b", "2014-01-01", 72, **{**usual, "trust": 0.3}),
        *months("c", "2014-01-01", 72, **usual),
        *months("d", "2014-01-01", 72, **{**usual, "trust": 0.1}, founded=old),
        *months("e", "2014-01-01", 30, **{**usual, "trust": 0.1}),
        *months("f", "2014-01-01", 72, **{**usual, "trust": 0.1}, sector="speech"),
        *months("giant", "2014-01-01", 72, kind="incumbent", share=0.7),
    ]
    endings = [
        failed("a", "cash", "trust", "incumbents", "refused", "field", "free", "no model", "given away"),
        firm("b"), firm("c"), firm("d", founded=old), firm("e", "2016-07-01", "bankrupt", founded=young),
        firm("f", sector="speech"), firm("giant", kind="incumbent"),
    ]  # fmt: skip
    sectors = [
        {"sector": name, "month": row["month"], "traditional_lab": 0.5, "traditional_field": 0.5}
        for name in ("vision", "speech")
        for row in months("c", "2014-01-01", 72)
    ]
    refusals = [{"firm": name, "kind": "raise refused", "time": time} for name, time in
                (("a", "2015-06-10"), ("b", "2015-06-10"), ("c", "2016-02-01"))]  # fmt: skip
    rounds = [{"firm": "b", "round": "A", "time": "2015-11-10"}, {"firm": "a", "round": "bridge", "time": "2015-11-10"}]
    return tables(firms=rows, endings=endings, sectors=sectors, events=refusals, rounds=rounds)


def test_peers_are_of_the_sector_and_age_and_survive() -> None:
    own = market()
    last = peers_of(own, stated(own))
    mine = last[last["failure"] == "a"]
    assert set(mine["firm"]) == {"a", "b", "c"} and set(mine["month"].dt.strftime("%Y-%m")) == {"2015-12"}


def compared(own: Tables) -> dict[str, tuple[float, float]]:
    rows = causes(tables_without(own, "e"))
    return {row.cause: (row.failures_by_table.estimate, row.peers_by_table.estimate) for row in rows}


def tables_without(own: Tables, name: str) -> Tables:
    """The same, with a firm that is no entrant: its own failure is not asked about."""
    from dataclasses import replace

    return replace(own, entrants=own.entrants[own.entrants["firm"] != name])


def test_a_reason_that_peers_share_and_one_that_they_do_not() -> None:
    found = compared(market())
    assert found["trust"] == (1.0, 0.5) and found["incumbents"] == (1.0, 1.0)
    assert found["refused"] == (1.0, 0.0), "b closed a round after its refusal, c was refused later; a note is no round"
    assert found["field"] == (0.0, 0.0) and found["no model"] == (0.0, 0.0) and found["free"] == (0.0, 0.0)


def test_rules_see_the_model_and_free_users() -> None:
    found = compared(market(quality_field=0.6, freemium_free=10.0))
    assert found["field"] == (1.0, 0.0) and found["free"] == (1.0, 0.0)
    found = compared(market(quality_lab=math.nan, quality_field=math.nan))
    assert found["no model"] == (1.0, 0.0) and found["field"][0] == 0.0


@pytest.mark.parametrize("kind", ["cash", "given away"])
def test_of_other_reasons_tables_do_not_tell(kind: str) -> None:
    assert all(math.isnan(one) for one in compared(market())[kind])


def test_without_peers_there_is_no_comparison() -> None:
    own = tables(endings=[failed("a", "trust")], firms=months("a", "2014-01-01", 24, trust=0.1))
    (row,) = causes(own)
    assert row.failures.estimate == 1.0 and math.isnan(row.peers_by_table.estimate) and row.peers_by_table.n == 0
