"""Which of its options a newborn startup takes to bring most, before it has a model of its own (CH-POSITION).

The log of what an option would bring is known up to a Gumbel error of the spread that a study leaves
(`agents.startup.positioning.research_error`), so that the choice is a logit: without a study of any weight it tends to
equal chance, with a perfect one to the best option.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, log, log1p
from typing import TYPE_CHECKING

import numpy as np

from agents.settings import EntrantSettings, FirmSettings
from agents.startup.positioning import research_error
from simulation.prospects import Pitch, prospect_usd_month
from simulation.revenue import BY_NAME

if TYPE_CHECKING:
    from agents.firm.owner import World
    from simulation.settings import RevenueModel

EXPECTED_ADVANTAGE = 0.3
"""Assumption: share of the traditional method's errors that founders expect to remove where no model is sold yet."""
LEAST_USD_MONTH = 1.0
"""What brings less is as good as nothing."""


def informed_utilities(model: World, stream: EntrantSettings) -> list[float]:
    """Utility of each option of a stream in units of the error that is left, in the order of the options."""
    error = max(research_error(model.settings.positioning, stream.research_usd), 1e-3)
    return [log(max(prospect_of_option(model, stream, option), LEAST_USD_MONTH)) / error for option in stream.offers]


def prospect_of_option(model: World, stream: EntrantSettings, option: Mapping[str, RevenueModel]) -> float:
    """What an option would bring in all its segments together, USD a month."""
    return sum(
        prospect_usd_month(model.market, (stream.sector, segment), earns, newborn_pitch(model, stream, segment, earns))
        for segment, earns in option.items()
    )


def newborn_pitch(model: World, stream: EntrantSettings, segment: str, earns: RevenueModel) -> Pitch:
    """What a usual newborn of the stream would come with: a model as good as those that others sell now."""
    lab, field_accuracy = usual_quality(model, stream.sector)
    staff: Mapping[str, float] = FirmSettings.model_fields["staff"].default
    months = model.settings.sectors[stream.sector].segments[segment].project_staff_months
    together = stream.collaboration.mean
    return Pitch(
        lab=lab,
        field_accuracy=field_accuracy,
        fit=model.settings.labour.product_fit * log1p(together * staff["product"]),
        capacity=staff["operations"] * together / months if BY_NAME[earns].tailored else inf,
        gpu_usd_hour=model.cloud.list_price_usd(model.year),
    )


def usual_quality(model: World, sector: str) -> tuple[float, float]:
    """(Mean lab advantage, best field accuracy) of what is sold in a sector; a guess and no bound where nothing is."""
    market = model.market
    inside = np.flatnonzero(market.selling & (market.sector_of_offer() == market.sector_names.index(sector)))
    if not len(inside):
        return EXPECTED_ADVANTAGE, 1.0
    return float(market["lab"][inside].mean()), float(market["field_accuracy"][inside].max())
