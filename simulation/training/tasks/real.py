"""Real data sets that ship inside scikit-learn: handwritten digits and breast cancer biopsies."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import FRESH, LANE_NOISE, LANE_OWN, Mix, Task, TestSets

SPLIT_SEED = 0  # of the split into rows to train on and rows to test on, the same for all firms
MINORITY_SHARE = 3  # one row in so many of a class is of the minority
BLOCKS = 4  # digits are hidden by a 3×3 block at one of so many places a side
P_HIDDEN = 0.4
DIGIT_NOISE, BIOPSY_NOISE = 0.6, 0.3
SITE_GAIN, SITE_SHIFT = (0.8, 1.2), 0.5
N_SITES = 8


class RealTask(Task):
    """A finite data set, split once into rows to train on and rows to test on, with equal numbers per class in tests.

    Row *i* of a data set with a seed is drawn from the training rows with replacement, so ever more rows add ever less:
    they have all been seen. Fresh rows, which no network was trained on, are test rows; they are few and balanced, so
    leakage is measured with an error of about 0.15. The *field* changes real rows by a procedure, and the *minority* is
    a third of each class that stands out by one measurement; both are stated per task.

    Raises:
        ImportError: scikit-learn is not installed; nothing else of the trainer needs it.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        kernel: tuple[int, int],
        pool: tuple[int, int],
        n_classes: int,
        n_test_per_class: int,
        n_group_per_class: int,
    ) -> None:
        super().__init__(name, shape, kernel, pool, n_classes, input_sd=1.0)
        self.n_test_per_class, self.n_group_per_class = n_test_per_class, n_group_per_class
        self._rows: tuple[Tensor, Tensor, Tensor] | None = None
        self._pools: dict[str, dict[tuple[bool, int], tuple[Tensor, Tensor]]] = {}

    @abstractmethod
    def load(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs [n, n_inputs], labels [n], and a measurement [n]: its smallest third in each class is the minority."""

    @abstractmethod
    def in_the_field(self, x: Tensor, keys: Tensor) -> Tensor:
        """Rows x [n, n_inputs] as the field shows them."""

    def _standardised(self) -> tuple[Tensor, Tensor, Tensor]:
        """All rows with mean 0 and standard deviation 1 (per input, or over all where inputs are pixels)."""
        if self._rows is None:
            x, y, measurement = self.load()
            minority = np.zeros(len(y), bool)
            for label in range(self.n_classes):
                of_class = np.flatnonzero(y == label)
                order = of_class[np.argsort(measurement[of_class], kind="stable")]
                minority[order[: len(order) // MINORITY_SHARE]] = True
            self._rows = torch.tensor(x, dtype=torch.float32), torch.tensor(y), torch.tensor(minority)
        return self._rows

    def _split(self) -> tuple[Tensor, Tensor]:
        """Numbers of the training rows, and of the test rows: as many of every class, in an order of their own."""
        _, y, _ = self._standardised()
        keys = counter.row_keys(counter.stream_keys(torch.tensor([SPLIT_SEED]), self.name), torch.arange(len(y)))[0]
        order = keys.argsort()
        test = torch.cat([order[y[order] == label][: self.n_test_per_class] for label in range(self.n_classes)])
        in_test = torch.zeros(len(y), dtype=torch.bool)
        in_test[test] = True
        return order[~in_test[order]], order[in_test[order]]

    def _pool(self, device: torch.device) -> dict[tuple[bool, int], tuple[Tensor, Tensor]]:
        """Rows and labels on a device by (whether they are test rows, group)."""
        if str(device) not in self._pools:
            x, y, minority = self._standardised()
            parts = {}
            for is_test, numbers in zip((False, True), self._split(), strict=True):
                for group in (0, 1):
                    own = numbers[minority[numbers] == bool(group)]
                    parts[is_test, group] = x[own].to(device), y[own].to(device)
            self._pools[str(device)] = parts
        return self._pools[str(device)]

    def rows(self, seeds: Tensor, index: Tensor, mixture: Mix) -> tuple[Tensor, Tensor]:
        """As `Task.rows`; rows from `FRESH` on are test rows."""
        keys = counter.row_keys(counter.stream_keys(seeds, self.name, "rows"), index)
        u = counter.uniforms(keys, 0, 5)
        minority, in_field = u[..., 0] < mixture.minority[:, None], u[..., 1] < mixture.coverage[:, None]
        fresh = (index >= FRESH).expand(keys.shape)
        x = torch.empty(*keys.shape, self.n_inputs, device=keys.device)
        y = torch.empty(keys.shape, dtype=torch.int64, device=keys.device)
        for (is_test, group), (rows, labels) in self._pool(keys.device).items():
            own = (fresh == is_test) & (minority == bool(group))
            place = counter.choice(u[..., 2][own], len(rows))
            x[own], y[own] = rows[place], labels[place]
        x[in_field] = self.in_the_field(x[in_field], keys[in_field])
        other = counter.choice(u[..., 4], self.n_classes)
        return x, torch.where(u[..., 3] < mixture.label_noise[:, None], other, y)

    def _make_test_sets(self, device: torch.device) -> TestSets:
        """Every test row once, as it is and as the field shows it; and as many rows of both groups from every class."""
        x, y, _ = self._standardised()
        test = self._split()[1]
        keys = counter.row_keys(counter.stream_keys(torch.tensor([SPLIT_SEED]), self.name, "field"), test)[0]
        lab, labels = x[test].to(device), y[test].to(device)
        wild = self.in_the_field(lab, keys.to(device))
        groups = [self._group(test, bool(group)) for group in (0, 1)]
        chosen = torch.cat(groups)
        return TestSets(lab, labels, wild, labels, x[chosen].to(device), y[chosen].to(device))

    def _group(self, test: Tensor, group: bool) -> Tensor:
        """Numbers of that group's first test rows, the same number of every class."""
        _, y, minority = self._standardised()
        own = test[minority[test] == group]
        return torch.cat([own[y[own] == label][: self.n_group_per_class] for label in range(self.n_classes)])


class Digits(RealTask):
    """Read a handwritten digit: 1,797 images of 8×8 pixels (Alpaydin & Kaynak 1998, UCI; scikit-learn's `load_digits`).

    640 rows are for tests, 64 of each digit. In the *field* (a procedure) part of the digit may be hidden and the scan
    is noisy. The *minority* is the third of each digit with least ink.
    """

    def __init__(self) -> None:
        super().__init__("digits", (1, 8, 8), (3, 3), (2, 2), 10, n_test_per_class=64, n_group_per_class=16)

    def load(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels less their mean, over their standard deviation; ink is their sum."""
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        return (x - x.mean()) / x.std(), y, x.sum(axis=1)

    def _hidden(self, x: Tensor, u: Tensor, v: Tensor, share: float) -> Tensor:
        """Rows with a block of pixels at paper's shade; where, and whether, by uniforms u [n] and v [n]."""
        paper = x.amin()
        place = counter.choice(u, BLOCKS * BLOCKS)
        line = torch.arange(8, device=x.device)
        top, left = place // BLOCKS + 1, place % BLOCKS + 1
        down = (line >= top[:, None]) & (line < top[:, None] + 3)
        across = (line >= left[:, None]) & (line < left[:, None] + 3)
        block = (down[:, :, None] & across[:, None, :]).view(-1, 64) & (v < share)[:, None]
        return torch.where(block, paper, x)

    def in_the_field(self, x: Tensor, keys: Tensor) -> Tensor:
        """A hidden block in some, noise in all."""
        if not len(x):
            return x
        u = counter.uniforms(keys, LANE_OWN, 2)
        return self._hidden(x, u[:, 0], u[:, 1], P_HIDDEN) + counter.noise(keys, LANE_NOISE, 64) * DIGIT_NOISE

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Noise, and shade by up to a fifth."""
        u = counter.uniforms(keys, 0, 1)
        return x * (0.8 + 0.4 * u) + counter.noise(keys, LANE_NOISE, 64) * 0.3


class BreastCancer(RealTask):
    """Tell malignant from benign biopsies by 30 measurements of cell nuclei: 569 rows (Wolberg, Mangasarian & Street
    1995, UCI; scikit-learn's `load_breast_cancer`). SEC-HEALTH.

    192 rows are for tests, half of them malignant, so that accuracy there is balanced accuracy. In the *field* (a
    procedure) other clinics' instruments read every measurement with a gain and an offset of their own, and with noise.
    The *minority* is the third of each class with the smallest nuclei. The inputs are ten measurements, each as mean,
    standard error and worst value: a convolution slides over measurements, which have no order.
    """

    def __init__(self) -> None:
        super().__init__("breast-cancer", (3, 1, 10), (1, 3), (1, 2), 2, n_test_per_class=96, n_group_per_class=16)

    def load(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each measurement less its mean, over its standard deviation; the group is told by the mean radius."""
        from sklearn.datasets import load_breast_cancer

        x, y = load_breast_cancer(return_X_y=True)
        return (x - x.mean(axis=0)) / x.std(axis=0), y, x[:, 0]

    def _sites(self, device: torch.device) -> Sequence[Tensor]:
        """Gain and offset of every instrument's measurements: [N_SITES, 30] each."""
        keys = counter.row_keys(counter.stream_keys(torch.tensor([0]), self.name, "site"), torch.arange(N_SITES))[0]
        u = counter.uniforms(keys, 0, 60).to(device)
        low, high = SITE_GAIN
        return low + (high - low) * u[:, :30], (u[:, 30:] * 2 - 1) * SITE_SHIFT

    def in_the_field(self, x: Tensor, keys: Tensor) -> Tensor:
        """Read at another clinic."""
        gain, offset = self._sites(x.device)
        site = counter.choice(counter.uniforms(keys, LANE_OWN, 1)[:, 0], N_SITES)
        return x * gain[site] + offset[site] + counter.noise(keys, LANE_NOISE, 30) * BIOPSY_NOISE

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Noise, and a common gain."""
        u = counter.uniforms(keys, 0, 1)
        return x * (0.8 + 0.4 * u) + counter.noise(keys, LANE_NOISE, 30) * 0.3
