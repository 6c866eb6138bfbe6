"""Causes of a startup's end, derived from its state when it ends. Descriptive only: they decide nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from simulation.records.reasons import LARGE_INCUMBENTS_SHARE, LOW_FIELD_ADVANTAGE, LOW_TRUST, Reason
from simulation.revenue import GIVEN_AWAY

if TYPE_CHECKING:
    from agents.startup.startup import Startup


def reasons_of(firm: Startup, need: Reason) -> list[Reason]:
    """Why it ended, the most telling first: `need` is what made it leave. Thresholds are for the wording only."""
    return [need, *product_reasons(firm), *market_reasons(firm), *money_reasons(firm)]


def out_of_cash(firm: Startup) -> Reason:
    """The need of a firm that cannot pay its bills."""
    return Reason("cash", {"cash_usd": round(firm.books.cash_usd, 2)})


def short_of_cash(firm: Startup) -> Reason:
    """The need of a firm that was refused and looks for a buyer while it can still pay."""
    months = firm.runway_months()
    return Reason("runway", {"runway_months": months})


def product_reasons(firm: Startup) -> list[Reason]:
    """What its product did not hold: free users who stay free, a model that fails in use, trust."""
    reasons = []
    free, paying = firm.sales.total("free"), firm.sales.total("customers")
    is_free = any(firm.sales.market.record_of(slot).converts for slot in firm.sales.slots.values())
    if is_free and free > 0:
        share = paying / (paying + free)
        reasons.append(Reason("free", {"paying_share": share}))
    reasons += model_reasons(firm)
    if (trust := firm.sales.trust()) < LOW_TRUST:
        reasons.append(Reason("trust", {"trust": trust}))
    return reasons


def model_reasons(firm: Startup) -> list[Reason]:
    """No model, or one whose field advantage is far under what it shows in the lab."""
    lab, field = firm.laboratory.advantages()
    released = firm.laboratory.released
    if not released:
        return [Reason("no model")]
    if field >= LOW_FIELD_ADVANTAGE * lab:
        return []
    accuracies = {"accuracy_lab": released.accuracy_lab, "accuracy_field": released.accuracy_field}
    advantages = {"advantage_lab": lab, "advantage_field": field}
    return [Reason("field", {"ledger_key": released.key, **accuracies, **advantages})]


def market_reasons(firm: Startup) -> list[Reason]:
    """What incumbents hold, and what they give away."""
    reasons = []
    giants = firm.model.incumbents_share(firm.sector)
    if giants > LARGE_INCUMBENTS_SHARE:
        reasons.append(Reason("incumbents", {"share": giants}))
    if firms := givers(firm):
        reasons.append(Reason("given away", {"firms": firms}))
    return reasons


def money_reasons(firm: Startup) -> list[Reason]:
    """The refusal after which no round came."""
    refusal = firm.finance.refusal
    return [Reason("refused", asdict(refusal))] if refusal else []


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
