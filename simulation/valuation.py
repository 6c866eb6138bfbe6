"""What a firm is worth by what it is expected to earn: customers it has, customers to come, growth that fades.

    customers in place   profit of a year / (r + c + h)
    customers to come    profit of a year, if all had come · part that comes, discounted / (r + c + h)
    growth that fades    Σ_t revenue_t · margin_t / (1 + r)^t, t = 1 … 10, and a perpetuity after that

r discount rate, c yearly hazard at which customers leave, h that at which the firm fails. Customers come as the Bass
model says that awareness spreads from today's share served. The first two are annuities of stocks that decay at
constant hazards; the third is the two-stage model of discounted earnings, in which growth and margin move from today's
to those of the long run by a constant factor a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

from simulation.settings.valuation import ExpectationSettings

YEARS = 10  # assumption: after so many years growth has faded, whatever the factor
YEARS_TO_COME = 25  # assumption: nobody counts on customers who come later


@dataclass(frozen=True, slots=True)
class ExpectedEarnings:
    """What can be known of a firm's earnings to come. Money in USD a year."""

    gross_margin: float
    churn_year: float  # hazard at which its customers leave
    potential_usd_year: float = 0.0  # sales to all who are not served and would choose it, at today's offers
    arriving: float = 0.0  # part of them who come, each discounted from when it comes


def in_place_usd(profit_usd_year: float, churn_year: float, terms: ExpectationSettings, failure_year: float) -> float:
    """Value of the yearly profit from customers who leave at a constant hazard."""
    return profit_usd_year / (terms.discount_year + churn_year + failure_year)


def discounted_arrivals(innovation_year: float, imitation_year: float, served: float, waiting_year: float) -> float:
    """Part of those not served yet who come (Bass 1969), each discounted at `waiting_year` from when it comes."""
    share, came = served, 0.0
    for year in range(YEARS_TO_COME):
        new = (1 - share) * min(innovation_year + imitation_year * share, 1.0)
        share += new
        came += new * exp(-waiting_year * (year + 0.5))
    return came / (1 - served) if served < 1 else 0.0


def to_come_usd(expected: ExpectedEarnings, margin: float, terms: ExpectationSettings, failure_year: float) -> float:
    """Value of customers who have not come yet: `margin` of what they will pay, for as long as they stay."""
    sales = expected.potential_usd_year * expected.arriving
    return in_place_usd(sales * margin, expected.churn_year, terms, failure_year)


def standalone_usd(revenue_usd_year: float, expected: ExpectedEarnings, terms: ExpectationSettings) -> float:
    """What a startup is worth if it goes on by itself: customers in place and to come, less what a firm costs."""
    margin, h = terms.profit_share * expected.gross_margin, terms.failure_year
    now = in_place_usd(revenue_usd_year * margin, expected.churn_year, terms, h)
    return now + to_come_usd(expected, margin, terms, h)


def listing_usd(
    revenue_usd_year: float,
    growth_year: float,
    margin: float,
    gross_margin: float,
    terms: ExpectationSettings,
    most_usd_year: float = inf,
) -> float:
    """Discounted expected earnings of a listed firm, never below 0.

    margin: its profit per dollar of revenue now; that of the long run is `profit_share` of its gross margin.
    most_usd_year: what its markets hold for it at today's sizes; they grow as everything does in the long run.
    """
    mature, r, long_run = terms.profit_share * gross_margin, terms.discount_year, terms.growth_long_run_year
    value, revenue, left, discount = 0.0, revenue_usd_year, 1.0, 1.0
    for _ in range(YEARS):
        left *= terms.growth_kept
        most_usd_year *= 1 + long_run
        revenue = min(revenue * (1 + long_run + (growth_year - long_run) * left), most_usd_year)
        discount /= 1 + r
        value += discount * revenue * (mature + (margin - mature) * left)
    return max(value + discount * revenue * (1 + long_run) * mature / (r - long_run), 0.0)


def bargained_usd(worth_usd: float, asked_usd: float, most_usd: float, terms: ExpectationSettings) -> float:
    """Price between what holders ask and what the buyer sees, by the holders' part of the gain; 0 for no deal."""
    if worth_usd <= asked_usd:
        return 0.0
    price = min(asked_usd + terms.bargaining_share * (worth_usd - asked_usd), most_usd)
    return price if price >= asked_usd else 0.0
