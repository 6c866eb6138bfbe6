"""Pretraining: a transformer's blocks are trained on all other sectors first, and start a plan's own training.

Every other sector has an embedding and a read-out of its own; the blocks between them, the trunk, are shared. At every
step each sector gives a minibatch, half of it from the field. Then the plan's task gets a fresh embedding and a fresh
read-out, and everything is trained on it: on speech a frozen or slower trunk did worse at 128 and at 512 rows. What
pretraining is worth is measured, not assumed: docs/training-tasks.md.

A trunk depends on the task held out, the rung, the activation, the optimizer, the seed and the rows per sector. It is
kept for the process, so that plans which share these share it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.ladder import architecture, size_of, training_flops
from simulation.training.minibatches import draw_rows, hard_error
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.networks.sequences import Transformer
from simulation.training.networks.transformers import TransformerNetwork
from simulation.training.plan import SECTOR_TASKS, TrainingPlan
from simulation.training.tasks import Mix, Task, get_task
from simulation.training.tasks.base import DEFAULT_MINORITY

COVERAGE = 0.5
"""Share of pretraining rows from the field; assumption."""
RATES = {"adam": 0.01, "momentum": 0.05, "sgd": 0.3}
"""Learning rate of pretraining, with a cosine; assumption."""
KEPT = 0.5
"""Share of the pretrained trunk in what fine-tuning starts from; the rest is fresh weights (Ash & Adams 2020,
arXiv:1910.08475). With the whole trunk, speech on rung 3 falls from 62 to 50 % at 128 rows; with half, to 57 %."""
SEED_BITS = 61  # keeps seeds of pretraining rows below those of the test sets
MAX_TRUNKS = 512

_trunks: dict[tuple[object, ...], list[Tensor]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture(Architecture):
    """One trunk with an embedding and a read-out for every sector.

    Attributes:
        readers: the transformer of each sector.
    """

    readers: tuple[Transformer, ...]

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of the trunk's layers, then of each sector's embedding and read-out."""
        ends = [layer for reader in self.readers for layer in (reader.layers[0], reader.layers[-1])]
        return [*self.readers[0].trunk, *ends]


def other_sectors(task: str) -> tuple[str, ...]:
    """Sectors a trunk for that task is trained on."""
    return tuple(name for name in SECTOR_TASKS if name != task)


def _readers(plan: TrainingPlan) -> tuple[Transformer, ...]:
    kinds = (
        architecture(get_task(name), plan.kind, plan.rung, plan.recipe.activation) for name in other_sectors(plan.task)
    )
    return tuple(kind for kind in kinds if isinstance(kind, Transformer))


def pretraining_flops(plan: TrainingPlan) -> float:
    """Operations of the pretraining that a plan asks for; counted in full, though plans may share a trunk."""
    if not plan.pretraining_rows:
        return 0.0
    size = size_of(plan)
    return sum(training_flops(reader, size.steps, size.batch) for reader in _readers(plan))


def start_from_trunks(network: StackedNetwork, plans: Sequence[TrainingPlan]) -> None:
    """Move the blocks that plans of one bucket start from half of the way to the pretrained ones."""
    device = network.parameters.device
    keys = [_key(plan, device) for plan in plans]
    missing = {key: plan for key, plan in zip(keys, plans, strict=True) if key not in _trunks}
    if missing:
        _remember(list(missing), pretrain(list(missing.values()), device))
    for member, key in enumerate(keys):
        for block, trained in zip(network.blocks[2:-2], _trunks[key], strict=True):
            block[member].lerp_(trained, KEPT)
    while len(_trunks) > MAX_TRUNKS:
        del _trunks[next(iter(_trunks))]


def forget_trunks() -> None:
    """Drop all trunks that are kept; the next plans that need one train it again."""
    _trunks.clear()


def _key(plan: TrainingPlan, device: torch.device) -> tuple[object, ...]:
    recipe = plan.recipe
    return (plan.task, plan.rung, recipe.activation, recipe.optimizer, plan.seed, plan.pretraining_rows, str(device))


def _remember(keys: Sequence[tuple[object, ...]], trunk: Sequence[Tensor]) -> None:
    for member, key in enumerate(keys):
        _trunks[key] = [block[member].clone() for block in trunk]


def pretrain(plans: Sequence[TrainingPlan], device: torch.device) -> list[Tensor]:
    """Trunks of plans that differ in their seeds at most: weights [M, out, in] and biases [M, out, 1] in turn."""
    plan, size = plans[0], size_of(plans[0])
    seeds = counter.stream_keys(torch.tensor([plan.seed for plan in plans], device=device), "pretraining")
    seeds &= 2**SEED_BITS - 1
    mixture = _Mixture(plan, seeds)
    rates = torch.full((len(plans),), RATES[plan.recipe.optimizer], device=device)
    schedule = learning_rates(rates, ["cosine"] * len(plans), size.steps)
    optimizer = StackedOptimizer(plan.recipe.optimizer, mixture.network, schedule, torch.zeros_like(rates))
    rows = torch.full_like(seeds, plan.pretraining_rows)
    drawn, _ = draw_rows(seeds, rows, size.steps, size.batch)
    for step in range(size.steps):
        mixture.set_gradients(drawn[step])
        optimizer.step(step)
    return mixture.network.blocks[: mixture.n_shared]


class _Mixture:
    """M trunks in training: one network holds all parameters, each sector's transformer computes with its own."""

    def __init__(self, plan: TrainingPlan, seeds: Tensor) -> None:
        kinds = _readers(plan)
        whole = Mixture(0, (), 0, plan.recipe.activation, readers=kinds)
        self.seeds, n = seeds, len(seeds)
        self.network = StackedNetwork(whole, n, seeds.device)
        self.n_shared = 2 * len(kinds[0].trunk)
        self._gradients = self.network.views(self.network.gradients)
        self._tasks: list[Task] = [get_task(name) for name in other_sectors(plan.task)]
        self._readers = [TransformerNetwork(kind, n, seeds.device) for kind in kinds]
        self._mix = Mix(*(torch.full((n,), share, device=seeds.device) for share in (COVERAGE, DEFAULT_MINORITY, 0.0)))
        for number, reader in enumerate(self._readers):
            reader.initialise(seeds)
            for block, first in zip(self._of(self.network.blocks, number), reader.blocks, strict=True):
                block.copy_(first)

    def _of(self, blocks: list[Tensor], number: int) -> list[Tensor]:
        """Blocks of one sector in the order of its transformer: embedding, trunk, read-out."""
        first = self.n_shared + 4 * number
        return [*blocks[first : first + 2], *blocks[: self.n_shared], *blocks[first + 2 : first + 4]]

    def set_gradients(self, index: Tensor) -> None:
        """Gradients of every sector's mean loss over its rows `index` [M, B]; the trunk gets their mean."""
        self.network.gradients.zero_()
        for number, (task, reader) in enumerate(zip(self._tasks, self._readers, strict=True)):
            x, y = task.rows(self.seeds, index, self._mix)
            logits, kept = reader.forward(x.transpose(1, 2), self._of(self.network.blocks, number), reuse=True)
            reader.backward(hard_error(logits, x, y), kept)
            for total, own in zip(self._of(self._gradients, number), reader.views(reader.gradients), strict=True):
                total += own
        for block in self._gradients[: self.n_shared]:
            block *= 1.0 / len(self._tasks)
