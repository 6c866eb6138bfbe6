"""What potential founders expect of a startup, and what else they could do (Lucas 1978; Evans & Jovanovic 1989).

    expected = founders_share · (certainty_share · value + grant − compliance · patience_months)
    value    = revenue_multiple · heat(t) · chance · funded share · skill / usual skill · sales
    sales    = open market · (1 − hold_weight · hold) / (1 + rivals)^crowding_exponent
    open     = Σ segments price · (unserved · L(U − hurdle) + (1 − hold) · served · L(U − switching cost))
    U        = advantage_weight · possible advantage − price_weight,    L(x) = 1 / (1 + exp(−x))

Nothing here is drawn but the founder's own outside option: a policy moves what is expected and shifts no draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from agents.entry.news import News
from agents.fund import Fund, funds_of
from agents.settings import EntrantSettings
from agents.startup.outside_option import outside_option_usd
from agents.treasury import is_covered
from simulation.capital import usual_round
from simulation.demand import Floats
from simulation.plugins.rules import rule

if TYPE_CHECKING:
    from agents.firm.owner import World


class Outlook(NamedTuple):
    """What the founders of one stream see in a month."""

    open_usd_year: float
    possible: float
    rivals: int
    hold: float
    chance: float
    funded_share: float
    compliance_usd_month: float
    grant_usd: float


class MarketNow(NamedTuple):
    """What a month's market shows to all founders: by segment, USD a year, and by sector."""

    unserved_usd: Floats
    served_usd: Floats
    best_field: Floats
    seed_firms: int
    services_usd: float
    tool_makers: int


