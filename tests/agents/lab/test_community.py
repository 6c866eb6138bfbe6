"""The community of open weights: what it is given, what it trains with public money, how far behind."""

from __future__ import annotations

from typing import Any

import pytest

from agents.lab.community import community_of
from agents.treasury import spent_usd
from scenarios import load, load_whatif
from scenarios.build import build_world
from simulation.model import MarketModel
from tests.support.conservation import check_money, check_public_accounts
from tests.support.lab_worlds import IDLE, RICH, give_model, lab_of, lab_world
from tests.support.service import FakeService
from tests.support.world_fakes import play


def supported(usd_year: float, labs: dict[str, Any] | None = None, years: int = 4, **community: Any) -> MarketModel:
    law = {"support": {"open_weights_usd_year": usd_year}}
    changes = {"years": years, "world": {"foundations": {"community": community}, "law": law}}
    return lab_world({"alpha": RICH} if labs is None else labs, changes)


def open_rungs(model: MarketModel) -> list[float]:
    return [one.rung for one in community_of(model).models]


def test_without_support_it_trains_nothing_and_costs_nothing() -> None:
    model = play(supported(0.0))
    assert not open_rungs(model) and community_of(model).books.cash_usd == 0
    assert spent_usd(model, "open-weights", 2023) == 0


def test_the_state_pays_and_all_of_it_goes_into_runs() -> None:
    model = supported(3e7)
    while model.month < model.n_months:
        model.step()
        check_money(model)
    community = community_of(model)
    paid = sum(spent_usd(model, "open-weights", year) for year in range(2022, 2027))
    assert paid == pytest.approx(4 * 3e7, abs=1)
    run = community.pretraining.run
    cost = sum(one.trained.cost_usd for one in community.models) + (run.paid_usd if run else 0.0)
    assert community.models and cost + community.books.cash_usd == pytest.approx(paid, abs=1)


@pytest.mark.parametrize("lag", [3.0, 9.0])
def test_it_follows_what_is_sold_no_sooner_than_it_knows_how(lag: float) -> None:
    model = play(supported(1e11, lag_months=lag, run_months=2.0))
    closed = {one.rung: one.month for one in lab_of(model, "alpha").models}
    opened = {one.rung: one.month for one in community_of(model).models}
    assert opened and all(opened[rung] >= closed[rung] + lag + 2 for rung in opened)
    assert min(opened[rung] - closed[rung] for rung in opened) <= lag + 5


def test_less_money_means_a_longer_wait_or_no_model() -> None:
    waits = {}
    for usd in (1e10, 5e6, 5e4):
        model = play(supported(usd))
        closed = {one.rung: one.month for one in lab_of(model, "alpha").models}
        opened = {one.rung: one.month for one in community_of(model).models}
        waits[usd] = min((opened[rung] - closed[rung] for rung in opened), default=float("inf"))
    assert waits[1e10] < waits[5e6] < waits[5e4]


def test_it_trains_nothing_that_is_open_already() -> None:
    model = play(supported(1e11, labs={"alpha": IDLE}), 1)
    given = give_model(lab_of(model, "alpha"), 2.0)
    community_of(model).take(given)
    play(model)
    assert open_rungs(model) == [2.0]


def test_the_same_weights_are_open_once() -> None:
    model = lab_world({"alpha": IDLE, "beta": IDLE}, {"world": {"foundations": {"pool": 1}}})
    first, same = (give_model(lab_of(model, name), 2.0) for name in ("alpha", "beta"))
    assert first.trained.plan == same.trained.plan
    community_of(model).take(first)
    community_of(model).take(same)
    play(model, 1)
    rows = model.tables()["foundations"].query("access == 'open'")
    assert list(rows["lab"]) == ["alpha"]


def test_open_weights_are_rows_of_the_table_with_their_maker() -> None:
    model = lab_world({"alpha": {**RICH, "access": "open"}}, {"years": 2})
    rows = play(model).tables()["foundations"]
    assert len(rows) and set(rows["lab"]) == {"alpha"} and set(rows["supplier"]) == {"community"}
    assert set(rows["access"]) == {"open"} and (rows["price_usd_million_tokens"] == 0).all()


def test_support_that_begins_by_date_acts_from_then_on() -> None:
    change = {"at": "2024-01", "says": "Open weights", "set": {"world.law.support.open_weights_usd_year": 1e10}}
    model = play(lab_world({"alpha": RICH}, {"years": 4, "interventions": [change]}))
    assert open_rungs(model) and min(one.month for one in community_of(model).models) >= 24
    assert spent_usd(model, "open-weights", 2023) == 0 < spent_usd(model, "open-weights", 2024)


def test_budgets_of_the_state_bound_what_it_gets_and_every_cent_is_told() -> None:
    law = {"support": {"open_weights_usd_year": 1.2e6, "budget_usd_year": {"open-weights": 1.5e5}}}
    model = lab_world({"alpha": IDLE}, {"years": 1, "world": {"law": law}})
    while model.month < model.n_months:
        model.step()
        check_public_accounts(model)
    assert spent_usd(model, "open-weights", 2022) == 1.5e5
    assert community_of(model).books.cash_usd == 2.5e5  # what December's phases pay is paid on 1 January


def test_the_shipped_policy_pays_it() -> None:
    base = load("markets/large-models-labs", {"sectors": ["service"], "years": 1})
    model = build_world(load_whatif("policies/open-weights-support", base), 0, FakeService())
    play(model)
    assert model.public_accounts.total_cents("paid") > 0 and community_of(model).books.balance["paid_in_capital"] == 0
    check_public_accounts(model)
