"""Treatments of personal data and smaller models: DP-SGD, minimised inputs, distillation."""

from __future__ import annotations

import itertools
from dataclasses import replace
from statistics import fmean

import pytest
import torch

from simulation.dp_accountant import epsilon
from simulation.training.classifiers.dp_sgd import CLIP, ROOM, add_noise, generators, poisson_rows
from simulation.training.classifiers.train import collected_inputs
from simulation.training.data import make_data
from simulation.training.ladder import RUNGS, architecture
from simulation.training.networks.dense import StackedNetwork
from simulation.training.plan import Recipe, TrainingPlan
from simulation.training.tasks import get_task
from simulation.training.trainer import bucket_of
from tests.support.training_fakes import train

CPU = torch.device("cpu")
PLAIN = Recipe(weight_decay=0.05)


def mean_of(measure: str, task: str = "speech", kind: str = "cnn", **levers: object) -> float:
    values = {"rung": 3, "rows": 2048, "recipe": PLAIN, **levers}
    plans = [TrainingPlan(task, kind, seed=seed, **values) for seed in range(6)]  # type: ignore[arg-type]
    return fmean(getattr(result, measure) for result in train(plans))


@pytest.mark.parametrize("kind", ["mlp", "cnn"])
@pytest.mark.parametrize("task", ["security-vision", "speech"])
def test_row_norms_equal_those_of_rows_alone(task: str, kind: str) -> None:
    """Against the definition: the gradient of each row by itself, from the backward pass, which has its own test."""
    shape = architecture(get_task(task), kind, 1, "tanh")
    network = StackedNetwork(shape, 2, CPU)
    network.initialise(torch.tensor([3, 4]))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, shape.n_inputs, 32, generator=generator)
    error = torch.randn(2, shape.n_classes, 32, generator=generator)
    _, kept = network.forward(x)
    norms = network.row_norms(error, kept)
    for row in (0, 17, 31):
        alone = error * (torch.arange(32) == row)
        network.backward(alone, network.forward(x)[1])
        for member in range(2):
            square = sum(float(block[member].square().sum()) for block in network.views(network.gradients))
            assert norms[member, row].item() == pytest.approx(square**0.5, rel=1e-4)


def test_rows_are_sampled_independently_with_the_rate_that_the_accountant_assumes() -> None:
    draws = generators(torch.tensor([1, 2]), "test")
    counts = torch.zeros(2, 400)
    seen = torch.zeros(2, 1000)
    for step in range(400):
        places, taken = poisson_rows(draws, [1000, 500], 32)
        assert places.shape == (2, ROOM * 32)
        counts[:, step] = taken.sum(dim=1)
        for member in range(2):
            drawn = places[member, taken[member] > 0]
            assert len(drawn.unique()) == len(drawn)
            seen[member, drawn] += 1
    assert counts.mean(dim=1).tolist() == pytest.approx([32, 32], abs=5 * (32 / 400) ** 0.5)
    assert counts.var(dim=1).tolist() == pytest.approx([32 * (1 - 0.032), 32 * (1 - 0.064)], rel=0.35)
    assert seen[0].mean().item() == pytest.approx(12.8, abs=0.6)
    assert seen[1, 500:].sum() == 0  # rows a member does not have


def test_noise_has_the_scale_of_each_member_and_reaches_every_parameter() -> None:
    network = StackedNetwork(architecture(get_task("speech"), "cnn", 3), 2, CPU)
    add_noise(network, generators(torch.tensor([1, 2]), "test"), [0.5, 0.0])
    first, second = (torch.cat([b[m].flatten() for b in network.views(network.gradients)]) for m in range(2))
    assert first.std().item() == pytest.approx(0.5, rel=0.05)
    assert (first != 0).all()
    assert (second == 0).all()


def test_epsilon_agrees_with_the_moments_of_the_gaussian_mechanism() -> None:
    """Without sampling (rate 1) the Rényi divergence of order a is a·T / (2σ²): Mironov 2017, proposition 7."""
    plan = TrainingPlan("speech", "cnn", 0, 64, dp_noise=8.0)
    steps, rate = RUNGS[0].steps, 0.5
    assert epsilon(plan) > 0
    full = min(a * steps / (2 * 8.0**2) + 11.5129 / (a - 1) for a in (1 + i / 100 for i in range(1, 5000)))
    assert epsilon(plan) < full  # sampling half of the rows amplifies privacy
    assert epsilon(plan) > rate**2 * full / 4
    assert epsilon(replace(plan, dp_noise=0.0)) == float("inf")


