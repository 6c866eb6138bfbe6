"""What the rendered task families share: fixed draws that define a task, and tables made once per device."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import RenderedTask


def fixed_draws(task: str, name: str, n_keys: int, n: int) -> Tensor:
    """Uniforms [n_keys, n] that define the task itself: the same for all firms and runs."""
    keys = counter.row_keys(counter.stream_keys(torch.tensor([0]), task, name), torch.arange(n_keys))[0]
    return counter.uniforms(keys, 0, n)


def triangle(t: Tensor) -> Tensor:
    """A wave of period 1 and height ±1: 1 at whole numbers; in place of a cosine, which is not exactly rounded."""
    return ((t - t.floor()) - 0.5).abs() * 4 - 1


def inverse_choice(u: Tensor, edges: Tensor) -> Tensor:
    """Whole numbers (int64) from uniforms by the upper edges of a cumulative distribution, the last left out."""
    return (u[:, None] >= edges).sum(dim=1)


def zipf_edges(n: int, exponent: int = 1) -> Tensor:
    """Upper edges of Zipf's distribution of 1 … n, weights 1 / rank^exponent, the last left out: [n − 1]."""
    weights = [1.0 / rank**exponent for rank in range(1, n + 1)]
    return torch.tensor([sum(weights[:rank]) / sum(weights) for rank in range(1, n)])


class TableTask(RenderedTask):
    """A task family whose rows are looked up in fixed tables and then varied."""

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        kernel: tuple[int, int],
        pool: tuple[int, int],
        n_classes: int,
    ) -> None:
        super().__init__(name, shape, kernel, pool, n_classes, input_sd=1.0)
        self._tables: dict[str, Sequence[Tensor]] = {}

    @abstractmethod
    def make_tables(self) -> Sequence[Tensor]:
        """The task's tables, on the CPU."""

    def on(self, device: torch.device) -> Sequence[Tensor]:
        """The task's tables on that device, made once per process."""
        name = str(device)
        if name not in self._tables:
            self._tables[name] = tuple(table.to(device) for table in self.make_tables())
        return self._tables[name]
