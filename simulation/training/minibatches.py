"""Which rows a member sees at a step, and the gradient of its loss there."""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.training import counter


def draw_rows(seeds: Tensor, rows: Tensor, steps: int, batch: int) -> tuple[Tensor, Tensor]:
    """Which of its rows a member sees at each place of a minibatch, and a key to augment it: int64 [steps, M, batch].

    Rows are drawn with replacement, not by epochs without: a draw then depends on nothing drawn before.
    """
    index = torch.arange(steps * batch, device=seeds.device)
    keys = counter.row_keys(counter.stream_keys(seeds, "minibatch"), index)
    drawn = (((keys >> 32) & 0xFFFFFFFF) * rows[:, None]) >> 32
    shape = (len(seeds), steps, batch)
    return drawn.view(shape).transpose(0, 1), keys.view(shape).transpose(0, 1)


def hard_error(logits: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Gradient of the mean cross-entropy with the labels: (softmax − one-hot) / B."""
    error = logits.softmax(dim=1)
    minus_one = torch.full((), -1.0, device=error.device).expand(len(y), 1, y.shape[1])
    return error.scatter_add_(1, y[:, None, :], minus_one).mul_(1.0 / y.shape[1])
