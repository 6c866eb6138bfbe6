"""Rules that link facts of a firm where no cause was recorded. Each is stated in RULES and says its evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.explain.facts import Fact, Record, month_fact
from analysis.explain.moments import Moment, end_of, measured_in
from simulation.records.words import money

# Bounds are for the wording of explanations only: no figure of the model depends on them.
RULES: dict[str, str] = {
    "burn": "cash ran out, or was about to, because the last twelve months cost more than they brought",
    "unfunded": "cash ran out, or was about to, because the last attempt to raise was refused and no round followed",
    "bar": "a raise was refused because revenue was below that at which the same funds would have closed the round",
    "cut": "staff fell by a tenth or more within six months after a refusal because of it",
    "field gap": "trust fell by 0.05 or more because the model was worse than the traditional method in the field, or "
    "beat it by less than half of what it promised in the lab",
    "incident": "trust fell because an incident struck in the month of a fall by 0.02 or more",
    "churn": "customers fell by a tenth or more from their peak because trust had fallen before",
    "free": "little revenue, or few users who paid, because the product was given away in the last twelve months",
    "bundle": "customers were lost, not won or did not pay because incumbents gave the same away or cut prices while "
    "the firm lived",
    "rival answer": "an incumbent cut its price because of the firm's share: it answered this firm",
    "growth": "customers grew by a fifth or more within six months after a release",
    "demand": "revenue over the last twelve months came from the customers that were won",
    "profit": "the firm lives because the last twelve months brought more than they cost",
    "money": "the firm lives on the money that came in last",
    "parent": "an incumbent lives because its parent pays what is missing",
}
AFTER = pd.DateOffset(months=6)


@dataclass(frozen=True)
class Link:
    """One edge of the graph. `basis` is "recorded" or the name of a rule in RULES."""

    cause: Fact
    effect: Fact
    basis: str
    evidence: str = ""

    @property
    def in_order(self) -> bool:
        """Whether the cause comes before its effect."""
        return self.cause.moment < self.effect.moment


Rule = Callable[[Record, Sequence[Fact], Fact], list[Link]]
"""Facts are the chronicle and the conditions of the ending, which comes third."""


def of_kind(facts: Sequence[Fact], *kinds: str) -> list[Fact]:
    """Facts of these kinds."""
    return [fact for fact in facts if fact.kind in kinds]


def before(facts: Sequence[Fact], moment: Moment) -> list[Fact]:
    """Facts that come before a moment."""
    return [fact for fact in facts if fact.moment < moment]


def caused_by(facts: Sequence[Fact], *names: str) -> list[Fact]:
    """Recorded causes of the ending by the names of their kinds or of their measures (`simulation.records.reasons`)."""
    return [fact for fact in of_kind(facts, "condition") if not {*names}.isdisjoint(names_of(fact))]


def names_of(condition: Fact) -> tuple[str, str]:
    """Kind of a recorded cause, and the measure that it was found in; the kind again where it has none."""
    kind = str(condition.data["kind"])
    return kind, str(condition.data.get("measure", kind))


def measured_before(record: Record, moment: Moment) -> pd.DataFrame:
    """The firm's months that were measured before a moment."""
    months = record.months["month"]
    was_measured = measured_in(moment.month) < moment
    return record.months[months <= moment.month if was_measured else months < moment.month]


def last_year(record: Record) -> tuple[float, float]:
    """Revenue and costs of the last twelve months, USD."""
    year = record.months.tail(12)
    return float(year["revenue_usd"].sum()), float(year["costs_usd"].sum())


def year_fact(record: Record) -> Fact:
    """Revenue and costs of the last twelve months in words."""
    revenue, costs = last_year(record)
    says = f"{money(revenue)} revenue against {money(costs)} costs in the last twelve months"
    return month_fact(record.months.iloc[-1]["month"], "books", says, f"{record.firm} revenue_usd costs_usd")


def window(record: Record, fact: Fact) -> pd.DataFrame:
    """The firm's last month before an event and those that were measured within six months after it."""
    months = record.months
    earlier = measured_before(record, fact.moment)
    later = months.iloc[len(earlier) :]
    soon = later[end_of(later["month"]) <= fact.when + AFTER]
    return pd.concat([earlier.tail(1), soon])
