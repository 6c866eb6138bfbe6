"""Public support: founding grants, wage subsidies, tax relief, common data (OP-POLICY, OP-ECOSYSTEM).

All money comes from the government's books, within the budgets of `agents/treasury.py`. The shares and caps of compute
vouchers are in `agents/startup/startup.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import treasury
from agents.actor import Actor
from agents.firm.university import work_together
from agents.treasury import is_covered
from simulation.settings.law import SupportSettings

if TYPE_CHECKING:
    from agents.firm.firm import Firm
    from agents.startup.startup import Startup
    from simulation.model import MarketModel

JURY_ERROR = 0.1  # assumption: standard deviation of a jury's error about skill


def tax_after_credit(tax_usd: float, credit_usd: float) -> tuple[float, float]:
    """(Tax still due, credit left), USD: a credit is used as far as there is tax, the rest is carried forward."""
    used = min(tax_usd, credit_usd)
    return tax_usd - used, credit_usd - used


class Support:
    """Public support of one firm: what it has taken of capped sums, and the tax credit it carries forward."""

    def __init__(self, firm: Firm) -> None:
        self.firm, self.model = firm, firm.model
        self.credit_usd = 0.0
        self.wages_paid_usd: dict[int, float] = {}  # by calendar year

    @property
    def rules(self) -> SupportSettings:
        """The rules in force."""
        return self.model.settings.law.support

    def research_wages_usd(self) -> float:
        """Wages of the month's researchers."""
        return self.firm.staff["research"] * self.model.talent.wages["research"]

    def collect_wage_subsidy(self) -> None:
        """The state's part of the month's research wages, up to the cap of the calendar year."""
        rules = self.rules
        if not rules.research_wage_share:
            return
        year = self.model.today.year
        left = max(rules.research_wage_cap_usd_year - self.wages_paid_usd.get(year, 0.0), 0.0)
        subsidy = min(rules.research_wage_share * self.research_wages_usd(), left)
        if subsidy > 0 and is_covered(rules, self.firm.sector):
            paid = treasury.grant(self.model, "wages", self.firm.name, subsidy, "grants")
            self.wages_paid_usd[year] = self.wages_paid_usd.get(year, 0.0) + paid

    def tax_due_usd(self, tax_usd: float) -> float:
        """Tax of the month after holiday and credit; also counts what the month's research adds to the credit."""
        rules, balance = self.rules, self.firm.books.balance
        if rules.tax_credit_share:
            # What the state paid itself, by subsidy or voucher, earns no credit.
            own = self.research_wages_usd() + (balance["compute"] + balance["grants"]) / 100
            self.credit_usd += rules.tax_credit_share * max(own, 0.0)
        if tax_usd == 0:
            return tax_usd
        if self.firm.kind == "startup" and self.firm.age_years() < rules.tax_holiday_years:
            return tax_usd - treasury.forgo(self.model, "holidays", tax_usd)
        if self.credit_usd == 0:
            return tax_usd
        used = treasury.forgo(self.model, "credits", min(tax_usd, self.credit_usd))
        self.credit_usd -= used
        return tax_after_credit(tax_usd, used)[0]

    # -- compute vouchers ---------------------------------------------------------------------------------------------

    def bill_affordable_usd(self, own_usd: float) -> float:
        """The largest compute bill that `own_usd` pays, with what the state adds and has left in its budget."""
        bill_usd = self.firm.compute_bill_affordable(own_usd)
        if bill_usd <= own_usd:  # no voucher
            return bill_usd
        return min(bill_usd, own_usd + treasury.left_usd(self.model, "vouchers"))

    def pay_voucher(self, usd: float) -> float:
        """The state's part of a compute bill, as far as the budget goes; returns it, USD."""
        part = min(usd, treasury.left_usd(self.model, "vouchers"))
        treasury.grant(self.model, "vouchers", self.firm.name, usd, "grants")
        return part


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
    firm.record("grant", other="government", amount_usd=paid)


def people_trained(employed: float, growth_year: float, usual_year: float) -> float:
    """People whom a programme trains in a month: what the faster growth of talent adds to those whom firms employ."""
    return employed * max((1 + growth_year) ** (1 / 12) - (1 + usual_year) ** (1 / 12), 0.0)


def pay_for_training(model: MarketModel) -> None:
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

    def __init__(self, model: MarketModel) -> None:
        super().__init__(model, "data commons")

    def plan(self) -> None:
        """One month of all of them."""
        self.share_rows()
        pay_for_training(self.model)
        work_together(self.model)

    def share_rows(self) -> None:
        """Make this month's rows of the commons, once per sector at public cost, and share them."""
        rules = self.model.settings.law.support
        rows = rules.commons_rows_year / 12
        for sector in self.model.settings.sectors if rows > 0 else ():
            startups = self.model.firms_in(sector, "startup")
            if startups and is_covered(rules, sector):
                cost = rows * self.model.settings.labour.label_cost_usd * self.model.settings.law.data_cost_factor
                paid = treasury.grant(self.model, "commons", "suppliers", cost, "income")
                shared = rows * treasury.part_paid(paid, cost)
                for firm in startups:
                    firm.laboratory.rows_field += shared * rules.commons_field_share
                    firm.laboratory.rows_lab += shared * (1 - rules.commons_field_share)
