"""What `ventures cases` shows: the cases, and below them the shares of the causes and the placebo tests."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.case_studies import CaseStudy
from analysis.placebo import ALL, NEAR_MONTHS, TARGET, Cell, Placebo, Shuffled, summary
from analysis.screens import cases_screen, plain_table
from analysis.shapley import Attribution, Interaction
from analysis.verdicts import written

UNKNOWN = "–"


def study_screen(result: CaseStudy) -> Group:
    """Everything that was asked for, one below the other."""
    parts: list[RenderableType] = [cases_screen(result.cases)]
    parts += [attribution_screen(one) for one in result.attributions]
    if result.placebo:
        parts.append(placebo_screen(result.placebo))
    return Group(*parts)


def attribution_screen(found: Attribution) -> Group:
    """One case: what each cause contributes to the share of seeds that match."""
    n = found.match_all.n
    head = Text.assemble(
        (f"\n{found.id}", "bold"), f"  Shapley values of the causes, {n} seeds × {_arms(found)} subsets"
    )
    table = plain_table("§", "cause", "contribution to the match [95 %]")
    for one in found.contributions:
        table.add_row(one.section, one.name, written(one.value, True))
    total = (
        f"sum {found.total:+.2f} = match with all causes {written(found.match_all)} − none {written(found.match_none)}"
    )
    return Group(head, table, Text(total), Text(interaction_line(found.strongest)))


def interaction_line(strongest: Interaction | None) -> str:
    """The pair that matters most, in words."""
    if strongest is None:
        return "a single cause interacts with none"
    if strongest.effect.estimate == 0:
        return "no two causes interact in these seeds"
    how = "each needs the other" if strongest.effect.estimate > 0 else "one can replace the other"
    sure = "" if strongest.effect.excludes_zero else "; the interval holds 0"
    pair = f"{strongest.first} and {strongest.second}"
    return f"strongest interaction: {pair} {written(strongest.effect, True)} ({how}{sure})"


def placebo_screen(found: Placebo) -> Group:
    """Both placebo tests."""
    return Group(
        Text("\nPlacebo", style="bold"),
        Text("share of seeds in which the focal firm of a column meets what the chapter of a row expects of its own"),
        crossed_table(found),
        Text("* its own chapter expects the like, so that much may hold; – no such measure in this run"),
        *(Text(line) for line in summary_lines(found)),
        Text(
            f"\nother startups of the same world (alive when the focal firm entered, or founded within {NEAR_MONTHS} "
            "months of it) that meet all its chapter expects"
        ),
        shuffled_table(found.shuffled),
    )


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
        return Text(UNKNOWN)
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


def shuffled_table(rows: tuple[Shuffled, ...]) -> Table:
    """Focal firms beside the other startups of their worlds."""
    table = plain_table("case", "focal firm [95 %]", "other startups [95 %]", "startups", "seeds")
    for one in rows:
        others = written(one.others) if one.others.n else UNKNOWN
        table.add_row(short(one.case), written(one.focal), others, f"{one.others.n:,}", str(one.n_seeds))
    return table


def _arms(found: Attribution) -> int:
    return len(found.coalitions)
