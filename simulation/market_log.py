"""What the market did to each firm, month by month: running sums over the last two years.

The sums of all firms are worked out together, once a month, so that what a question about one firm costs does not grow
with the months that it is about.
"""

from __future__ import annotations

from collections import deque
from typing import Literal, get_args

import numpy as np

from simulation.demand import Floats, aware_unserved
from simulation.market import Market
from simulation.revenue import STARTS_FREE, WITHOUT_MODEL

Quantity = Literal[
    "offers",  # offers that are not withdrawn; the others are sums over them
    "users",  # paying or not
    "lost",  # users lost
    "new_usd",  # what customers who began to pay in the month pay a month
    "paying_usd",  # what all paying customers pay a month
    "full_usd",  # what all users would pay a month if all of them paid
    "with_model",  # offers with a model
    "barred",  # offers with a model that may not be sold
    "lab",  # advantage over the traditional method, as promised
    "field",  # and as lived
    "trust",
    "advantage_weight",  # of the segment's customers
    "trust_weight",
    "looking",  # share of the segment's unserved customers who look in the month
    "adopting",  # share of those who take any offer
]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
ROW: dict[Quantity, int] = {name: row for row, name in enumerate(QUANTITIES)}
KEPT_MONTHS = 24


class MarketLog:
    """Running sums by firm (columns: `Market.firm_index`) of each quantity (rows: `ROW`), for each month kept."""

    def __init__(self) -> None:
        self.sums: deque[Floats] = deque([np.zeros((len(QUANTITIES), 0))], maxlen=KEPT_MONTHS + 1)

    def note(self, market: Market, served_before: Floats) -> None:
        """Take down the month that the market has just cleared; `served_before` it, by segment."""
        month = month_by_firm(market, served_before)
        before = self.sums[-1]
        month[:, : before.shape[1]] += before
        self.sums.append(month)

    def over(self, months: int) -> Floats:
        """Sums over the last months, shape [quantities, firms]."""
        total = self.sums[-1].copy()
        before = self.sums[-1 - months]
        total[:, : before.shape[1]] -= before
        return total

    def series(self, firm: int, months: int) -> Floats:
        """The last months of one firm, the latest last, shape [quantities, months]."""
        kept = list(self.sums)[-1 - months :]
        columns = [sums[:, firm] if firm < sums.shape[1] else np.zeros(len(QUANTITIES)) for sums in kept]
        return np.diff(np.array(columns), axis=0).T


def month_by_firm(market: Market, served_before: Floats) -> Floats:
    """All quantities of the month that has just been cleared, by firm, shape [quantities, firms]."""
    model, live, offer = market.model, market.live, market.by_offer
    looking, adopting = interest(market, served_before)
    pay = market["monthly_usd"] + market["upfront_usd"] / offer["contract_months"]
    paying, users = market["customers"], market["customers"] + market["free"]
    has_model = (market["field_accuracy"] > 0) & ~WITHOUT_MODEL[model]
    values: dict[Quantity, Floats] = {
        "offers": np.ones(market.n_offers),
        "users": users,
        "lost": market["lost"],
        "new_usd": np.where(STARTS_FREE[model], market["converted"], market["won"]) * pay,
        "paying_usd": paying * pay,
        "full_usd": users * pay,
        "with_model": has_model.astype(float),
        "barred": (has_model & ~market.selling).astype(float),
        "lab": market["lab"],
        "field": market["field"],
        "trust": market["trust"],
        "advantage_weight": offer["advantage_weight"],
        "trust_weight": offer["trust_weight"],
        "looking": looking[market.segment],
        "adopting": adopting[market.segment],
    }
    n_firms = len(market.firm_index)
    sums = [np.bincount(market.owner, values[name] * live, n_firms) for name in QUANTITIES]
    return np.array(sums, float)  # of no offers at all they would be whole numbers


def interest(market: Market, served_before: Floats) -> tuple[Floats, Floats]:
    """By segment: share of the unserved who looked in the month, and share of those who took any offer.

    The second is what more are served than before, so it counts those who go back to the traditional method against it.
    """
    s = market.s
    open_still = served_before * (1 - s["closure_rate_year"] / 12)
    unserved, share = np.maximum(s["customers"] - open_still, 0.0), open_still / s["customers"]
    aware = aware_unserved(unserved, share, s["innovation_rate_year"], s["imitation_rate_year"])
    taken = np.divide(market.served() - open_still, aware, out=np.ones_like(aware), where=aware > 0)
    return np.divide(aware, unserved, out=np.zeros_like(aware), where=unserved > 0), np.clip(taken, 0.0, 1.0)
