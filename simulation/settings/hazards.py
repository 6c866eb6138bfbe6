"""Parameters of incidents, and of how society counts what models do.

Source ids (S1, V16, C10 …) refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class RiskSettings(Settings):
    """Incidents (RISK): hazards and losses."""

    breach_rate_year: float = parameter(0.04, "data breaches of one firm without prevention", "1/year", low=0, high=12)
    breach_usd_per_row: float = parameter(0.02, "cost of a breach per row held", "USD/row", low=0, high=1e4)
    breach_trust: float = parameter(0.25, "trust lost in a breach", "0..1", low=0, high=1)
    outage_rate_year: float = parameter(0.3, "serious outages of one firm with one operator", "1/year", low=0, high=50)
    outage_trust: float = parameter(0.08, "trust lost in an outage", "0..1", low=0, high=1)
    accident_trust: float = parameter(0.3, "trust lost in an accident", "0..1", low=0, high=1)


class SocietySettings(Settings):
    """How what models do is counted for society (SOC-*)."""

    minority_share: float = parameter(
        0.1, "share of the minority group among customers, as in the test sets", "share", low=0, high=0.5
    )
    labour_saving_share: float = parameter(
        0.5, "part of the productivity gain that is work no longer needed", "share", low=0, high=1
    )
    replaced_wage_usd_month: float = parameter(
        4_000, "loaded monthly wage of the work replaced", "USD/month", low=100, high=1e5
    )
