"""Capital rules: usual terms by stage and date, what a startup is worth to an investor, and the cap table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf

import numpy as np

from simulation.settings import STAGES, CapitalSettings, Stage
from simulation.valuation import ExpectedEarnings, standalone_usd

FOUNDERS = "savers"  # founders' proceeds go to the aggregate of private savers


def trend(series: Mapping[int, float], year: float) -> float:
    """Linear interpolation of a yearly series, flat outside it."""
    years = sorted(series)
    return float(np.interp(year, years, [series[y] for y in years]))


@lru_cache(maxsize=256)
def _usual_size(usd_2014: float, usd_2022: float, year: float) -> float:
    """Usual size of a round in `year`, USD; kept, for all funds that look at a raise ask for the same moment."""
    return float(np.interp(year, [2014, 2022], [usd_2014, usd_2022]))


def usual_round(settings: CapitalSettings, stage: Stage, year: float) -> tuple[float, float]:
    """Usual (pre-money valuation, round size) of a stage in `year`, USD (V16, V20); both move with round sizes."""
    terms = settings.stages[stage]
    size = _usual_size(terms.round_usd_2014, terms.round_usd_2022, year)
    return terms.pre_money_usd * size / terms.round_usd_2014, size


def next_stage(stage: Stage) -> Stage:
    """The stage after `stage`; growth rounds repeat."""
    return STAGES[min(STAGES.index(stage) + 1, len(STAGES) - 1)]


@dataclass(frozen=True, slots=True)
class Facts:
    """What due diligence finds out about a startup."""

    revenue_usd_year: float  # recurring, last quarter, annualised
    growth_year: float  # of that, against a year ago; 1.0 = doubled
    advantage_lab: float
    advantage_field: float
    free_users: float
    expected: ExpectedEarnings | None = None  # where values follow from what a firm is expected to earn


def fair_value_usd(settings: CapitalSettings, facts: Facts, stage: Stage, heat: float, year: float) -> float:
    """Value of a startup to an investor, USD: revenue times a multiple that rises with growth, plus what is unsold yet.

    Early investors see the demonstration (lab); the later the stage, the more diligence tests it in use (field). The
    value of technique and of free users fades by `option_fade` from stage to stage: later money wants revenue. What
    the market pays for technique has risen with round sizes (V20). With expected earnings, it is what these are worth
    instead, in that climate.
    """
    if facts.expected is not None:
        return heat * standalone_usd(facts.revenue_usd_year, facts.expected, settings.expectation)
    step = STAGES.index(stage)
    multiple = settings.revenue_multiple + settings.growth_multiple * min(max(facts.growth_year, 0.0), 3.0)
    seen = step / (len(STAGES) - 1)
    technique = max((1 - seen) * facts.advantage_lab + seen * facts.advantage_field, 0.0)
    dearer = usual_round(settings, stage, year)[1] / settings.stages[stage].round_usd_2014
    unsold = settings.option_usd * dearer * technique + settings.user_value_usd * facts.free_users
    return heat * (facts.revenue_usd_year * multiple + unsold * settings.option_fade**step)


def revenue_for_value(
    settings: CapitalSettings, value_usd: float, facts: Facts, stage: Stage, heat: float, year: float
) -> float:
    """Yearly revenue from which a startup is worth `value_usd`, all else as in `facts`; infinite where none is enough.

    Fair value is linear in revenue: two values of the function itself give the line.
    """
    at_none, at_one = (
        fair_value_usd(settings, replace(facts, revenue_usd_year=revenue), stage, heat, year) for revenue in (0.0, 1e6)
    )
    if value_usd <= at_none:
        return 0.0
    return 1e6 * (value_usd - at_none) / (at_one - at_none) if at_one > at_none else inf


@dataclass(slots=True)
class Series:
    """Preferred stock of one round: its conversion price, and by holder the common shares that it converts into."""

    price_usd: float
    shares: dict[str, float]


@dataclass(slots=True)
class CapTable:
    """Who owns a firm. Shares sum to 1; founders hold what nobody bought.

    Every round is 1x non-participating preferred stock, all rounds of equal rank: when the firm is sold, a holder takes
    back what it paid, or converts and takes its share, whichever is more (the usual terms: NVCA model documents).
    Founders and private savers are one holder here, with common stock. Convertible notes rank before all of it.

    Attributes:
        common: number of founders' common shares; a firm begins with one.
        other_common: that of others, whose preferred stock was converted, by holder (`simulation/recapitalisation.py`).
        series: preferred stock, oldest round first.
        notes_usd: principal of convertible notes outstanding, by holder.
        preference_usd: what a holder gets back before common stock, by holder.
        post_money_usd: price of the last round times all shares after it; 0 before the first.
    """

    common: float = 1.0
    series: list[Series] = field(default_factory=list)
    notes_usd: dict[str, float] = field(default_factory=dict)
    preference_usd: dict[str, float] = field(default_factory=dict)
    post_money_usd: float = 0.0
    other_common: dict[str, float] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the firm by holder, all preferred stock converted; outstanding notes are not stock."""
        counts = {FOUNDERS: self.common, **self.other_common}
        for series in self.series:
            for holder, count in series.shares.items():
                counts[holder] = counts.get(holder, 0.0) + count
        total = sum(counts.values())
        return {holder: count / total for holder, count in counts.items()}

    def n_shares(self) -> float:
        """All shares, preferred stock converted."""
        return self.common + sum(self.other_common.values()) + sum(sum(one.shares.values()) for one in self.series)

    def issue(self, invested_usd: Mapping[str, float], pre_money_usd: float, note_discount: float = 0.0) -> None:
        """Sell new shares at `pre_money_usd` over the shares outstanding; notes convert at `note_discount` off.

        All holders are diluted alike by the new money, by converting notes (the pre-money method) and by the
        protection of earlier preferred stock (see `protected_price_usd`).
        """
        outstanding = self.n_shares()
        price = pre_money_usd / outstanding
        self.protect(outstanding, sum(invested_usd.values()), price)
        self.common += invested_usd.get(FOUNDERS, 0.0) / price
        self.sell_series({name: usd for name, usd in invested_usd.items() if name != FOUNDERS}, price)
        self.sell_series(self.notes_usd, (1 - note_discount) * price)
        self.notes_usd = {}
        self.post_money_usd = price * self.n_shares()

    def sell_series(self, paid_usd: Mapping[str, float], price_usd: float, preference: float = 1.0) -> None:
        """Preferred stock at `price_usd` a share, with a claim per dollar paid for it."""
        if paid_usd:
            self.series.append(Series(price_usd, {holder: usd / price_usd for holder, usd in paid_usd.items()}))
        for holder, usd in paid_usd.items():
            self.preference_usd[holder] = self.preference_usd.get(holder, 0.0) + preference * usd

    def protect(self, outstanding: float, new_usd: float, price_usd: float) -> None:
        """Lower the conversion price of every series that paid more than `price_usd` (a down round)."""
        for series in self.series:
            lowered = protected_price_usd(series.price_usd, outstanding, new_usd, price_usd)
            if lowered < series.price_usd:
                more = series.price_usd / lowered
                series.shares = {holder: count * more for holder, count in series.shares.items()}
                series.price_usd = lowered

    def lend(self, lent_usd: Mapping[str, float]) -> None:
        """Take convertible notes."""
        for holder, usd in lent_usd.items():
            self.notes_usd[holder] = self.notes_usd.get(holder, 0.0) + usd

    def sell_to_founders(self) -> None:
        """All preferred stock becomes common stock in the hands of private savers (a listing)."""
        self.common, self.other_common, self.series, self.preference_usd = self.n_shares(), {}, [], {}

    def split(self, proceeds_usd: float) -> dict[str, float]:
        """Each holder's part of `proceeds_usd` in a sale: notes first, then preferred stock, then all who converted."""
        owed = sum(self.notes_usd.values())
        repaid = min(owed, proceeds_usd)
        parts = self.split_among_shares(proceeds_usd - repaid)
        for holder, usd in self.notes_usd.items():
            parts[holder] = parts.get(holder, 0.0) + repaid * usd / owed
        return parts

    def split_among_shares(self, proceeds_usd: float) -> dict[str, float]:
        """Each shareholder's part of what is left after the notes."""
        shares, total = self.shares, self.n_shares()
        others = {holder: count / total for holder, count in self.other_common.items()}
        common = {FOUNDERS: shares[FOUNDERS], **others}
        preferred = {holder: share - common.get(holder, 0.0) for holder, share in shares.items() if holder != FOUNDERS}
        claims = {holder: usd for holder, usd in self.preference_usd.items() if holder in shares}
        owed = sum(claims.values())
        if proceeds_usd <= owed:
            parts = {holder: proceeds_usd * usd / owed for holder, usd in claims.items()} if owed else {}
            return {holder: parts.get(holder, 0.0) for holder in shares}
        # Who paid least for a share converts first; each next one only if its share is then worth what it paid.
        converted = sum(common.values())
        for holder in sorted(claims, key=lambda h: (claims[h] / preferred[h], h)):
            would_have = (proceeds_usd - owed + claims[holder]) * preferred[holder]
            if would_have < claims[holder] * (converted + preferred[holder]):
                break
            converted += preferred[holder]
            owed -= claims.pop(holder)
        left = proceeds_usd - owed
        return {
            holder: (left * common.get(holder, 0.0) / converted if holder in claims else left * share / converted)
            + claims.get(holder, 0.0)
            for holder, share in shares.items()
        }


def protected_price_usd(old_usd: float, outstanding: float, new_usd: float, price_usd: float) -> float:
    """Conversion price of preferred stock after a round at `price_usd`: broad-based weighted average (NVCA charter).

        CP₂ = CP₁ · (A + B) / (A + C)

    A: shares outstanding before the round, all preferred stock converted; B: shares that the new money would have
    bought at CP₁; C: shares that it buys. A round at CP₁ or above changes nothing.
    """
    if price_usd >= old_usd:
        return old_usd
    at_old, at_new = new_usd / old_usd, new_usd / price_usd
    return old_usd * (outstanding + at_old) / (outstanding + at_new)
