"""Causes of an ending: what set a firm apart from its peers, and what undoing it would have bought."""

from __future__ import annotations

import math
from dataclasses import replace
from math import exp
from typing import Any

import numpy as np
import pytest
from scipy.stats import theilslopes

from agents.diagnosis.account import UNDO
from agents.diagnosis.causes import causes_of
from agents.diagnosis.peers import compare, theil_sen
from agents.firm.history import Funding
from agents.startup.diagnosis import out_of_cash, reasons_of
from simulation.market import Market
from simulation.market_log import QUANTITIES, MarketLog
from simulation.records.reasons import CATEGORIES, LEAST_MONTHS_BOUGHT, MEASURES, PHRASES, Reason, told
from tests.support.decline import MONTH, MONTHS, REFUSAL, declining
from tests.support.startups import quiet_world
from tests.support.world_fakes import found, incumbent, play, released, world_of

WORSE = exp(MONTH["advantage_weight"] * (0.02 - MONTH["lab"]))
"""What a lab advantage of 0.02 leaves of the odds of being chosen."""


def causes(**said: Any) -> dict[str, dict[str, Any]]:
    return {one.kind: one.figures for one in causes_of(declining(**said))}


def test_a_firm_like_its_peers_has_no_cause_of_its_own() -> None:
    assert causes() == {"none apart": {"n_peers": 7}}
    assert told({"kind": "none apart", "n_peers": 7}) == "nothing set it apart from its 7 peers"


ONE_FAULT: list[tuple[str, str, dict[str, Any]]] = [
    ("product", "lab advantage", {"own": {"lab": 0.02, "new_usd": 8e3 * WORSE}}),
    ("product", "field advantage", {"own": {"field": -0.3, "lost": 5.0}}),
    ("product", "no model", {"own": {"with_model": 0, "lab": 0.3, "new_usd": 0, "sales": 0, "revenue": 0}}),
    ("outcompeted", "customers lost", {"own": {"lost": 5.0}}),
    ("outcompeted", "customers won", {"own": {"new_usd": 100.0}}),
    ("no need", "adopting", {"own": {"adopting": 0.01, "new_usd": 8e3 / 30}}),
    ("timing", "looking", {"own": {"looking": 0.01 / 30, "new_usd": 8e3 / 30}}),
    ("price or cost", "gross margin", {"own": {"cost_of_sales": 58e3}}),
    ("regulation", "regulation cost", {"own": {"regulation": 40e3}}),
    ("regulation", "barred", {"own": {"barred": 1, "sales": 0, "revenue": 0}}),
    ("capital", "raised", {"raised": 0.5e6}),
    ("capital", "refused", {"funding": Funding(None, REFUSAL)}),
]


@pytest.mark.parametrize(("kind", "measure", "said"), ONE_FAULT)
def test_a_firm_with_one_fault_is_told_of_that_fault_alone(kind: str, measure: str, said: dict[str, Any]) -> None:
    found = causes(**said)
    assert set(found) == {kind} and found[kind]["measure"] == measure
    assert LEAST_MONTHS_BOUGHT <= found[kind]["months_bought"] and found[kind]["n_peers"] == 7
    assert found[kind]["sector"] == "vision"


def test_the_figures_of_a_cause_by_hand() -> None:
    """16,000 USD more margin a month for twelve months is 192,000; then the firm burns 24,000 USD a month."""
    found = causes(own={"cost_of_sales": 40e3})["price or cost"]
    assert found["own"] == pytest.approx(1 / 3) and found["peers"] == pytest.approx(0.6)
    assert found["months_bought"] == pytest.approx(8)
    lump = causes(raised=0.5e6)["capital"]
    assert (lump["own"], lump["peers"]) == (0.5e6, 1.5e6) and lump["months_bought"] == pytest.approx(1e6 / 40e3)
    assert (
        told({"kind": "capital", **lump}) == "capital: raised 500,000, 1,500,000 of its peers; undone, 25 months more"
    )


def test_what_sets_a_firm_apart_but_costs_it_little_is_no_cause() -> None:
    """Three weeks of burn; trust that nobody asks for; a lost run that cost next to nothing."""
    assert causes(raised=1.47e6) == causes(own={"trust": 0.1, "trust_weight": 0}) == {"none apart": {"n_peers": 7}}
    assert causes(own={"lost_runs": 0.5, "compute": 100}) == {"none apart": {"n_peers": 7}}


def test_what_all_peers_share_is_no_cause() -> None:
    """Nobody has a model that holds in the field, all were fined: that tells no firm from another."""
    poor = {"field": 0.0, "regulation": 40e3, "new_usd": 300.0}
    assert set(causes(own=poor, peers=poor)) == {"none apart"}


