"""Runs per second of real plans, measures included: every kind and rung, on an image and on a sequence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch

from simulation.training.bench.run import Say, spread
from simulation.training.ladder import RUNGS
from simulation.training.plan import DRIVING_TASK, GENERATION_TASK, TrainingPlan, kinds_of
from simulation.training.trainer import train_bucket

ROWS = 1024
TASKS = ("security-vision", "speech", DRIVING_TASK, GENERATION_TASK)
"""Classifiers of other sectors cost much the same: their inputs are of like size."""


def cells(quick: bool) -> Iterator[tuple[str, str, int]]:
    """(task, kind, rung); the traditional method has rung 0 alone. Quick: one task, the lowest rung."""
    for task in TASKS[:1] if quick else TASKS:
        for kind in kinds_of(task):
            for rung in range(1 if quick or kind == "linear" else len(RUNGS)):
                yield task, kind, rung


def bench_ladder(device: torch.device, n_members: int, repeats: int, quick: bool, say: Say) -> dict[str, Any]:
    """Train `n_members` plans of every cell, all cells in turn, `repeats` times; a JSON document."""
    plans = {}
    for task, kind, rung in cells(quick):
        plans[task, kind, rung] = [
            TrainingPlan(task=task, kind=kind, rung=rung, rows=ROWS, seed=seed) for seed in range(n_members)
        ]
    seconds: dict[tuple[str, str, int], list[float]] = {cell: [] for cell in plans}
    work: dict[tuple[str, str, int], float] = {}
    for repeat in range(repeats + 1):
        say(f"repetition {repeat} of {repeats}" if repeat else "warming up")
        for cell, members in plans.items():
            started = time.perf_counter()
            results = [result for chunk in train_bucket(members, device) for result in chunk]
            work[cell] = results[0].training_flops
            if repeat:
                seconds[cell].append(time.perf_counter() - started)
    rows = []
    for (task, kind, rung), times in seconds.items():
        rates = [n_members / one for one in times]
        rows.append(
            {
                "task": task,
                "kind": kind,
                "rung": rung,
                "members": n_members,
                "runs_per_s": spread(rates),
                "training_flops_per_s": spread([work[task, kind, rung] * rate for rate in rates]),
            }
        )
    return {"ladder": rows}
