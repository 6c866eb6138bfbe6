"""Bridge notes: investors inside lend to a firm that was refused a round, if they still believe in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from agents.fund import SMALLEST_TICKET_USD, Deal, Fund, funds_of
from simulation.records.columns import NOTE, RoundRow
from simulation.records.events import BridgeNote

if TYPE_CHECKING:
    from agents.startup.startup import Startup
    from simulation.books import Account


def bridge(firm: Startup, deal: Deal) -> bool:
    """After a refused raise: lend some months of burn, once between two priced rounds, split by the money they have.

    Returns whether anybody lent.
    """
    capital = firm.model.settings.capital
    if capital.bridge_months <= 0 or firm.finance.bridged:
        return False
    money = {fund.name: fund.follow_on_usd() for fund in believers(firm, deal)}
    lent = shared_usd(money, capital.bridge_months * firm.burn_now_usd())
    if lent:
        take_notes(firm, lent)
    return bool(lent)


def believers(firm: Startup, deal: Deal) -> list[Fund]:
    """Funds inside with money left that see enough of the last post-money valuation in the firm still."""
    finance = firm.finance
    least = firm.model.settings.capital.bridge_belief * finance.cap_table.post_money_usd
    inside = [fund for fund in funds_of(firm.model) if fund.name in finance.invested_usd]
    able = [fund for fund in inside if fund.follow_on_usd() >= SMALLEST_TICKET_USD and fund.follows_on(deal)]
    return [fund for fund in able if fund.view_usd(deal) >= least]


def shared_usd(money_usd: dict[str, float], wanted_usd: float) -> dict[str, float]:
    """Split `wanted_usd` in proportion to the lenders' money; nothing where it is too little to bother."""
    there = sum(money_usd.values())
    total = min(wanted_usd, there)
    if total < SMALLEST_TICKET_USD:
        return {}
    return {name: total * usd / there for name, usd in money_usd.items()}


def take_notes(firm: Startup, lent_usd: dict[str, float]) -> None:
    """Take convertible notes: cash against debt, a row in the rounds table without a price, an event."""
    finance, amount, lenders = firm.finance, sum(lent_usd.values()), ", ".join(lent_usd)
    for fund, usd in lent_usd.items():
        finance.receive(fund, usd, "notes")
    finance.cap_table.lend(lent_usd)
    finance.bridged = True
    firm.raised_usd += amount
    firm.model.recorder.add("rounds", [RoundRow(firm.model.today, firm.name, NOTE, amount, math.nan, lenders)])
    firm.record(BridgeNote(other=lenders, amount_usd=amount, stage=finance.stage))


def extinguish(firm: Startup, credit: Account) -> None:
    """Take the notes off the firm's books: converted (`paid_in_capital`), or settled at its end (`gains`)."""
    owed = -firm.books.balance["notes"]
    if owed:
        firm.books.post("notes", credit, owed)
