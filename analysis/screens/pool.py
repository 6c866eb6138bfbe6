"""What `ventures train --grid pool` and `ventures bench pool` show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from analysis.statistics.written import NO_NUMBER
from analysis.training.pool.columns import UNLIMITED
from analysis.training.pool.fill import Filled
from analysis.training.pool.study import by_chance


def filled_screen(filled: Filled, ledger: Path) -> RenderableType:
    """What was trained, and how much of a further world the ledger would serve by size."""
    head = (
        f"{filled.scenario} with a pool of {filled.pool}: {filled.n_trained:,} networks trained ahead of time on "
        f"{filled.device}, {filled.n_from_ledger:,} of {filled.n_wanted:,} stood in the ledger {ledger}; "
        f"{filled.n_played:,} more for the {filled.n_worlds} worlds played; {filled.seconds:.1f} s"
    )
    if not filled.saved:
        return Group(head, "How much this saves in further worlds can be told from two worlds on (--seeds).")
    table = Table("plans in the ledger", "networks saved", "training saved", box=None, header_style="dim")
    for one in filled.saved:
        table.add_row(f"{one.n:,}", f"{one.of_networks:.1%}", f"{one.of_flops:.1%}")
    return Group(head, "", "Half of the worlds, served by plans that the other half ranks:", table)


def study_screen(document: Mapping[str, Any]) -> list[RenderableType]:
    """Figures of all columns, what the ledgers served, and the verdicts."""
    names = [one["name"] for one in document["columns"]]
    return [figures_table(document, names), "", *costs_tables(document, names), "", *verdict_lines(document)]


def figures_table(document: Mapping[str, Any], names: Sequence[str]) -> Table:
    """One line per figure; `*` where it leaves the unlimited column's interval."""
    table = Table("scenario", "", "figure", "none [95 %]", *names[1:], box=None, header_style="dim")
    for one in document["figures"]:
        reference = one["columns"][UNLIMITED]
        cells = (written(one["columns"][name]["estimate"]) + leaves_mark(one["columns"][name]) for name in names[1:])
        table.add_row(one["scenario"], one["kind"], one["name"], with_bounds(reference), *cells)
    return table


def leaves_mark(found: Mapping[str, Any]) -> str:
    """What stands behind a figure outside the interval."""
    return "*" if found["leaves"] else ""


def with_bounds(found: Mapping[str, Any]) -> str:
    """An estimate with its interval."""
    return f"{written(found['estimate'])} [{written(found['low'])}, {written(found['high'])}]"


def written(value: float | None) -> str:
    """Three digits; a dash where there is none."""
    return NO_NUMBER if value is None else f"{value:,.0f}" if abs(value) >= 1e3 else f"{value:.3g}"


def costs_tables(document: Mapping[str, Any], names: Sequence[str]) -> list[RenderableType]:
    """Networks trained and taken from the ledger by block of seeds, and time on a full ledger."""
    said: list[RenderableType] = []
    for one in document["scenarios"]:
        head = (f"{one['scenario']}: seeds", *(f"{name}: trained + ledger" for name in names))
        table = Table(*head, box=None, header_style="dim")
        for seeds, row in hit_rows(one, names):
            table.add_row(seeds, *row)
        table.add_row("s, cold → full ledger", *(time_cell(one, name) for name in names))
        said.append(table)
    return said


def hit_rows(scenario: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """By block of seeds, for each column: networks trained, taken from the ledger, and the share of these."""
    blocks = zip(*(scenario["blocks"][name] for name in names), strict=True)
    return [(f"{row[0]['seeds'][0]} to {row[0]['seeds'][1]}", [hit_cell(one) for one in row]) for row in blocks]


def hit_cell(cost: Mapping[str, Any]) -> str:
    """One block of one column."""
    hits, whole = cost["from_ledger"], cost["trained"] + cost["from_ledger"]
    return f"{cost['trained']:,} + {hits:,} ({hits / whole if whole else 0:.0%})"


def time_cell(scenario: Mapping[str, Any], name: str) -> str:
    """Seconds of the first block when its ledger was empty, and again when all blocks were in it."""
    cold, warm = scenario["blocks"][name][:1], scenario["warm"].get(name)
    first = f"{cold[0]['seconds']:.1f}" if cold else NO_NUMBER
    return f"{first} → {NO_NUMBER if warm is None else format(warm['seconds'], '.1f')}"


def verdict_lines(document: Mapping[str, Any]) -> list[str]:
    """One line per column."""
    chance = by_chance(document)
    told = "" if chance is None else f" (other seeds and lucks alone: {chance})"
    return [verdict_line(one, told) for one in document["verdicts"]]


def verdict_line(verdict: Mapping[str, Any], chance: str) -> str:
    """Whether figures leave the interval of the unlimited column."""
    if not verdict["n"]:
        return f"{verdict['column']}: no figure has an interval yet"
    if not verdict["left"]:
        return f"{verdict['column']}: no figure of {verdict['n']} leaves the ∞ column's interval{chance}"
    named = ", ".join(f"{name} ({kind}, {scenario})" for scenario, kind, name in verdict["left"])
    left = f"{len(verdict['left'])} of {verdict['n']} figures leave the ∞ column's interval{chance}"
    return f"{verdict['column']}: {left}: {named}"
