"""What a mature startup does with cash that it does not need: invest what it was given, pay out what it has earned.

    excess   = cash − cash_target_months · costs of a month          (precautionary cash: Opler et al. 1999)
    earned   = retained earnings / (retained earnings + paid-in capital)     (DeAngelo, DeAngelo & Stulz 2006)

The part `earned` of the excess goes to the holders once a year, the rest is spent over a year: research, sales, staff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.averages import last_quarter
from agents.fund import fund_of
from simulation.capital import FOUNDERS
from simulation.plugins.rules import rule
from simulation.records.events import Dividend

if TYPE_CHECKING:
    from agents.startup.startup import Startup
    from simulation.books import Account

YEAR = 12


def target_usd(firm: Startup) -> float:
    """Cash that a startup keeps."""
    return firm.model.settings.exit.cash_target_months * last_quarter(firm.costs)


def excess_usd(firm: Startup) -> float:
    """Cash that a mature startup does not need; 0 where it keeps all."""
    if firm.model.settings.exit.cash_target_months == 0 or not firm.costs or not firm.is_mature():
        return 0.0
    return max(firm.books.cash_usd - target_usd(firm), 0.0)


def retained_usd(firm: Startup) -> float:
    """Retained earnings; 0 where losses are not made good."""
    return max(-firm.books.balance["retained_earnings"] / 100, 0.0)


def earned_share(firm: Startup) -> float:
    """Part of the equity that it has earned."""
    retained, paid_in = retained_usd(firm), -firm.books.balance["paid_in_capital"] / 100
    return retained / (retained + paid_in) if retained > 0 else 0.0


@rule("startup.expansion", "what a startup spends this month out of cash that it does not need, USD")
def expansion_usd(firm: Startup) -> float:
    """A twelfth of that part of its excess cash that it was given, not earned."""
    return (1 - earned_share(firm)) * excess_usd(firm) / YEAR


@rule("startup.payout", "what a startup pays out to its holders this year, USD")
def payout_usd(firm: Startup) -> float:
    """That part of its excess cash that it has earned; never more than retained earnings."""
    return min(earned_share(firm) * excess_usd(firm), retained_usd(firm))


def pay_dividend(firm: Startup) -> None:
    """Once a year of its life: pay out what is not needed, to all shares alike."""
    age = firm.model.month - firm.founded_month
    if age <= 0 or age % YEAR or firm.model.settings.exit.cash_target_months == 0:
        return
    target, usd, paid = target_usd(firm), payout_usd(firm), 0.0
    if usd < 1.0:
        return
    for holder, share in firm.finance.cap_table.shares.items():
        credit: Account = "income" if holder == FOUNDERS else "gains"
        # Out of equity, not a cost of the month: turnover, taxes and burn do not see it.
        paid += firm.spend(share * usd, "retained_earnings", holder, credit)
        if holder != FOUNDERS:
            fund_of(firm.model, holder).distribute()
    firm.record(Dividend(amount_usd=paid, target_usd=target))
