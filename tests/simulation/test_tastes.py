"""Types of buyers: one type is the plain logit, several let unlike offers live side by side, and nobody gets lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.strict_yaml.errors import ScenarioError
from simulation.market import Market
from simulation.revenue import MODELS
from simulation.settings import BrandSettings, RevenueSettings, SectorSettings, SegmentSettings
from simulation.tastes import composition
from simulation.welfare import measure_society
from tests.support.conservation import check_closed_books, check_customers, check_money
from tests.support.world_fakes import play, scenario_of, world_of

CHEAP, DEAR = 0, 1
STEEP: dict[str, Any] = {
    "customers": 1000.0, "reference_price_usd": 100.0, "closure_rate_year": 0.0, "price_weight": 4.0,
    "advantage_weight": 6.0, "innovation_rate_year": 0.5, "switching_cost": 1.0,
}  # fmt: skip
UNLIKE: dict[str, Any] = {
    "thrifty": {"share": 1, "price_weight": 1.6, "advantage_weight": 0.3},
    "demanding": {"share": 1, "price_weight": 0.4, "advantage_weight": 1.7},
}


def market_of(*models: str, types: Any = None, **segment: Any) -> Market:
    """One segment with an offer of each given model: sold, at the reference price, with half the errors removed."""
    sector = SectorSettings(segments={"all": SegmentSettings(**{**STEEP, **segment}, types=types or {})})
    market = Market({"vision": sector}, RevenueSettings(), BrandSettings())
    for i, model in enumerate(models):
        slot = market.add_offer(f"firm-{i}", "vision", "all", model)  # type: ignore[arg-type]
        market.set_price(slot, 100.0)
        market.selling[slot] = True
        market["lab"][slot] = market["field"][slot] = 0.5
    return market


def cheap_and_dear(types: Any = None, **segment: Any) -> Market:
    """A poor offer at a third of the reference price, and a good one at twice that price."""
    market = market_of("subscription", "subscription", types=types, **segment)
    for slot, price, quality in ((CHEAP, 30.0, 0.15), (DEAR, 170.0, 0.75)):
        market.set_price(slot, price)
        market["lab"][slot] = market["field"][slot] = quality
    return market


def shares(market: Market, months: int = 60) -> np.ndarray:
    for _ in range(months):
        market.clear()
    served = market["customers"] + market["free"]
    return np.asarray(served / served.sum())


def test_unlike_offers_live_side_by_side_where_tastes_differ_and_not_where_they_are_alike() -> None:
    assert shares(cheap_and_dear()).min() < 0.12
    assert shares(cheap_and_dear(UNLIKE)).min() > 0.2
    served = cheap_and_dear(UNLIKE)
    shares(served)
    thrifty, demanding = served.held()[0]
    assert thrifty[CHEAP] > 5 * thrifty[DEAR] and demanding[DEAR] > 5 * demanding[CHEAP]


@pytest.mark.parametrize("types", [{"all": {}}, {"one": {"share": 3}, "two": {"share": 1}}])
def test_types_with_one_taste_are_the_plain_logit(types: Any) -> None:
    plain, typed = market_of(*MODELS), market_of(*MODELS, types=types)
    for market in (plain, typed):
        market["capacity"][MODELS.index("solution")] = 2.0
        market["lab"][1] = 0.8
        shares(market, 30)
    for name in ("customers", "free", "won", "lost", "converted", "renewed", "trust"):
        np.testing.assert_allclose(typed[name], plain[name], rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(typed.surplus_usd, plain.surplus_usd, rtol=1e-12)


def test_one_type_is_the_plain_logit_to_the_last_bit() -> None:
    plain, typed = market_of(*MODELS), market_of(*MODELS, types={"all": {}})
    for market in (plain, typed):
        market["capacity"][MODELS.index("solution")] = 2.0
        shares(market, 30)
    assert all((typed[name] == plain[name]).all() for name in plain.columns)
    assert (typed.surplus_usd == plain.surplus_usd).all() and (typed.mix == 1).all()


def test_the_weights_of_a_type_are_those_of_its_segment_times_its_own() -> None:
    market = market_of("subscription", types=UNLIKE, brand_weight=0.5)
    base = market.utilities()[0][:, 0]
    market["lab"][0] += 0.1
    more = market.utilities()[0][:, 0] - base
    assert more == pytest.approx([0.1 * 6 * 0.3, 0.1 * 6 * 1.7])
    market.set_price(0, 150.0)
    assert market.utilities()[0][:, 0] - base - more == pytest.approx([-0.5 * 4 * 1.6, -0.5 * 4 * 0.4])


def test_each_type_adopts_and_stays_by_its_own_hurdle_and_switching_cost() -> None:
    types = {"slow": {"adoption_hurdle": 3.0}, "quick": {"adoption_hurdle": 0.2, "innovation_rate_year": 2.0}}
    market = market_of("subscription", types=types)
    market.clear()
    slow, quick = market.held()[0][:, 0]
    assert quick > 4 * slow > 0
    loyal = market_of(
        "subscription", "subscription", types={"loyal": {"switching_cost": 4}, "mobile": {"switching_cost": 0.05}}
    )
    loyal["customers"][0], loyal["field"][0] = 1000.0, 0.3
    loyal.clear()
    stays, leaves = loyal.held()[0][:, 0]
    assert stays > 1.03 * leaves


@pytest.mark.parametrize("capacity", [float("inf"), 0.5])
def test_buyers_of_each_type_are_conserved(capacity: float) -> None:
    market = market_of(*MODELS, types=UNLIKE, closure_rate_year=0.3, contract_months=3)
    market["capacity"][MODELS.index("solution")] = capacity
    for month in range(40):
        if month == 20:
            market.move_customers(MODELS.index("subscription"), MODELS.index("freemium"))
        before = market.served()[0]
        market.clear()
        flow = market["won"].sum() - market["lost"].sum()
        assert market.served()[0] == pytest.approx(before * (1 - 0.3 / 12) + flow, rel=1e-12)
        assert market.served_by_type().sum() == pytest.approx(market.served()[0], rel=1e-12)
        assert (market.served_by_type() <= market.tastes.share * 1000 * (1 + 1e-12)).all()
        assert (market.held() >= 0).all() and market["won"][MODELS.index("solution")] <= capacity


def test_bought_customers_keep_their_tastes() -> None:
    market = cheap_and_dear(UNLIKE)
    shares(market)
    before = market.held()[0]
    market.move_customers(CHEAP, DEAR)
    assert market.held()[0][:, DEAR] == pytest.approx(before.sum(axis=1)) and (market.held()[0][:, CHEAP] == 0).all()


def test_who_minds_the_price_converts_less() -> None:
    market = market_of("freemium", types=UNLIKE)
    market["free"][0], market["field"][0] = 500.0, RevenueSettings().free_usual_lead
    market.clear()
    thrifty, demanding = market.held()[0][:, 0]
    assert demanding > 1.2 * thrifty > 0
    assert market["converted"][0] == pytest.approx(thrifty + demanding)


def test_a_segment_that_shrinks_loses_each_type_to_its_size() -> None:
    market = cheap_and_dear(UNLIKE)
    shares(market)
    sector = SectorSettings(segments={"all": SegmentSettings(**{**STEEP, "customers": 200.0}, types=UNLIKE)})
    market.configure({"vision": sector}, market.revenue, market.brand)
    assert market.served_by_type()[:, 0] == pytest.approx([100, 100])


def test_surplus_and_productivity_add_up_over_the_types() -> None:
    market = cheap_and_dear(UNLIKE)
    shares(market)
    own, held = market.utilities()[1], market.held()[0]
    expected = sum(
        held[i].sum() * np.log1p(np.exp(own[i]).sum()) * 100 / (4 * times) for i, times in enumerate((1.6, 0.4))
    )
    market.clear()
    assert market.surplus_usd[0] == pytest.approx(expected, rel=0.02)
    worth = [6 * 0.3 / (4 * 1.6) * 100, 6 * 1.7 / (4 * 0.4) * 100]
    value = sum(market.held()[0][i] @ market["field"] * worth[i] for i in (0, 1))
    society = scenario_of().world.society
    assert measure_society(market, society).productivity_usd[0] == pytest.approx(value)


def test_segments_may_have_different_numbers_of_types() -> None:
    plain = {"plain": SegmentSettings(**STEEP), "typed": SegmentSettings(**STEEP, types=UNLIKE)}
    markets = [Market({"vision": SectorSettings(segments=s)}, RevenueSettings(), BrandSettings()) for s in
               ({"plain": plain["plain"]}, plain)]  # fmt: skip
    for market in markets:
        for name in (key for _, key in market.segment_names):
            slot = market.add_offer(f"firm-{name}", "vision", name, "subscription")
            market.set_price(slot, 100.0)
            market.selling[slot] = True
            market["lab"][slot] = market["field"][slot] = 0.5
        shares(market, 20)
    alone, beside = markets
    assert beside["customers"][0] == alone["customers"][0] and beside.mix[0, :, 0] == pytest.approx([1, 0])


def test_composition_of_nothing_is_what_it_is_told() -> None:
    held = np.array([[[3.0, 0.0], [1.0, 0.0]]])
    parts = composition(held, np.array([[0.5, 0.4], [0.5, 0.6]]))
    assert parts[0].tolist() == [[0.75, 0.4], [0.25, 0.6]]


TYPED = {"world": {"sectors": {"vision": {"segments": {"cameras": {"types": UNLIKE}, "photos": {"types": UNLIKE}}}}}}


def test_a_world_with_types_keeps_its_books_and_its_customers() -> None:
    model = world_of(TYPED)
    for _ in range(24):
        model.step()
        check_money(model)
        check_closed_books(model)
        check_customers(model)
    assert model.market.served().sum() > 0


def test_who_adopted_before_the_run_is_spread_over_types_by_their_tastes() -> None:
    opened = {"world": {"sectors": {"vision": {"market_opens": 2012, "segments": {"cameras": {"types": UNLIKE}}}}}}
    model = play(world_of(opened), 1)
    index = model.market.segment_index["vision", "cameras"]
    thrifty, demanding = model.market.served_by_type()[:, index]
    assert thrifty > 0 and demanding > 0
    plain = play(world_of({"world": {"sectors": {"vision": {"market_opens": 2012}}}}), 1)
    assert thrifty + demanding == pytest.approx(plain.market.served()[index], rel=0.02)


def test_a_dated_change_cannot_touch_tastes() -> None:
    said = {"at": "2017-01", "says": "x", "set": {"world.sectors.vision.segments.cameras.types.thrifty.share": 2}}
    with pytest.raises(ScenarioError, match="acts at the start only"):
        scenario_of({**TYPED, "interventions": [said]})
