"""A general firm: one pre-trained model for several sectors, a laboratory for each, means shared between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from agents.firm.laboratory import Job, Laboratory
from agents.firm.sectors_served import pretraining_runs
from agents.incidents import IncidentProcess
from agents.settings import RegulatorSettings
from agents.startup.startup import Startup
from agents.state.regulator import Regulator
from scenarios import ScenarioError
from scenarios.build import build_world
from simulation.model import MarketModel
from simulation.training.plan import TrainingPlan
from tests.support.service import FakeService, result_of
from tests.support.shipped import shipped
from tests.support.world_fakes import fields_of, kinds_of_events, merged, play, scenario_of

SEGMENT = {"customers": 2000, "reference_price_usd": 2000, "contract_months": 12}
MARKET: dict[str, Any] = {
    "title": "two sectors",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {
            "vision": {"task": "security-vision", "segments": {"cameras": SEGMENT}},
            "shops": {"task": "commerce-recommendation", "segments": {"chains": SEGMENT, "cameras": SEGMENT}},
        },
        "risk": {"breach_rate_year": 0, "outage_rate_year": 0},
    },
    "firms": {
        "poly": {
            "sector": "vision", "offers": {"cameras": "subscription"}, "model_kind": "transformer",
            "direction": "general", "adapts_to": {"shops": {"chains": "subscription"}},
            "capital_usd": 1e7, "skill": 0.8,
        },
        "mono": {
            "sector": "vision", "offers": {"cameras": "subscription"}, "model_kind": "transformer",
            "capital_usd": 1e7, "skill": 0.8,
        },
    },
    "investors": {"fund": {"vintage": 2014, "size_usd": 2e8, "stages": ["A", "B", "C", "growth"]}},
}  # fmt: skip
SHOPS = "shops.chains"


def world(changes: Mapping[str, Any] | None = None, months: int = 0, seed: int = 0, **measures: float) -> MarketModel:
    """The two sectors with changes, after some months."""
    service: Any = FakeService(**measures)
    return play(build_world(scenario_of(changes, MARKET), seed, service), months)


def firm_of(model: MarketModel, name: str = "poly") -> Startup:
    firm = model.firms[name]
    assert isinstance(firm, Startup)
    return firm


def put(lab: Laboratory, **measures: float) -> TrainingPlan:
    """Put a measured model into a laboratory's hands."""
    plan = TrainingPlan(lab.sector_settings.task, "cnn", 2, 1024, coverage=0.5, seed=3)
    lab.released, lab.released_plan = result_of(plan, **measures), plan
    return plan


# -- means -------------------------------------------------------------------------------------------------------------


def test_the_sectors_share_what_a_vertical_firm_has_for_one() -> None:
    model = world()
    poly, mono = firm_of(model), firm_of(model, "mono")
    assert list(poly.laboratories) == ["vision", "shops"] and list(mono.laboratories) == ["vision"]
    assert poly.laboratory is poly.laboratories["vision"]
    for lab in poly.laboratories.values():
        assert lab.purse_usd == 0.5 * mono.laboratory.purse_usd > 0
        assert lab.rows_lab == 0.5 * mono.laboratory.rows_lab and lab.rows_field == 0.5 * mono.laboratory.rows_field
    assert poly.sales.slots.keys() == {"cameras", SHOPS}
    offered = [model.market.segment_names[model.market.segment[slot]] for slot in poly.sales.slots.values()]
    assert offered == [("vision", "cameras"), ("shops", "chains")]


def test_the_same_segment_name_in_two_sectors_is_two_offers() -> None:
    poly = firm_of(world({"firms": {"poly": {"adapts_to": {"shops": {"cameras": "licence"}}}}}))
    slots = poly.sales.slots
    assert {"cameras", "shops.cameras"} < slots.keys() and slots["cameras"] != slots["shops.cameras"]
    assert poly.laboratory_for("shops.cameras").sector == "shops" and poly.laboratory_for("cameras").sector == "vision"


