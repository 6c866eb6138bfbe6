"""An incumbent: a large company's AI division, with data, GPUs, brand and a parent that pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.acquisition import CLEARLY_BETTER, SHARE_THAT_WORRIES, approach
from agents.exits import USD_PER_RESEARCHER
from agents.firm import Firm, average
from agents.settings import FirmSettings

if TYPE_CHECKING:
    from agents.startup import Startup
    from simulation.model import MarketModel

# Assumption: an incumbent cuts its price by a tenth when a rival's share worries it, never below half the usual.
CUT, LOWEST_LEVEL = 0.9, 0.5


class Incumbent(Firm):
    """An incumbent. Its parent pays a monthly budget, so it cannot run out of cash."""

    kind = "incumbent"

    def __init__(self, model: MarketModel, name: str, settings: FirmSettings) -> None:
        super().__init__(model, name, settings)
        self.last_answer_month = self.founded_month
        model.bank.pay("savers", name, settings.capital_usd, "spending", "paid_in_capital")
        # Assumption: half a year of compute is set aside when the division begins.
        self.laboratory.purse_usd = 6 * settings.compute_share * settings.core_income_usd_month

    def choose_budget(self) -> float:
        """What the parent pays, and 70 % of what customers pay (assumption)."""
        return self.settings.core_income_usd_month + 0.7 * average(self.recurring[-3:])

    def find_cash(self, due_usd: float) -> None:
        """The parent pays its part, and makes up what is missing."""
        bank = self.model.bank
        bank.pay("customers", self.name, self.settings.core_income_usd_month, "spending", "core_income")
        missing = due_usd - self.books.cash_usd
        if missing > 0:
            # One cent per account more than the sum: each cost is rounded to cents by itself.
            bank.pay("savers", self.name, missing + 0.1, "spending", "paid_in_capital")

    def respond_to_market(self) -> None:
        """Answer a startup that has become large or clearly better, with the delay of a large organisation."""
        if self.model.month - self.last_answer_month < self.settings.follow_months:
            return
        rivals = [firm for firm in self.model.firms_in(self.sector, "startup") if firm.laboratory.released]
        if not rivals:
            return
        self.last_answer_month = self.model.month
        shares = self.model.shares_in(self.sector)
        largest = max(shares.get(firm.name, 0.0) for firm in rivals)
        best = max(firm.quality_field for firm in rivals)
        if largest > SHARE_THAT_WORRIES and self.sales.price_level > LOWEST_LEVEL:
            self.sales.price_level = max(self.sales.price_level * CUT, LOWEST_LEVEL)
            self.record("price cut", cause=f"a startup holds {largest:.0%}", text=f"level {self.sales.price_level:.2f}")
        if best > self.quality_field:
            # Imitation: train out of turn, with three months of compute on top (assumption).
            self.laboratory.hurried = True
            self.laboratory.purse_usd += 3 * self.settings.compute_share * self.settings.core_income_usd_month
            self.record("imitation", cause=f"a startup reaches {best:.3f} in the field")

    def leave_or_enter(self) -> None:
        """Look for a healthy startup to buy."""
        approach(self)

    def value_of(self, target: Startup) -> float:
        """What the incumbent would pay for a startup that runs out of money; 0 for no.

        It needs a reason: a model clearly better than its own (a point in the field), or customers worth more than
        their care (a million dollars a year). Both bounds are assumptions.
        """
        yearly = 12 * average(target.recurring[-3:])
        better = target.quality_field - self.quality_field if target.laboratory.released else 0.0
        if better > CLEARLY_BETTER or yearly > 1e6:
            return USD_PER_RESEARCHER * target.staff["research"] + yearly
        return 0.0

    def absorb(self, target: Startup) -> None:
        """Take over customers where there is an offer in the same segment, and the data."""
        for segment, slot in target.sales.slots.items():
            if segment in self.sales.slots:
                self.model.market.move_customers(slot, self.sales.slots[segment])
        self.laboratory.rows_lab += target.laboratory.rows_lab
        self.laboratory.rows_field += target.laboratory.rows_field
