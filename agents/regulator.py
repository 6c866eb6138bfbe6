"""The authority: audits the models that firms really sell, fines, orders fixes, withdraws from the market."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from agents.actor import Actor
from agents.settings import RegulatorSettings

if TYPE_CHECKING:
    from simulation.model import MarketModel


class Regulator(Actor):
    """Audits arrive at each firm at the rate of the law in force; a finding has a fine, an order and a date."""

    def __init__(self, model: MarketModel, name: str, settings: RegulatorSettings) -> None:
        super().__init__(model, name)
        self.settings = settings
        self.deadlines: dict[str, float] = {}

    def plan(self) -> None:
        """Open this month's audits, and withdraw what was not fixed in time."""
        rate = self.model.settings.law.audits_year / 12
        for firm in list(self.model.firms.values()):
            if not firm.alive:
                continue
            if rate > 0 and self.model.streams.uniform("audit", firm.name, self.model.month) < rate:
                self.model.env.process(self.audit(firm))
            self.check_deadline(firm)

    def audit(self, firm: Any) -> Generator[simpy.Event, object, None]:
        """SimPy process: look at the released model as it was measured, and act on what is found."""
        yield self.model.env.timeout(self.settings.audit_months)
        if not firm.alive or not firm.laboratory.released:
            return
        law, result = self.model.settings.law, firm.laboratory.released
        leaks, unfair = result.leakage > law.leakage_limit, result.fairness_gap > law.fairness_gap_limit
        text = f"leakage {result.leakage:.3f}, fairness gap {result.fairness_gap:.3f}"
        if not (leaks or unfair):
            firm.record("audit passed", other=self.name, cause=result.key, text=text)
            return
        fine = firm.spend(law.fine_turnover_share * sum(firm.revenues[-12:]), "fines", "government")
        firm.record("audit failed", other=self.name, amount_usd=fine, cause=result.key, text=text)
        self.order_fix(firm, leaks, unfair)

    def order_fix(self, firm: Any, leaks: bool, unfair: bool) -> None:
        """Order a new model: with noise on personal data, with more rows of the minority, or both."""
        lab = firm.laboratory
        if leaks:
            # Assumption: each order asks for 0.3 sd of noise more, as far as 1.5; below, for twice the minority's rows.
            lab.extra_anonymisation = min(lab.extra_anonymisation + 0.3, 1.5)
        if unfair:
            lab.minority_share = min(2 * lab.minority_share, 0.5)
        lab.fix_ordered = lab.hurried = True
        self.deadlines.setdefault(firm.name, self.model.env.now + self.settings.fix_months)

    def check_deadline(self, firm: Any) -> None:
        """Withdraw market access when an order was not followed in time."""
        if firm.name not in self.deadlines:
            return
        if not firm.laboratory.fix_ordered:
            del self.deadlines[firm.name]
        elif self.model.env.now > self.deadlines[firm.name] and not firm.suspended:
            firm.suspended = True
            firm.record("withdrawn", other=self.name, cause="order to fix not followed in time")