def test_several_causes_may_hold_the_costliest_first() -> None:
    found = causes_of(declining({"cost_of_sales": 40e3, "regulation": 30e3}, raised=0.4e6))
    assert {one.kind for one in found} == {"price or cost", "regulation", "capital"}
    bought = [one.figures["months_bought"] for one in found]
    assert bought == sorted(bought, reverse=True)


def test_a_refusal_is_a_cause_only_of_firms_that_grew_like_their_peers() -> None:
    assert "capital" in causes(funding=Funding(None, REFUSAL))
    shrinking = REFUSAL._replace(growth_year=-0.5)
    assert "capital" not in causes(funding=Funding(None, shrinking))


def test_a_refusal_that_peers_share_sets_nobody_apart() -> None:
    firm = declining(funding=Funding(None, REFUSAL))
    for name, one in firm.model.firms.items():
        if name.startswith("peer"):
            one.finance.refusal = REFUSAL
    assert [one.kind for one in causes_of(firm)] == ["none apart"]


def test_timing_is_a_climate_that_fell_and_would_have_paid_the_round() -> None:
    """Investors saw 8 M$ and asked for 9: in the climate of the last round, twice as warm, they had seen 16."""
    heat = quiet_world().heat
    cold = Funding(2 * heat, REFUSAL._replace(growth_year=-0.5, climate=heat))
    found = causes(funding=cold)["timing"]
    assert found["measure"] == "climate" and found["own"] == pytest.approx(0.5) and found["stage"] == "A"
    dearer = cold._replace(refusal=REFUSAL._replace(growth_year=-0.5, climate=heat, asked_usd=17e6))
    never = cold._replace(refusal=REFUSAL._replace(growth_year=-0.5, climate=heat, asked_usd=None))
    assert "timing" not in causes(funding=dearer) and "timing" not in causes(funding=never)


def test_a_weak_team_is_a_cause_as_far_as_skill_makes_products_among_the_firms_compared() -> None:
    """Peers' advantages go with their skill, so the firm's own gap is its team's; else nothing is said."""
    weak = {"skill": 0.1, "lab": 0.02, "new_usd": 8e3 * WORSE}
    found = causes(own=weak)
    assert found["team"]["measure"] == "skill" and found["team"]["own"] == pytest.approx(0.1)
    firm = declining(weak)
    for i, sums in enumerate(firm.model.market_log.sums):
        sums[8:10, :] = i * np.array([[MONTH["lab"]], [MONTH["field"]]])
    assert "team" not in {one.kind for one in causes_of(firm)}


def test_lost_runs_cost_the_compute_that_went_into_them() -> None:
    found = causes(own={"lost_runs": 2.0, "compute": 50e3})
    assert found["team"]["measure"] == "lost runs"


def test_users_who_do_not_pay_are_compared_with_those_of_other_free_products() -> None:
    free = {"full_usd": 200e3, "paying_usd": 40e3}
    stingy = causes(own={**free, "paying_usd": 2e3}, peers=free)
    assert stingy["price or cost"]["measure"] == "paying share" and stingy["price or cost"]["own"] == 0.01
    assert "price or cost" not in causes(own={**free, "paying_usd": 2e3}), "its peers give nothing away"


# -- peers ------------------------------------------------------------------------------------------------------------


def test_peers_are_of_the_sector_where_there_are_enough_else_of_all() -> None:
    poor = {"cost_of_sales": 58e3}
    assert causes(own=poor, n_peers=7, elsewhere=3)["price or cost"]["sector"] == "vision"
    found = causes(own=poor, n_peers=7, elsewhere=4)["price or cost"]
    assert (found["sector"], found["n_peers"]) == ("", 7)


def test_without_four_peers_nothing_is_said_of_causes() -> None:
    assert causes(own={"cost_of_sales": 58e3}, n_peers=3) == {"no peers": {}}
    firm = found(quiet_world())
    assert reasons_of(firm, out_of_cash(firm)) == [
        Reason("cash", {"cash_usd": firm.books.cash_usd}),
        Reason("no peers"),
    ]


def test_peers_lived_through_the_same_months() -> None:
    firm = declining({"cost_of_sales": 58e3})
    for i in range(4):
        one = firm.model.firms[f"peer-{i}"]
        one.history.totals = one.history.totals[:6]
    assert causes_of(firm) == [Reason("no peers")], "of seven peers four are too young"


def test_quartiles() -> None:
    values = np.array([3.0, 1.0, math.nan, 2.0, 5.0, 4.0])
    compared = compare(0.5, values, "vision")
    assert compared is not None and (compared.lower, compared.median, compared.upper) == (2.0, 3.0, 4.0)
    assert compared.is_apart(much_is_bad=False) and not compared.is_apart(much_is_bad=True)
    assert not replace(compared, own=2.0).is_apart(much_is_bad=False), "a firm on the quartile is inside"
    assert compare(0.5, values[:4], "vision") is None, "four, of which one has no value"
    unknown = compare(math.nan, values, "vision")
    assert unknown is not None and not unknown.is_apart(True) and not unknown.is_apart(False)
    drawn = np.random.default_rng(0).normal(size=10)
    ten = compare(0.0, drawn, "")
    assert ten is not None
    assert (ten.lower, ten.median, ten.upper) == pytest.approx(tuple(np.quantile(drawn, (0.25, 0.5, 0.75))))


