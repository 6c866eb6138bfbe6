"""An incumbent's line answers to its parent: the budget follows results, and a line that loses is sold or closed.

loss      = costs − sales and fees, mean over `line_loss_months`
strategic = strategic_share · what the parent first paid          worth to the parent whatever the line earns
closed where loss > strategic and recurring sales grow by less than `least_growth_year`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.averages import average
from agents.firm.takeover import settle_books, take_over
from agents.startup.startup import Startup
from simulation.plugins.rules import rule
from simulation.records.events import Acquired, BudgetMoved, Closed
from simulation.records.reasons import Reason, as_records

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from agents.incumbent.incumbent import Incumbent
    from simulation.books import Account

YEAR = 12
LOWEST_FACTOR, HIGHEST_FACTOR = 0.25, 4.0  # assumptions: bounds of what a parent pays, against what it first paid
# Assumptions: a buyer pays at most a year's sales of the customers whom it can serve on, out of half its cash, and at
# least half of that where nobody bids against it.
SALES_MONTHS, CASH_SHARE, LEAST_PART = 12, 0.5, 0.5


class Line:
    """What the parent of an incumbent knows of its line: results by month, and how far it has moved the budget."""

    def __init__(self, firm: Incumbent) -> None:
        self.firm = firm
        self.factor = 1.0
        self.losses_usd: list[float] = []

    def parent_usd(self) -> float:
        """What the parent pays this month."""
        return self.factor * self.firm.settings.core_income_usd_month

    def end_month(self) -> None:
        """Note the month's loss: costs less what customers and other firms paid."""
        sales_usd = self.firm.margin[0] + self.firm.service_revenue_usd
        self.losses_usd.append(self.firm.costs[-1] - sales_usd)

    def loss_usd_month(self) -> float:
        """Mean loss over the months that count; minus infinity while there are not enough of them."""
        months = round(self.firm.model.settings.exit.line_loss_months)
        return average(self.losses_usd[-months:]) if len(self.losses_usd) >= max(months, 1) else float("-inf")

    def strategic_usd_month(self) -> float:
        """Loss that the parent bears for its strategy."""
        return self.firm.model.settings.exit.strategic_share * self.firm.settings.core_income_usd_month

    def review(self) -> None:
        """Once a year of the line's life, move the budget."""
        age = self.firm.model.month - self.firm.founded_month
        if age <= 0 or age % YEAR or self.firm.model.settings.exit.budget_response == 0:
            return
        factor = min(max(self.factor * budget_step(self.firm), LOWEST_FACTOR), HIGHEST_FACTOR)
        if factor != self.factor:
            self.factor = factor
            growth = self.firm.growth_year()
            self.firm.record(BudgetMoved(amount_usd=self.parent_usd(), growth_year=growth, factor=factor))

    def judge(self) -> None:
        """Sell or close a line that loses."""
        if self.firm.model.settings.exit.line_loss_months > 0 and is_closed(self.firm):
            end_line(self.firm)


@rule("incumbent.budget", "factor by which a parent changes what it pays for the line, in a yearly review")
def budget_step(firm: Incumbent) -> float:
    """More where sales grow by more than is asked of who is paid for, less where by less; at most twice, or nothing."""
    rules = firm.model.settings.exit
    return 1 + rules.budget_response * min(max(firm.growth_year() - rules.least_growth_year, -1.0), 1.0)


@rule("incumbent.close_line", "whether the parent of an incumbent ends its line, true or false")
def is_closed(firm: Incumbent) -> bool:
    """Where it has lost more than it is worth to the parent's strategy, and does not grow."""
    grows = firm.growth_year() >= firm.model.settings.exit.least_growth_year
    return not grows and firm.line.loss_usd_month() > firm.line.strategic_usd_month()


def end_line(firm: Incumbent) -> None:
    """Sell the line to the highest bidder of its sector, or close it."""
    figures = {"loss_usd_month": firm.line.loss_usd_month(), "strategic_usd_month": firm.line.strategic_usd_month()}
    reasons = [Reason("line loses", figures)]
    offers = bids(firm)
    if offers:
        sell_line(firm, offers, reasons)
    else:
        close_line(firm, reasons)


def bids(line: Incumbent) -> dict[Owner, float]:
    """What each firm of the sector would pay, USD; those who would pay nothing are left out."""
    firms = [firm for firm in line.model.firms_in(line.sector) if firm is not line and may_buy(firm)]
    worth = {firm: min(line_worth_usd(firm, line), CASH_SHARE * firm.books.cash_usd) for firm in firms}
    return {firm: usd for firm, usd in worth.items() if usd >= 1.0}


def may_buy(firm: Owner) -> bool:
    """Incumbents that acquire, and startups old enough to aim at profit."""
    return firm.is_mature() if isinstance(firm, Startup) else firm.settings.acquires


def line_worth_usd(buyer: Owner, line: Incumbent) -> float:
    """A year's sales of those customers of the line whom the buyer has an offer for."""
    columns = line.model.market.columns
    monthly = 0.0
    for segment, slot in line.sales.slots.items():
        if segment in buyer.sales.slots:
            monthly += columns["customers"].item(slot) * columns["monthly_usd"].item(slot)
    return SALES_MONTHS * monthly


def sell_line(line: Incumbent, offers: dict[Owner, float], reasons: list[Reason]) -> None:
    """The highest bidder pays what the next would, at least half of what it would pay itself; the parent gets it."""
    buyer = max(offers, key=lambda firm: (offers[firm], firm.name))
    others = [usd for firm, usd in offers.items() if firm is not buyer]
    price = max(LEAST_PART * offers[buyer], max(others, default=0.0))
    bought = Reason("bought", {"buyer": buyer.name, "price_usd": price})
    line.reasons = [*reasons, bought]
    line.model.bank.pay(buyer.name, "savers", price, "investments", "income")
    hand_over(line, buyer.name, "investments")
    take_over(buyer, line)
    line.record(Acquired(other=buyer.name, amount_usd=price, causes=as_records(line.reasons)))
    line.end("acquired", price)


def close_line(line: Incumbent, reasons: list[Reason]) -> None:
    """Withdraw all offers; the parent pays off the people and takes back what cash is left."""
    line.reasons = reasons
    owed = line.commitments.closing_usd()
    if (missing := owed - line.books.cash_usd) > 0:
        line.model.bank.pay("savers", line.name, missing + 0.1, "spending", "paid_in_capital")
    line.spend(owed, "severance", "workers")
    hand_over(line, "savers", "income")
    line.record(Closed(causes=as_records(reasons)))
    line.end("closed")


def hand_over(line: Incumbent, heir: str, credit: Account) -> None:
    """Move what cash is left to `heir` and close the line's books."""
    line.spend(line.books.cash_usd, "returns", heir, credit)
    settle_books(line.books)
