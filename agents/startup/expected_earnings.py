"""What can be known of a startup's earnings to come: its margin, its customers' loyalty, who might still come."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from agents.averages import LEAST_SALES_USD_MONTH
from simulation.demand import Ints
from simulation.market_log import ROW
from simulation.revenue import CONVERTS
from simulation.valuation import ExpectedEarnings, discounted_arrivals

if TYPE_CHECKING:
    from agents.firm.owner import Owner

YEAR = 12
LEAST_USERS = 1.0  # served on average in the last year, below which a firm's own churn says nothing
MOST_LEFT_MONTH = 0.99  # of its users: more is told as this


def expected_earnings_of(firm: Owner) -> ExpectedEarnings:
    """What due diligence finds of a firm's earnings to come."""
    potential, arriving = still_to_come(firm)
    return ExpectedEarnings(gross_margin(firm), churn_year(firm), potential, arriving)


def gross_margin(firm: Owner) -> float:
    """Gross margin of the last year, 0 to 1; the usual one of a firm that hardly sells."""
    year = firm.history.over(YEAR)
    if year.sales <= LEAST_SALES_USD_MONTH * min(YEAR, len(firm.history)):
        return firm.model.settings.capital.expectation.usual_gross_margin
    return min(max(1 - year.cost_of_sales / year.sales, 0.0), 1.0)


def operating_margin(firm: Owner) -> float:
    """Profit per dollar of revenue in the last year, −1 to 1; −1 without revenue."""
    year = firm.history.over(YEAR)
    return min(max(1 - year.costs / year.revenue, -1.0), 1.0) if year.revenue > 0 else -1.0


def churn_year(firm: Owner) -> float:
    """Yearly hazard at which its users leave: its own in the last year, or that of all firms where it has none yet."""
    model = firm.model
    months = min(YEAR, len(model.market_log.sums) - 1)
    if not months:
        return 0.0
    sums = model.market_log.over(months)
    users, lost = sums[ROW["users"]], sums[ROW["lost"]]
    own = model.market.firm_index[firm.name]
    if own < len(users) and users[own] > LEAST_USERS * months:
        return hazard_year(lost[own], users[own])
    return hazard_year(float(lost.sum()), float(users.sum()))


def hazard_year(lost: float, user_months: float) -> float:
    """Yearly hazard at which users leave, who served so many user-months at the ends of months."""
    share = lost / (lost + user_months) if lost > 0 else 0.0
    return -YEAR * log(1 - min(share, MOST_LEFT_MONTH))


def still_to_come(firm: Owner) -> tuple[float, float]:
    """Sales a year to all unserved customers who would choose this firm today, and the part of them that comes.

    Who would choose it follows from today's offers and the weights of its segments' customers (`simulation/demand.py`);
    that part is discounted from when they look, and a mean over its segments, weighted by those sales.
    """
    market = firm.model.market
    slots = [slot for slot in firm.sales.slots.values() if market.selling[slot]]
    if not slots:
        return 0.0, 0.0
    newcomer, _ = market.utilities()
    weight = np.exp(newcomer)  # by type of buyers and offer
    total = np.array([np.bincount(market.segment, own, len(market.segment_names)) for own in weight])
    segment, first = market.segment[slots], np.exp(-market.t["adoption_hurdle"])
    chosen = (first / (1 + first * total))[:, segment] * weight[:, slots]
    come = (market.unserved_by_type()[:, segment] * chosen).sum(axis=0)
    pay = (market["monthly_usd"] + market["upfront_usd"] / market.by_offer["contract_months"])[slots]
    usd = YEAR * come * pay * paying_part(firm, slots)
    sales = float(usd.sum())
    return sales, float((usd * arriving(firm, segment)).sum()) / sales if sales > 0 else 0.0


def arriving(firm: Owner, segments: Ints) -> np.ndarray:
    """Part of the unserved customers of each segment who come, discounted from when they look; types look alike."""
    market, terms = firm.model.market, firm.model.settings.capital.expectation
    served, waiting = market.served() / market.s["customers"], terms.discount_year + terms.failure_year
    p, q = market.s["innovation_rate_year"], market.s["imitation_rate_year"]
    return np.array(
        [discounted_arrivals(p.item(g), q.item(g), min(served.item(g), 1.0), waiting) for g in segments.tolist()]
    )


def paying_part(firm: Owner, slots: list[int]) -> np.ndarray:
    """Part of the customers of each offer who ever pay: of a free one, those who convert before they leave."""
    market, revenue = firm.model.market, firm.model.settings.revenue
    leaving = revenue.free_conversion_month + revenue.free_leave_month
    converts = revenue.free_conversion_month / leaving if leaving > 0 else 0.0
    return np.where(CONVERTS[market.model[slots]], converts, 1.0)