def test_slopes_are_those_of_theil_and_sen() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 12))
    assert theil_sen(x, y) == pytest.approx(theilslopes(y, x).slope)
    assert theil_sen(np.array([1.0, math.nan, 2.0]), np.array([3.0, 9.0, 7.0])) == 4.0
    assert theil_sen(np.ones(3), np.arange(3.0)) == 0


def test_every_measure_has_words_and_a_way_to_undo_it() -> None:
    assert set(UNDO) == set(MEASURES)
    assert {one.category for one in MEASURES.values()} == set(CATEGORIES) <= set(PHRASES)


# -- records ----------------------------------------------------------------------------------------------------------


def test_the_log_of_a_month_agrees_with_the_market() -> None:
    model = play(world_of({"firms": {"iris": {"capital_usd": 1e7}}}), 20)
    market, log = model.market, model.market_log
    firm = model.firms["iris"]
    month = dict(zip(QUANTITIES, log.series(market.firm_index["iris"], 3)[:, -1], strict=True))
    slot = firm.sales.slots["cameras"]
    assert month["users"] == pytest.approx(market["customers"][slot]) and month["lost"] == pytest.approx(
        market["lost"][slot]
    )
    assert month["new_usd"] == pytest.approx(market["won"][slot] * market["monthly_usd"][slot]) and month["new_usd"] > 0
    assert month["paying_usd"] == pytest.approx(firm.margin[0]) and month["offers"] == 1 == month["with_model"]
    assert (month["lab"], month["field"]) == pytest.approx(firm.laboratory.advantages()) and month["barred"] == 0
    assert 0 < month["looking"] < 1 and 0 <= month["adopting"] <= 1
    assert log.over(3)[:, market.firm_index["iris"]] == pytest.approx(log.series(market.firm_index["iris"], 3).sum(1))


def test_the_log_of_a_market_without_offers_is_empty() -> None:
    market = quiet_world().market
    empty = Market({}, market.revenue, market.brand)
    empty.register("iris")
    log = MarketLog()
    for _ in range(2):
        log.note(empty, empty.served())
    assert log.over(2).tolist() == [[0.0]] * len(QUANTITIES)


def test_the_log_keeps_two_years() -> None:
    log = MarketLog()
    model = play(world_of(), 30)
    assert len(model.market_log.sums) == 25 and len(log.sums) == 1


def test_a_firms_history_agrees_with_its_books() -> None:
    model = play(world_of({"world": {"law": {"compliance_usd_month": 500}}}), 12)
    firm = model.firms["iris"]
    year = firm.history.over(12)
    assert len(firm.history) == len(firm.revenues) == 12
    assert year.revenue == pytest.approx(sum(firm.revenues)) and year.costs == pytest.approx(sum(firm.costs))
    assert year.regulation == pytest.approx(12 * 500) and year.skill == pytest.approx(12 * firm.settings.skill)
    assert year.compute > 0 and year.raised == firm.raised_usd
    assert firm.history.over(99) == year, "no more than its life"


def test_who_gives_a_better_model_away_is_named_beside_customers_lost() -> None:
    firm = declining({"lost": 5.0})
    model, market = firm.model, firm.model.market
    released(firm, model, accuracy_field=0.3)
    giant = incumbent(model)
    giant.sales.slots["cameras"] = market.add_offer("giant", "vision", "cameras", "bundle")
    released(giant, model, accuracy_field=0.95)
    for one in (firm, giant):
        one.sales.show_offers()
    (lost,) = causes_of(firm)
    assert lost.kind == "outcompeted" and lost.figures["firms"] == ["giant"]


def test_an_incumbent_can_be_asked_too() -> None:
    """The hook for lines that incumbents close: their peers are incumbents."""
    model = play(world_of(), MONTHS)
    assert causes_of(incumbent(model)) == [Reason("no peers")]


def test_causes_happen_in_a_played_world_and_change_nothing_else() -> None:
    offers = [{"cameras": "licence"}, {"photos": "freemium"}]
    said = {"years": 5, "entrants": {"new": {"sector": "vision", "per_year": 8, "at_start": 8, "offers": offers}}}
    model, silent = world_of(said), world_of(said)
    silent.rules["firm.causes"] = lambda firm: []
    tables, without = play(model).tables(), play(silent).tables()
    kinds = {one.kind for firm in model.firms.values() for one in firm.reasons}
    assert kinds & set(CATEGORIES) and (tables["endings"]["ending"] == "bankrupt").sum() > 5
    assert tables["firms"].equals(without["firms"]) and tables["sectors"].equals(without["sectors"])
