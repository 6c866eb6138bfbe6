"""Why a startup ends: what made it leave, and the causes behind it. Descriptive only: they decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.diagnosis.causes import causes_of
from simulation.records.reasons import Reason

if TYPE_CHECKING:
    from agents.startup.startup import Startup


def reasons_of(firm: Startup, need: Reason) -> list[Reason]:
    """Why it ended: `need` is what made it leave, then its causes, the most telling first."""
    return [need, *causes_of(firm)]


def out_of_cash(firm: Startup) -> Reason:
    """The need of a firm that cannot pay its bills."""
    return Reason("cash", {"cash_usd": round(firm.books.cash_usd, 2)})


def short_of_cash(firm: Startup) -> Reason:
    """The need of a firm that was refused and looks for a buyer while it can still pay."""
    return Reason("runway", {"runway_months": firm.runway_months()})
