"""What caused what: a small graph of recorded and inferred links, and the chain from the ending backward."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.explain.chronicle import causes_of
from analysis.explain.facts import Fact, Record
from analysis.explain.market_rules import MARKET_RULES, growth
from analysis.explain.money_rules import MONEY_RULES, survival
from analysis.explain.rules import Link, before, caused_by, of_kind
from simulation.records.reasons import NOTHING_TOLD, told

RECORDED = "recorded"
DEEPEST = 6  # links from the ending backward that the chain shows
MOST_CAUSES = 10  # per effect


def links_of(record: Record, facts: Sequence[Fact]) -> list[Link]:
    """The graph of a firm, every cause before its effect; `facts` is its chronicle, with the ending last."""
    end = facts[-1]
    known = [*facts, *conditions(record, end)]
    grown = [link.effect for link in growth(record, facts, end)]
    links = [*recorded(record, known, end), *inferred(record, known, end)]
    links += survival(record, [*known, *grown], end)
    return unique([link for link in links if link.in_order])


def inferred(record: Record, facts: Sequence[Fact], end: Fact) -> list[Link]:
    """All links that the rules find."""
    return [link for rule in (*MONEY_RULES, *MARKET_RULES) for link in rule(record, facts, end)]


def recorded(record: Record, known: Sequence[Fact], end: Fact) -> list[Link]:
    """Links that the run wrote down itself: causes of the ending, ledger keys, refusals, orders to fix."""
    links = [Link(fact, end, RECORDED, "its recorded causes") for fact in of_kind(known, "condition")]
    releases = {fact.ledger_key: fact for fact in of_kind(known, "release")}
    for fact in known:
        if fact.kind == "release" and (trained := training_fact(record, fact)):
            links.append(Link(trained, fact, RECORDED, "ledger key"))
        audited = releases.get(fact.ledger_key) if fact.kind in ("audit passed", "audit failed") else None
        if audited:
            links.append(Link(audited, fact, RECORDED, "ledger key"))
    return [*links, *behind_conditions(known, releases), *listing(record, known, end), *orders(known)]


def behind_conditions(known: Sequence[Fact], releases: dict[str, Fact]) -> list[Link]:
    """Events that the recorded causes of an ending speak of: the model in use, the last refusal."""
    links = []
    for one in caused_by(known, "product"):
        if released := releases.get(str(one.data.get("ledger_key"))):
            links.append(Link(released, one, RECORDED, "ledger key of the model in use"))
    for one in caused_by(known, "refused", "climate"):
        refusals = before(of_kind(known, "raise refused"), one.moment)
        links += [Link(refusal, one, RECORDED, "the last refusal") for refusal in refusals[-1:]]
    return links


def listing(record: Record, known: Sequence[Fact], end: Fact) -> list[Link]:
    """A firm that is public at the end is so by its listing, which has recorded causes of its own."""
    links = []
    for listed in of_kind(known, "listed") if record.ending["ending"] == "public" else ():
        causes = enumerate(listed.data.get("causes", ()), 1)
        reasons = [condition(listed, cause, f"{record.firm} listed causes {i}") for i, cause in causes]
        links += [Link(listed, end, RECORDED, "its listing")]
        links += [Link(reason, listed, RECORDED, "its recorded causes") for reason in reasons]
    return links


def orders(known: Sequence[Fact]) -> list[Link]:
    """A withdrawal goes back to the failed audit that gave the order."""
    links = []
    for fact in of_kind(known, "withdrawn"):
        failed = before(of_kind(known, "audit failed"), fact.moment)
        links += [Link(audit, fact, RECORDED, "order to fix") for audit in failed[-1:]]
    return links


# -- what a fact rests on ---------------------------------------------------------------------------------------------


def conditions(record: Record, end: Fact) -> list[Fact]:
    """The recorded causes of an ending, one fact each; they come right before it. That none was found is none."""
    key = f"{record.firm} {record.ending['ending']} causes"
    numbered = enumerate(causes_of(record), 1)
    return [condition(end, one, f"{key} {i}") for i, one in numbered if one.get("kind") not in NOTHING_TOLD]


def condition(event: Fact, cause: dict[str, str], key: str) -> Fact:
    """One recorded cause of an event."""
    return Fact(event.when, event.moment.just_before(), "condition", told(cause), "events", key, data=cause)


def training_fact(record: Record, release: Fact) -> Fact | None:
    """The training run behind a release, where the run folder holds it."""
    key = release.ledger_key
    row = record.training.get(key)
    if row is None:
        return None
    plan = row["plan"]
    recipe = plan.get("recipe") or {}
    says = (
        f"run {key[:8]}: {plan.get('kind')}, rung {plan.get('rung')}, {plan.get('rows', 0):,} rows, "
        f"{plan.get('coverage', 0):.0%} from the field, {recipe.get('optimizer', '?')}"
    )
    return Fact(release.when, release.moment.just_before(), "training", says, "training", key)


def unique(links: Sequence[Link]) -> list[Link]:
    """Links without repetitions, in the order given; a recorded one comes before a rule that says the same."""
    kept: dict[tuple[Fact, Fact], Link] = {}
    for link in links:
        kept.setdefault((link.cause, link.effect), link)
    return list(kept.values())


def chain(end: Fact, links: Sequence[Link]) -> list[tuple[int, Link]]:
    """Links from the ending backward with their depth (1: direct causes); what is told once is not told again."""
    told: set[Fact] = set()
    found: list[tuple[int, Link]] = []

    def follow(effect: Fact, depth: int) -> None:
        for link in [link for link in links if link.effect == effect][:MOST_CAUSES]:
            found.append((depth, link))
            if link.cause not in told and depth < DEEPEST:
                told.add(link.cause)
                follow(link.cause, depth + 1)

    follow(end, 1)
    return found


def beside(end: Fact, links: Sequence[Link]) -> list[Link]:
    """Links that do not lead to the ending."""
    leading = {link for _, link in chain(end, links)}
    return [link for link in links if link not in leading]
