"""What the command line shows: tables for people, drawn with rich."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.cases.assess import CaseResult, CasesResult, ShareChange
from analysis.cases.verdicts import case_verdict, cause_verdict, ending_verdict, written
from analysis.comparison import Comparison, Difference
from analysis.overview import Overview

MILLION = 1e6


def cases_screen(result: CasesResult) -> Group:
    """All cases, one below the other."""
    return Group(*(case_screen(case) for case in result.cases))


def case_screen(case: CaseResult) -> Group:
    """One case: what its chapter expects, how it ended, and what each cause does."""
    head = Text.assemble((f"\n{case.id}", "bold"), f"  {case.title}  (focal firm {case.focal}, {case.match.n} seeds)")
    style = "green" if case.match.low > 0.5 else "red" if case.match.high < 0.5 else "yellow"
    match = Text.assemble("meets every statement ", (written(case.match), "bold"), "  ", (case_verdict(case), style))
    ending = Text("the chapter's ending   ")
    ending.append(*((written(case.ending), "bold") if case.ending else ("none stated", "dim")))
    endings = ", ".join(f"{ending} {count}" for ending, count in case.endings.items()) or "none recorded"
    end = f"median end {case.median_end}" if case.median_end else "most have not ended"
    return Group(head, expectations_table(case), match, ending, Text(f"endings: {endings}; {end}"), causes_table(case))


def expectations_table(case: CaseResult) -> Table:
    """What the chapter expects and in which share of seeds it holds."""
    table = plain_table("§", "the chapter expects", "share of seeds [95 %]")
    for one in case.expectations:
        table.add_row(one.section, one.says, written(one.share))
    return table


def causes_table(case: CaseResult) -> Table:
    """What taking each cause away does to the shares of seeds that meet every statement, and that have the ending."""
    table = plain_table("§", "cause taken away", "seeds with", "share", "effect [95 %]", "verdict")
    for figures in (1, 4):
        table.columns[figures].no_wrap = True  # where the terminal is narrow the verdict folds
    for one in case.causes:
        match = ShareChange(one.effect, one.share_without)
        table.add_row(one.section, one.name, "every statement", *_change_cells(match), cause_verdict(one))
        if one.ending:
            table.add_row("", "", "the ending", *_change_cells(one.ending), ending_verdict(one.ending))
    return table


def _change_cells(change: ShareChange) -> tuple[str, str]:
    return f"{change.share_without:.2f}", written(change.effect, True)


def comparison_screen(result: Comparison) -> Group:
    """One table per what-if."""
    tables: list[RenderableType] = []
    for whatif in dict.fromkeys(one.whatif for one in result.differences):
        tables.append(Text(f"\n{whatif} against {result.base}  ({len(result.run.seeds)} paired seeds)", style="bold"))
        table = plain_table("measure", "base", "what-if", "difference [95 %]", "unit")
        for one in result.differences:
            if one.whatif == whatif:
                table.add_row(*_difference_cells(one))
        tables.append(table)
    return Group(*tables)


def _difference_cells(one: Difference) -> tuple[str, str, str, str, str]:
    scale, unit = (MILLION, "M$") if one.measure.unit == "USD" else (1.0, one.measure.unit)
    form = "{:,.0f}" if unit == "customers" else "{:,.3f}"
    base, changed = (form.format(value / scale) for value in (one.base, one.changed))
    signed = form.replace(":", ":+")
    value, low, high = (signed.format(v / scale) for v in (one.effect.estimate, one.effect.low, one.effect.high))
    return one.measure.says, base, changed, f"{value} [{low}, {high}]", unit


def overview_screen(overview: Overview) -> Group:
    """Sectors at the horizon, and how startups ended."""
    sectors = plain_table(
        "sector", "firms", "HHI", "best field quality", "adopters", title="at the horizon, medians over seeds"
    )
    for row in overview.sectors.to_dict("records"):
        sectors.add_row(
            str(row["sector"]),
            f"{row['n_firms']:.0f}",
            f"{row['hhi']:.2f}",
            f"{row['best_quality_field']:.3f}",
            f"{row['adopters']:,.0f}",
        )
    total = sum(overview.endings.values())
    lines = [f"{ending} {count} ({count / total:.0%})" for ending, count in overview.endings.items()]
    return Group(sectors, Text("startups ended: " + (", ".join(lines) or "there were none")))


def plain_table(*columns: str, title: str | None = None) -> Table:
    """A table without frames."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
