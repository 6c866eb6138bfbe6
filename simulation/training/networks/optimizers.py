"""SGD, momentum and Adam on one flat buffer of stacked networks; learning rates differ by member and by step."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training.graphs import Step, row_of
from simulation.training.networks.dense import StackedNetwork

MOMENTUM = 0.9  # Sutskever et al. 2013
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Kingma & Ba 2015
WARMUP = 0.1  # share of the steps over which a warmed-up rate rises; assumption


def _share(schedule: str, done: float) -> float:
    """Share of the full learning rate when that share of the steps is `done`."""
    if schedule == "step":
        return 1.0 if done < 2 / 3 else 0.1
    if schedule == "warmup" and done < WARMUP:
        return done / WARMUP
    if schedule == "warmup":
        done = (done - WARMUP) / (1 - WARMUP)
    return 1.0 if schedule == "constant" else 0.5 * (1 + math.cos(math.pi * done))


def learning_rates(rates: Tensor, schedules: Sequence[str], steps: int) -> Tensor:
    """Learning rate of every step and member, float32 [steps, M].

    Args:
        rates: float32 [M], before the schedule.
        schedules: each member's of `plan.SCHEDULES`; cosine is half a cosine (Loshchilov & Hutter 2017).
        steps: number of steps.
    """
    # Computed by Python's math, so that it is the same on every device.
    known = {name: [_share(name, step / steps) for step in range(steps)] for name in set(schedules)}
    return rates * torch.tensor([known[name] for name in schedules], device=rates.device).T


class StackedOptimizer:
    """One optimizer for all members of a stacked network.

    Args:
        name: "sgd", "momentum" or "adam".
        network: whose parameters it changes.
        rates: learning rates, float32 [steps, M].
        weight_decay: decoupled decay per unit of learning rate (Loshchilov & Hutter 2019), float32 [M].
    """

    def __init__(self, name: str, network: StackedNetwork, rates: Tensor, weight_decay: Tensor) -> None:
        self.name = name
        self.network = network
        alone = network.n_members == 1  # all of its blocks have one rate: they are changed at once
        shape = (len(rates), -1) if alone else (len(rates), -1, 1, 1)
        self._steps = rates.neg().view(shape)
        self._decay = (1 - rates * weight_decay).view(shape) if bool((weight_decay > 0).any()) else None
        self._entries = {id(table): table.unbind(0) for table in (self._steps, self._decay) if table is not None}
        self._first = torch.zeros_like(network.parameters)
        self._second = torch.zeros_like(network.parameters) if name == "adam" else self._first
        self._direction = torch.empty_like(network.parameters)
        self._blocks = [network.parameters] if alone else network.blocks
        self._first_blocks = [self._first] if alone else network.views(self._first)
        self._direction_blocks = [self._direction] if alone else network.views(self._direction)
        self._gradient_blocks = [network.gradients] if alone else network.views(network.gradients)
        self._beta_2, self._momentum = torch.tensor(BETA_2), torch.tensor(MOMENTUM)
        self._counted: dict[str, Tensor] = {}
        # Both bias corrections as scalars: m̂/(√v̂ + ε) = c·m/(√v + ε·√(1 − β₂ᵗ)), c = √(1 − β₂ᵗ)/(1 − β₁ᵗ).
        # As tensors: torch would wrap a Python number anew at every use.
        roots = [math.sqrt(1 - BETA_2**t) for t in range(1, len(rates) + 1)]
        self._epsilons = torch.tensor([EPSILON * root for root in roots]).unbind(0)
        self._corrections = torch.tensor([(1 - BETA_1 ** (i + 1)) / root for i, root in enumerate(roots)]).unbind(0)

    @property
    def moments(self) -> tuple[Tensor, Tensor]:
        """Adam's running means of the gradients and of their squares, flat: what a run goes on from."""
        return self._first, self._second

    def step(self, number: Step) -> None:
        """Apply the network's gradients as step `number`, counted from 0."""
        moves, step = self._moves(number), self._entry(self._steps, number)
        decay = None if self._decay is None else self._entry(self._decay, number)
        for block, move in zip(self._blocks, moves, strict=True):
            if decay is not None:
                block.mul_(decay)
            block.addcmul_(move, step)

    def _entry(self, table: Tensor, number: Step) -> Tensor:
        """The entry of a step; views of those that are counted in Python stand ready."""
        return self._entries[id(table)][number] if isinstance(number, int) else row_of(table, number)

    def _scalar(self, name: str, number: Step) -> Tensor:
        """`_epsilons` or `_corrections` of a step: on the CPU, or where the counter of steps lies."""
        scalars: tuple[Tensor, ...] = getattr(self, name)
        if isinstance(number, int):
            return scalars[number]
        if name not in self._counted:
            self._counted[name] = torch.stack(scalars).to(number.device)
        return row_of(self._counted[name], number)

    def _moves(self, number: Step) -> list[Tensor]:
        gradients = self.network.gradients
        if self.name == "sgd":
            return self._gradient_blocks
        if self.name == "momentum":
            self._first.mul_(self._momentum).add_(gradients)
            return self._first_blocks
        self._first.lerp_(gradients, 1 - BETA_1)
        self._second.mul_(self._beta_2).addcmul_(gradients, gradients, value=1 - BETA_2)
        torch.sqrt(self._second, out=self._direction)
        self._direction.add_(self._scalar("_epsilons", number)).mul_(self._scalar("_corrections", number))
        torch.div(self._first, self._direction, out=self._direction)
        return self._direction_blocks
