"""Grids of training plans: what they hold, and training them in parallel through the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.engine import refuse_replaced_rules
from analysis.errors import AnalysisError, TrainingInterrupted
from analysis.play.lockstep import one_thread
from analysis.play.options import PlayOptions
from analysis.play.workers import parallel_map
from analysis.terminal.console import counted
from analysis.training.plans import flat, product_of
from simulation.training.device import device_name, resolve_device
from simulation.training.foundation.library import Library, folder_beside
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.ladder import RUNGS
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import NETWORK_KINDS, SECTOR_TASKS, TrainingPlan
from simulation.training.result import MEASURES, TrainingResult
from simulation.training.service import TrainingService
from simulation.training.trainer import Bucket, bucket_of, chunk_size_of

SCALING_ROWS = tuple(64 * 2**power for power in range(8))
SCALING_RECIPE = {"optimizer": "adam", "schedule": "cosine", "weight_decay": 0.05}
"""The plain recipe of docs/training-tasks.md."""


@dataclass(frozen=True)
class Trained:
    """What became of the plans of a grid.

    Attributes:
        plans: in the order asked for.
        results: one per plan.
        n_trained: networks trained now.
        n_from_ledger: plans whose results stood in the ledger.
        seconds: wall time.
        device: display name of what trained.
    """

    plans: tuple[TrainingPlan, ...]
    results: tuple[TrainingResult, ...]
    n_trained: int
    n_from_ledger: int
    seconds: float
    device: str

    @property
    def cost(self) -> dict[str, Any]:
        """The same as JSON says it."""
        names = {"runs": self.n_trained, "from_ledger": self.n_from_ledger}
        return {**names, "seconds": self.seconds, "device": self.device}

    def table(self) -> pd.DataFrame:
        """One row per plan: its fields, its key, its measures."""
        names = ("key", *MEASURES)
        rows = [
            {**flat(plan), **{name: getattr(result, name) for name in names}}
            for plan, result in zip(self.plans, self.results, strict=True)
        ]
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class Chunk:
    """Results of the plans that were trained together, and whether they stand in the ledger's file."""

    results: list[TrainingResult]
    saved: bool


def scaling_plans(
    tasks: Sequence[str], kinds: Sequence[str], values: Mapping[str, Any], n_seeds: int
) -> list[TrainingPlan]:
    """Every rung and every number of rows from 64 to 8,192 by doubling, for each task and kind.

    Raises:
        AnalysisError: a task is no sector's, a kind has no ladder of sizes, or another value is wrong.
    """
    for name, wanted, allowed in (("task", tasks, SECTOR_TASKS), ("kind", kinds, NETWORK_KINDS)):
        for one in wanted:
            if one not in allowed:
                product_of({name: [one]}, {}, 1)  # a plain typo is told as everywhere
                raise AnalysisError(f"--{name} {one} has no scaling grid; there are {', '.join(allowed)}")
    lists = {"task": list(dict.fromkeys(tasks)), "kind": list(dict.fromkeys(kinds))}
    grid = {**lists, "rung": range(len(RUNGS)), "rows": SCALING_ROWS}
    return product_of(grid, {**SCALING_RECIPE, **values}, n_seeds)


