"""The jurisdictions whose customers a firm serves, and the law that binds it there and at home.

A firm sells everywhere until the law of a jurisdiction costs more than sales there bring. Customers are spread over
jurisdictions by the shares of the segment, in the hands of every firm that serves them (simplified).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agents.averages import average
from agents.firm.certification import demand_of
from agents.firm.general_purpose import duties_now_usd
from agents.firm.sectors_served import place_of
from agents.state.regulator import examine, field_floor, fine_usd
from simulation.laws import ELSEWHERE, Laws
from simulation.plugins.rules import rule
from simulation.records.events import MarketEntered, MarketLeft
from simulation.settings.law import LawSettings

if TYPE_CHECKING:
    from agents.firm.owner import Owner

MARGIN_MONTHS, REVIEW_MONTHS = 12, 3


class MarketsServed:
    """Where one firm sells. `served` names jurisdictions; `ELSEWHERE` is served by all."""

    def __init__(self, firm: Owner) -> None:
        self.firm, self.model = firm, firm.model
        self.sectors = (firm.sector, *firm.settings.adapts_to)
        self.served: tuple[str, ...] = tuple(self.model.laws.jurisdictions)
        self.against: Counter[str] = Counter()  # months in which a change of mind paid, by jurisdiction

    # -- law ----------------------------------------------------------------------------------------------------------

    def law(self) -> LawSettings:
        """What binds the firm as a whole."""
        return self.model.laws.binding(self.sectors, self.firm.home, self.served)

    def law_for(self, sector: str) -> LawSettings:
        """What binds what it makes for one sector."""
        return self.model.laws.binding((sector,), self.firm.home, self.served)

    # -- reach --------------------------------------------------------------------------------------------------------

    @property
    def is_split(self) -> bool:
        """Whether customers live in several jurisdictions."""
        return bool(self.model.laws.jurisdictions)

    def reach(self, segment: str, admitted: bool) -> float:
        """Part of a segment's customers to whom it may sell: in all markets served, or where no examination binds."""
        laws, (sector, _) = self.model.laws, place_of(self.firm.sector, segment)
        if admitted and len(self.served) == len(laws.jurisdictions):
            return 1.0
        open_ones = [one for one in (ELSEWHERE, *self.served) if admitted or not self.asks(laws, segment, one)]
        return min(sum(laws.share_of(sector, one) for one in open_ones), 1.0)

    def asks(self, laws: Laws, segment: str, jurisdiction: str) -> bool:
        """Whether nothing may be sold to a segment's customers in a jurisdiction without a certificate."""
        law = laws.on_sale(place_of(self.firm.sector, segment)[0], jurisdiction).certification
        return law.mandatory and demand_of(law, self.firm.segments[segment]) is not None

    # -- where to sell ------------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Once a quarter: leave and enter jurisdictions as the rule says."""
        if (self.model.month - self.firm.founded_month) % REVIEW_MONTHS:
            return
        wanted = decide(self.firm, self)
        for name in self.model.laws.jurisdictions:
            if (name in wanted) is not (name in self.served):
                self.record_change(name, entered=name in wanted)
                self.against[name] = 0
        if wanted != self.served:
            self.served = wanted
            self.firm.certification.forget_demands()

    def record_change(self, name: str, entered: bool) -> None:
        """Record that the firm leaves a jurisdiction, or sells there again."""
        cost, earned = self.cost_usd_month(name), self.earned_usd_month(name)
        if entered:
            self.firm.record(MarketEntered(other=name, amount_usd=cost, earned_usd=earned))
        else:
            self.firm.record(MarketLeft(other=name, amount_usd=cost, earned_usd=earned))

    def worth_serving(self, name: str) -> bool:
        """Whether sales in a jurisdiction bring what its law costs; no sales and no cost are worth it too."""
        return self.earned_usd_month(name) >= self.cost_usd_month(name)

    def earned_usd_month(self, name: str) -> float:
        """What sales there bring after serving and care, or would bring at the pace of the markets served, USD."""
        sales, serving, care = self.firm.margin
        recurring = average(self.firm.recurring[-MARGIN_MONTHS:])
        kept = 1 - (serving + care) / sales if sales > 0 else 0.0
        return max(recurring * kept, 0.0) * self.share(name) / max(self.share(ELSEWHERE, *self.served), 1e-9)

    def share(self, *names: str) -> float:
        """Part of the customers of its own sector who live in these jurisdictions."""
        return sum(self.model.laws.share_of(self.firm.sector, name) for name in names)

    def cost_usd_month(self, name: str) -> float:
        """What the law of one jurisdiction adds to what the firm bears for all others that it serves, USD."""
        others = tuple(one for one in self.served if one != name)
        with_it = tuple(one for one in self.model.laws.jurisdictions if one == name or one in others)
        return self.burden_usd_month(with_it) - self.burden_usd_month(others)

    def burden_usd_month(self, served: tuple[str, ...]) -> float:
        """What serving these jurisdictions costs by law: compliance, dearer data, duties, fines to be expected."""
        law, firm = self.model.laws.binding(self.sectors, self.firm.home, served), self.firm
        data = law.data_cost_factor * firm.settings.data_share * max(firm.budget_usd, 0.0)
        return law.compliance_usd_month + data + duties_now_usd(firm, law) + self.fines_usd_month(law)

    def fines_usd_month(self, law: LawSettings) -> float:
        """Audits in a month, times the fine for what an audit would find in the models it sells."""
        if not law.audits_year:
            return 0.0
        firm, failed = self.firm, 0
        for lab in firm.laboratories.values():
            if lab.released and lab.released_plan:
                floor = field_floor(law, (firm.segments[name] for name in firm.sales.served_by(lab)))
                failed += bool(examine(law, lab.released, lab.released_plan, floor))
        return law.audits_year / 12 * failed * fine_usd(law, sum(firm.revenues[-12:]))


@rule("firm.markets_served", "names of the jurisdictions that the firm sells to from now on, in the world's order")
def decide(firm: Owner, markets: MarketsServed) -> tuple[str, ...]:
    """Leave where the law has cost more than sales bring for `market_exit_months`; come back when that has turned.

    The home market is never left, nor the last one; who has no model on sale yet has nothing to judge by.
    """
    if firm.laboratory.released is None or not firm.recurring:
        return markets.served
    patience, wanted = firm.settings.market_exit_months, []
    for name in markets.model.laws.jurisdictions:
        served = name in markets.served
        change = name != firm.home and markets.worth_serving(name) is not served
        markets.against[name] = markets.against[name] + REVIEW_MONTHS if change else 0
        if served is not (markets.against[name] >= patience):
            wanted.append(name)
    return tuple(wanted) if wanted or markets.share(ELSEWHERE) > 0 else markets.served
