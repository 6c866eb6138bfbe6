"""What every task family offers: rows without end, as a pure function of (task, seed, index), and fixed test sets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from simulation.training import counter

N_TEST = 1024
"""Rows of the lab and of the field test set: a standard error of 1.4 points at 0.7. Whole registers: see trainer.py."""
N_GROUP = 512
"""Rows of each group in the groups test set."""
TEST_SEED = 2**62
"""Seed of the test sets: one for all firms, above the seeds that plans use, so that no training row is a test row."""
FRESH = 2**40
"""Index of the first fresh row: far beyond any training row of the same data set."""
DEFAULT_MINORITY = 0.1
"""Share of the minority group among customers; assumption."""

# Lanes of a row's key: a few for decisions common to all tasks, then the task's own, then pixel noise.
LANE_LABEL, LANE_GROUP, LANE_FIELD, LANE_NOISY, LANE_OTHER = range(5)
N_COMMON = 5
LANE_OWN, LANE_NOISE, LANE_ANONYMISE = 16, 64, 4096


@dataclass(frozen=True, slots=True)
class Mix:
    """Composition of rows, per member of a batch; float32 [M] each.

    Attributes:
        coverage: share of rows from field conditions.
        minority: share of rows from the minority group.
        label_noise: share of labels replaced by a random class.
        balanced: whether all classes are equally frequent, as in test sets, rather than as the task has them.
    """

    coverage: Tensor
    minority: Tensor
    label_noise: Tensor
    balanced: bool = field(default=False, kw_only=True)

    @classmethod
    def of(
        cls, device: torch.device, coverage: float, minority: float, label_noise: float = 0.0, balanced: bool = False
    ) -> Mix:
        """The composition of one data set."""
        shares = (torch.tensor([value], device=device) for value in (coverage, minority, label_noise))
        return cls(*shares, balanced=balanced)


@dataclass(frozen=True, slots=True)
class TestSets:
    """Fixed test sets: x float32 [n, n_inputs], y int64 [n]. Of the groups, the majority comes first."""

    __test__: ClassVar[bool] = False  # not a test class, whatever pytest thinks of its name

    lab_x: Tensor
    lab_y: Tensor
    field_x: Tensor
    field_y: Tensor
    groups_x: Tensor
    groups_y: Tensor


@dataclass
class Task(ABC):
    """A task family. Subclasses set the fields and render rows.

    Attributes:
        name: as in `TrainingPlan.task`.
        shape: (channels, height, width) of an input; a sequence has height 1 and its bands as channels.
        kernel: (height, width) of the CNN's filters.
        pool: (height, width) of its pooling cells.
        input_sd: standard deviation of an input in the lab, the unit of anonymisation noise.
        n_classes: number of classes.
        levels: of the tree of pairs that a sequence's steps form, 0 where they form none.
    """

    name: str
    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    pool: tuple[int, int]
    n_classes: int
    input_sd: float
    levels: int = 0
    _cache: dict[str, TestSets] = field(default_factory=dict, repr=False)

    @property
    def n_inputs(self) -> int:
        """Values of one row."""
        channels, height, width = self.shape
        return channels * height * width

    @abstractmethod
    def rows(self, seeds: Tensor, index: Tensor, mixture: Mix) -> tuple[Tensor, Tensor]:
        """Rows `index` of the data sets with these seeds.

        Args:
            seeds: int64 [M].
            index: int64 [R] or [M, R], any non-negative numbers.
            mixture: composition, [M].

        Returns:
            x float32 [M, R, n_inputs] with entries of order one, y int64 [M, R] as recorded (label noise included).
        """

    @abstractmethod
    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """A varied copy of minibatch rows x [M, B, n_inputs], driven by keys int64 [M, B]."""

    def test_sets(self, device: torch.device) -> TestSets:
        """The fixed test sets on that device, generated once per process."""
        name = str(device)
        if name not in self._cache:
            self._cache[name] = self._make_test_sets(device)
        return self._cache[name]

    def _make_test_sets(self, device: torch.device) -> TestSets:
        def draw(part: int, n: int, coverage: float, minority: float) -> tuple[Tensor, Tensor]:
            seeds = torch.tensor([TEST_SEED + part], device=device)
            index = torch.arange(n, device=device)
            x, y = self.rows(seeds, index, Mix.of(device, coverage, minority, balanced=True))
            return x[0].contiguous(), y[0].contiguous()

        lab, wild = draw(0, N_TEST, 0.0, DEFAULT_MINORITY), draw(1, N_TEST, 1.0, DEFAULT_MINORITY)
        # The same seed for both groups: the same words or glyphs at the same places, so that only the group differs.
        majority, minority = draw(2, N_GROUP, 0.0, 0.0), draw(2, N_GROUP, 0.0, 1.0)
        groups = (torch.cat(pair) for pair in zip(majority, minority, strict=True))
        return TestSets(*lab, *wild, *groups)


class RenderedTask(Task):
    """A task family whose rows are made by a procedure, without end."""

    def rows(self, seeds: Tensor, index: Tensor, mixture: Mix) -> tuple[Tensor, Tensor]:
        """As `Task.rows`: a pure function of (task, seed, index, composition)."""
        keys = counter.row_keys(counter.stream_keys(seeds, self.name, "rows"), index)
        u = counter.uniforms(keys, 0, N_COMMON)
        label = self.labels(u[..., LANE_LABEL], mixture.balanced)
        minority = u[..., LANE_GROUP] < mixture.minority[:, None]
        in_field = u[..., LANE_FIELD] < mixture.coverage[:, None]
        n_rows = label.numel()
        x = self.render(keys.reshape(-1), label.reshape(-1), minority.reshape(-1), in_field.reshape(-1))
        other = counter.choice(u[..., LANE_OTHER], self.n_classes)
        recorded = torch.where(u[..., LANE_NOISY] < mixture.label_noise[:, None], other, label)
        assert x.shape == (n_rows, self.n_inputs)
        return x.view(*label.shape, self.n_inputs), recorded

    def labels(self, u: Tensor, balanced: bool) -> Tensor:
        """Classes (int64) from uniforms in [0, 1): equally frequent, unless a task has others in training rows."""
        return counter.choice(u, self.n_classes)

    @abstractmethod
    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Inputs [n, n_inputs] of rows with these keys and labels (int64 [n]), group and conditions (bool [n]).

        Every arithmetic step must be exactly rounded (no exp, sin …): vector registers and devices disagree on others.
        """
