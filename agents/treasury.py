"""What the state spends on its programmes: paid out of the government's books, within each programme's yearly budget.

The government's books hold one account per programme and calendar year (`vouchers 2016`), so that what is spent is
read off the books. Tax that the state does not take (credits, holidays) is posted there too, against `tax_forgone`,
as a tax expenditure. Who comes first is served first: in the order in which claims arise within the year.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulation.books import AccountName, ProgrammeAccount, to_cents
from simulation.records.events import BudgetUsedUp

if TYPE_CHECKING:
    from agents.firm.owner import World
    from simulation.settings.law import Programme, SupportSettings

CENT = 0.01


def is_covered(rules: SupportSettings, sector: str) -> bool:
    """Whether startups of a sector get grants, wage subsidies, common data and university partners."""
    return not rules.sectors or sector in rules.sectors


def account_of(model: World, programme: str, year: int | None = None) -> ProgrammeAccount:
    """The government's account of a programme in a calendar year, the current one unless given."""
    return model.bank.books["government"].open_account(f"{programme} {year or model.today.year}")


def spent_usd(model: World, programme: str, year: int) -> float:
    """What a programme has cost the state in a calendar year, tax forgone included, USD."""
    return model.bank.books["government"].balance[account_of(model, programme, year)] / 100


def left_usd(model: World, programme: Programme) -> float:
    """What is left of the year's budget, USD; infinite where there is no limit."""
    budget = model.settings.law.support.budget_usd_year.get(programme)
    if budget is None:
        return math.inf
    spent = model.bank.books["government"].balance[account_of(model, programme)]
    return max(to_cents(budget) - spent, 0) / 100


def grant(model: World, programme: Programme, payee: str, usd: float, credit: AccountName) -> float:
    """Pay `usd`, or what is left of the budget, to `payee`, who credits `credit`; returns the USD paid."""
    left = left_usd(model, programme)
    if min(usd, left) <= 0:
        return 0.0
    paid = model.bank.pay("government", payee, min(usd, left), account_of(model, programme), credit)
    note_end(model, programme, usd, left)
    return paid


def forgo(model: World, programme: Programme, usd: float) -> float:
    """Leave `usd` of tax, or what is left of the budget, to a firm; returns the USD not taken."""
    left = left_usd(model, programme)
    given = min(usd, left)
    if given > 0:
        model.bank.books["government"].post(account_of(model, programme), "tax_forgone", to_cents(given))
        note_end(model, programme, usd, left)
    return given


def note_end(model: World, programme: Programme, asked_usd: float, left_before_usd: float) -> None:
    """Record the moment in which a budget is used up."""
    if to_cents(min(asked_usd, 1e15)) >= to_cents(min(left_before_usd, 1e16)):
        budget = model.settings.law.support.budget_usd_year[programme]
        model.record_event("", BudgetUsedUp(amount_usd=budget, programme=programme, year=model.today.year))


def part_paid(paid_usd: float, asked_usd: float) -> float:
    """Share of a claim that was met, 1 where only the cent is missing."""
    return 1.0 if paid_usd >= asked_usd - CENT else paid_usd / asked_usd
