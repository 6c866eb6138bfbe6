"""A firm's contracts with suppliers of models: prices that hold for a time, notice, and the month's bill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulation.settings import SegmentSettings

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner
    from simulation.model_market import ModelMarket, ModelOffer
    from simulation.settings.sourcing import SourcingSettings


@dataclass(slots=True)
class Supply:
    """One contract.

    Attributes:
        offer: at the price of the contract.
        until: month of the run up to which the price holds.
        ends: month from which the model may not be used any more; None while the supplier goes on.
        orphaned: whether the supplier is out of business.
    """

    offer: ModelOffer
    until: int
    ends: int | None = None
    orphaned: bool = False

    @property
    def may_end(self) -> bool:
        """Whether the supplier can take it away: weights that are everybody's stay."""
        return self.offer.access != "open"

    def review(self, market: ModelMarket, month: int, terms: SourcingSettings) -> bool:
        """Renew at the price of the day, or take note that the supplier stops; whether anything changed.

        Who ends is bound by no contract: only the time of notice is left (its estate serves that long).
        """
        today = market.offers.get(self.offer.name)
        if today is None:
            return self.may_end and self._note_loss(market, month, terms)
        due = month >= self.until
        changed = due or self.ends is not None
        if due:
            self.offer, self.until = today, month + terms.contract_months
        self.ends = None
        return changed

    def _note_loss(self, market: ModelMarket, month: int, terms: SourcingSettings) -> bool:
        orphaned, notice = self.offer.supplier in market.ended, month + terms.notice_months
        if self.ends is not None and orphaned == self.orphaned:
            return False
        bound = max(notice, self.until) if self.ends is None else self.ends
        self.ends, self.orphaned = min(notice, bound) if orphaned else bound, orphaned
        return True

    def is_over(self, month: int) -> bool:
        """Whether the model may not be used any more."""
        return self.ends is not None and month >= self.ends


def tokens_of(segment: SegmentSettings, terms: SourcingSettings) -> float:
    """Tokens of one customer's use in a month."""
    stated = segment.tokens_month
    return terms.tokens_per_usd * segment.reference_price_usd if stated is None else stated


def million_tokens(firm: Owner, lab: LaboratoryLike) -> float:
    """Tokens, in millions, of last month's use of a laboratory's model; as for GPU hours, free users make fewer."""
    columns, segments = firm.sales.market.columns, firm.segments
    terms, free_share = firm.model.settings.sourcing, firm.model.settings.revenue.free_serving_share
    tokens = 0.0
    for segment, slot in firm.sales.served_by(lab).items():
        users = columns["customers"].item(slot) + columns["free"].item(slot) * free_share
        tokens += users * columns["serving_share"].item(slot) * tokens_of(segments[segment], terms)
    return tokens / 1e6


def bill(firm: Owner, lab: LaboratoryLike, supply: Supply) -> tuple[float, float]:
    """(Millions of tokens, USD) of the month's use under a contract: answers by the token, and the fee."""
    offer = supply.offer
    if offer.access != "api":
        return 0.0, offer.usd_month
    tokens = million_tokens(firm, lab)
    return tokens, tokens * offer.usd_per_million_tokens + offer.usd_month


def pay_supplier(firm: Owner, supply: Supply, tokens: float, usd: float) -> float:
    """Pay a bill of so many million tokens, as far as there is cash; the supplier learns what was used. USD paid."""
    bank, market = firm.model.bank, firm.model.model_market
    payee = market.payee(supply.offer.supplier)
    if payee not in bank.books:  # nobody's firm: a community
        payee = "suppliers"
    aggregate = bank.books[payee].may_owe
    paid = firm.spend(usd, "model_access", payee, "income" if aggregate else "access_fees")
    market.meter(supply.offer.name, tokens, paid)
    return paid
