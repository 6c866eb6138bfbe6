"""What caused what: a small graph of recorded and inferred links, and the chain from the ending backward."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.explain.facts import Fact, Record
from analysis.explain.rules import Link, conditions, growth, inferred, survival, training_fact

RECORDED = "recorded"
DEEPEST = 6  # links from the ending backward that the chain shows
MOST_CAUSES = 10  # per effect


def links_of(record: Record, facts: Sequence[Fact]) -> list[Link]:
    """The graph of a firm; `facts` is its chronicle, with the ending last."""
    end = facts[-1]
    known = [*facts, *conditions(record, end)]
    grown = [link.effect for link in growth(record, facts, end)]
    links = [*recorded(record, known, end), *inferred(record, known, end)]
    return unique([*links, *survival(record, [*known, *grown], end)])


def recorded(record: Record, known: Sequence[Fact], end: Fact) -> list[Link]:
    """Links that the run wrote down itself: causes of the ending, ledger keys, texts of refusals, orders to fix."""
    links = [Link(fact, end, RECORDED, "endings.causes") for fact in known if fact.kind == "condition"]
    releases = {fact.key.rpartition(" ")[2]: fact for fact in known if fact.kind == "release"}
    for fact in known:
        if fact.kind == "release" and (trained := training_fact(record, fact)):
            links.append(Link(trained, fact, RECORDED, "ledger key"))
        audited = releases.get(fact.key.rpartition(" ")[2]) if fact.kind.startswith("audit") else None
        if audited:
            links.append(Link(audited, fact, RECORDED, "ledger key"))
    return [*links, *behind_conditions(record, known, releases), *orders(known)]


def behind_conditions(record: Record, known: Sequence[Fact], releases: dict[str, Fact]) -> list[Link]:
    """Events that the recorded causes of an ending speak of: the model in use, the refusal of that very text."""
    last_key = str(record.months.iloc[-1]["ledger_key"]) if len(record.months) else ""
    links = []
    for one in (fact for fact in known if fact.kind == "condition"):
        if "disappoints in the field" in one.says and last_key in releases:
            links.append(Link(releases[last_key], one, RECORDED, "ledger key of the model in use"))
        refusals = [f for f in known if f.kind == "raise refused" and f.says.startswith(f"{one.says}:")]
        links += [Link(refusal, one, RECORDED, "same text") for refusal in refusals[-1:]]
    return links


def orders(known: Sequence[Fact]) -> list[Link]:
    """A withdrawal goes back to the failed audit that gave the order."""
    links = []
    for fact in known:
        failed = [f for f in known if f.kind == "audit failed" and f.when <= fact.when]
        if fact.kind == "withdrawn" and failed:
            links.append(Link(failed[-1], fact, RECORDED, "order to fix"))
    return links


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
