"""Rules that link facts of a firm where no cause was recorded. Each is stated in RULES and says its evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.explain.chronicle import causes_of, is_key
from analysis.explain.facts import Fact, Record, count, money

# Bounds are for the wording of explanations only: no figure of the model depends on them.
RULES: dict[str, str] = {
    "burn": "cash ran out because the last twelve months cost more than they brought",
    "unfunded": "cash ran out because the last attempt to raise before the end was refused and no round followed",
    "bar": "a raise was refused because yearly revenue was below what the usual price asks for at 100 % growth",
    "cut": "staff fell by a tenth or more within six months after a refusal because of it",
    "field gap": "trust fell by 0.05 or more because the model was worse than the traditional method in the field, or "
    "beat it by less than half of what it promised in the lab",
    "incident": "trust fell because an incident struck in the month of a fall by 0.02 or more",
    "churn": "customers fell by a tenth or more from their peak because trust had fallen before",
    "free": "little revenue because the product was given away",
    "bundle": "the sector was the incumbents' because they gave the same away or cut prices while the firm lived",
    "rival answer": "an incumbent cut its price because of the firm's share: the share recorded is its own",
    "growth": "customers grew by a fifth or more within six months after a release",
    "demand": "revenue over the last twelve months came from the customers that were won",
    "profit": "the firm lives because the last twelve months brought more than they cost",
    "money": "the firm lives on the money of its last round",
}
AFTER = pd.DateOffset(months=6)
INCIDENTS = ("breach", "outage", "accident")


@dataclass(frozen=True)
class Link:
    """One edge of the graph. `basis` is "recorded" or the name of a rule in RULES."""

    cause: Fact
    effect: Fact
    basis: str
    evidence: str = ""


Rule = Callable[[Record, Sequence[Fact], Fact], list[Link]]


def inferred(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """All links that the rules find; `facts` are the chronicle and the conditions of the ending `end`."""
    return [link for rule in (*MONEY_RULES, *MARKET_RULES) for link in rule(record, facts, end)]


def of_kind(facts: Sequence[Fact], *kinds: str) -> list[Fact]:
    """Facts of these kinds."""
    return [fact for fact in facts if fact.kind in kinds]


def saying(facts: Sequence[Fact], *words: str) -> list[Fact]:
    """Recorded conditions of the ending that contain one of the words."""
    return [fact for fact in of_kind(facts, "condition") if any(word in fact.says for word in words)]


def last_year(record: Record) -> tuple[float, float]:
    """Revenue and costs of the last twelve months, USD."""
    year = record.months.tail(12)
    return float(year["revenue_usd"].sum()), float(year["costs_usd"].sum())


def year_fact(record: Record) -> Fact:
    """Revenue and costs of the last twelve months in words."""
    revenue, costs = last_year(record)
    row = record.months.iloc[-1]
    says = f"{money(revenue)} revenue against {money(costs)} costs in the last twelve months"
    return Fact(row["month"], "books", says, "firms", f"{record.firm} revenue_usd costs_usd")


# -- money ------------------------------------------------------------------------------------------------------------


def burn(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Cash ran out: costs above revenue, the last of the cash, and no round after a refusal."""
    out = saying(facts, "cash ran out")
    if not out or record.months.empty:
        return []
    revenue, costs = last_year(record)
    cash = f"cash {money(record.months.iloc[-1]['cash_usd'])} at the last month's end"
    links = [Link(year_fact(record), out[0], "burn", cash)] if costs > revenue else []
    refused = [fact for fact in of_kind(facts, "raise refused") if fact.when <= end.when]
    rounds = [fact.when for fact in of_kind(facts, "round")]
    if refused and all(when < refused[-1].when for when in rounds):
        says = f"refused {refused[-1].when:%Y-%m}, no round until {end.when:%Y-%m}"
        links.append(Link(refused[-1], out[0], "unfunded", says))
    return links


