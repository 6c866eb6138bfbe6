"""What the last months of each firm were like, beside those of its peers: a value of each measure for every firm.

All firms of a kind are measured together, once a month in which some firm ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args
from weakref import WeakKeyDictionary

import numpy as np

from agents.averages import LEAST_SALES_USD_MONTH
from agents.firm.history import Totals
from simulation.demand import Floats, Ints
from simulation.market_log import QUANTITIES
from simulation.records.reasons import LEAST_PEERS, MEASURES, MeasureName

if TYPE_CHECKING:
    from agents.firm.owner import Owner, World

Helper = Literal["yield", "customers won as they are"]
"""Further values: sales per dollar of costs, and `customers won` before what the product explains is taken off."""
Value = MeasureName | Helper
Values = dict[Value, Floats]
ALONE: MeasureName = "raised"
"""The measure that depends on the age of the firm that is asked about, so that a group has no values of it."""
VALUES: tuple[Value, ...] = (*(name for name in MEASURES if name != ALONE), *get_args(Helper))
MOST_UTILS = 50.0  # difference of utility beyond which odds are told apart no more
QUARTILES = np.array([0.25, 0.5, 0.75])


@dataclass(frozen=True)
class Group:
    """Firms of one kind that lived through the same months, by place, with their sectors.

    values: shape [values, firms], rows in the order of VALUES; NaN where a firm has none.
    """

    firms: Sequence[Owner]
    place: dict[str, int]
    sectors: np.ndarray
    values: Floats
    slopes: dict[tuple[Value, Value, str], float] = field(default_factory=dict)

    def others(self, firm: Owner, sector: str = "") -> Ints:
        """Places of the other firms, of one sector where it is given."""
        inside = self.sectors == sector if sector else np.ones(len(self.firms), bool)
        if (own := self.place.get(firm.name)) is not None:
            inside[own] = False
        return np.flatnonzero(inside)

    def value(self, name: Value) -> Floats:
        """One value of all firms."""
        return self.values[VALUES.index(name)]

    def slope(self, cause: Value, effect: Value, sector: str) -> float:
        """By how much an effect grows with a cause among its firms, of one sector where it is given."""
        if (cause, effect, sector) not in self.slopes:
            inside = self.sectors == sector if sector else np.ones(len(self.firms), bool)
            self.slopes[cause, effect, sector] = theil_sen(self.value(cause)[inside], self.value(effect)[inside])
        return self.slopes[cause, effect, sector]


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


def compare_all(own: Floats, peers: Floats, sector: str) -> list[Comparison | None]:
    """Compare values with those of peers; None where too few peers have one. A firm without a value is never apart.

    own: shape [values]; peers: shape [values, peers].
    """
    ordered = np.sort(peers, axis=1)  # NaN last
    known = np.sum(~np.isnan(peers), axis=1)
    at = QUARTILES * np.maximum(known - 1, 0)[:, None]
    low = at.astype(int)
    rows = np.arange(len(ordered))[:, None]
    if ordered.shape[1] == 0:
        return [None] * len(own)
    below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, np.maximum(known - 1, 0)[:, None])]
    found = (below + (at - low) * (above - below)).tolist()
    return [
        Comparison(value, median, lower, upper, count, sector) if count >= LEAST_PEERS else None
        for value, (lower, median, upper), count in zip(own.tolist(), found, known.tolist(), strict=True)
    ]


def compare(own: float, peers: Floats, sector: str) -> Comparison | None:
    """Compare one value with those of peers, shape [peers]."""
    return compare_all(np.array([own]), peers[None, :], sector)[0]


def theil_sen(x: Floats, y: Floats) -> float:
    """Median of the slopes between all pairs of points (Sen 1968); 0 where there is none. NaN values are left out.

    That is `scipy.stats.theilslopes`, which takes two seconds to load.
    """
    known = ~(np.isnan(x) | np.isnan(y))
    across, up = (np.subtract.outer(one[known], one[known]) for one in (x, y))
    slopes = up[across > 0] / across[across > 0]
    return float(np.median(slopes)) if len(slopes) else 0.0


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
        sectors, place = np.array([one.sector for one in firms]), {one.name: i for i, one in enumerate(firms)}
        groups[kind, months] = Group(firms, place, sectors, values_of(firms, months))
    return groups[kind, months]


def values_of(firms: Sequence[Owner], months: int) -> Floats:
    """Values of all measures that a group shares, over the last months, shape [values, firms]."""
    if not firms:
        return np.zeros((len(VALUES), 0))
    spent = spent_over(firms, months)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {**market_values(firms, months, spent), **own_values(spent, months), **funding_values(firms)}
    return np.array([found[name] for name in VALUES])


def spent_over(firms: Sequence[Owner], months: int) -> dict[str, Floats]:
    """What each of the totals came to over the last months, by firm."""
    now = np.array([one.history.totals[-1] for one in firms])
    before = np.array([one.history.totals[-1 - months] for one in firms])
    return dict(zip(Totals._fields, (now - before).T, strict=True))


def market_values(firms: Sequence[Owner], months: int, spent: Mapping[str, Floats]) -> Values:
    """What the market was for each firm: means over its offers and months."""
    model = firms[0].model
    sums = model.market_log.over(months)[:, [model.market.firm_index[one.name] for one in firms]]
    now = dict(zip(QUANTITIES, sums, strict=True))
    offers = np.where(now["offers"] > 0, now["offers"], np.nan)
    lab, lived, trust = (now[name] / offers for name in ("lab", "field", "trust"))
    for_lab, for_trust = now["advantage_weight"] / offers, now["trust_weight"] / offers
    wins = np.where(now["offers"] > 0, now["new_usd"] / spent["costs"], np.nan)
    on_sale = np.where(now["with_model"] > now["barred"], (now["with_model"] - now["barred"]) / offers, np.nan)
    churn = now["lost"] / (now["users"] + now["lost"])
    interest = now["looking"] * now["adopting"]
    has_free = now["full_usd"] > now["paying_usd"] * (1 + 1e-9)
    return {
        "adopting": now["adopting"] / offers,
        "looking": now["looking"] / offers,
        "customers lost": churn * pull(for_lab * lived + for_trust * trust),
        "customers won": wins / on_sale / pull(for_lab * lab + for_trust * trust) / pull(np.log(interest)),
        "customers won as they are": wins,
        "paying share": np.where(has_free, now["paying_usd"] / now["full_usd"], np.nan),
        "no model": 1 - now["with_model"] / offers,
        "lab advantage": lab,
        "field advantage": lived,
        "trust": trust,
        "barred": now["barred"] / offers,
    }


def pull(utility: Floats) -> Floats:
    """How much more customers come to each firm for this utility than to the typical one of the group."""
    known = utility[np.isfinite(utility)]
    more = utility - (np.median(known) if len(known) else 0.0)
    return np.where(np.isfinite(utility), np.exp(np.clip(more, -MOST_UTILS, MOST_UTILS)), np.nan)


def own_values(spent: Mapping[str, Floats], months: int) -> Values:
    """What the firms' own books and teams say."""
    sales, costs = spent["sales"], spent["costs"]
    margin = (sales - spent["cost_of_sales"]) / sales
    return {
        "gross margin": np.where(sales > LEAST_SALES_USD_MONTH * months, margin, np.nan),
        "skill": spent["skill"] / months,
        "lost runs": spent["lost_runs"],
        "regulation cost": spent["regulation"] / costs,
        "yield": sales / costs,
    }


def funding_values(firms: Sequence[Owner]) -> Values:
    """How the firms stand with investors."""
    asked = [one.funding() for one in firms]
    climate = [np.nan if one.climate_at_round is None else one.climate_at_round for one in asked]
    refused = [np.nan if one.climate_at_round is None else float(one.refusal is not None) for one in asked]
    heat = firms[0].model.heat
    return {"climate": heat / np.array(climate), "refused": np.array(refused)}
