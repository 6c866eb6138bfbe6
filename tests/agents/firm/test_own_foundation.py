"""A foundation of an application firm's own: who can pay for which, what it reads, and that it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.firm.outlook import Outlook
from agents.firm.own_foundation import CASH_SHARE, OwnFoundation, largest_affordable, own_option
from scenarios.strict_yaml.errors import ScenarioError
from simulation.settings import FoundationSettings, SourcingSettings, WorldSettings
from simulation.settings.foundations import pretraining_usd
from simulation.training.foundation.ladder import LADDERS
from tests.support.model_offers import SURE, KindService, documents_world, offer
from tests.support.world_fakes import found, play, scenario_of

YEAR = 2023
TASK = "security-reports"


def world_with(own_rung: float | None = 2.0, foundations: FoundationSettings | None = None) -> WorldSettings:
    sectors = scenario_of().world.sectors
    return WorldSettings(
        sectors=sectors,
        sourcing=SourcingSettings(own_rung=own_rung),
        foundations=foundations or FoundationSettings(),
    )


def test_only_what_can_be_paid_for_is_a_way() -> None:
    world = world_with()
    costs = {rung: pretraining_usd(world, rung, YEAR) for rung in (0.0, 0.5, 1.0, 2.0)}
    for rung, usd in costs.items():
        assert largest_affordable(world, YEAR, usd) == rung
    assert largest_affordable(world, YEAR, costs[0.0] * 0.99) is None
    assert own_option(world, None, TASK, YEAR, 0, costs[1.0]) is not None
    assert own_option(world, None, TASK, YEAR, 0, costs[0.0] * 0.99 / CASH_SHARE) is None


def test_no_money_buys_more_than_the_settings_or_the_frontier_allow() -> None:
    assert largest_affordable(world_with(1.0), YEAR, 1e15) == 1.0
    assert largest_affordable(world_with(6.0), YEAR, 1e15) == LADDERS["laptop"].frontier(YEAR)
    assert largest_affordable(world_with(None), YEAR, 1e15) is None
    assert largest_affordable(world_with().model_copy(update={"foundations": None}), YEAR, 1e15) is None


def test_it_reads_text_of_the_year_and_the_sector() -> None:
    option = own_option(world_with(1.0), None, TASK, YEAR, 5, 1e15)
    assert option is not None and option.own is not None
    plan = option.own
    assert (plan.vintage, plan.sector, plan.sector_share, plan.seed) == (YEAR, TASK, 0.5, 1)
    assert replace(plan, vintage=2020, sector="", sector_share=0.0, seed=0) == LADDERS["laptop"].plan(1.0)
    assert option.pretraining_usd == pretraining_usd(world_with(1.0), 1.0, YEAR)
    assert option.supplier == ""


def test_what_a_firm_has_pretrained_it_keeps_until_it_can_pay_for_a_larger_one() -> None:
    world = world_with(1.0)
    first = own_option(world, None, TASK, YEAR, 0, 1e15)
    assert first is not None and first.own is not None
    held = OwnFoundation(1.0, first.own)
    again = own_option(world, held, TASK, YEAR + 2, 0, 1e15)
    assert again is not None and (again.own, again.pretraining_usd) == (first.own, 0.0)
    poor = own_option(world, held, TASK, YEAR + 2, 0, 0.0)
    assert poor is not None and poor.own == first.own
    larger = own_option(world_with(2.0), held, TASK, YEAR + 2, 0, 1e15)
    assert larger is not None and larger.own_rung == 2.0 and larger.pretraining_usd > 0


def test_a_firm_pays_for_pretraining_once_and_builds_on_it() -> None:
    settings = {"sourcing": {**SURE, "own_rung": 0.5, "prior": {"own": 0.9}, "quality_weight": 100}}
    foundations = {"foundations": {"first_flop": 1e18}}
    service = KindService(cnn=0.5, probe=0.5, finetuned=0.95)
    model = documents_world({**settings, **foundations}, service, offers=(offer(),))
    firm = found(model, capital_usd=1e8, rows=1e5)
    play(model, 14)
    lab = firm.laboratory
    assert lab.released_plan is not None and lab.released_plan.foundation is not None
    assert lab.sourcing.way == "own" and lab.released_plan.foundation.sector == TASK
    assert lab.sourcing.held is not None and lab.sourcing.held.plan == lab.released_plan.foundation
    assert lab.supplier == "" and firm.model_access_usd == 0
    option = own_option(model.settings, lab.sourcing.held, TASK, 2022, lab.seed, firm.books.cash_usd)
    assert option is not None and option.pretraining_usd == 0


def test_pretraining_is_paid_and_counts_in_the_cost_of_the_way() -> None:
    model = documents_world({"sourcing": {"own_rung": 0.5}, "foundations": {}}, offers=(offer(),))
    firm = found(model, capital_usd=1e8)
    firm.books.balance["cash"] = round(1e12)
    lab = firm.laboratory
    option = next(one for one in lab.sourcing.options(firm.settings) if one.way == "own")
    before = firm.books.cash_usd
    lab.sourcing.change_to(option, {"own": Outlook(option, 0.5, 0.1, 0.0, 0.0, False)})
    assert before - firm.books.cash_usd == pytest.approx(option.pretraining_usd, rel=1e-6)
    assert option.pretraining_usd > 0


def test_a_foundation_of_its_own_needs_a_world_that_says_what_one_costs() -> None:
    data: dict[str, Any] = {"world": {"sourcing": {"own_rung": 1.0}}}
    with pytest.raises(ScenarioError, match=r"world\.sourcing\.own_rung = 1: needs world\.foundations"):
        scenario_of(data)
    scenario_of({"world": {**data["world"], "foundations": {}}})
