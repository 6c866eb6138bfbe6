"""Measures of society, by hand."""

from __future__ import annotations

import pytest

from simulation.settings import SocietySettings
from simulation.welfare import measure_society
from tests.support.world_fakes import QUIET, found, lone_world, play, released


def test_measures_by_hand() -> None:
    segment = {"cameras": {"reference_price_usd": 1000, "advantage_weight": 4.0, "price_weight": 2.0}}
    model = lone_world(sectors={"vision": {"segments": segment}}, risk=QUIET)
    firm = found(model)
    released(firm, model, fairness_gap=0.2, leakage=0.3)
    firm.sales.show_offers()
    slot = firm.sales.slots["cameras"]
    market = model.market
    for name in ("customers", "free"):
        market[name][:] = 0.0
    market["customers"][slot], market["free"][slot], market["field"][slot] = 30.0, 10.0, 0.5
    settings = SocietySettings(minority_share=0.1, labour_saving_share=0.5, replaced_wage_usd_month=4000)
    found_now = measure_society(market, settings)
    assert found_now.productivity_usd == pytest.approx([40 * 0.5 * 2000])
    assert found_now.jobs_displaced == pytest.approx([40_000 * 0.5 / 4000])
    assert found_now.minority_burden == pytest.approx([0.1 * 40 * 0.2])
    assert found_now.exposed_users == pytest.approx([40 * 0.3])
    market["fairness_gap"][slot] = -0.2
    market["field"][slot] = -0.5
    worse = measure_society(market, settings)
    assert worse.minority_burden == pytest.approx([0])
    assert worse.productivity_usd[0] < 0  # a model worse than the traditional method costs
    assert worse.jobs_displaced == pytest.approx([0])


def test_the_sectors_table_has_them_every_month() -> None:
    model = lone_world(risk=QUIET)
    found(model)
    sectors = play(model, 12).tables()["sectors"]
    last = sectors.iloc[-1]
    assert last["jobs_created"] == pytest.approx(sum(sum(f.staff.values()) for f in model.firms.values() if f.alive))
    assert last["productivity_usd"] > 0
    assert last["jobs_displaced"] == pytest.approx(last["productivity_usd"] * 0.5 / 4000)
    assert last["exposed_users"] > 0
