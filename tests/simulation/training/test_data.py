"""Rows without end: pure functions of task, seed and index; plans and measures against simple references."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from simulation.training import counter
from simulation.training.data import BLOCK, N_AUDITED, make_data
from simulation.training.measures import N_BINS, calibration_error, likeliest, membership_advantage
from simulation.training.plan import CLASSIFICATION_TASKS, REAL_TASKS, Recipe, TrainingPlan
from simulation.training.tasks import TASKS, Mix, get_task
from simulation.training.tasks.base import N_GROUP, N_TEST

CPU = torch.device("cpu")
MASK = 2**64 - 1


def splitmix(x: int) -> int:
    """SplitMix64's finaliser in plain integers."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def test_the_hash_is_splitmix64() -> None:
    numbers = [0, 1, -1, 2**62, -(2**63), 123456789]
    expected = [splitmix(number & MASK) for number in numbers]
    assert [int(value) & MASK for value in counter.mix(torch.tensor(numbers))] == expected


def test_draws_look_random() -> None:
    """200,000 draws each: the bounds are five standard errors."""
    keys = counter.row_keys(counter.stream_keys(torch.arange(4), "test"), torch.arange(1000))
    u, z = counter.uniforms(keys, 0, 50).double(), counter.noise(keys, 64, 50).double()
    assert u.mean().item() == pytest.approx(0.5, abs=5 * 12**-0.5 / len(u.flatten()) ** 0.5)
    assert z.mean().item() == pytest.approx(0.0, abs=5 / len(z.flatten()) ** 0.5)
    assert z.std().item() == pytest.approx(1.0, abs=0.01)
    for draws in (u, z):
        lanes = np.corrcoef(draws.view(-1, 50).T.numpy()) - np.eye(50)
        assert abs(lanes).max() < 5.5 / 4000**0.5
        assert abs(np.corrcoef(draws[0].flatten(), draws[1].flatten())[0, 1]) < 5 / 50000**0.5


@pytest.mark.parametrize("name", CLASSIFICATION_TASKS)
def test_a_row_does_not_depend_on_the_others(name: str) -> None:
    task, seeds = get_task(name), torch.tensor([5, 9])
    mixture = Mix(torch.tensor([0.5, 0.2]), torch.tensor([0.3, 0.1]), torch.tensor([0.0, 0.2]))
    x, y = task.rows(seeds, torch.arange(300), mixture)
    one = Mix(mixture.coverage[1:], mixture.minority[1:], mixture.label_noise[1:])
    alone_x, alone_y = task.rows(seeds[1:], torch.tensor([250, 17]), one)
    assert torch.equal(alone_x[0], x[1, [250, 17]])
    assert torch.equal(alone_y[0], y[1, [250, 17]])


@pytest.mark.parametrize("name", CLASSIFICATION_TASKS)
def test_levers_change_only_the_rows_they_mean(name: str) -> None:
    task, seeds, index = get_task(name), torch.tensor([1]), torch.arange(4000)
    plain_x, plain_y = task.rows(seeds, index, Mix.of(CPU, 0.0, 0.1))
    field_x, field_y = task.rows(seeds, index, Mix.of(CPU, 0.25, 0.1))
    changed = (plain_x != field_x).any(dim=2).float().mean().item()
    assert changed == pytest.approx(0.25, abs=0.035)  # five standard errors
    assert torch.equal(plain_y, field_y)
    noisy_x, noisy_y = task.rows(seeds, index, Mix.of(CPU, 0.0, 0.1, 0.5))
    assert torch.equal(noisy_x, plain_x)
    wrong = (noisy_y != plain_y).float().mean().item()
    assert wrong == pytest.approx(0.5 * (1 - 1 / task.n_classes), abs=0.04)


