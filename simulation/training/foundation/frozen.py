"""Features of a frozen foundation: computed once for each foundation and test set, whoever reads them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from simulation.training.data import ChunkData
from simulation.training.foundation.model import encoder_of
from simulation.training.foundation.pretrain import Foundation
from simulation.training.networks.encoders import TOP_GAIN, features, first_weights, tokens_first
from simulation.training.tasks import Task, TestSets

AT_ONCE = 1024
"""Rows encoded at once."""
KEPT = 4
"""Test sets whose features a process keeps at hand: tens of megabytes each."""
_kept: dict[tuple[str, str, int, str], TestSets] = {}


def forget_features() -> None:
    """Drop the features of test sets that this process keeps at hand."""
    _kept.clear()


class FrozenEncoder:
    """The encoder of a foundation, with units on top that no training has touched.

    Attributes:
        blocks: weights [1, out, in] and biases [1, out, 1] of all its layers but the read-out.
    """

    def __init__(self, foundation: Foundation, n_classes: int) -> None:
        self._key = foundation.plan.key()
        self.shape = encoder_of(foundation.plan.width, n_classes)
        device = foundation.body[0].device
        out, into = self.shape.layers[-2]
        top = [torch.zeros(1, out, into, device=device), torch.zeros(1, out, 1, device=device)]
        seeds = torch.tensor([foundation.plan.seed], device=device)
        first_weights(seeds, "foundation-top", [(out, into)], [TOP_GAIN], top)
        self.blocks = [*foundation.body, *top]

    @property
    def flops(self) -> float:
        """Operations of one text's forward pass, without a read-out."""
        return 2.0 * sum(self.shape.products()[:-1])

    def encode(self, x: Tensor) -> Tensor:
        """Features [rows, n_features] of inputs [rows, n_inputs]."""
        parts = [features(tokens_first(part.T[None], self.shape.symbols), self.blocks)[0] for part in x.split(AT_ONCE)]
        return torch.cat(parts)

    def encode_tests(self, task: Task, year: int, device: torch.device) -> TestSets:
        """The task's test sets with features in place of inputs."""
        key = (self._key, task.name, year, str(device))
        if key not in _kept:
            tests = task.test_sets(device)
            _kept[key] = replace(
                tests,
                lab_x=self.encode(tests.lab_x),
                field_x=self.encode(tests.field_x),
                groups_x=self.encode(tests.groups_x),
            )
            while len(_kept) > KEPT:
                del _kept[next(iter(_kept))]
        return _kept[key]

    def encode_audited(self, data: ChunkData) -> ChunkData:
        """The data of a chunk with features in place of the inputs of audited rows."""
        return replace(data, audited_x=torch.stack([self.encode(x) for x in data.audited_x]))
