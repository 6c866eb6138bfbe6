"""Why a startup ended: the reasons a coroner could read off its state, with their figures. Descriptive only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.revenue import GIVEN_AWAY

if TYPE_CHECKING:
    from agents.startup.startup import Startup


def reasons_of(firm: Startup) -> list[str]:
    """Reasons in plain words, most telling first. Thresholds are for the wording only and decide nothing."""
    reasons = ["cash ran out"]
    lab, field = firm.laboratory.advantages()
    free, paying = firm.sales.total("free"), firm.sales.total("customers")
    is_free = any(firm.sales.market.record_of(slot).converts for slot in firm.sales.slots.values())
    if is_free and free > 0:
        reasons.append(f"free users did not convert ({paying / (paying + free):.1%} pay)")
    if not firm.laboratory.released:
        reasons.append("no model was ready")
    elif field < 0.5 * lab:
        measured = f"accuracy {firm.quality_field:.2f}, lab {firm.laboratory.quality_lab:.2f}"
        reasons.append(f"the model disappoints in the field ({measured})")
    if firm.sales.trust() < 0.4:
        reasons.append(f"customers lost trust ({firm.sales.trust():.2f})")
    giants = firm.model.incumbents_share(firm.sector)
    if giants > 0.5:
        reasons.append(f"incumbents hold {giants:.0%} of the sector")
    if given_away(firm):
        reasons.append("an incumbent gives a better model away")
    if firm.finance.refusal:
        reasons.append(firm.finance.refusal)
    return reasons


def given_away(firm: Startup) -> bool:
    """Whether a bundle with a better field advantage is there in one of the firm's segments."""
    market = firm.sales.market
    bundles = np.flatnonzero(GIVEN_AWAY[market.model] & market.selling)
    for slot in firm.sales.slots.values():
        same = bundles[market.segment[bundles] == market.segment[slot]]
        if same.size and market["field"][same].max() > market["field"][slot]:
            return True
    return False
