"""Every sector's task: what its rows depend on, and that its quality is a real function of what a firm can do."""

from __future__ import annotations

from functools import cache
from statistics import mean, stdev

import pytest
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score

from simulation.training.plan import SECTOR_TASKS, Recipe, TrainingPlan
from simulation.training.result import TrainingResult
from simulation.training.tasks import Mix, get_task
from simulation.training.tasks.base import N_GROUP
from simulation.training.tasks.tables import inverse_choice, triangle, zipf_edges
from simulation.training.trainer import train_bucket

CPU = torch.device("cpu")
# Two have tests of their own.
SECTORS = tuple(name for name in SECTOR_TASKS if name not in ("security-vision", "speech"))
THOROUGH = [  # every third sector is quick enough for the usual tests
    pytest.param(name, marks=() if number % 3 == 0 else pytest.mark.slow) for number, name in enumerate(SECTORS)
]
EXPERT = Recipe(augmentation=True, weight_decay=0.05)
PLAIN = Recipe(weight_decay=0.05)
N_SEEDS = 4  # standard error of a mean at most 1.5 points where it matters: thresholds leave at least 2 of them


@cache
def results(task: str, kind: str, rung: int, rows: int, **levers: float | Recipe) -> list[TrainingResult]:
    plans = [TrainingPlan(task, kind, rung, rows, seed=seed, **{"recipe": PLAIN, **levers}) for seed in range(N_SEEDS)]  # type: ignore[arg-type]
    return [result for chunk in train_bucket(plans, CPU) for result in chunk]


def measured(measure: str, task: str, kind: str, rung: int, rows: int, **levers: float | Recipe) -> float:
    return mean(getattr(result, measure) for result in results(task, kind, rung, rows, **levers))


def rows_of(task: str, n: int, seed: int = 1, coverage: float = 0.0, minority: float = 0.1) -> torch.Tensor:
    mixture = Mix.of(CPU, coverage, minority)
    return get_task(task).rows(torch.tensor([seed]), torch.arange(n), mixture)[0][0]


@pytest.mark.parametrize("task", SECTORS)
def test_rows_are_nested_and_reproducible(task: str) -> None:
    many = rows_of(task, 600, coverage=0.5)
    assert torch.equal(many[:200], rows_of(task, 200, coverage=0.5))
    assert torch.equal(many, rows_of(task, 600, coverage=0.5))
    assert not torch.equal(many, rows_of(task, 600, seed=2, coverage=0.5))
    assert many.isfinite().all()


@pytest.mark.parametrize("task", SECTORS)
def test_lab_field_and_groups_differ(task: str) -> None:
    tests = get_task(task).test_sets(CPU)
    assert tests.lab_x.shape == tests.field_x.shape
    assert not torch.equal(tests.lab_x, tests.field_x)
    majority, minority = tests.groups_x.split(N_GROUP)
    assert (majority != minority).any(dim=1).float().mean() > 0.5
    # The same seeds in other conditions: only what the condition changes differs, and it differs by more than rounding.
    lab, field = rows_of(task, 400), rows_of(task, 400, coverage=1.0)
    assert (lab - field).abs().mean() > 0.1


@pytest.mark.parametrize("task", SECTORS)
@pytest.mark.parametrize("kind", ["linear", "mlp", "cnn"])
def test_a_member_s_result_does_not_depend_on_its_company(task: str, kind: str) -> None:
    plans = [
        TrainingPlan(task, kind, 1, 64 + 500 * i, coverage=0.3 * i, recipe=EXPERT if i % 2 else PLAIN, seed=i)
        for i in range(4)
    ]
    together = {result.key: result for chunk in train_bucket(plans, CPU) for result in chunk}
    for plan in plans[1:3]:
        assert next(iter(train_bucket([plan], CPU))) == [together[plan.key()]]


@pytest.mark.parametrize("task", THOROUGH)
def test_a_good_network_beats_the_traditional_method_clearly(task: str) -> None:
    for condition in ("lab", "field"):
        good, traditional = (
            measured(f"{method}_{condition}", task, "cnn", 5, 8192, coverage=0.3, recipe=EXPERT)
            for method in ("accuracy", "traditional")
        )
        assert good > traditional + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("task", THOROUGH)
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_quality_rises_with_rows_and_rung(task: str, kind: str) -> None:
    much = measured("accuracy_lab", task, kind, 5, 8192)
    assert measured("accuracy_lab", task, kind, 3, 128) < much - 0.1
    assert measured("accuracy_lab", task, kind, 0, 8192) < much - 0.1


