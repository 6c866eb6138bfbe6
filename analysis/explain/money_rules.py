"""Rules about money: why cash ran out, what a refused raise asked for, what a firm lives on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.explain.facts import Fact, Record, count, month_fact
from analysis.explain.moments import end_of, measured_in
from analysis.explain.offers import founding, key_of, settings_at_founding
from analysis.explain.rules import (
    Link,
    Rule,
    before,
    caused_by,
    last_year,
    measured_before,
    of_kind,
    window,
    year_fact,
)
from simulation.records.words import money

ROUNDS = ("round", "recapitalised")  # events that bring priced money in


def burn(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Cash ran out or short: costs above revenue, the last of the cash, and no round after a refusal."""
    short = caused_by(facts, "cash", "runway")
    if not short or record.months.empty:
        return []
    revenue, costs = last_year(record)
    cash = f"cash {money(record.months.iloc[-1]['cash_usd'])} at the last month's end"
    links = [Link(year_fact(record), short[0], "burn", cash)] if costs > revenue else []
    refused = before(of_kind(facts, "raise refused"), short[0].moment)
    if refused and not any(fact.moment > refused[-1].moment for fact in of_kind(facts, *ROUNDS)):
        says = f"refused {refused[-1].when:%Y-%m-%d}, no round until {end.when:%Y-%m-%d}"
        links.append(Link(refused[-1], short[0], "unfunded", says))
    return links


def bar(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """A refusal, and the revenue from which the same funds would have closed the round, as the run worked it out."""
    links = []
    for fact in of_kind(facts, "raise refused"):
        said, months = fact.data, measured_before(record, fact.moment)
        asked = said.get("revenue_asked_usd_year")
        if asked is None or said["revenue_usd_year"] >= asked or months.empty:
            continue
        month = months.iloc[-1]["month"]
        says = f"revenue {money(said['revenue_usd_year'])} a year before the refusal, {money(asked)} asked for"
        shown = Fact(end_of(month), measured_in(month), "books", says, "events", fact.key, row_time=fact.when)
        links.append(Link(shown, fact, "bar", terms_in_words(said)))
    return links


def terms_in_words(said: Mapping[str, Any]) -> str:
    """What the funds saw beside revenue, and the value that they asked for."""
    return (
        f"at its growth of {said['growth_year']:.0%}, advantage of {said['advantage_lab']:+.2f} in the lab and "
        f"{said['advantage_field']:+.2f} in the field, {count(said['free_users'])} free users, climate "
        f"{said['climate']:.2f}: worth {money(said['value_usd'])}, {money(said['value_asked_usd'])} asked for"
    )


def cut(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Staff that went after a refusal."""
    links = []
    for fact in of_kind(facts, "raise refused"):
        after = window(record, fact)
        if len(after) > 1 and after["headcount"].iloc[-1] <= 0.9 * after["headcount"].iloc[0]:
            says = f"staff falls from {after['headcount'].iloc[0]:.0f} to {after['headcount'].iloc[-1]:.0f}"
            effect = month_fact(after["month"].iloc[-1], "cut", says, f"{record.firm} headcount")
            links.append(Link(fact, effect, "cut"))
    return links


# -- survival ---------------------------------------------------------------------------------------------------------


def survival(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Why a firm lives: it earns more than it spends, lives on money that came in, or has a parent that pays."""
    if record.gone:
        return []
    links = earnings(record, facts, end)
    if record.ending["kind"] == "incumbent":
        return [*links, *parents(record, end)]
    inflows = before(of_kind(facts, *ROUNDS, "bridge note", "founded", "listed"), end.moment)
    if not links and inflows:
        revenue, costs = last_year(record)
        links.append(Link(inflows[-1], end, "money", f"{money(costs - revenue)} more spent than earned"))
    return links


def earnings(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """A year that brought more than it cost, and the growth before it."""
    revenue, costs = last_year(record)
    if record.months.empty or revenue <= costs:
        return []
    earned = year_fact(record)
    grown = before(of_kind(facts, "growth"), earned.moment)
    return [Link(earned, end, "profit"), *(Link(fact, earned, "demand") for fact in grown[-1:])]


def parents(record: Record, end: Fact) -> list[Link]:
    """What an incumbent's parent pays, as in force at the end of the run."""
    scenario = record.scenario
    if scenario is None or record.firm not in scenario.firms:
        return []
    month = scenario.n_months - 1
    usd = scenario.firms_in_force(month)[record.firm].core_income_usd_month
    when, moment = founding(record)
    begun = settings_at_founding(scenario, record.firm).core_income_usd_month
    changed = f", {money(begun)} at first" if begun != usd else ""
    says = f"its parent pays {money(usd)} a month for it{changed}, and what is missing beyond that"
    key = key_of(scenario, record.firm, "core_income_usd_month", month)
    return [Link(Fact(when, moment, "parent", says, "manifest", key), end, "parent")]


MONEY_RULES: tuple[Rule, ...] = (burn, bar, cut)