def test_breadth_makes_models_rarer_and_data_fewer() -> None:
    model = world(months=30)
    poly, mono = firm_of(model), firm_of(model, "mono")
    assert poly.laboratory.n_jobs < mono.laboratory.n_jobs
    assert poly.laboratory.rows_lab < mono.laboratory.rows_lab
    assert max(lab.n_jobs for lab in poly.laboratories.values()) >= 2


# -- training ----------------------------------------------------------------------------------------------------------


def test_models_for_further_sectors_are_pretrained_and_each_has_its_own_run() -> None:
    model = world(months=8)
    own, shops = firm_of(model).laboratory, firm_of(model).laboratories["shops"]
    home, there = own.released_plan, shops.released_plan
    assert home is not None and there is not None and shops.released is not None and own.released is not None
    assert (home.task, there.task) == ("security-vision", "commerce-recommendation")
    assert home.pretraining_rows == 0 < there.pretraining_rows
    assert shops.released.key == there.key() != own.released.key == home.key()
    releases = [row for row in model.recorder.rows["events"] if row[1:3] == ("release", "poly")]
    assert {(row[3], fields_of(row)["run"]) for row in releases} >= {("", home.key()), ("shops", there.key())}


def test_pretraining_rows_stand_for_the_rows_held_elsewhere() -> None:
    poly = firm_of(world())
    shops = poly.laboratories["shops"]
    few, _ = shops.pretraining()
    poly.laboratory.rows_lab *= 16
    many, _ = shops.pretraining()
    assert many > few and poly.laboratory.pretraining() == (0, 0.0)
    shops.rows_lab *= 16
    assert shops.pretraining()[0] == many


def test_pretraining_is_paid_for_and_shared_by_the_sectors_that_start_from_it() -> None:
    assert pretraining_runs(1) == 2 * pretraining_runs(2) == 10
    poly = firm_of(world())
    shops = poly.laboratories["shops"]
    hours = 2e4
    (home, home_hours), (there, there_hours) = poly.laboratory.draw_plan(hours), shops.draw_plan(hours)
    assert there.rung < home.rung or there_hours > 5 * home_hours


# -- selling -----------------------------------------------------------------------------------------------------------


def test_an_offer_shows_the_model_of_its_sector() -> None:
    model = world(months=1)
    poly, market = firm_of(model), model.market
    put(poly.laboratories["shops"], accuracy_field=0.83)
    poly.laboratory.released = None
    poly.sales.show_offers()
    cameras, chains = poly.sales.slots["cameras"], poly.sales.slots[SHOPS]
    assert market.selling[chains] and not market.selling[cameras]
    assert market["field_accuracy"][chains] == 0.83 and market["field"][cameras] == 0.0


def test_an_advantage_is_taken_over_the_traditional_method_of_its_sector() -> None:
    model = world(months=1)
    shops, old = firm_of(model).laboratories["shops"], model.traditional["shops"]
    put(shops, accuracy_lab=1 - (1 - old.accuracy_lab) / 2, accuracy_field=old.accuracy_field)
    assert shops.advantages() == pytest.approx((0.5, 0.0))


def test_data_from_use_flow_back_to_the_sector_they_come_from() -> None:
    rich = {"usage_rows_month": 1000}
    model = world({"world": {"sectors": {"shops": {"segments": {"chains": rich}}}}})
    poly = firm_of(model)
    model.market["customers"][poly.sales.slots[SHOPS]] = 10
    model.market["customers"][poly.sales.slots["cameras"]] = 10
    assert poly.sales.usage_rows(poly.laboratories["shops"]) == 10_000
    usual = model.settings.sectors["vision"].segments["cameras"].usage_rows_month
    assert poly.sales.usage_rows(poly.laboratory) == 10 * usual


def test_what_it_serves_elsewhere_counts_there() -> None:
    model = world(months=36)
    shares, poly = model.sector_shares(), firm_of(model)
    assert 0 < shares["shops"]["poly"] <= 1 and shares["vision"]["poly"] > 0 and "mono" not in shares["shops"]
    for sector in shares:
        assert sum(shares[sector].values()) == pytest.approx(1)
        assert model.shares_in(sector) == pytest.approx(shares[sector])
    firms, sectors = model.tables()["firms"], model.tables()["sectors"]
    last = firms[firms["firm"] == "poly"].iloc[-1]
    assert last["share"] == pytest.approx(shares["vision"]["poly"]) and last["sector"] == "vision"
    best = sectors[sectors["sector"] == "shops"].iloc[-1]["best_quality_field"]
    assert best == poly.laboratories["shops"].quality_field


