"""Revenue models as cash flows (CH-REVENUE): what a customer pays, when, and what serving it costs.

subscription   the price every month; the vendor serves the model
licence        an up-front fee and a royalty; the customer runs the model; revenue is deferred over the contract
solution       a project fee on delivery (which takes operations staff) and upkeep; served partly on site
freemium       nothing; a share converts to the price every month; free users cost inference all the same
bundle         nothing, ever: an incumbent pays for it from its other business
product        the price of a thing with its hardware, once and again when its life (the contract) is over; the vendor
               pays for the goods, the customer runs it; little upkeep
data           the price every month for reports, labelled feeds, benchmarks; what they are worth follows the rows that
               use has given and people consent to pass on (`data_worth`), and only a little the model
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from simulation.demand import Floats, Ints
from simulation.settings import RevenueModel, RevenueSettings


@dataclass(frozen=True, slots=True)
class UnitCash:
    """Cash of one customer at a price of one, by which all models are proportional."""

    upfront: float  # once, when the customer comes
    monthly: float  # every month from a paying customer
    serving_share: float = 1.0  # of the full cost of serving


@dataclass(frozen=True, slots=True)
class RevenueModelRecord:
    """One way of earning: which cash flows, what is deferred, what customers perceive, what it costs, what is open.

    `cash` gives the cash flows from the settings. A model that `starts_free` is perceived as free; of those, one that
    `converts` has users who begin to pay the price. `deferred` fees are earned over the contract. A `tailored` offer
    takes projects of the seller's staff before customers come; one that `sells_goods` has goods to pay for and is
    bought anew when its life is over. Who buys one that is `without_model` uses no model.
    """

    name: RevenueModel
    cash: Callable[[RevenueSettings], UnitCash]
    starts_free: bool = False
    converts: bool = False
    deferred: bool = False
    by_contract: bool = False  # counted as licences and tailored solutions
    tailored: bool = False
    sells_goods: bool = False
    without_model: bool = False
    care: Callable[[RevenueSettings], float] = lambda settings: 1.0
    """Care that a customer needs, against one whose model the vendor runs."""
    pivots_to: RevenueModel | None = None
    """How a firm earns after a pivot (assumption); None: it stays."""


RECORDS: tuple[RevenueModelRecord, ...] = (
    RevenueModelRecord("subscription", lambda s: UnitCash(0.0, 1.0), pivots_to="solution"),
    RevenueModelRecord(
        "licence",
        lambda s: UnitCash(s.licence_upfront_months, s.licence_royalty_share, s.licence_serving_share),
        deferred=True,
        by_contract=True,
        pivots_to="subscription",
    ),
    RevenueModelRecord(
        "solution",
        lambda s: UnitCash(s.solution_fee_months, s.solution_upkeep_share, s.solution_serving_share),
        by_contract=True,
        tailored=True,
    ),
    RevenueModelRecord(
        "freemium", lambda s: UnitCash(0.0, 1.0), starts_free=True, converts=True, pivots_to="subscription"
    ),
    RevenueModelRecord("bundle", lambda s: UnitCash(0.0, 0.0), starts_free=True),
    RevenueModelRecord(
        "product",
        lambda s: UnitCash(s.product_price_months, s.product_upkeep_share, 0.0),
        sells_goods=True,
        care=lambda s: s.product_upkeep_share,
    ),
    RevenueModelRecord(
        "data",
        lambda s: UnitCash(0.0, 1.0, s.data_serving_share),
        without_model=True,
        care=lambda s: s.data_serving_share,
    ),
)
MODELS: tuple[RevenueModel, ...] = tuple(record.name for record in RECORDS)
BY_NAME: dict[RevenueModel, RevenueModelRecord] = {record.name: record for record in RECORDS}


def switch(flag: Callable[[RevenueModelRecord], bool]) -> NDArray[np.bool_]:
    """A switch of all models, by their index: shape [models]."""
    return np.array([flag(record) for record in RECORDS])


STARTS_FREE = switch(lambda record: record.starts_free)
CONVERTS = switch(lambda record: record.converts)
TAILORED = switch(lambda record: record.tailored)
GIVEN_AWAY = STARTS_FREE & ~CONVERTS
WITHOUT_MODEL = switch(lambda record: record.without_model)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one offer for one customer."""

    upfront_usd: float  # once, when the customer comes
    monthly_usd: float  # every month from a paying customer
    perceived_usd_month: float  # what the choice weighs against the reference price
    serving_share: float  # of the full cost of serving


def terms_of(model: RevenueModel, price_usd: float, contract_months: float, settings: RevenueSettings) -> Terms:
    """Cash terms of a revenue model at a monthly price of `price_usd` and a mean contract of `contract_months`."""
    record = BY_NAME[model]
    unit = record.cash(settings)
    upfront, monthly = unit.upfront * price_usd, unit.monthly * price_usd
    perceived = 0.0 if record.starts_free else upfront / contract_months + monthly
    return Terms(upfront, monthly, perceived, unit.serving_share)


def data_worth(rows: float, settings: RevenueSettings) -> float:
    """What `rows` from use are worth as data products, 0..1: as a logarithm, 0 up to the least that can be sold.

    Same unit as an advantage over the traditional method: 1 would remove all of its errors. The logarithm is the
    shape of learning curves with rows (Hestness et al. 2017 fit power laws with small exponents); the ends are
    assumptions.
    """
    least, full = settings.data_rows_least, settings.data_rows_full
    return min(max(log(max(rows, 1.0) / least) / log(full / least), 0.0), 1.0)


def data_advantage(advantage: float, worth: float, settings: RevenueSettings) -> float:
    """Advantage that a buyer of data products gets: mostly what the rows are worth, a little of the model's own."""
    return (1 - settings.data_model_share) * worth + settings.data_model_share * advantage


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """Terms of all MODELS at a price of one, shapes [models]: they say everything, for all are proportional to it."""

    upfront: Floats
    monthly: Floats
    serving_share: Floats
    care_share: Floats


def unit_terms(settings: RevenueSettings) -> UnitTerms:
    """Terms at a price of one; they stay as long as the settings do."""
    unit = [record.cash(settings) for record in RECORDS]
    return UnitTerms(
        np.array([cash.upfront for cash in unit]),
        np.array([cash.monthly for cash in unit]),
        np.array([cash.serving_share for cash in unit]),
        np.array([record.care(settings) for record in RECORDS]),
    )


def cash_terms(
    model: Ints, price_usd: Floats, contract_months: Floats, unit: UnitTerms
) -> tuple[Floats, Floats, Floats, Floats]:
    """(upfront, monthly, perceived, serving share) of many offers, as `terms_of` has them one by one.

    `model` is an index of MODELS; all shapes are [offers].
    """
    upfront, monthly = unit.upfront[model] * price_usd, unit.monthly[model] * price_usd
    perceived = np.where(STARTS_FREE[model], 0.0, upfront / contract_months + monthly)
    return upfront, monthly, perceived, unit.serving_share[model]
