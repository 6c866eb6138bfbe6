"""Public support of one firm: wage subsidies, tax relief, compute vouchers, public compute (OP-POLICY).

All money comes from the government's books, within the budgets of `agents/treasury.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import treasury
from agents.firm.service_desk import buy_compute
from agents.treasury import is_covered
from simulation.public_accounts import Recipient
from simulation.settings.law import SupportSettings

if TYPE_CHECKING:
    from agents.firm.owner import Owner


def tax_after_credit(tax_usd: float, credit_usd: float) -> tuple[float, float]:
    """(Tax still due, credit left), USD: a credit is used as far as there is tax, the rest is carried forward."""
    used = min(tax_usd, credit_usd)
    return tax_usd - used, credit_usd - used


class Support:
    """Public support of one firm: what it has taken of capped sums, and the tax credit it carries forward."""

    def __init__(self, firm: Owner) -> None:
        self.firm, self.model = firm, firm.model
        self.credit_usd = 0.0
        self.wages_paid_usd: dict[int, float] = {}  # by calendar year
        self.vouchers_used_usd: dict[int, float] = {}  # by calendar year
        self.public_hours_used: dict[int, float] = {}  # by calendar year

    @property
    def rules(self) -> SupportSettings:
        """The rules in force."""
        return self.firm.law.support

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
            paid = treasury.grant(self.model, "wages", self.firm.name, subsidy, "grants", *self.whom())
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
            return tax_usd - treasury.forgo(self.firm, "holidays", tax_usd)
        if self.credit_usd == 0:
            return tax_usd
        used = treasury.forgo(self.firm, "credits", min(tax_usd, self.credit_usd))
        self.credit_usd -= used
        return tax_after_credit(tax_usd, used)[0]

    # -- compute vouchers: for startups -------------------------------------------------------------------------------

    @property
    def voucher_share(self) -> float:
        """The part of a compute bill that vouchers pay."""
        return self.firm.law.compute_voucher_share if self.firm.kind == "startup" else 0.0

    def voucher_left_usd(self) -> float:
        """What is left of this year's cap on vouchers."""
        cap = self.firm.law.compute_voucher_cap_usd_year
        return max(cap - self.vouchers_used_usd.get(self.model.today.year, 0.0), 0.0)

    def voucher_usd(self, bill_usd: float) -> float:
        """The state's share of a bill, up to the yearly cap."""
        share = self.voucher_share
        return min(share * bill_usd, self.voucher_left_usd()) if share else 0.0

    def bill_covered_usd(self, own_usd: float) -> float:
        """Own money and the state's share on top of it, up to the yearly cap of the firm."""
        share = self.voucher_share
        return own_usd + min(own_usd * share / (1 - share), self.voucher_left_usd()) if share else own_usd

    def bill_affordable_usd(self, own_usd: float) -> float:
        """The largest compute bill that `own_usd` pays, with what the state adds and has left in its budget."""
        bill_usd = self.bill_covered_usd(own_usd)
        if bill_usd <= own_usd:  # no voucher
            return bill_usd
        return min(bill_usd, own_usd + treasury.left_usd(self.model, "vouchers", self.firm.home))

    def pay_compute(self, bill_usd: float) -> float:
        """Pay for GPU hours, with vouchers where there are any; returns what it cost the firm itself, USD."""
        year, asked = self.model.today.year, self.voucher_usd(bill_usd)
        given = self.pay_voucher(asked) if asked > 0 else 0.0
        own_cost = max(buy_compute(self.firm, bill_usd) - given, 0.0)
        if asked > 0:
            self.vouchers_used_usd[year] = self.vouchers_used_usd.get(year, 0.0) + asked
        return own_cost

    def pay_voucher(self, usd: float) -> float:
        """The state's part of a compute bill, as far as the budget goes; returns it, USD."""
        part = min(usd, treasury.left_usd(self.model, "vouchers", self.firm.home))
        treasury.grant(self.model, "vouchers", self.firm.name, usd, "grants", *self.whom())
        return part

    # -- public compute: for startups ---------------------------------------------------------------------------------

    def public_hours_left(self) -> float:
        """GPU hours on the public cluster that the startup may still use this year, and the state can pay."""
        rules = self.rules
        if not rules.public_gpu_hours_year or self.firm.kind != "startup" or not is_covered(rules, self.firm.sector):
            return 0.0
        hours = rules.public_gpu_hours_year - self.public_hours_used.get(self.model.today.year, 0.0)
        price = self.model.cloud.list_price_usd(self.model.year)
        return max(min(hours, treasury.left_usd(self.model, "public-compute", self.firm.home) / price), 0.0)

    def use_public_hours(self, hours: float) -> None:
        """Take GPU hours on the public cluster; the state pays their list price."""
        if hours > 0:
            year = self.model.today.year
            self.public_hours_used[year] = self.public_hours_used.get(year, 0.0) + hours
            cost = hours * self.model.cloud.list_price_usd(self.model.year)
            treasury.grant(self.model, "public-compute", "suppliers", cost, "income", *self.whom())

    def whom(self) -> tuple[Recipient, tuple[str, ...]]:
        """The firm as the public accounts know it, and its name."""
        return treasury.recipient(self.firm), (self.firm.name,)
