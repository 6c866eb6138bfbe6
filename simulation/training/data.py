"""Training rows of a chunk of plans, generated together; and the sums that the traditional method needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Mix, Task
from simulation.training.tasks.base import FRESH, LANE_ANONYMISE

BLOCK = 256
"""Rows generated at once: few enough for the cache. Sums over rows are taken block by block, so that they do not
depend on how many rows the largest member has."""
N_AUDITED = 512
"""Rows of training data that the membership attack tries to tell from as many fresh rows."""


@dataclass(frozen=True, slots=True)
class ChunkData:
    """Rows of M members, padded to the largest.

    Attributes:
        x: training inputs as the network sees them (anonymised), float32 [M, R, n_inputs].
        y: labels as recorded, int64 [M, R].
        rows: number of rows of each member, int64 [M].
        audited_x: true inputs of the first 512 training rows, then of 512 fresh rows: float32 [M, 1024, n_inputs].
        audited_y: their labels as recorded, int64 [M, 1024].
        gram: XᵀX over all training rows, where X has a constant column after the inputs and then columns of zeros up to
            a multiple of 8, so that each member's matrix begins at a cache line: float32 [M, columns, columns].
        moments: XᵀY for one-hot Y, float32 [M, columns, n_classes].
    """

    x: Tensor
    y: Tensor
    rows: Tensor
    audited_x: Tensor
    audited_y: Tensor
    gram: Tensor
    moments: Tensor


def _column(plans: Sequence[TrainingPlan], name: str, device: torch.device) -> Tensor:
    return torch.tensor([getattr(plan, name) for plan in plans], device=device, dtype=torch.float32)


def _allocate(task: Task, plans: Sequence[TrainingPlan], device: torch.device) -> ChunkData:
    n, inputs = len(plans), task.n_inputs
    columns = (inputs // 8 + 1) * 8
    height = -(-plans[0].rows // BLOCK) * BLOCK
    return ChunkData(
        x=torch.empty(n, height, inputs, device=device),
        y=torch.zeros(n, height, dtype=torch.int64, device=device),
        rows=torch.tensor([plan.rows for plan in plans], device=device),
        audited_x=torch.zeros(n, 2 * N_AUDITED, inputs, device=device),
        audited_y=torch.zeros(n, 2 * N_AUDITED, dtype=torch.int64, device=device),
        gram=torch.zeros(n, columns, columns, device=device),
        moments=torch.zeros(n, columns, task.n_classes, device=device),
    )


def make_data(task: Task, plans: Sequence[TrainingPlan], device: torch.device) -> ChunkData:
    """Data of these plans, which must be sorted by rows, largest first.

    A row depends on its plan's task, seed and composition and on its index, on nothing else.
    """
    seeds = torch.tensor([plan.seed for plan in plans], device=device)
    names = ("coverage", "minority_share", "label_noise")
    mixture = Mix(*(_column(plans, name, device) for name in names))
    noise = _column(plans, "anonymisation", device) * task.input_sd
    data = _allocate(task, plans, device)
    for start in range(0, plans[0].rows, BLOCK):
        # Smaller members are done after a few blocks: they stand at the end, so a slice leaves them out.
        active = sum(plan.rows > start for plan in plans)
        _fill_block(data, task, seeds[:active], _head(mixture, active), noise[:active], start)
    for start in range(0, N_AUDITED, BLOCK):
        index = torch.arange(FRESH + start, FRESH + start + BLOCK, device=device)
        part = slice(N_AUDITED + start, N_AUDITED + start + BLOCK)
        data.audited_x[:, part], data.audited_y[:, part] = task.rows(seeds, index, mixture)
    return data


def _head(mixture: Mix, n: int) -> Mix:
    return Mix(mixture.coverage[:n], mixture.minority[:n], mixture.label_noise[:n])


def _fill_block(data: ChunkData, task: Task, seeds: Tensor, mixture: Mix, noise: Tensor, start: int) -> None:
    """Generate rows `start` … `start + BLOCK` of the members with these seeds, the first of the chunk."""
    n, part = len(seeds), slice(start, start + BLOCK)
    index = torch.arange(start, start + BLOCK, device=seeds.device)
    x, y = task.rows(seeds, index, mixture)
    if start < N_AUDITED:
        data.audited_x[:n, part], data.audited_y[:n, part] = x, y
    if bool((noise > 0).any()):
        keys = counter.row_keys(counter.stream_keys(seeds, "anonymise"), index)
        x = x + counter.noise(keys, LANE_ANONYMISE, task.n_inputs) * noise[:, None, None]
    data.x[:n, part], data.y[:n, part] = x, y
    counted = (index < data.rows[:n, None]).to(x.dtype)[..., None]
    with_one = torch.zeros(n, BLOCK, data.gram.shape[1], device=x.device)
    torch.mul(x, counted, out=with_one[:, :, : task.n_inputs])
    with_one[:, :, task.n_inputs] = counted[:, :, 0]
    one_hot = (y[..., None] == torch.arange(task.n_classes, device=y.device)).to(x.dtype)
    data.gram[:n] += torch.bmm(with_one.transpose(1, 2), with_one)
    data.moments[:n] += torch.bmm(with_one.transpose(1, 2), one_hot)
