"""What happened to a firm: dated facts from the events, the monthly tables and the scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.explain.facts import Fact, Record, count, figure, money, month_fact
from analysis.explain.moments import Moment
from analysis.explain.offers import dated_offers, founding, giveaways, leaving

# By kind of event: how telling it is (0..10), how it is said, and its details. Fields: amount, cause, other, text, key,
# firm.
OWN: dict[str, tuple[int, str, str]] = {
    "founded": (10, "founded with {amount} of seed capital", "; sells {text}"),
    "release": (5, "releases a model, measured {text} (run {key})", ""),
    "round": (8, "raises {amount} in a {text} round from {other}", ""),
    "down round": (7, "the round is a down round: {text}", ""),
    "bridge note": (7, "{other} inside lend {amount} on convertible notes", ""),
    "raise refused": (7, "{text}: {cause}", "; the usual price was {amount} pre-money"),
    "run broke down": (2, "training run {key} breaks down: {text}", ""),
    "pivot": (8, "changes how it earns in {other}: {text} ({cause})", ""),
    "profitable": (7, "first twelve months in profit: {amount}", ""),
    "breach": (6, "data breach, {amount} paid ({text})", ""),
    "outage": (3, "serious outage ({text})", ""),
    "accident": (7, "accident, {amount} paid ({text})", ""),
    "audit passed": (2, "passes an audit of run {key}: {text}", ""),
    "audit failed": (7, "fails an audit of run {key}: {text}", "; fine {amount}"),
    "certified": (3, "run {key} passes its examination: {text}", ""),
    "certificate refused": (7, "run {key} fails its examination: {text}", ""),
    "grant": (3, "gets a founding grant of {amount}", ""),
    "withdrawn": (9, "its offers are withdrawn from the market: {cause}", ""),
    "listed": (9, "goes public: raises {amount}, {text}", ""),
    "management": (4, "its managers change {text}, for {cause}", ""),
    "risk response": (3, "spends on its risks (USD): {text}", "; the largest is {cause}"),
    "key person left": (6, "a key person leaves: {text}", ""),
    "key person replaced": (4, "the key person is replaced for {amount}", ""),
    "supplier": (4, "changes its supplier of {cause}: {text}", ""),
    "university link": (4, "works with universities: {text}", ""),
}
OTHERS: dict[str, tuple[int, str, str]] = {
    "law": (4, "law changes: {text}", ""),
    "price cut": (4, "{firm} cuts its price", " ({cause}; {text})"),
}
ENDS = {"acquired", "bankrupt"}
Row = dict[Any, Any]


def chronicle(record: Record) -> list[Fact]:
    """All facts of a firm's life by date, and by what came first where dates are the same; the last is its ending."""
    facts = [*own_events(record), *outside_events(record), *bundles(record), *offers(record), *year_ends(record)]
    return [*sorted(facts, key=lambda fact: (fact.when, fact.moment)), ending_fact(record)]


def said(row: Row, words: str) -> str:
    """An event in words."""
    fields = {name: str(row[name] or "") for name in ("cause", "other", "text", "firm")}
    return words.format(amount=money(row["amount_usd"]), key=fields["cause"][:8], **fields)


def event_fact(row: Row, weight: int, headline: str, details: str = "") -> Fact:
    """A fact that stands in one row of the events table."""
    cause = str(row["cause"] or "")
    key = " ".join(str(row[name]) for name in ("firm", "kind") if row[name])
    return Fact(
        row["time"],
        Moment(row["month"], row["place"]),
        str(row["kind"]),
        headline + details,
        "events",
        f"{key} {cause}" if is_key(cause) else key,
        weight,
        headline=headline,
        ledger_key=cause if is_key(cause) else "",
        data=row["data"],
    )


def is_key(cause: str) -> bool:
    """Whether the cause of an event is the key of a training run."""
    return len(cause) == 32 and all(c in "0123456789abcdef" for c in cause)


def own_events(record: Record) -> list[Fact]:
    """The firm's own events; the seed round is said with the founding, and the end by `ending_fact`."""
    facts = []
    for row in record.events.to_dict("records"):
        if row["kind"] in ENDS or (row["kind"] == "round" and row["text"] == "seed"):
            continue
        weight, words, more = OWN.get(str(row["kind"]), (4, f"{row['kind']}: {{text}} {{cause}}", ""))
        facts.append(event_fact(row, weight, said(row, words), said(row, more) + addition(record, row)))
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
    """Laws, rivals' price cuts and imitation of this very firm, while it was there."""
    (_, start), (_, end) = founding(record), leaving(record)
    facts = []
    for row in record.others.to_dict("records"):
        if not start <= Moment(row["month"], row["place"]) <= end:
            continue
        if row["kind"] in OTHERS:
            weight, words, more = OTHERS[str(row["kind"])]
            facts.append(event_fact(row, weight, said(row, words), said(row, more)))
        elif row["kind"] == "imitation" and row["data"].get("rival") == record.firm:
            says = f"{row['firm']} imitates it ({row['cause']})"
            facts.append(event_fact(row, 4, says))
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
        "acquired": f"is bought for {money(end['exit_value_usd'])}",
        "public": f"lives at the end of the run, public at {money(end['exit_value_usd'])}",
        "profitable": "lives at the end of the run and earns more than it spends",
        "alive": "lives at the end of the run",
    }
    headline = words.get(kind, kind)
    says = f"{headline}; {money(end['raised_usd'])} raised in all"
    if causes := causes_of(record):
        says += ". Recorded causes: " + "; ".join(str(cause["says"]) for cause in causes)
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
