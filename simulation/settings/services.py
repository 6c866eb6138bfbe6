"""Parameters of business between firms: how a firm chooses whom it buys compute, data and hands from (OP-MARKET)."""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class ServiceSettings(Settings):
    """Choice of a supplier by logit, as of customers (`simulation.demand`), and what suppliers can do.

    Utilities are in utils; the outside option, at 0, is to do it itself.
    """

    contract_months: float = parameter(12, "mean time between two choices of a supplier", "months", low=1, high=120)
    price_weight: float = parameter(
        5.0, "utility of a service that costs nothing against doing it itself", "utils", low=0.01, high=50
    )
    quality_weight: float = parameter(
        1.0, "utility per unit of skill that the supplier has over the buyer", "utils", low=0, high=20
    )
    trust_weight: float = parameter(4.0, "utility of full trust against none", "utils", low=0, high=20)
    brand_weight: float = parameter(0.3, "utility per log unit of the supplier's brand", "utils", low=0, high=5)
    hurdle: float = parameter(1.0, "disutility of the first step away from doing it itself", "utils", low=-10, high=20)
    switching_cost: float = parameter(1.0, "disutility of leaving the current supplier", "utils", low=0, high=20)
    tooling_transfer: float = parameter(
        0.5, "how far the supplier's better engineering reaches the buyer's GPU hours: exponent", "", low=0, high=1
    )
    operator_usd_month: float = parameter(
        100_000, "compute bills of buyers that one operator of the seller looks after", "USD/month", low=1e3, high=1e8
    )
    labelling_automation: float = parameter(
        0.5,
        "share of the labelling cost that a model without errors would save who sells rows",
        "share",
        low=0,
        high=0.95,
    )
