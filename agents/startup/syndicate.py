"""How bids make a round: who puts in how much, and whether that is enough."""

from __future__ import annotations

from collections.abc import Mapping

from agents.fund import Bid


def closes(invested_usd: Mapping[str, float], size_usd: float) -> bool:
    """Whether funds together put up at least 60 % of the usual size (assumption)."""
    return sum(invested_usd.values()) >= 0.6 * size_usd


def allocate(bids: Mapping[str, Bid], size_usd: float) -> dict[str, float]:
    """Who puts in how much, USD: holders their part by right, then all by the value they see, highest first."""
    invested = {name: bid.pro_rata_usd for name, bid in bids.items() if bid.pro_rata_usd > 0}
    for name in sorted(bids, key=lambda name: -bids[name].value_usd):
        left = size_usd - sum(invested.values())
        if left <= 1:
            break
        more = min(bids[name].most_usd - invested.get(name, 0.0), left)
        if more > 0:
            invested[name] = invested.get(name, 0.0) + more
    return invested
