"""Prices follow competition: who loses share to better value comes down, and never below the cost of serving."""

from __future__ import annotations

from typing import Any

import pytest

from agents.startup.price_competition import come_down, field_of, value_price_ratio
from agents.startup.startup import Startup
from simulation.model import MarketModel
from tests.support.world_fakes import found, lone_world, play, released, world_of

SEGMENT = {"advantage_weight": 4, "price_weight": 1, "switching_cost": 0, "innovation_rate_year": 1}


def rivals(response: float = 0.5, level: float = 0.5, gap: float = 0.0, **settings: Any) -> tuple[MarketModel, Startup]:
    """A startup and a rival with the price `level`; the rival's lab accuracy is higher by `gap`."""
    world = {"revenue": {"price_response": response}, "sectors": {"vision": {"segments": {"cameras": SEGMENT}}}}
    model = lone_world(**world)
    model.firms["giant"].sales.slots.clear()
    own = found(model, "own", capital_usd=5e7, pivot_months=1000, **settings)
    rival = found(model, "rival", capital_usd=5e7, price_level=level, pivot_months=1000)
    for firm, more in ((own, 0.0), (rival, gap)):
        released(firm, model, accuracy_lab=0.7 + more, accuracy_field=0.6)
        firm.laboratory.job = object()  # type: ignore[assignment]
        firm.sales.show_offers()
    for firm, users in ((own, 200.0), (rival, 100.0)):
        model.market["customers"][firm.sales.slots["cameras"]] = users
    model.market.utilities()
    return model, own


def ratio_of(model: MarketModel, firm: Startup) -> float:
    return value_price_ratio(firm, field_of(model))


def test_at_the_same_quality_the_price_of_as_good_a_value_is_the_rivals() -> None:
    assert ratio_of(*rivals(level=0.5)) == pytest.approx(0.5)
    assert ratio_of(*rivals(level=1.25)) == pytest.approx(1.25)


def test_at_that_price_a_newcomer_is_indifferent() -> None:
    model, own = rivals(level=0.9, gap=0.03)
    own.sales.price_level *= ratio_of(model, own)
    own.sales.show_offers()
    newcomer, _ = model.market.utilities()
    mine, theirs = (model.firms[name].sales.slots["cameras"] for name in ("own", "rival"))
    assert newcomer[0, mine] == pytest.approx(newcomer[0, theirs])


def test_without_rivals_there_is_nothing_to_answer() -> None:
    model, own = rivals()
    model.market["customers"][model.firms["rival"].sales.slots["cameras"]] = 0
    assert ratio_of(model, own) == 1


def test_a_startup_that_loses_share_comes_down_and_one_that_gains_does_not() -> None:
    model, own = rivals()
    play(model, 10)
    assert own.sales.price_level < 0.9
    assert model.firms["rival"].sales.price_level == 0.5


def test_with_no_response_prices_stay() -> None:
    model, own = rivals(response=0.0)
    play(model, 10)
    assert own.sales.price_level == 1 and not own.is_undercut


def test_no_price_falls_below_the_cost_of_serving() -> None:
    _, own = rivals(level=0.05)
    own.margin = 1000.0, 300.0, 400.0
    for _ in range(40):
        come_down(own, 0.05)
        own.margin = 1000.0 * own.sales.price_level, 300.0, 400.0
    assert own.sales.price_level == pytest.approx(0.7, rel=1e-3)
    own.margin = 600.0, 300.0, 400.0
    come_down(own, 0.05)
    assert own.sales.price_level == pytest.approx(0.7, rel=1e-3), "who loses on each sale does not go further"


def test_who_is_undercut_does_not_raise_its_price_for_a_better_margin() -> None:
    _, own = rivals()
    own.recurring, own.is_undercut = [1e4] * 3, True
    own.sales.serving_usd = lambda: 9e3  # type: ignore[method-assign]
    own.cover_serving_cost()
    assert own.sales.price_level == 1
    own.is_undercut = False
    own.cover_serving_cost()
    assert own.sales.price_level == pytest.approx(1.05)


def test_the_size_of_the_answer_grows_with_the_response() -> None:
    def level(response: float) -> float:
        model, own = rivals(response=response)
        play(model, 8)
        return own.sales.price_level

    assert 1 > level(0.1) > level(0.4)


def test_switched_off_it_leaves_the_world_as_it_is_and_on_it_changes_it() -> None:
    def path(**revenue: Any) -> str:
        firms = {"rival": {"sector": "vision", "offers": {"cameras": "subscription"}, "price_level": 0.6}}
        model = play(world_of({"world": {"revenue": revenue}, "firms": firms}))
        return "".join(table.to_csv() for table in model.tables().values())

    assert path() == path(price_response=0) != path(price_response=0.5)
