"""What `ventures cases` shows: the cases, and below them the shares of the causes and the placebo tests."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.cases.beside import NEAR_MONTHS
from analysis.cases.placebo_document import summary
from analysis.cases.placebo_results import ALL, TARGET, Cell, Placebo
from analysis.cases.placebo_verdicts import Verdict, verdicts
from analysis.cases.shapley import Attribution, Interaction
from analysis.cases.study import CaseStudy
from analysis.cases.verdicts import TOO_FEW, written
from analysis.screens.chapter import cases_screen
from analysis.screens.experiments import plain_table
from analysis.statistics.intervals import Interval
from analysis.statistics.written import NO_NUMBER


def study_screen(result: CaseStudy) -> Group:
    """Everything that was asked for, one below the other."""
    parts: list[RenderableType] = [cases_screen(result.cases)]
    parts += [attribution_screen(one) for one in result.attributions]
    if result.placebo:
        parts.append(placebo_screen(result.placebo))
    return Group(*parts)


def attribution_screen(found: Attribution) -> Group:
    """One case: what each cause contributes to the share of seeds that meet every statement."""
    n = found.match_all.n
    head = Text.assemble(
        (f"\n{found.id}", "bold"), f"  Shapley values of the causes, {n} seeds × {_arms(found)} subsets"
    )
    table = plain_table("§", "cause", "contribution to meeting every statement [95 %]")
    for one in found.contributions:
        table.add_row(one.section, one.name, written(one.value, True))
    table.add_row("", "sum", written(found.whole, True), style="bold")
    total = (
        f"sum {found.total:+.2f} = share with all causes {written(found.match_all)} − none {written(found.match_none)}"
    )
    return Group(head, table, Text(total), Text(interaction_line(found.strongest)))


def interaction_line(strongest: Interaction | None) -> str:
    """The pair that matters most, in words."""
    if strongest is None:
        return "a single cause interacts with none"
    if strongest.effect.estimate == 0:
        return "no two causes interact in these seeds"
    how = "each needs the other" if strongest.effect.estimate > 0 else "one can replace the other"
    open_or_not = "; the interval holds 0" if strongest.effect.is_known else f"; {TOO_FEW}"
    sure = "" if strongest.effect.excludes_zero else open_or_not
    pair = f"{strongest.first} and {strongest.second}"
    return f"strongest interaction: {pair} {written(strongest.effect, True)} ({how}{sure})"


def placebo_screen(found: Placebo) -> Group:
    """Both placebo tests, the verdict on each case, and what each statement is worth."""
    told = verdicts(found)
    return Group(
        Text("\nPlacebo", style="bold"),
        Text("share of seeds in which the focal firm of a column meets what the chapter of a row expects of its own"),
        crossed_table(found),
        Text("* its own chapter expects the like, so that much may hold; – no such measure in this run"),
        *(Text(line) for line in summary_lines(found)),
        Text(f"\nverdicts: pooled shares that meet a whole chapter; wanted outside the first column: ≤ {TARGET:.2f}"),
        verdict_table(found, told),
        Text(
            f"startups beside: of the same world, alive when the firm entered or founded within {NEAR_MONTHS} months "
            "of it; chapters that expect the like (*) are left out of the pool"
        ),
        Text("\nstatements one by one: too easy where other firms and startups beside meet it as well"),
        statement_table(told),
    )


def verdict_table(found: Placebo, told: Sequence[Verdict]) -> Table:
    """One row per case: its own match, the three placebo shares, the verdict."""
    table = plain_table(
        "case", "its firm", "its firm, other chapters", "other firms, its chapter", "startups beside", "n", "verdict"
    )
    for one, beside in zip(told, found.shuffled, strict=True):
        shares = (one.whole.own, one.elsewhere, one.whole.others, one.whole.peers)
        style = "red" if one.failures else "green"
        table.add_row(short(one.case), *map(_share_text, shares), f"{beside.others.n:,}", Text(one.says, style=style))
    return table


def statement_table(told: Sequence[Verdict]) -> Table:
    """One row per statement: who meets it alone, and what it is worth."""
    table = plain_table("case", "statement", "its firm", "other firms", "startups beside", "worth")
    styles = {"too easy": "red", "easy for some": "yellow", "sharp": "green"}
    for one in (part for verdict in told for part in verdict.statements):
        shares = map(_share_text, (one.own, one.others, one.peers))
        table.add_row(short(one.case), one.id, *shares, Text(one.worth, style=styles.get(one.worth, "")))
    return table


def _share_text(share: Interval | None) -> str:
    return written(share) if share is not None and share.n else NO_NUMBER


def crossed_table(found: Placebo) -> Table:
    """Rows: chapters with each of their expectations; columns: focal firms, by their cases."""
    firms = list(dict.fromkeys(cell.case for cell in found.cells))
    table = plain_table("expected by", "expectation", *(short(name) for name in firms))
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in found.cells:
        rows.setdefault((cell.judged_by, cell.expectation), {})[cell.case] = cell
    for (judge, expectation), cells in rows.items():
        style = "bold" if expectation == ALL else None
        table.add_row(short(judge), expectation, *(_cell_text(cells[name]) for name in firms), style=style)
    return table


def short(case: str) -> str:
    """The case without its prefix: rows and columns stay narrow."""
    return case.removeprefix("CASE-").rpartition("/")[2].lower()


def _cell_text(cell: Cell) -> Text:
    if cell.share is None:
        return Text(NO_NUMBER)
    if cell.own:
        return Text(f"[{cell.share.estimate:.2f}]", style="dim")
    style = "green" if cell.within_target else "yellow" if cell.alike else "red"
    return Text(f"{cell.share.estimate:.2f}{'*' if cell.alike else ''}", style=style)


def summary_lines(found: Placebo) -> list[str]:
    """How many cells off the diagonal keep to the target, apart for those that expect the like."""
    counts = summary(found)
    says = {
        "chapters": "whole chapters",
        "chapters_alike": "whole chapters that expect the like (*)",
        "expectations": "single expectations",
        "expectations_alike": "single expectations of the like (*)",
    }
    return [
        f"{text}: {counts[name]['within_target']} of {counts[name]['cells']} at most {TARGET:.2f}"
        for name, text in says.items()
        if counts[name]["cells"]
    ]


def _arms(found: Attribution) -> int:
    return len(found.coalitions)
