"""Causes of a startup's end, derived from its state when it ends. Descriptive only: they decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.records.reasons import Reason
from simulation.revenue import GIVEN_AWAY

if TYPE_CHECKING:
    from agents.startup.startup import Startup


def reasons_of(firm: Startup, need: Reason) -> list[Reason]:
    """Why it ended, the most telling first: `need` is what made it leave. Thresholds are for the wording only."""
    return [need, *product_reasons(firm), *market_reasons(firm), *money_reasons(firm)]


def out_of_cash(firm: Startup) -> Reason:
    """The need of a firm that cannot pay its bills."""
    return Reason("cash", "cash ran out", {"cash_usd": round(firm.books.cash_usd, 2)})


def short_of_cash(firm: Startup) -> Reason:
    """The need of a firm that was refused and looks for a buyer while it can still pay."""
    months = firm.runway_months()
    return Reason("runway", f"cash for {months:.1f} months was left, and nobody invested", {"runway_months": months})


def product_reasons(firm: Startup) -> list[Reason]:
    """What its product did not hold: free users who stay free, a model that fails in use, trust."""
    reasons = []
    free, paying = firm.sales.total("free"), firm.sales.total("customers")
    is_free = any(firm.sales.market.record_of(slot).converts for slot in firm.sales.slots.values())
    if is_free and free > 0:
        share = paying / (paying + free)
        reasons.append(Reason("free", f"free users did not convert ({share:.1%} pay)", {"paying_share": share}))
    reasons += model_reasons(firm)
    if (trust := firm.sales.trust()) < 0.4:
        reasons.append(Reason("trust", f"customers lost trust ({trust:.2f})", {"trust": trust}))
    return reasons


def model_reasons(firm: Startup) -> list[Reason]:
    """No model, or one whose field advantage is under half of what it shows in the lab."""
    lab, field = firm.laboratory.advantages()
    released = firm.laboratory.released
    if not released:
        return [Reason("no model", "no model was ready")]
    if field >= 0.5 * lab:
        return []
    says = f"accuracy {released.accuracy_field:.2f}, lab {released.accuracy_lab:.2f}"
    figures = {"ledger_key": released.key, "advantage_lab": lab, "advantage_field": field}
    return [Reason("field", f"the model disappoints in the field ({says})", figures)]


def market_reasons(firm: Startup) -> list[Reason]:
    """What incumbents hold, and what they give away."""
    reasons = []
    giants = firm.model.incumbents_share(firm.sector)
    if giants > 0.5:
        reasons.append(Reason("incumbents", f"incumbents hold {giants:.0%} of the sector", {"share": giants}))
    if firms := givers(firm):
        reasons.append(Reason("given away", "an incumbent gives a better model away", {"firms": firms}))
    return reasons


def money_reasons(firm: Startup) -> list[Reason]:
    """The refusal after which no round came."""
    refusal = firm.finance.refusal
    return [Reason("refused", refusal.says, {"stage": refusal.stage})] if refusal else []


def givers(firm: Startup) -> list[str]:
    """Who bundles a model with a better field advantage in one of the firm's segments, by name."""
    market = firm.sales.market
    found: set[str] = set()
    bundles = np.flatnonzero(GIVEN_AWAY[market.model] & market.selling)
    for slot in firm.sales.slots.values():
        same = bundles[market.segment[bundles] == market.segment[slot]]
        better = same[market["field"][same] > market["field"][slot]]
        found |= {market.firm[i] for i in better.tolist()}
    return sorted(found)
