"""The talent market: one for all firms. Wages rise where they together want more people than come (CH-COMPETITION).

index[role]  follows  (demand / supply)^response,  demand in people, supply = first demand · (1 + growth)^years
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulation.settings import ROLES, LabourSettings, Role
from simulation.trend import Trend, grown

WAGES_OF = 2017  # the year of `wage_usd_month`
SPEED_MONTH = 1 / 12  # assumption: wages take about a year to follow
LOWEST, HIGHEST = 0.7, 2.0  # of the index; assumptions


def monthly_wages(labour: LabourSettings, year: float) -> dict[Role, float]:
    """Wage by role in `year` where demand and supply grow alike, USD a month."""
    return grown_wages(labour, grown(labour.wage_growth_year, year - WAGES_OF))


def grown_wages(labour: LabourSettings, growth: float) -> dict[Role, float]:
    """Wage by role after a growth since 2017, USD a month."""
    return {role: wage * growth for role, wage in labour.wage_usd_month.items()}


def wanted_index(demand: float, supply: float, response: float) -> float:
    """Wages relative to those of a balanced market."""
    if supply <= 0:
        return 1.0
    return min(max((demand / supply) ** response, LOWEST), HIGHEST)


class TalentMarket:
    """Wages of the month by role.

    Attributes:
        index: wages relative to those of a balanced market, by role.
        wages: USD a month, by role, for all firms.
    """

    def __init__(self, labour: LabourSettings, year: float) -> None:
        self.index: dict[Role, float] = dict.fromkeys(ROLES, 1.0)
        self.wages = monthly_wages(labour, year)
        self._first: dict[Role, float] = {}
        self.wage_trend = Trend(grown, labour.wage_growth_year, WAGES_OF)
        self.people_trend = Trend(grown, labour.talent_growth_year, year)

    def configure(self, labour: LabourSettings, year: float) -> None:
        """Take the settings that an intervention gives from `year` on."""
        self.wage_trend.bend(labour.wage_growth_year, year)
        self.people_trend.bend(labour.talent_growth_year, year)

    def move(self, labour: LabourSettings, year: float, staffs: Iterable[Mapping[Role, float]]) -> None:
        """Set next month's wages from the people that all firms employ now."""
        demand: dict[Role, float] = dict.fromkeys(ROLES, 0.0)
        employers = list(staffs)
        for role in ROLES:
            people = 0.0
            for staff in employers:
                people += staff[role]
            demand[role] = people
        self._first = self._first or demand
        growth = self.people_trend.at(year)
        usual = grown_wages(labour, self.wage_trend.at(year))
        for role in ROLES:
            goal = wanted_index(demand[role], self._first[role] * growth, labour.wage_response)
            self.index[role] += SPEED_MONTH * (goal - self.index[role])
            self.wages[role] = usual[role] * self.index[role]
