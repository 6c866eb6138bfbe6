"""Seeds kept as ranges say the same as sets of seeds, however many there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.play.lockstep import Arm, split_into_blocks
from analysis.runs.seeds import LARGEST_SEED, SeedSet

SEEDS = st.sets(st.integers(0, 40))
BILLION = SeedSet.of(range(10**9))


@given(SEEDS, SEEDS)
def test_seed_sets_follow_set_algebra(one: set[int], other: set[int]) -> None:
    a, b = SeedSet.of(one), SeedSet.of(other)
    assert list(a) == sorted(one) and len(a) == len(one)
    assert list(a | b) == sorted(one | other) and list(a - b) == sorted(one - other)
    assert (a <= b) == (one <= other) and (a == b) == (one == other)
    assert [seed in a for seed in range(-1, 42)] == [seed in one for seed in range(-1, 42)]


@given(SEEDS, st.integers(-45, 45), st.integers(-45, 45))
def test_seeds_are_cut_like_lists(seeds: set[int], start: int, stop: int) -> None:
    cut = SeedSet.of(seeds)[start:stop]
    assert list(cut) == sorted(seeds)[start:stop] and cut == SeedSet.of(list(cut))
    if -len(seeds) <= start < len(seeds):
        assert SeedSet.of(seeds)[start] == sorted(seeds)[start]
    else:
        with pytest.raises(IndexError):
            SeedSet.of(seeds)[start]


@given(SEEDS)
def test_the_ends_of_ranges_say_everything(seeds: set[int]) -> None:
    held = SeedSet.of(seeds)
    assert SeedSet.of_pairs(held.pairs) == held
    assert all(later[0] > earlier[1] + 1 for earlier, later in zip(held.pairs, held.pairs[1:], strict=False))


@pytest.mark.parametrize("pairs", [[(3, 2)], [(-1, 2)], [(0, 4), (4, 5)], [(5, 6), (1, 2)], [(0, LARGEST_SEED)]])
def test_ends_that_are_no_ranges_are_refused(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="ascending, disjoint"):
        SeedSet.of_pairs(pairs)


def test_a_billion_seeds_are_one_range_and_lie_in_even_blocks_that_are_made_when_asked_for() -> None:
    assert len(BILLION.ranges) == 1 and str(BILLION) == "0 to 999999999" and 999_999_999 in BILLION
    without = BILLION - SeedSet.of([5, 7])
    assert without.pairs == [(0, 4), (6, 6), (8, 999_999_999)] and len(without) == 10**9 - 2
    blocks = split_into_blocks(without, [Arm("s", "base", None)], jobs=2)
    assert sum(len(blocks[i].seeds) for i in (0, len(blocks) - 1)) in range(8, 17)
    assert list(blocks[0].seeds)[:7] == [0, 1, 2, 3, 4, 6, 8] and blocks[len(blocks) - 1].seeds[-1] == 999_999_999
    with pytest.raises(IndexError):
        blocks[len(blocks)]


@given(st.sets(st.integers(0, 200), min_size=1), st.integers(1, 5))
def test_blocks_hold_every_seed_once(seeds: set[int], jobs: int) -> None:
    blocks = list(split_into_blocks(SeedSet.of(seeds), [Arm("s", "base", None)], jobs))
    assert [seed for block in blocks for seed in block.seeds] == sorted(seeds)
    assert max(len(block.seeds) for block in blocks) - min(len(block.seeds) for block in blocks) <= 1
