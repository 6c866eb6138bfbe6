"""What `ventures train --grid transfer` shows: sectors, the ladder with its law, and the details."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.screens.training import cost_line
from analysis.statistics.written import NO_NUMBER
from analysis.training.grids import Trained
from analysis.training.transfer.law import FEW, Power
from analysis.training.transfer.study import PLACES, Curve, Sector, Transfer

TITLES = {
    "kinds": "all kinds, mean of the sectors in which everything is measured",
    "breadth": "foundations that read as much of other text, probes",
    "vintage": f"foundations by year of their text and of the documents, probes of {FEW} rows",
}


def transfer_screen(found: Transfer, trained: Trained) -> Group:
    """The whole study."""
    rung, n = f"F{found.size.foundation:g}", len(found.sectors)
    parts: list[RenderableType] = [
        Text(f"lab / field accuracy by labelled rows, foundation {rung}; means of {_seeds(found)}", style="bold"),
        sectors_table(found.sectors),
        Text(f"{FEW} rows on the foundation do as well as {4 * FEW:,} from scratch in {found.wins} of {n} sectors\n"),
        Text("the ladder: a probe of 256 rows, and the rows from scratch that one row is worth", style="bold"),
        ladder_table(found),
        *(Text(_law(place, found.laws[place], found.falls[place])) for place in PLACES),
    ]
    for part, title in TITLES.items():
        parts += [Text(f"\n{title}", style="bold"), part_table(found, part)]
    return Group(*parts, cost_line(trained))


def sectors_table(sectors: Sequence[Sector]) -> Table:
    """Two lines per sector: on the foundation and from scratch."""
    table = _table("documents", "way", *(f"{n:,}" for n in sectors[0].rows), "multiplier", "specialist ahead from")
    for one in sectors:
        reached = " / ".join(_times(one.multiplier(place), one.rows[-1] / FEW) for place in PLACES)
        ahead = _rows(one.specialist_from(one.adapted))
        table.add_row(one.task, "adapted", *_accuracies(one.adapted), reached, ahead)
        table.add_row("", "probe", *_accuracies(one.probe), "", _rows(one.specialist_from(one.probe)))
        table.add_row("", "scratch", *_accuracies(one.scratch), "", "")
    return table


def ladder_table(found: Transfer) -> Table:
    """One line per rung."""
    titles = ("lab", "field", "multiplier, lab", "field", "specialist ahead from, lab", "field")
    table = _table("rung", "parameters", "tokens", "operations", "loss", *titles)
    most = found.size.rows[-1] / FEW
    for rung in found.ladder:
        sizes = (f"{rung['n_parameters']:,}", f"{rung['tokens']:,}", f"{rung['training_flops']:.2g}")
        accuracies = (f"{rung[f'accuracy_{place}']:.3f}" for place in PLACES)
        reached = (_times(rung[f"multiplier_{place}"], most) for place in PLACES)
        ahead = (_rows(rung[f"specialist_from_{place}"]) for place in PLACES)
        table.add_row(rung["rung"], *sizes, f"{rung['loss_general']:.3f}", *accuracies, *reached, *ahead)
    return table


def part_table(found: Transfer, part: str) -> Table:
    """Means over sectors of one part: a column per number of rows, or per year of the documents."""
    column = "year" if part == "vintage" else "rows"
    means = found.part(part).groupby(["way", "text", column], sort=False)[list(PLACES)].mean().reset_index()
    columns = sorted(means[column].unique())
    table = _table("way", "text", *(str(value) for value in columns))
    for (way, text), rows in means.groupby(["way", "text"], sort=False):
        by_column = rows.set_index(column)
        cells = (f"{by_column.loc[value, 'lab']:.3f} / {by_column.loc[value, 'field']:.3f}" for value in columns)
        table.add_row(str(way), str(text) or NO_NUMBER, *cells)
    return table


def _law(place: str, law: Power | None, falls: Sequence[str]) -> str:
    if law is None:
        return f"{place}: too few rungs in sight for a law"
    fitted = f"multiplier = {law.scale:.2f} · (operations / 10¹²)^{law.exponent:.2f} [{law.low:.2f}, {law.high:.2f}]"
    exceptions = f"; falls at {', '.join(falls)}" if falls else "; rises on every rung"
    return f"{place}: {fitted}, R² {law.r_squared:.2f} of {law.n_rungs} rungs{exceptions}"


def _accuracies(curve: Curve) -> list[str]:
    return [f"{lab:.2f} / {field:.2f}" for lab, field in zip(*(curve[place] for place in PLACES), strict=True)]


def _times(value: float | None, most: float) -> str:
    return f"> {most:g}" if value is None else f"{value:.1f}"


def _rows(value: int | None) -> str:
    return NO_NUMBER if value is None else f"{value:,} rows"


def _seeds(found: Transfer) -> str:
    return f"{found.size.n_seeds} seed{'s' * (found.size.n_seeds > 1)}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, name in enumerate(columns):
        table.add_column(name, no_wrap=place == 0)
    return table
