"""The plans of `ventures train --grid transfer`: foundations adapted to documents, and networks from scratch beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.errors import AnalysisError
from analysis.training.plans import FIRST_FOUNDATION, make_plan
from analysis.training.transfer.law import FEW
from scenarios.strict_yaml.errors import did_you_mean
from simulation.training.foundation.ladder import MAIN_LADDER, check_name, foundation_named, name_of
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import MAX_RUNG, Recipe, TrainingPlan
from simulation.training.values import DOCUMENT_TASKS, USUAL_YEAR

ROWS = (64, 256, 1024, 4096, 16384)
NARROW_SHARE = 1.0
POOR_QUALITY = 0.8
QUICK_TOKENS = 2**16
OLD_VINTAGE = USUAL_YEAR - 5
LATER_YEARS = (USUAL_YEAR - 5, USUAL_YEAR, USUAL_YEAR + 5, USUAL_YEAR + 10)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a classifier of documents.

    Attributes:
        name: for tables.
        kind, rung: of the plans.
        recipe: how it is trained; chosen on two sectors (docs/foundation-models.md).
    """

    name: str
    kind: str
    rung: int
    recipe: Recipe = field(default_factory=Recipe)


PROBE = Way("probe", "probe", 0)
ADAPTED = (PROBE, Way("finetuned", "finetuned", 3, Recipe(learning_rate=1e-3)))
"""Ways from a foundation."""
_CNN = Recipe(learning_rate=5e-3, weight_decay=0.05)
_LEFT_OUT = replace(_CNN, augmentation=True)
SCRATCH = (Way("cnn, words left out", "cnn", MAX_RUNG, _LEFT_OUT), Way("mlp, words left out", "mlp", 1, _LEFT_OUT))
"""Ways without one: with many and with few rows the best of all kinds, which part `kinds` of the grid checks."""
OTHERS = (
    Way("linear", "linear", 0),
    Way("mlp", "mlp", 3, Recipe(learning_rate=3e-3)),
    Way("cnn", "cnn", MAX_RUNG, _CNN),
    Way("rnn", "rnn", MAX_RUNG, _CNN),
    Way("transformer", "transformer", MAX_RUNG, _CNN),
    Way("encoder", "scratch", 3, Recipe(learning_rate=3e-3)),
)
"""Other kinds from scratch, among them a foundation's encoder that has read no text."""
OTHER_ADAPTED = (
    Way("adapter", "adapter", 3, Recipe(learning_rate=3e-3)),
    Way("distilled", "distilled", MAX_RUNG, _CNN),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the grid is.

    Attributes:
        tasks: documents of these sectors.
        rows: labelled rows, ascending.
        ladder: rungs on which a probe of `FEW` rows is measured.
        foundation: the rung that is compared in full.
        n_seeds, first_seed: of the labelled rows.
        n_detailed: the first so many sectors are those in which all kinds and foundations of other texts are compared.
        years: of the documents, for foundations of the usual and of an old vintage.
        quick: networks and foundations are trained for moments only.
    """

    tasks: tuple[str, ...]
    rows: tuple[int, ...]
    ladder: tuple[float, ...]
    foundation: float
    n_seeds: int
    first_seed: int = 0
    n_detailed: int = 2
    years: tuple[int, ...] = LATER_YEARS
    quick: bool = False

    @property
    def detailed(self) -> tuple[str, ...]:
        """Sectors in which everything is measured."""
        return self.tasks[: self.n_detailed]

    def text(self, rung: float) -> FoundationPlan:
        """What the foundation of that rung reads."""
        plan = foundation_named(name_of(rung))
        return replace(plan, tokens=QUICK_TOKENS) if self.quick else plan

    def rung(self, way: Way) -> int:
        """On which plans of that way are trained."""
        return 0 if self.quick else way.rung


@dataclass(frozen=True, slots=True)
class Cell:
    """One plan of the grid and its place there.

    Attributes:
        part: main, kinds, ladder, breadth or vintage.
        way: name of the way.
        text: what the foundation has read: name of a rung, or what is peculiar to it; empty from scratch.
    """

    part: str
    way: str
    text: str
    plan: TrainingPlan

    @property
    def labels(self) -> dict[str, Any]:
        """For a row of a table."""
        return {"part": self.part, "way": self.way, "text": self.text}


def size_of(tasks: Sequence[str], values: Mapping[str, Any], n_seeds: int, quick: bool) -> Size:
    """The grid asked for.

    Args:
        tasks: documents; none for all.
        values: may hold the first `seed` and the rung of the `foundation`.
        n_seeds: of every cell.
        quick: two sectors, few rows and the smallest foundations: only to see that it runs.

    Raises:
        AnalysisError: a task has no documents, or there is no such rung.
    """
    for task in tasks:
        if task not in DOCUMENT_TASKS:
            hint = did_you_mean(task, DOCUMENT_TASKS) or f"there are {', '.join(DOCUMENT_TASKS)}"
            raise AnalysisError(f"--task {task} has no transfer grid; {hint.strip()}")
    make_plan({"seed": values.get("seed", 0)})  # a wrong one is told as everywhere
    if n_seeds < 1:
        raise AnalysisError(f"--seeds must be at least 1, not {n_seeds}")
    rung = _rung_asked(values.get("foundation", FIRST_FOUNDATION))
    ladder = tuple(n / 2 for n in range(int(2 * rung) + 1))
    size = Size(tuple(dict.fromkeys(tasks or DOCUMENT_TASKS)), ROWS, ladder, rung, n_seeds, values.get("seed", 0))
    if not quick:
        return size
    years, few = LATER_YEARS[1:3], (64, FEW, 4 * FEW)
    return replace(
        size,
        tasks=size.tasks[:2],
        rows=few,
        ladder=(0.0,),
        foundation=0.0,
        n_seeds=1,
        n_detailed=1,
        years=years,
        quick=True,
    )


def _rung_asked(name: str) -> float:
    ladder, _, rung = name.rpartition("/")
    if ladder not in ("", MAIN_LADDER):
        raise AnalysisError(f"--foundation {name}: the transfer grid has the ladder {MAIN_LADDER!r} only")
    try:
        check_name("foundation", name)
    except ValueError as error:
        raise AnalysisError(f"--{error}") from error
    return float(rung[1:])


def rungs_of(size: Size) -> dict[str, FoundationPlan]:
    """Foundations of the ladder that is measured, by name."""
    return {label_of(rung): size.text(rung) for rung in size.ladder}


def texts_of(cells: Iterable[Cell]) -> list[FoundationPlan]:
    """All foundations that plans of the grid start from."""
    wanted = {cell.plan.foundation: None for cell in cells if cell.plan.foundation is not None}
    return [plan for plan in wanted if plan.tokens]


def cells_of(size: Size) -> list[Cell]:
    """All cells of the grid; the same plan may stand in several."""
    return [*_main(size), *_kinds(size), *_ladder(size), *_breadth(size), *_vintage(size)]


def _plans(
    size: Size, way: Way, tasks: Sequence[str], rows: Sequence[int], text: FoundationPlan | None, year: int = USUAL_YEAR
) -> Iterator[TrainingPlan]:
    if way.kind == "scratch" and text is not None:
        text = FoundationPlan(text.width, 0)
    for task in tasks:
        for n in rows:
            for seed in range(size.first_seed, size.first_seed + size.n_seeds):
                yield TrainingPlan(
                    task, way.kind, size.rung(way), n, recipe=way.recipe, seed=seed, year=year, foundation=text
                )


def _main(size: Size) -> Iterator[Cell]:
    """Every number of rows in every sector, with the foundation and from scratch."""
    name, text = label_of(size.foundation), size.text(size.foundation)
    for way in ADAPTED:
        yield from (Cell("main", way.name, name, plan) for plan in _plans(size, way, size.tasks, size.rows, text))
    for way in SCRATCH:
        yield from (Cell("main", way.name, "", plan) for plan in _plans(size, way, size.tasks, size.rows, None))


def _kinds(size: Size) -> Iterator[Cell]:
    """All kinds, with few rows and four times as many."""
    name, text = label_of(size.foundation), size.text(size.foundation)
    rows = (FEW, 4 * FEW)
    for way in (*ADAPTED, *OTHER_ADAPTED):
        yield from (Cell("kinds", way.name, name, plan) for plan in _plans(size, way, size.detailed, rows, text))
    for way in (*SCRATCH, *OTHERS):
        own = text if way.kind == "scratch" else None
        yield from (Cell("kinds", way.name, "", plan) for plan in _plans(size, way, size.detailed, rows, own))


def _ladder(size: Size) -> Iterator[Cell]:
    """A probe of few rows on every rung; in the detailed sectors of all numbers of rows."""
    for rung in size.ladder:
        name, text = label_of(rung), size.text(rung)
        yield from (Cell("ladder", PROBE.name, name, plan) for plan in _plans(size, PROBE, size.tasks, (FEW,), text))
        more = [n for n in size.rows if n != FEW]
        yield from (Cell("ladder", PROBE.name, name, plan) for plan in _plans(size, PROBE, size.detailed, more, text))


def _breadth(size: Size) -> Iterator[Cell]:
    """Foundations that have read as much, but texts of the one sector alone, or half of the words wrong."""
    text = size.text(size.ladder[len(size.ladder) // 2])
    for task in size.detailed:
        narrow = replace(text, sector=task, sector_share=NARROW_SHARE)
        for name, read in (("broad", text), ("narrow", narrow), ("poor", replace(text, quality=POOR_QUALITY))):
            yield from (
                Cell("breadth", PROBE.name, name, plan) for plan in _plans(size, PROBE, [task], size.rows, read)
            )


def _vintage(size: Size) -> Iterator[Cell]:
    """Foundations of the usual and of an old vintage on documents of several years."""
    text = size.text(size.ladder[len(size.ladder) // 2])
    for vintage in (OLD_VINTAGE, USUAL_YEAR):
        read = replace(text, vintage=vintage)
        for year in size.years:
            plans = _plans(size, PROBE, size.detailed, (FEW,), read, year)
            yield from (Cell("vintage", PROBE.name, str(vintage), plan) for plan in plans)


def label_of(rung: float) -> str:
    """The name of a rung with its ladder's."""
    return f"{MAIN_LADDER}/{name_of(rung)}"
