"""How a firm chooses whom it buys services from (OP-MARKET): a logit, as of customers in `simulation.demand`.

A firm without a supplier does it itself. It chooses again when its contract is up, or its supplier is gone:

    U[s] = w_price · (1 − price[s] / own cost) + w_quality · (skill[s] − own skill) + w_trust · (trust[s] − start)
           + w_brand · log(1 + brand[s]) − switching · [another than now] − hurdle · [none now]
    P[s] = exp(U[s]) / (exp(U[itself]) + Σ exp(U)),    U[itself] = − switching · [has a supplier]

A seller whose service the buyer has no use for, or sells itself, is not among the choices. One draw per firm, service
and month says whether it looks; the utility of each seller has a draw of its own for that buyer and month, so that one
seller more takes buyers over, but moves none from one of the others to another.
"""

from __future__ import annotations

from math import inf, log1p
from typing import TYPE_CHECKING

from agents.actor import Actor
from agents.firm.service_desk import compute_terms, fee_per_staff_month, hand_price, staff_shortfall
from simulation.records.events import Supplier
from simulation.settings import SERVICES, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.firm.owner import Owner, World


def own_cost_ratio(seller: Owner, buyer: Owner, service: Service) -> float:
    """Price at a seller against what the buyer has without it; infinite where the buyer has no use for it."""
    desk = seller.desk
    if desk is None or seller is buyer or (buyer.desk and service in buyer.settings.services):
        return inf
    if service == "compute":
        return compute_terms(seller, buyer)[0]
    if service == "data":
        return desk.row_price(1.0)
    best = max((fee_per_staff_month(buyer, offer) for offer in staff_shortfall(buyer)), default=0.0)
    return hand_price(seller) / best if best > 0 else inf


class ServiceMarket(Actor):
    """Lets firms choose whom they buy from. Comes before all firms, so that choices count in the same month."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "services")

    def plan(self) -> None:
        """Sellers take stock; then every firm looks at each service whose contract is up."""
        firms = list(self.model.living.values())
        sellers = [firm for firm in firms if firm.desk is not None]
        for seller in sellers:
            if seller.desk is not None:
                seller.desk.begin_month()
        for buyer in firms:
            for service in SERVICES:
                if self.looks(buyer, service):
                    offered = [firm for firm in sellers if service in firm.settings.services]
                    self.choose(buyer, service, offered)

    def looks(self, buyer: Owner, service: Service) -> bool:
        """Whether a buyer chooses now: its supplier is gone, or chance ends the contract (equal hazard)."""
        current = buyer.suppliers.get(service)
        if current is not None and not (current.alive and service in current.settings.services):
            return True
        u = self.model.streams.uniform(f"looks for {service}", buyer.name, self.model.month)
        return u < 1 / self.model.settings.services.contract_months

    def choose(self, buyer: Owner, service: Service, sellers: Sequence[Owner]) -> None:
        """Draw the supplier from the logit, and record a change."""
        current = buyer.suppliers.get(service)
        utilities = {s.name: value for s in sellers if (value := self.utility(s, buyer, service)) > -inf}
        itself = {"": -self.model.settings.services.switching_cost if current is not None else 0.0}
        name = self.model.streams.choice(itself | utilities, f"chooses {service}", buyer.name, self.model.month)
        before = current.name if current is not None else ""
        if name == before:
            return
        buyer.suppliers.pop(service, None)
        if name:
            buyer.suppliers[service] = self.model.living[name]
        buyer.record(Supplier(other=name, service=service, before=before))

    def utility(self, seller: Owner, buyer: Owner, service: Service) -> float:
        """Utility of a supplier to a buyer against doing it itself, utils."""
        s, desk, current = self.model.settings.services, seller.desk, buyer.suppliers.get(service)
        brand = self.model.settings.brand
        ratio = own_cost_ratio(seller, buyer, service)
        if desk is None or ratio == inf:
            return -inf
        friction = s.hurdle if current is None else s.switching_cost * (current is not seller)
        return (
            s.price_weight * (1 - ratio)
            + s.quality_weight * (seller.settings.skill - buyer.settings.skill)
            + s.trust_weight * (desk.trust - brand.trust_start)
            + s.brand_weight * log1p(seller.brand_usd / brand.brand_unit_usd)
            - friction
        )
