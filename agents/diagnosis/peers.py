"""What the last months of each firm were like, beside those of its peers: a value of each measure for every firm.

All firms of a kind are measured together, once a month in which some firm ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import numpy as np

from agents.firm.history import Totals
from simulation.demand import Floats
from simulation.market_log import QUANTITIES
from simulation.records.reasons import LEAST_PEERS, MeasureName

if TYPE_CHECKING:
    from agents.firm.owner import Owner, World

Helper = Literal["yield", "wins as they are"]
"""Further values: sales per dollar of costs, and `customers won` before what the product explains is taken off."""
Values = dict[MeasureName | Helper, Floats]
LEAST_SALES_USD_MONTH = 5_000.0  # assumption, as for managers: below that a margin says nothing


@dataclass(frozen=True)
class Group:
    """Firms of one kind that lived through the same months. Values are NaN where a firm has none."""

    firms: Sequence[Owner]
    place: dict[str, int]
    values: Values

    def others(self, firm: Owner, sector: str = "") -> list[int]:
        """Places of the other firms, of one sector where it is given."""
        return [i for i, one in enumerate(self.firms) if one is not firm and sector in ("", one.sector)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A firm's value beside those of its peers."""

    own: float
    median: float
    lower: float  # quartiles
    upper: float
    n_peers: int
    sector: str  # of the peers; empty: all

    def is_apart(self, much_is_bad: bool) -> bool:
        """Whether the firm stands outside the worse quartile of its peers."""
        return self.own > self.upper if much_is_bad else self.own < self.lower


def compare(own: float, peers: Floats, sector: str) -> Comparison | None:
    """Compare a value with those of peers; None where too few have one. A firm without a value is never apart."""
    known = np.sort(peers[~np.isnan(peers)])
    if len(known) < LEAST_PEERS:
        return None
    lower, median, upper = (quantile(known, p) for p in (0.25, 0.5, 0.75))
    return Comparison(float(own), median, lower, upper, len(known), sector)


def quantile(ordered: Floats, p: float) -> float:
    """Quantile of ordered values, linear between them: `numpy.quantile`, without its checks of arrays."""
    at = p * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))


# -- groups -----------------------------------------------------------------------------------------------------------

_GROUPS: WeakKeyDictionary[World, tuple[int, dict[tuple[str, int], Group]]] = WeakKeyDictionary()


def group_of(model: World, kind: str, months: int) -> Group:
    """Firms of a kind that live and have closed the last `months`, with their values; worked out once a month."""
    month, groups = _GROUPS.get(model, (-1, {}))
    if month != model.month:
        groups = {}
        _GROUPS[model] = model.month, groups
    if (kind, months) not in groups:
        firms = [one for one in model.living.values() if one.kind == kind and len(one.history) >= months]
        groups[kind, months] = Group(firms, {one.name: i for i, one in enumerate(firms)}, values_of(firms, months))
    return groups[kind, months]


def values_of(firms: Sequence[Owner], months: int) -> Values:
    """Values of all measures that a group shares, over the last months; `raised` depends on an age, and is not here."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {**market_values(firms, months), **own_values(firms, months), **funding_values(firms)}


def market_values(firms: Sequence[Owner], months: int) -> Values:
    """What the market was for each firm: means over its offers and months."""
    if not firms:
        return {}
    model = firms[0].model
    sums = model.market_log.over(months)[:, [model.market.firm_index[one.name] for one in firms]]
    now = dict(zip(QUANTITIES, sums, strict=True))
    offers = np.where(now["offers"] > 0, now["offers"], np.nan)
    lab, field, trust = (now[name] / offers for name in ("lab", "field", "trust"))
    for_lab, for_trust = now["advantage_weight"] / offers, now["trust_weight"] / offers
    costs = spent(firms, months, "costs")
    wins = np.where(now["offers"] > 0, now["new_usd"] / costs, np.nan)
    on_sale = np.where(now["with_model"] > now["barred"], (now["with_model"] - now["barred"]) / offers, np.nan)
    churn = now["lost"] / (now["users"] + now["lost"])
    interest = now["looking"] * now["adopting"]
    has_free = now["full_usd"] > now["paying_usd"] * (1 + 1e-9)
    return {
        "adopting": now["adopting"] / offers,
        "looking": now["looking"] / offers,
        "customers lost": churn * pull(for_lab * field + for_trust * trust),
        "customers won": wins / on_sale / pull(for_lab * lab + for_trust * trust) / pull(np.log(interest)),
        "wins as they are": wins,
        "paying share": np.where(has_free, now["paying_usd"] / now["full_usd"], np.nan),
        "no model": 1 - now["with_model"] / offers,
        "lab advantage": lab,
        "field advantage": field,
        "trust": trust,
        "barred": now["barred"] / offers,
    }


def pull(utility: Floats) -> Floats:
    """How much more customers come to each firm for this utility than to the typical one of the group."""
    known = utility[np.isfinite(utility)]
    return np.where(np.isfinite(utility), np.exp(utility - (np.median(known) if len(known) else 0.0)), np.nan)


def spent(firms: Sequence[Owner], months: int, name: str) -> Floats:
    """What one of the totals came to over the last months, by firm."""
    place = Totals._fields.index(name)
    return np.array([one.history.totals[-1][place] - one.history.totals[-1 - months][place] for one in firms])


def own_values(firms: Sequence[Owner], months: int) -> Values:
    """What the firms' own books and teams say."""
    sales, costs = spent(firms, months, "sales"), spent(firms, months, "costs")
    margin = (sales - spent(firms, months, "cost_of_sales")) / sales
    return {
        "gross margin": np.where(sales > LEAST_SALES_USD_MONTH * months, margin, np.nan),
        "skill": spent(firms, months, "skill") / months,
        "lost runs": spent(firms, months, "lost_runs"),
        "regulation cost": spent(firms, months, "regulation") / costs,
        "yield": sales / costs,
    }


def funding_values(firms: Sequence[Owner]) -> Values:
    """How the firms stand with investors."""
    asked = [one.funding() for one in firms]
    climate = [np.nan if one.climate_at_round is None else one.climate_at_round for one in asked]
    refused = [np.nan if one.climate_at_round is None else float(one.refusal is not None) for one in asked]
    heat = firms[0].model.heat if firms else 1.0
    return {"climate": heat / np.array(climate), "refused": np.array(refused)}
