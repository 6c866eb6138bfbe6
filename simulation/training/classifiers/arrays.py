"""The same networks and optimizers on data passed in directly: the trainer checked against other libraries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from simulation.training.classifiers.train import draw_rows, fit
from simulation.training.device import single_thread
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.plan import Recipe


@dataclass(frozen=True, slots=True)
class ArrayFit:
    """Outcome of `fit_arrays`.

    Attributes:
        predictions: class of each test row, int64 [n_test].
        accuracy: share of test rows predicted right.
    """

    predictions: NDArray[np.int64]
    accuracy: float


def _tensors(x: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    rows, labels = torch.as_tensor(np.asarray(x, np.float32)), torch.as_tensor(np.asarray(y, np.int64))
    if rows.dim() != 2 or labels.shape != rows.shape[:1]:
        raise ValueError(f"x must be [n, n_inputs] and y [n], not {tuple(rows.shape)} and {tuple(labels.shape)}")
    return rows, labels


def fit_arrays(
    x: ArrayLike,
    y: ArrayLike,
    x_test: ArrayLike,
    y_test: ArrayLike,
    *,
    hidden: tuple[int, ...] = (64,),
    recipe: Recipe | None = None,
    steps: int = 1000,
    batch: int = 32,
    seed: int = 0,
) -> ArrayFit:
    """Train one MLP on rows x [n, n_inputs] with labels y [n] (0 … n_classes − 1) and predict x_test, on the CPU.

    `recipe.augmentation` has no meaning here, since it belongs to a task.

    Raises:
        ValueError: shapes do not fit together, or augmentation is asked for.
    """
    recipe = recipe or Recipe()
    if recipe.augmentation:
        raise ValueError("fit_arrays cannot augment: augmentation belongs to a task")
    (rows, labels), (tests, truth) = _tensors(x, y), _tensors(x_test, y_test)
    if tests.shape[1] != rows.shape[1]:
        raise ValueError(f"x has {rows.shape[1]} columns and x_test {tests.shape[1]}")
    seeds, n_classes = torch.tensor([seed]), int(labels.max()) + 1
    with single_thread(), torch.inference_mode():
        network = StackedNetwork(
            Architecture(rows.shape[1], hidden, n_classes, recipe.activation), 1, torch.device("cpu")
        )
        network.initialise(seeds)
        rates = learning_rates(torch.tensor([recipe.learning_rate]), [recipe.schedule], steps)
        optimizer = StackedOptimizer(recipe.optimizer, network, rates, torch.tensor([recipe.weight_decay]))
        drawn, _ = draw_rows(seeds, torch.tensor([len(rows)]), steps, batch)
        fit(network, optimizer, lambda step: (rows[drawn[step]].transpose(1, 2), labels[drawn[step]]), steps)
        logits, _ = network.forward(tests.T[None])
        predictions = logits[0].argmax(dim=0)
    return ArrayFit(predictions.numpy(), float((predictions == truth).float().mean()))
