"""An incumbent: a large company's AI division, with data, GPUs, brand and a parent that pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.averages import average, last_quarter
from agents.firm.firm import Firm
from agents.firm.takeover import take_over
from agents.incumbent.acquisition import CLEARLY_BETTER, SHARE_THAT_WORRIES, approach
from agents.incumbent.expected_worth import rescue_price_usd
from agents.incumbent.line import Line
from agents.incumbent.perception import View, answered, is_noticed, truth, view_of
from agents.settings import FirmSettings
from agents.startup.exits import USD_PER_RESEARCHER
from agents.startup.startup import Startup, startups_in
from simulation.plugins.rules import rule
from simulation.records.events import Imitation, PriceCut, ThreatOverlooked

if TYPE_CHECKING:
    from agents.firm.owner import World

# Assumption: an incumbent cuts its price by a tenth when a rival's share worries it, never below half the usual.
CUT, LOWEST_LEVEL = 0.9, 0.5
Views = dict["Startup", View]


class Incumbent(Firm):
    """An incumbent. Its parent pays a monthly budget, so it cannot run out of cash."""

    kind = "incumbent"

    def __init__(self, model: World, name: str, settings: FirmSettings) -> None:
        super().__init__(model, name, settings)
        self.last_answer_month = self.founded_month
        self.line = Line(self)
        self.oversights: set[int] = set()  # years in which a threat was overlooked
        model.bank.pay("savers", name, settings.capital_usd, "spending", "paid_in_capital")
        # Assumption: half a year of compute is set aside when the division begins.
        self.set_aside(6 * settings.compute_share * settings.core_income_usd_month)

    def organisation(self) -> tuple[float, float]:
        """Division and parent together."""
        technology = self.model.settings.technology
        return self.headcount() + technology.parent_people, self.age_years() + technology.parent_age_years

    def choose_budget(self) -> float:
        """What the parent pays, and 70 % of what customers pay (assumption)."""
        return self.line.parent_usd() + 0.7 * last_quarter(self.recurring)

    def find_cash(self, due_usd: float) -> None:
        """The parent pays its part, and makes up what is missing."""
        bank = self.model.bank
        bank.pay("customers", self.name, self.line.parent_usd(), "spending", "core_income")
        missing = due_usd - self.books.cash_usd
        if missing > 0:
            # One cent per account more than the sum: each cost is rounded to cents by itself.
            bank.pay("savers", self.name, missing + 0.1, "spending", "paid_in_capital")

    def close_books(self) -> None:
        """As every firm; the parent notes what the line lost."""
        if self.alive:
            super().close_books()
            self.line.end_month()

    @rule("incumbent.response", "nothing; it may answer rivals by price and imitation")
    def respond_to_market(self) -> None:
        """Answer a startup that has become large or clearly better, with the delay of a large organisation.

        What it answers is what it believes (`agents/incumbent/perception.py`), and only of rivals that it notices.
        """
        if self.model.month - self.last_answer_month < self.settings.follow_months:
            return
        rivals = [firm for firm in startups_in(self.model, self.sector) if firm.laboratory.released]
        if not rivals:
            return
        shares = self.model.shares_in(self.sector)
        rows = [(firm, shares.get(firm.name, 0.0)) for firm in rivals]
        true = {firm: truth(firm, share) for firm, share in rows}
        seen = {firm: view_of(self, firm, share) for firm, share in rows if is_noticed(self, share)}
        self.note_oversight(true, seen)
        if seen:
            self.last_answer_month = self.model.month
            self.answer_size(seen, true)
            self.answer_quality(seen, true)

    @rule("incumbent.price", "nothing; it may change the price level against a large rival")
    def answer_size(self, seen: Views, true: Views) -> None:
        """Cut the price when a startup seems to hold a share that worries."""
        largest = max(seen, key=lambda firm: seen[firm].share)
        share = seen[largest].share
        if share > SHARE_THAT_WORRIES and self.sales.price_level > LOWEST_LEVEL:
            self.sales.price_level = max(self.sales.price_level * CUT, LOWEST_LEVEL)
            known = answered(seen[largest], true[largest])
            self.record(PriceCut(rival=largest.name, level=self.sales.price_level, **known))

    @rule("incumbent.imitation", "nothing; it may imitate a better rival")
    def answer_quality(self, seen: Views, true: Views) -> None:
        """Imitate when a startup seems to be better in the field."""
        best = max(seen, key=lambda firm: seen[firm].quality)
        if seen[best].quality > self.quality_field:
            # Imitation: train out of turn, with three months of compute on top (assumption).
            self.laboratory.hurried = True
            self.laboratory.purse_usd += 3 * self.settings.compute_share * self.settings.core_income_usd_month
            self.record(Imitation(rival=best.name, **answered(seen[best], true[best])))

    def note_oversight(self, true: Views, seen: Views) -> None:
        """Record once a year the greatest threat that it does not see, or does not believe in."""
        missed = [f for f in true if self.is_threat(true[f]) and not (f in seen and self.is_threat(seen[f]))]
        if not missed or self.model.today.year in self.oversights:
            return
        self.oversights.add(self.model.today.year)
        rival = max(missed, key=lambda firm: true[firm].share)
        self.record(ThreatOverlooked(other=rival.name, **answered(seen.get(rival), true[rival])))

    def is_threat(self, view: View) -> bool:
        """Whether a rival that is as this view says deserves an answer."""
        return view.share > SHARE_THAT_WORRIES or view.quality > self.quality_field

    def leave_or_enter(self) -> None:
        """Look for a healthy startup to buy; answer to the parent."""
        if self.alive:
            approach(self)
            self.line.review()
            self.line.judge()

    @rule("incumbent.rescue", "what an incumbent pays for a startup that runs out of money, USD; 0 for no")
    def value_of(self, target: Startup) -> float:
        """What the incumbent would pay for a startup that runs out of money; 0 for no.

        It needs a reason: a model clearly better than its own (a point in the field), or customers worth more than
        their care (a million dollars a year). Both bounds are assumptions.
        """
        view = view_of(self, target, 0.0)
        if self.model.settings.capital.exit_valuation == "expected":
            is_better = target.laboratory.released is not None and view.quality - self.quality_field > CLEARLY_BETTER
            return rescue_price_usd(self, target, view, is_better)
        yearly = 12 * average(target.recurring[-3:]) * view.revenue_ratio
        better = view.quality - self.quality_field if target.laboratory.released else 0.0
        if better > CLEARLY_BETTER or yearly > 1e6:
            return USD_PER_RESEARCHER * target.staff["research"] + yearly
        return 0.0

    def absorb(self, target: Startup) -> None:
        """Take over customers where there is an offer in the same segment, and the data."""
        take_over(self, target)
        if self.model.settings.capital.exit_valuation == "expected":
            self.take_what_was_paid_for(target)

    def take_what_was_paid_for(self, target: Startup) -> None:
        """What the buyer counted on beside customers and data: better models; and what the deal itself costs."""
        cost = min(self.model.settings.capital.expectation.deal_cost_usd, self.books.cash_usd)
        self.model.bank.pay(self.name, "suppliers", cost, "investments", "income")
        for sector in self.laboratories.keys() & target.laboratories.keys():
            self.laboratories[sector].take_over(target.laboratories[sector])
