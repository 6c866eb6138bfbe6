"""Counter-based randomness: every draw is a pure function of integers, the same on every device and in any order.

The hash is SplitMix64's finaliser (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195) on wrapping int64.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as int64: 2^64 over the golden ratio, odd
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB
_LANE = -3335678366873096957  # 0xD1B54A32D192ED03, odd
_TRIANGLE_SD = 2.0**16 / 6.0**0.5  # of the sum of two 16-bit integers


def _fold(x: Tensor, shift: int) -> Tensor:
    """x ^ (x >>> shift), in place; torch's shift keeps the sign, so the copied sign bits are masked away."""
    return x.bitwise_xor_((x >> shift).bitwise_and_((1 << (64 - shift)) - 1))


def mix(x: Tensor) -> Tensor:
    """SplitMix64's finaliser, elementwise on a fresh copy of `x` (int64)."""
    x = _fold(x.clone(), 30).mul_(_MIX_1)
    x = _fold(x, 27).mul_(_MIX_2)
    return _fold(x, 31)


def purpose_key(*names: str | int) -> int:
    """A 63-bit integer for a purpose, e.g. ("speech", "rows")."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def stream_keys(seeds: Tensor, *names: str | int) -> Tensor:
    """One key per seed and purpose: int64 of the shape of `seeds`."""
    return mix(mix(seeds * GOLDEN + purpose_key(*names)))


def row_keys(keys: Tensor, index: Tensor) -> Tensor:
    """One key per stream and row: `keys` [M] and `index` [R] or [M, R] give [M, R]."""
    return mix(keys.unsqueeze(-1) + index * GOLDEN)


def lane_bits(keys: Tensor, first: int, n: int) -> Tensor:
    """`n` fully mixed 64-bit lanes for each key: [..., n]."""
    lanes = torch.arange(first, first + n, device=keys.device, dtype=torch.int64) * _LANE
    return mix(keys.unsqueeze(-1) + lanes)


def uniforms(keys: Tensor, first: int, n: int) -> Tensor:
    """`n` float32 uniforms in [0, 1) for each key, from lanes `first` …; 24 bits each."""
    return ((lane_bits(keys, first, n) >> 40) & 0xFFFFFF).to(torch.float32).mul_(2.0**-24)


def noise(keys: Tensor, first: int, n: int) -> Tensor:
    """`n` float32 draws of mean 0 and sd 1 for each key, triangular (a sum of two uniforms): cheaper than normal ones.

    Args:
        keys: int64 [...], already mixed.
        first: first lane; `ceil(n / 2)` lanes are used.
        n: draws per key, even.

    Returns:
        float32 [..., n].
    """
    lanes = torch.arange(first, first + n // 2, device=keys.device, dtype=torch.int64) * _LANE
    # One multiplication is enough for noise: the keys are fully mixed and only differ-by-lane bits must spread.
    bits = _fold((keys.unsqueeze(-1) + lanes).mul_(_MIX_1), 32).mul_(_MIX_2)
    bits = _fold(bits, 29)
    quarters = bits.view(torch.int16).view(*keys.shape, 2, n)
    # Integers up to 2^16 are exact in float32, so the sum is the same on every device.
    return quarters[..., 0, :].to(torch.float32).add_(quarters[..., 1, :]).add_(1.0).mul_(1.0 / _TRIANGLE_SD)


def choice(u: Tensor, n: int) -> Tensor:
    """Whole numbers 0 … n − 1 (int64) from uniforms in [0, 1)."""
    return (u * n).to(torch.int64)
