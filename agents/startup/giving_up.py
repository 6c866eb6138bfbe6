"""When a startup that can still pay is given up: by founders who could do better, by investors who wait in vain.

    founders:   certainty_share · mean of their part of what it may be worth  <  what they could have elsewhere
    investors:  `living_dead_months` after the last round it neither grows nor earns

A buyer is looked for; without one the people are paid off and what is left is split by the rank of claims.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import numpy as np

from agents.fund import fund_of
from agents.startup.diagnosis import reasons_of
from agents.startup.exits import find_buyer, settle, write_off
from agents.startup.outside_option import outside_option_usd
from simulation.capital import FOUNDERS, fair_value_usd
from simulation.plugins.rules import rule
from simulation.records.events import GaveUp
from simulation.records.reasons import Reason, as_records

if TYPE_CHECKING:
    from agents.startup.startup import Startup
    from simulation.books import Account

QUARTER = 3  # months between two looks of founders and investors
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
NODES = tuple(zip(_POINTS.tolist(), (_WEIGHTS / _WEIGHTS.sum()).tolist(), strict=True))  # of a standard normal


class Patience:
    """How long the founders of one startup have expected less than they could have elsewhere."""

    def __init__(self, firm: Startup) -> None:
        self.firm = firm
        self.disappointed_months = 0

    def reason_to_end(self) -> Reason | None:
        """Why a startup that can still pay is ended now; None where it goes on. Asked every month."""
        firm, rules = self.firm, self.firm.model.settings.exit
        age = firm.model.month - firm.founded_month
        if age <= 0 or age % QUARTER or firm.ending != "alive":
            return None
        if rules.give_up_months > 0 and gives_up(firm):
            outside = founders_outside_usd(firm)
            return Reason("prospects", {"expected_usd": founders_expected_usd(firm), "outside_usd": outside})
        if rules.living_dead_months > 0 and is_living_dead(firm):
            months = firm.finance.months_since_round()
            return Reason("living dead", {"growth_year": firm.growth_year(), "months": months})
        return None

    def look(self) -> int:
        """Compare with another career; returns for how many months it has looked better. Hope lasts until a model."""
        has_model = self.firm.laboratory.released is not None
        disappointed = has_model and founders_expected_usd(self.firm) < founders_outside_usd(self.firm)
        self.disappointed_months = self.disappointed_months + QUARTER if disappointed else 0
        return self.disappointed_months


def founders_expected_usd(firm: Startup) -> float:
    """What founders expect of their share, for sure: of the fair value, less after each refusal, as funds mark it.

    What is paid first is not the founders', but value moves until they would sell: their stock is an option, and its
    worth the mean over a lognormal value of the same mean (Gauss–Hermite).
    """
    settings, finance = firm.model.settings, firm.finance
    fair = fair_value_usd(settings.capital, finance.facts(), finance.stage, firm.model.heat, firm.model.year)
    fair *= (1 - settings.capital.write_down_share) ** finance.n_refused
    sigma = settings.exit.value_sigma_year * (settings.founding.patience_months / 12) ** 0.5
    part = sum(w * founders_part_usd(firm, fair * exp(sigma * z - sigma**2 / 2)) for z, w in NODES)
    return settings.founding.certainty_share * part


def founders_part_usd(firm: Startup, value_usd: float) -> float:
    """What founders would get of a sale. They hold common stock with private savers; one share of it was theirs."""
    table = firm.finance.cap_table
    return table.split(value_usd).get(FOUNDERS, 0.0) / table.common


def founders_outside_usd(firm: Startup) -> float:
    """What founders could have elsewhere: the same wages, and the same draw, as when they founded."""
    return outside_option_usd(firm.model, firm.name, firm.model.settings.founding.patience_months)


@rule("startup.give_up", "whether founders give up a startup that can still pay, true or false")
def gives_up(firm: Startup) -> bool:
    """After `give_up_months` in which another career looked better."""
    return firm.patience.look() >= firm.model.settings.exit.give_up_months


@rule("investor.living_dead", "whether investors end a startup that can still pay, true or false")
def is_living_dead(firm: Startup) -> bool:
    """Where funds hold as much as the founders do, and it neither grows nor earns long after its last round."""
    rules, finance = firm.model.settings.exit, firm.finance
    if finance.months_since_round() < rules.living_dead_months or firm.growth_year() >= rules.least_growth_year:
        return False
    shares = finance.cap_table.shares
    funds = sum(share for holder, share in shares.items() if holder != FOUNDERS)
    return funds >= shares[FOUNDERS] and not finance.earns()


def end_early(firm: Startup, need: Reason) -> None:
    """Sell a startup for more than the cash it has, or close it: people first, then holders, then suppliers."""
    people_usd = firm.commitments.closing_usd()
    if find_buyer(firm, need, max(firm.books.cash_usd - people_usd, 0.0)):
        return
    firm.reasons = reasons_of(firm, need)
    firm.spend(people_usd, "severance", "workers")
    paid = pay_out_all(firm)
    settle(firm, "suppliers")
    firm.record(GaveUp(amount_usd=paid, causes=as_records(firm.reasons)))
    firm.end("gave up", paid)


def pay_out_all(firm: Startup) -> float:
    """Split the cash among holders by the rank of their claims; returns the USD paid."""
    paid = 0.0
    for holder, usd in firm.finance.cap_table.split(firm.books.cash_usd).items():
        credit: Account = "income" if holder == FOUNDERS else "gains"
        paid += firm.spend(usd, "returns", holder, credit)
        if holder != FOUNDERS:
            write_off(firm, holder)
            fund_of(firm.model, holder).distribute()
    return paid
