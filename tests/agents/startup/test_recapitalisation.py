"""A refused firm is recapitalised: who is asked, at what price, what becomes of the old stock and of the books."""

from __future__ import annotations

from typing import Any

import pytest

from agents.fund import Fund
from agents.startup.diagnosis import out_of_cash
from agents.startup.exits import find_buyer
from agents.startup.startup import Startup
from simulation.model import MarketModel
from tests.support.conservation import check_all
from tests.support.startups import fund_of, quiet_world, raiser
from tests.support.world_fakes import fields_of, incumbent, kinds_of_events, play, released, world_of

BURN = 200_000.0
ON = {"months": 12, "pool_share": 0.0}


def refused(
    view: float = 3e6, recapitalisation: dict[str, Any] | None = None, **capital: Any
) -> tuple[MarketModel, Startup, Fund, Fund]:
    """A firm worth 20 M$ last, whose B round is refused; the late fund sees `view` USD in it, the old fund nothing."""
    terms = {**ON, **(recapitalisation or {})}
    model = quiet_world(capital={"recapitalisation": terms, **capital})
    firm, old, late = raiser(model), fund_of(model), fund_of(model, "late", stages=["B"], hurdle=0.75)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    model.bank.pay(firm.name, "savers", firm.books.cash_usd - 4 * BURN, "returns", "income")
    old.view_usd = lambda deal: 0.0  # type: ignore[method-assign]
    late.view_usd = lambda deal: view  # type: ignore[method-assign]
    firm.revenues, firm.costs = [0.0] * 3, [BURN] * 3
    firm.finance.close_round("B")
    return model, firm, old, late


def test_a_year_of_burn_at_the_price_at_which_somebody_still_pays() -> None:
    model, firm, old, late = refused()
    finance = firm.finance
    assert kinds_of_events(model, firm.name)[-2:] == ["raise refused", "recapitalised"]
    row = model.recorder.rows["rounds"][-1]
    assert row[1:] == (firm.name, "recap", 12 * BURN, 4e6, "late")  # 3 M$ seen over a hurdle of 0.75
    assert finance.stage == "A" and finance.n_refused == 0 and finance.refusal is None
    assert finance.cap_table.shares["late"] == pytest.approx(2.4 / 6.4)
    assert finance.cap_table.preference_usd == {"late": 12 * BURN}, "the old stock has become common"
    assert firm.books.cash_usd == pytest.approx(16 * BURN) and firm.burn_usd == pytest.approx(16 * BURN / 20)
    assert old.residual_usd() == pytest.approx(4e6 / 4) and late.residual_usd() == pytest.approx(2.4e6)
    event = fields_of(model.recorder.rows["events"][-1])
    assert event["converted"] == 1.0 and event["before_usd"] == 20e6
    assert firm.books.imbalance_usd() == 0 == model.bank.total_cash_usd()


def test_who_takes_its_part_keeps_its_stock() -> None:
    model = quiet_world(capital={"recapitalisation": ON})
    firm, old = raiser(model), fund_of(model, reserve_share=0.5)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    old.view_usd = lambda deal: 3e6  # type: ignore[method-assign]
    firm.revenues, firm.costs = [0.0] * 3, [firm.books.cash_usd / 4] * 3
    firm.finance.close_round("B")
    size = min(12 * firm.costs[0], firm.finance.cap_table.preference_usd["angel"] - 5e6)
    assert firm.finance.cap_table.preference_usd == pytest.approx({"angel": 5e6 + size})
    assert firm.finance.cap_table.other_common == {}


@pytest.mark.parametrize(
    "said",
    [
        {"recapitalisation": {"months": 0}},
        {"view": 0.0},
        {"recapitalisation": {"most_share": 0.3}},  # 2.4 of 6.4 M$ are more
    ],
)
def test_there_is_none_where_it_is_off_unbelieved_or_too_dear(said: dict[str, Any]) -> None:
    model, firm, *_ = refused(**said)
    assert kinds_of_events(model, firm.name)[-1] == "raise refused" and firm.finance.n_refused == 1


def test_a_firm_with_time_left_declines() -> None:
    model, firm, _, late = refused(view=0.0)
    late.view_usd = lambda deal: 3e6  # type: ignore[method-assign]
    firm.costs = [firm.books.cash_usd / 12] * 3
    firm.finance.close_round("B")
    assert kinds_of_events(model, firm.name)[-1] == "raise refused"


def test_there_is_one_between_two_rounds_of_stages() -> None:
    model, firm, *_ = refused()
    firm.costs = [BURN * 4] * 3
    firm.finance.close_round("B")
    assert kinds_of_events(model, firm.name)[-1] == "raise refused"
    firm.finance.take({"late": 1e6}, 4e6, "B")
    firm.costs = [firm.books.cash_usd / 3] * 3
    firm.finance.close_round("B")
    assert kinds_of_events(model, firm.name)[-1] == "recapitalised"


def test_a_bridge_note_comes_first_and_converts_in_the_recapitalisation_after_it() -> None:
    model, firm, old, _ = refused(bridge_months=3, bridge_belief=0.0)
    assert kinds_of_events(model, firm.name)[-1] == "bridge note"
    firm.costs = [BURN * 4] * 3
    firm.finance.close_round("B")
    assert kinds_of_events(model, firm.name)[-1] == "recapitalised"
    assert firm.finance.cap_table.notes_usd == {} and firm.books.balance["notes"] == 0
    assert firm.finance.cap_table.preference_usd["angel"] == pytest.approx(3 * BURN), (
        "the note's claim, not the old one"
    )
    assert old.books.imbalance_usd() == 0


def test_a_sale_after_it_pays_the_new_money_first() -> None:
    model, firm, old, late = refused()
    released(firm, model, accuracy_field=0.9)
    released(incumbent(model), model, accuracy_field=0.6)
    firm.staff["research"] = 10.0
    assert find_buyer(firm, out_of_cash(firm)) and firm.exit_value_usd == 3e6
    common = 3e6 - 12 * BURN
    assert late.flows[-1][1] == pytest.approx(12 * BURN, abs=0.01)
    assert old.flows[-1][1] == pytest.approx(common / 4, abs=0.01)
    assert model.bank.total_cash_usd() == 0 and old.books.balance["investments"] == 0


def test_recapitalisations_happen_in_a_played_world_and_the_books_hold() -> None:
    data = {
        "years": 8,
        "world": {"capital": {"recapitalisation": {"months": 12}, "signal_noise": 1.0, "raise_below_months": 12}},
        "entrants": {"new": {"sector": "vision", "per_year": 10, "offers": [{"cameras": "licence"}]}},
        "investors": {"fund": {"vintage": 2016, "size_usd": 1e9, "reserve_share": 0.5, "hurdle": 0.6}},
    }  # fmt: skip
    model = world_of(data)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    kinds = set(model.tables()["events"]["kind"])
    assert {"recapitalised", "round"} <= kinds


def test_terms_change_no_path_of_a_world_in_which_nobody_is_recapitalised() -> None:
    """Terms that come to nothing, for nobody may give as much, leave every draw as it was."""
    data = {"years": 5, "entrants": {"new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}}}
    never = {"months": 12, "most_share": 0.01}
    before, after = world_of(data), world_of({**data, "world": {"capital": {"recapitalisation": never}}})
    tables, others = play(before).tables(), play(after).tables()
    assert len(tables["firms"]) > 500 and "raise refused" in set(tables["events"]["kind"])
    for name, table in tables.items():
        assert table.equals(others[name]), name
