"""A startup: spends a round over its runway, cuts when money is short, raises, pivots, sells itself, lists or ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.averages import average, last_quarter
from agents.firm.firm import Firm
from agents.firm.history import Funding
from agents.settings import FirmSettings
from agents.startup.diagnosis import out_of_cash, short_of_cash
from agents.startup.exits import find_buyer, list_on_exchange, wind_up
from agents.startup.fundraising import Fundraising
from agents.startup.giving_up import Patience, end_early
from agents.startup.positioning import Positioning
from agents.startup.reserves import expansion_usd, pay_dividend
from simulation.plugins.rules import rule
from simulation.records.events import Pivot, Profitable
from simulation.settings import Stage

if TYPE_CHECKING:
    from agents.firm.owner import World
    from simulation.books import Account

# Assumption: from this yearly revenue, or from series C, a startup aims at profit with this margin.
MATURE_REVENUE_USD_YEAR = 12e6
TARGET_MARGIN = 0.1
# Assumption: monthly cuts of what is spent beyond revenue, when nobody funds the firm and when the runway is short.
CUT_UNFUNDED, CUT_SHORT, SHORT_RUNWAY_MONTHS = 0.85, 0.93, 6


class Startup(Firm):
    """A startup. `burn_usd` is the monthly spending beyond revenue that its last round pays for."""

    kind = "startup"

    def __init__(self, model: World, name: str, settings: FirmSettings) -> None:
        super().__init__(model, name, settings)
        self.finance = Fundraising(self)
        self.patience = Patience(self)
        self.positioning = Positioning(self)
        self.first_study_usd = 0.0  # of the segments that it could begin in; due in its first month
        self.burn_usd = 0.0
        self.last_pivot_month = self.founded_month
        self.was_profitable = False
        self.is_undercut = False  # rivals take its customers by a better price for the same quality

    # -- money --------------------------------------------------------------------------------------------------------

    def burn_now_usd(self) -> float:
        """Costs beyond revenue in a month of the last quarter."""
        return last_quarter(self.costs) - last_quarter(self.revenues)

    def runway_months(self) -> float:
        """Months until cash is out at the pace of the last quarter."""
        burn = self.burn_now_usd()
        return self.books.cash_usd / burn if burn > 1.0 else float("inf")

    def is_mature(self) -> bool:
        """Late enough to aim at profit."""
        return self.finance.stage in ("C", "growth") or 12 * last_quarter(self.recurring) >= MATURE_REVENUE_USD_YEAR

    @rule("startup.budget", "what a startup plans to spend in a month, USD")
    def choose_budget(self) -> float:
        """Revenue plus what the last round allows; mature firms and firms that nobody funds live on their revenue."""
        revenue = last_quarter(self.revenues)
        if self.is_mature():
            fade = max(1 - self.finance.months_since_round() / 24, 0.0)
            return (1 - TARGET_MARGIN) * revenue + fade * self.burn_usd + expansion_usd(self)
        if self.finance.n_refused >= 2:
            self.burn_usd *= CUT_UNFUNDED
        elif self.runway_months() < SHORT_RUNWAY_MONTHS and not self.finance.raising:
            self.burn_usd *= CUT_SHORT
        return revenue + self.burn_usd

    def costs_due(self) -> dict[Account, float]:
        """Costs of the month; in the first one the study by which it chose where to begin is due too."""
        due = super().costs_due()
        if self.model.month == self.founded_month:
            due["positioning"] += self.first_study_usd
        return due

    def find_cash(self, due_usd: float) -> None:
        """On pay day the state advances its part of the research wages."""
        self.support.collect_wage_subsidy()

    # -- market -------------------------------------------------------------------------------------------------------

    def respond_to_market(self) -> None:
        """Raise a price that does not cover serving; go where more is to be earned; pivot where that does not work."""
        self.cover_serving_cost()
        self.reposition()
        self.pivot_if_stuck()

    @rule("startup.reposition", "nothing; it may pay for market research, and enter or leave segments of its sector")
    def reposition(self) -> None:
        """Study the sector's segments when stuck, or now and then; enter the best where it pays, leave the poor."""
        if self.sales.slots and self.model.settings.positioning.research_usd:
            self.positioning.review()

    @rule("startup.price", "nothing; it may change the price level of what the startup sells")
    def cover_serving_cost(self) -> None:
        """Assumption: a startup wants 40 % gross margin (M4 has 41-60 %), and moves its price by 5 % a month for it."""
        sales, offers = last_quarter(self.recurring), self.sales
        if sales <= 5_000 or offers.price_level >= 3 or self.is_undercut:
            return
        earns_by_price = not any(offers.market.record_of(slot).starts_free for slot in offers.slots.values())
        if earns_by_price and offers.serving_usd() + self.access_usd() > 0.6 * sales:
            offers.price_level *= 1.05

    @rule("startup.pivot", "nothing; it may change how the startup earns")
    def pivot_if_stuck(self) -> None:
        """After `pivot_months` in which sales stay under a fifth of costs, earn in another way."""
        stuck_for = self.model.month - max(self.last_pivot_month, self.founded_month)
        if stuck_for < self.settings.pivot_months or not self.laboratory.released:
            return
        self.last_pivot_month = self.model.month
        if average(self.revenues[-6:]) > 0.2 * average(self.costs[-6:]):
            return
        for segment, slot in self.sales.slots.items():
            earns = self.sales.market.record_of(slot)
            if earns.pivots_to:
                self.sales.market.set_model(slot, earns.pivots_to)
                self.record(Pivot(other=segment, before=earns.name, after=earns.pivots_to))

    # -- capital and end ----------------------------------------------------------------------------------------------

    def seek_capital(self) -> None:
        """Go out to raise when the runway gets short, or early when growth is strong."""
        if self.alive and not self.insolvent:
            self.finance.consider()

    def leave_or_enter(self) -> None:
        """Go public, pay out, sell, give up, or wind up."""
        if not self.alive:
            return
        self.note_profit()
        if self.insolvent or self.books.cash_usd < 1.0:
            self.leave_broke()
        # Assumption: who was refused looks for a buyer with three months of cash left.
        elif self.finance.n_refused > 0 and not self.finance.raising and self.runway_months() < 3:
            find_buyer(self, short_of_cash(self))
        elif need := self.patience.reason_to_end():
            end_early(self, need)
        else:
            list_on_exchange(self)
            pay_dividend(self)

    def leave_broke(self) -> None:
        """Sell itself in need, or be wound up."""
        need = out_of_cash(self)
        if not find_buyer(self, need):
            wind_up(self, need)

    def note_profit(self) -> None:
        """Record the first year in profit."""
        if not self.was_profitable and len(self.revenues) >= 12 and sum(self.revenues[-12:]) > sum(self.costs[-12:]):
            self.was_profitable = True
            self.record(Profitable(amount_usd=sum(self.revenues[-12:]) - sum(self.costs[-12:])))

    def stage_name(self) -> Stage:
        """Financing stage."""
        return self.finance.stage

    def funding(self) -> Funding:
        """How it stands with investors."""
        return Funding(self.finance.climate_at_round, self.finance.refusal)


def startups_in(model: World, sector: str) -> list[Startup]:
    """Living startups of a sector, in order of entry."""
    return [firm for firm in model.firms_in(sector, "startup") if isinstance(firm, Startup)]
