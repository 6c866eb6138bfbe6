"""Parameters of venture capital.

Source ids (S1, V16, C10 …) refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulation.parameters import Settings, parameter
from simulation.settings.names import Stage
from simulation.settings.valuation import ExpectationSettings, RecapitalisationSettings


class StageTerms(Settings):
    """Usual terms of one financing stage; sizes move linearly in time between the two dates."""

    pre_money_usd: float = parameter(5.9e6, "median pre-money valuation in 2014", "USD", low=1e4, high=1e11)
    round_usd_2014: float = parameter(1e6, "median round in 2014", "USD", low=1e4, high=1e10)
    round_usd_2022: float = parameter(2.5e6, "median round in 2022", "USD", low=1e4, high=1e10)


def _stages() -> dict[Stage, StageTerms]:
    return {
        "seed": StageTerms(pre_money_usd=5.9e6, round_usd_2014=1.0e6, round_usd_2022=2.5e6),  # V16, V20
        "A": StageTerms(pre_money_usd=13.1e6, round_usd_2014=5e6, round_usd_2022=14e6),  # V16, V20
        "B": StageTerms(pre_money_usd=36.9e6, round_usd_2014=12e6, round_usd_2022=21e6),  # V16, V20; 2014: assumption
        "C": StageTerms(pre_money_usd=70.5e6, round_usd_2014=20e6, round_usd_2022=23e6),  # V16, V20; 2014: assumption
        "growth": StageTerms(pre_money_usd=200e6, round_usd_2014=40e6, round_usd_2022=60e6),  # assumption
    }


class CapitalSettings(Settings):
    """Venture capital: stages, what investors look at, how long it takes."""

    stages: dict[Stage, StageTerms] = Field(
        default_factory=_stages,
        description="usual terms by stage",
        json_schema_extra={"unit": "USD", "source": "V16, V20"},
    )
    seed_sigma: float = parameter(
        1.25,
        "spread of entrants' seed rounds around the usual one (log scale)",
        "",
        low=0,
        high=2.5,
        source="calibrated to S1; V20: mean 3.7 M$ beside a median of 2.5 in 2022, without the largest, is 0.9",
    )
    diligence_months: float = parameter(
        4.0, "median time from the start of a raise to its end", "months", low=0.1, high=36
    )
    diligence_sigma: float = parameter(0.4, "spread of that time (log scale)", "", low=0, high=2)
    signal_noise: float = parameter(0.35, "spread of an investor's error about value (log scale)", "", low=0, high=3)
    revenue_multiple: float = parameter(
        6.0, "value of a dollar of yearly revenue without growth", "ratio", low=0, high=100
    )
    growth_multiple: float = parameter(
        8.0, "added to the multiple per 100 % of yearly growth", "ratio", low=0, high=100
    )
    option_usd: float = parameter(
        22e6,
        "value of a complete technical advantage before revenue",
        "USD",
        low=0,
        high=1e10,
        source="calibrated to V16",
    )
    option_fade: float = parameter(0.5, "what is left of that value at each later stage", "ratio", low=0, high=1)
    user_value_usd: float = parameter(
        30.0,
        "value that early investors give a free user (WhatsApp was bought for 42 in 2014, at its full size)",
        "USD/user",
        low=0,
        high=1e4,
    )
    heat: dict[int, float] = Field(
        default={2012: 0.5, 2014: 0.7, 2016: 0.85, 2018: 1.0, 2020: 1.0, 2021: 1.6, 2022: 1.3, 2023: 1.0, 2024: 1.2},
        description="funding climate by year: square root of yearly AI funding relative to 2018-2020, smoothed",
        json_schema_extra={"unit": "ratio", "kind": "uncertainty", "source": "V26"},
    )
    runway_months: float = parameter(
        22, "runway that a startup spends a round over", "months", low=3, high=60, source="V23: 18-24; calibrated"
    )
    raise_below_months: float = parameter(
        7, "runway at which it goes out to raise", "months", low=1, high=36, source="calibrated to V12, V14"
    )
    retry_months: float = parameter(4, "pause after a failed raise", "months", low=1, high=36)
    ipo_revenue_usd_year: float = parameter(
        80e6, "yearly revenue from which a firm may go public", "USD/year", low=1e5, high=1e11
    )
    ipo_growth_year: float = parameter(0.2, "yearly growth from which a firm may go public", "1/year", low=-1, high=10)
    bridge_months: float = parameter(
        0.0,
        "months of burn that investors inside lend by a convertible note when a raise is refused; 0: none",
        "months",
        low=0,
        high=24,
    )
    bridge_belief: float = parameter(
        0.5, "value an investor must see to lend, per dollar of the last post-money valuation", "ratio", low=0, high=10
    )
    note_discount: float = parameter(0.2, "discount at which a note converts", "share", low=0, high=0.9, source="V31")
    write_down_share: float = parameter(
        0.3, "taken off the mark of an investment after each refusal since its last round", "share", low=0, high=1
    )
    acquisition_rate_year: float = parameter(
        0.0, "times a year that an acquiring incumbent looks for a healthy startup to buy", "1/year", low=0, high=12
    )
    acquisition_synergy: float = parameter(
        1.5, "what a buyer's own channels make of a dollar of a healthy startup's revenue", "ratio", low=0, high=10
    )
    acquisition_premium: float = parameter(
        0.3,
        "premium over fair value at which the holders of a healthy startup sell",
        "share",
        low=0,
        high=5,
        source="V32",
    )
    recapitalisation: RecapitalisationSettings = RecapitalisationSettings()
    valuation: Literal["multiples", "expected"] = parameter(
        "multiples", "what funds value a startup by: multiples of revenue, or what it is expected to earn"
    )
    exit_valuation: Literal["multiples", "expected"] = parameter(
        "multiples", "what sales and listings are priced by: multiples of revenue, or what buyers expect to earn"
    )
    expectation: ExpectationSettings = ExpectationSettings()
    ipo_window: dict[int, float] = Field(
        default={},
        description="climate for listings by calendar year, each until the next; empty: the funding climate",
        json_schema_extra={"unit": "ratio", "kind": "uncertainty", "source": "V37"},
    )
    ipo_climate: float = parameter(
        0.0, "climate from which firms may be listed (Lerner 1994); 0: always", "ratio", low=0, high=10
    )
