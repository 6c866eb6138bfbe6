"""Filling a ledger for worlds that share a pool: what is ranked first, what is trained, what a further world saves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from agents.firm.training_plan import recipe_for
from analysis.cli.main import run_command
from analysis.errors import AnalysisError, TrainingInterrupted
from analysis.play.options import PlayOptions
from analysis.training.pool import fill as filling
from analysis.training.pool.fill import as_document, fill
from analysis.training.pool.orders import Order, orders_of, pooled
from analysis.training.pool.ranking import needs, reach
from scenarios import ScenarioError
from simulation.model import Ordered
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import Recipe, TrainingPlan
from simulation.training.pool import member
from simulation.training.service import TrainingService
from tests.support.service import FakeService
from tests.support.world_fakes import result_of, scenario_of

STREAM = {"sector": "vision", "per_year": 4, "at_start": 3, "offers": [{"cameras": "subscription"}]}
SMALL = """\
title: A small market
start: 2016-01
years: 1
world:
  sectors:
    vision:
      market_opens: 2016
      segments:
        cameras: {customers: 2000, reference_price_usd: 2000, contract_months: 12}
firms:
  iris: {sector: vision, offers: {cameras: subscription}, capital_usd: 3e5, staff: {research: 4, marketing: 2}}
"""


def small(**training: Any) -> Any:
    """A market with entrants, one year."""
    return scenario_of({"years": 1, "entrants": {"new": STREAM}, "world": {"training": training}})


def computing(ledger: Path, device: str, retrain: bool) -> FakeService:
    return FakeService()


class LedgerService(TrainingService):
    """A training service on a real ledger that computes instead of training."""

    def _train_bucket(self, plans: list[TrainingPlan]) -> int:
        results = [result_of(plan) for plan in plans]
        self.ledger.add_many(zip(plans, results, strict=True))
        for result in results:
            self._results[result.key] = result
            del self._pending[result.key]
        self.n_runs += len(plans)
        return len(plans)


def with_ledger(ledger: Path, device: str, retrain: bool) -> LedgerService:
    return LedgerService(Ledger.open(ledger), device, retrain)


@pytest.fixture
def quick_training(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grids are trained by `LedgerService`; returns the sizes of the portions asked for."""
    sizes: list[int] = []
    before = filling.train_plans

    def noted(plans: list[TrainingPlan], settings: PlayOptions) -> Any:
        sizes.append(len(plans))
        return before(plans, settings)

    monkeypatch.setattr("analysis.training.grids.TrainingService", LedgerService)
    monkeypatch.setattr(filling, "train_plans", noted)
    return sizes


def options(ledger: Path, seeds: int = 4, seed: int = 0, jobs: int = 1) -> PlayOptions:
    return PlayOptions(replications=seeds, seed=seed, jobs=jobs, device="cpu", ledger=ledger)


def order(number: int, flops: float, skill: float = 0.6, rung: int = 1, pool_step: float = 0.0) -> Order:
    """An order of a team that is that member of a pool."""
    one = member("speech", number)
    plan = TrainingPlan(
        "speech", "cnn", rung, 256, recipe=recipe_for(skill, one.luck, "speech", pool_step), seed=one.seed
    )
    return Order(Ordered(plan, skill), flops)


def test_an_order_stands_for_one_with_every_member() -> None:
    found = needs([[order(2, 10.0)]], 4, 0.0)
    whole = {need.combination.whole() for need in found}
    assert whole == {order(number, 0.0).ordered.plan for number in range(4)}
    assert [need.frequency for need in found] == [0.25] * 4
    assert sum(need.saving for need in found) == pytest.approx(10.0)


def test_what_saves_most_comes_first_and_frequency_counts_like_cost() -> None:
    worlds = [[order(0, 1.0), order(0, 5.0, rung=3)], [order(1, 1.0), order(3, 1.0, rung=2)]]
    found = needs(worlds, 4, 0.0)
    assert [need.combination.plan.rung for need in found] == [3] * 4 + [1] * 4 + [2] * 4
    assert [need.saving for need in found[::4]] == [5 / 8, 2 / 8, 1 / 8]


def test_what_no_skill_chose_keeps_its_recipe() -> None:
    plan = TrainingPlan("speech", "linear", 0, 256, recipe=Recipe(learning_rate=0.03), seed=member("speech", 1).seed)
    found = needs([[Order(Ordered(plan, math.nan), 1.0)]], 3, 0.0)
    assert {need.combination.whole().recipe for need in found} == {plan.recipe}
    assert len({need.combination.whole().seed for need in found}) == 3


def test_reach_is_told_of_worlds_left_out() -> None:
    seen, new = [order(0, 1.0), order(0, 4.0, rung=2)], [order(3, 4.0, rung=2), order(1, 1.0), order(2, 5.0, rung=4)]
    found = reach([seen, new], 4, 0.0, (4, 8))
    assert [(one.of_networks, one.of_flops) for one in found] == [(1 / 3, 0.4), (2 / 3, 0.5)]
    assert reach([seen], 4, 0.0, (4,)) == []


def ordered(jobs: int, seeds: int, seed: int = 0) -> dict[int, str]:
    """Orders by seed as text, so that skills that are NaN are the same too."""
    how = options(Path(":memory:"), seeds, seed, jobs)
    return {seed: repr(orders) for seed, orders in orders_of(small(pool=1), how, computing).orders.items()}


def test_worlds_order_the_same_in_company_and_alone() -> None:
    together = ordered(1, 3)
    assert list(together) == [0, 1, 2]
    assert together == ordered(1, 1, 0) | ordered(1, 1, 1) | ordered(1, 1, 2)


