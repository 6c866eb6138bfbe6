"""Parameters of where a startup sells: market research, and entry into segments (CH-POSITION)."""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class PositioningSettings(Settings):
    """What startups pay to know the segments of their sector, and to enter one."""

    research_usd: float = parameter(
        0.0, "price of a study of the sector's segments that a startup commissions; 0: none ever does", "USD",
        low=0, high=1e8, kind="lever",
    )  # fmt: skip
    research_cash_share: float = parameter(
        0.05, "most that it pays for one, which then tells less", "share of its cash", low=0, high=1, kind="lever"
    )
    research_months: float = parameter(2.0, "time that a study takes", "months", low=0, high=36)
    research_error: float = parameter(
        1.0, "spread of the error about what a segment would bring, without a study", "log units", low=0, high=5
    )
    research_unit_usd: float = parameter(
        10_000, "what a study must cost to halve the variance of that error", "USD", low=1, high=1e9
    )
    interval_months: float = parameter(12, "least time between two studies of a startup", "months", low=1, high=240)
    looks_year: float = parameter(
        0.3, "rate at which a startup that is not stuck looks whether others bring more", "1/year", low=0, high=12
    )
    entry_usd: float = parameter(
        60_000, "what entering a segment takes: product, sales material, first references", "USD", low=0, high=1e9
    )
    payback_months: float = parameter(
        24, "time in which entry must pay for itself, as far as the study can say", "months", low=1, high=240
    )
    gain_asked: float = parameter(
        3.0,
        "what a stuck startup must expect elsewhere to leave a segment, against what this one brings",
        "ratio",
        low=0.1,
        high=100,
    )
    upkeep_usd_month: float = parameter(
        0.0, "what a firm pays for product and sales in each segment beyond its first", "USD/month", low=0, high=1e7
    )
