"""Which offers of foundations are worth a look: worked out once for all firms, whenever the market has changed."""

from __future__ import annotations

from collections.abc import Mapping

from simulation.model_market import ModelMarket, ModelOffer


class ModelCatalogue:
    """Offers by name, but those that their own supplier has surpassed.

    What others offer takes no part in that, so that an offer that nobody wants changes nobody's choice.
    """

    def __init__(self, market: ModelMarket) -> None:
        self._market = market
        self._seen: list[ModelOffer] = []
        self._current: dict[str, ModelOffer] = {}

    def current(self) -> Mapping[str, ModelOffer]:
        """Offers that somebody who looks for a foundation considers, in the order of release."""
        there = list(self._market.offers.values())
        if there != self._seen:  # offers never change, they are replaced
            offers = self._market.offers.items()
            self._current = {name: one for name, one in offers if not any(surpasses(other, one) for other in there)}
            self._seen = there
        return self._current


def surpasses(new: ModelOffer, old: ModelOffer) -> bool:
    """Whether a supplier's offer is in nothing worse than another of its own, and better in something."""
    if (new.supplier, new.access) != (old.supplier, old.access) or new is old:
        return False
    better = new.rung - old.rung, new.plan.vintage - old.plan.vintage
    cheaper = old.usd_per_million_tokens - new.usd_per_million_tokens, old.usd_month - new.usd_month
    return min(*better, *cheaper) >= 0 and max(*better, *cheaper) > 0
