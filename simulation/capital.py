"""Capital rules: usual terms by stage and date, what a startup is worth to an investor, and the cap table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulation.settings import STAGES, CapitalSettings, Stage

FOUNDERS = "savers"  # founders' proceeds go to the aggregate of private savers


def trend(series: Mapping[int, float], year: float) -> float:
    """Linear interpolation of a yearly series, flat outside it."""
    years = sorted(series)
    return float(np.interp(year, years, [series[y] for y in years]))


def usual_round(settings: CapitalSettings, stage: Stage, year: float) -> tuple[float, float]:
    """Usual (pre-money valuation, round size) of a stage in `year`, USD (V16, V20); both move with round sizes."""
    terms = settings.stages[stage]
    size = float(np.interp(year, [2014, 2022], [terms.round_usd_2014, terms.round_usd_2022]))
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


def fair_value_usd(settings: CapitalSettings, facts: Facts, stage: Stage, heat: float, year: float) -> float:
    """Value of a startup to an investor, USD: revenue times a multiple that rises with growth, plus what is unsold yet.

    Early investors see the demonstration (lab); the later the stage, the more diligence tests it in use (field). The
    value of technique and of free users fades by `option_fade` from stage to stage: later money wants revenue. What
    the market pays for technique has risen with round sizes (V20).
    """
    step = STAGES.index(stage)
    multiple = settings.revenue_multiple + settings.growth_multiple * min(max(facts.growth_year, 0.0), 3.0)
    seen = step / (len(STAGES) - 1)
    technique = max((1 - seen) * facts.advantage_lab + seen * facts.advantage_field, 0.0)
    dearer = usual_round(settings, stage, year)[1] / settings.stages[stage].round_usd_2014
    unsold = settings.option_usd * dearer * technique + settings.user_value_usd * facts.free_users
    return heat * (facts.revenue_usd_year * multiple + unsold * settings.option_fade**step)


@dataclass(slots=True)
class CapTable:
    """Who owns a firm. Shares sum to 1; founders hold what nobody bought.

    Every round is 1x non-participating preferred stock, all rounds of equal rank: when the firm is sold, a holder takes
    back what it paid, or converts and takes its share, whichever is more (the usual terms: NVCA model documents).
    Founders and private savers are one holder here, with common stock.

    Attributes:
        shares: by holder.
        preference_usd: what a holder gets back before common stock, by holder.
        post_money_usd: valuation of the last round after its money; 0 before the first.
    """

    shares: dict[str, float] = field(default_factory=lambda: {FOUNDERS: 1.0})
    preference_usd: dict[str, float] = field(default_factory=dict)
    post_money_usd: float = 0.0

    def issue(self, invested_usd: Mapping[str, float], pre_money_usd: float) -> None:
        """Sell new shares at `pre_money_usd`; all earlier holders are diluted alike."""
        post = self.post_money_usd = pre_money_usd + sum(invested_usd.values())
        self.shares = {holder: share * pre_money_usd / post for holder, share in self.shares.items()}
        for holder, usd in invested_usd.items():
            self.shares[holder] = self.shares.get(holder, 0.0) + usd / post
            if holder != FOUNDERS:
                self.preference_usd[holder] = self.preference_usd.get(holder, 0.0) + usd

    def split(self, proceeds_usd: float) -> dict[str, float]:
        """Each holder's part of `proceeds_usd` in a sale."""
        claims = {holder: usd for holder, usd in self.preference_usd.items() if holder in self.shares}
        owed = sum(claims.values())
        if proceeds_usd <= owed:
            parts = {holder: proceeds_usd * usd / owed for holder, usd in claims.items()}
            return {holder: parts.get(holder, 0.0) for holder in self.shares}
        # Who paid least for a share converts first; each next one only if its share is then worth what it paid.
        converted = sum(share for holder, share in self.shares.items() if holder not in claims)
        for holder in sorted(claims, key=lambda h: (claims[h] / self.shares[h], h)):
            if (proceeds_usd - owed + claims[holder]) * self.shares[holder] < claims[holder] * (
                converted + self.shares[holder]
            ):
                break
            converted += self.shares[holder]
            owed -= claims.pop(holder)
        return {
            holder: claims[holder] if holder in claims else (proceeds_usd - owed) * share / converted
            for holder, share in self.shares.items()
        }
