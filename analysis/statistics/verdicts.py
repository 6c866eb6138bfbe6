"""What an interval allows to be said of an effect, as one word; screens write the sentence."""

from __future__ import annotations

from typing import Literal

from analysis.statistics.intervals import Interval

EffectVerdict = Literal["increase", "decrease", "open", "alike", "too few seeds", "no figure"]
"""increase, decrease: the whole interval lies on one side of zero; open: it holds zero.

alike: all of at least `MANY_ALIKE` seeds differ by the same amount, which has no interval; too few seeds: one seed, or
fewer than that which all differ by the same amount; no figure: no seed has the statistic in both arms.
"""
LEAST_OBSERVATIONS = 20  # assumption: a median or a share of fewer says nothing
MANY_ALIKE = 30  # assumption: of so many seeds that agree at most 11 % may still differ (Wilson's bound of none)


def effect_verdict(effect: Interval) -> EffectVerdict:
    """What can be said of an effect."""
    if effect.n == 0:
        return "no figure"
    if not effect.is_known:
        return "alike" if effect.n >= MANY_ALIKE else "too few seeds"
    if not effect.excludes_zero:
        return "open"
    return "increase" if effect.low > 0 else "decrease"
