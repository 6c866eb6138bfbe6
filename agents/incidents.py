"""Incidents (RISK): breaches and outages strike firms at hazards that prevention and operations staff lower."""

from __future__ import annotations

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
        for firm in list(self.model.firms.values()):
            if firm.alive and firm.laboratory.released:  # type: ignore[attr-defined]
                self.breach(firm)  # type: ignore[arg-type]
                self.outage(firm)  # type: ignore[arg-type]

    def strikes(self, firm: Firm, kind: str, rate_year: float) -> bool:
        """Whether an incident of yearly rate `rate_year` strikes this month."""
        return self.model.streams.uniform(kind, firm.name, self.model.month) < rate_year / 12

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
