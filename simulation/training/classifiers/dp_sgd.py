"""DP-SGD: rows drawn at random, each row's gradient clipped, noise added (Abadi et al. 2016, arXiv:1607.00133).

Rows are drawn as the accountants assume: at every step each of a member's rows takes part with the same probability,
independently (Poisson sampling). A step has room for three times the expected rows; that more are drawn has a
probability below 1e-18, and what exceeds the room is left out. Per-row gradient norms come out of one backward pass,
and a second pass, weighted by row, sums the clipped gradients (Li et al. 2022, arXiv:2110.05679).

What is private is the network. The choice of a recipe, and of inputs to collect (minimisation), is not accounted for.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.data import ChunkData
from simulation.training.networks.dense import StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer
from simulation.training.tasks import Task

CLIP = 1.0
"""Largest norm of a row's gradient; assumption, the value of most published examples."""
ROOM = 3
"""Rows that a step has room for, in expected rows."""


def sampling_rate(rows: int, batch: int) -> float:
    """Probability that a row takes part in a step."""
    return min(batch / rows, 1.0)


def generators(seeds: Tensor, purpose: str) -> list[torch.Generator]:
    """One CPU generator per member: what it draws depends on its seed alone, and its normal draws are exact ones."""
    keys = counter.stream_keys(seeds.cpu(), purpose).tolist()
    return [torch.Generator().manual_seed(key) for key in keys]


def poisson_rows(draws: Sequence[torch.Generator], rows: Sequence[int], batch: int) -> tuple[Tensor, Tensor]:
    """Rows that take part in a step, and 1 where a place is taken: int64 and float32 [M, ROOM · batch]."""
    places = torch.zeros(len(rows), ROOM * batch, dtype=torch.int64)
    taken = torch.zeros(len(rows), ROOM * batch)
    for member, (generator, n) in enumerate(zip(draws, rows, strict=True)):
        drawn = (torch.rand(n, generator=generator) < sampling_rate(n, batch)).nonzero()[: ROOM * batch, 0]
        places[member, : len(drawn)] = drawn
        taken[member, : len(drawn)] = 1.0
    return places, taken


def add_noise(network: StackedNetwork, draws: Sequence[torch.Generator], scales: Sequence[float]) -> None:
    """Add normal noise to every gradient, with a standard deviation per member."""
    blocks = network.views(network.gradients)
    sizes = [block[0].numel() for block in blocks]
    for member, (generator, scale) in enumerate(zip(draws, scales, strict=True)):
        noise = torch.randn(sum(sizes), generator=generator).mul_(scale).to(network.gradients.device)
        for block, part in zip(blocks, noise.split(sizes), strict=True):
            block[member] += part.view_as(block[member])


def fit_privately(
    network: StackedNetwork,
    optimizer: StackedOptimizer,
    task: Task,
    data: ChunkData,
    seeds: Tensor,
    augmented: Tensor,
    noise: Tensor,
    steps: int,
    batch: int,
) -> None:
    """Train in place with clipped, noisy gradients.

    Args:
        augmented: bool [M], members whose rows are varied.
        noise: float32 [M], standard deviation of the noise in units of `CLIP`.
    """
    device = seeds.device
    sampling, noising = generators(seeds, "dp-sampling"), generators(seeds, "dp-noise")
    scales = (noise * CLIP / batch).tolist()
    rows = data.rows.tolist()
    members = torch.arange(len(rows), device=device)[:, None]
    index = torch.arange(steps * ROOM * batch, device=device)
    keys = counter.row_keys(counter.stream_keys(seeds, "dp-augmentation"), index).view(len(rows), steps, -1)
    for step in range(steps):
        places, taken = (part.to(device) for part in poisson_rows(sampling, rows, batch))
        x, y = data.x[members, places], data.y[members, places]
        if bool(augmented.any()):
            x = torch.where(augmented[:, None, None], task.augment(x, keys[:, step]), x)
        logits, kept = network.forward(x.transpose(1, 2), reuse=True)
        error = logits.softmax(dim=1)
        error.scatter_add_(1, y[:, None, :], torch.full_like(error[:, :1], -1.0))
        norms = network.row_norms(error, kept)
        weights = taken * (CLIP / norms.clamp_min(1e-12)).clamp_max(1.0) / batch
        network.backward(error * weights[:, None, :], kept)
        add_noise(network, noising, scales)
        optimizer.step(step)
