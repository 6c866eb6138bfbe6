"""Where a startup sells: market research, and entering or leaving segments of its sector (CH-POSITION).

A study costs money and time. It tells what each segment would bring a year after entry (`simulation.prospects`), with
an error that falls with what is paid for it:

    seen = true · exp(σ z),      σ = research_error · (1 + paid / research_unit_usd)^(−1/2)

as the error of a mean falls with the size of the sample; z is a keyed draw by firm, segment and study.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, inf, log1p
from typing import TYPE_CHECKING

import numpy as np

from agents.averages import average
from agents.firm.sectors_served import place_of
from simulation.prospects import Pitch, prospect_usd_month
from simulation.records.events import MarketResearch, SegmentEntered, SegmentLeft
from simulation.revenue import BY_NAME, data_advantage, data_worth

if TYPE_CHECKING:
    from agents.startup.startup import Startup
    from simulation.settings import PositioningSettings, RevenueModel

# Assumption: a startup is stuck while sales stay under a fifth of costs, as for a pivot.
STUCK_SHARE = 0.2


def research_error(settings: PositioningSettings, paid_usd: float) -> float:
    """Spread of the error of a study that cost so much, in log units."""
    return float(settings.research_error / (1 + paid_usd / settings.research_unit_usd) ** 0.5)


@dataclass(frozen=True, slots=True)
class Study:
    """A study of the sector's segments under way: its number, what was paid, the month in which it is there."""

    number: int
    paid_usd: float
    due: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What a study says of a segment that the startup does not serve, USD a month by the best way of earning there."""

    segment: str
    earns: RevenueModel
    seen_usd_month: float
    true_usd_month: float


class Positioning:
    """Market research of one startup, and what it makes of it."""

    def __init__(self, firm: Startup) -> None:
        self.firm, self.model = firm, firm.model
        self.study: Study | None = None
        self.n_studies = 0
        self.last_study_month = firm.founded_month

    # -- market research ----------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Commission a study when there is reason to; act on it when it is there."""
        if self.study is None:
            if self.has_reason():
                self.commission()
        elif self.model.month >= self.study.due:
            study, self.study = self.study, None
            self.act_on(study)

    def has_reason(self) -> bool:
        """Whether it is stuck, or looks elsewhere all the same, and can afford to know more."""
        settings, firm = self.model.settings.positioning, self.firm
        rested = self.model.month - self.last_study_month >= settings.interval_months
        if not rested or not firm.laboratory.released or not self.unserved():
            return False
        return self.is_stuck() or self.looks_elsewhere()

    def is_stuck(self) -> bool:
        """Whether sales stay under a fifth of costs."""
        return average(self.firm.revenues[-6:]) <= STUCK_SHARE * average(self.firm.costs[-6:])

    def looks_elsewhere(self) -> bool:
        """A keyed draw by month."""
        chance = -expm1(-self.model.settings.positioning.looks_year / 12)
        return self.model.streams.uniform("looks elsewhere", self.firm.name, self.model.month) < chance

    def unserved(self) -> list[str]:
        """Segments of its sector in which it sells nothing, in their order."""
        return [name for name in self.firm.sector_settings.segments if name not in self.firm.sales.slots]

    def commission(self) -> None:
        """Pay for a study, and wait for it."""
        settings, firm = self.model.settings.positioning, self.firm
        wanted = min(settings.research_usd, settings.research_cash_share * firm.books.cash_usd)
        paid = firm.spend(wanted, "positioning")
        self.n_studies += 1
        self.last_study_month = self.model.month
        self.study = Study(self.n_studies, paid, self.model.month + settings.research_months)

    def findings(self, study: Study) -> list[Finding]:
        """What the study says of the segments that it does not serve, best first."""
        error = research_error(self.model.settings.positioning, study.paid_usd)
        found = [self.finding(segment, study.number, error) for segment in self.unserved()]
        return sorted(found, key=lambda one: (-one.seen_usd_month, one.segment))

    def finding(self, segment: str, number: int, error: float) -> Finding:
        """True prospect of a segment, and what the study makes of it."""
        place = place_of(self.firm.sector, segment)
        prospects = {
            earns: prospect_usd_month(self.model.market, place, earns, self.pitch(segment, earns))
            for earns in self.ways_to_earn(place)
        }
        best = max(prospects, key=lambda earns: (prospects[earns], earns))
        z = self.model.streams.normal("market research", f"{self.firm.name}:{segment}", number)
        return Finding(segment, best, prospects[best] * exp(error * z), prospects[best])

    def ways_to_earn(self, place: tuple[str, str]) -> set[RevenueModel]:
        """How it earns elsewhere, and how others do there, but for what takes more than a model (assumption)."""
        market = self.model.market
        mine = {market.record_of(slot) for slot in self.firm.sales.slots.values()}
        there = np.flatnonzero(market.selling & (market.segment == market.segment_index[place]))
        others = {market.record_of(slot) for slot in there.tolist()}
        easy = {one for one in others if not (one.sells_goods or one.without_model or one.starts_free)}
        return {record.name for record in mine | easy}

    def pitch(self, segment: str, earns: RevenueModel) -> Pitch:
        """What it would come with."""
        firm, model, lab = self.firm, self.model, self.firm.laboratory
        released, people = lab.released, firm.staff["operations"] * firm.settings.collaboration
        months = firm.segments[segment].project_staff_months
        advantage = lab.advantages()[0]
        if BY_NAME[earns].without_model:
            revenue, consent = model.settings.revenue, firm.law.consent_share
            advantage = data_advantage(advantage, data_worth(lab.rows_field * consent, revenue), revenue)
        return Pitch(
            lab=advantage,
            field_accuracy=released.accuracy_field if released else 0.0,
            brand_usd=firm.brand_usd,
            fit=model.settings.labour.product_fit * log1p(firm.settings.collaboration * firm.staff["product"]),
            edge=float(firm.settings.compression != "none"),
            price_level=firm.sales.price_level,
            capacity=max(people, 0.2) / months if BY_NAME[earns].tailored else inf,
            gpu_usd_hour=model.cloud.list_price_usd(model.year),
            inference_scale=lab.serving_scale(),
        )

    # -- entering and leaving -----------------------------------------------------------------------------------------

    def act_on(self, study: Study) -> None:
        """Enter the best segment if it pays; leave those that bring too little against it or against their upkeep."""
        found = self.findings(study)
        if not found:
            return
        best = found[0]
        self.firm.record(
            MarketResearch(
                other=best.segment,
                amount_usd=study.paid_usd,
                seen_usd_month=best.seen_usd_month,
                true_usd_month=best.true_usd_month,
            )
        )
        settings = self.model.settings.positioning
        brings = {segment: self.brings_usd_month(segment) for segment in self.home_segments()}
        least = settings.upkeep_usd_month
        if self.pays(best):
            if self.is_stuck():
                least = max(least, best.seen_usd_month / settings.gain_asked)
            self.enter(best)
        self.leave_below(least, brings)

    def pays(self, finding: Finding) -> bool:
        """Whether entry seems to pay for itself in time, and the firm can afford it without giving half its cash."""
        settings = self.model.settings.positioning
        margin = finding.seen_usd_month - settings.upkeep_usd_month
        affordable = settings.entry_usd <= 0.5 * self.firm.books.cash_usd
        return affordable and margin > 0 and margin * settings.payback_months >= settings.entry_usd

    def home_segments(self) -> list[str]:
        """Segments of its sector in which it sells."""
        return [name for name in self.firm.sales.slots if name in self.firm.sector_settings.segments]

    def brings_usd_month(self, segment: str) -> float:
        """Takings less cost of serving in a segment last month, USD; up-front payments spread over the contract."""
        firm, columns = self.firm, self.model.market.columns
        slot, own = firm.sales.slots[segment], firm.segments[segment]
        income = columns["monthly_usd"].item(slot) + columns["upfront_usd"].item(slot) / own.contract_months
        return columns["customers"].item(slot) * income - firm.sales.serving_usd(only=segment)

    def enter(self, finding: Finding) -> None:
        """Open an offer in a segment."""
        firm = self.firm
        paid = firm.spend(self.model.settings.positioning.entry_usd, "positioning")
        firm.sales.enter(finding.segment, finding.earns)
        firm.last_pivot_month = self.model.month
        firm.record(SegmentEntered(other=finding.segment, amount_usd=paid, earns=finding.earns))

    def leave_below(self, least_usd_month: float, brings: dict[str, float]) -> None:
        """Leave the segments that bring less; the one that brings most is kept where nothing was entered."""
        firm = self.firm
        for segment in sorted(brings, key=lambda name: (brings[name], name)):
            if brings[segment] >= least_usd_month or len(firm.sales.slots) == 1:
                return
            firm.sales.leave(segment)
            firm.record(SegmentLeft(other=segment, brings_usd_month=brings[segment]))
