"""A venture fund: sees noisy signals, bids when value exceeds the usual price, returns its money at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.actor import Actor
from agents.settings import InvestorSettings
from simulation.capital import Facts, fair_value_usd
from simulation.settings import Stage

if TYPE_CHECKING:
    from simulation.model import MarketModel


@dataclass(frozen=True, slots=True)
class Bid:
    """What a fund thinks a startup is worth before the money, and the most it would put in."""

    value_usd: float
    most_usd: float


class Fund(Actor):
    """One fund. Its partners' commitment is called at once at the vintage (a simplification)."""

    def __init__(self, model: MarketModel, name: str, settings: InvestorSettings) -> None:
        super().__init__(model, name)
        self.settings = settings
        self.books = model.bank.open(name)
        self.called = False
        model.funds.append(self)

    def is_investing(self) -> bool:
        """Whether the fund makes new investments now: in the first half of its life."""
        age = self.model.year - self.settings.vintage
        return self.called and 0 <= age < self.settings.life_years / 2

    def bid(self, firm: str, facts: Facts, stage: Stage, pre_money_usd: float, attempt: int) -> Bid | None:
        """Bid on a round, or None. The fund's view of value is off by its own error, drawn anew for each raise."""
        s, capital = self.settings, self.model.settings.capital
        most = min(s.ticket_share * s.size_usd, self.books.cash_usd)
        if not self.is_investing() or stage not in s.stages or most < 10_000:
            return None
        value = fair_value_usd(capital, facts, stage, self.model.heat, self.model.year)
        seen = value * self.model.streams.lognormal(1.0, capital.signal_noise, f"signal:{firm}", self.name, attempt)
        return Bid(seen, most) if seen >= s.hurdle * pre_money_usd else None

    def close_books(self) -> None:
        """Call the commitment at the vintage, close the month, return all cash at the end of life."""
        bank, s = self.model.bank, self.settings
        age = self.model.year - s.vintage
        if not self.called and age >= 0:
            bank.pay("savers", self.name, s.size_usd, "spending", "paid_in_capital")
            self.called = True
        if self.called and age >= s.life_years and self.books.cash_usd > 0:
            bank.pay(self.name, "savers", self.books.cash_usd, "returns", "income")
        self.books.close_month()
