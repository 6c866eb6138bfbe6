"""The stacked networks against autograd, torch.optim and scikit-learn."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from torch import Tensor

from simulation.training.classifiers.arrays import fit_arrays
from simulation.training.classifiers.traditional import fit_ridge
from simulation.training.ladder import RUNGS, architecture, flops
from simulation.training.networks.dense import StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.plan import ACTIVATIONS, CLASSIFICATION_TASKS, OPTIMIZERS, Recipe
from simulation.training.tasks import get_task

CPU = torch.device("cpu")


def network_of(task: str, kind: str, activation: str, n_members: int = 3) -> StackedNetwork:
    network = StackedNetwork(architecture(get_task(task), kind, 2, activation), n_members, CPU)
    network.initialise(torch.arange(n_members))
    return network


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
@pytest.mark.parametrize("task", ["security-vision", "speech"])
def test_hand_written_gradients_equal_autograd(task: str, kind: str, activation: str) -> None:
    network = network_of(task, kind, activation)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, get_task(task).n_inputs, 32, generator=generator)
    y = torch.randint(0, get_task(task).n_classes, (3, 32), generator=generator)
    with torch.no_grad():
        logits, kept = network.forward(x)
        one_hot = torch.nn.functional.one_hot(y, logits.shape[1]).transpose(1, 2)
        network.backward((logits.softmax(dim=1) - one_hot) / 32, kept)

    blocks = [block.clone().requires_grad_() for block in network.blocks]
    reference = plain_forward(network, x, blocks, activation)
    assert torch.allclose(reference, logits, atol=1e-5)
    torch.nn.functional.cross_entropy(reference, y, reduction="sum").div(32).backward()
    assert all(block.data_ptr() % 64 == 0 for block in network.blocks)
    for block, gradient in zip(blocks, network.views(network.gradients), strict=True):
        assert block.grad is not None
        assert torch.allclose(block.grad, gradient, atol=1e-5)


def plain_forward(network: StackedNetwork, x: Tensor, blocks: list[Tensor], activation: str) -> Tensor:
    """The textbook forward pass, member by member, with torch's own convolution and pooling."""
    act = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[activation]
    convolution = network.architecture.convolution
    members = []
    for member in range(len(x)):
        h, left = x[member].T, [block[member] for block in blocks]
        if convolution is not None:
            live = left[0][:, : convolution.shape[0] * convolution.kernel[0] * convolution.kernel[1]]
            weights = live.reshape(-1, convolution.shape[0], *convolution.kernel)
            h = torch.nn.functional.conv2d(h.view(-1, *convolution.shape), weights, left[1][:, 0])
            h = act(torch.nn.functional.max_pool2d(h, convolution.pool)).flatten(1)
            left = left[2:]
        for weights, biases in zip(left[:-2:2], left[1:-2:2], strict=True):
            h = act(h @ weights.T + biases[:, 0])
        members.append((h @ left[-2].T + left[-1][:, 0]).T)
    return torch.stack(members)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_equal_torch_optim(name: str) -> None:
    network = network_of("speech", "mlp", "relu", n_members=2)
    rates, decay = torch.tensor([0.01, 0.05]), torch.tensor([0.0, 0.1])
    own = StackedOptimizer(name, network, learning_rates(rates, ["constant", "constant"], 5), decay)
    copies = [[block[m].clone().requires_grad_() for block in network.blocks] for m in range(2)]
    others = [reference_optimizer(name, copies[m], float(rates[m]), float(decay[m])) for m in range(2)]
    generator = torch.Generator().manual_seed(1)
    for step in range(5):
        network.gradients.copy_(torch.randn(network.gradients.shape, generator=generator))
        gradients = network.views(network.gradients)
        for m in range(2):
            for parameter, gradient in zip(copies[m], gradients, strict=True):
                parameter.grad = gradient[m].clone()
                if name != "adam":  # torch's SGD couples its decay with the gradient, ours is decoupled as in AdamW
                    parameter.data.mul_(1 - float(rates[m] * decay[m]))
            others[m].step()
        own.step(step)
    for m in range(2):
        for parameter, block in zip(copies[m], network.blocks, strict=True):
            assert torch.allclose(parameter, block[m], atol=1e-5)


def reference_optimizer(name: str, parameters: list[Tensor], rate: float, decay: float) -> torch.optim.Optimizer:
    if name == "adam":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9 if name == "momentum" else 0.0)


def test_schedules_of_the_learning_rate() -> None:
    rates = learning_rates(torch.full((4,), 0.1), ["cosine", "constant", "step", "warmup"], 100)
    cosine, constant, step, warmup = rates.T
    assert rates[0].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.0])
    assert cosine[50].item() == pytest.approx(0.05)
    assert cosine[99] < 0.001
    assert constant.tolist() == pytest.approx([0.1] * 100)
    assert step[66].item() == pytest.approx(0.1)
    assert step[67].item() == pytest.approx(0.01)
    assert warmup[5].item() == pytest.approx(0.05)
    assert warmup.argmax() == 10
    assert warmup[99] < 0.001


def test_digits_within_a_point_and_a_half_of_scikit_learn() -> None:
    """The trainer is real: both see the same split, the same size and as many epochs."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.3, random_state=0, stratify=y)
    ours, theirs, epochs = [], [], 25
    for seed in range(2):
        reference = MLPClassifier((64,), batch_size=32, max_iter=epochs, random_state=seed, learning_rate_init=3e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns that 25 epochs may not suffice; they do here
            reference.fit(x_train, y_train)
        theirs.append(reference.score(x_test, y_test))
        recipe, steps = Recipe(learning_rate=3e-3), epochs * len(x_train) // 32
        fitted = fit_arrays(x_train, y_train, x_test, y_test, hidden=(64,), recipe=recipe, steps=steps, seed=seed)
        ours.append(fitted.accuracy)
    assert abs(np.mean(ours) - np.mean(theirs)) <= 0.015
    assert min(ours) > 0.95


def test_traditional_method_equals_ridge_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(200, 10)), generator.integers(0, 3, 200)
    one_hot = np.eye(3)[y]
    with_one = np.column_stack([x, np.ones(200)])
    gram, moments = torch.tensor(with_one.T @ with_one)[None], torch.tensor(with_one.T @ one_hot)[None]
    weights, biases = fit_ridge(gram, moments, 10)
    reference = Ridge(alpha=1.0).fit(x, one_hot)
    assert np.allclose(weights[0].numpy(), reference.coef_, atol=1e-5)
    assert np.allclose(biases[0, :, 0].numpy(), reference.intercept_, atol=1e-5)


@pytest.mark.parametrize("name", CLASSIFICATION_TASKS)
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_every_member_s_weights_begin_at_a_cache_line(name: str, kind: str) -> None:
    """What company independence rests on: matrix products round differently by alignment."""
    for rung in range(len(RUNGS)):
        assert all(out * into % 16 == 0 for out, into in architecture(get_task(name), kind, rung).layers)
        assert RUNGS[rung].batch % 32 == 0


@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_every_rung_costs_more_than_the_one_below(kind: str) -> None:
    costs = [flops(kind, rung) for rung in range(len(RUNGS))]
    ratios = [above / below for below, above in pairwise(costs)]
    assert all(1.4 < ratio < 5 for ratio in ratios), ratios


@pytest.mark.parametrize("kind", ["actor-critic", "vae", "gan"])
def test_the_ladder_counts_no_run_of_a_kind_that_it_has_no_network_of(kind: str) -> None:
    with pytest.raises(ValueError, match=f"not '{kind}'"):
        flops(kind, 0)
