"""Effects: paired differences between arms, and the later funding of firms that got a grant."""

from __future__ import annotations

import math
from typing import Any

import pytest

from analysis.facts.effects import effects
from analysis.facts.tables import Tables
from tests.support.fact_tables import firm, tables

SEEDS = (0, 1, 2)


def world(later: dict[int, list[str]], granted: bool, extra: int = 0) -> Tables:
    """Firms a and b in each seed; who raises an A of 5 M$ by seed; a gets a grant; more startups in seed 0."""
    names = [(seed, name) for seed in SEEDS for name in "ab"] + [(0, f"new{i}") for i in range(extra)]
    rounds: list[dict[str, Any]] = [{"seed": s, "firm": f, "round": "seed", "time": "2014-01-01"} for s, f in names]
    rounds += [
        {"seed": seed, "firm": f, "round": "A", "time": "2016-01-01", "amount_usd": 5e6}
        for seed, own in later.items()
        for f in own
    ]
    grants = [{"seed": s, "firm": "a", "kind": "grant", "time": "2014-01-01", "amount_usd": 1e5} for s in SEEDS]
    endings = [firm(f, seed=s) for s, f in names]
    return tables(seeds=SEEDS, endings=endings, rounds=rounds, events=grants * granted)


def test_differences_are_paired_by_seed() -> None:
    base = world({0: ["b"], 1: ["a"]}, granted=False)
    rows = {row.measure: row for row in effects(base, {"grants": world({0: ["a", "b"], 1: ["a"], 2: ["a"]}, True, 3)})}
    assert (rows["later_deals"].base, rows["later_deals"].changed) == pytest.approx((2 / 3, 4 / 3))
    assert rows["later_deals"].effect.estimate == pytest.approx(2 / 3) and rows["later_deals"].effect.n == 3
    assert rows["later_deals"].relative == pytest.approx(1.0)
    assert rows["deals_usd"].effect.estimate == pytest.approx((2 * 5e6 + 3e6) / 3)
    assert rows["entries"].effect.estimate == pytest.approx(1.0)
    raise_later = rows["treated_raise_later"]
    assert (raise_later.base, raise_later.changed) == pytest.approx((1 / 3, 1.0))
    assert rows["treated_later_usd"].effect.estimate == pytest.approx(2 * 5e6 / 3)
    assert rows["treated_firms"].changed == 1.0 and math.isnan(rows["treated_firms"].relative)


def test_without_grants_no_firm_is_treated() -> None:
    measures = {row.measure for row in effects(world({}, False), {"law": world({}, False)})}
    assert measures == {"deals", "deals_usd", "later_deals", "later_deals_usd", "entries"}


def test_a_firm_that_got_a_grant_in_both_arms_is_not_treated() -> None:
    assert not [row for row in effects(world({}, True), {"x": world({}, True)}) if row.measure.startswith("treated")]


def test_one_seed_has_no_interval_and_alike_ones_are_too_few() -> None:
    row = effects(world({}, False), {"same": world({}, False)})[0]
    assert row.effect.estimate == 0.0 and not row.effect.is_known
