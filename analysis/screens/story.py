"""A firm's story as lines of text. Every line ends with the row that it comes from, in brackets."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.counterfactual.agreement import agrees
from analysis.counterfactual.search import BISECTIONS, Reversals, Search
from analysis.explain.causes import RECORDED, beside, chain
from analysis.explain.facts import Fact
from analysis.explain.rules import Link
from analysis.explain.story import Story, checks_of

MOST_LINES = 34  # of the chronicle; turning points come on top
MOST_BESIDE = 5
SLIGHT, FEW = 0.05, 3  # for the wording only: from so many slight changes on an ending hung by a thread


def story_lines(story: Story) -> list[str]:
    """What happened, and what caused what."""
    subject, end = story.record.subject, story.record.ending
    chosen = f"  ({'; '.join(story.notes)})" if story.notes else ""
    head = f"{subject.firm}, {end['kind']} in {end['sector']}: {subject.scenario}, {subject.arm}, seed {subject.seed}"
    return [f"{head}{chosen}", "", "What happened", *chronicle_lines(story), "", *cause_lines(story)]


def chronicle_lines(story: Story) -> list[str]:
    """The chronicle, its lightest facts left out where it is long, and the turning points."""
    facts = heaviest(story.facts, MOST_LINES)
    lines = [fact_line(story, fact) for fact in facts]
    if len(facts) < len(story.facts):
        lines.append(f"  … {len(story.facts) - len(facts)} lesser facts left out; --json has all")
    turns = [fact_line(story, fact) for fact in story.turns]
    return [*lines, "Turning points", *turns] if turns else lines


def heaviest(facts: Sequence[Fact], most: int) -> list[Fact]:
    """At most so many facts: the most telling, earlier ones first among equals; in order of time."""
    ranked = sorted(range(len(facts)), key=lambda i: (-facts[i].weight, i))[:most]
    return [facts[i] for i in sorted(ranked)]


def fact_line(story: Story, fact: Fact) -> str:
    """One fact with its date and row."""
    return f"  {fact.when:%Y-%m-%d}  {fact.says}  {row_of(story, fact)}"


def row_of(story: Story, fact: Fact) -> str:
    """Table and key of a fact, without what the line says anyway: the firm's name and most of a ledger key."""
    words = [word[:8] if len(word) == 32 else word for word in fact.key.split() if word != story.record.firm]
    dated = [] if fact.row_time is None else [f"{fact.row_time:%Y-%m}"]
    return f"[{' '.join([fact.table, *dated, *words])}]"


def cause_lines(story: Story) -> list[str]:
    """The chain from the ending backward, and links beside it."""
    links = chain(story.end, story.links)
    head = "What caused what, from the ending backward; recorded links are marked =, those inferred by a rule ~rule"
    first = f"  {story.end.when:%Y-%m-%d}  {story.end.short}"
    lines = [link_line(story, link, depth) for depth, link in links] or ["    no link was recorded or inferred"]
    aside = beside(story.end, story.links)
    shown = [f"    {link.effect.short} ← {link_line(story, link, 0).strip()}" for link in aside[:MOST_BESIDE]]
    return [head, first, *lines, *(["  Beside it", *shown] if shown else [])]


def link_line(story: Story, link: Link, depth: int) -> str:
    """One link: its cause, whether it is recorded, its evidence."""
    basis = "=" if link.basis == RECORDED else f"~{link.basis}"
    dated = "" if link.cause.kind == "condition" else f"{link.cause.when:%Y-%m-%d} "
    evidence = f" ({link.evidence})" if link.evidence else ""
    return f"  {'   ' * depth}{basis} {dated}{link.cause.short}{evidence}  {row_of(story, link.cause)}"


def reversal_lines(story: Story, reversals: Reversals) -> list[str]:
    """The smallest single changes that turn the ending around, and the levers that do not."""
    aim = "saved" if story.record.failed else "ruined"
    head = (
        f"The smallest single change that would have {aim} it ({reversals.n_replays} replays with the same draws; "
        f"size: share of the lever's range, bisected {BISECTIONS} times)"
    )
    found = [found_line(one) for one in reversals.found] or ["  none of these levers turns the ending around:"]
    if not reversals.complete:
        found.append("  stopped by Ctrl-C: sizes may still be too large, and untried levers are missing")
    slight = sum(bool(one.pull.knobs) and (one.reversal or 0) <= SLIGHT for one in reversals.found)
    if slight >= FEW:
        found.append(f"  It hung by a thread: {slight} levers turn it with {SLIGHT:.0%} of their range or less.")
    lost = [f"{one.pull.lever}{way(one)}" for one in reversals.without]
    label = "These do not" if reversals.complete else "These did not, as far as they were tried"
    return [head, *found, *([f"  {label}: {'; '.join(lost)}"] if lost else []), *agreement_lines(story, reversals)]


def agreement_lines(story: Story, reversals: Reversals) -> list[str]:
    """Where the replays contradict what was said to have caused the ending, where they bear it out, what is open."""
    checked = checks_of(story, reversals)
    stays = "the firm still fails" if story.record.failed else "the firm still does not fail"
    against = [
        f"    {one.causes[0].short}: {stays}, whatever is done about it (tried: {', '.join(one.levers)})"
        for one in checked
        if one.agrees is False
    ]
    lines = ["  The replays contradict these causes above:", *against] if against else []
    borne_out = [f"{one.causes[0].short} ({', '.join(one.turning)})" for one in checked if one.agrees]
    lines += [f"  They bear out: {'; '.join(borne_out)}"] if borne_out else []
    untested = [one.causes[0].short for one in checked if one.agrees is None]
    lines += [f"  No replay tells of: {'; '.join(untested)}"] if untested else []
    unnamed = [one.pull.lever for one in reversals.found if agrees(one, checked, reversals.complete) is False]
    names = "; ".join(dict.fromkeys(unnamed))
    return [*lines, *([f"  These turn it around, though no cause above speaks of them: {names}"] if unnamed else [])]


def found_line(one: Search) -> str:
    """One lever that turns the ending around."""
    size = one.reversal or 0.0
    outcome = one.tried[size]
    ended = f" {outcome.ended}" if outcome.ended else ""
    label = f"{size:5.3f} (not at {one.below:.3f})" if one.pull.knobs else "switch"
    moves = f": {one.pull.says(size)}" if one.pull.knobs else ""
    too = f"; {one.larger[0]} of {one.larger[1]} larger sizes too" if one.larger[1] else ""
    return f"  {label:20}  {one.pull.lever}{moves}  → {outcome.ending}{ended}{too}"


def way(one: Search) -> str:
    """The direction of a search and how far it went."""
    if not one.pull.knobs:
        return ""
    return f" {'+' if one.pull.direction > 0 else '−'}{max(one.tried):.2f}"
