"""The pool of seeds and lucks: numbered, the same everywhere, and as evenly spread as few numbers can be."""

from __future__ import annotations

import math
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.training.plan import SECTOR_TASKS
from simulation.training.pool import member, radical_inverse


@given(number=st.integers(0, 65_535), task=st.sampled_from(SECTOR_TASKS))
def test_a_member_can_be_trained_and_is_always_the_same(number: int, task: str) -> None:
    one = member(task, number)
    assert one == member.__wrapped__(task, number)
    assert 0 <= one.seed < 2**31
    assert math.isfinite(one.luck)


def test_members_are_those_of_the_first_release() -> None:
    """Another member would be another network: ledgers filled for a pool would be worth nothing."""
    assert [member("speech", number) for number in (0, 1, 31)] == [
        (727_370_791, pytest.approx(-0.43072729929545744)),
        (241_546_933, pytest.approx(0.9674215661017007)),
        (1_662_373_435, pytest.approx(-0.5184179884392535)),
    ]


def test_tasks_and_numbers_have_seeds_of_their_own() -> None:
    seeds = {member(task, number).seed for task in SECTOR_TASKS for number in range(128)}
    assert len(seeds) == len(SECTOR_TASKS) * 128


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_small_pool_has_nearly_the_luck_of_endless_draws(size: int) -> None:
    lucks = [member("speech", number).luck for number in range(size)]
    assert abs(mean(lucks)) < 0.03  # drawn ones would miss 0 by 1 / √size: 0.18, 0.12, 0.09
    assert pstdev(lucks) == pytest.approx(1.0, abs=0.06)


@given(exponent=st.integers(0, 10))
def test_the_first_members_share_out_the_line_evenly(exponent: int) -> None:
    size = 2**exponent
    assert sorted(radical_inverse(number) for number in range(size)) == [cell / size for cell in range(size)]