# -- law and incidents -------------------------------------------------------------------------------------------------


def test_an_order_binds_the_model_that_failed_and_no_other() -> None:
    law = {"law": {"leakage_limit": 0.9, "fairness_gap_limit": 0.9, "field_accuracy_floor": 0.6}}
    model = world({"world": law, "firms": {"poly": {"capital_usd": 1e8}}}, months=1)
    regulator = Regulator(model, "regulator", RegulatorSettings(audit_months=0.5, fix_months=1))
    poly, shops = firm_of(model), firm_of(model).laboratories["shops"]
    put(poly.laboratory, accuracy_field=0.7)
    put(shops, accuracy_field=0.4)
    for lab in poly.laboratories.values():
        lab.last_order_month = model.month
    model.env.process(regulator.audit(poly))
    model.env.run(until=model.month + 0.9)
    assert kinds_of_events(model, "poly")[-2:] == ["audit passed", "audit failed"]
    assert shops.fix_ordered and not poly.laboratory.fix_ordered and shops.field_remedy.goal == 0.6
    model.env.run(until=model.month + 1.9)
    regulator.check_deadline(poly)
    poly.sales.show_offers()
    selling = {offer: bool(model.market.selling[slot]) for offer, slot in poly.sales.slots.items()}
    assert selling == {"cameras": True, SHOPS: False} and not poly.suspended
    plan = TrainingPlan("commerce-recommendation", "cnn", 2, 1024, seed=9)
    model.service.results[plan.key()] = result_of(plan, accuracy_field=0.7)  # type: ignore[attr-defined]
    shops.minority_share = plan.minority_share
    shops.finished = [Job(plan, plan.key())]
    shops.receive()
    regulator.check_deadline(poly)
    poly.sales.show_offers()
    assert model.market.selling[poly.sales.slots[SHOPS]] and not regulator.deadlines


def test_accidents_are_those_of_the_sector_whose_model_errs() -> None:
    risky = {"accidents_year": 50.0, "accident_usd": 1000.0}
    model = world({"world": {"sectors": {"shops": {"segments": {"chains": risky}}}}}, months=1)
    poly, shops = firm_of(model), firm_of(model).laboratories["shops"]
    put(poly.laboratory, accuracy_field=0.1)
    put(shops, accuracy_field=0.75)
    model.market["customers"][poly.sales.slots[SHOPS]] = 100
    assert poly.sales.accident_hazard(shops) == pytest.approx((100 * 50 * 0.25, 100 * 50 * 0.25 * 1000))
    assert poly.sales.accident_hazard(poly.laboratory) == (0.0, 0.0)
    IncidentProcess(model).acquire()
    assert shops.hurried and not poly.laboratory.hurried and "accident" in kinds_of_events(model, "poly")


def test_a_certificate_is_for_the_model_of_the_sector() -> None:
    rules = {"scope": "all", "mandatory": True, "field_accuracy": 0.6, "exam_months": 1.0, "fee_usd": 1000}
    model = world({"world": {"law": {"certification": rules}}}, months=1)
    poly, shops = firm_of(model), firm_of(model).laboratories["shops"]
    put(poly.laboratory, accuracy_field=0.7)
    put(shops, accuracy_field=0.4)
    poly.certification.apply()
    model.env.run(until=model.month + 1.5)
    assert poly.certification.admits("cameras") and not poly.certification.admits(SHOPS)
    assert shops.field_remedy.goal == 0.6 and poly.laboratory.field_remedy.goal == 0


# -- whole runs --------------------------------------------------------------------------------------------------------


