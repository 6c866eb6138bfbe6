"""Worlds that begin in another year: law in force, customers and money of the past, market sizes, climate, the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agents.initial_adoption import InitialAdoption, meets_run
from agents.settings import InvestorSettings
from scenarios import ScenarioError, load, load_whatif
from scenarios.build import build_world
from scenarios.history import YEARS, history_page, year_row
from simulation.history import adopted_share, bass_share, fees_left, money_left
from simulation.model import MarketModel
from simulation.settings import SegmentSettings
from simulation.training.ladder import RUNGS
from tests.support.paths import ROOT
from tests.support.scenario_files import VALID, write
from tests.support.service import FakeService
from tests.support.shipped import shipped
from tests.support.world_fakes import play, scenario_of, world_of

STARTS = [("2012-01", 3), ("2017-06", 3), ("2020-01", 2), ("2023-01", 2), ("2026-01", 2), ("2029-01", 2)]


def base_world(start: str, years: int, *sectors: str, **overrides: Any) -> MarketModel:
    """Some sectors of the base world from another month on."""
    scenario = load("markets/base", {"start": start, "years": years, "sectors": list(sectors), **overrides})
    return build_world(scenario, 1, FakeService())


def served_share(model: MarketModel) -> dict[str, float]:
    """Share of each segment that is served, by its name."""
    shares = model.market.served() / model.market.s["customers"]
    return {name: float(share) for (_, name), share in zip(model.market.segment_names, shares, strict=True)}


# -- any year ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "years"), STARTS)
def test_the_base_world_starts_in_any_year(start: str, years: int) -> None:
    model = play(base_world(start, years, "fraud", "advice"), 12)
    rungs = model.tables()["firms"]["rung"]
    assert model.bank.total_cash_usd() == 0 and rungs.max() >= 0 and rungs.max() <= len(RUNGS) - 1


def test_the_law_of_the_day_is_in_force_at_the_start() -> None:
    before, after = base_world("2017-06", 3, "advice"), base_world("2020-02", 3, "advice")
    assert (before.settings.law.consent_share, after.settings.law.consent_share) == (
        1.0,
        0.66,
    )  # the laws of 2018 and 2020
    assert after.firms["broker"].sales.slots.keys() == {"private-savers", "wealth-managers"}  # type: ignore[attr-defined]
    play(before, 13)
    assert before.settings.law.consent_share == 0.7  # 2018-05 comes in the run
    assert (play(after, 2).tables()["events"]["kind"] != "law").all()


def test_before_its_date_a_change_is_not_in_force() -> None:
    model = base_world("2012-01", 4, "advice")
    assert model.firms["broker"].sales.slots.keys() == {"wealth-managers"}  # type: ignore[attr-defined]
    play(model, 39)
    assert model.firms["broker"].sales.slots.keys() == {"private-savers", "wealth-managers"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("at", ["2013-12", "2022-01"])
def test_a_date_outside_the_run_is_refused_where_it_is_written(tmp_path: Path, at: str) -> None:
    write(tmp_path, VALID.replace("at: 2018-05", f"at: {at}"))
    with pytest.raises(ScenarioError, match=rf"'{at}': must be inside the run, 2014-01 to 2021-12"):
        load(tmp_path / "my.yaml")


def test_a_whatif_may_be_older_than_the_run_but_not_younger() -> None:
    base = load("markets/large-models-2022", {"sectors": ["fraud"]})
    arm = build_world(load_whatif("policies/startup-grants", base), 0, FakeService())
    assert arm.settings.law.support.grant_usd > 0
    with pytest.raises(ScenarioError, match="inside the run"):
        load_whatif("policies/strict-data-protection", load("markets/base", {"years": 2, "sectors": ["fraud"]}))


# -- customers of the past ---------------------------------------------------------------------------------------------


def test_adoption_follows_bass_and_begins_at_zero() -> None:
    p, q, t = 0.03, 0.38, 6.0
    decay = np.exp(-(p + q) * t)
    assert bass_share(p, q, 0.0, 72) == pytest.approx((1 - decay) / (1 + q / p * decay), abs=0.01)
    assert bass_share(p, q, 0.2, 72) < bass_share(p, q, 0.0, 72)
    segment = SegmentSettings()
    shares = [adopted_share(segment, 2014, year) for year in (2012.0, 2014.0, 2014.5, 2020.0, 2030.0)]
    assert shares[:2] == [0, 0] and shares == sorted(shares) and shares[-1] < 1
    assert adopted_share(SegmentSettings(adopted_share=0.1), 2014, 2020.0) == 0.1


def test_incumbents_hold_what_adopted_before_and_go_on_selling() -> None:
    model = play(base_world("2020-01", 3, "fraud", "health"), 1)
    shares = served_share(model)
    assert shares["banks"] == pytest.approx(bass_share(0.03, 0.38, 0.05, 73), abs=0.03)
    assert shares["drug-trials"] == 0 and shares["screening-programmes"] == 0  # nobody sells there yet
    owners = {model.market.firm[slot] for slot in np.flatnonzero(model.market["customers"])}
    assert owners <= {"score-keeper", "card-network", "scanner-maker"}
    play(model, 11)
    assert served_share(model)["banks"] > 0.9 * shares["banks"]


def test_a_segment_can_say_what_is_served() -> None:
    path = "world.sectors.fraud.segments.banks.adopted_share"
    assert served_share(play(base_world("2020-01", 2, "fraud", **{path: 0.0}), 1))["banks"] < 0.02
    assert served_share(play(base_world("2020-01", 2, "fraud", **{path: 0.8}), 1))["banks"] > 0.75


def test_who_fails_the_threshold_has_won_nobody() -> None:
    vision = {"market_opens": 2014, "segments": {"cameras": {"field_threshold": 0.999}}}
    shares = served_share(play(world_of({"world": {"sectors": {"vision": vision}}}), 1))
    assert shares["cameras"] == 0 and shares["photos"] > 0


def test_a_market_that_opens_with_the_run_is_virgin() -> None:
    virgin = world_of({"world": {"sectors": {"vision": {"market_opens": 2016}}}})
    assert not any(isinstance(agent, InitialAdoption) for agent in virgin.agents)
    assert served_share(play(virgin, 1)) == {"cameras": 0.0, "photos": 0.0}
    for start in ("2012-01", "2014-01"):
        assert not any(isinstance(agent, InitialAdoption) for agent in base_world(start, 1, "fraud").agents)


def test_the_past_is_the_same_for_the_same_seed() -> None:
    first, second = (play(base_world("2023-01", 2, "fraud"), 18).tables() for _ in range(2))
    for name in first:
        pd.testing.assert_frame_equal(first[name], second[name])


# -- sizes -------------------------------------------------------------------------------------------------------------


def test_segments_grow_from_their_anchor_year() -> None:
    segment = {"customers_growth_year": 0.1, "customers_year": 2015}
    model = world_of({"world": {"sectors": {"vision": {"segments": {"cameras": segment}}}}})
    index = model.market.segment_index["vision", "cameras"]
    assert model.market.s["customers"][index] == pytest.approx(2200)
    play(model, 24)
    assert model.market.s["customers"][index] == pytest.approx(2000 * 1.1**3, rel=0.001)
    assert model.market.s["customers"][1 - index] == 1e6


def test_a_shrinking_segment_serves_no_more_than_it_has() -> None:
    segment = {"customers_growth_year": -0.4, "customers_year": 2016, "adopted_share": 1.0}
    vision = {"market_opens": 2014, "segments": {"cameras": segment}}
    model = world_of({"world": {"sectors": {"vision": vision}}})
    for _ in range(24):
        play(model, 1)
        assert (model.market.served() <= model.market.s["customers"] * (1 + 1e-9)).all()
        assert model.bank.total_cash_usd() == 0


# -- money -------------------------------------------------------------------------------------------------------------


def test_a_fund_of_an_earlier_vintage_has_spent_a_part() -> None:
    model = base_world("2020-01", 3, "fraud")
    funds = {fund.name: fund for fund in model.funds}
    assert "early-2013" in funds and "venture-2024" not in funds  # its life runs to 2023; the run ends in 2023
    size = funds["venture-2017"].settings.size_usd
    assert funds["venture-2017"].uncalled_usd == pytest.approx(0.4 * size)
    assert funds["venture-2020"].uncalled_usd == funds["venture-2020"].settings.size_usd
    assert funds["early-2013"].uncalled_usd == 0
    assert [money_left(age, 10) for age in (-1, 2.5, 7)] == [1, 0.5, 0] and fees_left(7, 10) == pytest.approx(0.3)
    whole = base_world("2014-01", 1, "fraud").funds
    assert all(fund.uncalled_usd == fund.settings.size_usd for fund in whole)  # as the base world always had it


def test_a_run_sees_the_funds_whose_life_meets_it() -> None:
    fund = InvestorSettings(vintage=2014, life_years=10, stages=["A"])
    assert [meets_run(fund, first, first + 2) for first in (2011.0, 2012.0, 2013.0, 2023.5, 2024.0)] == [
        False, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("year", YEARS)
def test_in_every_year_somebody_invests(year: int) -> None:
    for name in ("markets/base", "markets/large-models-2022"):
        funds = load(name).investors.values()
        investing = [f for f in funds if f.vintage <= year < f.vintage + f.life_years / 2]
        assert any("A" in fund.stages for fund in investing)
        assert year < 2013 or any("growth" in fund.stages for fund in investing)


def test_entry_and_rounds_follow_the_climate() -> None:
    founded, rounds = {}, {}
    for name in ("funding-winter", "base", "funding-boom"):
        scenario = load(f"markets/{name}", {"years": 6, "sectors": ["fraud", "service", "manufacturing"]})
        tables = play(build_world(scenario, 3, FakeService()), 72).tables()
        founded[name] = (tables["endings"]["kind"] == "startup").sum()
        rounds[name] = tables["rounds"].query("round != 'seed'")["amount_usd"].sum()
    assert founded["funding-winter"] < founded["base"] < founded["funding-boom"]
    assert rounds["funding-winter"] < rounds["base"] < rounds["funding-boom"]


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_of_history_is_up_to_date() -> None:
    there = (ROOT / "docs" / "history.md").read_text(encoding="utf-8")
    assert there == history_page(), "run: python -m scenarios.history > docs/history.md"


def test_models_are_small_in_2012_and_large_in_2022() -> None:
    base = shipped("markets/base")
    rows = {year: year_row(base, year) for year in YEARS}
    assert max(rung for pair in rows[2012].rungs.values() for rung in pair) <= 1
    assert rows[2022].rungs[8][0] >= 4
    for halving in (8, 16):
        seeds = [rows[year].rungs[halving][0] for year in YEARS]
        assert seeds == sorted(seeds)


def test_a_world_of_small_models_trains_lower_rungs_than_one_of_large_models() -> None:
    rungs = {}
    for name in ("small-models-2012", "large-models-2022"):
        scenario = scenario_of(base=load(f"markets/{name}", {"sectors": ["service"]}).to_document().data)
        firms = play(build_world(scenario, 2, FakeService()), 36).tables()["firms"]
        rungs[name] = firms.query("kind == 'startup' and rung >= 0")["rung"]
    assert rungs["small-models-2012"].max() < rungs["large-models-2022"].min()
