"""Parameters of money when things go badly or end: recapitalisations, and what buyers expect to earn.

Source ids refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class RecapitalisationSettings(Settings):
    """Terms of a round that wipes out the old: what a refused firm is offered when nothing else is left."""

    months: float = parameter(
        0.0,
        "months of burn that a recapitalisation raises after a refused raise that no bridge note followed; 0: none",
        "months",
        low=0,
        high=36,
    )
    most_share: float = parameter(
        0.9,
        "largest part of the firm that the new money may take; founders refuse to give more",
        "share",
        low=0.01,
        high=0.999,
    )
    pay_to_play: float = parameter(
        1.0,
        "part of the preferred stock of a holder who takes none of its part of the round that becomes common stock",
        "share",
        low=0,
        high=1,
        source="V33",
    )
    preference: float = parameter(
        1.0, "what the new stock gets back first in a sale, per dollar paid", "ratio", low=0, high=5, source="V33"
    )
    pool_share: float = parameter(
        0.1,
        "part of the firm after the round that founders and staff get anew, so that they go on",
        "share",
        low=0,
        high=0.5,
    )


class ExpectationSettings(Settings):
    """What buyers and investors expect a firm to earn, where values follow from that."""

    discount_year: float = parameter(0.12, "discount rate", "1/year", low=0.05, high=1, source="V34")
    failure_year: float = parameter(
        0.1, "chance that a startup fails, as investors and holders count it", "1/year", low=0, high=1
    )
    growth_kept: float = parameter(
        0.6, "what is left a year later of growth beyond that of the long run", "ratio", low=0, high=0.95, source="V35"
    )
    growth_long_run_year: float = parameter(0.03, "growth in the long run", "1/year", low=-0.05, high=0.04)
    profit_share: float = parameter(
        0.3, "profit of a mature firm per dollar of gross profit", "ratio", low=0.01, high=1, source="V36"
    )
    usual_gross_margin: float = parameter(
        0.5, "gross margin expected of a firm that hardly sells yet", "share", low=0, high=1, source="M4"
    )
    bargaining_share: float = parameter(
        0.5, "part of what a sale gains that the holders of the startup get (Nash: a half)", "share", low=0, high=1
    )
    deal_cost_usd: float = parameter(
        1e6, "what a buyer spends on examining, closing and integrating", "USD", low=0, high=1e9
    )
