"""How a startup raises: when it goes out, what due diligence finds, who pays what price."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import simpy

from simulation.capital import CapTable, Facts, next_stage, usual_round
from simulation.settings import Stage

if TYPE_CHECKING:
    from agents.startup import Startup


class Fundraising:
    """Rounds of one startup: stage reached, cap table, raises under way."""

    def __init__(self, firm: Startup) -> None:
        self.firm, self.model = firm, firm.model
        self.stage: Stage = "seed"
        self.cap_table = CapTable()
        self.invested_usd: dict[str, float] = {}
        self.raising = False
        self.n_refused = 0
        self.n_raises = 0
        self.last_round_month = firm.founded_month
        self.last_refusal_month = -100
        self.refusal = ""

    def months_since_round(self) -> int:
        """Months since money last came in."""
        return self.model.month - self.last_round_month

    def take(self, invested: dict[str, float], pre_money_usd: float, stage: Stage) -> None:
        """Take the money of a round: cash, shares, a new monthly burn (V23), and its row in the tables."""
        firm, amount = self.firm, sum(invested.values())
        for investor, usd in invested.items():
            account = "investments" if investor != "savers" else "spending"
            paid = self.model.bank.pay(investor, firm.name, usd, account, "paid_in_capital")
            self.invested_usd[investor] = self.invested_usd.get(investor, 0.0) + paid
        before = self.cap_table.post_money_usd
        self.cap_table.issue(invested, pre_money_usd)
        self.stage, self.last_round_month, self.n_refused = stage, int(self.model.env.now), 0
        firm.raised_usd += amount
        firm.burn_usd = firm.books.cash_usd / self.model.settings.capital.runway_months
        row = (self.model.today, firm.name, stage, amount, pre_money_usd, ", ".join(invested))
        self.model.recorder.add("rounds", [row])
        firm.record("round", other=", ".join(invested), amount_usd=amount, text=stage)
        if pre_money_usd < before:
            firm.record(
                "down round", amount_usd=pre_money_usd - before, text=f"{pre_money_usd / before - 1:.0%} on the last"
            )

    def cost_of(self, fund: str) -> float:
        """What a fund has put in so far, USD; asking takes it off (an ended investment is written off once)."""
        return self.invested_usd.pop(fund, 0.0)

    def consider(self) -> None:
        """Start a raise when the runway is short, or a year after the last round when revenue has tripled."""
        firm, capital = self.firm, self.model.settings.capital
        rested = self.model.month - self.last_refusal_month >= capital.retry_months
        if self.raising or not rested or not firm.laboratory.released or firm.ending == "public":
            return
        short = firm.runway_months() < capital.raise_below_months
        # Assumptions: a year between rounds, revenue tripled in it; a mature firm raises only with four months left.
        hot = self.months_since_round() >= 12 and firm.growth_year() > 2
        wants_more = not firm.is_mature() or firm.runway_months() < 4
        if (short or hot) and wants_more:
            self.raising = True
            self.n_raises += 1
            self.model.env.process(self.raise_round(next_stage(self.stage)))

    def facts(self) -> Facts:
        """What due diligence finds."""
        firm = self.firm
        lab, field = firm.laboratory.advantages()
        yearly = 4 * sum(firm.recurring[-3:])
        return Facts(yearly, firm.growth_year(), lab, field, firm.sales.total("free"))

    def raise_round(self, stage: Stage) -> Generator[simpy.Event, object, None]:
        """SimPy process: due diligence takes its time; then funds bid, and the round closes or not."""
        capital = self.model.settings.capital
        yield self.model.env.timeout(
            self.model.streams.lognormal(
                capital.diligence_months, capital.diligence_sigma, "diligence", self.firm.name, self.n_raises
            )
        )
        self.raising = False
        if self.firm.alive:
            self.close_round(stage)

    def close_round(self, stage: Stage) -> None:
        """Collect bids. The round closes when funds together put up at least 60 % of the usual size (assumption)."""
        model, firm = self.model, self.firm
        pre, size = usual_round(model.settings.capital, stage, model.year)
        facts = self.facts()
        bids = {
            fund.name: bid for fund in model.funds if (bid := fund.bid(firm.name, facts, stage, pre, self.n_raises))
        }
        ranked = sorted(bids, key=lambda name: -bids[name].value_usd)
        invested: dict[str, float] = {}
        for name in ranked:
            invested[name] = min(bids[name].most_usd, size - sum(invested.values()))
            if sum(invested.values()) >= size - 1:
                break
        if sum(invested.values()) < 0.6 * size:
            self.refuse(stage, facts.revenue_usd_year, max((b.value_usd for b in bids.values()), default=0.0), pre)
            return
        # The price lies between what the stage usually costs and what the best bidder sees in it.
        price = (pre * bids[ranked[0]].value_usd) ** 0.5
        self.take(invested, price, stage)

    def refuse(self, stage: Stage, revenue_usd_year: float, best_usd: float, pre_money_usd: float) -> None:
        """No round: remember why."""
        self.n_refused += 1
        self.last_refusal_month = self.model.month
        why = "no fund with money saw the value" if best_usd == 0 else "too little money from those who saw the value"
        self.refusal = (
            f"series {stage} refused at {revenue_usd_year / 1e6:.2f} M$ revenue a year" if stage != "seed" else why
        )
        self.firm.record("raise refused", amount_usd=pre_money_usd, cause=why, text=self.refusal)