def test_epsilon_falls_with_noise_and_rows_and_rises_with_steps() -> None:
    plan = TrainingPlan("speech", "cnn", 3, 2048, dp_noise=1.0)
    assert epsilon(plan) == pytest.approx(1.79, abs=0.05)  # opacus 1.6, Rényi accountant
    assert epsilon(replace(plan, dp_noise=2.0)) < epsilon(plan) < epsilon(replace(plan, dp_noise=0.5))
    assert epsilon(replace(plan, rows=8192)) < epsilon(plan) < epsilon(replace(plan, rows=512))
    assert epsilon(replace(plan, rung=5)) > epsilon(plan)


@pytest.mark.slow
def test_dp_sgd_hides_members_and_costs_accuracy_the_more_the_less_epsilon() -> None:
    little = {"rows": 128}
    leak = [mean_of("leakage", dp_noise=noise, **little) for noise in (0.0, 0.5, 2.0)]
    assert leak[0] > 0.3
    assert leak[0] > leak[1] + 0.05 > leak[2] + 0.1
    accuracy = [mean_of("accuracy_lab", dp_noise=noise) for noise in (0.0, 0.3, 1.0, 4.0)]
    assert all(a > b + 0.05 for a, b in itertools.pairwise(accuracy))
    assert accuracy[1] > 0.6


def test_no_step_moves_further_than_the_clip_allows() -> None:
    """Plain SGD at rate 1 and next to no noise: each step is at most the clip times the rows drawn over the batch."""
    recipe = Recipe("sgd", "relu", 1.0, "constant")
    loud = mean_of("accuracy_lab", recipe=recipe)
    quiet = mean_of("accuracy_lab", recipe=recipe, dp_noise=1e-6)
    assert loud != quiet
    assert CLIP == 1.0


def test_minimisation_keeps_the_inputs_that_tell_most_and_costs_accuracy() -> None:
    task = get_task("breast-cancer")
    plans = [TrainingPlan("breast-cancer", "mlp", 1, 2048, minimisation=share, seed=5) for share in (0.5, 0.9)]
    data = make_data(task, plans, CPU)
    kept = collected_inputs(data, task.n_inputs, [0.5, 0.9])
    assert kept.sum(dim=1).tolist() == [15.0, 3.0]
    from sklearn.feature_selection import f_classif

    statistic = torch.tensor(f_classif(data.x[0, :2048].numpy(), data.y[0, :2048].numpy())[0])
    assert set(statistic.argsort(descending=True)[:15].tolist()) == set(kept[0].nonzero()[:, 0].tolist())
    accuracy = [mean_of("accuracy_lab", minimisation=share) for share in (0.0, 0.5, 0.8)]
    assert accuracy[0] > accuracy[1] + 0.01 > accuracy[2] + 0.1


def test_inputs_that_are_not_collected_are_not_used() -> None:
    """Accuracy with one input of sixty-four left cannot exceed what that input tells."""
    assert mean_of("accuracy_lab", task="security-vision", kind="mlp", minimisation=0.9) < 0.6


@pytest.mark.slow
def test_a_distilled_network_is_smaller_and_better_than_one_trained_at_its_size() -> None:
    levers = {"task": "security-vision", "rung": 4, "rows": 4096}
    teacher = mean_of("accuracy_lab", **levers)
    student = mean_of("accuracy_lab", compression="distilled", **levers)
    alone = mean_of("accuracy_lab", **{**levers, "rung": 2})
    assert teacher > student > alone + 0.015
    small = mean_of("n_parameters", **{**levers, "rung": 2})
    assert mean_of("n_parameters", compression="distilled", **levers) == small
    assert mean_of("inference_flops", compression="distilled", **levers) == mean_of(
        "inference_flops", **{**levers, "rung": 2}
    )
    assert mean_of("training_flops", compression="distilled", **levers) > mean_of("training_flops", **levers)


@pytest.mark.parametrize("levers", [{"dp_noise": 1.0}, {"minimisation": 0.4}, {"compression": "distilled"}])
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_alone_and_in_company(kind: str, levers: dict[str, object]) -> None:
    plans = [
        TrainingPlan(
            "security-vision", kind, 1, 64 + 300 * i, recipe=replace(PLAIN, augmentation=i % 2 == 0), seed=i, **levers
        )  # type: ignore[arg-type]
        for i in range(5)
    ]
    assert len({bucket_of(plan) for plan in plans}) == 1
    together = train(plans)
    for i in (0, 3, 4):
        assert train([plans[i]]) == [together[i]]
