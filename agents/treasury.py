"""What the state spends, forgoes and takes: through its books, within each programme's yearly budget.

The government's books hold one account per programme, jurisdiction and calendar year (`vouchers 2016`, `vouchers eu
2016`), so that what is spent is read off the books. Tax that the state does not take (credits, holidays) is posted
there too, against `tax_forgone`, as a tax expenditure. Who comes first is served first: in the order in which claims
arise within the year. Each payment is a line of the public accounts as well (`simulation.public_accounts`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from simulation.books import Account, AccountName, ProgrammeAccount, to_cents
from simulation.public_accounts import Flow, Item, Recipient
from simulation.records.events import BudgetUsedUp

if TYPE_CHECKING:
    from agents.firm.owner import Owner, World
    from simulation.settings.law import Programme, SupportSettings

CENT = 0.01
Expenditure = Literal["talent", "audits"]
"""What the state pays for without a budget."""
Receipt = Literal["taxes", "fines", "fees"]


def is_covered(rules: SupportSettings, sector: str) -> bool:
    """Whether startups of a sector get grants, wage subsidies, common data, compute and university partners."""
    return not rules.sectors or sector in rules.sectors


def recipient(firm: Owner) -> Recipient:
    """A firm as the public accounts know it."""
    return Recipient(firm.home, firm.sector, firm.kind)


def account_of(model: World, programme: str, year: int | None = None, jurisdiction: str = "") -> ProgrammeAccount:
    """The government's account of a programme in a calendar year, the current one unless given."""
    of_whom = f" {jurisdiction}" if jurisdiction else ""
    return model.bank.books["government"].open_account(f"{programme}{of_whom} {year or model.today.year}")


def spent_usd(model: World, programme: str, year: int, jurisdiction: str = "") -> float:
    """What a programme has cost the state in a calendar year, tax forgone included, USD."""
    return model.bank.books["government"].balance[account_of(model, programme, year, jurisdiction)] / 100


def left_usd(model: World, programme: Programme, jurisdiction: str = "") -> float:
    """What is left of the year's budget of a jurisdiction, USD; infinite where there is no limit."""
    budget = model.laws.of_state(jurisdiction).support.budget_usd_year.get(programme)
    if budget is None:
        return math.inf
    spent = model.bank.books["government"].balance[account_of(model, programme, jurisdiction=jurisdiction)]
    return max(to_cents(budget) - spent, 0) / 100


def grant(
    model: World,
    programme: Programme,
    payee: str,
    usd: float,
    credit: AccountName,
    whom: Recipient,
    firms: Iterable[str] = (),
) -> float:
    """Pay `usd`, or what is left of the budget, to `payee`, who credits `credit`; returns the USD paid.

    `whom` it helps and `firms` are for the public accounts: the payee may be who delivers what they get.
    """
    left = left_usd(model, programme, whom.jurisdiction)
    if min(usd, left) <= 0:
        return 0.0
    paid = pay_out(model, programme, payee, min(usd, left), credit, whom, firms)
    note_end(model, programme, usd, left, whom.jurisdiction)
    return paid


def pay_out(
    model: World,
    programme: Programme | Expenditure,
    payee: str,
    usd: float,
    credit: AccountName,
    whom: Recipient,
    firms: Iterable[str] = (),
) -> float:
    """Pay `usd` whatever the budget; returns the USD paid."""
    account = account_of(model, programme, jurisdiction=whom.jurisdiction)
    paid = model.bank.pay("government", payee, usd, account, credit)
    enter(model, programme, "paid", paid, whom, firms)
    return paid


def forgo(firm: Owner, programme: Programme, usd: float) -> float:
    """Leave `usd` of tax, or what is left of the budget, to a firm; returns the USD not taken."""
    model, whom = firm.model, recipient(firm)
    left = left_usd(model, programme, whom.jurisdiction)
    given = min(usd, left)
    if given > 0:
        account = account_of(model, programme, jurisdiction=whom.jurisdiction)
        model.bank.books["government"].post(account, "tax_forgone", to_cents(given))
        enter(model, programme, "forgone", given, whom, (firm.name,))
        note_end(model, programme, usd, left, whom.jurisdiction)
    return given


def receive(firm: Owner, receipt: Receipt, usd: float, account: Account, jurisdiction: str | None = None) -> float:
    """Take a tax, fine or fee from a firm, as far as it can pay; returns the USD taken.

    It goes to the jurisdiction of the firm's home unless another is given.
    """
    paid = firm.spend(usd, account, "government")
    if paid:
        whom = recipient(firm) if jurisdiction is None else recipient(firm)._replace(jurisdiction=jurisdiction)
        enter(firm.model, receipt, "received", paid, whom, (firm.name,))
    return paid


def enter(model: World, programme: str, flow: Flow, usd: float, whom: Recipient, firms: Iterable[str]) -> None:
    """Write a payment, or tax not taken, into the public accounts."""
    cost_of_funds = model.settings.society.marginal_cost_of_public_funds
    model.public_accounts.book(Item(model.today.year, programme, flow, whom), to_cents(usd), cost_of_funds, firms)


def note_end(
    model: World, programme: Programme, asked_usd: float, left_before_usd: float, jurisdiction: str = ""
) -> None:
    """Record the moment in which a budget is used up."""
    if to_cents(min(asked_usd, 1e15)) >= to_cents(min(left_before_usd, 1e16)):
        budget = model.laws.of_state(jurisdiction).support.budget_usd_year[programme]
        whose = jurisdiction or "government"
        event = BudgetUsedUp(other=whose, amount_usd=budget, programme=programme, year=model.today.year)
        model.record_event("", event)


def part_paid(paid_usd: float, asked_usd: float) -> float:
    """Share of a claim that was met, 1 where only the cent is missing."""
    return 1.0 if paid_usd >= asked_usd - CENT else paid_usd / asked_usd
