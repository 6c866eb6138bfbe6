"""Teams that draw seed and luck from a pool, plans on coarser grids: who shares a network, and who stays the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm.training_plan import coverage_on_grid, recipe_for
from scenarios import ScenarioError
from scenarios.build import build_world
from simulation.compute import proxy_rows
from simulation.model import MarketModel
from simulation.settings import ComputeSettings, TrainingSettings
from simulation.training.pool import member
from tests.support.world_fakes import FakeService, play, scenario_of, world_of

STREAM = {"sector": "vision", "per_year": 6, "at_start": 4, "offers": [{"cameras": "subscription"}]}
COMPUTE = ComputeSettings()


def played(seed: int = 0, service: FakeService | None = None, **training: Any) -> MarketModel:
    """Two years of the small market with a stream of entrants."""
    changes = {"years": 2, "entrants": {"new": STREAM}, "world": {"training": training}}
    return play(world_of(changes, seed, service))


def identities(model: MarketModel) -> dict[str, tuple[int, float]]:
    """Seed and luck of every team that ever lived."""
    return {name: (firm.laboratory.seed, firm.laboratory.luck) for name, firm in model.firms.items()}


def content(model: MarketModel) -> dict[str, str]:
    """All tables as text."""
    return {name: table.to_csv() for name, table in model.tables().items()}


def test_without_a_pool_and_on_the_finest_grid_everything_is_as_if_nothing_was_said() -> None:
    said = TrainingSettings().model_dump()
    assert said == {"pool": None, "rows_step": 0.5, "coverage_step": 0.1, "rate_step": 0.0}
    assert content(played(**said)) == content(played())


def test_without_a_pool_seed_and_luck_are_the_team_s_own() -> None:
    model = played()
    for name, (seed, luck) in identities(model).items():
        assert seed == model.streams.integer("training", name)
        assert luck == model.streams.normal("recipe", name)
    own = model.streams.integer("traditional", "vision")
    assert [one.plan.seed for one in model.ordered.values() if one.plan.kind == "linear"] == [own]


def test_teams_and_the_traditional_method_are_members_of_the_pool_of_their_task() -> None:
    members = {member("security-vision", number) for number in range(4)}
    model = played(pool=4)
    assert set(identities(model).values()) == members  # of more than ten teams each was drawn by some
    assert {one.plan.seed for one in model.ordered.values()} <= {one.seed for one in members}


def test_a_team_is_the_same_member_whoever_else_there_is_and_whatever_it_does() -> None:
    def of(**changes: Any) -> dict[str, tuple[int, float]]:
        data = {"years": 2, "entrants": {"new": STREAM}, "world": {"training": {"pool": 8}}}
        return identities(play(world_of({**data, **changes})))

    base = of()
    more = of(entrants={"new": {**STREAM, "per_year": 12}, "next": STREAM})
    poorer = of(firms={"iris": {"capital_usd": 2e4, "skill": 0.9}})
    for other in (more, poorer):
        shared = base.keys() & other.keys()
        assert len(shared) > 8
        assert {name: base[name] for name in shared} == {name: other[name] for name in shared}


def test_a_pool_moves_no_other_draw() -> None:
    """Who enters with what does not depend on how networks are told apart."""
    free, pooled = (played(pool=pool) for pool in (None, 3))
    shared = free.firms.keys() & pooled.firms.keys()
    assert len(shared) > 8
    assert all(free.firms[name].settings == pooled.firms[name].settings for name in shared)


def test_worlds_of_other_seeds_share_networks_through_a_pool_alone() -> None:
    def shared(**training: Any) -> int:
        orders = [set(played(seed, **training).ordered) for seed in (0, 1)]
        return len(orders[0] & orders[1])

    assert shared() == 0
    assert shared(pool=1, rate_step=1.0) > 0
    assert shared(pool=65_536) == 0


def test_worlds_that_share_a_service_are_as_alone() -> None:
    service = FakeService()
    together = [content(played(seed, service, pool=2)) for seed in (0, 1)]
    assert together == [content(played(seed, pool=2)) for seed in (0, 1)]


def test_a_firm_of_many_sectors_draws_one_number_for_all_its_tasks() -> None:
    shops = {"task": "speech", "market_opens": 2016, "segments": {"chains": {"customers": 500}}}
    general = {"direction": "general", "model_kind": "transformer", "adapts_to": {"shops": {"chains": "licence"}}}
    changes = {"world": {"sectors": {"shops": shops}, "training": {"pool": 16}}, "firms": {"iris": general}}
    firm = world_of(changes).firms["iris"]
    number = firm.model.streams.integer("training", "iris") % 16
    tasks = [laboratory.sector_settings.task for laboratory in firm.laboratories.values()]
    assert tasks == ["security-vision", "speech"]
    found = [(laboratory.seed, laboratory.luck) for laboratory in firm.laboratories.values()]
    assert found == [member(task, number) for task in tasks]


@pytest.mark.parametrize(
    ("settings", "key", "allowed"),
    [
        ({"pool": 0}, "world.training.pool", "between 1 and 65536"),
        ({"pool": -1}, "world.training.pool", "between 1 and 65536"),
        ({"pool": 1e9}, "world.training.pool", "between 1 and 65536"),
        ({"pool": 2.5}, "world.training.pool", "whole number"),
        ({"pool": "many"}, "world.training.pool", "between 1 and 65536"),
        ({"pool": True}, "world.training.pool", "between 1 and 65536"),
        ({"rows_step": 0.25}, "world.training.rows_step", "between 0.5 and 3.5"),
        ({"coverage_step": 0}, "world.training.coverage_step", "between 0.1 and 0.5"),
        ({"rate_step": -1}, "world.training.rate_step", "between 0 and 4"),
        ({"pol": 3}, "world.training", "did you mean 'pool'"),
    ],
)
def test_what_no_pool_or_grid_can_be_is_refused_in_one_line(settings: dict[str, Any], key: str, allowed: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        scenario_of({"world": {"training": settings}})
    line = str(refused.value)
    assert key in line
    assert allowed in line
    assert "\n" not in line


def test_no_dated_change_may_set_it() -> None:
    change = {"at": "2016-06", "says": "x", "set": {"world.training.pool": 4}}
    with pytest.raises(ScenarioError, match=r"world\.training\.pool"):
        scenario_of({"interventions": [change]})


@given(rows=st.floats(1, 1e9), step=st.sampled_from([1.0, 1.5, 2.0, 3.5]))
def test_coarser_rows_stand_on_their_grid_near_the_fine_ones(rows: float, step: float) -> None:
    fine, coarse = proxy_rows(COMPUTE, rows), proxy_rows(COMPUTE, rows, step=step)
    allowed = {min(round(64 * 2 ** (step * number)), 8192) for number in range(8)}
    assert coarse in allowed
    assert fine / 2 ** (step / 2 + 0.26) <= coarse * 1.01
    assert coarse <= fine * 1.01 * 2 ** (step / 2 + 0.26)


def test_coarser_rows_take_no_more_off_on_average() -> None:
    rows = [10 ** (4.6 + 3e-4 * number) for number in range(10_000)]  # proxy rows from 256 to 8,192

    def mean_of(step: float) -> float:
        return sum(proxy_rows(COMPUTE, one, step=step) for one in rows) / len(rows)

    assert mean_of(1.0) == pytest.approx(mean_of(0.5), rel=0.08)


@given(share=st.floats(0, 1))
def test_the_finest_coverage_is_a_tenth_as_python_rounds_it(share: float) -> None:
    assert coverage_on_grid(share, 0.1) == round(share, 1)


@given(share=st.floats(0, 1), step=st.sampled_from([0.2, 0.25, 0.3, 0.5]))
def test_coarser_coverage_is_a_multiple_next_to_the_share(share: float, step: float) -> None:
    found = coverage_on_grid(share, step)
    assert found == 1.0 or found / step == pytest.approx(round(found / step), abs=0.01)
    assert abs(found - share) <= step / 2 + 1e-3


@given(skill=st.floats(0.05, 1), luck=st.floats(-2.5, 2.5))
def test_coarser_rates_are_powers_of_two_of_the_best(skill: float, luck: float) -> None:
    fine, coarse = (recipe_for(skill, luck, "speech", step) for step in (0.0, 1.0))
    best = recipe_for(skill, 0.0, "speech").learning_rate
    assert coarse.learning_rate in {float(f"{best * 2.0**power:.1e}") for power in range(-4, 5)}
    assert 0.66 < coarse.learning_rate / fine.learning_rate < 1.52
    assert coarse.optimizer == fine.optimizer


def test_coarser_plans_coincide_more_often() -> None:
    def distinct(**training: Any) -> float:
        orders = [key for seed in range(4) for key in played(seed, pool=2, **training).ordered]
        return len(set(orders)) / len(orders)

    assert distinct(rows_step=1.0, coverage_step=0.25, rate_step=1.0) < distinct() - 0.1


def test_orders_are_noted_with_the_skill_behind_their_recipes() -> None:
    model = build_world(scenario_of({"world": {"training": {"pool": 4}}}), 0, FakeService())
    play(model, 12)
    numbers = {member("security-vision", number).seed: number for number in range(4)}
    teams = [one for one in model.ordered.values() if one.plan.kind != "linear"]
    assert teams
    for plan, skill in teams:
        luck = member("security-vision", numbers[plan.seed]).luck
        assert plan.recipe == recipe_for(skill, luck, plan.task)
