"""A simple cash-flow account of a firm's last months: how much longer would it have lived with its peers' figures?

    months bought = what would have been left over / what would still have been spent beyond revenue in a month

where what is left over is a lump, or what a change would have brought in each of the months looked at; the second is
the mean of the last three months. New customers bring their monthly price until they leave at the firm's own churn,
less what serving them costs. What a better product brings follows from the weights by which its customers choose: the
odds of being chosen grow by exp(weight · difference). No change lets a firm win more new customers than its typical
peer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from agents.diagnosis.peers import MOST_UTILS, Comparison, Group, Value
from agents.firm.history import Totals
from simulation.demand import Floats
from simulation.market_log import KEPT_MONTHS, QUANTITIES
from simulation.records.reasons import MOST_MONTHS_BOUGHT, MeasureName

if TYPE_CHECKING:
    from agents.firm.owner import Owner

Found = Mapping[Value, Comparison]


class Account:
    """The last months of one firm, by month, and what its peers' figures in them would have been worth to it."""

    def __init__(self, firm: Owner, months: int, group: Group, found: Found) -> None:
        self.firm, self.group, self.found, self.months = firm, group, found, months
        self.own = dict(
            zip(Totals._fields, np.diff(np.array(firm.history.totals[-1 - months :]), axis=0).T, strict=True)
        )
        self.log = self.log_of(months)
        lost, users = self.log["lost"], self.log["users"]
        self.churn = np.divide(lost, lost + users, out=np.zeros(months), where=lost + users > 0)
        self.margin = self.margin_of_sales()
        self.burn_usd = float(np.mean((self.own["costs"] - self.own["revenue"])[-3:]))

    def log_of(self, months: int) -> dict[str, Floats]:
        """What the market was for the firm in each of the last months."""
        model = self.firm.model
        return dict(
            zip(QUANTITIES, model.market_log.series(model.market.firm_index[self.firm.name], months), strict=True)
        )

    def margin_of_sales(self) -> float:
        """What a dollar of sales leaves after what it takes to serve it; its peers' where the firm sold nothing."""
        sales, cost = float(np.sum(self.own["sales"])), float(np.sum(self.own["cost_of_sales"]))
        typical = self.found["gross margin"].median if "gross margin" in self.found else 0.0
        return float(np.clip(1 - cost / sales if sales > 0 else typical, 0.0, 1.0))

    def bought(self, extra_usd: Floats, lump_usd: float = 0.0) -> float:
        """Months that a lump, and more cash in each month, would have bought."""
        left = lump_usd + float(np.sum(extra_usd))
        burn = self.burn_usd - float(np.mean(extra_usd[-3:]))
        if left <= 0:
            return 0.0
        return min(left / burn, MOST_MONTHS_BOUGHT) if burn > 1.0 else MOST_MONTHS_BOUGHT

    def lump(self, usd: float) -> float:
        """Months that a lump would have bought."""
        return self.bought(np.zeros(self.months), usd)

    def served(self, new_usd: Floats) -> Floats:
        """What new customers, by the price that they pay a month, bring in each month until they leave."""
        stock, kept = np.zeros(self.months), 0.0
        for month, more in enumerate(new_usd):
            kept = kept * (1 - self.churn[month]) + more
            stock[month] = kept
        return stock * self.margin

    def up_to_peers(self, new_usd: Floats) -> Floats:
        """New customers, as far as they do not carry the firm beyond its typical peer."""
        return np.minimum(new_usd, self.room())

    def room(self) -> Floats:
        """New customers, by the price that they pay a month, that the typical peer would have won beyond the firm's."""
        typical = self.found["customers won as they are"].median if "customers won as they are" in self.found else 0.0
        return np.maximum(typical * self.own["costs"] - self.log["new_usd"], 0.0)

    def times(self, ratio: float) -> float:
        """Months bought where `ratio` times as many customers had been won; infinite: as many as peers win."""
        more = self.log["new_usd"] * (ratio - 1) if np.isfinite(ratio) else self.room()
        return self.bought(self.served(self.up_to_peers(more)))

    def better_product(self, lab: float = 0.0, field: float = 0.0, trust: float = 0.0) -> float:
        """Months bought by larger advantages and more trust: more customers come, and fewer leave."""
        offers = np.maximum(self.log["offers"], 1.0)
        weight, for_trust = self.log["advantage_weight"] / offers, self.log["trust_weight"] / offers
        more = self.log["new_usd"] * np.expm1(np.minimum(weight * lab + for_trust * trust, MOST_UTILS))
        stay = self.log["paying_usd"] * self.churn * -np.expm1(-(weight * field + for_trust * trust))
        return self.bought(self.served(self.up_to_peers(more) + stay))

    # -- one cause each ------------------------------------------------------------------------------------------------

    def raised(self, one: Comparison) -> float:
        """As much money as its peers had at its age."""
        return self.lump(one.median - one.own)

    def refused(self, one: Comparison) -> float:
        """The round that was refused."""
        refusal = self.firm.funding().refusal
        return self.lump(refusal.size_usd) if refusal else 0.0

    def climate(self, one: Comparison) -> float:
        """The round that was refused, where it would have closed in the climate in which money last came in."""
        before, refusal = self.firm.funding()
        if refusal is None or before is None or refusal.asked_usd is None or refusal.climate <= 0:
            return 0.0
        then_usd = refusal.value_usd * before / refusal.climate
        return self.lump(refusal.size_usd) if then_usd >= refusal.asked_usd else 0.0

    def reach(self, one: Comparison) -> float:
        """As many who look, or as many of them who take an offer, as in the segments of its peers."""
        return self.times(one.median / one.own if one.own > 0 else np.inf)

    def kept(self, one: Comparison) -> float:
        """No more customers lost than its peers would have lost with its product."""
        return self.bought(self.served(self.log["paying_usd"] * self.churn * (1 - one.median / one.own)))

    def gross_margin(self, one: Comparison) -> float:
        """Its peers' margin on its own sales."""
        return self.bought((one.median - one.own) * self.own["sales"])

    def paying_share(self, one: Comparison) -> float:
        """As many of its users paying as of its peers' users."""
        return self.bought((one.median - one.own) * self.log["full_usd"] * self.margin)

    def no_model(self, one: Comparison) -> float:
        """As many customers as its peers win, in the months without a model."""
        missing = 1 - self.log["with_model"] / np.maximum(self.log["offers"], 1.0)
        return self.bought(self.served(missing * self.room() * excess(one)))

    def lab_advantage(self, one: Comparison) -> float:
        """Its peers' advantage, as promised."""
        return self.better_product(lab=one.median - one.own)

    def field_advantage(self, one: Comparison) -> float:
        """Its peers' advantage, as lived."""
        return self.better_product(field=one.median - one.own)

    def trust(self, one: Comparison) -> float:
        """Its peers' trust."""
        return self.better_product(trust=one.median - one.own)

    def skill(self, one: Comparison) -> float:
        """The product that goes with its peers' skill, as the firms compared show it (Theil–Sen slopes)."""
        gap = one.median - one.own
        lab, field = (self.group.slope("skill", name, one.sector) for name in ("lab advantage", "field advantage"))
        return self.better_product(lab=gap * max(lab, 0.0), field=gap * max(field, 0.0))

    def lost_runs(self, one: Comparison) -> float:
        """The compute that went into work lost beyond that of its peers."""
        lost = self.own["lost_runs"]
        return self.bought(self.own["compute"] * lost / (1 + lost) * excess(one))

    def regulation_cost(self, one: Comparison) -> float:
        """What fines, examinations and compliance took beyond that of its peers."""
        return self.bought((one.own - one.median) * self.own["costs"])

    def barred(self, one: Comparison) -> float:
        """What it usually sells, where it was barred from selling more than its peers."""
        share = self.log["barred"] / np.maximum(self.log["offers"], 1.0)
        missing = np.maximum(self.usual_sales_usd() - self.own["sales"], 0.0)
        return self.bought(share * missing * self.margin * excess(one))

    def usual_sales_usd(self) -> Floats:
        """Monthly sales when nothing was barred, else those of its peers at its costs."""
        months = min(len(self.firm.history), KEPT_MONTHS)
        free = self.log_of(months)["barred"] == 0
        sales = np.diff([totals.sales for totals in self.firm.history.totals[-1 - months :]])
        if np.any(sales[free] > 0):
            return np.full(self.months, float(np.mean(sales[free])))
        typical = self.found["yield"].median if "yield" in self.found else 0.0
        return typical * self.own["costs"]


def excess(one: Comparison) -> float:
    """The part of a bad figure that peers do not share."""
    return 1 - one.median / one.own if one.own > 0 else 0.0


UNDO: dict[MeasureName, Callable[[Account, Comparison], float]] = {
    "raised": Account.raised,
    "refused": Account.refused,
    "adopting": Account.reach,
    "customers lost": Account.kept,
    "customers won": Account.reach,
    "gross margin": Account.gross_margin,
    "paying share": Account.paying_share,
    "no model": Account.no_model,
    "lab advantage": Account.lab_advantage,
    "field advantage": Account.field_advantage,
    "trust": Account.trust,
    "skill": Account.skill,
    "lost runs": Account.lost_runs,
    "regulation cost": Account.regulation_cost,
    "barred": Account.barred,
    "climate": Account.climate,
    "looking": Account.reach,
}
"""Months of life that a firm would have had more with its peers' figure, by measure."""
