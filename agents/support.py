"""Public support: founding grants, wage subsidies, tax relief, common data (OP-POLICY, OP-ECOSYSTEM).

All money comes from the government's books. Compute vouchers are in `agents/startup.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.actor import Actor
from simulation.law import SupportSettings

if TYPE_CHECKING:
    from agents.firm import Firm
    from agents.startup import Startup
    from simulation.model import MarketModel

JURY_ERROR = 0.1  # assumption: standard deviation of a jury's error about skill


def tax_after_credit(tax_usd: float, credit_usd: float) -> tuple[float, float]:
    """(Tax still due, credit left), USD: a credit is used as far as there is tax, the rest is carried forward."""
    used = min(tax_usd, credit_usd)
    return tax_usd - used, credit_usd - used


def is_covered(rules: SupportSettings, sector: str) -> bool:
    """Whether startups of a sector get grants, wage subsidies and common data."""
    return not rules.sectors or sector in rules.sectors


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
        rules, year = self.rules, self.model.today.year
        left = max(rules.research_wage_cap_usd_year - self.wages_paid_usd.get(year, 0.0), 0.0)
        subsidy = min(rules.research_wage_share * self.research_wages_usd(), left)
        if subsidy > 0 and is_covered(rules, self.firm.sector):
            paid = self.model.bank.pay("government", self.firm.name, subsidy, "grants_paid", "grants")
            self.wages_paid_usd[year] = self.wages_paid_usd.get(year, 0.0) + paid

    def tax_due_usd(self, tax_usd: float) -> float:
        """Tax of the month after holiday and credit; also counts what the month's research adds to the credit."""
        rules, balance = self.rules, self.firm.books.balance
        # What the state paid itself, by subsidy or voucher, earns no credit.
        own = self.research_wages_usd() + (balance["compute"] + balance["grants"]) / 100
        self.credit_usd += rules.tax_credit_share * max(own, 0.0)
        if self.firm.kind == "startup" and self.firm.age_years() < rules.tax_holiday_years:
            return 0.0
        due, self.credit_usd = tax_after_credit(tax_usd, self.credit_usd)
        return due


def award_founding_grant(firm: Startup) -> None:
    """Pay a new startup its grant, if the jury sees enough skill. It is spent like the seed round, over the runway."""
    model, rules = firm.model, firm.model.settings.law.support
    if rules.grant_usd == 0 or not is_covered(rules, firm.sector):
        return
    seen = firm.settings.skill + JURY_ERROR * model.streams.normal("grant jury", firm.name)
    if rules.grant_skill > 0 and seen < rules.grant_skill:
        return
    # Booked as capital, not as revenue: turnover, budgets and fines must not see it.
    paid = model.bank.pay("government", firm.name, rules.grant_usd, "grants_paid", "paid_in_capital")
    firm.burn_usd = firm.books.cash_usd / model.settings.capital.runway_months
    firm.record("grant", other="government", amount_usd=paid)


class Commons(Actor):
    """A public data commons, fed by universities and the state: rows that all startups of a sector share."""

    def __init__(self, model: MarketModel) -> None:
        super().__init__(model, "data commons")

    def plan(self) -> None:
        """Make this month's rows, once per sector at public cost, and share them."""
        rules = self.model.settings.law.support
        rows = rules.commons_rows_year / 12
        for sector in self.model.settings.sectors if rows > 0 else ():
            startups = self.model.firms_in(sector, "startup")
            if startups and is_covered(rules, sector):
                cost = rows * self.model.settings.labour.label_cost_usd * self.model.settings.law.data_cost_factor
                self.model.bank.pay("government", "suppliers", cost, "grants_paid", "income")
                for firm in startups:
                    firm.laboratory.rows_field += rows * rules.commons_field_share
                    firm.laboratory.rows_lab += rows * (1 - rules.commons_field_share)
