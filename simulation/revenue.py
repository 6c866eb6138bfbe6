"""Revenue models as cash flows (CH-REVENUE): what a customer pays, when, and what serving it costs.

subscription   the price every month; the vendor serves the model
licence        an up-front fee and a royalty; the customer runs the model; revenue is deferred over the contract
solution       a project fee on delivery (which takes operations staff) and upkeep; served partly on site
freemium       nothing; a share converts to the price every month; free users cost inference all the same
bundle         nothing, ever: an incumbent pays for it from its other business
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.demand import Floats, Ints
from simulation.settings import RevenueModel, RevenueSettings

MODELS: tuple[RevenueModel, ...] = ("subscription", "licence", "solution", "freemium", "bundle")


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
    return Terms(0.0, price_usd, price_usd, 1.0, False, False)


def cash_terms(
    model: Ints, price_usd: Floats, contract_months: Floats, settings: RevenueSettings
) -> tuple[Floats, Floats, Floats, Floats]:
    """(upfront, monthly, perceived, serving share) of many offers, as `terms_of` has them one by one.

    All terms are proportional to the price, so that those at a price of one say everything. `model` is an index of
    MODELS; all shapes are [offers].
    """
    unit = [terms_of(name, 1.0, 1.0, settings) for name in MODELS]
    upfront = np.array([terms.upfront_usd for terms in unit])[model] * price_usd
    monthly = np.array([terms.monthly_usd for terms in unit])[model] * price_usd
    starts_free = np.array([terms.free_to_start for terms in unit])[model]
    perceived = np.where(starts_free, 0.0, upfront / contract_months + monthly)
    return upfront, monthly, perceived, np.array([terms.serving_share for terms in unit])[model]
