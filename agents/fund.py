"""A venture fund: sees noisy signals, bids when value exceeds the usual price, calls its money as it invests."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol

from agents.actor import Actor
from agents.settings import InvestorSettings
from simulation.capital import Facts, fair_value_usd
from simulation.fund_returns import Flow, irr_year, multiple
from simulation.plugins.rules import rule
from simulation.records.columns import FundRow
from simulation.settings import Stage

if TYPE_CHECKING:
    from agents.firm.owner import World

SMALLEST_TICKET_USD = 10_000  # assumption: less is not worth a partner's time


class Stake(Protocol):
    """What a fund knows of its part in a company."""

    def mark_usd(self, fund: str) -> float:
        """Value of the fund's part in its own books, USD; 0 once the company has ended."""

    def earns(self) -> bool:
        """Whether the company's last twelve months brought at least what they cost."""


@dataclass(frozen=True, slots=True)
class Deal:
    """A raise as funds see it: the firm, what diligence found, and the usual terms of the stage."""

    firm: str
    sector: str
    facts: Facts
    stage: Stage
    pre_money_usd: float
    size_usd: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Bid:
    """What a fund thinks a startup is worth before the money, the most it would put in, and its part by right."""

    value_usd: float
    most_usd: float
    pro_rata_usd: float = 0.0


def committed_usd(settings: InvestorSettings) -> float:
    """What partners commit: the money for investments, and the fees of the fund's whole life."""
    return settings.size_usd / (1 - settings.fee_share_year * settings.life_years)


