"""Named, counter-based random streams.

Every draw is a pure function of (seed, purpose, who, when). A policy that adds one draw, or one more firm, shifts no
other draw, so two scenarios with one seed are a paired experiment with common random numbers. Scalars come straight
from a keyed BLAKE2b hash (a counter-based generator that costs one microsecond); vectors come from NumPy's Philox,
keyed by the same hash.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from hashlib import blake2b
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()
_TWO_64 = 2.0**64
_number = int.from_bytes


class Streams:
    """The random streams of one run. `seed` is any integer ≥ 0; 0 is a seed like every other."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        key = blake2b(str(seed).encode(), digest_size=32).digest()
        # Keyed once for each size of digest; a draw goes on with a copy, which costs less than a new hash.
        self._keyed = {size: blake2b(digest_size=size, key=key) for size in (4, 8, 16)}
        self._eight_bytes = self._keyed[8]

    def _digest(self, purpose: str, who: str, when: int, size: int) -> bytes:
        # Length prefixes are not needed: neither names nor purposes may contain the separator.
        state = self._keyed[size].copy()
        state.update(f"{purpose}\x1f{who}\x1f{when}".encode())
        return state.digest()

    def uniform(self, purpose: str, who: str = "", when: int = 0) -> float:
        """One draw from the open interval (0, 1)."""
        state = self._eight_bytes.copy()  # as `_digest`, without the call: most of all draws are made here
        state.update(f"{purpose}\x1f{who}\x1f{when}".encode())
        return (_number(state.digest(), "little") + 0.5) / _TWO_64

    def normal(self, purpose: str, who: str = "", when: int = 0) -> float:
        """One standard normal draw, by inversion."""
        return _NORMAL.inv_cdf(min(max(self.uniform(purpose, who, when), 1e-15), 1 - 1e-15))

    def lognormal(self, median: float, sigma: float, purpose: str, who: str = "", when: int = 0) -> float:
        """One lognormal draw with the given median and log standard deviation."""
        return median * math.exp(sigma * self.normal(purpose, who, when))

    def choice(self, utilities: Mapping[str, float], purpose: str, who: str = "", when: int = 0) -> str:
        """The name drawn by a logit over utilities in utils: exp(U) / Σ exp(U); empty where there is none.

        Every name has a Gumbel error of its own (McFadden 1974), and the largest sum is taken. One name more thus
        changes only the draws that take it, whatever the order and the number of the others.
        """
        sums = {name: u + self.gumbel(f"{purpose}:{name}", who, when) for name, u in utilities.items()}
        return max(sums, key=lambda name: sums[name], default="")

    def gumbel(self, purpose: str, who: str = "", when: int = 0) -> float:
        """One draw from the standard Gumbel distribution of maxima, by inversion."""
        return -math.log(-math.log(min(self.uniform(purpose, who, when), 1 - 1e-15)))

    def integer(self, purpose: str, who: str = "", when: int = 0) -> int:
        """One integer from 0 to 2**31 - 1, for seeding a training run."""
        return int.from_bytes(self._digest(purpose, who, when, 4), "little") >> 1

    def generator(self, purpose: str, who: str = "", when: int = 0) -> np.random.Generator:
        """A NumPy generator for vector draws."""
        key = int.from_bytes(self._digest(purpose, who, when, 16), "little")
        return np.random.Generator(np.random.Philox(key=key))
