"""The written-out passes of pretraining give the gradients of automatic differentiation, to the last bit."""

from __future__ import annotations

import pytest
import torch

from simulation.training.device import single_thread
from simulation.training.foundation.model import TextModel, reconstruction_of
from simulation.training.foundation.text import held_out
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.plan import OPTIMIZERS
from tests.support.one_device import META, OneDevice

CPU = torch.device("cpu")


def model_of(width: int, device: torch.device = CPU) -> TextModel:
    model = TextModel(reconstruction_of(width), device)
    model.initialise(torch.tensor([3], device=device))
    return model


@pytest.mark.parametrize("batch", [32, 64, 96])
@pytest.mark.parametrize("width", [16, 32, 48, 80, 112])
def test_gradients_agree_in_every_bit(width: int, batch: int) -> None:
    model, texts = model_of(width), held_out(2020, "", 2 * batch, CPU)
    with single_thread():
        for part in texts.split(batch):  # the second step goes through rooms that the first has left full
            model.differentiate(part)
            automatic = [block.clone() for block in model._gradient_blocks]
            model.gradients.fill_(torch.nan)
            model.set_gradients(part)
            for block, expected in zip(model._gradient_blocks, automatic, strict=True):
                assert torch.equal(block, expected) and bool(expected.abs().sum() > 0)


def test_automatic_differentiation_stays_on_its_device() -> None:
    """It is what a card uses."""
    with OneDevice() as mode, torch.no_grad():
        model_of(16, META).differentiate(torch.zeros(32, 16, dtype=torch.int64, device=META))
    assert mode.operations["aten::bmm"] > 20


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_moves_one_network_as_it_moves_it_among_others(name: str) -> None:
    """Alone, all of its blocks are changed at once."""
    shape, steps = Architecture(20, (12,), 3, "relu"), 5

    def moved(members: list[int]) -> list[torch.Tensor]:
        network = StackedNetwork(shape, len(members), CPU)
        network.initialise(torch.tensor(members))
        rates = learning_rates(
            torch.tensor([0.01 * (1 + member) for member in members]), ["cosine"] * len(members), steps
        )
        decay = torch.tensor([0.1 * member for member in members])
        optimizer = StackedOptimizer(name, network, rates, decay)
        for step in range(steps):
            for block, gradient in zip(network.blocks, network.views(network.gradients), strict=True):
                gradient.copy_(block * (step + 1) + 0.5)
            optimizer.step(step)
        return network.blocks

    among = moved([0, 1, 2])
    for member in range(3):
        alone = moved([member])
        assert all(torch.equal(one[0], block[member]) for one, block in zip(alone, among, strict=True))
