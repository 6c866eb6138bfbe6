"""What the two kinds of generators share: networks differentiable by their inputs, rows with labels, exact noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

from simulation.training.classifiers.dp_sgd import generators
from simulation.training.data import ChunkData
from simulation.training.minibatches import draw_rows
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import learning_rates
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Task
from simulation.training.tasks.base import TEST_SEED

LATENT = 8
"""Numbers of which a generator makes a row; assumption: a mark's variant, place and contrast need about as many."""
WIDER = 3
"""Units of the one hidden layer of each network, in the rung's width; assumption: on rung 5 better than two layers, and
as large as a run of at most some five times a CNN's cost allows."""

Rows = Callable[[int], Tensor]
"""Rows of a step, inputs above one-hot labels: [M, n_inputs + n_classes, B]."""


class InnerNetwork(StackedNetwork):
    """Dense networks that stand behind others: the error of their inputs is known too."""

    def input_error(self, error: Tensor, kept: list[Tensor], learn: bool = True) -> Tensor:
        """The loss's gradient by the inputs [M, n_inputs, rows]; arguments as in `backward`.

        Args:
            learn: whether the networks' own gradients are written as well, as `backward` does.
        """
        own = error
        for layer, own, inputs in self._layer_errors(error, kept):
            if learn:
                torch.bmm(own, inputs.transpose(1, 2), out=self._gradient_blocks[2 * layer])
                torch.sum(own, dim=2, keepdim=True, out=self._gradient_blocks[2 * layer + 1])
        return torch.bmm(self._turned[0], own)


def gated(z: Tensor, labels: Tensor) -> Tensor:
    """What a decoder or generator reads: each class has its own places for z, and the label follows.

    With the label beside a shared z, a VAE of 160 units and 320 steps teaches a classifier to 56 %; gated, to 81 %.

    Args:
        z: float32 [M, LATENT, B].
        labels: one-hot, float32 [M, n_classes, B].

    Returns:
        float32 [M, n_classes · LATENT + n_classes, B].
    """
    product = labels[:, :, None, :] * z[:, None, :, :]
    return torch.cat([product.flatten(1, 2), labels], dim=1)


def ungated(error: Tensor, labels: Tensor) -> Tensor:
    """The gradient by z [M, LATENT, B] from the gradient by what `gated` gave."""
    own = error[:, : -labels.shape[1]].unflatten(1, (labels.shape[1], LATENT)) * labels[:, :, None, :]
    total = own[:, 0]
    for part in own.unbind(1)[1:]:
        total = total + part  # one by one: an order of its own for any number of members
    return total


def column_sums(x: Tensor) -> Tensor:
    """Sums [M, B] over the features of x [M, features, B], in an order that does not depend on M."""
    return torch.bmm(torch.ones(len(x), 1, x.shape[1], device=x.device), x)[:, 0]


def one_hot(y: Tensor, n_classes: int) -> Tensor:
    """Labels int64 [...] as float32 [..., n_classes]."""
    return (y[..., None] == torch.arange(n_classes, device=y.device)).to(torch.float32)


def labelled_rows(
    task: Task, plans: Sequence[TrainingPlan], data: ChunkData, seeds: Tensor, steps: int, batch: int
) -> Rows:
    """Minibatches of the members' own rows, varied where the recipe says so."""
    n_members, height, n_inputs = data.x.shape
    drawn, keys = draw_rows(seeds, data.rows, steps, batch)
    places = (drawn + torch.arange(n_members, device=seeds.device)[:, None] * height).reshape(steps, -1)
    table = torch.cat([data.x, one_hot(data.y, task.n_classes)], dim=2).flatten(0, 1)
    augmented = torch.tensor([plan.recipe.augmentation for plan in plans], device=seeds.device)[:, None, None]
    any_augmented = bool(augmented.any())

    def at(step: int) -> Tensor:
        rows = table[places[step]].view(n_members, batch, -1)
        if any_augmented:
            x = rows[:, :, :n_inputs]
            rows[:, :, :n_inputs] = torch.where(augmented, task.augment(x, keys[step]), x)
        return rows.transpose(1, 2).contiguous()

    return at


def member_noise(seeds: Tensor, purpose: str, *shape: int) -> Tensor:
    """Normal draws of each member's own generator: float32 [M, *shape]."""
    draws = [torch.randn(shape, generator=generator) for generator in generators(seeds, purpose)]
    return torch.stack(draws).to(seeds.device)


@cache
def fixed_noise(purpose: str, *shape: int) -> Tensor:
    """Normal draws that all members share when they are measured, as they share the test sets: float32."""
    return member_noise(torch.tensor([TEST_SEED]), purpose, *shape)[0]


def generator_network(task: Task, activation: str, width: int) -> Architecture:
    """Shape of a decoder or generator: from what `gated` gives to a row."""
    return Architecture(task.n_classes * (LATENT + 1), (width,), task.n_inputs, activation)


def rates_and_decay(
    plans: Sequence[TrainingPlan], steps: int, device: torch.device, share: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Learning rates [steps, M], a share of the recipes', and weight decay [M] of the plans."""
    rates = torch.tensor([plan.recipe.learning_rate * share for plan in plans], device=device)
    decay = torch.tensor([plan.recipe.weight_decay for plan in plans], device=device)
    return learning_rates(rates, [plan.recipe.schedule for plan in plans], steps), decay