@pytest.mark.parametrize("task", THOROUGH)
def test_the_field_is_harder_and_coverage_helps_there(task: str) -> None:
    bare = measured("accuracy_field", task, "cnn", 5, 8192)
    assert bare < measured("accuracy_lab", task, "cnn", 5, 8192) - 0.08
    assert measured("accuracy_field", task, "cnn", 5, 8192, coverage=0.5) > bare + 0.03


@pytest.mark.parametrize("task", THOROUGH)
def test_a_larger_share_of_the_minority_narrows_the_gap(task: str) -> None:
    scarce = measured("fairness_gap", task, "cnn", 4, 2048, minority_share=0.02)
    assert scarce > 0.05
    assert measured("fairness_gap", task, "cnn", 4, 2048, minority_share=0.5) < scarce - 0.03


def test_fraud_reaches_the_books_95_percent_and_not_with_little() -> None:
    for rung in (4, 5):
        good = results("finance-fraud", "mlp", rung, 8192)
        assert min(result.accuracy_lab for result in good) > 0.95
        assert max(result.traditional_lab for result in good) < 0.8
    assert measured("accuracy_lab", "finance-fraud", "mlp", 4, 128) < 0.85


def test_fraud_against_scikit_learn() -> None:
    """Fact A9: logistic regression recalls 60 % of frauds, boosted trees 80 %; here as there, trees gain 20 points.

    And the traditional method does what logistic regression does.
    """
    task, mixture = get_task("finance-fraud"), Mix.of(CPU, 0.0, 0.1)
    x, y = (part[0].numpy() for part in task.rows(torch.tensor([0]), torch.arange(4096), mixture))
    tests = task.test_sets(CPU)
    lab_x, lab_y = tests.lab_x.numpy(), tests.lab_y.numpy()
    logistic = LogisticRegression(max_iter=500).fit(x, y)
    settings = {"n_estimators": 80, "max_depth": 5, "learning_rate": 0.25, "subsample": 0.5, "max_features": 0.3}
    trees = GradientBoostingClassifier(**settings, random_state=0).fit(x, y)
    recalls = [recall_score(lab_y, model.predict(lab_x)) for model in (logistic, trees)]
    assert 0.4 < recalls[0] < 0.65
    assert recalls[1] > recalls[0] + 0.15
    ridge = measured("traditional_lab", "finance-fraud", "mlp", 4, 8192)
    assert ridge == pytest.approx(logistic.score(lab_x, lab_y), abs=0.03)


def test_fraud_is_rare_in_training_rows_and_half_of_the_test_sets() -> None:
    """Bounds are five standard errors."""
    task = get_task("finance-fraud")
    _, recorded = task.rows(torch.tensor([3]), torch.arange(4000), Mix.of(CPU, 0.0, 0.1))
    assert recorded.float().mean().item() == pytest.approx(0.3, abs=0.036)
    assert task.test_sets(CPU).lab_y.float().mean().item() == pytest.approx(0.5, abs=0.078)


def test_driving_with_few_rows_is_poor_and_unstable_in_the_field() -> None:
    few, many = (
        [result.accuracy_field for result in results("driving-perception", "cnn", 5, rows, coverage=coverage)]
        for rows, coverage in ((128, 0.1), (8192, 0.5))
    )
    assert mean(few) < 0.6 < 0.75 < mean(many)
    assert stdev(few) > stdev(many)


def test_medical_imaging_drops_from_lab_to_field() -> None:
    """Fact A7 in direction, not in size: that is AUROC (98.5 to 89.4 %), this is accuracy over four classes."""
    assert measured("accuracy_lab", "medical-imaging", "cnn", 5, 8192) > 0.9
    assert 0.65 < measured("accuracy_field", "medical-imaging", "cnn", 5, 8192) < 0.85


def test_helpers_of_tables() -> None:
    assert triangle(torch.tensor([0.0, 0.25, 0.5, 1.0, 1.75])).tolist() == [1.0, 0.0, -1.0, 1.0, 0.0]
    edges = zipf_edges(3)
    assert edges.tolist() == pytest.approx([6 / 11, 9 / 11])
    assert inverse_choice(torch.tensor([0.0, 0.54, 0.55, 0.9]), edges).tolist() == [0, 0, 1, 2]
