"""What a market does to people outside its firms (SOC-*): monthly measures per sector, each with its formula.

    productivity_usd  Σ users · value of the errors that the model removes                          SOC-PRODUCTIVITY
    jobs_displaced    productivity_usd · labour_saving_share / replaced_wage_usd_month              SOC-JOBS
    jobs_created      people whom the sector's AI firms employ                                      SOC-JOBS
    minority_burden   minority_share · Σ users · fairness gap of the model in use, where positive   SOC-DUTY
    exposed_users     Σ users · membership advantage of the model in use, where positive            SOC-DUTY

The value of an error removed is what customers would pay for it, by type of buyers: advantage_weight / price_weight
reference prices for all of them (the utilities of `demand.py`). Consumer surplus (the log-sum, Small & Rosen 1981)
comes from the market.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulation.demand import Floats
from simulation.market import Market
from simulation.settings import SocietySettings


@dataclass(frozen=True, slots=True)
class Society:
    """One month, by sector in the market's order; USD a month, people, customers."""

    productivity_usd: Floats
    jobs_displaced: Floats
    minority_burden: Floats
    exposed_users: Floats

    def by_sector(self) -> Iterator[tuple[float, float, float, float]]:
        """The measures of each sector, in the order above."""
        columns = self.productivity_usd, self.jobs_displaced, self.minority_burden, self.exposed_users
        return zip(*(column.tolist() for column in columns), strict=True)


def measure_society(market: Market, settings: SocietySettings) -> Society:
    """All measures that follow from who uses which model."""
    n_sectors, sector_of_offer = len(market.sector_names), market.sector_of_offer()
    users = market["customers"] + market["free"]

    def by_sector(values: Floats) -> Floats:
        return np.bincount(sector_of_offer, values, n_sectors).astype(float)

    productivity = by_sector(market.errors_worth_usd() * market["field"])
    return Society(
        productivity_usd=productivity,
        jobs_displaced=np.maximum(productivity, 0) * settings.labour_saving_share / settings.replaced_wage_usd_month,
        minority_burden=settings.minority_share * by_sector(users * np.maximum(market["fairness_gap"], 0)),
        exposed_users=by_sector(users * np.maximum(market["leakage"], 0)),
    )
