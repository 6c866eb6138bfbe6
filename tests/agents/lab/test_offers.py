"""Access and prices: who asks what for which model, who answers whom, and what is opened when."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.lab.offers import cheapest_rival, review_offers, wanted_price_usd
from agents.lab.supplier import Released
from simulation.model import MarketModel
from tests.support.lab_worlds import IDLE, give_model, lab_of, lab_world, use
from tests.support.world_fakes import play


def price_of(model: MarketModel, one: Released, supplier: str) -> float:
    offer = model.model_market.offers[one.offer_by(supplier).name]
    return offer.usd_month if one.access == "licence" else offer.usd_per_million_tokens


def two_labs(**settings: Any) -> MarketModel:
    return lab_world({"alpha": {**IDLE, **settings}, "beta": IDLE})


# -- prices -----------------------------------------------------------------------------------------------------------


def test_alone_a_laboratory_asks_its_markup_and_passes_falling_cost_on() -> None:
    model = lab_world({"alpha": {**IDLE, "markup": 1.5}})
    lab = lab_of(model, "alpha")
    one = give_model(lab)
    use(model, "iris", one, "alpha")
    first = price_of(model, one, "alpha")
    assert first == pytest.approx(2.5 * lab.serving_usd(one.rung))
    play(model, 12)
    assert price_of(model, one, "alpha") == pytest.approx(2.5 * lab.serving_usd(one.rung), rel=0.15)
    assert price_of(model, one, "alpha") < 0.5 * first


def test_a_laboratory_undercuts_when_users_leave_and_comes_back_when_they_stay() -> None:
    model = two_labs(markup=4.0, undercut=0.1, price_step=0.5)
    alpha, beta = lab_of(model, "alpha"), lab_of(model, "beta")
    mine, theirs = give_model(alpha), give_model(beta)
    model.model_market.reprice(theirs.offer_by("beta").name, 1.2 * beta.serving_usd(2.0))
    rival_usd, rival = cheapest_rival(alpha, mine)
    assert rival == "beta"
    mine.n_users = 2  # a month ago; now there is one
    use(model, "iris", mine, "alpha")
    review_offers(alpha)
    below = max(0.9 * rival_usd, alpha.serving_usd(2.0))
    assert price_of(model, mine, "alpha") == pytest.approx(max(below, 0.5 * 5 * alpha.serving_usd(2.0)))
    for _ in range(3):
        mine.n_users = 2
        review_offers(alpha)
    assert price_of(model, mine, "alpha") == pytest.approx(below)
    mine.n_users = 1
    review_offers(alpha)
    assert price_of(model, mine, "alpha") == pytest.approx(1.5 * below), "its user stays: it asks for more again"


def test_whose_users_stay_need_not_follow_a_cheaper_rival() -> None:
    model = two_labs(markup=4.0)
    alpha, beta = lab_of(model, "alpha"), lab_of(model, "beta")
    mine, theirs = give_model(alpha), give_model(beta)
    model.model_market.reprice(theirs.offer_by("beta").name, 0.01)
    use(model, "iris", mine, "alpha")
    mine.n_users = 1
    before = price_of(model, mine, "alpha")
    review_offers(alpha)
    assert price_of(model, mine, "alpha") == before


@pytest.mark.parametrize("least", [0.0, -0.5])
def test_no_price_goes_below_the_least_markup(least: float) -> None:
    model = two_labs(least_markup=least, price_step=0.5)
    alpha, beta = lab_of(model, "alpha"), lab_of(model, "beta")
    mine, theirs = give_model(alpha), give_model(beta)
    model.model_market.reprice(theirs.offer_by("beta").name, 1e-6)
    for _ in range(12):
        review_offers(alpha)
    assert price_of(model, mine, "alpha") == pytest.approx((1 + least) * alpha.serving_usd(2.0))


@given(
    price=st.floats(1e-3, 1e3), n_users=st.integers(0, 5), before=st.integers(0, 5),
    rival=st.one_of(st.just(math.inf), st.floats(1e-6, 1e6)),
)  # fmt: skip
def test_prices_stay_positive_and_move_by_no_more_than_a_step(
    price: float, n_users: int, before: int, rival: float
) -> None:
    model = two_labs(price_step=0.2)
    alpha = lab_of(model, "alpha")
    one = give_model(alpha)
    one.price_usd, one.n_users = price, before
    wanted = wanted_price_usd(alpha, one, n_users, rival)
    assert 0 < wanted and 0.8 * price * (1 - 1e-9) <= wanted <= 1.2 * price * (1 + 1e-9)


def test_a_better_model_is_worth_more_by_its_measured_loss() -> None:
    model = two_labs()
    alpha, beta = lab_of(model, "alpha"), lab_of(model, "beta")
    mine, better = give_model(alpha, 2.0), give_model(beta, 2.5)
    asked = model.model_market.offers[better.offer_by("beta").name].usd_per_million_tokens
    scale = model.settings.foundations.loss_price_scale
    equal, _ = cheapest_rival(alpha, mine)
    assert equal == pytest.approx(asked * math.exp((better.loss - mine.loss) / scale)) and equal < asked


def test_open_weights_compete_at_what_running_them_costs() -> None:
    model = two_labs()
    alpha, beta = lab_of(model, "alpha"), lab_of(model, "beta")
    mine = give_model(alpha)
    assert cheapest_rival(alpha, mine) == (math.inf, "")
    give_model(beta)
    with_api, _ = cheapest_rival(alpha, mine)
    model.labs[-1].take(lab_of(model, "beta").models[0])  # type: ignore[attr-defined]
    with_open, who = cheapest_rival(alpha, mine)
    assert who == "community" and with_open == pytest.approx(with_api / 3), "beta asks three times its cost"


def test_a_licence_spreads_what_its_run_would_cost_today() -> None:
    model = two_labs(access="licence", markup=1.0, licensees=10)
    alpha = lab_of(model, "alpha")
    one = give_model(alpha)
    offer = model.model_market.offers[one.offer_by("alpha").name]
    run_usd = alpha.pretraining.cost_usd(2.0)
    assert (offer.usd_month, offer.usd_per_million_tokens) == (pytest.approx(2 * run_usd / 24 / 10), 0.0)
    play(model, 12)
    assert price_of(model, one, "alpha") < 0.5 * offer.usd_month, "training the same costs less by the month"
    give_model(lab_of(model, "beta"))
    assert cheapest_rival(alpha, one) == (math.inf, ""), "answers are no licences"


def test_a_price_is_told_when_it_has_moved_far() -> None:
    model = play(two_labs(), 1)
    one = give_model(lab_of(model, "alpha"))
    asked = [one.price_usd]
    for _ in range(12):
        play(model, 1)
        asked.append(one.price_usd)
    events = model.tables()["events"]
    told = events[events["kind"] == "repriced"]
    assert 2 <= len(told) < 12 and set(told["firm"]) == {"alpha"}
    assert (
        abs(told["amount_usd"] / told["fields"].map(lambda f: float(f.split('"before_usd":')[1].split(",")[0])) - 1)
        >= 0.3
    ).all()
    rows = model.tables()["foundations"]
    assert set(rows["price_usd_million_tokens"]) <= set(asked)


# -- access -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("behind", "opens"), [(None, False), (0.5, True), (1.0, False)])
def test_who_is_behind_opens_by_its_setting(behind: float | None, opens: bool) -> None:
    model = two_labs(opens_behind_rungs=behind)
    mine = give_model(lab_of(model, "alpha"), 2.0)
    play(model, 1)
    assert mine.offer_by("alpha").name in model.model_market.offers
    give_model(lab_of(model, "beta"), 2.5)
    play(model, 1)
    suppliers = {offer.supplier: offer for offer in model.model_market.offers.values() if offer.made_by == "alpha"}
    assert list(suppliers) == (["community"] if opens else ["alpha"])
    assert not opens or (suppliers["community"].access, suppliers["community"].usd_per_million_tokens) == ("open", 0.0)
    events = model.tables()["events"]
    assert (events["kind"] == "opened").sum() == opens


def test_what_comes_out_behind_is_open_at_once() -> None:
    model = two_labs(opens_behind_rungs=0.5)
    give_model(lab_of(model, "beta"), 2.5)
    assert give_model(lab_of(model, "alpha"), 2.0).access == "open"
    assert [offer.supplier for offer in model.model_market.offers.values()] == ["beta", "community"]


def test_an_owner_opens_to_spoil_what_rivals_sell() -> None:
    unit = {**IDLE, "owner": "giant", "commoditise_share": 0.6}
    del unit["investor_belief"]
    model = lab_world({"alpha": unit, "beta": IDLE})
    mine, theirs = give_model(lab_of(model, "alpha")), give_model(lab_of(model, "beta"))
    for tokens, is_open in (((2.0, 2.0), False), ((1.0, 4.0), True)):
        use(model, "giant", mine, "alpha", tokens[0])
        use(model, "giant", theirs, "beta", tokens[1])
        play(model, 2)
        assert (mine.offer_by("alpha").name not in model.model_market.offers) == is_open


def test_open_weights_stay_open_and_with_the_community_when_their_maker_ends() -> None:
    model = lab_world({"alpha": {**IDLE, "opens_behind_rungs": 0.5, "staff": 1000}, "beta": IDLE})
    give_model(lab_of(model, "alpha"), 1.5)
    give_model(lab_of(model, "beta"), 2.0)
    sold = give_model(lab_of(model, "alpha"), 2.0)
    play(model, 3)
    assert not lab_of(model, "alpha").alive
    left = {(offer.supplier, offer.made_by, offer.rung) for offer in model.model_market.offers.values()}
    assert left == {("community", "alpha", 1.5), ("beta", "beta", 2.0)} and sold.access == "api"


def test_only_the_newest_generations_stay_on_offer() -> None:
    model = two_labs(kept=2)
    lab = lab_of(model, "alpha")
    for rung in (0.5, 1.0, 1.5, 2.0):
        give_model(lab, rung)
    assert [offer.rung for offer in model.model_market.offers.values()] == [1.5, 2.0]
