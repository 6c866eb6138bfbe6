"""The market of large models: offers, prices, who uses what, and who is paid."""

from __future__ import annotations

import pytest

from simulation.model_market import ModelMarket, ModelOffer
from tests.support.foundation_fakes import TINY, UNREAD

OFFER = ModelOffer("alpha", TINY, 1.0, "api", usd_per_million_tokens=2.0)


def test_a_price_changes_the_offer_and_not_its_name() -> None:
    market = ModelMarket()
    market.release(OFFER)
    market.reprice(OFFER.name, 1.5)
    assert market.offers[OFFER.name].usd_per_million_tokens == 1.5 and list(market.offers) == [OFFER.name]
    with pytest.raises(KeyError):
        market.reprice("nobody:x:api", 1.0)


def test_names_tell_suppliers_foundations_and_access_apart() -> None:
    others = [
        ModelOffer("beta", TINY, 1.0, "api"), ModelOffer("alpha", UNREAD, 1.0, "api"),
        ModelOffer("alpha", TINY, 1.0, "open"),
    ]  # fmt: skip
    assert len({OFFER.name, *(other.name for other in others)}) == 4


def test_a_supplier_that_ends_is_withdrawn_and_its_customers_pay_others() -> None:
    market = ModelMarket()
    free = ModelOffer("community", TINY, 1.0, "open", maker="alpha")
    other = ModelOffer("beta", TINY, 1.0, "api")
    for offer in (OFFER, free, other):
        market.release(offer)
    market.subscribe("iris", OFFER.name)
    assert market.payee("alpha") == "alpha" and free.made_by == "alpha" and OFFER.made_by == "alpha"
    market.end_supplier("alpha")
    assert market.payee("alpha") == "suppliers" and market.payee("beta") == "beta"
    assert list(market.offers) == [free.name, other.name] and "iris" in market.users[OFFER.name]


def test_use_is_metered_by_month_and_supplier() -> None:
    market = ModelMarket()
    market.meter(OFFER.name, 3.0, 6.0)
    market.meter(OFFER.name, 1.0, 1.5)
    market.meter("alphabet:key:api", 9.0, 9.0)
    assert [(name, use.million_tokens, use.usd) for name, use in market.uses_of("alpha")] == [(OFFER.name, 4.0, 7.5)]
    market.close_month()
    assert list(market.uses_of("alpha")) == []


def test_users_come_and_leave() -> None:
    market = ModelMarket()
    market.subscribe("iris", OFFER.name)
    market.subscribe("iris", OFFER.name)
    market.leave("iris", OFFER.name)
    market.leave("iris", "never:heard:of")
    assert not market.users[OFFER.name]
