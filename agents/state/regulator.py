"""The authority: audits the models that firms really sell, fines, orders fixes, withdraws from the market."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from math import log
from typing import TYPE_CHECKING, Any

import simpy

from agents import treasury
from agents.actor import Actor
from agents.settings import RegulatorSettings
from simulation.dp_accountant import epsilon
from simulation.plugins.rules import rule
from simulation.records.events import AuditFailed, AuditPassed, Withdrawn
from simulation.settings import SegmentSettings
from simulation.settings.law import LawSettings
from simulation.training.plan import NETWORK_KINDS, TrainingPlan
from simulation.training.result import TrainingResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.firm.owner import LaboratoryLike, Owner, World


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a model: it leaks its rows, is unfair, errs too much in the field, or collects too much."""

    leaks: bool = False
    unfair: bool = False
    inaccurate: bool = False
    excessive: bool = False

    def __bool__(self) -> bool:
        return bool(self.names())

    def names(self) -> list[str]:
        """What was found, by name."""
        return [name for name, found in asdict(self).items() if found]


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


def report(result: TrainingResult, plan: TrainingPlan) -> dict[str, Any]:
    """What an audit writes down: the measures, and the privacy that DP-SGD guarantees."""
    return {
        "run": result.key,
        "leakage": result.leakage,
        "fairness_gap": result.fairness_gap,
        "field": result.accuracy_field,
        "minimisation": plan.minimisation,
        "epsilon": epsilon(plan) if plan.dp_noise > 0 else None,
    }


class Regulator(Actor):
    """Audits arrive at each firm at the rate of the law in force, and after incidents as the law says.

    A finding has a fine, an order and a date.
    """

    def __init__(self, model: World, name: str, settings: RegulatorSettings) -> None:
        super().__init__(model, name)
        self.settings = settings
        self.deadlines: dict[str, float] = {}

    def plan(self) -> None:
        """Open this month's audits, and withdraw what was not fixed in time."""
        for firm in list(self.model.living.values()):
            incident, firm.incident_to_audit = firm.incident_to_audit, ""
            after = self.reason_to_audit(firm, incident)
            if after is not None:
                self.model.env.process(self.audit(firm, after))
            if self.deadlines:
                self.check_deadline(firm)

    @rule("regulator.audit", "why a firm is audited now: the incident, or empty without one; None for no audit")
    def reason_to_audit(self, firm: Owner, incident: str) -> str | None:
        """At random, at the rate of the law; and after incidents with the chance that the law says."""
        law, streams, month = firm.law, self.model.streams, self.model.month
        rate = law.audits_year / 12
        if rate > 0 and streams.uniform("audit", firm.name, month) < rate:
            return ""
        if incident and streams.uniform("incident audit", firm.name, month) < law.audit_after_incident:
            return incident
        return None

    def audit(self, firm: Owner, after: str = "") -> Generator[simpy.Event, object, None]:
        """SimPy process: look at the released model as it was measured, and act on what is found.

        `after` names the incident that brought the audit, if one did.
        """
        jurisdiction = self.who_audits(firm, after)
        self.pay(firm, jurisdiction)
        yield self.model.env.timeout(self.settings.audit_months)
        for lab in firm.laboratories.values() if firm.alive else ():
            if lab.released:
                self.look_at(firm, lab, after, jurisdiction)

    def who_audits(self, firm: Owner, after: str = "") -> str:
        """The jurisdiction whose law brings the audit: drawn by the rate that each law adds; empty for the world's."""
        laws = self.model.laws
        if not laws.jurisdictions:
            return ""
        name = "audit_after_incident" if after else "audits_year"
        general = getattr(laws.on_sale(firm.sector), name)
        added = {one: getattr(laws.on_sale(firm.sector, one), name) - general for one in firm.markets_served if one}
        rates = {"": general, **added}
        weights = {one: log(rate) for one, rate in rates.items() if rate > 0}
        return self.model.streams.choice(weights, "auditing jurisdiction", firm.name, self.model.month)

    def pay(self, firm: Owner, jurisdiction: str) -> None:
        """What the audit costs the state."""
        usd = self.model.laws.on_sale(firm.sector, jurisdiction).audit_cost_usd
        if usd > 0:
            whom = treasury.recipient(firm)._replace(jurisdiction=jurisdiction)
            treasury.pay_out(self.model, "audits", "suppliers", usd, "income", whom, (firm.name,))

    def look_at(self, firm: Owner, lab: LaboratoryLike, after: str, jurisdiction: str = "") -> None:
        """Audit one model of a firm; of the models in one audit, each that fails is fined."""
        law, result, plan = self.model.laws.on_sale(lab.sector, jurisdiction), lab.released, lab.released_plan
        assert result is not None and plan is not None
        floor = field_floor(law, (firm.segments[name] for name in firm.sales.served_by(lab)))
        findings = examine(law, result, plan, floor)
        found = {"other": self.name, "sector": lab.where, "incident": after, **report(result, plan)}
        if not findings:
            firm.record(AuditPassed(**found))
            return
        fine = treasury.receive(firm, "fines", fine_usd(law, sum(firm.revenues[-12:])), "fines", jurisdiction)
        firm.record(AuditFailed(amount_usd=fine, findings=findings.names(), **found))
        self.order_fix(firm, findings, floor, lab.sector, jurisdiction)

    def order_fix(
        self, firm: Owner, findings: Findings, floor: float = 0.0, sector: str = "", jurisdiction: str = ""
    ) -> None:
        """Order a new model: the firm's remedy of leaks, more rows of the minority, field rows until above `floor`.

        A model that collects more than the law allows needs no more than a new one: the law binds its plan. `sector` is
        where it is sold, by default the firm's home.
        """
        lab = firm.laboratories[sector or firm.sector]
        if findings.leaks:
            lab.leak_remedy.order(firm.settings.remedy)
        if findings.unfair:
            lab.collect_minority()
        if findings.inaccurate:
            lab.ordered_field_accuracy = floor
            lab.field_remedy.seek(floor)
        asked = self.model.laws.on_sale(lab.sector, jurisdiction).minimisation_share
        lab.ordered_minimisation = max(lab.ordered_minimisation, round(asked, 3) if findings.excessive else 0.0)
        lab.fix_ordered = lab.hurried = True
        self.deadlines.setdefault(lab.name, self.model.env.now + self.settings.fix_months)

    def check_deadline(self, firm: Owner) -> None:
        """Withdraw market access when an order was not followed in time."""
        for lab in firm.laboratories.values():
            if lab.name not in self.deadlines:
                continue
            if not lab.fix_ordered:
                del self.deadlines[lab.name]
            elif self.model.env.now > self.deadlines[lab.name] and not lab.suspended:
                lab.suspended = True
                firm.record(Withdrawn(other=self.name, sector=lab.where))
