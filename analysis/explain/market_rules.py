"""Rules about the market: trust, customers, what incumbents do, what a free product brings."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.explain.facts import Fact, Record, count, month_fact
from analysis.explain.moments import measured_in
from analysis.explain.offers import free_offers
from analysis.explain.rules import Link, Rule, before, caused_by, measured_before, of_kind, window, year_fact

INCIDENTS = ("breach", "outage", "accident")


def trust_falls(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """A fall of trust, the models and incidents behind it, and the customers it cost."""
    fall, lost = trust_fact(record, end), customers_fact(record)
    links = [] if fall is None else reasons_to_distrust(record, facts, fall)
    if links and fall is not None:
        links += [Link(fall, one, "field gap") for one in caused_by(facts, "trust")]
    if lost is not None and (earlier := trust_fact(record, lost)) is not None:
        links += [*reasons_to_distrust(record, facts, earlier), Link(earlier, lost, "churn")]
    return links


def reasons_to_distrust(record: Record, facts: Sequence[Fact], fall: Fact) -> list[Link]:
    """Models and incidents behind a fall of trust."""
    return [*gaps(record, facts, fall), *incidents(record, facts, fall)]


def gaps(record: Record, facts: Sequence[Fact], fall: Fact) -> list[Link]:
    """Models that disappointed while trust fell: the one in use at its peak, and those released until its lowest."""
    released = before(of_kind(facts, "release"), fall.moment)
    old = before(released, measured_in(fall.data["since"]))
    in_use = [*old[-1:], *released[len(old) :]]
    return [Link(fact, fall, "field gap", gap) for fact in in_use if (gap := gap_of(record, fact))]


def incidents(record: Record, facts: Sequence[Fact], fall: Fact) -> list[Link]:
    """Incidents in whose month trust fell."""
    drop = record.months.set_index("month")["trust"].diff()
    links = []
    for fact in before(of_kind(facts, *INCIDENTS), fall.moment):
        if (fell := float(drop.get(fact.moment.month, 0.0))) <= -0.02:
            links.append(Link(fact, fall, "incident", f"trust {fell:+.2f} in that month"))
    return links


def trust_fact(record: Record, effect: Fact | None) -> Fact | None:
    """The fall of trust from its peak to its lowest after it, as measured before an effect, if by 0.05 or more."""
    if effect is None:
        return None
    trust = measured_before(record, effect.moment).set_index("month")["trust"].dropna()
    if len(trust) < 2:
        return None
    deepest = int((trust - trust.cummax()).argmin())
    until, when, low = trust.iloc[: deepest + 1], pd.Timestamp(trust.index[deepest]), trust.iloc[deepest]
    if until.max() - low < 0.05:
        return None
    says = f"trust falls from {until.max():.2f} ({until.idxmax():%Y-%m}) to {low:.2f}"
    return month_fact(when, "trust", says, f"{record.firm} trust", data={"since": until.idxmax()})


def customers_fact(record: Record) -> Fact | None:
    """The fall of customers from their peak to the last month, if by a tenth or more."""
    if record.months.empty:
        return None
    customers = record.months.set_index("month")["customers"]
    peak, last = customers.idxmax(), customers.iloc[-1]
    if customers.max() <= 0 or last > 0.9 * customers.max():
        return None
    says = f"customers fall from {count(customers.max())} ({peak:%Y-%m}) to {count(last)}"
    return month_fact(customers.index[-1], "customers", says, f"{record.firm} customers")


def gap_of(record: Record, release: Fact) -> str:
    """What a release promises in the lab and holds in the field, where that is less than half; else nothing."""
    row = record.training.get(release.ledger_key)
    old = record.sectors[record.sectors["month"] <= release.moment.month]
    if row is None or old.empty or "traditional_lab" not in old:
        return ""
    lab = row["accuracy_lab"] - old.iloc[-1]["traditional_lab"]
    field = row["accuracy_field"] - old.iloc[-1]["traditional_field"]
    return (
        f"{lab:+.2f} on the traditional method in the lab, {field:+.2f} in the field" if field < max(lab, 0) / 2 else ""
    )


def giants(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """What incumbents did, behind recorded causes that speak of customers lost, not won, or not paying."""
    ended = {fact.data["firm"]: fact.moment for fact in of_kind(facts, "bundle ended")}
    bundles = [f for f in of_kind(facts, "bundle") if not ended.get(f.data["firm"], f.moment) > f.moment]
    moves = [*bundles, *of_kind(facts, "price cut")]
    return [Link(fact, one, "bundle") for one in caused_by(facts, "outcompeted", "paying share") for fact in moves]


def free_product(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Little revenue from a product that was given away, of a firm that ran short of cash, and few users who paid."""
    unpaid, short = caused_by(facts, "paying share"), caused_by(facts, "cash", "runway")
    if not (unpaid or short) or record.months.empty:
        return []
    books, last = year_fact(record), record.months.iloc[-1]
    users = last.get("freemium_free", 0.0) + last.get("freemium_paying", 0.0)
    if not users:
        return []
    pay = f"{last['freemium_paying'] / users:.1%} of {count(users)} users pay"
    year = record.months.tail(12)["month"].iloc[0]
    made_free = [change.moment for _, change in free_offers(record, measured_in(year))]
    sources = [fact for fact in of_kind(facts, "founded", "offers") if fact.moment in made_free]
    links = [Link(fact, one, "free") for fact in sources for one in unpaid]
    return [*links, *(Link(fact, books, "free", pay) for fact in sources)]


def rival_answers(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Price cuts that answer this firm's own share."""
    links = []
    for fact in of_kind(facts, "price cut"):
        months = measured_before(record, fact.moment)
        if fact.data.get("rival") == record.firm and len(months):
            row = months.iloc[-1]
            says = f"it holds {row['share']:.0%} of its sector"
            links.append(Link(month_fact(row["month"], "share", says, f"{record.firm} share"), fact, "rival answer"))
    return links


def growth(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Growth of customers after a release, as seen before the last month: it may be behind the revenue until then."""
    links = []
    for fact in of_kind(facts, "release"):
        after = window(record, fact)
        after = after[after["month"] < record.months["month"].max()]
        first, last = (after["customers"].iloc[i] for i in (0, -1)) if len(after) > 1 else (0.0, 0.0)
        if last > max(1.2 * first, 1.0):
            says = f"customers grow from {count(first)} to {count(last)}"
            effect = month_fact(after["month"].iloc[-1], "growth", says, f"{record.firm} customers")
            links.append(Link(fact, effect, "growth"))
    return links


MARKET_RULES: tuple[Rule, ...] = (trust_falls, giants, free_product, rival_answers, growth)
