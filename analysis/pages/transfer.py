"""The tables of docs/foundation-models.md, from `grid.json` of `ventures train --grid transfer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.pages.blocks import Document, table

FEW = 256
NEVER = "–"
PLACES = ("lab", "field")


def sectors(document: Document, source: str) -> str:
    """The part `transfer-sectors`: accuracies with few and many rows, multipliers, where a specialist is ahead."""
    rows = document["rows"]
    shown = [n for n in (FEW, 4 * FEW, rows[-1]) if n in rows]
    titles = ["documents", *(f"{n:,} rows: foundation" for n in shown), *(f"{n:,} rows: scratch" for n in shown)]
    lines = [_sector_row(one, [rows.index(n) for n in shown], rows) for one in document["sectors"]]
    text = table([*titles, "multiplier, lab", "field", "scratch ahead of the probe from"], lines).rstrip("\n")
    few = f"{FEW} rows on the foundation do as well as {4 * FEW:,} from scratch, in lab and field,"
    return f"{text}\n\n{few} in {document['wins']} of {len(lines)} sectors ({_seeds(document)})."


def gain(document: Document, source: str) -> str:
    """The part `transfer-gain`: means over sectors by labelled rows."""
    rows, found = document["rows"], document["sectors"]
    lines = []
    for name, title in (("adapted", "best adaptation"), ("probe", "probe alone"), ("scratch", "best from scratch")):
        cells = [" / ".join(f"{_mean(found, name, place, at):.2f}" for place in PLACES) for at in range(len(rows))]
        lines.append([title, *cells])
    gains = [" / ".join(f"{_gain(found, place, at):+.2f}" for place in PLACES) for at in range(len(rows))]
    return table(["lab / field, labelled rows", *(f"{n:,}" for n in rows)], [*lines, ["gain", *gains]])


def ladder(document: Document, source: str) -> str:
    """The part `transfer-ladder`: foundations, probes of few rows on them, and the law of the multiplier."""
    titles = [
        "rung", "parameters", "tokens", "operations", "held-out loss", "lab / field, 256 rows",
        "multiplier, lab / field", "specialist ahead from, lab / field",
    ]  # fmt: skip
    most = document["rows"][-1] / FEW
    lines = [_rung_row(one, most) for one in document["ladder"]]
    laws = [_law(place, document["power_laws"][place], document["falls"][place]) for place in PLACES]
    return "\n\n".join([table(titles, lines).rstrip("\n"), *laws])


def kinds(document: Document, source: str) -> str:
    """The part `transfer-kinds`: every kind with few rows and four times as many, means over the detailed sectors."""
    return _means(document["kinds"], "rows")


def breadth(document: Document, source: str) -> str:
    """The part `transfer-breadth`: foundations that read as much of other text."""
    return _means(document["breadth"], "rows")


def vintage(document: Document, source: str) -> str:
    """The part `transfer-vintage`: foundations by year of their text and of the documents."""
    return _means(document["vintage"], "year")


def _means(cells: Sequence[Mapping[str, Any]], column: str) -> str:
    """Lab / field by way and text, a column per number of rows or per year; means over sectors."""
    columns = sorted({cell[column] for cell in cells})
    lines = []
    for way, text in dict.fromkeys((cell["way"], cell["text"]) for cell in cells):
        own = [cell for cell in cells if (cell["way"], cell["text"]) == (way, text)]
        shown = []
        for value in columns:
            of_column = [cell for cell in own if cell[column] == value]
            shown.append(" / ".join(f"{sum(c[place] for c in of_column) / len(of_column):.2f}" for place in PLACES))
        lines.append([way, text or "from scratch", *shown])
    heads = [f"{value:,} rows" if column == "rows" else f"documents of {value}" for value in columns]
    return table(["way", "text", *heads], lines)


def _sector_row(one: Mapping[str, Any], places: Sequence[int], rows: Sequence[int]) -> list[str]:
    cells = [
        " / ".join(f"{one[name][place][at]:.2f}" for place in PLACES)
        for name in ("adapted", "scratch")
        for at in places
    ]
    reached = [_times(one["multiplier_256_by_place"][place], rows[-1] / FEW) for place in PLACES]
    return [str(one["task"]), *cells, *reached, _rows(one["specialist_from_rows"]["against_probe"])]


def _rung_row(one: Mapping[str, Any], most: float) -> list[str]:
    sizes = [f"{one['n_parameters']:,}", f"{one['tokens'] / 1e6:.1f} M", f"{one['training_flops']:.1e}"]
    accuracies = " / ".join(f"{one[f'accuracy_{place}']:.2f}" for place in PLACES)
    reached = " / ".join(_times(one[f"multiplier_{place}"], most) for place in PLACES)
    ahead = " / ".join(_rows(one[f"specialist_from_{place}"]) for place in PLACES)
    return [str(one["rung"]), *sizes, f"{one['loss_general']:.2f}", accuracies, reached, ahead]


def _law(place: str, law: Mapping[str, Any] | None, falls: Sequence[str]) -> str:
    if law is None:
        return f"*{place}*: too few rungs are in sight for a law."
    fitted = f"multiplier = {law['scale']:.2f} · (operations / 10¹²)^{law['exponent']:.2f}"
    interval = f"[{law['low']:.2f}, {law['high']:.2f}]"
    exceptions = f"it falls at {', '.join(falls)}" if falls else "it falls nowhere"
    return f"*{place}*: {fitted} {interval}, R² {law['r_squared']:.2f} over {law['n_rungs']} rungs; {exceptions}."


def _mean(found: Sequence[Mapping[str, Any]], name: str, place: str, at: int) -> float:
    return float(sum(one[name][place][at] for one in found) / len(found))


def _gain(found: Sequence[Mapping[str, Any]], place: str, at: int) -> float:
    return _mean(found, "adapted", place, at) - _mean(found, "scratch", place, at)


def _times(value: float | None, most: float) -> str:
    return f"> {most:g}" if value is None else f"{value:.1f}"


def _rows(value: int | None) -> str:
    return NEVER if value is None else f"{value:,}"


def _seeds(document: Document) -> str:
    n = document["seeds"]
    return f"means of {n} seeds" if n > 1 else "one seed"
