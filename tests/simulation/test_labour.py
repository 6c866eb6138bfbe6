"""The talent market: wages follow what all firms together want."""

from __future__ import annotations

import pytest

from simulation.labour import HIGHEST, LOWEST, TalentMarket, wanted_index
from simulation.settings import ROLES, LabourSettings, Role
from tests.support.world_fakes import found, lone_world, play


def staff(research: float) -> dict[Role, float]:
    return {**dict.fromkeys(ROLES, 10.0), "research": research}


def after(months: int, research: float, **labour: float) -> TalentMarket:
    settings = LabourSettings(wage_growth_year=0, talent_growth_year=0, **labour)
    market = TalentMarket(settings, 2017.0)
    market.move(settings, 2017.0, [staff(10)])
    for month in range(months):
        market.move(settings, 2017 + month / 12, [staff(research)])
    return market


def test_a_balanced_market_pays_usual_wages() -> None:
    assert after(60, 10).wages == pytest.approx(LabourSettings().wage_usd_month)


def test_four_times_the_demand_raises_wages_of_that_role_alone_by_the_response() -> None:
    market = after(120, 40, wage_response=0.2)
    assert market.index["research"] == pytest.approx(4**0.2, rel=0.001)
    assert market.index["marketing"] == 1.0
    assert after(3, 40, wage_response=0.2).index["research"] < 1.1  # wages take their time


def test_supply_that_grows_with_demand_leaves_wages_alone() -> None:
    settings = LabourSettings(wage_growth_year=0, talent_growth_year=0.5)
    market = TalentMarket(settings, 2017.0)
    for month in range(36):
        market.move(settings, 2017 + month / 12, [staff(10 * 1.5 ** (month / 12))])
    assert market.index["research"] == pytest.approx(1.0)


def test_the_index_has_bounds_and_needs_no_first_demand() -> None:
    assert wanted_index(1e9, 1.0, 1.0) == HIGHEST
    assert wanted_index(0.0, 1.0, 1.0) == LOWEST
    assert wanted_index(5.0, 0.0, 1.0) == 1.0


def test_a_firm_that_hires_many_makes_people_dearer_for_another() -> None:
    def wage_at_the_end(**settings: object) -> float:
        model = lone_world()
        found(model, "rich", **settings)
        return play(model, 18).talent.wages["research"]

    assert wage_at_the_end(capital_usd=5e7, research_share=0.9) > 1.02 * wage_at_the_end(capital_usd=2e5)