class Fund(Actor):
    """One fund. Partners commit at the vintage and pay in when the fund invests and month by month for its fee.

    Attributes:
        uncalled_usd: money for investments not called yet; `reserve_usd` of it is kept for the fund's own companies.
        fees_left_usd: commitment for fees not called yet.
        flows: monthly payments of the partners (negative) and to them.
    """

    def __init__(self, model: World, name: str, settings: InvestorSettings) -> None:
        super().__init__(model, name)
        self.settings = settings
        self.books = model.bank.open(name)
        self.opened = self.released = False
        self.uncalled_usd = settings.size_usd
        self.reserve_usd = settings.reserve_share * settings.size_usd
        self.committed_usd = committed_usd(settings)
        self.fees_left_usd = self.committed_usd - settings.size_usd
        self.flows: list[Flow] = []
        self.portfolio: dict[str, Stake] = {}  # by firm, ended ones too
        self.fees_usd = 0.0
        model.funds.append(self)

    # -- what it may spend --------------------------------------------------------------------------------------------

    def age_years(self) -> float:
        """Years since the vintage."""
        return self.model.year - self.settings.vintage

    def is_alive(self) -> bool:
        """Whether it has begun and its life is not over."""
        return self.opened and not self.released

    def is_investing(self) -> bool:
        """Whether the fund makes new investments now: in the first half of its life."""
        return self.opened and 0 <= self.age_years() < self.settings.life_years / 2

    def new_money_usd(self) -> float:
        """What it may put into companies that it does not hold yet."""
        return max(self.uncalled_usd - self.reserve_usd, 0.0) if self.is_investing() else 0.0

    def follow_on_usd(self) -> float:
        """What it may put into companies that it holds: its reserve all its life, new money while it invests."""
        return self.new_money_usd() + (self.reserve_usd if self.is_alive() else 0.0)

    def most_usd(self, deal: Deal, share: float) -> float:
        """The most it would put into a round of a firm of which it holds `share`.

        Outside its stages or its investing years, the reserve pays no more than its pro-rata part.
        """
        s = self.settings
        if self.is_investing() and deal.stage in s.stages:
            money = self.follow_on_usd() if share > 0 else self.new_money_usd()
            return min(s.ticket_share * s.size_usd, money)
        return min(share * deal.size_usd, self.reserve_usd) if self.is_alive() else 0.0

    # -- judging ------------------------------------------------------------------------------------------------------

    @rule("investor.valuation", "value that a fund sees in a startup before the money, USD")
    def view_usd(self, deal: Deal) -> float:
        """Value the fund sees in the light of its thesis; off by its own error, drawn anew for each raise."""
        capital = self.model.settings.capital
        value = fair_value_usd(capital, deal.facts, deal.stage, self.model.heat, self.model.year)
        return value * self.belief(deal) * self.error(deal)

    def belief(self, deal: Deal) -> float:
        """What its thesis makes of a dollar of fair value."""
        return self.settings.thesis.get(deal.sector, 1.0)

    def error(self, deal: Deal) -> float:
        """What it sees per dollar of what it believes in; drawn anew for each raise."""
        noise, streams = self.model.settings.capital.signal_noise, self.model.streams
        return streams.lognormal(1.0, noise, f"signal:{deal.firm}", self.name, deal.attempt)

    def least_usd(self, deal: Deal) -> float:
        """The least value that it must see to bid."""
        return self.settings.hurdle * deal.pre_money_usd

    def asked_usd(self, deal: Deal) -> float:
        """The fair value from which it bids, in the light of its thesis and with its error; infinite for never."""
        seen = self.belief(deal) * self.error(deal)
        return self.least_usd(deal) / seen if seen > 0 else inf

    def offer(self, deal: Deal, share: float, view_usd: float) -> Bid | None:
        """What it would put in if it saw that value; None without money. Who keeps a reserve has a pro-rata right."""
        most = self.most_usd(deal, share)
        if most < SMALLEST_TICKET_USD:
            return None
        by_right = min(most, share * deal.size_usd) if self.settings.reserve_share > 0 else 0.0
        return Bid(view_usd, most, by_right)

    @rule("investor.follow_on", "whether a fund gives more money to a company that it holds, true or false")
    def follows_on(self, deal: Deal) -> bool:
        """Unless `stop_feeding` holds and the company neither grows nor earns."""
        rules, stake = self.model.settings.exit, self.portfolio.get(deal.firm)
        if not rules.stop_feeding or stake is None:
            return True
        return deal.facts.growth_year >= rules.least_growth_year or stake.earns()

    @rule("investor.bid", "a `Bid` on a round, or None")
    def bid(self, deal: Deal, share: float = 0.0) -> Bid | None:
        """Bid on a round of a firm of which it holds `share`, or None."""
        if self.most_usd(deal, share) < SMALLEST_TICKET_USD or not self.follows_on(deal):
            return None
        view = self.view_usd(deal)
        return self.offer(deal, share, view) if view >= self.least_usd(deal) else None

    # -- money --------------------------------------------------------------------------------------------------------

    def call(self, usd: float) -> float:
        """Partners pay in; returns the USD called."""
        called = self.model.bank.pay("savers", self.name, usd, "spending", "paid_in_capital")
        self.flows.append((int(self.model.env.now), -called))
        return called

    def draw(self, usd: float, follows_on: bool) -> None:
        """Call the money of an investment; one in a company of its own is taken from the reserve first."""
        called = self.call(usd)
        self.uncalled_usd = max(self.uncalled_usd - called, 0.0)
        if follows_on:
            self.reserve_usd = max(self.reserve_usd - called, 0.0)
        self.reserve_usd = min(self.reserve_usd, self.uncalled_usd)

    def distribute(self) -> None:
        """Pay all cash to the partners; a part may be called again while the fund makes new investments."""
        usd = self.books.cash_usd
        if usd <= 0:
            return
        self.model.bank.pay(self.name, "savers", usd, "returns", "income")
        self.flows.append((int(self.model.env.now), usd))
        if self.is_investing():
            self.uncalled_usd += self.settings.recalled_share * usd

    def pay_fee(self) -> None:
        """Call and pay the month's fee; it is the wages of those who run the fund (assumption: all of it)."""
        fee = min(self.settings.fee_share_year * self.committed_usd / 12, self.fees_left_usd)
        if fee >= 0.01:
            paid = self.model.bank.pay(self.name, "workers", self.call(fee), "wages", "income")
            self.fees_left_usd = max(self.fees_left_usd - paid, 0.0)
            self.fees_usd += paid

    def close_books(self) -> None:
        """Begin at the vintage, pay the fee, release what was not called at the end of life, close the month."""
        age = self.age_years()
        if age >= 0:
            self.opened = True
        if age >= self.settings.life_years:
            self.released, self.uncalled_usd, self.reserve_usd, self.fees_left_usd = True, 0.0, 0.0, 0.0
        if self.is_alive():
            self.pay_fee()
        self.books.close_month()

    # -- returns ------------------------------------------------------------------------------------------------------

    def residual_usd(self) -> float:
        """Marks of what it still holds."""
        held = (self.portfolio[name] for name in self.model.firms if name in self.portfolio)
        return sum(stake.mark_usd(self.name) for stake in held)

    def final_row(self) -> FundRow:
        """Row of the funds table: what partners paid in, got back and still own."""
        paid_in = -sum(usd for _, usd in self.flows if usd < 0)
        distributed, residual = sum(usd for _, usd in self.flows if usd > 0), self.residual_usd()
        flows = sorted([*self.flows, (self.model.month, residual)])
        return FundRow(
            fund=self.name,
            vintage=self.settings.vintage,
            committed_usd=self.committed_usd,
            paid_in_usd=paid_in,
            fees_usd=self.fees_usd,
            distributed_usd=distributed,
            residual_usd=residual,
            dpi=multiple(distributed, paid_in),
            tvpi=multiple(distributed + residual, paid_in),
            irr_year=irr_year(flows),
            n_companies=len(self.portfolio),
        )


def fund_of(model: World, name: str) -> Fund:
    """The fund of that name."""
    return next(fund for fund in funds_of(model) if fund.name == name)


def funds_of(model: World) -> list[Fund]:
    """All funds of a world, in order of entry."""
    return [fund for fund in model.funds if isinstance(fund, Fund)]
