"""What happened to a firm: dated facts from the events, the monthly tables and the scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.explain.facts import Fact, Record, count, figure, month_fact
from analysis.explain.moments import Moment
from analysis.explain.offers import dated_offers, founding, giveaways, leaving
from simulation.records.endings import GONE
from simulation.records.events import KINDS, phrase_of
from simulation.records.reasons import told
from simulation.records.words import money

OUTSIDE = {"law", "price cut"}
Row = dict[Any, Any]


def chronicle(record: Record) -> list[Fact]:
    """All facts of a firm's life by date, and by what came first where dates are the same; the last is its ending."""
    facts = [*own_events(record), *outside_events(record), *bundles(record), *offers(record), *year_ends(record)]
    return [*sorted(facts, key=lambda fact: (fact.when, fact.moment)), ending_fact(record)]


def event_fact(row: Row, more: str = "") -> Fact:
    """A fact that stands in one row of the events table, told from its fields."""
    kind, key = str(row["kind"]), str(row["data"].get("run") or "")
    columns = {name: row[name] for name in ("firm", "other", "amount_usd")}
    headline, details = phrase_of(kind, {**row["data"], **columns})
    place = " ".join(str(row[name]) for name in ("firm", "kind") if row[name])
    return Fact(
        row["time"],
        Moment(row["month"], row["place"]),
        kind,
        headline + details + more,
        "events",
        f"{place} {key}" if key else place,
        KINDS[kind].weight if kind in KINDS else 4,
        headline=headline,
        ledger_key=key,
        data=row["data"],
    )


def own_events(record: Record) -> list[Fact]:
    """The firm's own events; the seed round is said with the founding, and the end by `ending_fact`."""
    facts = []
    for row in record.events.to_dict("records"):
        if row["kind"] in GONE or (row["kind"] == "round" and row["data"].get("stage") == "seed"):
            continue
        facts.append(event_fact(row, addition(record, row)))
    releases = [i for i, fact in enumerate(facts) if fact.kind == "release"]
    for i in {*releases[:1], *releases[-1:]}:
        facts[i] = replace(facts[i], weight=8)
    return facts


def addition(record: Record, row: Row) -> str:
    """What the tables add to an event: a founder's means, the traditional method that a release has to beat."""
    if row["kind"] == "founded" and len(record.months):
        first = record.months.iloc[0]
        return f"; {first['headcount']:.0f} people, {first['rows']:,.0f} rows after a month" if "rows" in first else ""
    if row["kind"] == "release" and "traditional_lab" in record.sectors:
        before = record.sectors[record.sectors["month"] < row["month"]]
        if len(before):
            last = before.iloc[-1]
            return f"; traditional method: lab {last['traditional_lab']:.3f}, field {last['traditional_field']:.3f}"
    return ""


def outside_events(record: Record) -> list[Fact]:
    """Laws, breakthroughs of its sector, rivals' price cuts and imitation of this very firm, while it was there."""
    (_, start), (_, end) = founding(record), leaving(record)
    facts = []
    for row in record.others.to_dict("records"):
        if not start <= Moment(row["month"], row["place"]) <= end:
            continue
        imitated = row["kind"] == "imitation" and row["data"].get("rival") == record.firm
        reached = row["kind"] == "breakthrough" and record.ending["sector"] in row["data"].get("sectors", ())
        if row["kind"] in OUTSIDE or imitated or reached:
            facts.append(event_fact(row))
    return facts


def bundles(record: Record) -> list[Fact]:
    """Others that give away what the firm sells, and that no longer do."""
    facts = []
    for one in giveaways(record):
        what = ", ".join(one.segments)
        says = f"{one.firm} gives {what} away with its other products"
        kind, words = ("bundle", says) if what else ("bundle ended", f"{one.firm} gives none of that away any longer")
        data = {"firm": one.firm, "segments": one.segments}
        facts.append(Fact(one.when, one.moment, kind, words, "manifest", one.key, 6, data=data))
    return facts


def offers(record: Record) -> list[Fact]:
    """Dated changes of what the firm itself sells."""
    facts = []
    for change in dated_offers(record):
        now = ", ".join(f"{offer}: {how or 'withdrawn'}" for offer, how in change.offers.items())
        data = {"offers": dict(change.offers)}
        says = f"sells otherwise by a dated change: {now}"
        facts.append(Fact(change.when, change.moment, "offers", says, "manifest", change.key, 6, data=data))
    return facts


