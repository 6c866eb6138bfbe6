"""Ways out: bought by an incumbent, wound up, or listed on an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agents.averages import average
from agents.firm.takeover import settle_books
from agents.fund import fund_of
from agents.startup.bridge_notes import extinguish
from agents.startup.diagnosis import reasons_of
from agents.startup.expected_earnings import gross_margin, operating_margin, still_to_come
from simulation.plugins.rules import rule
from simulation.records.events import Acquired, Bankrupt, Listed
from simulation.records.reasons import Reason, as_records
from simulation.valuation import listing_usd

if TYPE_CHECKING:
    from agents.settings import FirmSettings
    from agents.startup.startup import Startup
    from simulation.books import Account, Books


@runtime_checkable
class Buyer(Protocol):
    """A firm that may buy a startup."""

    name: str
    books: Books
    settings: FirmSettings

    def value_of(self, target: Startup) -> float:
        """What it would pay for a startup that runs out of money, USD; 0 for no."""

    def absorb(self, target: Startup) -> None:
        """Take over customers and data."""


# Assumptions: what a buyer pays for a researcher of a failing startup, and what share a listing sells.
USD_PER_RESEARCHER = 300_000
LISTED_SHARE = 0.15


def pay_holders(firm: Startup, payer: str, price_usd: float) -> None:
    """Pay `price_usd` to the holders of a firm by the rank of their claims; funds pass it on to their partners."""
    for holder, usd in firm.finance.cap_table.split(price_usd).items():
        pay_holder(firm, payer, holder, usd)


def pay_holder(firm: Startup, payer: str, holder: str, usd: float) -> None:
    """Pay one holder; a fund takes the investment off its books and distributes what came in."""
    debit: Account = "investments" if payer != "savers" else "spending"
    firm.model.bank.pay(payer, holder, usd, debit, "income" if holder == "savers" else "gains")
    if holder != "savers":
        write_off(firm, holder)
        fund_of(firm.model, holder).distribute()


def write_off(firm: Startup, fund: str) -> None:
    """Take an ended investment off a fund's books."""
    cost = firm.finance.cost_of(fund)
    if cost:
        firm.model.bank.books[fund].post("write_offs", "investments", round(cost * 100))


def settle(firm: Startup, heir: str) -> None:
    """Move what cash is left to `heir` and close the firm's open obligations."""
    bank = firm.model.bank
    left = firm.books.cash_usd
    if left > 0:
        bank.pay(firm.name, heir, left, "returns", "income" if bank.books[heir].may_owe else "investments")
    extinguish(firm, "gains")
    settle_books(firm.books)


def find_buyer(firm: Startup, need: Reason, above_usd: float = 0.0) -> bool:
    """Offer a firm in need to the incumbents of its sector; the best offer above a bound wins. Returns whether one was
    made.
    """
    around = firm.model.firms_in(firm.sector)
    buyers = [f for f in around if f.settings.acquires and isinstance(f, Buyer)]
    offers = {buyer: buyer.value_of(firm) for buyer in buyers}
    # Assumption: a buyer spends at most half of its cash on one startup.
    offers = {buyer: usd for buyer, usd in offers.items() if above_usd < usd <= 0.5 * buyer.books.cash_usd}
    if not offers:
        return False
    buyer = max(offers, key=lambda b: (offers[b], b.name))
    bought = Reason("bought", {"buyer": buyer.name, "price_usd": offers[buyer]})
    sell(firm, buyer, offers[buyer], [*reasons_of(firm, need), bought])
    return True


def sell(firm: Startup, buyer: Buyer, price_usd: float, reasons: list[Reason]) -> None:
    """Sell a firm for these reasons: holders are paid, the buyer takes customers, data and what cash is left."""
    firm.reasons = reasons
    pay_holders(firm, buyer.name, price_usd)
    settle(firm, buyer.name)
    buyer.absorb(firm)
    firm.record(Acquired(other=buyer.name, amount_usd=price_usd, causes=as_records(reasons)))
    firm.end("acquired", price_usd)


def wind_up(firm: Startup, need: Reason) -> None:
    """Bankruptcy: creditors get what cash is left, investors write off."""
    firm.reasons = reasons_of(firm, need)
    for holder in [name for name in firm.finance.invested_usd if name != "savers"]:
        write_off(firm, holder)
    settle(firm, "suppliers")
    firm.record(Bankrupt(causes=as_records(firm.reasons)))
    firm.end("bankrupt")


def list_on_exchange(firm: Startup) -> None:
    """Go public once, when revenue, growth and climate are there: savers buy new shares and the funds' holdings."""
    if firm.ending == "public" or not may_list(firm):
        return
    capital, yearly, growth = firm.model.settings.capital, yearly_usd(firm), firm.growth_year()
    value = listing_value_usd(firm)
    if value <= 0:
        return
    table = firm.finance.cap_table
    if table.notes_usd:  # a listing is a priced round: notes convert
        extinguish(firm, "paid_in_capital")
        table.issue({}, value, capital.note_discount)
    for holder, share in table.shares.items():
        if holder != "savers":
            pay_holder(firm, "savers", holder, share * value)
    table.sell_to_founders()
    raised = LISTED_SHARE * value
    firm.model.bank.pay("savers", firm.name, raised, "spending", "paid_in_capital")
    firm.ending, firm.exit_value_usd, firm.ended = "public", value, firm.model.today
    firm.reasons = [Reason("size", {"revenue_usd_year": yearly, "growth_year": growth})]
    firm.record(Listed(amount_usd=raised, value_usd=value, causes=as_records(firm.reasons)))


def yearly_usd(firm: Startup) -> float:
    """Recurring revenue at the pace of the last quarter, USD a year."""
    return 12 * average(firm.recurring[-3:])


@rule("startup.listing", "whether a startup that is not listed goes public now, true or false")
def may_list(firm: Startup) -> bool:
    """With the revenue and growth that an exchange asks for, while the window is open (Lerner 1994)."""
    capital = firm.model.settings.capital
    if yearly_usd(firm) < capital.ipo_revenue_usd_year or firm.growth_year() < capital.ipo_growth_year:
        return False
    return listing_climate(firm) >= capital.ipo_climate


def listing_climate(firm: Startup) -> float:
    """Climate for listings now: that of the latest calendar year in `ipo_window`, or the funding climate."""
    window, year = firm.model.settings.capital.ipo_window, firm.model.today.year
    begun = [one for one in window if one <= year]
    return window[max(begun)] if begun else firm.model.heat


@rule("exchange.valuation", "what the exchange pays for the whole of a startup, USD")
def listing_value_usd(firm: Startup) -> float:
    """A multiple of revenue that rises with growth, or discounted earnings while growth and margin fade."""
    capital, yearly, growth = firm.model.settings.capital, yearly_usd(firm), firm.growth_year()
    if capital.exit_valuation == "expected":
        most = yearly + still_to_come(firm)[0]
        return listing_usd(yearly, growth, operating_margin(firm), gross_margin(firm), capital.expectation, most)
    return yearly * (capital.revenue_multiple + capital.growth_multiple * min(growth, 1.0))