class Prospects:
    """Beliefs of all potential founders of a world. Terms are worked out once a month for each stream."""

    def __init__(self, model: World) -> None:
        self.model, self.news = model, News(model)
        model.listeners.append(self.news.hear)
        self._month = -1
        self._outlooks: dict[str, Outlook] = {}
        self._market: MarketNow | None = None

    # -- the decision -------------------------------------------------------------------------------------------------

    @rule("entry.expectation", "what a founder of that skill expects of a startup of the stream, for sure, USD")
    def expected_usd(self, stream: str, settings: EntrantSettings, skill: float) -> float:
        """The founders' part of what a startup may be worth, certainty equivalent, less what the law costs it."""
        rules, seen = self.model.settings.founding, self.outlook(stream, settings)
        value = self.value_usd(seen) * skill / max(settings.skill.mean, 0.01)
        burden = seen.compliance_usd_month * rules.patience_months - seen.grant_usd
        return rules.founders_share * (rules.certainty_share * value - burden)

    @rule("entry.outside_option", "what a potential founder, named by the startup, could have elsewhere, USD")
    def outside_usd(self, name: str) -> float:
        """The wage forgone over the founder's patience."""
        return outside_option_usd(self.model, name, self.model.settings.founding.patience_months)

    def value_usd(self, seen: Outlook) -> float:
        """What a startup of usual skill may be worth, times the chance that it gets there."""
        multiple = self.model.settings.capital.revenue_multiple * self.model.heat
        return multiple * seen.chance * seen.funded_share * self.sales_usd_year(seen)

    def sales_usd_year(self, seen: Outlook) -> float:
        """Yearly sales that one more startup may reach beside those that are there."""
        rules = self.model.settings.founding
        left = (1 - rules.hold_weight * seen.hold) / (1 + seen.rivals) ** rules.crowding_exponent
        return seen.open_usd_year * left

    # -- its terms ----------------------------------------------------------------------------------------------------

    def outlook(self, stream: str, settings: EntrantSettings) -> Outlook:
        """What the founders of a stream see this month."""
        if self._month != self.model.month:
            self._month, self._outlooks, self._market = self.model.month, {}, None
        if stream not in self._outlooks:
            self._outlooks[stream] = self.looked_at(settings)
        return self._outlooks[stream]

    def looked_at(self, settings: EntrantSettings) -> Outlook:
        """All terms for one stream."""
        sector, tools = settings.sector, settings.direction == "tools"
        hold, possible = (0.0, 1.0) if tools else (self.model.incumbents_share(sector), self.possible(sector))
        return Outlook(
            open_usd_year=self.market_now().services_usd if tools else self.open_usd_year(settings, possible, hold),
            possible=possible,
            rivals=self.market_now().tool_makers if tools else self.n_rivals(sector),
            hold=hold,
            chance=self.chance(sector),
            funded_share=self.funded_share(sector),
            compliance_usd_month=self.model.laws.on_sale(sector).compliance_usd_month,
            grant_usd=self.grant_usd(settings),
        )

    def open_usd_year(self, settings: EntrantSettings, possible: float, hold: float) -> float:
        """What customers of the stream's segments would pay for a product of that advantage at the usual price.

        Those who use the old method face its hurdle, those of other startups the cost of switching; whom incumbents
        serve stay there.
        """
        now, market, sector = self.market_now(), self.model.market, settings.sector
        named = {segment for option in settings.offers for segment in option}
        rows, s = [market.segment_index[sector, segment] for segment in sorted(named)], market.s
        utility = s["advantage_weight"][rows] * possible - s["price_weight"][rows]
        new = now.unserved_usd[rows] * expit(utility - s["adoption_hurdle"][rows])
        won = now.served_usd[rows] * expit(utility - s["switching_cost"][rows])
        return float(new.sum() + (1 - hold) * won.sum())

    def possible(self, sector: str) -> float:
        """The best field advantage measured on sale, or what a usual plan is thought to give."""
        best = self.market_now().best_field[self.model.market.sector_names.index(sector)]
        return float(max(best, self.model.settings.founding.usual_advantage))

    def n_rivals(self, sector: str) -> int:
        """Startups of the sector with a model; before they have one nobody hears of them."""
        return sum(firm.laboratory.released is not None for firm in self.model.firms_in(sector, "startup"))

    def chance(self, sector: str) -> float:
        """Chance of success: a prior belief, and the news of the last months as further evidence."""
        rules, (good, bad) = self.model.settings.founding, self.news.of(sector)
        weight = rules.prior_events
        return (rules.success_prior * weight + good) / (weight + good + bad)

    def funded_share(self, sector: str) -> float:
        """Part of its value that a startup reaches with the venture money there is: money / (money + money needed)."""
        money = sum(f.new_money_usd() * f.settings.thesis.get(sector, 1.0) for f in self.early_funds())
        _, size = usual_round(self.model.settings.capital, "A", self.model.year)
        needed = size * (1 + self.market_now().seed_firms)
        alone = self.model.settings.founding.unfunded_share
        return alone + (1 - alone) * money / (money + needed)

    def grant_usd(self, settings: EntrantSettings) -> float:
        """The founding grant that a startup of usual skill may count on."""
        support = self.model.laws.at_home(settings.sector).support
        may = is_covered(support, settings.sector) and settings.skill.mean >= support.grant_skill
        return support.grant_usd if may else 0.0

    # -- what is the same for all -------------------------------------------------------------------------------------

    def early_funds(self) -> list[Fund]:
        """Funds that make first investments now."""
        return [fund for fund in funds_of(self.model) if "A" in fund.settings.stages and fund.new_money_usd() > 0]

    def market_now(self) -> MarketNow:
        """What the market shows this month; worked out once."""
        if self._market is None:
            self._market = market_now(self.model)
        return self._market


def market_now(model: World) -> MarketNow:
    """Values of the market and numbers of firms, in one pass over offers and one over firms."""
    market = model.market
    yearly, best = 12 * market.s["reference_price_usd"], np.zeros(len(market.sector_names))
    np.maximum.at(best, market.sector_of_offer()[market.selling], market["field"][market.selling])
    firms = list(model.living.values())
    buyers = [firm for firm in firms if firm.settings.direction != "tools"]
    return MarketNow(
        unserved_usd=market.unserved() * yearly,
        served_usd=market.served() * yearly,
        best_field=best,
        seed_firms=sum(firm.stage_name() == "seed" and firm.laboratory.released is not None for firm in firms),
        services_usd=12 * sum(f.budget_usd * (f.settings.compute_share + f.settings.data_share) for f in buyers),
        tool_makers=sum(
            f.kind == "startup" and f.desk is not None and f.laboratory.released is not None for f in firms
        ),
    )
