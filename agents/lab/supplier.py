"""What laboratories and the community of open weights share: books, runs, released models and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from agents.actor import Actor
from agents.lab.pretraining import Pretraining, Trained
from simulation.model_market import Access, ModelOffer, Use
from simulation.records.columns import FoundationRow
from simulation.records.events import Event
from simulation.settings.foundations import FoundationSettings, serving_usd_million_tokens

if TYPE_CHECKING:
    from agents.firm.owner import World
    from simulation.books import Account


@dataclass(slots=True, eq=False)
class Released:
    """A foundation that a supplier has released.

    Attributes:
        trained: what it is.
        maker: who trained it.
        month: of the run, in which it was released.
        access: how one can get at it now.
        price_usd: of a million tokens, or of a month's licence; 0 for open weights.
        told_usd: price of the last event that told one.
        n_users: firms that built on it a month ago.
    """

    trained: Trained
    maker: str
    month: int
    access: Access
    price_usd: float = 0.0
    told_usd: float = 0.0
    n_users: int = field(default=0)

    @property
    def rung(self) -> float:
        """Its rung."""
        return self.trained.rung

    @property
    def loss(self) -> float:
        """Measured loss, nats a token."""
        return self.trained.result.loss_general

    def offer_by(self, supplier: str) -> ModelOffer:
        """As it stands on the market."""
        return ModelOffer(
            supplier=supplier,
            plan=self.trained.plan,
            rung=self.rung,
            access=self.access,
            usd_per_million_tokens=self.price_usd if self.access == "api" else 0.0,
            usd_month=self.price_usd if self.access == "licence" else 0.0,
            month=self.month,
            loss_general=self.loss,
            training_flop=self.trained.training_flop,
            maker=self.maker,
        )


class ModelSupplier(Actor):
    """Who trains foundations and has them on offer. Money in USD.

    Attributes:
        models: all that it has released, the oldest first.
        unpaid: whether it could not pay in full what it owed this month.
    """

    def __init__(self, model: World, name: str) -> None:
        super().__init__(model, name)
        self.books = model.bank.open(name)
        self.models: list[Released] = []
        self.unpaid = False
        self.pretraining = Pretraining(self)
        model.labs.append(self)

    @property
    def foundations(self) -> FoundationSettings:
        """Settings in force."""
        return self.pretraining.settings

    def record(self, event: Event) -> None:
        """Record an event of this supplier now."""
        self.model.record_event(self.name, event)

    def best_rung(self) -> float:
        """The largest rung that it has trained; −1 before the first."""
        return max((one.rung for one in self.models if one.maker == self.name), default=-1.0)

    def spend(self, usd: float, account: Account, payee: str = "suppliers") -> float:
        """Pay what is wanted, or what is there; returns the USD paid."""
        if not usd > 0:
            return 0.0
        cash = max(self.books.cash_usd, 0.0)
        if usd > cash + 0.005:
            self.unpaid = True
        return self.model.bank.pay(self.name, payee, min(usd, cash), account, "income")

    def serving_usd(self, rung: float) -> float:
        """What a million tokens of answers of a rung cost now at the cloud's list price."""
        year = self.model.year
        return serving_usd_million_tokens(self.foundations, rung, year, self.model.cloud.list_price_usd(year))

    def users_of(self, offer: str) -> int:
        """Living firms that build on an offer."""
        living = self.model.living
        return sum(firm in living for firm in self.model.model_market.users.get(offer, ()))

    def on_offer(self) -> list[Released]:
        """Models that can be had from it now."""
        offers = self.model.model_market.offers
        return [one for one in self.models if one.offer_by(self.name).name in offers]

    def observe(self, month: date) -> Iterator[FoundationRow]:
        """Rows of what it has on offer, and of what is still used after it was withdrawn."""
        market = self.model.model_market
        for one in self.models:
            name = one.offer_by(self.name).name
            use = market.uses.get(name)
            if name in market.offers or use is not None:
                yield self.row_of(one, month, name, use or Use())

    def row_of(self, one: Released, month: date, offer: str, use: Use) -> FoundationRow:
        """A model's row of the foundations table."""
        trained, sold = one.trained, one.offer_by(self.name)
        return FoundationRow(
            month=month,
            lab=one.maker,
            supplier=self.name,
            rung=one.rung,
            key=trained.result.key,
            vintage=trained.plan.vintage,
            released=self.model.calendar.date_of(one.month),
            loss_general=one.loss,
            access=one.access,
            price_usd_million_tokens=sold.usd_per_million_tokens,
            fee_usd_month=sold.usd_month,
            serving_usd_million_tokens=self.serving_usd(one.rung),
            cost_usd=trained.cost_usd,
            training_flop=trained.training_flop,
            users=self.users_of(offer),
            million_tokens=use.million_tokens,
            revenue_usd=use.usd,
        )
