"""What the years before the run left behind, where a world begins later than its market (`simulation.history`).

Incumbents have a model in use and the customers that adopted so far; funds have spent part of their money. Startups of
the past are not there: whoever is in the market from before is an incumbent that the scenario names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.actor import Actor
from agents.firm.firm import Firm
from agents.firm.laboratory import Job
from agents.firm.training_plan import skill_at_work
from agents.fund import Fund, funds_of
from simulation.compute import HOURS_PER_MONTH
from simulation.general_purpose_law import gpu_price_factor
from simulation.history import adopted_share, fees_left, money_left

if TYPE_CHECKING:
    from agents.firm.owner import World
    from agents.settings import InvestorSettings


def meets_run(fund: InvestorSettings, first_year: float, end_year: float) -> bool:
    """Whether a fund's life and the run, from `first_year` up to `end_year`, have a day in common."""
    return fund.vintage < end_year and fund.vintage + fund.life_years > first_year


class InitialAdoption(Actor):
    """The past of a world that begins later than its markets: it acts once, before customers first choose."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "past")
        self.incumbents = [
            firm
            for firm in model.firms.values()
            if isinstance(firm, Firm) and firm.kind == "incumbent" and opened_before(model, firm.sector)
        ]
        for firm in self.incumbents:
            put_model_to_use(firm)
        for fund in funds_of(model):
            spend_before(fund)

    def acquire(self) -> None:
        """Hand out the customers once, when incumbents show what they sell."""
        if self.incumbents:
            hand_over_customers(self.model, self.incumbents)
            self.incumbents = []


def has_past(model: World) -> bool:
    """Whether the world begins later than one of its markets; asked before its first step."""
    return any(opened_before(model, sector) for sector in model.settings.sectors)


def opened_before(model: World, sector: str) -> bool:
    """Whether customers of the sector looked at AI before the run."""
    return model.settings.sectors[sector].market_opens < model.year


def put_model_to_use(firm: Firm) -> None:
    """An incumbent enters with the model that its data, skill and half a year of compute make in that year."""
    lab, model = firm.laboratory, firm.model
    own_hours = firm.settings.reserved_gpus * HOURS_PER_MONTH * model.settings.compute.job_months
    price = model.cloud.list_price_usd(model.year) * gpu_price_factor(firm.law.compute)
    bought_hours = firm.support.bill_covered_usd(lab.purse_usd) / price
    plan, hours = lab.draw_plan(own_hours + bought_hours)
    lab.last_plan = plan
    lab.finished.append(Job(plan, model.order(plan, skill=skill_at_work(lab.team())), hours=hours))


def hand_over_customers(model: World, incumbents: list[Firm]) -> None:
    """Give the customers that adopted so far to the incumbents that sell to their segment, by logit shares.

    Who may not sell yet (no model, below the threshold, no certificate) has won nobody; without a seller nobody is
    served.
    """
    market = model.market
    newcomer, _ = market.utilities()
    offers = [slot for firm in incumbents for slot in firm.sales.slots.values()]
    for (sector, name), index in market.segment_index.items():
        slots = [slot for slot in offers if market.segment[slot] == index]
        weights = np.exp(newcomer[:, slots])
        if not weights.sum() > 0:
            continue
        settings = model.settings.sectors[sector]
        share = adopted_share(settings.segments[name], settings.market_opens, model.calendar.year_of(0))
        served = share * market.s["customers"][index] * market.tastes.share[:, [index]]
        handed = served * weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        for slot, buyers in zip(slots, handed.T, strict=True):
            market.take_on(slot, buyers, free=market.record_of(slot).starts_free)


def spend_before(fund: Fund) -> None:
    """Take off the money and the fees that a fund of an earlier vintage has called before the run."""
    age, life = max(fund.age_years(), 0.0), fund.settings.life_years
    fund.uncalled_usd *= money_left(age, life)
    fund.reserve_usd = fund.settings.reserve_share * fund.uncalled_usd
    fund.fees_left_usd *= fees_left(age, life)
