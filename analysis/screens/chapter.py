"""What `ventures cases` shows of each chapter: its statements, its outcome beside the twin's, and its causes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.cases.results import MOST_PEERS, CaseResult, CasesResult, CauseResult, ShareChange
from analysis.cases.verdicts import (
    case_verdict,
    cause_verdict,
    ending_verdict,
    manipulation_verdict,
    outcome_verdict,
    twin_verdict,
    written,
)
from analysis.screens.experiments import plain_table
from analysis.statistics.written import NO_NUMBER

ROLES = {"outcome": "bold", "process": "", "background": "dim"}
LARGE = 1000  # figures from which decimals say nothing


def cases_screen(result: CasesResult) -> Group:
    """All cases, one below the other."""
    return Group(*(case_screen(case) for case in result.cases))


def case_screen(case: CaseResult) -> Group:
    """One case: what its chapter expects, how it ended, and what each cause does."""
    head = Text.assemble((f"\n{case.id}", "bold"), f"  {case.title}  (focal firm {case.focal}, {case.match.n} seeds)")
    endings = ", ".join(f"{ending} {count}" for ending, count in case.endings.items()) or "none recorded"
    end = f"median end {case.median_end}" if case.median_end else "most have not ended"
    parts: list[RenderableType] = [head, expectations_table(case), *share_lines(case)]
    return Group(*parts, Text(f"endings: {endings}; {end}"), causes_table(case), *warning_lines(case))


def expectations_table(case: CaseResult) -> Table:
    """What the chapter expects, in which share of seeds it holds, and how many other startups of the sector meet it."""
    table = plain_table("§", "the chapter expects", "role", "share of seeds [95 %]", "startups beside")
    for figures in (3, 4):
        table.columns[figures].no_wrap = True  # where the terminal is narrow the words fold, never a figure
    for one in case.expectations:
        peers = f"{one.peers.estimate:.2f}" if one.peers is not None and one.peers.n else NO_NUMBER
        style = "red" if one.is_too_easy else ""
        role = Text(one.role, style=ROLES[one.role])
        table.add_row(one.section, one.says, role, written(one.share), Text(peers, style=style))
    return table


def share_lines(case: CaseResult) -> Iterator[Text]:
    """The shares of seeds: every statement, the outcome and the twin's, the ending."""
    style = "green" if case.match.low > 0.5 else "red" if case.match.high < 0.5 else "yellow"
    yield Text.assemble("meets every statement ", (written(case.match), "bold"), "  ", (case_verdict(case), style))
    if case.outcome:
        yield Text.assemble("the outcome           ", (written(case.outcome), "bold"))
    if case.twin:
        says = f"  {twin_verdict(case.twin)}: {written(case.twin.effect, True)}"
        yield Text.assemble("the outcome, its twin ", (written(case.twin.share), "bold"), says)
    ending = Text("the chapter's ending  ")
    ending.append(*((written(case.ending), "bold") if case.ending else ("none stated", "dim")))
    yield ending


def warning_lines(case: CaseResult) -> Iterator[Text]:
    """What takes weight from a match: statements that most others meet, and bounds on which much hangs."""
    if case.too_easy:
        names = ", ".join(case.too_easy)
        yield Text(f"too easy: {names} (more than {MOST_PEERS:.0%} of the startups beside: background)", style="red")
    if case.worst:
        one, point = case.worst
        moved = f"{one.id} {one.side} {one.bound:g} moved to {point.bound:g} ({point.factor - 1:+.0%})"
        yield Text(f"bounds of our own, moved by up to a quarter: at worst {written(point.share)}, with {moved}")


def causes_table(case: CaseResult) -> Table:
    """What taking each cause away does: to every statement, to the outcome, to the ending, to what it should change."""
    table = plain_table("§", "cause taken away", "seeds with", "share", "effect [95 %]", "verdict")
    for figures in (1, 4):
        table.columns[figures].no_wrap = True  # where the terminal is narrow the verdict folds
    for one in case.causes:
        match = ShareChange(one.effect, one.share_without)
        table.add_row(one.section, one.name, "every statement", *_change_cells(match), cause_verdict(one))
        for cells in _further_rows(one):
            table.add_row("", "", *cells)
    return table


def _further_rows(one: CauseResult) -> Iterator[tuple[str, ...]]:
    if one.outcome:
        yield "the outcome", *_change_cells(one.outcome), outcome_verdict(one.outcome)
    if one.ending:
        yield "the ending", *_change_cells(one.ending), ending_verdict(one.ending)
    if one.manipulation:
        look, means = one.manipulation.measure, one.manipulation.means
        what = look.metric if look.of == "value" else f"{look.metric} {look.of}"
        form = ",.0f" if max(abs(means.control), abs(means.treated)) >= LARGE else ".2f"
        effect = written(means.effect, True, form)
        yield f"check: {what}", f"{means.treated:{form}}", effect, manipulation_verdict(one.manipulation)


def _change_cells(change: ShareChange) -> tuple[str, str]:
    return f"{change.share_without:.2f}", written(change.effect, True)
