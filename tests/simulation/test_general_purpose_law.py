"""Law on general-purpose models: a threshold of compute, duties, texts, GPUs; as functions, and on a general firm."""

from __future__ import annotations

import math
from typing import Any

import pytest

from agents.firm.general_purpose import TOKENS_PER_ROW, duties_now_usd, rows_left
from agents.firm.sectors_served import public_share
from simulation.general_purpose_law import (
    duties_usd_month,
    evaluation_months,
    flop_of_hours,
    flop_threshold_binds,
    gpu_price_factor,
    licence_usd,
    most_gpus,
    tokens_left,
)
from simulation.model import MarketModel
from simulation.settings.general_purpose import ComputeLawSettings, GeneralPurposeSettings
from simulation.training.plan import SECTOR_TASKS
from tests.support.world_fakes import found, lone_world, play, world_of

FREE = GeneralPurposeSettings()
BOUND = GeneralPurposeSettings(flop_threshold=1e25, duties_usd_year=1.2e6, evaluation_months=3)


# -- functions ---------------------------------------------------------------------------------------------------------


def test_the_threshold_binds_from_its_own_number_on_and_not_at_all_where_there_is_none() -> None:
    assert not flop_threshold_binds(FREE, 1e30)
    assert [flop_threshold_binds(BOUND, flop) for flop in (9.9e24, 1e25, 1e26)] == [False, True, True]
    assert duties_usd_month(BOUND, 1e25) == 1e5 and duties_usd_month(BOUND, 1e24) == duties_usd_month(FREE, 1e30) == 0
    assert evaluation_months(BOUND, 1e25) == 3 and evaluation_months(BOUND, 1e24) == 0


def test_a_gpu_hour_is_an_hour_of_a_v100_at_its_usual_use() -> None:
    assert flop_of_hours(1) == 3600 * 125e12 * 0.3
    assert 1e25 / flop_of_hours(1) == pytest.approx(7.4e7, rel=0.01)  # hours of a V100 up to the threshold of the EU


def test_texts_can_be_withheld_and_paid_for() -> None:
    law = GeneralPurposeSettings(opt_out_share=0.25, licence_usd_million_tokens=2.0)
    assert tokens_left(law, 4e9) == 3e9 and licence_usd(law, 3e9) == 6000
    assert tokens_left(FREE, 4e9) == 4e9 and licence_usd(FREE, 4e9) == 0


def test_what_a_jurisdiction_gets_of_the_cloud() -> None:
    assert (gpu_price_factor(ComputeLawSettings()), most_gpus(ComputeLawSettings())) == (1.0, math.inf)
    controlled = ComputeLawSettings(price_factor=1.5, gpus_most=64)
    assert (gpu_price_factor(controlled), most_gpus(controlled)) == (1.5, 64)


# -- a general firm, until there are labs ------------------------------------------------------------------------------

POLY: dict[str, Any] = {
    "sector": "vision", "direction": "general", "model_kind": "transformer", "capital_usd": 1e8, "release_months": 6,
    "offers": {"cameras": "subscription"}, "adapts_to": {"shops": {"chains": "subscription"}},
}  # fmt: skip
SHOPS = {"task": "commerce-recommendation", "market_opens": 2016, "segments": {"chains": {"customers": 1000}}}


def general_world(law: dict[str, Any]) -> MarketModel:
    world = {"sectors": {"shops": SHOPS}, "law": {"general_purpose": law}}
    return world_of({"world": world, "firms": {"poly": POLY}})


def first_release(model: MarketModel, firm: str) -> Any:
    events = model.tables()["events"]
    return events[(events["firm"] == firm) & (events["kind"] == "release")]["time"].min()


def test_duties_are_for_makers_of_general_models_above_the_threshold_alone() -> None:
    model = play(general_world({"flop_threshold": 1.0, "duties_usd_year": 1.2e6}), 24)
    poly, iris, law = model.firms["poly"], model.firms["iris"], model.settings.law
    assert iris.laboratory.released and duties_now_usd(iris, law) == 0
    assert duties_now_usd(poly, law) == 1e5 and poly.costs_due()["compliance"] == 1e5
    beyond = play(general_world({"flop_threshold": 1e30, "duties_usd_year": 1.2e6}), 24)
    assert duties_now_usd(beyond.firms["poly"], beyond.settings.law) == 0


def test_an_evaluation_delays_the_release() -> None:
    at_once, late = (
        play(general_world({"flop_threshold": 1.0, "duties_usd_year": 0, "evaluation_months": months}), 24)
        for months in (0, 5)
    )
    assert first_release(late, "iris") == first_release(at_once, "iris")
    waited = (first_release(late, "poly") - first_release(at_once, "poly")).days
    assert 120 <= waited <= 155  # five months, to the month


def test_owners_who_withhold_their_texts_leave_smaller_trunks_and_licences_cost_money() -> None:
    free, withheld, licensed = (
        play(general_world(law), 12) for law in ({}, {"opt_out_share": 0.9}, {"licence_usd_million_tokens": 50})
    )
    rows = [model.firms["poly"].laboratories["shops"].last_plan.pretraining_rows for model in (free, withheld)]
    assert rows[1] < rows[0]
    assert public_share(1) == 1 - 1 / (len(SECTOR_TASKS) - 1) and rows_left(free.firms["poly"], 1000.0) == 1000
    costs = [sum(model.firms["poly"].costs) for model in (free, licensed)]
    assert costs[1] > costs[0] + 50 * TOKENS_PER_ROW / 1e6 * 1000  # of at least a thousand public rows


# -- GPUs --------------------------------------------------------------------------------------------------------------


def bill_and_months(**law: float) -> tuple[float, float]:
    """What a run costs a startup, and how long it takes."""
    model = lone_world(law={"compute": law})
    firm = found(model, capital_usd=5e7)
    firm.laboratory.purse_usd, before = 3e6, firm.books.cash_usd
    firm.laboratory.order_training()
    paid = before - firm.books.cash_usd
    play(model, 20)
    return paid, firm.laboratory.run_months


def test_export_control_makes_the_same_run_dearer_and_longer() -> None:
    paid, months = bill_and_months()
    dearer, alike = bill_and_months(price_factor=1.5)
    same, longer = bill_and_months(gpus_most=60)
    assert dearer == pytest.approx(1.5 * paid, rel=1e-6) and alike == months
    assert same == paid and longer > 1.5 * months


def test_serving_costs_more_too() -> None:
    model = play(world_of(), 12)
    giant, law = model.firms["giant"], model.settings.law
    usual = giant.sales.serving_usd()
    dearer = law.model_copy(update={"compute": ComputeLawSettings(price_factor=1.5)})
    model.settings = model.settings.model_copy(update={"law": dearer})
    assert giant.sales.serving_usd() == pytest.approx(1.5 * usual) and usual > 0