def test_money_is_conserved_and_the_same_seed_takes_the_same_path() -> None:
    first, second, other = world(months=36), world(months=36), world(months=36, seed=1)
    assert first.bank.total_cash_usd() == pytest.approx(0, abs=1e-6)
    assert firm_of(first).books.imbalance_usd() == 0
    assert repr(first.recorder.rows) == repr(second.recorder.rows) != repr(other.recorder.rows)


def test_where_only_its_home_is_played_a_general_firm_is_a_vertical_one() -> None:
    vertical = merged(MARKET, {"sectors": ["vision"]})
    alone = scenario_of(base=vertical)
    del vertical["firms"]["poly"]["direction"], vertical["firms"]["poly"]["adapts_to"]
    assert alone.firms == scenario_of(base=vertical).firms


def test_a_dated_change_leaves_the_offers_elsewhere_as_they_are() -> None:
    poly = firm_of(world())
    before = poly.settings
    after = before.model_copy(update={"offers": {"cameras": "licence"}, "price_level": 2 * before.price_level})
    slots = dict(poly.sales.slots)
    poly.sales.follow(before, after)
    assert poly.sales.slots == slots and poly.sales.price_level == 2 * before.price_level


def test_a_buyer_takes_over_data_by_sector() -> None:
    incumbent = {**MARKET["firms"]["mono"], "kind": "incumbent"}
    model = world({"firms": {"giant": incumbent}})
    giant, poly = model.firms["giant"], firm_of(model)
    before = giant.laboratory.rows_lab  # type: ignore[attr-defined]
    giant.absorb(poly)  # type: ignore[attr-defined]
    assert giant.laboratory.rows_lab == before + poly.laboratory.rows_lab  # type: ignore[attr-defined]


# -- what a scenario may say -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"adapts_to": {"shosp": {"chains": "licence"}}}, ("unknown sector 'shosp'", "did you mean 'shops'")),
        ({"adapts_to": {"shops": {"chain": "licence"}}}, ("unknown segment 'chain'", "did you mean 'chains'")),
        ({"adapts_to": {"shops": {"chains": "license"}}}, ("adapts_to.shops.chains", "licence")),
        ({"adapts_to": {"shops": {}}}, ("adapts_to.shops", "at least one entry")),
        ({"adapts_to": {"vision": {"cameras": "licence"}}}, ("adapts_to.vision", "own sector")),
        ({"direction": "vertical"}, ("adapts_to", "direction general", "vertical")),
        ({"adapts_to": {}}, ("direction = general needs adapts_to",)),
        ({"model_kind": "cnn"}, ("adapts_to", "needs model_kind transformer", "not cnn")),
    ],
)
def test_what_a_general_firm_cannot_do_is_refused(change: dict[str, Any], words: tuple[str, ...]) -> None:
    data = merged(MARKET, {})
    data["firms"]["poly"].update(change)
    with pytest.raises(ScenarioError) as caught:
        scenario_of(base=data)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_task_without_pretraining_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no model can be pretrained for its task, digits"):
        scenario_of({"world": {"sectors": {"shops": {"task": "digits"}}}}, MARKET)


def test_further_sectors_cannot_change_by_date() -> None:
    change = {"at": "2017-01", "says": "More.", "set": {"firms.poly.adapts_to": {"shops": {"cameras": "licence"}}}}
    with pytest.raises(ScenarioError, match=r"'firms\.poly\.adapts_to': it acts at the start only"):
        scenario_of({"interventions": [change]}, MARKET)


def test_sectors_left_out_are_no_longer_adapted_to() -> None:
    assert scenario_of({"sectors": ["vision"]}, MARKET).firms["poly"].adapts_to == {}
    assert scenario_of({"sectors": ["vision", "shops"]}, MARKET).firms["poly"].adapts_to.keys() == {"shops"}


def test_the_shipped_example_compares_like_with_like() -> None:
    firms = shipped("markets/general-or-vertical").firms
    general, vertical = firms["polyglot"], firms["desk-hand"]
    differ = {key for key in type(general).model_fields if getattr(general, key) != getattr(vertical, key)}
    assert differ == {"direction", "adapts_to"} and len(general.adapts_to) == 2
