"""Job A of `ventures bench training`: many adaptations of one foundation.

The plain way, `loop`, does one adaptation after another and computes its features anew each time: those of its own rows
and those of the test sets. The project's trainer takes them in chunks that share the features of the test sets.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch

from simulation.training.bench.processes import fresh_processes
from simulation.training.bench.run import Say
from simulation.training.bench.ways import Way, compare
from simulation.training.foundation.frozen import forget_features
from simulation.training.foundation.ladder import foundation_named, label
from simulation.training.foundation.library import Library, forget_foundations
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import Recipe, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.trainer import chunk_size_of, train_bucket

TASK, ROWS, RUNG = "medical-records", 256, "F1"
MEMBERS = {"probe": 1024, "adapter": 128}
SAMPLE = {"probe": 16, "adapter": 4}
"""Adaptations of one repetition of the loop."""
QUICK = {"probe": 6, "adapter": 3}
N_COMPARED = 3
ADAPTER_RUNG = 0  # of a hundred steps


def plans_of(kind: str, n: int, foundation: FoundationPlan) -> list[TrainingPlan]:
    """Adaptations that differ in their seeds: their rows, first weights and minibatches."""
    recipe = Recipe(learning_rate=3e-3)
    return [
        TrainingPlan(TASK, kind, ADAPTER_RUNG, ROWS, seed=seed, recipe=recipe, foundation=foundation)
        for seed in range(n)
    ]


def train_together(
    plans: Sequence[TrainingPlan], device: torch.device, folder: Path | None = None
) -> list[TrainingResult]:
    """By the project's trainer; folder: of the weight store that the foundation is in."""
    return [one for chunk in train_bucket(plans, device, library=Library(folder)) for one in chunk]


def train_loop(plans: Sequence[TrainingPlan], device: torch.device, folder: Path) -> list[TrainingResult]:
    """One by one, each with features of its own."""
    results = []
    for plan in plans:
        forget_features()
        results += train_together([plan], device, folder)
    return results


def bench_adaptations(
    device: torch.device, n_probes: int | None, n_jobs: int, repeats: int, quick: bool, say: Say
) -> dict[str, Any]:
    """All measurements of job A, as a JSON document; adapters are an eighth of the probes."""
    foundation = foundation_named("F0" if quick else RUNG)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="ventures-bench-")))
        say(f"training the foundation {label(foundation)}")
        Library(folder).get(foundation, device)
        opened.callback(forget_foundations)  # those of a folder that is gone
        spread_out = None
        if device.type == "cpu" and n_jobs > 1:
            pool = opened.enter_context(fresh_processes(n_jobs))

            def spread_out(plans: Sequence[TrainingPlan]) -> list[TrainingResult]:
                size = min(chunk_size_of(plans, device.type), -(-len(plans) // n_jobs))
                parts = [plans[first : first + size] for first in range(0, len(plans), size)]
                return [
                    one
                    for part in pool.map(partial(train_together, device=device, folder=folder), parts)
                    for one in part
                ]

        ways = []
        for kind, several in MEMBERS.items():
            n = (
                QUICK[kind]
                if quick
                else several
                if n_probes is None
                else max(1, n_probes * several // MEMBERS["probe"])
            )
            ways += _ways_of(plans_of(kind, n, foundation), SAMPLE[kind], device, folder, spread_out, n_jobs)
        measured = compare(ways, device, repeats, "runs_per_s", say)
    what = {"rung": label(foundation), "width": foundation.width, "task": TASK, "rows": ROWS}
    return {"foundation": what, **measured, "targets": []}


def _ways_of(
    plans: Sequence[TrainingPlan],
    n_sample: int,
    device: torch.device,
    folder: Path,
    spread_out: Callable[[Sequence[TrainingPlan]], list[TrainingResult]] | None,
    n_jobs: int,
) -> list[Way]:
    kind = plans[0].kind
    loop = partial(train_loop, device=device, folder=folder)
    together = partial(train_together, device=device, folder=folder)

    def way(name: str, title: str, train: Callable[..., list[TrainingResult]], members: Sequence[TrainingPlan]) -> Way:
        def losses() -> list[float]:
            return [one.loss_lab for one in train(members[:N_COMPARED])]

        work = partial(train, members)
        return Way(f"{name}-{kind}", f"{kind}s, {title}", work, len(members), None, f"loop-{kind}", losses)

    found = [way("loop", "one by one", loop, plans[:n_sample]), way("core", "together", together, plans)]
    if spread_out is not None:
        found.append(way("core-processes", f"together, {n_jobs} processes", spread_out, plans))
    return found