def year_ends(record: Record) -> list[Fact]:
    """How the firm stood at the end of each December and of its last month."""
    months = record.months
    facts = []
    for i, row in months.iterrows():
        last = i == len(months) - 1
        if row["month"].month == 12 or last:
            says = f"stands at {standing(months.iloc[: int(str(i)) + 1])}"
            facts.append(month_fact(row["month"], "year", says, record.firm, 8 if last else 6))
    return facts


def standing(months: pd.DataFrame) -> str:
    """Customers, revenue, costs, cash and runway in the last of these months."""
    now, year = months.iloc[-1], months.tail(12)
    pay = now.get("paying_customers", float("nan")) / now["customers"] if now["customers"] else float("nan")
    paying = f" ({pay:.1%} pay)" if pay < 0.995 else ""
    return (
        f"{count(now['customers'])} customers{paying}, {money(year['revenue_usd'].sum())} revenue and "
        f"{money(year['costs_usd'].sum())} costs in {len(year)} months, cash {money(now['cash_usd'])} "
        f"({runway(months)}), trust {figure(now['trust'])}, share {figure(now['share'], '.1%')}"
    )


def runway(months: pd.DataFrame) -> str:
    """Months until cash is out at the pace of the last quarter."""
    last = months.tail(3)
    burn = last["costs_usd"].mean() - last["revenue_usd"].mean()
    return f"runway {months.iloc[-1]['cash_usd'] / burn:.0f} months" if burn > 1 else "earns what it spends"


def ending_fact(record: Record) -> Fact:
    """How it ended, or how it lives at the end of the run, with the causes that were recorded."""
    end, kind = record.ending, str(record.ending["ending"])
    words = {
        "bankrupt": "goes bankrupt",
        "gave up": "gives up while it can still pay",
        "closed": "is closed by its parent",
        "acquired": f"is bought for {money(end['exit_value_usd'])}",
        "public": f"lives at the end of the run, public at {money(end['exit_value_usd'])}",
        "profitable": "lives at the end of the run and earns more than it spends",
        "alive": "lives at the end of the run",
    }
    headline = words.get(kind, kind)
    says = f"{headline}; {money(end['raised_usd'])} raised in all"
    if causes := causes_of(record):
        says += ". Recorded causes: " + "; ".join(told(cause) for cause in causes)
    when, moment = leaving(record)
    return Fact(when, moment, "ending", says, "endings", record.firm, 10, headline=headline)


def causes_of(record: Record) -> list[dict[str, Any]]:
    """Recorded causes of the ending, as fields; who lives has none."""
    rows = record.of(str(record.ending["ending"])).to_dict("records") if record.gone else []
    return list(rows[-1]["data"].get("causes", ())) if rows else []


def turning_points(record: Record) -> list[Fact]:
    """Largest changes from month to month of cash, customers and trust, and the peak of customers."""
    facts = []
    for name, form in (("cash_usd", money), ("customers", count), ("trust", "{:.2f}".format)):
        steps = record.months[name].diff()
        turns = [turn_fact(record, name, i, steps, form) for i in extremes(steps)]
        facts += [fact for fact in turns if fact is not None]
    if len(record.months) and record.months["customers"].max() > 0:
        i = int(record.months["customers"].argmax())
        row = record.months.iloc[i]
        facts.append(month_fact(row["month"], "peak", f"most customers: {count(row['customers'])}", record.firm, 6))
    return sorted(facts, key=lambda fact: fact.moment)


def extremes(steps: pd.Series) -> list[int]:
    """Rows of the largest rise and the largest fall, where there is one."""
    if steps.dropna().empty:
        return []
    rise = [int(steps.argmax())] if steps.max() > 0 else []
    return [*rise, int(steps.argmin())] if steps.min() < 0 else rise


def turn_fact(record: Record, name: str, i: int, steps: pd.Series, form: Any) -> Fact | None:
    """One large change of a measure from the month before; None where it is too small to be seen."""
    now, before = record.months.iloc[i], record.months.iloc[i - 1]
    if form(before[name]) == form(now[name]):
        return None
    what = "rise" if steps[i] > 0 else "fall"
    says = f"largest {what} of {name.removesuffix('_usd')} in a month: {form(before[name])} → {form(now[name])}"
    return month_fact(now["month"], "turn", says, f"{record.firm} {name}", 6)
