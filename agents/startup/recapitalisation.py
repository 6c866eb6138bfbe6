"""A refused firm's last way to money: a round at the price that clears, which wipes out who does not take part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agents.fund import SMALLEST_TICKET_USD, Bid, Deal, Fund, funds_of
from agents.startup.syndicate import allocate, closes
from simulation.plugins.rules import rule
from simulation.recapitalisation import clearing_price_usd, parts_due_usd, recapitalise
from simulation.records.columns import RECAPITALISATION, RoundRow
from simulation.records.events import Recapitalised

if TYPE_CHECKING:
    from agents.startup.startup import Startup

Offers = Mapping[Fund, tuple[float, float]]
"""By fund, the most it pays for the whole firm before the money, and the most money it puts in, USD."""


@rule("startup.recapitalisation", "(money that a refused startup takes by fund, pre-money valuation), USD")
def recapitalisation_of(firm: Startup, deal: Deal) -> tuple[dict[str, float], float]:
    """Money by fund and the pre-money valuation; no money where none is offered, or founders would give too much."""
    capital = firm.model.settings.capital
    terms, size = capital.recapitalisation, recapitalisation_size_usd(firm, deal)
    if size < SMALLEST_TICKET_USD or firm.runway_months() >= capital.raise_below_months:
        return {}, 0.0
    offers = offers_for(firm, deal)
    pre = clearing_price_usd({fund.name: offer for fund, offer in offers.items()}, size)
    invested = taken_usd(firm, offers, pre, size)
    given_away = sum(invested.values()) / (pre + sum(invested.values())) if invested else 1.0
    return (invested, pre) if given_away <= terms.most_share else ({}, 0.0)


def recapitalisation_size_usd(firm: Startup, deal: Deal) -> float:
    """Some months of burn, at most the usual size of the round that was refused."""
    return min(firm.model.settings.capital.recapitalisation.months * firm.burn_now_usd(), deal.size_usd)


def offers_for(firm: Startup, deal: Deal) -> Offers:
    """What funds that believe in anything offer: the price at which the round would meet their hurdle."""
    held = firm.finance.cap_table.shares
    offers = {}
    for fund in funds_of(firm.model):
        most = fund.most_usd(deal, held.get(fund.name, 0.0))
        if most >= SMALLEST_TICKET_USD and (view := fund.view_usd(deal)) > 0:
            offers[fund] = (view / fund.settings.hurdle, most)
    return offers


def taken_usd(firm: Startup, offers: Offers, pre_money_usd: float, size_usd: float) -> dict[str, float]:
    """Who puts in how much at a price: holders their part first, then all by the value they see."""
    due = parts_due_usd(firm.finance.cap_table, size_usd)
    bids = {
        fund.name: Bid(price, most, min(due.get(fund.name, 0.0), most))
        for fund, (price, most) in offers.items()
        if price >= pre_money_usd > 0
    }
    invested = allocate(bids, size_usd)
    return invested if closes(invested, size_usd) else {}


def try_recapitalisation(firm: Startup, deal: Deal) -> None:
    """After a refused raise: recapitalise, once between two rounds of stages, where that is on and somebody pays."""
    if firm.model.settings.capital.recapitalisation.months <= 0 or firm.finance.recapitalised:
        return
    invested, pre_money_usd = recapitalisation_of(firm, deal)
    if invested:
        take_recapitalisation(firm, invested, pre_money_usd)


def take_recapitalisation(firm: Startup, invested: dict[str, float], pre_money_usd: float) -> None:
    """Take the money: cash, a new cap table, a new monthly burn, a row without a stage of its own, an event."""
    finance, capital, amount = firm.finance, firm.model.settings.capital, sum(invested.values())
    before, investors, terms = finance.cap_table.post_money_usd, ", ".join(invested), capital.recapitalisation
    finance.collect(invested)
    converted = recapitalise(finance.cap_table, invested, pre_money_usd, terms, capital.note_discount)
    finance.begin_anew(finance.stage, amount)
    finance.recapitalised = True
    row = RoundRow(firm.model.today, firm.name, RECAPITALISATION, amount, pre_money_usd, investors)
    firm.model.recorder.add("rounds", [row])
    firm.record(
        Recapitalised(
            other=investors,
            amount_usd=amount,
            pre_money_usd=pre_money_usd,
            before_usd=before,
            converted=converted,
            preference=terms.preference,
            pool_share=terms.pool_share,
        )
    )