def train_plans(plans: Sequence[TrainingPlan], settings: PlayOptions) -> Trained:
    """Results of all plans: from the ledger where they stand, else trained in parallel and written there.

    settings: `jobs`, `device`, `ledger`, `retrain` and `progress` count.

    Raises:
        AnalysisError: a rule of training was replaced at run time: the ledger must not take its results for those of
            the source files.
        TrainingInterrupted: Ctrl-C; what was trained by then is in the ledger.
    """
    refuse_replaced_rules()
    started = time.perf_counter()
    device = resolve_device(settings.device)
    check_foundations((plan.foundation for plan in plans), settings)
    by_key = {plan.key(): plan for plan in plans}
    ledger = Ledger.open(settings.ledger_path)
    found = {} if settings.retrain else ledger.get_many(by_key)
    n_found = len(found)
    chunks = _chunks([plan for key, plan in by_key.items() if key not in found], device.type)
    unsaved: list[str] = []
    work = partial(train_chunk, ledger=settings.ledger_path, device=settings.device, retrain=settings.retrain)
    try:
        with closing(
            parallel_map(work, chunks, settings.n_jobs, "the same command goes on with fewer --jobs")
        ) as outcomes:
            shown = settings.progress and len(chunks) > 1
            text = f"training {len(by_key) - n_found:,} networks: batches"
            for chunk in counted(outcomes, text, len(chunks), shown=shown):
                found.update({result.key: result for result in chunk.results})
                unsaved += [] if chunk.saved else [result.key for result in chunk.results]
    except KeyboardInterrupt as stop:
        raise TrainingInterrupted(len(found), len(by_key)) from stop
    finally:
        if unsaved:  # in the memory of a worker that is about to end
            ledger.add_many([(by_key[key], found[key]) for key in unsaved])
            ledger.add_many(())
    in_order = tuple(found[plan.key()] for plan in plans)
    seconds = time.perf_counter() - started
    return Trained(tuple(plans), in_order, len(by_key) - n_found, n_found, seconds, device_name(device))


def train_foundations(plans: Sequence[FoundationPlan], settings: PlayOptions) -> list[FoundationResult]:
    """What was measured on these foundations: from the weight store beside the ledger, else trained and kept there.

    settings: `jobs`, `device`, `ledger`, `retrain` and `progress` count.

    Raises:
        TrainingInterrupted: Ctrl-C; finished foundations are kept, of the others checkpoints of a minute ago at most.
    """
    check_foundations(plans, settings)
    found: dict[str, FoundationResult] = {}
    wanted = {plan.key(): plan for plan in sorted(plans, key=lambda plan: -plan.tokens * plan.width**2)}
    work = partial(train_foundation, ledger=settings.ledger_path, device=settings.device, retrain=settings.retrain)
    try:
        with closing(parallel_map(work, list(wanted.values()), settings.n_jobs, "try fewer --jobs")) as outcomes:
            for result in counted(outcomes, "foundations", len(wanted), shown=settings.progress and len(wanted) > 1):
                found[result.key] = result
    except KeyboardInterrupt as stop:
        raise TrainingInterrupted(len(found), len(wanted)) from stop
    return [found[plan.key()] for plan in plans]


def check_foundations(plans: Iterable[FoundationPlan | None], settings: PlayOptions) -> None:
    """Raise `DeviceError` before anything is trained, where one of these foundations cannot be trained here."""
    library, device = Library(folder_beside(str(settings.ledger_path))), resolve_device(settings.device)
    for plan in dict.fromkeys(plans):
        if plan is not None:
            library.check(plan, device)


def train_foundation(plan: FoundationPlan, ledger: str | Path, device: str, retrain: bool) -> FoundationResult:
    """What was measured on one foundation."""
    library = Library(folder_beside(str(ledger)), retrain)
    return library.get(plan, resolve_device(device)).result


def train_chunk(plans: Sequence[TrainingPlan], ledger: str | Path, device: str, retrain: bool) -> Chunk:
    """Results of plans of one bucket, written to the ledger as they come."""
    service = TrainingService(Ledger.open(ledger), device, retrain)
    with one_thread():
        keys = [service.submit(plan) for plan in plans]
        service.train(keys)
        return Chunk([service.result(key) for key in keys], service.ledger.n_unsaved == 0)


def _chunks(plans: Sequence[TrainingPlan], device: str) -> list[list[TrainingPlan]]:
    """What the trainer takes at once, dearest first, so that no process ends with a large chunk."""
    buckets: dict[Bucket, list[TrainingPlan]] = {}
    for plan in plans:
        buckets.setdefault(bucket_of(plan), []).append(plan)
    chunks = []
    for members in buckets.values():
        left = sorted(members, key=lambda plan: (plan.recipe.augmentation, -plan.rows))
        while left:
            size = chunk_size_of(left, device)
            chunks.append(left[:size])
            left = left[size:]
    return sorted(chunks, key=lambda chunk: (-chunk[0].rung, -chunk[0].rows))
