"""Examinations: where the law asks for one, a model is sold only after it has shown what it can do in the field.

An examination takes months and has a fee. While a new model is examined, the certificate of the one before covers it
(assumption); a model that fails has none until a later one passes.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import simpy

from agents import treasury
from simulation.records.events import CertificateRefused, Certified
from simulation.settings import SegmentSettings, WorldSettings
from simulation.settings.law import CertificationSettings
from simulation.training.result import TrainingResult

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from agents.settings import FirmSettings


@dataclass(frozen=True, slots=True)
class Demand:
    """What an examination asks of a model: least field accuracy, largest accuracy gap between groups."""

    field_accuracy: float
    fairness_gap: float

    def met_by(self, result: TrainingResult) -> bool:
        """Whether a model, as it was measured, passes."""
        return result.accuracy_field >= self.field_accuracy and result.fairness_gap <= self.fairness_gap


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof that a model passed: its ledger key, and when (months since the start of the world)."""

    key: str
    since: float


def demand_of(law: CertificationSettings, segment: SegmentSettings) -> Demand | None:
    """What the law and the segment ask of a model, the stricter of both; None where they ask for no examination."""
    covered = law.scope == "all" or (law.scope == "safety-critical" and segment.safety_critical)
    accuracy = max(segment.certified_field_accuracy, law.field_accuracy if covered else 0.0)
    gap = min(segment.certified_fairness_gap, law.fairness_gap if covered else 1.0)
    return Demand(accuracy, gap) if covered or accuracy > 0 or gap < 1 else None


