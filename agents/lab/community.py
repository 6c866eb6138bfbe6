"""The community of open weights: keeps on offer what laboratories open, and trains with public money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agents.lab.names import COMMUNITY
from agents.lab.pretraining import Intended
from agents.lab.supplier import ModelSupplier, Released
from simulation.plugins.rules import rule
from simulation.records.events import FoundationReleased, PretrainingBegun
from simulation.settings.foundations import CommunitySettings

if TYPE_CHECKING:
    from agents.firm.owner import World


class Community(ModelSupplier):
    """It keeps nothing and sells nothing: all that it gets goes into runs, all that it has is free."""

    def __init__(self, model: World) -> None:
        super().__init__(model, COMMUNITY)

    @property
    def settings(self) -> CommunitySettings:
        """Settings in force."""
        return self.foundations.community

    def take(self, given: Released) -> None:
        """Keep on offer what a laboratory gives it, whatever becomes of the laboratory."""
        self.publish(Released(given.trained, given.maker, int(self.model.env.now), "open"))

    def publish(self, released: Released) -> None:
        """Put open weights on the market, unless the very same are there: two teams may have trained the same plan."""
        offer = released.offer_by(self.name)
        if offer.name not in self.model.model_market.offers:
            self.models.append(released)
            self.model.model_market.release(offer)

    def receive_results(self) -> None:
        """Publish what came out of its own run."""
        if trained := self.pretraining.receive():
            released = Released(trained, self.name, int(self.model.env.now), "open")
            self.publish(released)
            self.record(
                FoundationReleased(
                    amount_usd=trained.cost_usd,
                    run=trained.result.key,
                    rung=trained.rung,
                    loss=released.loss,
                    access="open",
                    training_flop=trained.training_flop,
                )
            )

    def acquire(self) -> None:
        """Pay for the run under way, or begin the next; public money came with the month's programmes."""
        if self.pretraining.run is not None:
            self.pretraining.pay_instalment()
        elif (intended := self.next_foundation()) is not None:
            self.pretraining.order(intended, self.settings.run_months)
            self.record(
                PretrainingBegun(
                    amount_usd=intended.cost_usd,
                    rung=intended.rung,
                    vintage=intended.plan.vintage,
                    training_flop=self.pretraining.run.training_flop if self.pretraining.run else 0.0,
                )
            )

    @rule("community.next_foundation", "an `Intended` pretraining run of the community, or None")
    def next_foundation(self) -> Intended | None:
        """The largest that others released `lag_months` ago and that is not open yet, once its money pays for it."""
        open_rung = max((one.rung for one in self.models), default=-1.0)
        known = max(self.known_rungs(), default=-1.0)
        if known <= open_rung:
            return None
        intended = self.pretraining.intend(known, self.settings.skill, self.settings.text_quality)
        return intended if self.books.cash_usd >= intended.cost_usd else None

    def known_rungs(self) -> Iterator[float]:
        """Rungs that others released so long ago that it knows how."""
        since = int(self.model.env.now) - self.settings.lag_months
        for supplier in self.model.labs:
            if isinstance(supplier, ModelSupplier) and supplier is not self:
                yield from (one.rung for one in supplier.models if one.month <= since)

    def seek_capital(self) -> None:
        """Close the month."""
        self.books.close_month()


def community_of(model: World) -> Community:
    """The community of a world with foundations."""
    return next(one for one in model.labs if isinstance(one, Community))
