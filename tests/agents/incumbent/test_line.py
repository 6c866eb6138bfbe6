"""An incumbent's line answers to its parent: budget by results, sold or closed where it loses; auctions."""

from __future__ import annotations

from typing import Any

import pytest

from agents.incumbent.acquisition import agreed_price_usd, approach, asked_usd, highest_bid, means_usd, worth_usd
from agents.incumbent.incumbent import Incumbent
from agents.incumbent.line import budget_step, end_line, is_closed, line_worth_usd
from agents.settings import FirmSettings
from simulation.model import MarketModel
from tests.support.conservation import check_all, check_endings
from tests.support.startups import NO_DEMAND, quiet_world, threatened
from tests.support.world_fakes import found, incumbent, kinds_of_events, lone_world, play, released

CORE_USD = 1e6


def line(loss_usd: float = 0.8e6, growth: float = 0.0, months: int = 40, **rules: Any) -> Incumbent:
    """The incumbent of a market without demand, with a history: its parent pays a million a month."""
    giant = incumbent(quiet_world(exit={"line_loss_months": 36.0, **rules}))
    giant.line.losses_usd = [loss_usd] * months
    giant.recurring = [1e5] * 12 + [1e5 * (1 + growth)] * 3
    return giant


def with_rival(giant: Incumbent, name: str = "rival", **settings: Any) -> Incumbent:
    terms: dict[str, Any] = {
        "kind": "incumbent", "sector": "vision", "offers": {"photos": "bundle", "cameras": "licence"},
        "capital_usd": 1e8, "core_income_usd_month": CORE_USD, "acquires": True,
    }  # fmt: skip
    return Incumbent(giant.model, name, FirmSettings(**{**terms, **settings}))


def serve(giant: Incumbent, customers: float = 500.0) -> None:
    """Paying customers for its cameras."""
    market, slot = giant.model.market, giant.sales.slots["cameras"]
    market["customers"][slot], market["monthly_usd"][slot] = customers, 1000.0


# -- the parent's judgement --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ({}, True),
        ({"loss_usd": 0.4e6}, False),  # half of what the parent first paid is worth it to its strategy
        ({"growth": 0.5}, False),
        ({"months": 35}, False),
        ({"strategic_share": 0.9}, False),
    ],
)
def test_a_line_is_closed_for_losses_beyond_what_strategy_is_worth(change: dict[str, Any], closed: bool) -> None:
    assert is_closed(line(**change)) == closed


def test_a_quiet_line_closes_after_its_months_and_everything_adds_up() -> None:
    model = lone_world(sectors=NO_DEMAND, exit={"line_loss_months": 12.0, "severance_months": 2.0})
    play(model, 24)
    giant = incumbent(model)
    assert giant.ending == "closed" and not giant.alive and giant.reasons[0].kind == "line loses"
    assert kinds_of_events(model, "giant")[-1] == "closed" and model.firms_in("vision", "incumbent") == []
    check_all(model)
    check_endings(model)
    month = model.calendar.month_of(giant.ended)  # type: ignore[arg-type]
    assert month in (12, 13)


def test_without_the_rule_a_line_goes_on() -> None:
    model = play(lone_world(sectors=NO_DEMAND), 24)
    assert incumbent(model).alive


def test_the_budget_follows_growth_within_bounds() -> None:
    giant = line(growth=0.7, budget_response=0.4)
    assert budget_step(giant) == pytest.approx(1 + 0.4 * 0.5)
    assert budget_step(line(growth=9.0, budget_response=0.4)) == pytest.approx(1.4)
    assert budget_step(line(growth=0.0, budget_response=0.4)) == pytest.approx(1 - 0.4 * 0.2)
    giant.model.month = giant.founded_month + 12
    giant.line.review()
    assert giant.line.factor == pytest.approx(1.2) and giant.line.parent_usd() == pytest.approx(1.2 * CORE_USD)
    assert kinds_of_events(giant.model, "giant")[-1] == "budget moved"
    giant.model.month += 1
    giant.line.review()
    assert giant.line.factor == pytest.approx(1.2), "once a year"
    giant.line.factor = 3.9
    giant.model.month += 11
    giant.line.review()
    assert giant.line.factor == 4.0


def test_what_the_parent_pays_is_what_the_line_gets() -> None:
    def core_income_usd(factor: float) -> float:
        giant = line()
        giant.line.factor = factor
        before = giant.model.bank.books["customers"].cash_usd
        giant.find_cash(0.0)
        return before - giant.model.bank.books["customers"].cash_usd

    assert (core_income_usd(1.0), core_income_usd(0.5)) == (CORE_USD, 0.5 * CORE_USD)


