"""The tables of docs/pool.md, from `ventures bench pool --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.pages.blocks import Document, table, wrapped
from analysis.screens.load import load_in_words
from analysis.screens.pool import hit_rows, leaves_mark, time_cell, verdict_line, with_bounds, written
from analysis.training.pool.columns import UNLIMITED
from analysis.training.pool.study import by_chance, fewest_kept

INFINITE = "∞"


def figures(document: Document, source: str) -> str:
    """The part `pool-figures`: every figure that has an interval, in every column."""
    names = _names(document)
    rows = [_figure_row(one, names) for one in document["figures"] if one["can_tell"]]
    return "\n".join([_head(document, source), table(["World", "Figure", f"{INFINITE} [95 %]", *names[1:]], rows)])


def ledgers(document: Document, source: str) -> str:
    """The part `pool-ledgers`: networks trained and taken from the ledger as worlds grow, and time on a full ledger."""
    names = _names(document)
    rows = [row for one in document["scenarios"] for row in _ledger_rows(one, names)]
    return table(["World", "Seeds", INFINITE, *names[1:]], rows)


def verdict(document: Document, source: str) -> str:
    """The part `pool-verdict`: which figures leave the interval, by column, and the smallest pool where none does."""
    chance = by_chance(document)
    told = "" if chance is None else f" (other seeds and lucks alone: {chance})"
    lines = [f"- {_sentence(one, told)}\n" for one in document["verdicts"]]
    return "".join(lines) + "\n" + wrapped(_conclusion(document))


def _conclusion(document: Document) -> str:
    if document["quick"]:
        return "A quick run of small worlds: it shows that the study runs, and decides nothing."
    if kept := fewest_kept(document):
        return f"The smallest pool in which no figure leaves the {INFINITE} column's interval has {kept} members."
    return f"In no pool of this file do all figures stay inside the {INFINITE} column's interval."


def _sentence(one: Mapping[str, Any], chance: str) -> str:
    return f"{verdict_line(one, chance)}."


def _names(document: Document) -> list[str]:
    return [str(one["name"]) for one in document["columns"]]


def _head(document: Document, source: str) -> str:
    seeds = ", ".join(f"{len(one['seeds'])} seeds of {one['scenario']}" for one in document["scenarios"])
    machine = document["machine"]
    said = f"`{source}` ({seeds}; {str(document['time'])[:10]}, {machine['cores']} cores, {load_in_words(machine)})."
    return wrapped(f"{said} A star: outside the interval of the column {INFINITE}.")


def _figure_row(one: Mapping[str, Any], names: list[str]) -> list[str]:
    unit = f", {one['unit']}" if one["unit"] else ""
    cells = [f"{written(found['estimate'])}{leaves_mark(found)}" for found in (one["columns"][n] for n in names[1:])]
    return [one["scenario"], f"{one['kind']}: {one['name']}{unit}", with_bounds(one["columns"][UNLIMITED]), *cells]


def _ledger_rows(scenario: Mapping[str, Any], names: list[str]) -> list[list[str]]:
    name = str(scenario["scenario"])
    rows = [[name, seeds, *cells] for seeds, cells in hit_rows(scenario, names)]
    return [*rows, [name, "seconds, empty → full ledger", *(time_cell(scenario, one) for one in names)]]
