"""A member's result must not depend on its company: alone, among a few or among many, it is bitwise the same."""

from __future__ import annotations

import pytest
import torch

from simulation.training.classifiers import pretraining as transfer
from simulation.training.plan import ACTIVATIONS, OPTIMIZERS, TrainingPlan
from simulation.training.trainer import bucket_of, train_bucket
from tests.support.training_fakes import CPU, crowd, train


@pytest.mark.parametrize("task", ["security-vision", "speech"])
@pytest.mark.parametrize("kind", ["linear", "mlp", "cnn"])
@pytest.mark.parametrize(("activation", "optimizer"), list(zip(ACTIVATIONS, OPTIMIZERS, strict=True)))
def test_alone_among_three_and_among_many(task: str, kind: str, activation: str, optimizer: str) -> None:
    plans = crowd(task, kind, activation, optimizer, 19)
    assert len({bucket_of(plan) for plan in plans}) == 1
    among_many = train(plans, chunk_size=19)
    assert train(plans) == among_many  # chunks of the usual size
    for i in (0, 3, 7, 18):
        assert train([plans[i]]) == [among_many[i]]
    assert train(plans[5:8]) == among_many[5:8]


@pytest.mark.parametrize("task", ["security-vision", "speech"])
@pytest.mark.parametrize("kind", ["rnn", "transformer"])
@pytest.mark.parametrize(("activation", "optimizer"), list(zip(ACTIVATIONS, OPTIMIZERS, strict=True)))
def test_sequence_networks_alone_and_among_seven(task: str, kind: str, activation: str, optimizer: str) -> None:
    plans = crowd(task, kind, activation, optimizer, 7)
    among_many = train(plans)
    assert train(plans[-1:]) == among_many[-1:]
    assert train(plans[1:4]) == among_many[1:4]


def test_pretrained_networks_alone_and_among_three(few_sectors: None) -> None:
    plans = crowd("speech", "transformer", "relu", "adam", 3, pretraining_rows=100)
    among_three = train(plans)
    transfer.forget_trunks()
    assert train(plans[1:2]) == among_three[1:2]


@pytest.mark.parametrize("rung", [1, 2, 3, 4, *(pytest.param(rung, marks=pytest.mark.slow) for rung in (5, 6, 7, 8))])
@pytest.mark.parametrize("kind", ["mlp", "cnn", "rnn", "transformer"])
def test_on_every_rung(kind: str, rung: int) -> None:
    plans = crowd("security-vision", kind, "relu", "adam", 3, rung)
    among_three = train(plans)
    assert train(plans[2:3]) == among_three[2:3]


@pytest.mark.slow
def test_among_two_hundred() -> None:
    plans = crowd("speech", "mlp", "tanh", "adam", 200, rung=1)
    among_many = train(plans, chunk_size=200)
    assert train([plans[11]]) == [among_many[11]]
    assert train(plans[90:93]) == among_many[90:93]


def test_the_number_of_threads_changes_nothing_and_is_restored() -> None:
    plans = crowd("security-vision", "cnn", "sigmoid", "momentum", 5)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = train(plans)
        torch.set_num_threads(4)
        assert train(plans) == one
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_the_same_plan_twice_in_one_batch_is_trained_alike() -> None:
    plan = TrainingPlan("speech", "mlp", 0, 300)
    chunk = next(iter(train_bucket([plan, plan], CPU)))
    assert chunk[0] == chunk[1]


def test_plans_of_two_buckets_are_refused() -> None:
    plans = [TrainingPlan("speech", "mlp", rung, 300) for rung in (0, 1)]
    with pytest.raises(ValueError, match="one bucket"):
        next(iter(train_bucket(plans, CPU)))