# -- who takes the line ------------------------------------------------------------------------------------------------


def test_a_line_is_sold_to_the_highest_bidder_for_what_the_next_would_pay() -> None:
    giant = line()
    model = giant.model
    serve(giant)
    rich, poor = with_rival(giant, "rich"), with_rival(giant, "poor", capital_usd=6e6)
    assert line_worth_usd(rich, giant) == pytest.approx(12 * 500 * 1000)
    rows = rich.laboratory.rows_lab
    parent = model.bank.books["savers"].cash_usd
    second = 0.5 * poor.books.cash_usd
    end_line(giant)
    assert giant.ending == "acquired" and giant.exit_value_usd == pytest.approx(max(second, 3e6))
    assert model.bank.books["savers"].cash_usd - parent == pytest.approx(giant.exit_value_usd)
    assert model.market["customers"][rich.sales.slots["cameras"]] == 500 and rich.laboratory.rows_lab > rows
    assert giant.books.cash_usd == 0 and model.bank.total_cash_usd() == 0
    assert [reason.kind for reason in giant.reasons] == ["line loses", "bought"]


def test_a_lone_bidder_pays_half_of_what_it_is_worth_to_it() -> None:
    giant = line()
    serve(giant)
    with_rival(giant, "rich")
    end_line(giant)
    assert giant.exit_value_usd == pytest.approx(0.5 * 12 * 500 * 1000)


@pytest.mark.parametrize("why", ["does not acquire", "other segment", "no customers"])
def test_nobody_buys_what_it_has_no_use_for(why: str) -> None:
    giant = line()
    if why != "no customers":
        serve(giant)
    with_rival(
        giant,
        acquires=why != "does not acquire",
        offers={"photos": "bundle"} if why == "other segment" else {"cameras": "licence"},
    )
    end_line(giant)
    assert giant.ending == "closed"


def test_a_mature_startup_may_take_over_a_line() -> None:
    giant = line()
    serve(giant)
    firm = found(giant.model, capital_usd=2e7)
    end_line(line_of := giant)
    assert line_of.ending == "closed", "a young one has other worries"
    giant = line()
    serve(giant)
    firm = found(giant.model, capital_usd=2e7)
    firm.finance.stage = "C"
    end_line(giant)
    assert giant.ending == "acquired" and giant.model.market["customers"][firm.sales.slots["cameras"]] == 500


# -- several bidders for a healthy startup -----------------------------------------------------------------------------


def contested(auction: bool, core_usd: float) -> tuple[MarketModel, Any, Incumbent, Incumbent]:
    """A healthy startup, better than two incumbents; the second would save `core_usd` a month by not imitating it."""
    firm, giant = threatened()
    model = firm.model
    rules = model.settings.exit.model_copy(update={"auction": auction})
    model.settings = model.settings.model_copy(update={"exit": rules})
    rival = with_rival(giant, core_income_usd_month=core_usd)
    released(rival, model, accuracy_field=0.5)
    return model, firm, giant, rival


def test_in_an_auction_the_startup_goes_to_whom_it_is_worth_most() -> None:
    model, firm, giant, rival = contested(True, 5e6)
    assert worth_usd(rival, firm, 0.0) > worth_usd(giant, firm, 0.0) > asked_usd(firm)
    alone = agreed_price_usd(worth_usd(rival, firm, 0.0), asked_usd(firm), means_usd(rival))
    second = min(worth_usd(giant, firm, 0.0), means_usd(giant))
    approach(giant)
    assert firm.ending == "acquired" and kinds_of_events(model, firm.name)[-1] == "acquired"
    assert model.recorder.rows["events"][-1].other == "rival"
    assert firm.exit_value_usd == pytest.approx(max(alone, second))
    assert model.bank.total_cash_usd() == 0


def test_without_an_auction_who_asks_first_gets_it() -> None:
    model, firm, giant, _ = contested(False, 5e6)
    approach(giant)
    assert model.recorder.rows["events"][-1].other == "giant" and firm.ending == "acquired"


def test_a_second_bidder_raises_the_price_for_the_first() -> None:
    _, firm, giant, rival = contested(True, 0.9e6)
    alone = agreed_price_usd(worth_usd(giant, firm, 0.0), asked_usd(firm), means_usd(giant))
    winner, price = highest_bid(giant, firm, alone, {})
    assert winner is giant and price == pytest.approx(max(alone, worth_usd(rival, firm, 0.0))) and price > alone


def test_who_does_not_want_the_startup_does_not_bid() -> None:
    _, firm, giant, rival = contested(True, 5e6)
    released(rival, firm.model, accuracy_field=0.9)
    winner, _ = highest_bid(giant, firm, 1.0, {})
    assert winner is giant
