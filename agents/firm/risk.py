"""The risk register of a firm (RISK): identify, assess, respond.

    expected loss of a risk = yearly rate · loss in USD, both from the firm's own state, after prevention and plan
    hazard left  = h / (h + money spent on its prevention in the last twelve months),   h = prevention_half_usd_year
    loss left    = 1 − plan_loss_share · freshness of the plan · min(collaboration, 1)

Prevention has diminishing returns as in Gordon & Loeb (2002, doi:10.1145/581271.581274), whose result is also the rule
of thumb: no more than 1/e of a risk's expected loss goes into its prevention. The budget is a share of spending; what
no risk is worth stays unspent.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agents.firm.hazards import hazards_of
from agents.firm.staffing import wage_bill
from simulation.records.events import KeyPersonLeft, KeyPersonReplaced, RiskResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.firm.owner import Owner
    from agents.settings import FirmSettings
    from simulation.books import Account

WORTH_SPENDING = exp(-1)  # Gordon & Loeb (2002)
RUNWAY_MONTHS = 18.0  # V23: runway aimed at, lower end
WORKING_DAYS_MONTH = 21.0
LARGEST_DROP = 0.9  # assumption: a team never loses all of its skill with one person


class Risk(NamedTuple):
    """One line of the register."""

    name: str
    kind: Literal["market", "technical", "financial"]
    rate_year: float  # 1/year
    loss_usd: float  # each time

    @property
    def expected_usd_year(self) -> float:
        """Likelihood times loss, USD a year."""
        return self.rate_year * self.loss_usd


@dataclass(slots=True)
class Vacancy:
    """The place of a key person who left."""

    skill_left: float  # share of the team's skill that is still there
    until: float  # month from which a successor can be hired


class RiskRegister:
    """Risks of one firm, and what it does about them. `purse_usd` is set aside, `reserve_usd` is part of its cash."""

    def __init__(self, firm: Owner) -> None:
        self.firm, self.model = firm, firm.model
        self.prevention_usd: dict[str, float] = {}  # by risk: spent in the last twelve months, fading
        self.plan_month: int | None = None  # when the contingency plan was last rehearsed
        self.purse_usd = self.reserve_usd = 0.0
        self.vacancy: Vacancy | None = None
        self._team: tuple[FirmSettings, float, FirmSettings] | None = None

    # -- identify and assess ------------------------------------------------------------------------------------------

    def risks(self, technical: Sequence[Risk] | None = None) -> list[Risk]:
        """The register, largest expected loss first; the technical risks may be known already."""
        known = self.technical_risks() if technical is None else technical
        found = [*known, self.market_risk(), self.financial_risk()]
        weighed = [(-risk.expected_usd_year, risk) for risk in found]
        return [risk for size, risk in sorted(weighed, key=itemgetter(0)) if size < 0]

    def sales_usd_year(self) -> float:
        """Recurring sales at the pace of the last quarter, USD a year."""
        return 12 * mean(self.firm.recurring[-3:])

    def technical_risks(self) -> list[Risk]:
        """Incidents and key persons. Assumption: a firm that lost all trust would lose a year's sales with it."""
        left, sales, found = self.loss_left(), self.sales_usd_year(), []
        if self.firm.laboratory.released:
            for name, hazard in hazards_of(self.firm).items():
                found.append(Risk(name, "technical", hazard.rate_year, left * (hazard.usd + hazard.trust * sales)))
        rate = self.key_person_rate_year()
        if rate > 0:
            months = self.model.settings.risk.key_person_months
            wages = self.model.talent.wages["research"] * self.firm.staff["research"]
            loss = self.replacement_usd() + self.skill_drop() * wages * months
            found.append(Risk("key person", "technical", rate, loss))
        return found

    def market_risk(self) -> Risk:
        """Dependence on the largest segment: its part of the sales is what a rival could take."""
        columns, slots = self.firm.sales.market.columns, self.firm.sales.slots.values()
        monthly = [columns["customers"].item(slot) * columns["monthly_usd"].item(slot) for slot in slots]
        total = sum(monthly)
        share = max(monthly) / total if total > 0 else 0.0
        rate = self.model.settings.risk.segment_loss_rate_year
        return Risk("largest segment", "market", rate, share * self.sales_usd_year())

    def financial_risk(self) -> Risk:
        """Running out of cash: likelier the further the runway falls short of V23; the owners lose the firm.

        What they lose is counted as a year's sales and the equity in the books (assumption). A parent stands behind an
        incumbent.
        """
        firm = self.firm
        burn = mean(firm.costs[-3:]) - mean(firm.revenues[-3:])
        runway = firm.books.cash_usd / burn if burn > 1.0 else RUNWAY_MONTHS
        rate = max(1 - runway / RUNWAY_MONTHS, 0.0) if firm.kind == "startup" else 0.0
        return Risk("runway", "financial", rate, self.sales_usd_year() + max(firm.books.equity_usd(), 0.0))

    # -- respond ------------------------------------------------------------------------------------------------------

    def manage(self, budget_usd: float) -> float:
        """The month's work on risks; returns what it takes out of the firm's budget, USD."""
        if self.vacancy:
            self.fill_vacancy()
        share, prevention_usd = self.firm.settings.risk_budget_share, self.prevention_usd
        if not share and not prevention_usd:
            return 0.0
        for name in prevention_usd:
            prevention_usd[name] *= 11 / 12
        cash_usd = self.firm.books.cash_usd
        self.reserve_usd = min(self.reserve_usd, cash_usd)
        month = share * max(budget_usd, 0.0)
        # What was left over is not saved up, but for a drill, whose cost matters only where the purse is that full.
        aside = month
        if 3 * month - self.purse_usd < month:
            aside = min(month, max(max(3 * month, self.drill_usd()) - self.purse_usd, 0.0))
        self.purse_usd = min(self.purse_usd + aside, cash_usd)
        if share and (self.model.month - self.firm.founded_month) % 3 == 2:
            self.respond()
        return aside

    def respond(self) -> None:
        """Once a quarter: money for the largest risk first, for each no more than it is worth; the rest is kept."""
        technical, done, considered = self.technical_risks(), dict[str, float](), False
        ranked = self.risks(technical)
        for risk in ranked:
            worth = WORTH_SPENDING * risk.expected_usd_year / 4
            if risk.kind == "market":
                done["goodwill"] = self.pay(worth, "advertising")
                self.firm.brand_usd += done["goodwill"]
            elif risk.kind == "technical":
                # Once, and first: what is spent on prevention after it leaves less to avoid, and less in the purse.
                if not considered and self.drill_pays(technical):
                    done["drill"] = self.rehearse()
                considered = True
                done[risk.name] = self.pay(worth, "overhead")
                self.prevention_usd[risk.name] = self.prevention_usd.get(risk.name, 0.0) + done[risk.name]
        # A reserve is not spent, so it takes what is left once all that pays was paid for.
        if any(risk.kind == "financial" for risk in ranked):
            done["reserve"] = self.fill_reserve()
        self.record_response(ranked, {name: usd for name, usd in done.items() if usd >= 1})

    def fill_reserve(self) -> float:
        """Move the purse into the reserve as far as that aims; returns what was moved, USD."""
        goal = self.model.settings.risk.reserve_months * mean(self.firm.costs[-3:])
        added = min(self.purse_usd, max(goal - self.reserve_usd, 0.0))
        self.reserve_usd += added
        self.purse_usd -= added
        return added

    def record_response(self, ranked: list[Risk], done_usd: dict[str, float]) -> None:
        """Record what was done, with the largest risk as its cause."""
        if done_usd:
            first = ranked[0]
            largest: dict[str, Any] = {"risk": first.name, "rate_year": first.rate_year, "loss_usd": first.loss_usd}
            total = round(sum(done_usd.values()), 2)
            self.firm.record(RiskResponse(amount_usd=total, done_usd=dict(done_usd), **largest))

    def pay(self, usd: float, account: Account) -> float:
        """Spend from the purse; returns the USD paid."""
        paid = self.firm.spend(min(usd, self.purse_usd), account) if usd >= 1 else 0.0
        self.purse_usd = max(self.purse_usd - paid, 0.0)
        return paid

    # -- plan and drills ----------------------------------------------------------------------------------------------

    def drill_usd(self) -> float:
        """Cost of writing or renewing the plan, and of a drill: working time of the whole staff."""
        days = self.model.settings.risk.drill_days / WORKING_DAYS_MONTH
        return days * wage_bill(self.firm.staff, self.model.talent.wages)

    def drill_pays(self, technical: Sequence[Risk] | None = None) -> bool:
        """Whether the plan is stale, a drill can be paid, and it avoids more in a year than it costs."""
        stale = self.plan_month is None or self.model.month - self.plan_month >= self.model.settings.risk.plan_months
        if not stale:
            return False
        cost = self.drill_usd()
        if self.purse_usd < max(cost, 1.0):
            return False
        known = self.technical_risks() if technical is None else technical
        exposed = sum(risk.expected_usd_year for risk in known)
        return self.model.settings.risk.plan_loss_share * exposed > cost

    def rehearse(self) -> float:
        """Renew the contingency plan and rehearse it; returns what that cost, USD."""
        self.plan_month = self.model.month
        return self.pay(self.drill_usd(), "overhead")

    def loss_left(self) -> float:
        """Part of a loss that plan and drills leave: 1 without a plan. People who work together respond together."""
        if self.plan_month is None:
            return 1.0
        risk = self.model.settings.risk
        stale = max((self.model.month - self.plan_month) / risk.plan_months - 1, 0.0)
        return 1 - risk.plan_loss_share * 0.5**stale * min(self.firm.settings.collaboration, 1.0)

    def hazard_left(self, name: str) -> float:
        """Part of a hazard that prevention money leaves: 1 without any."""
        spent = self.prevention_usd.get(name)
        if not spent:
            return 1.0
        half = self.model.settings.risk.prevention_half_usd_year
        return half / (half + spent)

    def draw_on_reserve(self, usd: float) -> None:
        """What an incident took comes out of the reserve first."""
        self.reserve_usd = max(self.reserve_usd - usd, 0.0)

    # -- key persons --------------------------------------------------------------------------------------------------

    def key_person_rate_year(self) -> float:
        """Key people who leave this firm in a year; nobody leaves an empty place."""
        rate = self.model.settings.risk.key_person_rate_year
        return 0.0 if self.vacancy or not rate else rate * self.hazard_left("key person")

    def skill_drop(self) -> float:
        """Part of the team's skill that goes with a key person: less in large teams and where knowledge is shared."""
        share, researchers = self.model.settings.risk.key_person_skill_share, max(self.firm.staff["research"], 2.0)
        return min(share * sqrt(2 / researchers) / self.firm.settings.collaboration * self.loss_left(), LARGEST_DROP)

    def replacement_usd(self) -> float:
        """Cost of a successor at the wages of the month, USD."""
        return self.model.settings.risk.key_person_wages * self.model.talent.wages["research"]

    def lose_key_person(self) -> None:
        """A key person leaves: the team works with less skill until a successor is found and paid for."""
        skill, drop = self.firm.settings.skill, self.skill_drop()
        # Where people are scarce a successor is harder to find: the time moves with the wage index.
        months = self.model.settings.risk.key_person_months * self.model.talent.index["research"]
        self.vacancy = Vacancy(1 - drop, self.model.month + months)
        self.firm.record(KeyPersonLeft(before=skill, after=skill * (1 - drop), months=months))

    def fill_vacancy(self) -> None:
        """Hire the successor when there is one and the firm can pay for twice the cost."""
        cost = self.replacement_usd()
        if self.vacancy and self.model.month >= self.vacancy.until and self.firm.books.cash_usd >= 2 * cost:
            self.vacancy = self._team = None
            self.firm.record(KeyPersonReplaced(amount_usd=self.firm.spend(cost, "overhead")))

    def team(self) -> FirmSettings:
        """The firm's settings with the skill that its team has now: plans are really trained with that recipe."""
        settings = self.firm.settings
        if not self.vacancy:
            return settings
        left = self.vacancy.skill_left
        if self._team is None or self._team[0] is not settings or self._team[1] != left:
            self._team = settings, left, settings.model_copy(update={"skill": settings.skill * left})
        return self._team[2]


def mean(values: list[float]) -> float:
    """Mean; 0 for an empty list."""
    return sum(values) / len(values) if values else 0.0