@pytest.mark.parametrize("name", CLASSIFICATION_TASKS)
def test_test_sets_are_fixed_balanced_and_apart_from_training_rows(name: str) -> None:
    task = get_task(name)
    tests = task.test_sets(CPU)
    n_test, n_group = len(tests.lab_y), len(tests.groups_y) // 2
    if name not in REAL_TASKS:
        assert (n_test, n_group) == (N_TEST, N_GROUP)
    assert n_test % 32 == 0
    assert n_group % 32 == 0
    assert tests.lab_x.shape == tests.field_x.shape == (n_test, task.n_inputs)
    assert tests.groups_x.shape == (2 * n_group, task.n_inputs)
    assert torch.equal(tests.groups_y[:n_group].bincount(), tests.groups_y[n_group:].bincount())
    assert torch.equal(tests.lab_x, TASKS[name]().test_sets(CPU).lab_x)
    assert tests.lab_y.bincount().min() > n_test / task.n_classes * 0.7
    assert tests.lab_x.std().item() == pytest.approx(task.input_sd, rel=0.15)
    plan = TrainingPlan(name, "mlp", 0, 1024)
    trained_on = make_data(task, [plan], CPU).x[0]
    assert torch.cdist(trained_on, tests.lab_x).min() > 0.1


@pytest.mark.parametrize("name", CLASSIFICATION_TASKS)
def test_sums_for_the_traditional_method_count_each_row_once(name: str) -> None:
    task = get_task(name)
    plans = [TrainingPlan(name, "mlp", 0, rows, anonymisation=0.5, seed=3) for rows in (700, 300)]
    data = make_data(task, plans, CPU)
    for member, plan in enumerate(plans):
        padding = data.gram.shape[1] - task.n_inputs - 1
        parts = [data.x[member, : plan.rows], torch.ones(plan.rows, 1), torch.zeros(plan.rows, padding)]
        x = torch.cat(parts, dim=1).double()
        assert torch.allclose(data.gram[member].double(), x.T @ x, rtol=1e-4, atol=1e-2)
        one_hot = torch.nn.functional.one_hot(data.y[member, : plan.rows], task.n_classes).double()
        assert torch.allclose(data.moments[member].double(), x.T @ one_hot, rtol=1e-4, atol=1e-2)
    assert data.x.shape[1] % BLOCK == 0
    assert torch.equal(data.x[0, :300], data.x[1, :300])  # nested: more rows are the same rows and some


def test_the_audit_sees_true_inputs_of_training_rows_and_fresh_rows() -> None:
    task = get_task("speech")
    plain, noisy = (TrainingPlan("speech", "mlp", 0, 600, anonymisation=sd) for sd in (0.0, 1.0))
    clean, hidden = make_data(task, [plain], CPU), make_data(task, [noisy], CPU)
    assert torch.equal(clean.audited_x, hidden.audited_x)
    assert torch.equal(clean.audited_x[0, :N_AUDITED], clean.x[0, :N_AUDITED])
    spread = (hidden.x - clean.x)[0, :600].std().item()
    assert spread == pytest.approx(task.input_sd, rel=0.02)
    assert not torch.equal(clean.audited_x[0, :N_AUDITED], clean.audited_x[0, N_AUDITED:])


def test_membership_advantage_equals_scikit_learns_auc() -> None:
    generator = np.random.default_rng(0)
    member, fresh = generator.normal(0, 1, (3, 64)).round(1), generator.normal(0.5, 1, (3, 64)).round(1)
    n_members = [64, 40, 10]
    got = membership_advantage(torch.tensor(member), torch.tensor(fresh), torch.tensor(n_members))
    for i, n in enumerate(n_members):
        truth = np.concatenate([np.ones(n), np.zeros(64)])
        auc = roc_auc_score(truth, -np.concatenate([member[i, :n], fresh[i]]))
        assert got[i].item() == pytest.approx(2 * auc - 1, abs=1e-6)


