"""Public programmes beyond one firm's account: founding grants, a data commons, training of talent (OP-ECOSYSTEM).

All money comes from the government's books, within the budgets of `agents/treasury.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import treasury
from agents.actor import Actor
from agents.startup.startup import Startup, startups_in
from agents.treasury import is_covered
from simulation.records.events import Grant

if TYPE_CHECKING:
    from agents.firm.owner import World

JURY_ERROR = 0.1  # assumption: standard deviation of a jury's error about skill


def award_founding_grant(firm: Startup) -> None:
    """Pay a new startup its grant, if the jury sees enough skill. It is spent like the seed round, over the runway."""
    model, rules = firm.model, firm.model.settings.law.support
    if rules.grant_usd == 0 or not is_covered(rules, firm.sector):
        return
    seen = firm.settings.skill + JURY_ERROR * model.streams.normal("grant jury", firm.name)
    if rules.grant_skill > 0 and seen < rules.grant_skill:
        return
    # Booked as capital, not as revenue: turnover, budgets and fines must not see it.
    paid = treasury.grant(model, "grants", firm.name, rules.grant_usd, "paid_in_capital")
    if paid == 0:
        return
    firm.burn_usd = firm.books.cash_usd / model.settings.capital.runway_months
    firm.record(Grant(amount_usd=paid))


def people_trained(employed: float, growth_year: float, usual_year: float) -> float:
    """People whom a programme trains in a month: what the faster growth of talent adds to those whom firms employ."""
    return employed * max((1 + growth_year) ** (1 / 12) - (1 + usual_year) ** (1 / 12), 0.0)


def pay_for_training(model: World) -> None:
    """The state pays universities for the people that a talent programme trains. It has no budget: growth is given.

    Assumption: the people trained are in proportion to those whom all firms of the model employ.
    """
    rules = model.settings.law.support
    if rules.training_usd_person > 0:
        employed = sum(sum(firm.staff.values()) for firm in model.living.values())
        growth = model.settings.labour.talent_growth_year
        cost = people_trained(employed, growth, rules.usual_talent_growth_year) * rules.training_usd_person
        model.bank.pay("government", "suppliers", cost, treasury.account_of(model, "talent"), "income")


class Commons(Actor):
    """Public programmes that reach beyond one firm: a data commons, training of talent, links with universities."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "data commons")

    def plan(self) -> None:
        """One month of all of them."""
        self.share_rows()
        pay_for_training(self.model)
        self.work_together()

    def share_rows(self) -> None:
        """Make this month's rows of the commons, once per sector at public cost, and share them."""
        rules = self.model.settings.law.support
        rows = rules.commons_rows_year / 12
        for sector in self.model.settings.sectors if rows > 0 else ():
            startups = startups_in(self.model, sector)
            if startups and is_covered(rules, sector):
                cost = rows * self.model.settings.labour.label_cost_usd * self.model.settings.law.data_cost_factor
                paid = treasury.grant(self.model, "commons", "suppliers", cost, "income")
                shared = rows * treasury.part_paid(paid, cost)
                for firm in startups:
                    firm.laboratory.rows_field += shared * rules.commons_field_share
                    firm.laboratory.rows_lab += shared * (1 - rules.commons_field_share)

    def work_together(self) -> None:
        """A month of all joint projects of startups and universities, sector by sector, older firms first."""
        law = self.model.settings.law
        if law.university.participation_share == 0:
            return
        for sector in self.model.settings.sectors:
            if is_covered(law.support, sector):
                for firm in startups_in(self.model, sector):
                    if firm.university.takes_part():
                        firm.university.work_together()
