"""Public programmes beyond one firm's account: founding grants, a data commons, training of talent, open weights.

All money comes from the government's books, within the budgets of `agents/treasury.py`. Each jurisdiction has its own
programmes, for firms at home there (OP-ECOSYSTEM).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agents import treasury
from agents.actor import Actor
from agents.lab.names import COMMUNITY
from agents.startup.startup import Startup, startups_in
from agents.treasury import is_covered
from simulation.public_accounts import Recipient
from simulation.records.events import Grant

if TYPE_CHECKING:
    from agents.firm.owner import World

JURY_ERROR = 0.1  # assumption: standard deviation of a jury's error about skill


def award_founding_grant(firm: Startup) -> None:
    """Pay a new startup its grant, if the jury sees enough skill. It is spent like the seed round, over the runway."""
    model, rules = firm.model, firm.law.support
    if rules.grant_usd == 0 or not is_covered(rules, firm.sector):
        return
    seen = firm.settings.skill + JURY_ERROR * model.streams.normal("grant jury", firm.name)
    if rules.grant_skill > 0 and seen < rules.grant_skill:
        return
    # Booked as capital, not as revenue: turnover, budgets and fines must not see it.
    paid = treasury.grant(model, "grants", firm.name, rules.grant_usd, "paid_in_capital", *firm.support.whom())
    if paid == 0:
        return
    firm.burn_usd = firm.books.cash_usd / model.settings.capital.runway_months
    firm.record(Grant(amount_usd=paid))


def people_trained(employed: float, growth_year: float, usual_year: float) -> float:
    """People whom a programme trains in a month: what the faster growth of talent adds to those whom firms employ."""
    return employed * max((1 + growth_year) ** (1 / 12) - (1 + usual_year) ** (1 / 12), 0.0)


def pay_for_training(model: World, jurisdiction: str = "") -> None:
    """The state pays universities for the people that a talent programme trains. It has no budget: growth is given.

    Assumption: the people trained are in proportion to those whom the firms at home there employ.
    """
    rules = model.laws.of_state(jurisdiction).support
    if rules.training_usd_person > 0:
        at_home = (firm for firm in model.living.values() if firm.home == jurisdiction)
        employed = sum(sum(firm.staff.values()) for firm in at_home)
        growth = model.settings.labour.talent_growth_year
        cost = people_trained(employed, growth, rules.usual_talent_growth_year) * rules.training_usd_person
        treasury.pay_out(model, "talent", "suppliers", cost, "income", Recipient(jurisdiction))


def support_open_weights(model: World, jurisdiction: str = "") -> float:
    """The month's public money for open weights; returns the USD paid.

    It goes to the community of a world with large models, else to somebody outside the model.
    """
    usd = model.laws.of_state(jurisdiction).support.open_weights_usd_year / 12
    if usd <= 0:
        return 0.0
    whom = Recipient(jurisdiction)
    if COMMUNITY in model.bank.books:
        return treasury.grant(model, "open-weights", COMMUNITY, usd, "grants", whom)
    return treasury.grant(model, "open-weights", "suppliers", usd, "income", whom)


class Commons(Actor):
    """Public programmes that reach beyond one firm: a data commons, training of talent, links with universities."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "data commons")

    def plan(self) -> None:
        """One month of all of them."""
        for jurisdiction in self.model.laws.states():
            self.share_rows(jurisdiction)
            pay_for_training(self.model, jurisdiction)
            support_open_weights(self.model, jurisdiction)
        self.work_together()

    def at_home(self, sector: str, jurisdiction: str) -> list[Startup]:
        """Startups of a sector with their home in a jurisdiction, older ones first."""
        return [firm for firm in startups_in(self.model, sector) if firm.home == jurisdiction]

    def share_rows(self, jurisdiction: str = "") -> None:
        """Make this month's rows of a jurisdiction's commons, once per sector at public cost, and share them."""
        for sector in self.sectors_with_commons(jurisdiction):
            startups = self.at_home(sector, jurisdiction)
            law = self.model.laws.at_home(sector, jurisdiction)
            if startups and is_covered(law.support, sector):
                rows = law.support.commons_rows_year / 12
                cost = rows * self.model.settings.labour.label_cost_usd * law.data_cost_factor
                whom, names = Recipient(jurisdiction, sector, "startup"), [firm.name for firm in startups]
                paid = treasury.grant(self.model, "commons", "suppliers", cost, "income", whom, names)
                shared = rows * treasury.part_paid(paid, cost)
                for firm in startups:
                    firm.laboratory.rows_field += shared * law.support.commons_field_share
                    firm.laboratory.rows_lab += shared * (1 - law.support.commons_field_share)

    def sectors_with_commons(self, jurisdiction: str) -> Iterator[str]:
        """Sectors whose startups a jurisdiction makes rows for."""
        for sector in self.model.settings.sectors:
            if self.model.laws.at_home(sector, jurisdiction).support.commons_rows_year > 0:
                yield sector

    def work_together(self) -> None:
        """A month of all joint projects of startups and universities, sector by sector, older firms first."""
        laws = self.model.laws
        for sector in self.model.settings.sectors:
            if any(laws.at_home(sector, state).university.participation_share > 0 for state in laws.states()):
                for firm in startups_in(self.model, sector):
                    if is_covered(firm.law.support, sector) and firm.university.takes_part():
                        firm.university.work_together()
