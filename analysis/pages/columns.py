"""The tables of columns in docs/outputs.md, from their declarations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from analysis.pages.blocks import Document, Writer, table
from analysis.runs.tables import LABELS
from simulation.records.columns import ROWS, Column, columns_of
from simulation.records.events import COLUMNS, KINDS, declared_fields
from simulation.records.reasons import MEASURES, PHRASES


def writers() -> dict[str, Writer]:
    """The parts `columns.shared`, `columns.judged`, `columns.TABLE`, `events.kinds` and `reasons.…`."""
    of_events: dict[str, Writer] = {
        "events.kinds": kinds_of_events,
        "reasons.kinds": kinds_of_reasons,
        "reasons.measures": measures_of_reasons,
    }
    return (
        of_events
        | {"columns.shared": _writer(LABELS), "columns.judged": judged}
        | {f"columns.{name}": _writer(columns_of(name)) for name in ROWS}
    )


def kinds_of_events(document: Document, source: str) -> str:
    """The part `events.kinds`: what each kind of event holds."""
    rows = []
    for name, kind in KINDS.items():
        about = declared_fields(kind)
        told = [f"`{field}`{_unit(note.unit)}: {note.meaning}" for field, note in about.items() if field not in COLUMNS]
        columns = [about[one].meaning if one in about else "" for one in COLUMNS]
        rows.append([f"`{name}`", str(kind.__doc__).strip().rstrip("."), *columns, "; ".join(told)])
    return table(["`kind`", "What happens", "`other`", "`amount_usd`, USD", "`fields`"], rows)


def kinds_of_reasons(document: Document, source: str) -> str:
    """The part `reasons.kinds`: causes of endings, and how each is told."""
    rows = [[f"`{name}`", "".join(f"`{part}`" for part in phrase)] for name, phrase in PHRASES.items()]
    return table(["`kind`", "Told as"], rows)


def measures_of_reasons(document: Document, source: str) -> str:
    """The part `reasons.measures`: what each category of causes may be found in."""
    rows = [
        [f"`{one.category}`", f"`{name}`", one.unit, one.meaning, "much" if one.much_is_bad else "little"]
        for name, one in MEASURES.items()
    ]
    return table(["`kind`", "`measure`", "Unit", "Meaning", "Bad"], rows)


def judged(document: Document, source: str) -> str:
    """The part `columns.judged`: columns of the firms table that a statement may be about."""
    return textwrap.fill(", ".join(f"`{one.name}`" for one in columns_of("firms") if one.judged) + ".", 120) + "\n"


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _writer(columns: Iterable[Column]) -> Writer:
    rows = [[f"`{column.name}`", column.unit, column.meaning] for column in columns]

    def write(document: Document, source: str) -> str:
        return table(["Column", "Unit", "Meaning"], rows)

    return write
