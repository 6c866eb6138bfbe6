"""A laboratory that makes large models: it pretrains, sells access, licenses or opens, answers rivals, and may end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.lab.base import Lab
from agents.lab.community import community_of
from agents.lab.envelopment import adapt_owner, consider_entry
from agents.lab.funding import collect_budget, pay_month, raise_money, reason_to_end, wind_up
from agents.lab.offers import access_of, first_price_usd, review_offers
from agents.lab.pretraining import Intended, Trained
from agents.lab.settings import LabSettings
from agents.lab.supplier import Released
from simulation.plugins.rules import rule
from simulation.records.events import FoundationReleased, PretrainingBegun

if TYPE_CHECKING:
    from agents.firm.owner import World

REFRESH_YEARS = 2
"""Age of its text from which a model of the same size is trained again; assumption."""


class FoundationLab(Lab):
    """One laboratory, phase by phase."""

    def __init__(self, model: World, name: str, settings: LabSettings) -> None:
        super().__init__(model, name, settings)
        self.begin_if_due(0)

    # -- phases -------------------------------------------------------------------------------------------------------

    def receive_results(self) -> None:
        """Release what came out of a run."""
        if self.alive and (trained := self.pretraining.receive()):
            self.release(trained)

    def plan(self) -> None:
        """Take the owner's money; decide on access, prices, sectors of its customers."""
        if not self.alive:
            return
        self.unpaid = False
        collect_budget(self)
        review_offers(self)
        adapt_owner(self)
        consider_entry(self)

    def acquire(self) -> None:
        """Pay for the run under way, or begin the next."""
        if not self.alive:
            return
        if self.pretraining.run is not None:
            self.pretraining.pay_instalment()
        elif (intended := self.next_foundation()) is not None:
            self.begin(intended)

    def seek_capital(self) -> None:
        """Close the month, once all customers have paid; then raise."""
        if not self.alive:
            return
        self.note_revenue()
        pay_month(self)
        self.books.close_month()
        raise_money(self)

    def leave_or_enter(self) -> None:
        """Begin at its date; end without money, or without an owner."""
        self.begin_if_due(self.model.month + 1)
        if self.alive and (why := reason_to_end(self)):
            wind_up(self, why)

    # -- life ---------------------------------------------------------------------------------------------------------

    def begin_if_due(self, month: int) -> None:
        """Take the first money when its month comes."""
        day = self.settings.founded
        if self.has_begun or (day is not None and self.model.calendar.month_of(day) > month):
            return
        self.alive = self.has_begun = True
        usd = self.scaled(self.settings.capital_usd)
        self.model.bank.pay("savers", self.name, usd, "spending", "paid_in_capital")

    def note_revenue(self) -> None:
        """What customers paid this month: to itself, and to each supplier."""
        market = self.model.model_market
        self.revenues.append(sum(use.usd for _, use in market.uses_of(self.name)))
        self.model_revenue = {}
        for supplier in self.model.labs:
            usd = sum(use.usd for _, use in market.uses_of(supplier.name))
            if usd:
                self.model_revenue[supplier.name] = usd

    # -- models -------------------------------------------------------------------------------------------------------

    @rule("lab.next_foundation", "an `Intended` pretraining run that begins now, or None")
    def next_foundation(self) -> Intended | None:
        """The largest rung of the year that it can pay for: larger than what it has, unless that has grown old.

        Nothing is trained that is smaller than what is free.
        """
        if self.model.month - self.pretraining.last_order_month < self.settings.release_months:
            return None
        best, money = self.best_rung(), self.affordable_usd()
        rung, least = self.largest_rung(), max(best, self.free_rung(), 0.0)
        while rung >= least and self.pretraining.cost_usd(rung) > money:
            rung -= 0.5
        if rung < least or (rung == best and not self.has_old_text()):
            return None
        return self.pretraining.intend(rung, self.settings.skill, self.settings.text_quality)

    def free_rung(self) -> float:
        """The largest whose weights are open; −1 for none."""
        offers = self.model.model_market.offers.values()
        return max((offer.rung for offer in offers if offer.access == "open"), default=-1.0)

    def has_old_text(self) -> bool:
        """Whether the text of its newest model is so old that the language has moved on."""
        return self.model.today.year - self.models[-1].trained.plan.vintage >= REFRESH_YEARS

    def begin(self, intended: Intended) -> None:
        """Begin a run."""
        run = self.pretraining.order(intended, self.settings.run_months)
        self.record(
            PretrainingBegun(
                amount_usd=intended.cost_usd,
                rung=intended.rung,
                vintage=intended.plan.vintage,
                training_flop=run.training_flop,
            )
        )

    def release(self, trained: Trained) -> None:
        """Put a model on offer; of those that it sells, only the newest generations stay."""
        one = Released(trained, self.name, int(self.model.env.now), self.settings.access)
        if access_of(self, one) is not None:
            one.access = "open"
        one.price_usd = one.told_usd = first_price_usd(self, one)
        self.models.append(one)
        self.record(
            FoundationReleased(
                amount_usd=trained.cost_usd,
                run=trained.result.key,
                rung=trained.rung,
                loss=one.loss,
                access=one.access,
                training_flop=trained.training_flop,
            )
        )
        if one.access == "open":
            community_of(self.model).take(one)
            return
        self.model.model_market.release(one.offer_by(self.name))
        for old in self.on_offer()[: -self.settings.kept]:
            self.model.model_market.withdraw(old.offer_by(self.name).name)