class Certification:
    """Certificates of one firm by segment, and where it may sell."""

    def __init__(self, firm: Owner) -> None:
        self.firm, self.model = firm, firm.model
        self.certificates: dict[str, Certificate] = {}
        self.examined: dict[str, str] = {}  # ledger key under examination, by segment
        self.refused: dict[str, tuple[str, Demand]] = {}
        self.may_sell_until: dict[str, float] = {}  # transition, by segment that asks for an examination
        self._asked: tuple[WorldSettings, FirmSettings, dict[str, Demand]] | None = None

    @property
    def law(self) -> CertificationSettings:
        """The rules in force."""
        return self.firm.law.certification

    @property
    def mandatory(self) -> bool:
        """Whether nothing may be sold without the certificate that is asked for."""
        return self.law.mandatory

    @property
    def demands(self) -> Mapping[str, Demand]:
        """What is asked now, by segment; who asks for no examination is left out.

        Settings never change, they are replaced: what follows from them is worked out anew when they are others.
        """
        world, own = self.model.settings, self.firm.settings
        if self._asked is None or self._asked[0] is not world or self._asked[1] is not own:
            asked = {
                name: demand_of(self.firm.law_for(name).certification, segment)
                for name, segment in self.firm.segments.items()
            }
            self._asked = world, own, {name: demand for name, demand in asked.items() if demand is not None}
        return self._asked[2]

    def forget_demands(self) -> None:
        """Work out anew what is asked, for the firm sells to other jurisdictions than before."""
        self._asked = None

    def demand(self, segment: str) -> Demand | None:
        """What is asked in a segment now."""
        return self.demands.get(segment)

    def follow(self, old: str, new: str) -> None:
        """The same model goes by the key of a later measurement: certificates and examinations stay its own."""
        for segment, held in self.certificates.items():
            if held.key == old:
                self.certificates[segment] = replace(held, key=new)
        for segment, key in self.examined.items():
            if key == old:
                self.examined[segment] = new

    # -- where the firm may sell --------------------------------------------------------------------------------------

    def admits(self, segment: str) -> bool:
        """Whether the released model may be sold in a segment."""
        if not self.law.mandatory or self.demand(segment) is None:
            return True
        return self.is_certified(segment) or self.in_transition(segment) or self.in_sandbox()

    def room(self, segment: str) -> float:
        """New customers that the sandbox leaves; infinite where nothing, a certificate or a transition counts."""
        if not self.law.mandatory or self.demand(segment) is None:
            return math.inf
        if self.is_certified(segment) or self.in_transition(segment):
            return math.inf
        market, slot = self.model.market, self.firm.sales.slots[segment]
        served = float(market["customers"][slot] + market["free"][slot])
        return max(self.law.sandbox_customers - served, 0.0)

    def is_certified(self, segment: str) -> bool:
        """Whether a certificate covers the released model."""
        certificate, released = self.certificates.get(segment), self.firm.laboratory_for(segment).released
        if certificate is None or released is None or self.model.env.now >= self.expiry(certificate):
            return False
        return certificate.key == released.key or segment in self.examined

    def in_transition(self, segment: str) -> bool:
        """Whether an offer that was on sale when the rule came may still be sold."""
        return self.model.env.now < self.may_sell_until.get(segment, -math.inf)

    def in_sandbox(self) -> bool:
        """Whether the firm is a startup young enough for the sandbox, where there is one."""
        young = self.firm.age_years() < self.law.sandbox_years
        return self.firm.kind == "startup" and young and self.law.sandbox_customers > 0

    def expiry(self, certificate: Certificate) -> float:
        """Month in which a certificate ends."""
        return certificate.since + self.law.renewal_months if self.law.renewal_months > 0 else math.inf

    # -- examinations -------------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Hand the released model in wherever an examination is asked for and none is held or under way for it."""
        if not self.may_sell_until and not self.demands:
            return
        for segment, slot in self.firm.sales.slots.items():
            demand = self.demand(segment)
            if demand is None:
                self.may_sell_until.pop(segment, None)
                continue
            on_sale = bool(self.model.market.selling[slot])
            grace = self.law.transition_months if on_sale else 0.0
            self.may_sell_until.setdefault(segment, self.model.env.now + grace)
            released = self.firm.laboratory_for(segment).released
            if released is not None and self.is_due(segment, demand, released):
                self.examined[segment] = released.key
                self.model.env.process(self.examine(segment, released))

    def is_due(self, segment: str, demand: Demand, released: TrainingResult) -> bool:
        """Whether the released model should be handed in now, and the fee can be paid."""
        held = self.certificates.get(segment)
        if segment in self.examined or self.refused.get(segment) == (released.key, demand):
            return False
        # A month to spare: firms decide once a month.
        ends_soon = held is not None and self.model.env.now + self.law.exam_months + 1 >= self.expiry(held)
        needed = held is None or held.key != released.key or ends_soon
        return needed and self.firm.books.cash_usd >= self.law.fee_usd

    def examine(self, segment: str, result: TrainingResult) -> Generator[simpy.Event, object, None]:
        """SimPy process: the model handed in is examined by the rules of the day on which the examination ends."""
        firm = self.firm
        treasury.receive(firm, "fees", self.law.fee_usd, "compliance")
        yield self.model.env.timeout(self.law.exam_months)
        handed_in = self.examined.pop(segment)  # its key now: it may have been measured anew meanwhile
        demand = self.demand(segment) if segment in firm.sales.slots else None
        if not firm.alive or demand is None:
            return
        if demand.met_by(result):
            self.grant(segment, result, handed_in)
        else:
            self.refuse(segment, result, demand)

    def grant(self, segment: str, result: TrainingResult, key: str = "") -> None:
        """Give the certificate, to the model's `key` of now where it is another; the first earns trust."""
        if segment not in self.certificates:
            trust, slot = self.model.market["trust"], self.firm.sales.slots[segment]
            trust[slot] = min(trust[slot] + self.law.trust, 1.0)
        self.certificates[segment] = Certificate(key or result.key, self.model.env.now)
        self.refused.pop(segment, None)
        self.firm.record(Certified(other=segment, **found_in(result)))

    def refuse(self, segment: str, result: TrainingResult, demand: Demand) -> None:
        """Refuse it; the firm works on what was missing: rows from the field, rows of the minority."""
        self.certificates.pop(segment, None)
        self.refused[segment] = (result.key, demand)
        self.firm.record(CertificateRefused(other=segment, **found_in(result)))
        laboratory = self.firm.laboratory_for(segment)
        if result.accuracy_field < demand.field_accuracy:
            laboratory.field_remedy.seek(demand.field_accuracy)
        if result.fairness_gap > demand.fairness_gap:
            laboratory.collect_minority()


def found_in(result: TrainingResult) -> dict[str, Any]:
    """What an examination writes down."""
    return {"run": result.key, "field": result.accuracy_field, "fairness_gap": result.fairness_gap}
