"""Market research, and where a startup sells: what it learns, enters and leaves; nothing of it where nobody pays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from agents.startup.positioning import Finding, research_error
from scenarios.build import build_world
from simulation.market import Market
from simulation.prospects import Pitch, new_customers_month, prospect_usd_month
from simulation.revenue import BY_NAME
from simulation.settings import BrandSettings, PositioningSettings, RevenueSettings, SectorSettings, SegmentSettings
from tests.support.conservation import check_closed_books, check_customers, check_firms, check_money
from tests.support.service import FakeService
from tests.support.settings_worlds import MOVING
from tests.support.world_fakes import (
    fields_of,
    found,
    kinds_of_events,
    lone_world,
    play,
    released,
    scenario_of,
    world_of,
)

SMALL = {"customers": 100, "reference_price_usd": 100, "contract_months": 12}
LARGE = {"customers": 500, "reference_price_usd": 2000, "contract_months": 12, "innovation_rate_year": 0.3}
SECTORS = {"vision": {"market_opens": 2016, "segments": {"cameras": SMALL, "photos": SMALL, "halls": LARGE}}}
STUDIES: dict[str, Any] = {"research_usd": 30_000, "research_error": 0.0, "looks_year": 0.0, "interval_months": 3}


def market_of(**segment: Any) -> Market:
    """One segment with two offers that have been sold for a year."""
    sector = SectorSettings(segments={"all": SegmentSettings(**{"customers": 1000, **segment})})
    market = Market({"vision": sector}, RevenueSettings(), BrandSettings())
    for i in range(2):
        slot = market.add_offer(f"firm-{i}", "vision", "all", "subscription")
        market.set_price(slot, 1000.0)
        market.selling[slot] = True
        market["lab"][slot] = market["field"][slot] = 0.4 + 0.2 * i
    for _ in range(12):
        market.clear()
    return market


def test_the_prospect_is_what_the_market_gives_to_an_offer_that_comes() -> None:
    types = {"one": {"price_weight": 2.0}, "two": {"advantage_weight": 1.5, "share": 2}}
    for model in ("subscription", "licence", "freemium", "solution"):
        market = market_of(types=types, tailoring_weight=0.5, closure_rate_year=0)
        pitch = Pitch(lab=0.7, field_accuracy=0.9, brand_usd=5e4, fit=0.3, price_level=0.8)
        expected = new_customers_month(market, ("vision", "all"), model, pitch)
        slot = market.add_offer("new", "vision", "all", model)
        market.set_price(slot, 800.0)
        market.selling[slot] = True
        seen = {"lab": 0.7, "field": 0.7, "brand_usd": 5e4, "fit": 0.3}
        for column, value in seen.items():
            market[column][slot] = value
        market.clear()
        assert market["won"][slot] == pytest.approx(expected, rel=1e-9), model


def test_a_prospect_falls_with_rivals_and_needs_a_model_that_is_good_enough() -> None:
    empty, full = market_of(), market_of()
    empty.selling[:] = False
    pitch = Pitch(lab=0.5, field_accuracy=0.6)
    place = ("vision", "all")
    assert prospect_usd_month(empty, place, "subscription", pitch) > prospect_usd_month(
        full, place, "subscription", pitch
    )
    choosy = market_of(field_threshold=0.7)
    assert prospect_usd_month(choosy, place, "subscription", pitch) == 0


def test_what_is_given_away_brings_what_those_pay_who_convert() -> None:
    market, pitch, place = market_of(), Pitch(lab=0.5, field_accuracy=0.6), ("vision", "all")
    free = prospect_usd_month(market, place, "freemium", pitch)
    assert prospect_usd_month(market, place, "bundle", pitch) == 0 < free
    users = 12 * new_customers_month(market, place, "freemium", pitch)
    month, paying = RevenueSettings().free_conversion_month, 0.0
    paying = sum(users / 12 * (1 - math.exp(-month * (12 - at - 0.5))) for at in range(12))
    assert free == pytest.approx(paying * 1000, rel=0.01)
    dear = Pitch(lab=0.5, field_accuracy=0.6, gpu_usd_hour=1e4)
    assert prospect_usd_month(market, place, "freemium", dear) < 0


def test_capacity_bounds_what_comes() -> None:
    market, place = market_of(), ("vision", "all")
    assert new_customers_month(market, place, "solution", Pitch(0.9, 0.9, capacity=0.5)) == 0.5


def test_the_error_of_a_study_falls_with_what_is_paid() -> None:
    settings = PositioningSettings()
    errors = [research_error(settings, usd) for usd in (0, 1e4, 3e4, 1e6)]
    assert errors[:3] == pytest.approx([1.0, 0.5**0.5, 0.5]) and errors[3] < 0.1


def stuck_world(**positioning: Any) -> Any:
    """A silent incumbent, and a startup that has sold next to nothing for half a year in a tiny segment."""
    model = lone_world(sectors=SECTORS, positioning={**STUDIES, **positioning})
    firm = found(model, pivot_months=1000, capital_usd=3e6)
    released(firm, model, accuracy_lab=0.9, accuracy_field=0.85)
    return play(model, 7), firm


def test_a_stuck_startup_learns_where_more_is_to_be_earned_and_goes_there() -> None:
    model, firm = stuck_world()
    assert set(firm.sales.slots) == {"halls"}
    events = [row for row in model.recorder.rows["events"] if row.firm == "iris"]
    kinds = [row.kind for row in events]
    assert kinds.index("market research") < kinds.index("segment entered") < kinds.index("segment left")
    study = next(row for row in events if row.kind == "market research")
    assert study.other == "halls" and study.amount_usd == pytest.approx(30_000)
    assert fields_of(study)["seen_usd_month"] == fields_of(study)["true_usd_month"] > 0
    play(model, 8)
    assert model.market["customers"][firm.sales.slots["halls"]] > 0 and model.bank.total_cash_usd() == 0


def test_who_left_a_segment_has_no_customers_there() -> None:
    model, firm = stuck_world()
    slots = [i for i, name in enumerate(model.market.firm) if name == "iris"]
    left = [slot for slot in slots if slot not in firm.sales.slots.values()]
    assert left and all(model.market["customers"][slot] == 0 and not model.market.selling[slot] for slot in left)


def test_nobody_studies_where_a_study_costs_nothing_because_there_is_none() -> None:
    model, firm = stuck_world(research_usd=0)
    assert set(firm.sales.slots) == {"cameras"} and "market research" not in kinds_of_events(model, "iris")


def test_a_study_takes_its_time_and_its_money() -> None:
    _, firm = stuck_world(research_months=36)
    assert set(firm.sales.slots) == {"cameras"} and firm.positioning.study.paid_usd == pytest.approx(30_000)
    poor, _ = stuck_world(research_cash_share=0.001)
    costs = [row.amount_usd for row in poor.recorder.rows["events"] if row.kind == "market research"]
    assert costs and max(costs) <= 3_000


def test_entry_that_does_not_pay_for_itself_is_left_alone() -> None:
    model, firm = stuck_world(entry_usd=1e6, payback_months=1)
    assert set(firm.sales.slots) == {"cameras"} and "market research" in kinds_of_events(model, "iris")


@pytest.mark.parametrize(
    ("seen", "upkeep", "cash", "pays"),
    [(3_000, 0, 1e6, True), (2_000, 0, 1e6, False), (3_000, 1_000, 1e6, False), (3_000, 0, 1e5, False)],
)
def test_entry_pays_by_margin_upkeep_time_and_cash(seen: float, upkeep: float, cash: float, pays: bool) -> None:
    model = lone_world(sectors=SECTORS, positioning={**STUDIES, "upkeep_usd_month": upkeep})
    firm = found(model, capital_usd=cash)
    assert firm.positioning.pays(Finding("halls", "licence", seen, seen)) is pays


def test_it_earns_there_as_it_does_elsewhere_or_as_others_do() -> None:
    model = lone_world(sectors=SECTORS, positioning=STUDIES)
    place, rivals = ("vision", "halls"), ("licence", "bundle", "product", "data")
    firm = found(model, offers={"cameras": "freemium"})
    assert firm.positioning.ways_to_earn(place) == {"freemium"}
    for way in rivals:
        rival = found(model, f"rival-{way}", offers={"halls": way})
        model.market.selling[rival.sales.slots["halls"]] = True
    assert firm.positioning.ways_to_earn(place) == {"freemium", "licence"}
    released(firm, model, accuracy_lab=0.9, accuracy_field=0.85)
    model.market["serving_share"][:] = 1.0
    finding = firm.positioning.finding("halls", 1, 0.0)
    assert finding.earns == "licence" and finding.true_usd_month > 0


def test_a_startup_that_earns_looks_elsewhere_at_its_rate_and_keeps_what_it_has() -> None:
    sectors = {"vision": {"market_opens": 2016, "segments": {"cameras": LARGE, "halls": LARGE}}}
    model = lone_world(sectors=sectors, positioning={**STUDIES, "looks_year": 12})
    firm = found(model, capital_usd=3e6, pivot_months=1000)
    released(firm, model, accuracy_lab=0.9, accuracy_field=0.85)
    model.market["customers"][firm.sales.slots["cameras"]] = 500.0
    play(model, 12)
    assert set(firm.sales.slots) == {"cameras", "halls"}


def test_upkeep_is_paid_for_each_segment_beyond_the_first() -> None:
    model = lone_world(positioning={"upkeep_usd_month": 5_000})
    firm = found(model, offers={"cameras": "subscription", "photos": "subscription"})
    assert firm.costs_due()["positioning"] == 5_000
    assert found(model, "other").costs_due()["positioning"] == 0


def test_a_dated_change_of_the_firm_leaves_the_segments_that_it_chose_itself() -> None:
    said = {"at": "2016-12", "says": "x", "set": {"firms.iris.price_level": 1.1}}
    changes = {
        "world": {"sectors": SECTORS, "positioning": {**STUDIES, "research_months": 0}},
        "firms": {"iris": {"capital_usd": 3e6, "pivot_months": 1000}},
        "interventions": [said],
    }
    model = play(world_of(changes), 11)
    before = set(model.firms["iris"].sales.slots)
    assert before != {"cameras"}
    play(model, 1)
    assert set(model.firms["iris"].sales.slots) == before and model.firms["iris"].sales.price_level > 1


# -- entrants ---------------------------------------------------------------------------------------------------------

STREAM = {
    "sector": "vision", "per_year": 0, "at_start": 40,
    "offers": [{"cameras": "subscription"}, {"photos": "subscription"}, {"halls": "subscription"}],
}  # fmt: skip


def first_segments(**entrants: Any) -> dict[str, str]:
    changes = {"world": {"sectors": SECTORS}, "entrants": {"new": {**STREAM, **entrants}}}
    model = world_of(changes)
    return {name: next(iter(firm.sales.slots)) for name, firm in model.firms.items() if name.startswith("new-")}


def test_entrants_who_know_the_market_go_where_it_is_and_others_anywhere() -> None:
    blind, informed = first_segments(), first_segments(research_usd=40_000)
    share = [np.mean([segment == "halls" for segment in found.values()]) for found in (blind, informed)]
    assert share[0] < 0.6 and share[1] > 0.9


def test_knowing_more_moves_those_alone_whose_choice_was_close() -> None:
    little, more = first_segments(research_usd=1.0), first_segments(research_usd=3_000)
    moved = [name for name in little if little[name] != more[name]]
    assert all(more[name] == "halls" for name in moved)


def test_entrants_pay_for_what_they_know() -> None:
    costs = []
    for usd in (0, 7_000):
        stream = {**STREAM, "at_start": 1, "offers": [{"halls": "subscription"}], "research_usd": usd}
        model = play(world_of({"world": {"sectors": SECTORS}, "entrants": {"new": stream}}), 2)
        costs.append(next(firm.costs for name, firm in model.firms.items() if name.startswith("new-")))
    assert costs[1][0] - costs[0][0] == pytest.approx(7_000) and costs[1][1] - costs[0][1] < 1_000


def test_every_way_of_earning_has_a_prospect() -> None:
    market, pitch = market_of(), Pitch(lab=0.5, field_accuracy=0.6)
    assert all(prospect_usd_month(market, ("vision", "all"), model, pitch) >= 0 for model in BY_NAME)


def test_books_and_customers_stay_in_order_in_a_world_where_all_of_it_is_on() -> None:
    model = build_world(scenario_of(base=MOVING), 2, FakeService())
    for _ in range(model.n_months):
        model.step()
        check_money(model)
        check_closed_books(model)
        check_customers(model)
    check_firms(model)
    kinds = {row.kind for row in model.recorder.rows["events"]}
    assert {"market research", "segment entered", "breakthrough taken up"} <= kinds
