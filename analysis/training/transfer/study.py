"""What the transfer grid shows: what labelled rows are worth on a foundation, and where a specialist does better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from analysis.training.transfer.grid import ADAPTED, PROBE, SCRATCH, Cell, Size, Way
from analysis.training.transfer.law import FEW, Power, fit_power, median, multiplier
from simulation.training.foundation.plan import FoundationResult
from simulation.training.result import TrainingResult

PLACES = ("lab", "field")
Curve = dict[str, list[float]]
"""Accuracy by place, one figure per number of rows."""
DETAILS = ("kinds", "breadth", "vintage")
"""Parts that are told as they are measured."""


def ahead_from(rows: Sequence[int], own: Sequence[float], other: Sequence[float]) -> int | None:
    """The number of rows from which on `own` is above `other`; None where it is not so at the end."""
    behind = [place for place, (one, two) in enumerate(zip(own, other, strict=True)) if one <= two]
    first = behind[-1] + 1 if behind else 0
    return rows[first] if first < len(rows) else None


@dataclass(frozen=True)
class Sector:
    """Accuracies of one sector, means over seeds, one figure per number of rows.

    Attributes:
        task: its documents.
        rows: labelled rows, ascending.
        adapted: of the way from a foundation that is best in the lab.
        probe: of the probe alone: what a customer of an API has.
        scratch: the best of all ways from scratch, in the lab and in the field each for itself.
        chosen: names of the ways behind `adapted`.
    """

    task: str
    rows: tuple[int, ...]
    adapted: Curve
    probe: Curve
    scratch: Curve
    chosen: list[str]

    def multiplier(self, place: str) -> float | None:
        """Rows from scratch that do as well as `FEW` on the foundation, over `FEW`; None beyond the largest number."""
        return multiplier(self.rows, self.scratch[place], self.adapted[place][self.rows.index(FEW)])

    @property
    def wins(self) -> bool:
        """Whether `FEW` rows on the foundation do as well as four times as many from scratch, in lab and field."""
        few, many = self.rows.index(FEW), self.rows.index(4 * FEW)
        return all(self.adapted[place][few] >= self.scratch[place][many] for place in PLACES)

    def specialist_from(self, curve: Curve) -> int | None:
        """Labelled rows from which a network from scratch does better in the lab than that curve; None if never."""
        return ahead_from(self.rows, self.scratch["lab"], curve["lab"])


@dataclass(frozen=True)
class Transfer:
    """The whole study.

    Attributes:
        size: of the grid.
        sectors: of part `main`.
        ladder: per rung: name, size, tokens, operations, loss, accuracies of a probe and their multipliers.
        laws: the power law of multipliers, by place; None with fewer than three rungs in sight.
        falls: rungs whose multiplier is below that of the rung before, by place: where the law fails.
        means: accuracies of every cell, means over seeds.
    """

    size: Size
    sectors: list[Sector]
    ladder: list[dict[str, Any]]
    laws: dict[str, Power | None]
    falls: dict[str, list[str]]
    means: pd.DataFrame

    @property
    def wins(self) -> int:
        """Sectors in which `FEW` rows on the foundation do as well as four times as many from scratch."""
        return sum(one.wins for one in self.sectors)

    def part(self, name: str) -> pd.DataFrame:
        """Means of one part of the grid."""
        return self.means[self.means["part"] == name].drop(columns="part")


def study(
    size: Size,
    cells: Sequence[Cell],
    results: Mapping[str, TrainingResult],
    foundations: Mapping[str, FoundationResult],
) -> Transfer:
    """The study of a trained grid.

    Args:
        results: by key of the plan.
        foundations: of the rungs, by name.
    """
    means = means_of(cells, results)
    sectors = [_sector(means, task, size.rows) for task in size.tasks]
    reached = {place: _reached(means, sectors, list(foundations), place) for place in PLACES}
    ladder = [
        {
            **_rung(name, result, means),
            **{f"multiplier_{place}": median(reached[place][number]) for place in PLACES},
            **{f"specialist_from_{place}": _overtaken(means, size, sectors, name, place) for place in PLACES},
        }
        for number, (name, result) in enumerate(foundations.items())
    ]
    flops = [result.training_flops for result in foundations.values()]
    laws = {place: fit_power(flops, reached[place]) for place in PLACES}
    return Transfer(size, sectors, ladder, laws, {place: _falls(ladder, place) for place in PLACES}, means)


def means_of(cells: Sequence[Cell], results: Mapping[str, TrainingResult]) -> pd.DataFrame:
    """Means over seeds of every cell."""
    rows = []
    for cell in cells:
        plan, result = cell.plan, results[cell.plan.key()]
        place = {"part": cell.part, "way": cell.way, "text": cell.text, "task": plan.task}
        rows.append(
            {**place, "rows": plan.rows, "year": plan.year, "lab": result.accuracy_lab, "field": result.accuracy_field}
        )
    names = ["part", "way", "text", "task", "rows", "year"]
    return pd.DataFrame(rows).groupby(names, sort=False)[list(PLACES)].mean().reset_index()


def _table(
    means: pd.DataFrame, task: str, ways: Sequence[Way], rows: Sequence[int], place: str
) -> np.ndarray[Any, Any]:
    """Accuracies of part `main`: [ways, rows]."""
    found = means[(means["part"] == "main") & (means["task"] == task)]
    table = found.pivot(index="way", columns="rows", values=place)
    return table.reindex(index=[way.name for way in ways], columns=list(rows)).to_numpy(dtype=float)


def _sector(means: pd.DataFrame, task: str, rows: tuple[int, ...]) -> Sector:
    adapted = {place: _table(means, task, ADAPTED, rows, place) for place in PLACES}
    best = adapted["lab"].argmax(axis=0)
    return Sector(
        task=task,
        rows=rows,
        adapted={place: adapted[place][best, range(len(rows))].tolist() for place in PLACES},
        probe={place: adapted[place][ADAPTED.index(PROBE)].tolist() for place in PLACES},
        scratch={place: _table(means, task, SCRATCH, rows, place).max(axis=0).tolist() for place in PLACES},
        chosen=[ADAPTED[way].name for way in best],
    )


def _few(means: pd.DataFrame, rung: str) -> pd.DataFrame:
    """Probes of few rows on a rung, by task."""
    found = means[(means["part"] == "ladder") & (means["rows"] == FEW) & (means["text"] == rung)]
    return found.set_index("task")[list(PLACES)]


def _reached(
    means: pd.DataFrame, sectors: Sequence[Sector], rungs: Sequence[str], place: str
) -> list[list[float | None]]:
    """Multipliers of a probe: [rungs, sectors]."""
    accuracies = [_few(means, rung)[place].to_dict() for rung in rungs]
    return [[multiplier(one.rows, one.scratch[place], found[one.task]) for one in sectors] for found in accuracies]


def _rung(name: str, result: FoundationResult, means: pd.DataFrame) -> dict[str, Any]:
    accuracies = _few(means, name).mean().to_dict()
    return {
        "rung": name,
        "n_parameters": result.n_parameters,
        "tokens": result.tokens,
        "training_flops": result.training_flops,
        "seconds": result.seconds,
        "loss_general": result.loss_general,
        **{f"accuracy_{place}": accuracies[place] for place in PLACES},
    }


def _overtaken(means: pd.DataFrame, size: Size, sectors: Sequence[Sector], rung: str, place: str) -> int | None:
    """Labelled rows from which networks from scratch do better than probes on that rung; means of detailed sectors."""
    found = means[(means["part"] == "ladder") & (means["text"] == rung) & means["task"].isin(size.detailed)]
    probe = found.groupby("rows")[place].mean().reindex(list(size.rows)).tolist()
    scratch = np.mean([one.scratch[place] for one in sectors if one.task in size.detailed], axis=0).tolist()
    return ahead_from(size.rows, scratch, probe)


def _falls(ladder: Sequence[Mapping[str, Any]], place: str) -> list[str]:
    """Rungs on which a multiplier fell; one that is out of sight is larger than all others."""
    seen = [
        (rung["rung"], float("inf") if (value := rung[f"multiplier_{place}"]) is None else value) for rung in ladder
    ]
    return [name for (_, before), (name, after) in pairwise(seen) if after < before]


def as_document(one: Transfer) -> dict[str, Any]:
    """The study as JSON says it."""
    return {
        "rows": list(one.size.rows),
        "sectors": [_sector_document(sector) for sector in one.sectors],
        "wins": one.wins,
        "seeds": one.size.n_seeds,
        "foundation": one.size.foundation,
        "ladder": one.ladder,
        "power_laws": {place: None if law is None else asdict(law) for place, law in one.laws.items()},
        "falls": one.falls,
        "curves": one.part("ladder").to_dict("records"),
        **{part: one.part(part).to_dict("records") for part in DETAILS},
    }


def _sector_document(one: Sector) -> dict[str, Any]:
    reached = {place: one.multiplier(place) for place in PLACES}
    seen = [value for value in reached.values() if value is not None]
    return {
        "task": one.task,
        "adapted": one.adapted,
        "scratch": one.scratch,
        "multiplier_256": min(seen) if seen else None,
        "multiplier_256_by_place": reached,
        "probe": one.probe,
        "adapted_ways": one.chosen,
        "specialist_from_rows": {
            "against_probe": one.specialist_from(one.probe),
            "against_adapted": one.specialist_from(one.adapted),
        },
        "wins": one.wins,
    }
