"""Incidents (RISK): breaches, outages and accidents strike firms at hazards that prevention lowers.

More operators make outages rarer; a model that errs less in the field makes accidents rarer.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from agents.actor import Actor

if TYPE_CHECKING:
    from agents.firm import Firm
    from simulation.model import MarketModel


class Misfortune(Actor):
    """Draws the incidents of all firms. Exposure starts with the first released model."""

    def __init__(self, model: MarketModel) -> None:
        super().__init__(model, "misfortune")

    def acquire(self) -> None:
        """Strike: one keyed draw per firm, month and kind of incident."""
        for firm in list(self.model.living.values()):
            if firm.laboratory.released:  # type: ignore[attr-defined]
                self.breach(firm)  # type: ignore[arg-type]
                self.outage(firm)  # type: ignore[arg-type]
                self.accident(firm)  # type: ignore[arg-type]

    def strikes(self, firm: Firm, kind: str, rate_year: float) -> bool:
        """Whether an incident of yearly rate `rate_year` strikes this month."""
        if rate_year <= 0:  # draws are keyed: one that is not made shifts no other
            return False
        return self.model.streams.uniform(kind, firm.name, self.model.month) < 1 - exp(-rate_year / 12)

    def breach(self, firm: Firm) -> None:
        """A data breach: costs by rows held, and trust."""
        risk = self.model.settings.risk
        if self.strikes(firm, "breach", risk.breach_rate_year * (1 - firm.settings.prevention)):
            rows = firm.laboratory.rows_lab + firm.laboratory.rows_field
            firm.suffer("breach", risk.breach_usd_per_row * rows, risk.breach_trust, f"{rows:,.0f} rows")

    def outage(self, firm: Firm) -> None:
        """A serious outage: trust; more operators make it rarer."""
        risk = self.model.settings.risk
        operators = max(firm.staff["operations"], 0.5)
        if self.strikes(firm, "outage", risk.outage_rate_year * (1 - firm.settings.prevention) / operators**0.5):
            firm.suffer("outage", 0.0, risk.outage_trust, f"{operators:.0f} operators")

    def accident(self, firm: Firm) -> None:
        """An accident where lives depend on the model: liability, trust, and the authority looks at the model.

        The hazard is customers times errors in the field, as measured; one month has at most one accident.
        """
        rate, cost = firm.sales.accident_hazard()
        if rate > 0 and self.strikes(firm, "accident", rate * (1 - firm.settings.prevention)):
            text = f"field accuracy {firm.quality_field:.3f}"
            firm.suffer("accident", cost / rate, self.model.settings.risk.accident_trust, text)
            firm.laboratory.hurried = True
