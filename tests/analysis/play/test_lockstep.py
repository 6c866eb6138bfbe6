"""Playing in lockstep: one training call a month for all worlds, blocks that keep all jobs busy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.play.lockstep import LARGEST_BLOCK, Arm, Block, play_block, split_into_blocks
from analysis.play.progress import Tally
from analysis.runs.seeds import SeedSet
from tests.support.analysis_fakes import ENGINE, FakeScenario
from tests.support.service import FakeService

BASE = FakeScenario()


def arms(*setups: FakeScenario) -> tuple[Arm, ...]:
    return tuple(Arm("cases/fake", f"arm{i}", setup) for i, setup in enumerate(setups))


def test_all_worlds_of_a_month_share_one_training_call() -> None:
    service = FakeService()
    play_block(Block(0, (0, 1, 2), arms(BASE)), ENGINE, service)
    assert service.batches == [3, 3, 3, 3]  # a plan per world and quarter, four quarters


def test_arms_of_one_seed_share_the_plans_that_are_the_same() -> None:
    service = FakeService()
    played = play_block(Block(0, (0, 1), arms(BASE, BASE.without("team"))), ENGINE, service)
    assert service.batches == [2, 2, 2, 2]
    assert played.tables["training"].num_rows == 8
    assert set(played.tables["firms"]["ledger_key"].to_pylist()) == set(played.tables["training"]["key"].to_pylist())


def test_what_the_ledger_could_not_write_is_tried_again_at_the_end() -> None:
    service = FakeService()
    play_block(Block(0, (0,), arms(BASE)), ENGINE, service)
    assert service.ledger.last_call == "add_many"


def test_worlds_of_different_length_each_end_in_their_own_month(tmp_path) -> None:
    tally = Tally.create(tmp_path / "tally", 1)
    block = Block(0, (3,), arms(BASE, replace(BASE, years=2)))
    firms = play_block(block, ENGINE, FakeService(), tally).tables["firms"].to_pandas()
    assert firms.groupby("arm")["month"].nunique().to_dict() == {"arm0": 12, "arm1": 24}
    assert tally.totals() == (36, 8) and block.n_world_months == 36


@pytest.mark.parametrize(("n_seeds", "jobs"), [(32, 2), (20, 2), (3, 2), (1, 4), (17, 1), (200, 2), (5, 3)])
def test_blocks_hold_every_seed_once_and_keep_jobs_busy(n_seeds: int, jobs: int) -> None:
    seeds = SeedSet.of(range(100, 100 + n_seeds))
    blocks = split_into_blocks(seeds, arms(BASE), jobs)
    assert [seed for block in blocks for seed in block.seeds] == list(seeds)
    sizes = [len(block.seeds) for block in blocks]
    assert max(sizes) <= LARGEST_BLOCK and max(sizes) - min(sizes) <= 1
    assert len(blocks) % jobs == 0 or len(blocks) == n_seeds


def test_many_arms_make_small_blocks_and_no_seeds_make_none() -> None:
    many = split_into_blocks(SeedSet.of(range(16)), arms(*[BASE] * 100), 1)
    assert {len(block.seeds) for block in many} == {2}
    assert list(split_into_blocks(SeedSet(), arms(BASE), 2)) == []
