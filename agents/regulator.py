"""The authority: audits the models that firms really sell, fines, orders fixes, withdraws from the market."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy

from agents.actor import Actor
from agents.settings import RegulatorSettings
from simulation.law import LawSettings
from simulation.privacy import epsilon
from simulation.settings import SegmentSettings
from simulation.training.plan import NETWORK_KINDS, TrainingPlan, TrainingResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulation.model import MarketModel


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a model: it leaks its rows, is unfair, errs too much in the field, or collects too much."""

    leaks: bool = False
    unfair: bool = False
    inaccurate: bool = False
    excessive: bool = False

    def __bool__(self) -> bool:
        return self.leaks or self.unfair or self.inaccurate or self.excessive


def field_floor(law: LawSettings, segments: Iterable[SegmentSettings]) -> float:
    """Field accuracy that the law asks of a supplier of these segments."""
    floors = [law.field_accuracy_floor]
    for segment in segments:
        critical = law.critical_field_accuracy_floor if segment.safety_critical else 0.0
        floors += [segment.field_accuracy_floor, critical]
    return max(floors)


def examine(law: LawSettings, result: TrainingResult, plan: TrainingPlan, floor: float) -> Findings:
    """Compare a model, as it was measured, with the law."""
    return Findings(
        leaks=result.leakage > law.leakage_limit,
        unfair=result.fairness_gap > law.fairness_gap_limit,
        inaccurate=result.accuracy_field < floor,
        excessive=plan.kind in NETWORK_KINDS and plan.minimisation < round(law.minimisation_share, 3),
    )


def fine_usd(law: LawSettings, turnover_usd: float) -> float:
    """Fine by yearly turnover, at least the fixed sum, never above the ceiling: the higher of its two parts (P9)."""
    ceiling = max(law.fine_ceiling_share * turnover_usd, law.fine_ceiling_usd)
    return min(max(law.fine_turnover_share * turnover_usd, law.fine_fixed_usd), ceiling)


def report(result: TrainingResult, plan: TrainingPlan) -> str:
    """What an audit writes down: the measures, and the privacy that DP-SGD guarantees."""
    text = (
        f"leakage {result.leakage:.3f}, fairness gap {result.fairness_gap:.3f}, "
        f"field accuracy {result.accuracy_field:.3f}"
    )
    if plan.minimisation > 0:
        text += f", {plan.minimisation:.0%} of inputs not collected"
    return text + (f", ε {epsilon(plan):.1f}" if plan.dp_noise > 0 else "")


class Regulator(Actor):
    """Audits arrive at each firm at the rate of the law in force; a finding has a fine, an order and a date."""

    def __init__(self, model: MarketModel, name: str, settings: RegulatorSettings) -> None:
        super().__init__(model, name)
        self.settings = settings
        self.deadlines: dict[str, float] = {}

    def plan(self) -> None:
        """Open this month's audits, and withdraw what was not fixed in time."""
        rate = self.model.settings.law.audits_year / 12
        for firm in list(self.model.living.values()):
            if rate > 0 and self.model.streams.uniform("audit", firm.name, self.model.month) < rate:
                self.model.env.process(self.audit(firm))
            self.check_deadline(firm)

    def audit(self, firm: Any) -> Generator[simpy.Event, object, None]:
        """SimPy process: look at the released model as it was measured, and act on what is found."""
        yield self.model.env.timeout(self.settings.audit_months)
        if not firm.alive or not firm.laboratory.released:
            return
        law, result, plan = self.model.settings.law, firm.laboratory.released, firm.laboratory.released_plan
        floor = field_floor(law, (firm.sector_settings.segments[name] for name in firm.sales.slots))
        findings = examine(law, result, plan, floor)
        text = report(result, plan)
        if not findings:
            firm.record("audit passed", other=self.name, cause=result.key, text=text)
            return
        fine = firm.spend(fine_usd(law, sum(firm.revenues[-12:])), "fines", "government")
        firm.record("audit failed", other=self.name, amount_usd=fine, cause=result.key, text=text)
        self.order_fix(firm, findings, floor)

    def order_fix(self, firm: Any, findings: Findings, floor: float = 0.0) -> None:
        """Order a new model: noise on personal data, more rows of the minority, field rows until it is above `floor`.

        A model that collects more than the law allows needs no more than a new one: the law binds its plan.
        """
        lab = firm.laboratory
        if findings.leaks:
            # Assumption: each order asks for 0.3 sd of noise more, as far as 1.5.
            lab.extra_anonymisation = min(lab.extra_anonymisation + 0.3, 1.5)
        if findings.unfair:
            lab.collect_minority()
        if findings.inaccurate:
            lab.ordered_field_accuracy = floor
            firm.remedy.seek(floor)
        lab.ordered_minimisation = max(lab.ordered_minimisation, self.ordered_minimisation(findings))
        lab.fix_ordered = lab.hurried = True
        self.deadlines.setdefault(firm.name, self.model.env.now + self.settings.fix_months)

    def ordered_minimisation(self, findings: Findings) -> float:
        """Share of inputs that the next model must do without."""
        return round(self.model.settings.law.minimisation_share, 3) if findings.excessive else 0.0

    def check_deadline(self, firm: Any) -> None:
        """Withdraw market access when an order was not followed in time."""
        if firm.name not in self.deadlines:
            return
        if not firm.laboratory.fix_ordered:
            del self.deadlines[firm.name]
        elif self.model.env.now > self.deadlines[firm.name] and not firm.suspended:
            firm.suspended = True
            firm.record("withdrawn", other=self.name, cause="order to fix not followed in time")