def test_calibration_error_equals_the_textbook() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, y = torch.randn(2, 8, 640, generator=generator), torch.randint(0, 8, (640,), generator=generator)
    log_p = logits.log_softmax(dim=1)
    for member in range(2):
        confidence, predicted = log_p[member].exp().max(dim=0)
        expected, edges = 0.0, np.linspace(0, 1, N_BINS + 1)
        for low, high in pairwise(edges):
            inside = (confidence > low) & (confidence <= high)
            if inside.any():
                right = (predicted == y)[inside].double().mean()
                expected += float(inside.double().mean() * (right - confidence[inside].double().mean()).abs())
        assert calibration_error(log_p, y)[member].item() == pytest.approx(expected, abs=1e-5)
    assert torch.equal(likeliest(log_p)[1], log_p.argmax(dim=1))


def test_registry_and_plan_name_the_same_tasks() -> None:
    assert tuple(TASKS) == CLASSIFICATION_TASKS
    with pytest.raises(ValueError, match="security-vision"):
        get_task("chess")


def test_keys_are_canonical() -> None:
    plan = TrainingPlan("speech", "mlp", 1, 256)
    assert plan.key() == dataclasses.replace(plan, coverage=0, recipe=Recipe(weight_decay=-0.0)).key()
    assert len(plan.key()) == 32
    assert plan.key() != dataclasses.replace(plan, seed=1).key()
    assert TrainingPlan.from_json(plan.as_json()) == plan
    assert json.loads(plan.as_json())["recipe"]["optimizer"] == "adam"
    with pytest.raises(ValueError, match="not a training plan"):
        TrainingPlan.from_json('{"task": "speech"}')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "chess"}, "task must be one of security-vision"),
        ({"kind": "forest"}, "kind must be one of linear"),
        ({"rung": 9}, r"rung must be a whole number in \[0, 8\]"),
        ({"rung": 6, "task": "city-notices"}, r"rung of the task city-notices must be a whole number in \[0, 5\]"),
        ({"rows": 63}, r"rows must be a whole number in \[64, 8192\]"),
        ({"rows": 100.5}, "rows must be a whole number"),
        ({"coverage": 1.1}, r"coverage must lie in \[0, 1\]"),
        ({"label_noise": float("nan")}, "label_noise must lie in"),
        ({"minority_share": True}, "minority_share must lie in"),
        ({"anonymisation": -1.0}, "anonymisation must lie in"),
        ({"compression": "zip"}, "compression must be one of none"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"minimisation": 0.95}, r"minimisation must lie in \[0, 0.9\]"),
        ({"kind": "linear", "minimisation": 0.5}, "minimisation needs one of the kinds mlp"),
        ({"dp_noise": -1.0}, r"dp_noise must lie in \[0, 16\]"),
        ({"kind": "rnn", "dp_noise": 1.0}, "dp_noise needs one of the kinds mlp, cnn, not 'rnn'"),
        ({"compression": "distilled", "dp_noise": 1.0}, "compression 'distilled' needs"),
        ({"kind": "linear", "compression": "distilled"}, "compression 'distilled' needs"),
        ({"pretraining_rows": 256}, "pretraining_rows needs a task of a sector and the kind transformer"),
        ({"kind": "transformer", "pretraining_rows": 7}, "pretraining_rows must be 0 or in"),
        ({"task": "digits", "kind": "transformer", "pretraining_rows": 256}, "needs a task of a sector"),
        ({"task": "driving-policy"}, "kind of the task driving-policy must be one of actor-critic"),
        ({"kind": "vae"}, "kind of the task speech must be one of linear"),
    ],
)
def test_plans_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingPlan(**{"task": "speech", "kind": "mlp", "rung": 1, "rows": 256, **change})  # type: ignore[arg-type]


def test_recipes_out_of_range_are_refused() -> None:
    for change in ({"optimizer": "lbfgs"}, {"activation": "gelu"}, {"learning_rate": 0.0}, {"schedule": "staircase"}):
        with pytest.raises(ValueError, match=next(iter(change))):
            Recipe(**change)
