"""A firm of direction general is a maker of general-purpose models: its duties above a threshold, the texts it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.firm.sectors_served import public_share
from simulation.general_purpose_law import duties_usd_month, evaluation_months, flop_of_hours, licence_usd, tokens_left

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from simulation.settings.law import LawSettings

TOKENS_PER_ROW = 1_000  # assumption: a row that a trunk is pretrained on stands for a short text


def makes_general_models(firm: Owner) -> bool:
    """Whether the law on general-purpose models is for this firm."""
    return not firm.serves_one


def duties_now_usd(firm: Owner, law: LawSettings) -> float:
    """Cost of the month's duties by such a law for what it has on the market, USD."""
    if not makes_general_models(firm):
        return 0.0
    hours = max(lab.released_hours for lab in firm.laboratories.values())
    return duties_usd_month(law.general_purpose, flop_of_hours(hours))


def evaluated_for(firm: Owner, gpu_hours: float) -> float:
    """Months in which a model of so many GPU hours is evaluated before its release."""
    return evaluation_months(firm.law.general_purpose, flop_of_hours(gpu_hours)) if makes_general_models(firm) else 0.0


def rows_left(firm: Owner, rows: float) -> float:
    """Rows that a trunk is pretrained on where owners withhold a part of the public ones; `rows` where none does."""
    law = firm.law.general_purpose
    if not law.opt_out_share:
        return rows
    open_to_all = public_share(len(firm.settings.adapts_to))
    return (1 - open_to_all) * rows + tokens_left(law, open_to_all * rows)


def pay_licences(firm: Owner, rows: float) -> float:
    """Pay for the public texts of a pretraining run on so many rows per sector task; returns the USD paid."""
    law = firm.law.general_purpose
    if not law.licence_usd_million_tokens:
        return 0.0
    public = rows_left(firm, rows) - (1 - public_share(len(firm.settings.adapts_to))) * rows
    return firm.spend(licence_usd(law, public * TOKENS_PER_ROW), "data")