@pytest.mark.slow
def test_worlds_order_the_same_with_more_jobs() -> None:
    assert ordered(1, 3) == ordered(2, 3)


def test_a_filled_ledger_serves_worlds_that_nobody_has_played(tmp_path: Path, quick_training: list[int]) -> None:
    """Worlds 0 to 3 are played; what a pool of two makes of them serves worlds 4 and 5, which the ledger never saw."""
    scenario, told = small(pool=2, rate_step=1.0, rows_step=2.0), []

    def from_ledger(ledger: Path) -> float:
        service = with_ledger(ledger, "cpu", False)
        orders_of(scenario, options(ledger, seeds=2, seed=4), lambda *_: service)
        return service.n_from_ledger / (service.n_from_ledger + service.n_runs)

    filled = fill(scenario, options(tmp_path / "full.sqlite"), 10_000, told.append, with_ledger)
    assert filled.n_wanted == filled.n_plans == filled.n_trained + filled.n_from_ledger
    assert len(Ledger.open(tmp_path / "full.sqlite")) == filled.n_trained + filled.n_played
    assert filled.saved[-1].of_networks > 0.3
    orders_of(scenario, options(tmp_path / "played.sqlite"), with_ledger)
    assert from_ledger(tmp_path / "full.sqlite") > from_ledger(tmp_path / "played.sqlite") > 0
    assert any("most" in line for line in told)


def test_it_goes_on_where_it_stopped_and_keeps_to_its_limit(
    tmp_path: Path, quick_training: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PORTION", 5)
    how = options(tmp_path / "l.sqlite", seeds=2)
    first = fill(small(pool=8), how, 12, lambda _: None, with_ledger)
    assert quick_training == [5, 5, 2]
    assert (first.n_wanted, first.n_trained + first.n_from_ledger) == (12, 12)
    again = fill(small(pool=8), how, 12, lambda _: None, with_ledger)
    assert (again.n_played, again.n_trained, again.n_from_ledger) == (0, 0, 12)
    further = fill(small(pool=8), how, 20, lambda _: None, with_ledger)
    assert 0 < further.n_trained <= 8


def test_ctrl_c_keeps_the_portions_that_are_done(
    tmp_path: Path, quick_training: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PORTION", 5)
    before, how = filling.train_plans, options(tmp_path / "l.sqlite", seeds=2)

    def interrupted(plans: list[TrainingPlan], settings: PlayOptions) -> Any:
        if len(quick_training) == 2:
            raise TrainingInterrupted(3, len(plans))
        return before(plans, settings)

    monkeypatch.setattr(filling, "train_plans", interrupted)
    with pytest.raises(TrainingInterrupted, match=r"13 of 20 networks .* the same command goes on"):
        fill(small(pool=8), how, 20, lambda _: None, with_ledger)
    monkeypatch.setattr(filling, "train_plans", before)
    assert fill(small(pool=8), how, 20, lambda _: None, with_ledger).n_from_ledger >= 10


def test_a_scenario_without_a_pool_has_no_networks_to_share() -> None:
    with pytest.raises(AnalysisError, match=r"has no pool \(world\.training\.pool is empty\).*--pool"):
        pooled(small(), None)
    assert pooled(small(), 6).world.training.pool == 6
    assert pooled(small(pool=3), None).world.training.pool == 3
    with pytest.raises(ScenarioError, match=r"world\.training\.pool = 0: must be a whole number between 1 and 65536"):
        pooled(small(), 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--pool", "0"], "world.training.pool = 0"),
        (["--pool", "1000000000"], "between 1 and 65536"),
        (["--pool", "many"], "--pool"),
        ([], "has no pool"),
        (["--pool", "4", "--limit", "0"], "--limit must be at least 1"),
        (["--pool", "4", "--seeds", "0"], "at least 1"),
        (["--pool", "4", "--rung", "2"], "--rung does not go with --grid pool"),
        (["--pool", "4", "--task", "speech"], "--task does not go with --grid pool"),
        (["--pool", "4", "--out", "x"], "--out does not go with --grid pool"),
        (["--pool", "4", "--scenario", "markets/bas"], "markets/base"),
    ],
)
def test_wrong_requests_are_told_in_one_line(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    scenario = [] if "--scenario" in arguments else ["--scenario", "small.yaml"]
    code = run_command(["train", "--grid", "pool", "--ledger", "l.sqlite", *scenario, *arguments])
    err = capfd.readouterr().err
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "l.sqlite").exists()


@pytest.mark.parametrize("option", ["--pool", "--limit", "--scenario"])
def test_options_of_the_pool_go_with_its_grid_alone(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["train", "--grid", "scaling", option, "3"]) == 2
    assert f"{option} goes with --grid pool" in capfd.readouterr().err


def test_the_command_trains_really_and_prints_its_document(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    words = ["train", "--grid", "pool", "--scenario", "small.yaml", "--pool", "2", "--seeds", "2", "--limit", "3"]
    assert run_command([*words, "--jobs", "1", "--device", "cpu", "--ledger", "l.sqlite", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["pool"], document["n_worlds"], document["n_wanted"]) == (2, 2, 3)
    assert len(Ledger.open("l.sqlite")) == document["n_played"] + document["n_trained"]


def test_the_document_has_shares_of_what_is_saved(tmp_path: Path, quick_training: list[int]) -> None:
    document = as_document(fill(small(pool=1), options(tmp_path / "l.sqlite", 2), 2, lambda _: None, with_ledger))
    assert [one["plans"] for one in document["saved"]] == sorted({2, document["n_plans"]})
    assert all(0 <= one[name] <= 1 for one in document["saved"] for name in ("networks", "flops"))
