"""What a startup is worth to an incumbent by what the buyer expects to earn from it (`exit_valuation: expected`).

    worth = its customers, at the buyer's prices, margin and churn, where the buyer has an offer for them
          + the buyer's own customers who would leave for it
          + rows, model and people that the buyer need not gather, train and hire by itself
          + cash − cost of the deal

What holders ask is what the firm is worth by itself (`simulation/valuation.py`) and its cash. The buyer takes over what
it pays for: customers, rows, cash, and the model where that is better in the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.averages import average
from agents.startup.expected_earnings import churn_year, expected_earnings_of, gross_margin
from simulation.plugins.rules import rule
from simulation.valuation import bargained_usd, in_place_usd, standalone_usd

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from agents.incumbent.perception import View


@rule("incumbent.worth", "what a startup is worth to a buyer by what it expects to earn from it, USD")
def expected_worth_usd(buyer: Owner, target: Owner, view: View, is_better: bool) -> float:
    """Worth of a target seen like this; `is_better`: its model seems clearly better than the buyer's."""
    terms = buyer.model.settings.capital.expectation
    earned = customers_usd(buyer, target) * view.revenue_ratio + defended_usd(buyer, view)
    spared = rows_usd(buyer, target) + training_usd(buyer, is_better) + people_usd(target)
    return earned + spared + target.books.cash_usd - terms.deal_cost_usd


def customers_usd(buyer: Owner, target: Owner) -> float:
    """The target's customers in segments where the buyer sells, at its prices, margin and churn."""
    market, sales = buyer.model.market, 0.0
    for segment, slot in target.sales.slots.items():
        own = buyer.sales.slots.get(segment)
        if own is not None and not market.record_of(own).starts_free:
            sales += 12 * market["customers"].item(slot) * market["monthly_usd"].item(own)
    return kept_usd(buyer, sales)


def kept_usd(buyer: Owner, sales_usd_year: float) -> float:
    """Value to the buyer of customers who stay with it as its own do."""
    terms = buyer.model.settings.capital.expectation
    return in_place_usd(sales_usd_year * gross_margin(buyer), churn_year(buyer), terms, failure_year=0.0)


def defended_usd(buyer: Owner, view: View) -> float:
    """The buyer's customers who would leave in a year, as far as they would go to the target."""
    leaving = min(churn_year(buyer), 1.0) * 12 * average(buyer.recurring[-3:])
    return kept_usd(buyer, leaving * view.share)


def rows_usd(buyer: Owner, target: Owner) -> float:
    """What labelling the target's rows would cost, as far as the buyer's own budget would go to it in the meantime."""
    settings = buyer.model.settings
    labs = target.laboratories.keys() & buyer.laboratories.keys()
    rows = sum(target.laboratories[name].rows_lab + target.laboratories[name].rows_field for name in labs)
    cost = rows * settings.labour.label_cost_usd * buyer.law.data_cost_factor
    return min(cost, buyer.settings.data_share * meanwhile_usd(buyer))


def training_usd(buyer: Owner, is_better: bool) -> float:
    """The compute of the imitation that a clearly better model spares."""
    return buyer.settings.compute_share * meanwhile_usd(buyer) if is_better else 0.0


def meanwhile_usd(buyer: Owner) -> float:
    """What the buyer spends on AI in the time that it takes to answer a rival by itself."""
    return buyer.settings.follow_months * buyer.settings.core_income_usd_month


def people_usd(target: Owner) -> float:
    """What hiring the target's researchers would cost: as much as a successor of a key person each."""
    model = target.model
    return target.staff["research"] * model.settings.risk.key_person_wages * model.talent.wages["research"]


def expected_asked_usd(target: Owner) -> float:
    """What holders ask: the firm by itself in today's climate, and its cash."""
    terms, yearly = target.model.settings.capital.expectation, 4 * sum(target.recurring[-3:])
    return target.model.heat * standalone_usd(yearly, expected_earnings_of(target), terms) + target.books.cash_usd


def rescue_price_usd(buyer: Owner, target: Owner, view: View, is_better: bool) -> float:
    """What is paid for a firm that would end otherwise, so that its holders' alternative is the cash that is left."""
    worth, terms = expected_worth_usd(buyer, target, view, is_better), buyer.model.settings.capital.expectation
    return bargained_usd(worth, target.books.cash_usd, worth, terms)
