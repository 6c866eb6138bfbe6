"""What a world that begins later than the market has behind it: customers served, money of funds spent, market sizes.

Pure functions of dates. A world that begins when its markets open, or before, is a virgin market, and nothing here
changes it. In a later one part of each segment is served already: after t months

    F(t + 1) = F'(t) + (1 − F'(t)) · (p + q · F'(t)) / 12,      F'(t) = F(t) · (1 − closure / 12),      F(0) = 0

which is the diffusion of `simulation.demand` (Bass 1969) month by month, if all who look find an offer to their taste.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.settings import SegmentSettings


MARKET_OPENS = 2014.0
"""Decimal year in which markets open unless their sector says otherwise: the start of the base world (assumption)."""


def bass_share(innovation: float, imitation: float, closure: float, months: int) -> float:
    """Share of a segment served `months` after it was virgin; rates by year, as in `SegmentSettings`."""
    share = 0.0
    for _ in range(months):
        share *= 1 - closure / 12
        share += (1 - share) * min((innovation + imitation * share) / 12, 1.0)
    return share


def adopted_share(segment: SegmentSettings, opened: float, year: float) -> float:
    """Share of a segment that is served when a world begins in `year`; 0 where the market has not opened before."""
    months = round(12 * (year - opened))
    if months <= 0:
        return 0.0
    if segment.adopted_share is not None:
        return segment.adopted_share
    return bass_share(segment.innovation_rate_year, segment.imitation_rate_year, segment.closure_rate_year, months)


def money_left(age_years: float, life_years: float) -> float:
    """Part of a fund not invested yet, where it invests evenly over the first half of its life."""
    return min(max(1 - 2 * age_years / life_years, 0.0), 1.0)


def fees_left(age_years: float, life_years: float) -> float:
    """Part of a fund's fees not paid yet."""
    return min(max(1 - age_years / life_years, 0.0), 1.0)
