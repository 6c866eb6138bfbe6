"""What a firm expects of each way to its next model: quality, cost, data that leave the house, dependence.

Of quality it knows what was measured: of its own model, of its own trials, of other firms' products. Only where nobody
has measured anything it goes by a prior.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from agents.averages import last_quarter
from agents.firm.supply import tokens_of
from agents.firm.ways import Option, foundation_key, serving_scale_of
from simulation.demand import advantage

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner
    from simulation.public_figures import PublicFigures
    from simulation.settings import LawSettings
    from simulation.settings.sourcing import SourcingSettings
    from simulation.training.result import TrainingResult

TRIAL_LIFE_MONTHS = 12  # assumption: what an older trial says is not relied on


class Outlook(NamedTuple):
    """One way as the firm sees it."""

    option: Option
    advantage: float
    """Expected share of the traditional method's errors that the model removes, as its makers would judge it."""
    cost_share: float
    """Cost of an answer, of licence and of pretraining, over what customers pay."""
    data_leaves: float
    """0 where answers are given in the house; else 1 where no law is strict, more where one is."""
    dependence: float
    """Share of the firm's product that would rest on this supplier."""
    is_change: bool
    """Whether the product in use would move to another way or supplier."""


def utility(seen: Outlook, terms: SourcingSettings, interoperability: float) -> float:
    """Utility of a way to a firm, utils."""
    return (
        terms.quality_weight * seen.advantage
        - terms.cost_weight * seen.cost_share
        - terms.data_weight * seen.data_leaves
        - terms.dependence_weight * seen.dependence
        - terms.switching_weight * seen.is_change * (1 - interoperability)
    )


# -- quality -----------------------------------------------------------------------------------------------------------


class Trial(NamedTuple):
    """What a firm measured on a trial, and in which month."""

    result: TrainingResult
    month: int


@dataclass(slots=True)
class Knowledge:
    """What one laboratory knows of ways to its next model: its trials, by the name of the way."""

    sector: str
    firm: str
    trials: dict[str, Trial] = field(default_factory=dict)

    def is_tried(self, option: Option, month: int) -> bool:
        """Whether there is a trial that is not too old."""
        trial = self.trials.get(option.name)
        return trial is not None and month - trial.month < TRIAL_LIFE_MONTHS

    def expected(
        self,
        option: Option,
        made_of: str,
        month: int,
        figures: PublicFigures,
        traditional: TrainingResult,
        field_weight: float,
        terms: SourcingSettings,
    ) -> float:
        """Expected advantage of a way that is not in use: by the firm's trial, else others' figures, else a prior."""

        def judged(lab: float, in_field: float) -> float:
            in_lab, there = advantage(lab, traditional.accuracy_lab), advantage(in_field, traditional.accuracy_field)
            return (1 - field_weight) * in_lab + field_weight * there

        if self.is_tried(option, month):
            result = self.trials[option.name].result
            return judged(result.accuracy_lab, result.accuracy_field)
        known = figures.of_others(self.sector, made_of, self.firm)
        if known:
            n = len(known)
            return judged(sum(one.lab for one in known) / n, sum(one.field for one in known) / n)
        return terms.prior.of(option.way)


def made_of(option: Option, kind: str) -> str:
    """Under which name figures of a product are known: its way, and the foundation where others can use it too."""
    offer = option.offer
    return option.way if offer is None else f"{kind}:{foundation_key(offer.plan)}"


# -- cost --------------------------------------------------------------------------------------------------------------


class UnitUse(NamedTuple):
    """Expected use of a laboratory's model for each dollar that customers pay, and what they pay in a month."""

    tokens_per_usd: float
    gpu_hours_per_usd: float
    sales_usd_month: float


def unit_use(firm: Owner, lab: LaboratoryLike) -> UnitUse:
    """Expected use at the price level of today: offers count by the value of their customers, one more each."""
    terms, market, segments = firm.model.settings.sourcing, firm.sales.market, firm.segments
    tokens = hours = paid = 0.0
    for name, slot in firm.sales.served_by(lab).items():
        segment = segments[name]
        price = firm.sales.price_level * segment.reference_price_usd
        users = market.columns["customers"].item(slot) + market.columns["free"].item(slot) + 1.0
        share = market.record_of(slot).cash(market.revenue).serving_share * users
        tokens += share * tokens_of(segment, terms)
        hours += share * segment.inference_gpu_hours
        paid += users * price
    sales = max(last_quarter(firm.recurring), firm.budget_usd, 1.0)
    return UnitUse(tokens / paid, hours / paid, sales) if paid > 0 else UnitUse(0.0, 0.0, sales)


def cost_share(
    option: Option,
    kind: str,
    task: str,
    rung: int,
    use: UnitUse,
    gpu_hour_usd: float,
    once_usd: float,
    terms: SourcingSettings,
) -> float:
    """Cost of a way over what customers pay: tokens or GPU hours, the fee, what is paid once over a contract's time."""
    width = option.foundation.width if option.foundation is not None else 0
    share = use.gpu_hours_per_usd * serving_scale_of(kind, task, rung, width) * gpu_hour_usd
    fixed_usd = once_usd / terms.contract_months
    if option.offer is not None:
        fixed_usd += option.offer.usd_month
        if option.way == "api":
            share += use.tokens_per_usd * option.offer.usd_per_million_tokens / 1e6
    return share + fixed_usd / use.sales_usd_month


# -- data and dependence -----------------------------------------------------------------------------------------------


def strictness(law: LawSettings) -> float:
    """How strict privacy law is, 0 … 1: the part of the data of use that firms may not keep or collect."""
    return 1 - law.consent_share * (1 - law.minimisation_share)


def data_outside(firm: Owner, lab: LaboratoryLike) -> float:
    """How much it weighs that customers' data go to a supplier: more under strict law and in critical segments."""
    terms, law, regulated = firm.model.settings.sourcing, lab.law, firm.certification.demands
    weight = factor = 0.0
    columns = firm.sales.market.columns
    for name, slot in firm.sales.served_by(lab).items():
        segment = firm.segments[name]
        value = (columns["customers"].item(slot) + columns["free"].item(slot) + 1.0) * segment.reference_price_usd
        critical = segment.safety_critical or name in regulated
        weight += value
        factor += value * (terms.critical_data_factor if critical else 1.0)
    return (factor / weight if weight > 0 else 1.0) * (1 + strictness(law))


def dependence(option: Option, lab: LaboratoryLike, laboratories: Mapping[str, LaboratoryLike]) -> float:
    """Share of the firm's product that would rest on the supplier of this way: laboratories count by their share."""
    if not option.supplier:
        return 0.0
    resting = sum(one.share for one in laboratories.values() if one is not lab and one.supplier == option.supplier)
    return resting + lab.share
