"""Fused training: all members of a bucket are trained as one stacked network, in chunks that fit the cache.

**A member's result does not depend on its batch.** Members of a bucket share every shape but the number of rows; a
step draws a fixed number of rows from each member's own data, and no operation mixes members:

- batched matrix products treat each matrix alike, whatever their number, as long as each begins at a cache line (the
  library rounds differently by alignment): sizes of matrices are multiples of 16 numbers;
- elementwise kernels compute whole registers with vector code and the rest with scalar code, and the two may differ in
  the last bit for exp and tanh: the rows of a batch are a multiple of 32, so that no member is ever in the rest;
- sums over training rows run block by block, so that padding to the largest member adds nothing;
- one thread: with several, a kernel's split of the work would depend on the number of members.

On CUDA the library may choose a kernel by the number of matrices; chunks are therefore padded to the full size there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from simulation.training.classifiers.train import train_classifiers
from simulation.training.device import device_name, single_thread
from simulation.training.driving.actor_critic import train_policies
from simulation.training.extra_kinds import train_extra
from simulation.training.foundation.adaptation import train_adaptations
from simulation.training.foundation.library import Library
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.generators.train import train_generators
from simulation.training.measures import Costs, Measures, Trained
from simulation.training.plan import EXTRA_KINDS, FOUNDATION_KINDS, MAX_ROWS, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.values import USUAL_YEAR

CHUNK_CPU = 16
CHUNK_GPU = 256

TRAINERS: dict[str, Callable[[Sequence[TrainingPlan], torch.device], Trained]] = {
    "linear": train_classifiers,
    "mlp": train_classifiers,
    "cnn": train_classifiers,
    "rnn": train_classifiers,
    "transformer": train_classifiers,
    "vae": train_generators,
    "gan": train_generators,
    "actor-critic": train_policies,
}
"""Training function per kind; those of `FOUNDATION_KINDS` are all trained by `train_adaptations`, those of users'
modules by `train_extra`. Plans come sorted by rows, largest first."""
WITH_AUTOGRAD: frozenset[str] = frozenset({"transformer", *FOUNDATION_KINDS})
"""Kinds whose gradients come from torch's autograd, which inference mode would forbid."""


class Bucket(NamedTuple):
    """What the members of one fused batch have in common."""

    task: str
    kind: str
    rung: int = 0
    activation: str = ""
    optimizer: str = ""
    distilled: bool = False
    minimised: bool = False
    private: bool = False
    pretraining_rows: int = 0
    year: int = USUAL_YEAR
    foundation: FoundationPlan | None = None
    tested_in: int = USUAL_YEAR


def bucket_of(plan: TrainingPlan) -> Bucket:
    """The bucket a plan is trained in; the traditional method has no rung and no recipe."""
    if plan.kind == "linear":
        return Bucket(plan.task, "linear", year=plan.year, tested_in=plan.tested_in)
    if plan.kind == "probe":
        return Bucket(plan.task, "probe", year=plan.year, foundation=plan.foundation, tested_in=plan.tested_in)
    return Bucket(
        plan.task,
        plan.kind,
        plan.rung,
        plan.recipe.activation,
        plan.recipe.optimizer,
        distilled=plan.compression == "distilled",
        minimised=plan.minimisation > 0,
        private=plan.dp_noise > 0,
        pretraining_rows=plan.pretraining_rows,
        year=plan.year,
        foundation=plan.foundation,
        tested_in=plan.tested_in,
    )


def train_bucket(
    plans: Sequence[TrainingPlan],
    device: torch.device,
    chunk_size: int | None = None,
    library: Library | None = None,
) -> Iterator[list[TrainingResult]]:
    """Train plans of one bucket; yields results chunk by chunk, in an order of its own.

    library: where the foundations of `FOUNDATION_KINDS` come from; without one they are kept for the process only.

    Where a GPU's memory does not suffice, the chunk is halved and training goes on.

    Raises:
        ValueError: the plans are not of one bucket.
        torch.OutOfMemoryError: even one member does not fit.
    """
    if len({bucket_of(plan) for plan in plans}) > 1:
        raise ValueError("train_bucket needs plans of one bucket; group them by bucket_of")
    size = chunk_size or chunk_size_of(plans, device.type)
    # Members alike in cost stand together: little padding, and augmentation only where someone asked for it.
    left = sorted(plans, key=lambda plan: (plan.recipe.augmentation, -plan.rows))
    while left:
        try:
            with single_thread(), _no_gradients(plans[0].kind):
                results = _train_chunk(left[:size], device, size, library or Library())
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = (size + 1) // 2
            torch.cuda.empty_cache()
            continue
        left = left[size:]
        yield results


def chunk_size_of(plans: Sequence[TrainingPlan], device: str) -> int:
    """Members of a bucket that are trained at once: fewer where their training rows fill the memory."""
    most = CHUNK_CPU if device == "cpu" else CHUNK_GPU
    return max(1, most * MAX_ROWS // max(MAX_ROWS, *(plan.rows for plan in plans)))


def _no_gradients(kind: str) -> AbstractContextManager[object]:
    return torch.no_grad() if kind in WITH_AUTOGRAD or kind in EXTRA_KINDS else torch.inference_mode()


def _train_chunk(
    wanted: Sequence[TrainingPlan], device: torch.device, size: int, library: Library
) -> list[TrainingResult]:
    started = time.perf_counter()
    n_dummies = size - len(wanted) if device.type == "cuda" else 0
    plans = sorted([*wanted, *[wanted[-1]] * n_dummies], key=lambda plan: -plan.rows)
    trained = _trained(plans, device, library)
    seconds = (time.perf_counter() - started) / len(wanted)
    results = _collect(plans, *trained, seconds, device)
    by_key = {result.key: result for result in results}
    return [by_key[plan.key()] for plan in wanted]


def _trained(plans: Sequence[TrainingPlan], device: torch.device, library: Library) -> Trained:
    kind = plans[0].kind
    if kind in FOUNDATION_KINDS:
        return train_adaptations(plans, device, library)
    return TRAINERS.get(kind, train_extra)(plans, device)


def _collect(
    plans: Sequence[TrainingPlan],
    measures: Measures,
    traditional: tuple[Tensor, Tensor],
    costs: Costs,
    seconds: float,
    device: torch.device,
) -> list[TrainingResult]:
    columns: dict[str, Any] = {}
    for name in Measures.__dataclass_fields__:
        values = getattr(measures, name)
        columns[name] = [None] * len(plans) if values is None else values.tolist()
    columns["traditional_lab"], columns["traditional_field"] = (part.tolist() for part in traditional)
    for name in ("n_parameters", "model_bytes", "training_flops", "inference_flops"):
        columns[name] = getattr(costs, name)
    version = str(torch.__version__)
    name = device_name(device)
    return [
        TrainingResult(
            key=plan.key(),
            **{column: values[member] for column, values in columns.items()},
            latency_us=costs.latency_us,
            seconds=seconds,
            device=name,
            torch_version=version,
        )
        for member, plan in enumerate(plans)
    ]
