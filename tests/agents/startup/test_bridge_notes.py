"""Bridge notes: who lends to a refused firm, how much, and what becomes of the note."""

from __future__ import annotations

import math
from typing import Any

import pytest

from agents.fund import Fund
from agents.startup.bridge_notes import shared_usd
from agents.startup.diagnosis import out_of_cash
from agents.startup.exits import find_buyer
from agents.startup.startup import Startup
from simulation.model import MarketModel
from tests.support.startups import fund_of, quiet_world, raiser
from tests.support.world_fakes import incumbent, kinds_of_events, play, released, world_of

BURN = 200_000.0


def refused(view: float = 1.0, **capital: Any) -> tuple[MarketModel, Startup, Fund]:
    """A firm worth 20 M$ at its last round, whose B round nobody funds; its angel sees `view` of that in it."""
    model = quiet_world(capital={"bridge_months": 6, **capital})
    firm, fund = raiser(model), fund_of(model, fee_share_year=0)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    fund.view_usd = lambda deal: view * 20e6  # type: ignore[method-assign]
    firm.revenues, firm.costs = [0.0] * 3, [BURN] * 3
    firm.finance.close_round("B")
    return model, firm, fund


def test_investors_inside_lend_some_months_of_burn_after_a_refusal() -> None:
    model, firm, fund = refused()
    finance = firm.finance
    assert kinds_of_events(model, firm.name)[-2:] == ["raise refused", "bridge note"]
    row = model.recorder.rows["rounds"][-1]
    assert row[1:4] == (firm.name, "bridge", 6 * BURN) and math.isnan(row[4]) and row[5] == "angel"  # type: ignore[arg-type]
    assert finance.cap_table.notes_usd == {"angel": 6 * BURN} and finance.stage == "A" and finance.n_refused == 1
    assert -firm.books.balance["notes"] == 100 * 6 * BURN and firm.books.imbalance_usd() == 0
    assert fund.uncalled_usd == pytest.approx(95e6 - 6 * BURN) and len(fund.portfolio) == 1
    assert fund.residual_usd() == pytest.approx(0.7 * (5e6 + 6 * BURN))


@pytest.mark.parametrize(("view", "capital"), [(0.49, {}), (1.0, {"bridge_months": 0}), (0.79, {"bridge_belief": 0.8})])
def test_nobody_lends_without_belief_or_where_bridges_are_off(view: float, capital: dict[str, Any]) -> None:
    model, firm, _ = refused(view, **capital)
    assert kinds_of_events(model, firm.name)[-1] == "raise refused" and not firm.finance.cap_table.notes_usd


def test_there_is_one_bridge_between_two_rounds() -> None:
    model, firm, _ = refused()
    firm.finance.close_round("B")
    assert kinds_of_events(model, firm.name).count("bridge note") == 1
    firm.finance.take({"angel": 1e6}, 15e6, "B")
    firm.finance.close_round("C")
    assert kinds_of_events(model, firm.name).count("bridge note") == 2


def test_lenders_share_by_the_money_they_have() -> None:
    assert shared_usd({"a": 3e6, "b": 1e6}, 2e6) == {"a": 1.5e6, "b": 0.5e6}
    assert shared_usd({"a": 3e5, "b": 1e5}, 2e6) == {"a": 3e5, "b": 1e5}
    assert shared_usd({"a": 3e6}, 9e3) == shared_usd({}, 1e6) == shared_usd({"a": 1e6}, -5.0) == {}


def test_a_note_converts_in_the_next_round_at_its_discount() -> None:
    """1.2 M$ at 20 % off buy shares of 1.5 M$ beside 23.5 M$ before and 5 M$ of new money."""
    _, firm, _ = refused()
    firm.finance.take({"savers": 5e6}, 23.5e6, "B")
    table = firm.finance.cap_table
    assert table.shares["angel"] == pytest.approx((23.5e6 / 4 + 1.5e6) / 30e6)
    assert table.notes_usd == {} and firm.books.balance["notes"] == 0 and firm.books.imbalance_usd() == 0


def test_a_note_is_repaid_before_preferred_stock_when_the_firm_is_sold() -> None:
    model, firm, fund = refused()
    other = fund_of(model, "other", fee_share_year=0)
    firm.finance.take({"other": 10e6}, 30e6, "B")
    firm.finance.receive("angel", 3e5, "notes")
    firm.finance.cap_table.lend({"angel": 3e5})
    released(firm, model, accuracy_field=0.9)
    released(incumbent(model), model, accuracy_field=0.6)
    firm.staff["research"] = 3.0
    assert find_buyer(firm, out_of_cash(firm)) and firm.exit_value_usd == 9e5
    claims = {"angel": 6.2e6, "other": 10e6}
    assert fund.flows[-1][1] == pytest.approx(3e5 + 6e5 * claims["angel"] / 16.2e6, abs=0.01)
    assert other.flows[-1][1] == pytest.approx(6e5 * claims["other"] / 16.2e6, abs=0.01)
    assert firm.books.balance["notes"] == 0 and firm.books.imbalance_usd() == 0


def test_a_note_is_lost_in_bankruptcy_and_converts_in_a_listing() -> None:
    _, firm, fund = refused()
    firm.insolvent = True
    firm.leave_or_enter()
    assert firm.ending == "bankrupt" and fund.books.balance["investments"] == 0 and firm.books.balance["notes"] == 0
    _, firm, fund = refused(ipo_revenue_usd_year=12e6)
    firm.recurring = [5e5] * 12 + [1.5e6] * 3
    firm.leave_or_enter()
    value = firm.exit_value_usd
    share = (value / 4 + 6 * BURN / 0.8) / (value + 6 * BURN / 0.8)
    assert firm.ending == "public" and fund.flows[-1][1] == pytest.approx(share * value, rel=1e-6)
    assert firm.finance.cap_table.shares == {"savers": 1.0} and firm.books.balance["notes"] == 0


def test_bridges_happen_in_a_played_world_and_the_books_hold() -> None:
    changes = {
        "years": 8,
        "world": {"capital": {"bridge_months": 6, "bridge_belief": 0.0, "option_usd": 1e8}},
        "entrants": {"new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}},
        "investors": {"fund": {"vintage": 2016, "size_usd": 1e9, "stages": ["A"], "reserve_share": 0.5}},
    }
    model = play(world_of(changes))
    rounds = model.tables()["rounds"]
    assert (rounds["round"] == "bridge").any() and rounds.loc[rounds["round"] == "bridge", "pre_money_usd"].isna().all()
    assert model.bank.total_cash_usd() == 0
