"""What happened to a firm: dated facts from the events, the monthly tables and the scenario."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.explain.facts import Fact, Record, count, figure, money

# By kind of event: how telling it is (0..10), and how it is said. Fields: amount, cause, other, text, key, firm.
OWN: dict[str, tuple[int, str]] = {
    "founded": (10, "founded with {amount} of seed capital; sells {text}"),
    "release": (5, "releases a model, measured {text} (run {key})"),
    "round": (8, "raises {amount} in a {text} round from {other}"),
    "down round": (7, "the round is a down round: {text}"),
    "bridge note": (7, "{other} inside lend {amount} on convertible notes"),
    "raise refused": (7, "{text}: {cause}; the usual price was {amount} pre-money"),
    "run broke down": (2, "training run {key} breaks down: {text}"),
    "pivot": (8, "changes how it earns in {other}: {text} ({cause})"),
    "profitable": (7, "first twelve months in profit: {amount}"),
    "breach": (6, "data breach, {amount} paid ({text})"),
    "outage": (3, "serious outage ({text})"),
    "accident": (7, "accident, {amount} paid ({text})"),
    "audit passed": (2, "passes an audit of run {key}: {text}"),
    "audit failed": (7, "fails an audit of run {key}: {text}; fine {amount}"),
    "certified": (3, "run {key} passes its examination: {text}"),
    "certificate refused": (7, "run {key} fails its examination: {text}"),
    "grant": (3, "gets a founding grant of {amount}"),
    "withdrawn": (9, "its offers are withdrawn from the market: {cause}"),
    "listed": (9, "goes public: raises {amount}, {text}"),
    "management": (4, "its managers change {text}, for {cause}"),
    "risk response": (3, "spends on its risks (USD): {text}; the largest is {cause}"),
    "key person left": (6, "a key person leaves: {text}"),
    "key person replaced": (4, "the key person is replaced for {amount}"),
    "supplier": (4, "changes its supplier of {cause}: {text}"),
    "university link": (4, "works with universities: {text}"),
}
OTHERS: dict[str, tuple[int, str]] = {
    "law": (4, "law changes: {text}"),
    "price cut": (4, "{firm} cuts its price ({cause}; {text})"),
}
ENDS = {"acquired", "bankrupt"}
Row = dict[Any, Any]


def chronicle(record: Record) -> list[Fact]:
    """All facts of a firm's life in order of time; the last is its ending."""
    facts = [*own_events(record), *outside_events(record), *bundles(record), *year_ends(record)]
    return [*sorted(facts, key=lambda fact: fact.when), ending_fact(record)]


def said(row: Row, words: str) -> str:
    """An event in words."""
    fields = {name: str(row[name] or "") for name in ("cause", "other", "text", "firm")}
    return words.format(amount=money(row["amount_usd"]), key=fields["cause"][:8], **fields)


def event_fact(row: Row, weight: int, says: str) -> Fact:
    """A fact that stands in one row of the events table."""
    key = " ".join(str(row[name]) for name in ("firm", "kind") if row[name])
    cause = str(row["cause"] or "")
    return Fact(row["time"], str(row["kind"]), says, "events", f"{key} {cause}" if is_key(cause) else key, weight)


def is_key(cause: str) -> bool:
    """Whether the cause of an event is the key of a training run."""
    return len(cause) == 32 and all(c in "0123456789abcdef" for c in cause)


def own_events(record: Record) -> list[Fact]:
    """The firm's own events; the seed round is said with the founding, and the end by `ending_fact`."""
    facts = []
    for row in record.events.to_dict("records"):
        if row["kind"] in ENDS or (row["kind"] == "round" and row["text"] == "seed"):
            continue
        weight, words = OWN.get(str(row["kind"]), (4, f"{row['kind']}: {{text}} {{cause}}"))
        facts.append(event_fact(row, weight, said(row, words) + addition(record, row)))
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
        before = record.sectors[record.sectors["month"] < row["time"]]
        if len(before):
            last = before.iloc[-1]
            return f"; traditional method: lab {last['traditional_lab']:.3f}, field {last['traditional_field']:.3f}"
    return ""


