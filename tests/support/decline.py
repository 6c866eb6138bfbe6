"""Startups whose last months are written down by hand: a firm among peers who are all about the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.firm.history import Funding, Refusal, Totals
from agents.startup.startup import Startup
from simulation.market_log import QUANTITIES
from simulation.model import MarketModel
from tests.support.startups import quiet_world
from tests.support.world_fakes import found

MONTHS = 12
MONTH: dict[str, float] = {
    "revenue": 60e3, "costs": 100e3, "sales": 60e3, "cost_of_sales": 24e3, "compute": 10e3, "regulation": 1e3,
    "skill": 0.5, "lost_runs": 0.05,
    "offers": 1, "users": 30, "lost": 0.6, "new_usd": 8e3, "paying_usd": 60e3, "full_usd": 60e3, "with_model": 1,
    "barred": 0, "lab": 0.3, "field": 0.25, "trust": 0.5, "advantage_weight": 4, "trust_weight": 1, "looking": 0.01,
    "adopting": 0.3,
}  # fmt: skip
"""A typical month. Burn is 40,000 USD, so six months of life are 240,000 USD."""
SEED_USD = 1.5e6
VARIED = ("sales", "lost", "new_usd", "lab", "field", "trust", "skill", "looking", "adopting", "regulation")
"""What differs among peers: by up to a tenth."""
REFUSAL = Refusal(
    stage="A",
    month=10,
    revenue_usd_year=720e3,
    growth_year=0.0,
    size_usd=5e6,
    value_usd=8e6,
    asked_usd=9e6,
    climate=1.0,
)


def declining(
    own: Mapping[str, float] | None = None,
    peers: Mapping[str, float] | None = None,
    n_peers: int = 7,
    raised: float = SEED_USD,
    funding: Funding | None = None,
    elsewhere: int = 0,
) -> Startup:
    """A firm that is like its peers but for what `own` says of each of its months (`peers`: of each of theirs).

    raised: its seed money. elsewhere: how many of the peers work in another sector.
    """
    model = quiet_world()
    firm = found(model, "iris", capital_usd=raised)
    others = [found(model, f"peer-{i}") for i in range(n_peers)]
    for one in others[:elsewhere]:
        one.sector = "another"
    rows = {"iris": {**MONTH, **(own or {})}}
    for i, one in enumerate(others):
        spread = 1 + 0.1 * (2 * i / max(n_peers - 1, 1) - 1)
        month = {**MONTH, **(peers or {})}
        rows[one.name] = {name: value * (spread if name in VARIED else 1.0) for name, value in month.items()}
        one.finance.climate_at_round = model.heat
    write_down(model, rows, {"iris": raised})
    firm.finance.climate_at_round = model.heat
    if funding:
        firm.finance.refusal, firm.finance.climate_at_round = funding.refusal, funding.climate_at_round or model.heat
    return firm


def write_down(model: MarketModel, rows: Mapping[str, Mapping[str, Any]], raised: Mapping[str, float]) -> None:
    """Give firms a past of `MONTHS` months that are all alike."""
    model.market_log.sums.clear()
    for month in range(MONTHS + 1):
        sums = np.zeros((len(QUANTITIES), len(model.market.firm_index)))
        for name, row in rows.items():
            sums[:, model.market.firm_index[name]] = [month * row[quantity] for quantity in QUANTITIES]
        model.market_log.sums.append(sums)
    for name, row in rows.items():
        firm = model.firms[name]
        money = [field for field in Totals._fields if field != "raised"]
        firm.raised_usd = raised.get(name, SEED_USD)
        firm.history.totals = [
            Totals(*(month * row[field] for field in money), raised=firm.raised_usd) for month in range(MONTHS + 1)
        ]
        firm.recurring = [row["revenue"]] * MONTHS
        firm.founded_month = 0
