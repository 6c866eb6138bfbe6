"""Strategic acquisitions: when an incumbent buys a healthy startup, and at what price."""

from __future__ import annotations

import pytest

from agents.incumbent.acquisition import (
    agreed_price_usd,
    approach,
    asked_usd,
    is_healthy,
    threatened_by,
    threatens,
    value_to_buyer_usd,
    worth_usd,
)
from tests.support.startups import fund_of, threatened
from tests.support.world_fakes import kinds_of_events, play, released, world_of


def test_price_and_value_by_hand() -> None:
    """2 M$ a year at a multiple of 10 and 5 M$ of avoided loss are worth 25 M$; holders ask 16 M$; √(25 · 16) = 20."""
    assert value_to_buyer_usd(2e6, 10, 5e6) == 25e6
    assert agreed_price_usd(25e6, 16e6, 1e9) == pytest.approx(20e6)
    assert agreed_price_usd(25e6, 16e6, 18e6) == 18e6  # what the buyer can pay
    assert agreed_price_usd(25e6, 16e6, 15e6) == 0 == agreed_price_usd(15e6, 16e6, 1e9)


def test_an_incumbent_buys_a_better_healthy_startup_above_what_it_raised() -> None:
    firm, giant = threatened()
    model, fund = firm.model, fund_of(firm.model, fee_share_year=0)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    giant.settings = giant.settings.model_copy(update={"core_income_usd_month": 1e7})
    firm.revenues = firm.costs = firm.recurring = [5e5] * 3
    model.bank.pay("giant", "savers", giant.books.cash_usd - 20e6, "returns", "income")
    asked, worth = asked_usd(firm), worth_usd(giant, firm, 0.0)
    left = firm.books.cash_usd
    approach(giant)
    assert giant.books.cash_usd == pytest.approx(10e6 + left, abs=0.1)  # the parent paid what half the cash did not
    assert firm.ending == "acquired" and asked < firm.exit_value_usd == pytest.approx((asked * worth) ** 0.5)
    assert firm.exit_value_usd > firm.raised_usd and {"buyer", "better_quality"} <= set(firm.reasons[0].figures)
    assert fund.flows[-1][1] == pytest.approx(firm.exit_value_usd / 4, abs=0.01)
    assert model.bank.total_cash_usd() == 0 and kinds_of_events(model, firm.name)[-1] == "acquired"


def test_revenue_is_worth_more_to_a_buyer_with_channels_in_a_warm_climate() -> None:
    """1.2 M$ a year at 6 (no growth), times 1.5 for synergy and the climate."""
    firm, giant = threatened(better=0.0, acquisition_synergy=1.5)
    giant.recurring = [0.0]
    assert worth_usd(giant, firm, 0.2) == pytest.approx(1.2e6 * 6 * 1.5 * firm.model.heat)


def test_holders_ask_fair_value_and_a_premium() -> None:
    firm, _ = threatened(acquisition_premium=0.5)
    plain, _ = threatened(acquisition_premium=0.0)
    assert asked_usd(firm) == pytest.approx(1.5 * asked_usd(plain))


def test_the_loss_avoided_is_sales_taken_and_the_imitation_saved() -> None:
    firm, giant = threatened()
    giant.recurring, firm.recurring = [1e6] * 3, [0.0] * 3
    saved = 12 * giant.settings.compute_share * 1e6
    assert worth_usd(giant, firm, 0.2) == pytest.approx(36 * 1e6 * 0.2 + saved)
    released(giant, firm.model, accuracy_field=0.9)
    assert worth_usd(giant, firm, 0.2) == pytest.approx(36 * 1e6 * 0.2)


@pytest.mark.parametrize("change", ["off", "no buyer", "no threat", "too dear", "failing", "listed", "no model"])
def test_there_is_no_deal_without_a_reason_a_price_and_a_healthy_firm(change: str) -> None:
    dear = {"acquisition_premium": 5.0, "option_usd": 1e10} if change == "too dear" else {}
    firm, giant = threatened(0.0 if change == "off" else 12.0, 0.0 if change == "no threat" else 0.3, **dear)
    if change == "no buyer":
        giant.settings = giant.settings.model_copy(update={"acquires": False})
    elif change == "failing":
        firm.costs = [1e6] * 3
    elif change == "listed":
        firm.ending = "public"
    elif change == "no model":
        firm.laboratory.released = None
    approach(giant)
    assert firm.alive and firm.ending in ("alive", "public")


def test_a_threat_is_told_in_words() -> None:
    firm, giant = threatened()
    assert threatens(giant, firm, 0.2)
    figures = threatened_by(firm, giant, 0.2).figures
    assert figures["better_quality"] == pytest.approx(0.8) and figures["large_share"] == 0.2
    assert is_healthy(firm)
    firm.insolvent = True
    assert not is_healthy(firm)


def test_acquisitions_of_healthy_firms_happen_in_a_played_world() -> None:
    changes = {
        "years": 6,
        "world": {"capital": {"acquisition_rate_year": 12, "option_usd": 1e5}},
        "firms": {"giant": {"core_income_usd_month": 5e6, "label_noise": 0.6, "anonymisation": 3.0}},
        "entrants": {"new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}},
    }  # fmt: skip
    endings = play(world_of(changes)).tables()["endings"]
    assert endings["causes"].str.contains('"threat"').any()
