"""What the command line shows: tables for people, drawn with rich."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.cases.verdicts import TOO_FEW, written
from analysis.comparison import Comparison, Difference
from analysis.overview import Overview
from analysis.runs.run import Run
from analysis.statistics.intervals import scaled
from analysis.statistics.verdicts import EffectVerdict
from analysis.statistics.written import written_number

MILLION = 1e6
LARGE = 1000  # customers from which decimals say nothing
EFFECT_WORDS: dict[EffectVerdict, str] = {
    "increase": "more",
    "decrease": "less",
    "open": "open (interval holds 0)",
    "alike": "alike in every seed",
    "too few seeds": TOO_FEW,
    "no figure": "no seed has it in both arms",
}


def comparison_screen(result: Comparison) -> Group:
    """One table per what-if, and below it what its means leave out."""
    parts: list[RenderableType] = []
    for whatif in dict.fromkeys(one.whatif for one in result.differences):
        seeds = f"{len(result.run.seeds)} paired seeds{over_sets(result.run)}"
        parts.append(Text(f"\n{whatif} against {result.base}  ({seeds})", style="bold"))
        table = plain_table("measure", "base", "what-if", "difference [95 %]", "verdict")
        for figures in (1, 2):
            table.columns[figures].no_wrap = True  # where the terminal is narrow the words fold, never a figure
        own = [one for one in result.differences if one.whatif == whatif]
        for one in own:
            table.add_row(*difference_cells(one))
        parts += [table, *(Text(line, style="dim") for one in own if (line := left_out_line(one)))]
    return Group(*parts)


def over_sets(run: Run) -> str:
    """Over how many sets of uncertain values the seeds were played, or nothing."""
    over = run.manifest.over
    return f" over {min(len(over.sets), len(run.seeds))} of {len(over.sets)} sets of values" if over else ""


def difference_cells(one: Difference) -> tuple[str, ...]:
    """One row of a comparison."""
    scale, unit = (MILLION, "M$") if one.measure.unit == "USD" else (1.0, one.measure.unit)
    form = ",.0f" if unit == "customers" and max(abs(one.base), abs(one.changed)) >= LARGE else ",.3f"
    means = (written_number(value / scale, form) for value in (one.base, one.changed))
    effect = written(scaled(one.effect, scale), signed=True, form=form)
    what = one.measure.says if unit in one.measure.says else f"{one.measure.says}, {unit}"
    return what, *means, effect, EFFECT_WORDS[one.verdict]


def left_out_line(one: Difference) -> str:
    """What a row leaves out, or nothing."""
    parts = []
    if one.left_out:
        parts.append(f"{one.left_out} seeds without a figure in one of the arms or both, {one.effect.n} remain")
    if one.empty is not None and one.empty.base + one.empty.changed:
        parts.append(
            f"months of sectors without a figure: {one.empty.base:,} of {one.empty.base_of:,} in the base, "
            f"{one.empty.changed:,} of {one.empty.changed_of:,} in the what-if"
        )
    return f"left out of {one.measure.says}: {'; '.join(parts)}" if parts else ""


def overview_screen(overview: Overview) -> Group:
    """Sectors at the horizon, and how startups ended."""
    sectors = plain_table(
        "sector", "firms", "HHI", "best field quality", "adopters", title="at the horizon, medians over seeds"
    )
    for row in overview.sectors.to_dict("records"):
        sectors.add_row(
            str(row["sector"]),
            written_number(row["n_firms"], ".0f"),
            written_number(row["hhi"], ".2f") + seeds_behind(row["n_hhi"], overview.n_seeds),
            written_number(row["best_quality_field"], ".3f")
            + seeds_behind(row["n_best_quality_field"], overview.n_seeds),
            written_number(row["adopters"], ",.0f"),
        )
    total = sum(overview.endings.values())
    lines = [f"{ending} {count} ({count / total:.0%})" for ending, count in overview.endings.items()]
    ended = Text("startups ended: " + (", ".join(lines) or "there were none"))
    return Group(sectors, ended, *([public_money_table(overview)] if overview.public_money_usd else []))


def public_money_table(overview: Overview) -> Table:
    """What programmes cost the state, and what taxes, fees and fines brought it."""
    table = plain_table("public money over the run", "M$, mean of seeds; receipts are negative")
    for programme, usd in sorted(overview.public_money_usd.items(), key=lambda pair: -pair[1]):
        table.add_row(programme, written_number(usd / MILLION, ",.3f"))
    table.add_row("net cost", written_number(sum(overview.public_money_usd.values()) / MILLION, ",.3f"))
    return table


def seeds_behind(n: int, of: int) -> str:
    """In how many seeds there is a figure, where not in all: in the others the market is empty, or has no model."""
    return "" if n == of else f" ({n} of {of} seeds)"


def plain_table(*columns: str, title: str | None = None) -> Table:
    """A table without frames."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
