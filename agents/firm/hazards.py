"""How often incidents (RISK) strike a firm, and what they take: breaches, outages, accidents.

Prevention lowers all hazards. More operators make outages rarer; a model that errs less in the field makes accidents
rarer.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner
    from simulation.settings import RiskSettings

LEAST_OPERATORS = 0.5  # assumption: somebody always looks after what is sold


class Hazard(NamedTuple):
    """How often one kind of incident strikes a firm, and what it takes each time without a plan."""

    rate_year: float
    usd: float
    trust: float


NO_HAZARD = Hazard(0.0, 0.0, 0.0)


def breach_rate(firm: Owner) -> float:
    """Data breaches a year."""
    rate = firm.model.settings.risk.breach_rate_year * (1 - firm.settings.prevention)
    return rate * firm.risks.hazard_left("breach")


def breach_hazard(firm: Owner) -> Hazard:
    """A data breach: costs by rows held, and trust."""
    risk = firm.model.settings.risk
    return Hazard(breach_rate(firm), risk.breach_usd_per_row * rows_held(firm), risk.breach_trust)


def rows_held(firm: Owner) -> float:
    """Rows in all laboratories of a firm."""
    rows = 0.0
    for lab in firm.laboratories.values():
        rows += lab.rows_lab + lab.rows_field
    return rows


def outage_rate(firm: Owner) -> float:
    """Serious outages a year: more operators, and tools that do their work, make them rarer."""
    rate = firm.model.settings.risk.outage_rate_year * (1 - firm.settings.prevention) / operators_of(firm) ** 0.5
    return rate * firm.risks.hazard_left("outage")


def most_outages(risk: RiskSettings) -> float:
    """Serious outages a year of a firm that has the fewest operators and prevents nothing."""
    return risk.outage_rate_year / sqrt(LEAST_OPERATORS)


def outage_hazard(firm: Owner) -> Hazard:
    """A serious outage: trust."""
    return Hazard(outage_rate(firm), 0.0, firm.model.settings.risk.outage_trust)


def accident_hazard(firm: Owner, lab: LaboratoryLike) -> Hazard:
    """Accidents where lives depend on a model: customers times errors in the field, as measured; liability, trust."""
    rate, cost = firm.sales.accident_hazard(lab)
    if rate <= 0:
        return NO_HAZARD
    rate_left = rate * (1 - firm.settings.prevention) * firm.risks.hazard_left("accident")
    return Hazard(rate_left, cost / rate, firm.model.settings.risk.accident_trust)


def operators_of(firm: Owner) -> float:
    """Operators, counting what tools do of their work; half a person at least."""
    return max(firm.staff["operations"] / (1 - firm.management.automation), LEAST_OPERATORS)


def hazards_of(firm: Owner) -> dict[str, Hazard]:
    """Hazards of a firm by kind; accidents of several models are added up."""
    found = {"breach": breach_hazard(firm), "outage": outage_hazard(firm)}
    rate = usd_year = 0.0
    for lab in firm.laboratories.values():
        if lab.released:
            hazard = accident_hazard(firm, lab)
            rate, usd_year = rate + hazard.rate_year, usd_year + hazard.rate_year * hazard.usd
    if rate:
        found["accident"] = Hazard(rate, usd_year / rate, firm.model.settings.risk.accident_trust)
    return found