def lifetime(record: Record) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day on which the firm was there."""
    ended = record.ending["ended"]
    gone = record.ending["ending"] in ENDS and not pd.isna(ended)
    return pd.Timestamp(record.ending["founded"]), pd.Timestamp(ended) if gone else record.run_end


def outside_events(record: Record) -> list[Fact]:
    """Laws, rivals' price cuts and imitation of this very firm, while it was there."""
    start, end = lifetime(record)
    facts = []
    for row in record.others.to_dict("records"):
        if start <= row["time"] <= end and row["kind"] in OTHERS:
            weight, words = OTHERS[str(row["kind"])]
            facts.append(event_fact(row, weight, said(row, words)))
        elif start <= row["time"] <= end and row["kind"] == "imitation" and is_imitated(record, row):
            says = f"{row['firm']} imitates it ({row['cause']}: its own figure)"
            facts.append(event_fact(row, 4, says))
    return facts


def is_imitated(record: Record, row: Row) -> bool:
    """Whether the accuracy that an incumbent imitates is this firm's, to the three digits that are recorded."""
    before = record.months[record.months["month"] < row["time"]]
    return bool(len(before)) and f" {before.iloc[-1]['quality_field']:.3f} " in f"{row['cause']} "


def bundles(record: Record) -> list[Fact]:
    """Incumbents that give away what the firm sells, from the scenario."""
    start, end = lifetime(record)
    mine = segments_of(record)
    facts = []
    for name, firm in record.setup.get("firms", {}).items():
        same = name != record.firm and firm.get("sector") == record.ending["sector"]
        free = [seg for seg, how in firm.get("offers", {}).items() if how == "bundle" and seg in mine]
        since = max(start, pd.Timestamp(firm.get("founded") or start))
        if same and free and since <= end:
            says = f"{name} gives {', '.join(free)} away with its other products"
            facts.append(Fact(since, "bundle", says, "manifest", f"arms.resolved.firms.{name}.offers", 6))
    return facts


def segments_of(record: Record) -> set[str]:
    """Segments that the firm sold to when it was founded; empty for an incumbent, whose founding is no event."""
    founded = record.of("founded")
    return {part.partition(":")[0].strip() for part in founded.iloc[0]["text"].split(",")} if len(founded) else set()


def year_ends(record: Record) -> list[Fact]:
    """How the firm stood in each December and in its last month."""
    months = record.months
    facts = []
    for i, row in months.iterrows():
        last = i == len(months) - 1
        if row["month"].month == 12 or last:
            says = f"stands at {standing(months.iloc[: int(str(i)) + 1])}"
            facts.append(Fact(row["month"], "year", says, "firms", record.firm, 8 if last else 6))
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
    """How it ended, with the causes that were recorded."""
    end, kind = record.ending, str(record.ending["ending"])
    when = record.run_end if pd.isna(end["ended"]) else pd.Timestamp(end["ended"])
    raised = f"{money(end['raised_usd'])} raised in all"
    words = {
        "bankrupt": f"goes bankrupt; {raised}",
        "acquired": f"is bought for {money(end['exit_value_usd'])}; {raised}",
        "public": f"is public, valued at {money(end['exit_value_usd'])}; {raised}",
        "profitable": f"lives at the end of the run and earns more than it spends; {raised}",
        "alive": f"lives at the end of the run; {raised}",
    }
    says = words.get(kind, kind)
    if causes := causes_of(record):
        says += ". Recorded causes: " + "; ".join(causes)
    return Fact(when, "ending", says, "endings", record.firm, 10)


def causes_of(record: Record) -> list[str]:
    """Recorded causes of the ending. Reasons that a firm noted in a crisis that it survived are none."""
    if record.ending["ending"] in ("alive", "profitable"):
        return []
    return [cause for cause in str(record.ending["causes"] or "").split("; ") if cause]


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
        facts.append(Fact(row["month"], "peak", f"most customers: {count(row['customers'])}", "firms", record.firm, 6))
    return sorted(facts, key=lambda fact: fact.when)


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
    return Fact(now["month"], "turn", says, "firms", f"{record.firm} {name}", 6)
