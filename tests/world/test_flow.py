"""A world in which firms come and go: everything on at once, and it adds up after every month."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.build import build_world
from simulation.model import MarketModel
from simulation.records.endings import ENDINGS
from tests.support.conservation import check_all, check_endings
from tests.support.service import FakeService
from tests.support.settings_worlds import CALM, FLOW
from tests.support.world_fakes import merged, scenario_of

LATE: dict[str, Any] = {"entrants": {"late": {"sector": "vision", "potential_per_year": 30, "at_start": 0,
                                              "offers": [{"halls": "subscription"}]}}}  # fmt: skip
UNWILLING: dict[str, Any] = {"world": {"founding": {"outside_share": 2.0, "certainty_share": 0.0}}}


SLEEPER: dict[str, Any] = {"kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription"},
                           "capital_usd": 1e7, "core_income_usd_month": 1e5, "rows": 100, "skill": 0.05}  # fmt: skip
LIVING = merged(FLOW, {"world": {"exit": {"line_loss_months": 12}}, "firms": {"sleeper": SLEEPER}})
EARNING = merged(CALM, {"world": {"exit": {"cash_target_months": 2.0}}, "years": 5})


def world(changes: dict[str, Any] | None = None, seed: int = 0) -> MarketModel:
    return build_world(scenario_of(base=merged(FLOW, changes or {})), seed, FakeService())


def test_money_customers_and_firms_add_up_after_every_month() -> None:
    seen: set[str] = set()
    for base, seed in ((LIVING, 0), (LIVING, 1), (LIVING, 2), (EARNING, 0)):
        model = build_world(scenario_of(base=base), seed, FakeService())
        for _ in range(model.n_months):
            model.step()
            check_all(model)
        check_endings(model)
        seen |= {firm.ending for firm in model.firms.values()}
        seen |= {str(row.kind) for row in model.recorder.rows["events"]}  # type: ignore[attr-defined]
    assert {"gave up", "bankrupt", "acquired", "closed", "dividend", "founders", "budget moved"} <= seen
    assert seen & ENDINGS.keys() >= {"gave up", "closed", "acquired"}


def test_the_same_seed_gives_the_same_world() -> None:
    one, other = world(), world()
    for model in (one, other):
        for _ in range(18):
            model.step()
    assert repr(one.recorder.rows) == repr(other.recorder.rows)


@pytest.mark.parametrize("table", ["firms", "sectors", "events", "rounds"])
def test_a_stream_whose_people_stay_where_they_are_changes_no_path(table: str) -> None:
    without, with_them = world(UNWILLING), world(merged(UNWILLING, LATE))
    for model in (without, with_them):
        for _ in range(18):
            model.step()
    rows: Any = with_them.recorder.rows["founding"]
    assert sum(row.potential for row in rows if row.stream == "late") > 10
    assert repr(without.recorder.rows[table]) == repr(with_them.recorder.rows[table])
