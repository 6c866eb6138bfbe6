"""How a startup raises: when it goes out, what due diligence finds, who pays what price."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import asdict, replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import simpy

from agents.firm.history import Refusal
from agents.fund import Bid, Deal, fund_of, funds_of
from agents.startup.bridge_notes import bridge, extinguish
from agents.startup.expected_earnings import expected_earnings_of
from agents.startup.recapitalisation import try_recapitalisation
from agents.startup.syndicate import allocate, closes
from simulation.capital import (
    FOUNDERS,
    CapTable,
    Facts,
    fair_value_usd,
    next_stage,
    revenue_for_value,
    usual_round,
)
from simulation.plugins.rules import rule
from simulation.records.columns import RoundRow
from simulation.records.events import DownRound, RaiseRefused, Round
from simulation.settings import Stage

if TYPE_CHECKING:
    from agents.startup.startup import Startup
    from simulation.books import Account

# Assumptions: months between rounds (V12, V14) of a firm whose revenue has tripled in a year (growth 2); a mature firm
# raises only with so many months left.
BETWEEN_ROUNDS_MONTHS, TRIPLED, MATURE_RAISES_BELOW_MONTHS = 16, 2.0, 4
SAME_REVENUE = 1e-9  # share by which a revenue may be off: rounding


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
        self.refusal: Refusal | None = None  # the last, until a round closes
        self.climate_at_round = self.model.heat
        self.bridged = self.recapitalised = False

    def months_since_round(self) -> int:
        """Months since money last came in."""
        return self.model.month - self.last_round_month

    def take(self, invested: dict[str, float], pre_money_usd: float, stage: Stage) -> None:
        """Take the money of a round: cash, shares, a new monthly burn (V23), and its row in the tables."""
        firm, amount = self.firm, sum(invested.values())
        self.collect(invested)
        before = self.cap_table.post_money_usd
        self.cap_table.issue(invested, pre_money_usd, self.model.settings.capital.note_discount)
        self.begin_anew(stage, amount)
        self.recapitalised = False
        row = RoundRow(self.model.today, firm.name, stage, amount, pre_money_usd, ", ".join(invested))
        self.model.recorder.add("rounds", [row])
        firm.record(Round(other=", ".join(invested), amount_usd=amount, stage=stage))
        if pre_money_usd < before:
            firm.record(DownRound(amount_usd=pre_money_usd - before, change=pre_money_usd / before - 1))

    def collect(self, invested_usd: Mapping[str, float]) -> None:
        """Receive the money of a priced round; notes outstanding convert in it, so they leave the books."""
        for investor, usd in invested_usd.items():
            self.receive(investor, usd, "paid_in_capital")
        extinguish(self.firm, "paid_in_capital")

    def begin_anew(self, stage: Stage, amount_usd: float) -> None:
        """A priced round has closed: what was refused before is over, and the cash sets the monthly burn (V23)."""
        self.stage, self.last_round_month, self.n_refused = stage, int(self.model.env.now), 0
        self.climate_at_round = self.model.heat
        self.bridged, self.refusal = False, None
        self.firm.raised_usd += amount_usd
        self.firm.burn_usd = self.firm.books.cash_usd / self.model.settings.capital.runway_months

    def receive(self, investor: str, usd: float, credit: Account) -> None:
        """Receive one investor's money: a fund calls it from its partners first."""
        if investor != FOUNDERS:
            fund = fund_of(self.model, investor)
            fund.draw(usd, follows_on=investor in self.invested_usd)
            fund.portfolio[self.firm.name] = self
        account: Account = "investments" if investor != FOUNDERS else "spending"
        paid = self.model.bank.pay(investor, self.firm.name, usd, account, credit)
        self.invested_usd[investor] = self.invested_usd.get(investor, 0.0) + paid

    def mark_usd(self, fund: str) -> float:
        """What a fund's stake stands at in its books: the last round's price and notes, less after each refusal."""
        if fund not in self.invested_usd:
            return 0.0
        table = self.cap_table
        stake = table.shares.get(fund, 0.0) * table.post_money_usd + table.notes_usd.get(fund, 0.0)
        return stake * (1 - self.model.settings.capital.write_down_share) ** self.n_refused

    def earns(self) -> bool:
        """Whether the last twelve months brought at least what they cost."""
        return sum(self.firm.revenues[-12:]) >= sum(self.firm.costs[-12:])

    def cost_of(self, fund: str) -> float:
        """What a fund has put in so far, USD; asking takes it off (an ended investment is written off once)."""
        return self.invested_usd.pop(fund, 0.0)

    def consider(self) -> None:
        """Start a raise where one is possible and wanted."""
        rested = self.model.month - self.last_refusal_month >= self.model.settings.capital.retry_months
        if self.raising or not rested or not self.firm.laboratory.released or self.firm.ending == "public":
            return
        if self.wants_round():
            self.raising = True
            self.n_raises += 1
            self.model.env.process(self.raise_round(next_stage(self.stage)))

    @rule("startup.raise", "whether a startup that may go out to raise does so, true or false")
    def wants_round(self) -> bool:
        """When the runway is short, or long enough after the last round when revenue has tripled."""
        firm, capital = self.firm, self.model.settings.capital
        runway = firm.runway_months()
        short = runway < capital.raise_below_months
        hot = self.months_since_round() >= BETWEEN_ROUNDS_MONTHS and firm.growth_year() > TRIPLED
        return (short or hot) and (runway < MATURE_RAISES_BELOW_MONTHS or not firm.is_mature())

    def facts(self) -> Facts:
        """What due diligence finds."""
        firm = self.firm
        lab, field = firm.laboratory.advantages()
        yearly = 4 * sum(firm.recurring[-3:])
        expected = expected_earnings_of(firm) if self.model.settings.capital.valuation == "expected" else None
        return Facts(yearly, firm.growth_year(), lab, field, firm.sales.total("free"), expected)

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
        """Collect bids; the round closes or is refused."""
        model, firm = self.model, self.firm
        pre, size = usual_round(model.settings.capital, stage, model.year)
        deal = Deal(firm.name, firm.sector, self.facts(), stage, pre, size, self.n_raises)
        bids = self.bids(deal)
        best = max((bid.value_usd for bid in bids.values()), default=0.0)
        invested = allocate(bids, size)
        if not closes(invested, size):
            self.refuse(deal, best)
            if not bridge(firm, deal):
                try_recapitalisation(firm, deal)
            return
        # The price lies between what the stage usually costs and what the best bidder sees in it.
        self.take(invested, (pre * best) ** 0.5, stage)

    def bids(self, deal: Deal) -> dict[str, Bid]:
        """What each fund bids, by name."""
        held = self.cap_table.shares
        return {fund.name: bid for fund in funds_of(self.model) if (bid := fund.bid(deal, held.get(fund.name, 0.0)))}

    def refuse(self, deal: Deal, best_usd: float) -> None:
        """No round: remember why."""
        self.n_refused += 1
        self.last_refusal_month = self.model.month
        why = "no fund with money saw the value" if best_usd == 0 else "too little money from those who saw it"
        found = self.judgement(deal)
        self.refusal = refusal_of(deal, self.model.month, found)
        self.firm.record(RaiseRefused(amount_usd=deal.pre_money_usd, why=why, **found))

    def judgement(self, deal: Deal) -> dict[str, Any]:
        """What funds saw in the firm and what they asked for: the fields of a refusal. Null where nothing was enough.

        All of it comes from the functions that the funds judge by: value by `fair_value_usd`, what is asked for by
        `value_asked_usd` and the revenue that is worth as much by `revenue_for_value`. It is null too where the funds,
        asked again, judge otherwise, as those of a plug-in may.
        """
        model, facts = self.model, deal.facts
        terms = (facts, deal.stage, model.heat, model.year)
        asked = self.value_asked_usd(deal)
        revenue = revenue_for_value(model.settings.capital, asked, *terms)
        is_known = isfinite(revenue) and self.is_asked(deal, revenue)
        return {
            **{name: value for name, value in asdict(facts).items() if name != "expected"},
            "stage": deal.stage,
            "climate": model.heat,
            "value_usd": fair_value_usd(model.settings.capital, *terms),
            "value_asked_usd": asked if is_known else None,
            "revenue_asked_usd_year": revenue if is_known else None,
        }

    def is_asked(self, deal: Deal, revenue_usd_year: float) -> bool:
        """Whether the funds close the round from this revenue on and not below it, all else as it is."""
        below, above = (
            replace(deal.facts, revenue_usd_year=revenue_usd_year * factor)
            for factor in (1 - SAME_REVENUE, 1 + SAME_REVENUE)
        )
        return self.would_close(replace(deal, facts=above)) and not self.would_close(replace(deal, facts=below))

    def would_close(self, deal: Deal) -> bool:
        """Whether the funds put up enough for a deal."""
        return closes(allocate(self.bids(deal), deal.size_usd), deal.size_usd)

    def value_asked_usd(self, deal: Deal) -> float:
        """The fair value from which the round closes, all else as it is; infinite where money is short at any value.

        Funds are asked in the order of the value from which each bids, until they put up enough.
        """
        held, bids = self.cap_table.shares, dict[str, Bid]()
        for fund in sorted(funds_of(self.model), key=lambda fund: fund.asked_usd(deal)):
            asked = fund.asked_usd(deal)
            if isfinite(asked) and (bid := fund.offer(deal, held.get(fund.name, 0.0), fund.least_usd(deal))):
                bids[fund.name] = bid
                if closes(allocate(bids, deal.size_usd), deal.size_usd):
                    return asked
        return inf


def refusal_of(deal: Deal, month: int, found: Mapping[str, Any]) -> Refusal:
    """What is remembered of a raise that found no money; `found`: what funds saw and asked for."""
    return Refusal(
        deal.stage,
        month,
        deal.facts.revenue_usd_year,
        deal.facts.growth_year,
        deal.size_usd,
        found["value_usd"],
        found["value_asked_usd"],
        found["climate"],
    )
