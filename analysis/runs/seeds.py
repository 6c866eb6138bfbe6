"""Seeds as ranges: a billion of them take no more room than two."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

LARGEST_SEED = 2**63 - 1  # seeds are a 64-bit column of every table
Pair = tuple[int, int]
"""The first and the last seed of a range, both included."""


@dataclass(frozen=True)
class SeedSet(Sequence[int]):
    """Seeds in ascending order, kept as disjoint ranges that do not touch. Make one with `of` or `of_pairs`."""

    ranges: tuple[range, ...] = ()

    @classmethod
    def of(cls, seeds: Iterable[int]) -> SeedSet:
        """The set of any seeds, in any order."""
        if isinstance(seeds, SeedSet):
            return seeds
        if isinstance(seeds, range) and seeds.step == 1:
            return cls((seeds,) if len(seeds) else ())
        ranges: list[range] = []
        for seed in sorted(set(seeds)):
            if ranges and ranges[-1].stop == seed:
                ranges[-1] = range(ranges[-1].start, seed + 1)
            else:
                ranges.append(range(seed, seed + 1))
        return cls(tuple(ranges))

    @classmethod
    def of_pairs(cls, pairs: Iterable[Pair]) -> SeedSet:
        """The set of ranges given by their ends; raises `ValueError` unless they ascend and are disjoint."""
        ranges: list[range] = []
        for first, last in pairs:
            if not 0 <= first <= last < LARGEST_SEED or (ranges and first < ranges[-1].stop):
                raise ValueError("ranges must be [first, last] with 0 ≤ first ≤ last < 2^63 − 1, ascending, disjoint")
            if ranges and first == ranges[-1].stop:
                ranges[-1] = range(ranges[-1].start, last + 1)
            else:
                ranges.append(range(first, last + 1))
        return cls(tuple(ranges))

    @property
    def pairs(self) -> list[Pair]:
        """The ends of each range."""
        return [(one.start, one.stop - 1) for one in self.ranges]

    def __str__(self) -> str:
        return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in self.pairs) or "none"

    def __len__(self) -> int:
        return sum(len(one) for one in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for one in self.ranges:
            yield from one

    def __contains__(self, seed: object) -> bool:
        if not isinstance(seed, int):
            return False
        place = bisect_right(self.ranges, seed, key=lambda one: one.start) - 1
        return place >= 0 and seed in self.ranges[place]

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> SeedSet: ...
    def __getitem__(self, place: int | slice) -> int | SeedSet:
        if isinstance(place, slice):
            return self._between(*place.indices(len(self)))
        at = place + len(self) if place < 0 else place
        for one in self.ranges:
            if 0 <= at < len(one):
                return one[at]
            at -= len(one)
        raise IndexError(f"no seed number {place} among {len(self)}")

    def _between(self, start: int, stop: int, step: int) -> SeedSet:
        if step != 1:
            raise ValueError("seeds are cut in steps of 1")
        cut, passed = [], 0
        for one in self.ranges:
            cut.append(one[max(start - passed, 0) : max(stop - passed, 0)])
            passed += len(one)
        return SeedSet(tuple(one for one in cut if len(one)))

    def union(self, *others: SeedSet) -> SeedSet:
        """The seeds of all."""
        joined: list[range] = []
        for one in sorted((part for seeds in (self, *others) for part in seeds.ranges), key=lambda r: r.start):
            if joined and one.start <= joined[-1].stop:
                joined[-1] = range(joined[-1].start, max(joined[-1].stop, one.stop))
            else:
                joined.append(one)
        return SeedSet(tuple(joined))

    def __or__(self, other: SeedSet) -> SeedSet:
        return self.union(other)

    def __sub__(self, other: SeedSet) -> SeedSet:
        left: list[range] = []
        gone, place = other.ranges, 0
        for one in self.ranges:
            start = one.start
            while place < len(gone) and gone[place].start < one.stop:
                left.append(range(start, gone[place].start))
                start = max(start, gone[place].stop)
                if gone[place].stop > one.stop:
                    break  # it reaches into the next range
                place += 1
            left.append(range(start, one.stop))
        return SeedSet(tuple(part for part in left if len(part)))

    def __le__(self, other: SeedSet) -> bool:
        return not (self - other).ranges
