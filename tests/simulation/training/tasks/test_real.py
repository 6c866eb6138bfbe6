"""The real data sets: split once, tested on rows that no network saw, learnt as other libraries learn them."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier

from simulation.training.plan import REAL_TASKS, Recipe, TrainingPlan
from simulation.training.tasks import Mix, get_task
from simulation.training.tasks.base import FRESH
from simulation.training.tasks.real import RealTask
from simulation.training.trainer import train_bucket

CPU = torch.device("cpu")


def task_of(name: str) -> RealTask:
    task = get_task(name)
    assert isinstance(task, RealTask)
    return task


def accuracy(task: str, kind: str, measure: str = "accuracy_lab", **levers: object) -> float:
    values = {"rung": 4, "rows": 8192, "recipe": Recipe(weight_decay=0.05), **levers}
    plans = [TrainingPlan(task, kind, seed=seed, **values) for seed in range(4)]  # type: ignore[arg-type]
    return fmean(getattr(r, measure) for chunk in train_bucket(plans, CPU) for r in chunk)


@pytest.mark.parametrize("name", REAL_TASKS)
def test_rows_are_real_rows_and_none_is_in_both_parts(name: str) -> None:
    task = task_of(name)
    x, _, _ = task.load()
    known = {row.tobytes() for row in np.asarray(x, np.float32)}
    mixture = Mix.of(CPU, 0.0, 0.3)
    train_x, train_y = task.rows(torch.tensor([1]), torch.arange(9000), mixture)
    fresh_x, _ = task.rows(torch.tensor([1]), torch.arange(FRESH, FRESH + 2000), mixture)
    trained, fresh = ({row.tobytes() for row in part[0].numpy()} for part in (train_x, fresh_x))
    tested = {row.tobytes() for row in task.test_sets(CPU).lab_x.numpy()}
    assert trained | fresh <= known
    assert fresh <= tested
    assert not trained & tested
    assert len(trained | tested) > 0.95 * len(known)
    assert set(train_y.unique().tolist()) == set(range(task.n_classes))


@pytest.mark.parametrize("name", REAL_TASKS)
def test_test_rows_are_of_all_classes_alike_so_that_accuracy_is_balanced(name: str) -> None:
    tests = task_of(name).test_sets(CPU)
    assert len(set(tests.lab_y.bincount().tolist())) == 1
    assert len(set(tests.groups_y.bincount().tolist())) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("digits", "cnn"), ("breast-cancer", "mlp")])
def test_networks_reach_what_a_forest_of_scikit_learn_reaches(name: str, kind: str) -> None:
    task = task_of(name)
    x, y = task.rows(torch.tensor([1]), torch.arange(8192), Mix.of(CPU, 0.0, 0.33))
    tests = task.test_sets(CPU)
    forest = RandomForestClassifier(100, random_state=0).fit(x[0].numpy(), y[0].numpy())
    reference = forest.score(tests.lab_x.numpy(), tests.lab_y.numpy())
    assert accuracy(name, kind, minority_share=0.33) > reference - 0.02
    assert accuracy(name, kind) > accuracy(name, kind, rows=64) + 0.01


def test_the_field_is_harder_and_field_rows_help() -> None:
    assert accuracy("digits", "cnn", "accuracy_field") < accuracy("digits", "cnn") - 0.1
    helped = accuracy("digits", "cnn", "accuracy_field", coverage=0.4)
    assert helped > accuracy("digits", "cnn", "accuracy_field") + 0.03
