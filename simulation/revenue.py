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

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from simulation.demand import Floats, Ints
from simulation.settings import RevenueModel, RevenueSettings

MODELS: tuple[RevenueModel, ...] = ("subscription", "licence", "solution", "freemium", "bundle", "product", "data")


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one offer for one customer."""

    upfront_usd: float  # once, when the customer comes
    monthly_usd: float  # every month from a paying customer
    perceived_usd_month: float  # what the choice weighs against the reference price
    serving_share: float  # of the full cost of serving
    deferred: bool  # the up-front fee is earned over the contract
    free_to_start: bool


def terms_of(model: RevenueModel, price_usd: float, contract_months: float, settings: RevenueSettings) -> Terms:
    """Cash terms of a revenue model at a monthly price of `price_usd` and a mean contract of `contract_months`."""
    s = settings
    if model == "licence":
        upfront, monthly = s.licence_upfront_months * price_usd, s.licence_royalty_share * price_usd
        return Terms(upfront, monthly, upfront / contract_months + monthly, s.licence_serving_share, True, False)
    if model == "solution":
        upfront, monthly = s.solution_fee_months * price_usd, s.solution_upkeep_share * price_usd
        return Terms(upfront, monthly, upfront / contract_months + monthly, s.solution_serving_share, False, False)
    if model == "freemium":
        return Terms(0.0, price_usd, 0.0, 1.0, False, True)
    if model == "bundle":
        return Terms(0.0, 0.0, 0.0, 1.0, False, True)
    if model == "product":
        upfront, monthly = s.product_price_months * price_usd, s.product_upkeep_share * price_usd
        return Terms(upfront, monthly, upfront / contract_months + monthly, 0.0, False, False)
    if model == "data":
        return Terms(0.0, price_usd, price_usd, s.data_serving_share, False, False)
    return Terms(0.0, price_usd, price_usd, 1.0, False, False)


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
    starts_free: NDArray[np.bool_]


def unit_terms(settings: RevenueSettings) -> UnitTerms:
    """Terms at a price of one; they stay as long as the settings do."""
    unit = [terms_of(name, 1.0, 1.0, settings) for name in MODELS]
    return UnitTerms(
        np.array([terms.upfront_usd for terms in unit]),
        np.array([terms.monthly_usd for terms in unit]),
        np.array([terms.serving_share for terms in unit]),
        np.array([terms.free_to_start for terms in unit]),
    )


def cash_terms(
    model: Ints, price_usd: Floats, contract_months: Floats, unit: UnitTerms
) -> tuple[Floats, Floats, Floats, Floats]:
    """(upfront, monthly, perceived, serving share) of many offers, as `terms_of` has them one by one.

    `model` is an index of MODELS; all shapes are [offers].
    """
    upfront, monthly = unit.upfront[model] * price_usd, unit.monthly[model] * price_usd
    perceived = np.where(unit.starts_free[model], 0.0, upfront / contract_months + monthly)
    return upfront, monthly, perceived, unit.serving_share[model]
