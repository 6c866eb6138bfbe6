"""Managers who look at indicators and act on the worst (OPS-KPI, OPS-IMPROVE).

Each quarter four indicators are read: efficiency, quality, cost control, innovation. Each is put as what was reached
against its target, 1 = met, and compared with a level aspired to, which begins at 1 and follows what was reached
(Cyert & March 1963, A Behavioral Theory of the Firm; departure: their levels also follow those of other firms).
Managers satisfice (Simon 1955): where all levels are reached nothing changes. Else the worst miss gets one small step
of one lever, near at hand first; a step that did not help is followed by the next in the list (problemistic search).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agents.averages import LEAST_SALES_USD_MONTH
from agents.firm.staffing import wage_bill
from simulation.records import events

if TYPE_CHECKING:
    from agents.firm.owner import Owner
    from agents.settings import FirmSettings, ManagementSettings

WORKING_DAYS_MONTH = 21.0
BEST, LOWEST_ASPIRATION = 2.0, 0.5  # assumptions: an indicator counts up to twice its target; levels fall to half
MOST_SHARES = 0.7  # assumption: compute, data and advertising together leave three tenths for people


class Step(NamedTuple):
    """A small move of one lever: how far, how far in all, and its price in steps of the usual effort."""

    lever: str
    by: float
    reach: float
    effort: float = 1.0


# Assumptions. Lean management cuts breakdowns of runs; data-driven decisions turn more use into data; automation takes
# work off operators at five times the usual price; training and meetings make people work together.
STEPS: dict[str, Step] = {
    "training": Step("collaboration", 0.03, 0.15, 2.0),
    "lean": Step("failure_rate", -0.02, 0.1),
    "data-driven": Step("data_operations", 0.05, 0.2),
    "automation": Step("automation", 0.05, 0.4, 5.0),
    "prevention": Step("prevention", 0.05, 0.2, 2.0),
    "price": Step("price_level", 0.03, 0.15),
    "marketing": Step("marketing_share", 0.02, 0.08),
    "thrift": Step("compute_share", -0.02, 0.08),
    "compute": Step("compute_share", 0.02, 0.08),
    "research": Step("research_share", 0.03, 0.12),
    "data": Step("data_share", 0.02, 0.08),
}
SEARCH: dict[str, tuple[str, ...]] = {
    "efficiency": ("training", "lean", "marketing", "thrift"),
    "quality": ("prevention", "lean", "data-driven", "data"),
    "cost control": ("automation", "price"),
    "innovation": ("compute", "research", "data-driven", "data", "training"),
}
# What a lever may be at most and at least, inside the ranges of the settings.
LIMITS: dict[str, tuple[float, float]] = {
    "collaboration": (0.3, 2.0),
    "failure_rate": (0.02, 0.9),
    "data_operations": (0.0, 1.0),
    "automation": (0.0, 0.8),
    "prevention": (0.0, 0.95),
    "price_level": (0.05, 10.0),
    "marketing_share": (0.0, 0.9),
    "compute_share": (0.02, 0.9),
    "research_share": (0.05, 0.95),
    "data_share": (0.0, 0.9),
}


def at_least(value: float, target: float) -> float:
    """Reached share of a target that wants much, 0 to `BEST`."""
    return min(max(value / target, 0.0), BEST)


def at_most(value: float, target: float) -> float:
    """Reached share of a target that wants little, 0 to `BEST`; a value of 0 or less is the best there is."""
    return min(target / value, BEST) if value > 0 else BEST


def worst_miss(reached: dict[str, float], aspired: dict[str, float]) -> str:
    """The indicator that is furthest below its level, "" when all levels are reached."""
    misses = {name: 1 - value / aspired[name] for name, value in reached.items()}
    name = max(misses, key=lambda n: misses[n], default="")
    return name if name and misses[name] > 0 else ""


def next_aspiration(aspired: float, reached: float, adaptation: float) -> float:
    """Level after a review: it follows experience, and neither rises above the target nor falls below half of it."""
    return min(max(aspired + adaptation * (reached - aspired), LOWEST_ASPIRATION), 1.0)


class Management:
    """Managers of one firm. `moves` holds how far each lever is from where the scenario put it."""

    def __init__(self, firm: Owner) -> None:
        self.firm = firm
        self.automation = 0.0  # share of operators' work that tools do
        self.moves: dict[str, float] = {}
        self.aspired = dict.fromkeys(SEARCH, 1.0)
        self.last: dict[str, tuple[int, float]] = {}  # by indicator: index of the last step, what was reached before
        self.incident_months: list[int] = []
        self.broken_runs: list[int] = []  # so far, at the end of each month watched
        self.margins: list[tuple[float, float, float]] = []
        self.best_quality, self.best_month = 0.0, int(firm.model.env.now)
        self.attention = 0.0

    # -- the quarter --------------------------------------------------------------------------------------------------

    def manage(self) -> None:
        """Watch the month; at a quarter's end review, as often as the managers' attention allows."""
        if not self.firm.laboratory.released:  # before the first model there is nothing to measure
            return
        self.watch()
        if (self.firm.model.month - self.firm.founded_month) % 3 == 2:
            self.attention += self.firm.settings.managed
            if self.attention >= 1 - 1e-9:
                self.attention -= 1
                self.review()

    def watch(self) -> None:
        """Take down what only a series of months can tell."""
        lab = self.firm.laboratory
        self.broken_runs.append(lab.n_broken)
        self.margins.append(self.firm.margin)
        del self.broken_runs[:-13], self.margins[:-3]
        if (quality := lab.quality_field) > self.best_quality:
            self.best_quality, self.best_month = quality, self.firm.model.month

    def review(self) -> None:
        """Act on the worst miss, then set the levels aspired to anew."""
        settings = self.firm.settings.management
        reached = self.reached(settings)
        if missed := worst_miss(reached, self.aspired):
            self.search(missed, reached[missed])
        for name, value in reached.items():
            self.aspired[name] = next_aspiration(self.aspired[name], value, settings.adaptation)

    # -- indicators ---------------------------------------------------------------------------------------------------

    def reached(self, target: ManagementSettings) -> dict[str, float]:
        """What was reached of each target, by indicator; those that cannot be measured yet are left out."""
        quality = min(
            at_least(self.firm.sales.trust(), target.satisfaction), at_most(self.failures_year(), target.failures_year)
        )
        months = self.firm.model.month - self.best_month
        innovation = min(
            at_most(months, target.better_model_months), at_least(self.accuracy_ratio(), target.accuracy_ratio)
        )
        found = {"quality": quality, "innovation": innovation}
        if len(self.firm.recurring) >= 6:
            found["efficiency"] = self.efficiency(target.burn_multiple)
        sales, inference, operators = map(sum, zip(*self.margins, strict=True))
        if sales > LEAST_SALES_USD_MONTH * len(self.margins):
            found["cost control"] = at_least((sales - inference - operators) / sales, target.gross_margin)
        return found

    def efficiency(self, burn_multiple: float) -> float:
        """New yearly recurring revenue per dollar burnt in the last quarter, against the target; no burn is best."""
        firm = self.firm
        burn = sum(firm.costs[-3:]) - sum(firm.revenues[-3:])
        gained = 12 * (sum(firm.recurring[-3:]) - sum(firm.recurring[-6:-3])) / 3
        return at_least(gained / burn, 1 / burn_multiple) if burn > 1 else BEST

    def failures_year(self) -> float:
        """Incidents and broken runs of the last twelve months."""
        since = self.firm.model.month - 12
        incidents = sum(month > since for month in self.incident_months)
        return incidents + self.broken_runs[-1] - self.broken_runs[0]

    def accuracy_ratio(self) -> float:
        """Field accuracy of the released model against the best rival's; 1 where there is none."""
        firm = self.firm
        own, rivals = firm.quality_field, [r for r in firm.model.firms_in(firm.sector) if r is not firm]
        best = max((rival.quality_field for rival in rivals if rival.laboratory.released), default=own)
        return own / best if best > 0 else 1.0

    # -- levers -------------------------------------------------------------------------------------------------------

    def search(self, missed: str, reached: float) -> None:
        """One step for the missed indicator: the last one again if it helped, else the next that can be made."""
        steps = SEARCH[missed]
        index, before = self.last.get(missed, (0, -1.0))
        first = index if reached > before else index + 1
        for ahead in range(len(steps)):
            at = (first + ahead) % len(steps)
            if self.take(steps[at], missed, reached):
                self.last[missed] = at, reached
                return

    def take(self, name: str, missed: str, reached: float) -> bool:
        """Pay for a step and move its lever; False where it is at its end, too dear, or would crowd out people."""
        step, firm = STEPS[name], self.firm
        old = self.value(step.lever)
        low, high = LIMITS[step.lever]
        new = min(max(old + step.by, low), high)
        moved, cost = self.moves.get(step.lever, 0.0) + new - old, self.step_usd(step)
        if abs(moved) > step.reach + 1e-9 or abs(new - old) < 1e-9 or self.crowds_out(step):
            return False
        if firm.books.cash_usd < 10 * cost:  # assumption: no step takes more than a tenth of the cash
            return False
        paid = firm.spend(cost, "overhead")
        self.moves[step.lever] = moved
        self.move(step.lever, old, new)
        firm.record(
            events.Management(
                amount_usd=paid,
                indicator=missed,
                reached=reached,
                aspired=self.aspired[missed],
                step=name,
                lever=step.lever,
                before=old,
                after=new,
            )
        )
        return True

    def step_usd(self, step: Step) -> float:
        """Price of a step: working time of the whole staff."""
        days = step.effort * self.firm.settings.management.step_days / WORKING_DAYS_MONTH
        return days * wage_bill(self.firm.staff, self.firm.model.talent.wages)

    def crowds_out(self, step: Step) -> bool:
        """Whether a larger share for things would leave too little for people."""
        s = self.firm.settings
        things = s.compute_share + s.data_share + s.marketing_share
        return step.lever in ("compute_share", "data_share", "marketing_share") and things + step.by > MOST_SHARES

    def value(self, lever: str) -> float:
        """Where a lever stands now."""
        settings = self.firm.settings
        if lever == "price_level":
            return self.firm.sales.price_level
        if lever == "automation":
            return self.automation
        return float(settings.engineering.failure_rate if lever == "failure_rate" else getattr(settings, lever))

    def move(self, lever: str, old: float, new: float) -> None:
        """Put a lever to a new place."""
        if lever == "price_level":
            self.firm.sales.price_level = new
        elif lever == "automation":
            self.automation = new
        else:
            self.firm.settings = with_lever(self.firm.settings, lever, new)

    def applied(self, given: FirmSettings) -> FirmSettings:
        """Settings that a dated change gives, with what the managers have moved since the start laid over them."""
        for lever, by in self.moves.items():
            if lever not in ("price_level", "automation"):
                old = given.engineering.failure_rate if lever == "failure_rate" else getattr(given, lever)
                low, high = LIMITS[lever]
                given = with_lever(given, lever, min(max(old + by, low), high))
        return given


def with_lever(settings: FirmSettings, lever: str, value: float) -> FirmSettings:
    """The settings with one lever at another place; the caller keeps it inside its range."""
    update: dict[str, Any] = {lever: value}
    if lever == "failure_rate":
        update = {"engineering": settings.engineering.model_copy(update=update)}
    return settings.model_copy(update=update)
