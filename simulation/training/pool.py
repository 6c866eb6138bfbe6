"""A pool of training identities: numbered pairs of a seed and a luck for each task, the same in every world.

Where teams draw from a pool, equal plans of different worlds are the same run, and a ledger fills up for good. Member
k is the same in pools of every size, so that a ledger filled for a small pool serves a larger one.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from statistics import NormalDist
from typing import NamedTuple

OFFSET = 1 / 3
"""Added to the sequence modulo 1: the first 2ᵐ points then all lie a third of a cell from its edge, none at 0 or 1."""


class Member(NamedTuple):
    """What a team's training runs have of their own."""

    seed: int
    """Of data, first weights and minibatches, 0 … 2³¹ − 1."""
    luck: float
    """In standard deviations of a normal draw."""


@lru_cache(maxsize=65_536)
def member(task: str, number: int) -> Member:
    """Member `number` (from 0) of the pool of a task.

    Seeds are hashes. Lucks are normal quantiles of a van der Corput sequence: those of the first N members are spread
    as evenly as N numbers can be, so that a small pool has nearly the mean and spread of endless draws.
    """
    digest = blake2b(f"pool\x1f{task}\x1f{number}".encode(), digest_size=4).digest()
    luck = NormalDist().inv_cdf((radical_inverse(number) + OFFSET) % 1.0)
    return Member(int.from_bytes(digest, "little") >> 1, luck)


def radical_inverse(number: int) -> float:
    """The binary digits of a number mirrored at the point: 1 → 1/2, 2 → 1/4, 3 → 3/4, …"""
    mirrored, unit = 0.0, 0.5
    while number:
        mirrored += unit * (number & 1)
        number, unit = number >> 1, unit / 2
    return mirrored
