"""Returns of a fund to its partners: multiples of what they paid in, and the internal rate of return."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan

from scipy.optimize import brentq

Flow = tuple[int, float]  # (month, USD): negative when partners pay in

LOWEST, HIGHEST = -0.5, 1.0  # monthly rates between which the internal rate is looked for


def present_value_usd(flows: Sequence[Flow], rate_month: float) -> float:
    """Value of `flows` in the month of the first one, discounted at a monthly rate above −1."""
    start = flows[0][0]
    return sum(usd / (1 + rate_month) ** (month - start) for month, usd in flows)


def irr_year(flows: Sequence[Flow]) -> float:
    """Yearly internal rate of return of monthly flows; 0.1 = 10 % a year, compounded monthly.

    −1 where nothing ever comes back; NaN where nothing was paid in, or no rate between −50 % and 100 % a month
    balances the flows. Flows that change sign more than once may have several such rates; one of them is returned.
    """
    if not any(usd < 0 for _, usd in flows):
        return nan
    if not any(usd > 0 for _, usd in flows):
        return -1.0
    if (present_value_usd(flows, LOWEST) > 0) == (present_value_usd(flows, HIGHEST) > 0):
        return nan
    rate = brentq(lambda rate_month: present_value_usd(flows, rate_month), LOWEST, HIGHEST, xtol=1e-15)
    return float((1 + rate) ** 12 - 1)


def multiple(value_usd: float, paid_in_usd: float) -> float:
    """Value per dollar paid in (DPI of what was distributed, TVPI with the residual value); NaN before any call."""
    return value_usd / paid_in_usd if 0 < paid_in_usd < inf else nan
