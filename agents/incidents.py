"""Incidents (RISK): breaches, outages and accidents strike firms at hazards that prevention lowers.

More operators make outages rarer; a model that errs less in the field makes accidents rarer.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import TYPE_CHECKING, NamedTuple

from agents.actor import Actor

if TYPE_CHECKING:
    from agents.firm.firm import Firm
    from agents.firm.laboratory import Laboratory
    from simulation.model import MarketModel
    from simulation.settings import RiskSettings


LEAST_OPERATORS = 0.5  # assumption: somebody always looks after what is sold


class Hazard(NamedTuple):
    """How often one kind of incident strikes a firm, and what it takes each time without a plan."""

    rate_year: float
    usd: float
    trust: float


NO_HAZARD = Hazard(0.0, 0.0, 0.0)


def breach_rate(firm: Firm) -> float:
    """Data breaches a year."""
    rate = firm.model.settings.risk.breach_rate_year * (1 - firm.settings.prevention)
    return rate * firm.risks.hazard_left("breach")


def breach_hazard(firm: Firm) -> Hazard:
    """A data breach: costs by rows held, and trust."""
    risk = firm.model.settings.risk
    return Hazard(breach_rate(firm), risk.breach_usd_per_row * rows_held(firm), risk.breach_trust)


def rows_held(firm: Firm) -> float:
    """Rows in all laboratories of a firm."""
    rows = 0.0
    for lab in firm.laboratories.values():
        rows += lab.rows_lab + lab.rows_field
    return rows


def outage_rate(firm: Firm) -> float:
    """Serious outages a year: more operators, and tools that do their work, make them rarer."""
    rate = firm.model.settings.risk.outage_rate_year * (1 - firm.settings.prevention) / operators_of(firm) ** 0.5
    return rate * firm.risks.hazard_left("outage")


def most_outages(risk: RiskSettings) -> float:
    """Serious outages a year of a firm that has the fewest operators and prevents nothing."""
    return risk.outage_rate_year / sqrt(LEAST_OPERATORS)


def outage_hazard(firm: Firm) -> Hazard:
    """A serious outage: trust."""
    return Hazard(outage_rate(firm), 0.0, firm.model.settings.risk.outage_trust)


def accident_hazard(firm: Firm, lab: Laboratory) -> Hazard:
    """Accidents where lives depend on a model: customers times errors in the field, as measured; liability, trust."""
    rate, cost = firm.sales.accident_hazard(lab)
    if rate <= 0:
        return NO_HAZARD
    rate_left = rate * (1 - firm.settings.prevention) * firm.risks.hazard_left("accident")
    return Hazard(rate_left, cost / rate, firm.model.settings.risk.accident_trust)


def operators_of(firm: Firm) -> float:
    """Operators, counting what tools do of their work; half a person at least."""
    return max(firm.staff["operations"] / (1 - firm.management.automation), LEAST_OPERATORS)


def hazards_of(firm: Firm) -> dict[str, Hazard]:
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


class Misfortune(Actor):
    """Draws the incidents of all firms. Exposure starts with the first released model.

    The draw of a firm, month and kind is keyed, so it may be asked twice: whom it spares at the highest rate that a
    firm can have it spares at the firm's own too, which then need not be worked out.
    """

    def __init__(self, model: MarketModel) -> None:
        super().__init__(model, "misfortune")

    def acquire(self) -> None:
        """Strike: one keyed draw per firm, month and kind of incident."""
        firms: list[Firm] = list(self.model.living.values())  # type: ignore[arg-type]
        risk, month, draw = self.model.settings.risk, self.model.month, self.model.streams.uniform
        # The least that a firm must draw to be spared in this month, whatever it did for its safety.
        key_person, breach = risk.key_person_rate_year / 12, risk.breach_rate_year / 12
        outage = most_outages(risk) / 12
        dangerous = self.dangerous_sectors()
        for firm in firms:
            name = firm.name
            if key_person > 0 and draw("key person", name, month) < key_person:
                self.key_person(firm)
            models = [lab for lab in firm.laboratories.values() if lab.released]
            if models:
                if breach > 0 and draw("breach", name, month) < breach:
                    self.breach(firm)
                if outage > 0 and draw("outage", name, month) < outage:
                    self.outage(firm)
                for lab in models:
                    if lab.sector in dangerous:
                        self.accident(firm, lab)

    def dangerous_sectors(self) -> set[str]:
        """Sectors in which errors of a model can cause accidents; elsewhere nothing need be drawn."""
        sectors = self.model.settings.sectors.items()
        return {name for name, s in sectors if any([segment.accidents_year for segment in s.segments.values()])}

    def strikes(self, firm: Firm | Laboratory, kind: str, rate_year: float) -> bool:
        """Whether an incident of yearly rate `rate_year` strikes this month."""
        if rate_year <= 0:  # draws are keyed: one that is not made shifts no other
            return False
        u = self.model.streams.uniform(kind, firm.name, self.model.month)
        # 1 − exp(−x) is at most x, so that the first test, which is cheap, mostly says it all.
        return u < rate_year / 12 and u < 1 - exp(-rate_year / 12)

    def key_person(self, firm: Firm) -> None:
        """A key person leaves."""
        most = self.model.settings.risk.key_person_rate_year
        if self.strikes(firm, "key person", most):
            if self.strikes(firm, "key person", firm.risks.key_person_rate_year()):
                firm.risks.lose_key_person()

    def breach(self, firm: Firm) -> None:
        """A data breach: the authority hears of it."""
        most = self.model.settings.risk.breach_rate_year
        if self.strikes(firm, "breach", most) and self.strikes(firm, "breach", breach_rate(firm)):
            hazard = breach_hazard(firm)
            firm.suffer("breach", hazard.usd, hazard.trust, f"{rows_held(firm):,.0f} rows")
            firm.incident_to_audit = "breach"

    def outage(self, firm: Firm) -> None:
        """A serious outage."""
        most = most_outages(self.model.settings.risk)
        if self.strikes(firm, "outage", most) and self.strikes(firm, "outage", outage_rate(firm)):
            hazard = outage_hazard(firm)
            firm.suffer("outage", hazard.usd, hazard.trust, f"{operators_of(firm):.0f} operators")

    def accident(self, firm: Firm, lab: Laboratory) -> None:
        """An accident: the authority looks at the model. A model has at most one accident in a month."""
        hazard = accident_hazard(firm, lab)
        if self.strikes(lab, "accident", hazard.rate_year):
            text = f"field accuracy {lab.quality_field:.3f}"
            firm.suffer("accident", hazard.usd, hazard.trust, text)
            lab.hurried = True
            firm.incident_to_audit = "accident"
