"""What an offer that is not on the market yet would bring in a segment, as buyers and rivals stand now.

The choice is that of `simulation.demand`, with one offer more: with e its utility for newcomers and T the sum over the
offers there, by type of buyers,

    from the unserved   aware · f · e / (1 + f · (T + e))
    from rivals         Σ choosing · k · e / (k · (1 + T − e_rival + e) + own of the rival)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf

import numpy as np

from simulation.demand import Floats
from simulation.market import Market
from simulation.revenue import BY_NAME, terms_of
from simulation.settings import RevenueModel

HORIZON_MONTHS = 12
"""Assumption: a segment is judged by what it brings a year after entry."""


@dataclass(frozen=True, slots=True)
class Pitch:
    """What a firm would come with: as in the columns of the market. `capacity`: new customers a month at most."""

    lab: float  # advantage that it shows
    field_accuracy: float
    brand_usd: float = 0.0
    fit: float = 0.0
    edge: float = 0.0
    price_level: float = 1.0
    capacity: float = inf
    gpu_usd_hour: float = 0.0
    inference_scale: float = 1.0


def new_customers_month(market: Market, place: tuple[str, str], model: RevenueModel, pitch: Pitch) -> float:
    """Customers who would come in a month to an offer in a segment; none where the model is not good enough for it."""
    index = market.segment_index[place]
    if pitch.field_accuracy < market.s["field_threshold"][index]:
        return 0.0
    own = np.exp(utility(market, index, model, pitch))
    slots = np.flatnonzero(market.segment == index)
    newcomer, staying = (np.exp(values) for values in market.utilities())
    there = newcomer[:, slots].sum(axis=1)
    keep, first = np.exp(-market.t["switching_cost"][:, index]), np.exp(-market.t["adoption_hurdle"][:, index])
    from_unserved = market.aware_by_type()[:, index] * first * own / (1 + first * (there + own))
    leaving = keep[:, np.newaxis] * (1 + (there + own)[:, np.newaxis] - newcomer[:, slots])
    choosing = market.choosing()[:, :, slots].sum(axis=0)
    from_rivals = (choosing * (keep * own)[:, np.newaxis] / (leaving + staying[:, slots])).sum(axis=1)
    return float(min((from_unserved + from_rivals).sum(), pitch.capacity))


def utility(market: Market, index: int, model: RevenueModel, pitch: Pitch) -> Floats:
    """Utility of the offer to newcomers of each type, in utils; nobody has reason to trust it more than any other."""
    t, reference = {name: values[:, index] for name, values in market.t.items()}, market.s["reference_price_usd"][index]
    contract = market.s["contract_months"][index]
    terms = terms_of(model, pitch.price_level * float(reference), float(contract), market.revenue)
    total: Floats = (
        t["brand_weight"] * np.log1p(pitch.brand_usd / market.brand.brand_unit_usd)
        + pitch.fit
        + t["tailoring_weight"] * BY_NAME[model].tailored
        + t["edge_weight"] * pitch.edge
        - t["price_weight"] * terms.perceived_usd_month / reference
        + t["advantage_weight"] * pitch.lab
    )
    return total


def prospect_usd_month(market: Market, place: tuple[str, str], model: RevenueModel, pitch: Pitch) -> float:
    """Monthly takings less cost of serving a year after entry, USD."""
    s, index = market.s, market.segment_index[place]
    come = HORIZON_MONTHS * new_customers_month(market, place, model, pitch)
    customers = min(come, float(s["customers"][index]))
    contract = float(s["contract_months"][index])
    terms = terms_of(model, pitch.price_level * float(s["reference_price_usd"][index]), contract, market.revenue)
    paying = paying_share(market, model)
    serving = float(s["inference_gpu_hours"][index]) * pitch.inference_scale * pitch.gpu_usd_hour * terms.serving_share
    income = paying * (terms.monthly_usd + terms.upfront_usd / contract)
    return customers * (income - serving * (paying + (1 - paying) * market.revenue.free_serving_share))


def paying_share(market: Market, model: RevenueModel) -> float:
    """Part of those who came evenly over the horizon who pay at its end, where others give nothing away."""
    record = BY_NAME[model]
    if not record.starts_free:
        return 1.0
    rate = market.revenue.free_conversion_month * HORIZON_MONTHS if record.converts else 0.0
    return 1 - (1 - exp(-rate)) / rate if rate else 0.0
