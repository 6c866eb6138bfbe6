"""Startups in worlds where nobody buys and nobody funds, and funds made by hand."""

from __future__ import annotations

from typing import Any

from agents.fund import Bid, Fund
from agents.incumbent.incumbent import Incumbent
from agents.settings import InvestorSettings
from agents.startup.startup import Startup
from simulation.capital import Facts
from simulation.model import MarketModel
from tests.support.world_fakes import found, incumbent, lone_world, released

NOBODY_LOOKS = {"innovation_rate_year": 0, "imitation_rate_year": 0}
TERMS = {
    "runway_months": 20, "raise_below_months": 9, "retry_months": 4, "revenue_multiple": 6, "growth_multiple": 8,
}  # fmt: skip
NO_DEMAND = {"vision": {"segments": {"cameras": NOBODY_LOOKS, "photos": NOBODY_LOOKS}}}
FACTS = Facts(revenue_usd_year=5e6, growth_year=1.0, advantage_lab=0.5, advantage_field=0.5, free_users=0)


def quiet_world(**world: Any) -> MarketModel:
    """Nobody buys and nobody funds."""
    model = lone_world(**{"sectors": NO_DEMAND, **world, "capital": {**TERMS, **world.get("capital", {})}})
    model.funds.clear()
    return model


def fund_of(model: MarketModel, name: str = "angel", **settings: Any) -> Fund:
    """A fund that has begun."""
    terms: dict[str, Any] = {"vintage": 2016, "size_usd": 1e8, "stages": ["A"], "ticket_share": 0.1}
    fund = Fund(model, name, InvestorSettings(**{**terms, **settings}))
    fund.close_books()
    return fund


def bidding(fund: Fund, value_usd: float, most_usd: float) -> None:
    fund.bid = lambda *_: Bid(value_usd, most_usd)  # type: ignore[method-assign]


def raiser(model: MarketModel) -> Startup:
    firm = found(model, capital_usd=1e6)
    released(firm, model)
    return firm


def threatened(rate: float = 12.0, better: float = 0.3, **capital: Any) -> tuple[Startup, Incumbent]:
    """A healthy startup whose model is `better` than that of an incumbent with 1 M$ a month for AI."""
    model = quiet_world(capital={"acquisition_rate_year": rate, "option_usd": 1e6, **capital})
    firm, giant = raiser(model), incumbent(model)
    released(giant, model, accuracy_field=0.5)
    released(firm, model, accuracy_field=0.5 + better)
    firm.revenues = firm.costs = firm.recurring = [1e5] * 3
    return firm, giant