def bar(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """A refusal and the revenue that its usual price asks for."""
    capital = record.setup.get("world", {}).get("capital", {})
    links = []
    for fact in of_kind(facts, "raise refused"):
        row = record.of("raise refused").set_index("time").loc[[fact.when]].iloc[0]
        before = record.months[record.months["month"] < fact.when].tail(3)
        if capital and len(before):
            needed = row["amount_usd"] / (capital["revenue_multiple"] + capital["growth_multiple"])
            yearly = 12 * float(before["revenue_usd"].mean())
            if yearly < needed:
                says = f"revenue {money(yearly)} a year before the refusal, {money(needed)} asked for at 100 % growth"
                key = f"{record.firm} revenue_usd"
                links.append(Link(Fact(before.iloc[-1]["month"], "books", says, "firms", key), fact, "bar"))
    return links


def cut(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Staff that went after a refusal."""
    links = []
    for fact in of_kind(facts, "raise refused"):
        after = window(record, fact.when)
        if len(after) > 1 and after["headcount"].iloc[-1] <= 0.9 * after["headcount"].iloc[0]:
            says = f"staff falls from {after['headcount'].iloc[0]:.0f} to {after['headcount'].iloc[-1]:.0f}"
            effect = Fact(after["month"].iloc[-1], "cut", says, "firms", f"{record.firm} headcount")
            links.append(Link(fact, effect, "cut"))
    return links


def survival(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Why a firm lives: it earns more than it spends, or lives on a round."""
    if record.failed or record.ending["ending"] not in ("alive", "profitable", "public") or record.months.empty:
        return []
    revenue, costs = last_year(record)
    if revenue > costs:
        earned = year_fact(record)
        grown = [Link(fact, earned, "demand") for fact in of_kind(facts, "growth")[-1:]]
        return [Link(earned, end, "profit"), *grown]
    rounds = of_kind(facts, "round", "founded", "listed")
    return [Link(rounds[-1], end, "money", f"{money(costs - revenue)} more spent than earned")] if rounds else []


# -- market -----------------------------------------------------------------------------------------------------------


def window(record: Record, when: pd.Timestamp) -> pd.DataFrame:
    """The firm's months from two before `when` (the phases of a month are dated to its end) to six after."""
    months = record.months
    return months[(months["month"] >= when - pd.DateOffset(months=2)) & (months["month"] <= when + AFTER)]


def trust_falls(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """A fall of trust, the models and incidents behind it, and the customers it cost."""
    effect = trust_fact(record)
    if effect is None:
        return []
    links = [
        Link(fact, effect, "field gap", gap) for fact in of_kind(facts, "release") if (gap := gap_of(record, fact))
    ]
    drop = record.months.set_index("month")["trust"].diff()
    for fact in of_kind(facts, *INCIDENTS):
        # An incident is dated to the end of its month, which is the first day of the next.
        fell = drop.get((fact.when - pd.Timedelta(days=1)).to_period("M").to_timestamp(), 0.0)
        if fell <= -0.02:
            links.append(Link(fact, effect, "incident", f"trust {fell:+.2f} in that month"))
    if lost := customers_fact(record, effect):
        links.append(Link(effect, lost, "churn"))
    return [*links, *(Link(effect, one, "field gap") for one in saying(facts, "lost trust") if links)]


def trust_fact(record: Record) -> Fact | None:
    """The fall of trust from its peak to its lowest after it, if by 0.05 or more."""
    trust = record.months.set_index("month")["trust"].dropna()
    if len(trust) < 2:
        return None
    deepest = int((trust - trust.cummax()).argmin())
    before, when, low = trust.iloc[: deepest + 1], pd.Timestamp(trust.index[deepest]), trust.iloc[deepest]
    if before.max() - low < 0.05:
        return None
    says = f"trust falls from {before.max():.2f} ({before.idxmax():%Y-%m}) to {low:.2f}"
    return Fact(when, "trust", says, "firms", f"{record.firm} trust")


def customers_fact(record: Record, trust: Fact) -> Fact | None:
    """The fall of customers from their peak, if by a tenth or more and after trust began to fall."""
    customers = record.months.set_index("month")["customers"]
    peak, last = customers.idxmax(), customers.iloc[-1]
    if customers.max() <= 0 or last > 0.9 * customers.max() or trust.when > customers.index[-1]:
        return None
    says = f"customers fall from {count(customers.max())} ({peak:%Y-%m}) to {count(last)}"
    return Fact(customers.index[-1], "customers", says, "firms", f"{record.firm} customers")


def gap_of(record: Record, release: Fact) -> str:
    """What a release promises in the lab and holds in the field, where that is less than half; else nothing."""
    row = record.training.get(release.key.rpartition(" ")[2])
    old = record.sectors[record.sectors["month"] <= release.when]
    if row is None or old.empty or "traditional_lab" not in old:
        return ""
    lab = row["accuracy_lab"] - old.iloc[-1]["traditional_lab"]
    field = row["accuracy_field"] - old.iloc[-1]["traditional_field"]
    return (
        f"{lab:+.2f} on the traditional method in the lab, {field:+.2f} in the field" if field < max(lab, 0) / 2 else ""
    )


def giants(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """What incumbents did, behind recorded conditions that name them."""
    conditions = saying(facts, "incumbents hold", "gives a better model away")
    bundles = of_kind(facts, "bundle")
    cuts = of_kind(facts, "price cut")
    links = [Link(fact, one, "bundle") for one in conditions for fact in bundles]
    return [*links, *(Link(fact, one, "bundle") for one in conditions if "hold" in one.says for fact in cuts)]


def free_product(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Little revenue from a product that was given away."""
    unpaid = saying(facts, "did not convert")
    founded = [fact for fact in of_kind(facts, "founded") if "freemium" in fact.says]
    if not unpaid or record.months.empty:
        return []
    return [Link(unpaid[0], year_fact(record), "free"), *(Link(fact, unpaid[0], "free") for fact in founded)]


def rival_answers(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Price cuts that answer this firm's own share."""
    links = []
    for fact in of_kind(facts, "price cut"):
        before = record.months[record.months["month"] < fact.when]
        if len(before) and f"a startup holds {before.iloc[-1]['share']:.0%}" in fact.says:
            row = before.iloc[-1]
            says = f"it holds {row['share']:.0%} of its sector"
            links.append(Link(Fact(row["month"], "share", says, "firms", f"{record.firm} share"), fact, "rival answer"))
    return links


def growth(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """Growth of customers after a release."""
    links = []
    for fact in of_kind(facts, "release"):
        after = window(record, fact.when)
        first, last = (after["customers"].iloc[i] for i in (0, -1)) if len(after) > 1 else (0.0, 0.0)
        if last > max(1.2 * first, 1.0):
            says = f"customers grow from {count(first)} to {count(last)}"
            effect = Fact(after["month"].iloc[-1], "growth", says, "firms", f"{record.firm} customers")
            links.append(Link(fact, effect, "growth"))
    return links


MONEY_RULES: tuple[Rule, ...] = (burn, bar, cut)
MARKET_RULES: tuple[Rule, ...] = (trust_falls, giants, free_product, rival_answers, growth)


# -- recorded ---------------------------------------------------------------------------------------------------------


def conditions(record: Record, end: Fact) -> list[Fact]:
    """The recorded causes of an ending, one fact each."""
    return [
        Fact(end.when, "condition", cause, "endings", f"{record.firm} causes {i}")
        for i, cause in enumerate(causes_of(record), 1)
    ]


def training_fact(record: Record, release: Fact) -> Fact | None:
    """The training run behind a release, where the run folder holds it."""
    key = release.key.rpartition(" ")[2]
    row = record.training.get(key) if is_key(key) else None
    if row is None:
        return None
    plan = row["plan"]
    recipe = plan.get("recipe") or {}
    says = (
        f"run {key[:8]}: {plan.get('kind')}, rung {plan.get('rung')}, {plan.get('rows', 0):,} rows, "
        f"{plan.get('coverage', 0):.0%} from the field, {recipe.get('optimizer', '?')}"
    )
    return Fact(release.when, "training", says, "training", key)
