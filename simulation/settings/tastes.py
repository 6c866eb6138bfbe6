"""Parameters of taste: how a type of buyers weighs what it is offered, against the usual buyer of its segment."""

from __future__ import annotations

from typing import Any

from simulation.parameters import Settings, parameter


def _times(what: str, high: float = 10) -> Any:
    """A factor on one of the segment's settings; 1 for a type that is as the segment says."""
    return parameter(1.0, f"its {what}, against the segment's", "ratio", low=0.05, high=high, fixed=True)


class BuyerType(Settings):
    """Buyers of a segment with a taste of their own (mixed logit, McFadden & Train 2000)."""

    share: float = parameter(
        1.0,
        "its part of the segment's customers, in proportion to the other types'",
        "ratio",
        low=1e-3,
        high=1e3,
        fixed=True,
    )
    advantage_weight: float = _times("utility of removing errors")
    price_weight: float = _times("disutility of the price")
    brand_weight: float = _times("utility of brand")
    trust_weight: float = _times("utility of trust")
    tailoring_weight: float = _times("utility of a tailored solution")
    edge_weight: float = _times("utility of a model that fits the device")
    adoption_hurdle: float = _times("disutility of replacing the traditional method")
    switching_cost: float = _times("disutility of leaving the current supplier")
    innovation_rate_year: float = _times("rate at which it looks at AI unprompted", high=30)
