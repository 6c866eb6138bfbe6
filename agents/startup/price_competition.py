"""Prices follow competition: who loses share to rivals with a better price for the same quality comes down toward it.

a firm's offer is as good a value as the average rival's in its segment at the price

    p* = mean perceived price of rivals − advantage_weight / price_weight · (their mean advantage − its own)

(both in reference prices, means by users served), for at that price a newcomer's utility is the same (§7.9).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from agents.actor import Actor
from agents.startup.startup import Startup
from simulation.demand import Floats
from simulation.plugins.rules import rule

if TYPE_CHECKING:
    from agents.firm.owner import World

MONTHS = 3  # over which a share must have fallen; assumption


class Field(NamedTuple):
    """All offers of a month: users, perceived price in reference prices, promised advantage; sums by segment."""

    users: Floats
    price: Floats
    advantage: Floats
    total: Floats
    total_price: Floats
    total_advantage: Floats


class PriceCompetition(Actor):
    """Looks at the market once a month for all startups; acts where `revenue.price_response` is above 0.

    Comes before all firms, so that they show their new prices in the same month.
    """

    def __init__(self, model: World) -> None:
        super().__init__(model, "prices")
        self.shares: deque[dict[str, dict[str, float]]] = deque(maxlen=MONTHS)

    def plan(self) -> None:
        """Let startups whose share falls answer."""
        if not self.model.settings.revenue.price_response:
            return
        now = self.model.sector_shares()
        if len(self.shares) == MONTHS:
            before, field = self.shares[0], field_of(self.model)
            for firm in self.model.living.values():
                if isinstance(firm, Startup):
                    share, old = (table[firm.sector].get(firm.name, 0.0) for table in (now, before))
                    ratio = value_price_ratio(firm, field) if share < old else 1.0
                    firm.is_undercut = ratio < 1
                    if firm.is_undercut:
                        come_down(firm, ratio)
        self.shares.append(now)


@rule("startup.discount", "nothing; it may lower the price level of a startup that loses share to better value")
def come_down(firm: Startup, ratio: float) -> None:
    """Go a part of the way to the price at which the offer is as good a value, never below what its sales cost.

    That is a gross margin of 0: inference, others' models, goods and operations staff of the last month are paid.
    """
    in_sales, out_serving, out_operations = firm.margin
    if in_sales <= 0:
        return
    goal = max(ratio, (out_serving + out_operations) / in_sales)
    if goal < 1:
        firm.sales.price_level *= 1 - firm.model.settings.revenue.price_response * (1 - goal)


def field_of(model: World) -> Field:
    """The month's offers that are on sale."""
    market, n = model.market, len(model.market.segment_names)
    users = np.where(market.selling, market["customers"] + market["free"], 0.0)
    price = market["perceived_usd_month"] / market.by_offer["reference_price_usd"]
    weighted = (users, users * price, users * market["lab"])
    sums = (np.bincount(market.segment, values, n).astype(float) for values in weighted)
    return Field(users, price, market["lab"], *sums)


def value_price_ratio(firm: Startup, field: Field) -> float:
    """Price at which its offers are as good a value as their rivals', over their price; 1 where there are no rivals.

    Offers count by their users; those that cost nothing from the start have no price to lower.
    """
    market, weighed, total = firm.model.market, 0.0, 0.0
    for slot in firm.sales.slots.values():
        segment, users = market.segment.item(slot), field.users.item(slot)
        others, own_price = field.total.item(segment) - users, field.price.item(slot)
        if others <= 1e-9 or own_price <= 0:
            continue
        price = (field.total_price.item(segment) - users * own_price) / others
        lead = (field.total_advantage.item(segment) - users * field.advantage.item(slot)) / others
        lead -= field.advantage.item(slot)
        worth = market.s["advantage_weight"].item(segment) / market.s["price_weight"].item(segment)
        weighed += users * (price - worth * lead) / own_price
        total += users
    return weighed / total if total > 0 else 1.0
