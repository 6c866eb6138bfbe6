"""Incidents (RISK) strike firms at the hazards of `agents.firm.hazards`."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from agents.actor import Actor
from agents.firm.hazards import (
    accident_hazard,
    breach_hazard,
    breach_rate,
    most_outages,
    operators_of,
    outage_hazard,
    outage_rate,
    rows_held,
)
from simulation.records.events import Accident, Breach, Outage

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner, World


class IncidentProcess(Actor):
    """Draws the incidents of all firms. Exposure starts with the first released model.

    The draw of a firm, month and kind is keyed, so it may be asked twice: whom it spares at the highest rate that a
    firm can have it spares at the firm's own too, which then need not be worked out.
    """

    def __init__(self, model: World) -> None:
        super().__init__(model, "misfortune")

    def acquire(self) -> None:
        """Strike: one keyed draw per firm, month and kind of incident."""
        firms = list(self.model.living.values())
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

    def strikes(self, firm: Owner | LaboratoryLike, kind: str, rate_year: float) -> bool:
        """Whether an incident of yearly rate `rate_year` strikes this month."""
        if rate_year <= 0:  # draws are keyed: one that is not made shifts no other
            return False
        u = self.model.streams.uniform(kind, firm.name, self.model.month)
        # 1 − exp(−x) is at most x, so that the first test, which is cheap, mostly says it all.
        return u < rate_year / 12 and u < 1 - exp(-rate_year / 12)

    def key_person(self, firm: Owner) -> None:
        """A key person leaves."""
        most = self.model.settings.risk.key_person_rate_year
        if self.strikes(firm, "key person", most):
            if self.strikes(firm, "key person", firm.risks.key_person_rate_year()):
                firm.risks.lose_key_person()

    def breach(self, firm: Owner) -> None:
        """A data breach: the authority hears of it."""
        most = self.model.settings.risk.breach_rate_year
        if self.strikes(firm, "breach", most) and self.strikes(firm, "breach", breach_rate(firm)):
            hazard = breach_hazard(firm)
            firm.suffer(Breach(rows=rows_held(firm)), hazard.usd, hazard.trust)
            firm.incident_to_audit = "breach"

    def outage(self, firm: Owner) -> None:
        """A serious outage."""
        most = most_outages(self.model.settings.risk)
        if self.strikes(firm, "outage", most) and self.strikes(firm, "outage", outage_rate(firm)):
            hazard = outage_hazard(firm)
            firm.suffer(Outage(operators=operators_of(firm)), hazard.usd, hazard.trust)

    def accident(self, firm: Owner, lab: LaboratoryLike) -> None:
        """An accident: the authority looks at the model. A model has at most one accident in a month."""
        hazard = accident_hazard(firm, lab)
        if self.strikes(lab, "accident", hazard.rate_year):
            firm.suffer(Accident(field=lab.quality_field), hazard.usd, hazard.trust)
            lab.hurried = True
            firm.incident_to_audit = "accident"
