"""Types of buyers as arrays: who they are in each segment, and who of them each offer serves.

A segment's buyers are of a few types that weigh the same things differently (mixed logit with discrete types, McFadden
& Train 2000). All segments have as many columns as the one with most types; what a segment does not have is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.demand import Floats, Ints
from simulation.settings import SegmentSettings
from simulation.settings.tastes import BuyerType

WEIGHED = tuple(name for name in BuyerType.model_fields if name != "share")
"""Settings of a segment that its types may have larger or smaller."""
USUAL = {"": BuyerType()}
"""The one type of a segment that names none."""


@dataclass(frozen=True, slots=True)
class Tastes:
    """Types by segment: their part of its customers, and factors on its settings. All shapes are [types, segments]."""

    share: Floats
    times: dict[str, Floats]


def number_of_types(segments: Sequence[SegmentSettings]) -> int:
    """Types of the segment that has most."""
    return max((len(segment.types or USUAL) for segment in segments), default=len(USUAL))


def tastes_of(segments: Sequence[SegmentSettings]) -> Tastes:
    """The types of all segments, in their order; those that a segment does not have are as usual and have no part."""
    shape = number_of_types(segments), len(segments)
    share, times = np.zeros(shape), {name: np.ones(shape) for name in WEIGHED}
    for i, segment in enumerate(segments):
        types = list((segment.types or USUAL).values())
        total = sum(buyers.share for buyers in types)
        for row, buyers in enumerate(types):
            share[row, i] = buyers.share / total
            for name in WEIGHED:
                times[name][row, i] = getattr(buyers, name)
    return Tastes(share, times)


def cells(segment: Ints, n_types: int, n_segments: int) -> Ints:
    """Index of the cell (type, segment) of each type's buyers at each offer, shape [types, offers]."""
    return segment + n_segments * np.arange(n_types)[:, np.newaxis]


def composition(held: Floats, otherwise: Floats | float) -> Floats:
    """Parts of each type in what is held, along the axis of types; `otherwise` where nothing is.

    `held` is [kinds, types, offers], `otherwise` broadcasts to it.
    """
    total = held.sum(axis=-2, keepdims=True)
    return np.where(total > 0, held / np.maximum(total, np.finfo(float).tiny), otherwise)
