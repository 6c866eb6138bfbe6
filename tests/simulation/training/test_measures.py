"""Measures against independent references: NumPy, scikit-learn, torchmetrics, fairlearn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score, roc_auc_score
from torch import Tensor
from torchmetrics.functional.classification import multiclass_calibration_error

from simulation.training import trainer
from simulation.training.classifiers import train as classifiers
from simulation.training.classifiers.traditional import CONSTANT_RIDGE, RIDGE, fit_ridge
from simulation.training.data import ChunkData, make_data
from simulation.training.measures import (
    N_BINS,
    Classifier,
    Measures,
    calibration_error,
    measure,
    membership_advantage,
)
from simulation.training.plan import Recipe, TrainingPlan
from simulation.training.tasks import TestSets, get_task

CPU = torch.device("cpu")
N_MEMBERS, N_CLASSES, N_ROWS = 4, 5, 2000
TASKS = ("security-vision", "speech")


def guesses(seed: int) -> tuple[Tensor, Tensor]:
    """Log-probabilities [M, n_classes, rows] that are partly right and too sure of themselves, and labels [rows]."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(N_CLASSES, (N_ROWS,), generator=generator)
    logits = 2.0 * torch.randn(N_MEMBERS, N_CLASSES, N_ROWS, generator=generator)
    logits += 1.5 * torch.nn.functional.one_hot(y, N_CLASSES).T
    return logits.log_softmax(dim=1), y


def plain_ece(p: np.ndarray, y: np.ndarray) -> float:
    """Expected calibration error of probabilities [rows, n_classes], bin by bin as in Guo et al. 2017."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    total = 0.0
    for low, high in zip(np.linspace(0, 1, N_BINS + 1)[:-1], np.linspace(0, 1, N_BINS + 1)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(total)


def plain_advantage(members: np.ndarray, fresh: np.ndarray) -> float:
    """2·AUC − 1 of calling the rows with the smaller loss members."""
    truth = np.r_[np.ones(len(members)), np.zeros(len(fresh))]
    return float(2 * roc_auc_score(truth, -np.r_[members, fresh]) - 1)


@pytest.mark.parametrize("seed", range(3))
def test_calibration_error_is_that_of_a_plain_loop(seed: int) -> None:
    log_p, y = guesses(seed)
    found = calibration_error(log_p, y)
    for member in range(N_MEMBERS):
        p = log_p[member].exp().double().T.numpy()
        assert float(found[member]) == pytest.approx(plain_ece(p, y.numpy()), abs=1e-6)
    assert (found > 0.05).all()


def test_calibration_error_is_that_of_torchmetrics() -> None:
    log_p, y = guesses(0)
    for member, found in enumerate(calibration_error(log_p, y)):
        expected = multiclass_calibration_error(
            log_p[member].exp().T, y, num_classes=N_CLASSES, n_bins=N_BINS, norm="l1"
        )
        assert float(found) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("ties", [False, True])
def test_membership_advantage_is_that_of_scikit_learn(ties: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    member = torch.rand(N_MEMBERS, 512, generator=generator) ** 2
    fresh = torch.rand(N_MEMBERS, 512, generator=generator)
    if ties:
        member, fresh = member.mul(8).round(), fresh.mul(8).round()
    n_members = torch.tensor([512, 300, 64, 1])
    found = membership_advantage(member, fresh, n_members)
    for i, n in enumerate(n_members.tolist()):
        expected = plain_advantage(member[i, :n].numpy(), fresh[i].numpy())
        assert float(found[i]) == pytest.approx(expected, abs=1e-6)


# --- networks that were really trained ------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=TASKS)
def trained(request: pytest.FixtureRequest) -> list[tuple[Classifier, TestSets, ChunkData, Measures]]:
    """What `measure` was given and what it found, for networks with many and with few rows."""
    seen: list[tuple[Classifier, TestSets, ChunkData, Measures]] = []

    def watched(classify: Classifier, n_members: int, tests: TestSets, data: ChunkData) -> Measures:
        found = measure(classify, n_members, tests, data)
        seen.append((classify, tests, data, found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers, "measure", watched)
        recipe = Recipe(weight_decay=0.01)
        plans = [TrainingPlan(request.param, "mlp", 1, rows, seed=rows, recipe=recipe) for rows in (1500, 600, 100)]
        list(trainer.train_bucket(plans, CPU))
    return seen


def probabilities(classify: Classifier, x: Tensor) -> np.ndarray:
    """Float64 [M, rows, n_classes], of all rows at once."""
    with torch.inference_mode():
        return classify(x.transpose(1, 2)).exp().double().transpose(1, 2).numpy()


def groups_of(tests: TestSets) -> np.ndarray:
    half = len(tests.groups_y) // 2
    return np.repeat(["majority", "minority"], half)


def test_accuracies_and_calibration_of_trained_networks(
    trained: list[tuple[Classifier, TestSets, ChunkData, Measures]],
) -> None:
    for classify, tests, data, found in trained:
        lab = probabilities(classify, tests.lab_x.expand(len(data.rows), -1, -1))
        field = probabilities(classify, tests.field_x.expand(len(data.rows), -1, -1))
        for member in range(len(data.rows)):
            y, wild = tests.lab_y.numpy(), tests.field_y.numpy()
            assert float(found.accuracy_lab[member]) == pytest.approx(accuracy_score(y, lab[member].argmax(1)))
            assert float(found.accuracy_field[member]) == pytest.approx(accuracy_score(wild, field[member].argmax(1)))
            assert float(found.calibration_error[member]) == pytest.approx(plain_ece(lab[member], y), abs=1e-5)


def gaps(reference: Callable[[np.ndarray, np.ndarray, np.ndarray], float], seen: list) -> None:  # type: ignore[type-arg]
    for classify, tests, data, found in seen:
        p = probabilities(classify, tests.groups_x.expand(len(data.rows), -1, -1))
        for member in range(len(data.rows)):
            expected = reference(tests.groups_y.numpy(), p[member].argmax(1), groups_of(tests))
            assert float(found.fairness_gap[member]) == pytest.approx(expected, abs=1e-6)
            assert expected != 0


def test_fairness_gap_is_the_difference_of_two_accuracies(
    trained: list[tuple[Classifier, TestSets, ChunkData, Measures]],
) -> None:
    def reference(y: np.ndarray, predicted: np.ndarray, group: np.ndarray) -> float:
        of = {name: accuracy_score(y[group == name], predicted[group == name]) for name in set(group)}
        return float(of["majority"] - of["minority"])

    gaps(reference, trained)


def test_fairness_gap_is_that_of_fairlearn(trained: list[tuple[Classifier, TestSets, ChunkData, Measures]]) -> None:

    def reference(y: np.ndarray, predicted: np.ndarray, group: np.ndarray) -> float:
        frame = MetricFrame(metrics=accuracy_score, y_true=y, y_pred=predicted, sensitive_features=group)
        gap = float(frame.by_group["majority"] - frame.by_group["minority"])
        assert abs(gap) == pytest.approx(float(frame.difference()))
        return gap

    gaps(reference, trained)


def test_leakage_is_the_attack_that_scikit_learn_scores(
    trained: list[tuple[Classifier, TestSets, ChunkData, Measures]],
) -> None:
    for classify, _, data, found in trained:
        p, y = probabilities(classify, data.audited_x), data.audited_y.numpy()
        half = y.shape[1] // 2
        for member, rows in enumerate(data.rows.tolist()):
            loss = -np.log(p[member, np.arange(2 * half), y[member]]).astype(np.float32)
            expected = plain_advantage(loss[: min(rows, half)], loss[half:])
            assert float(found.leakage[member]) == pytest.approx(expected, abs=1e-3)  # losses near 0 tie differently
        assert found.leakage[-1] > found.leakage[0]  # the fewest rows leak most


# --- the traditional method -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("task_name", TASKS)
def test_the_traditional_method_is_plain_ridge_regression(task_name: str) -> None:
    task = get_task(task_name)
    plans = [TrainingPlan(task_name, "linear", 0, rows, seed=7, label_noise=0.1) for rows in (1000, 300)]
    data = make_data(task, plans, CPU)
    weights, biases = fit_ridge(data.gram, data.moments, task.n_inputs)
    x_test = task.test_sets(CPU).lab_x.double().numpy()
    for member, plan in enumerate(plans):
        x = data.x[member, : plan.rows].double().numpy()
        y = np.eye(task.n_classes)[data.y[member, : plan.rows].numpy()]
        # Ridge as least squares: one more row per coefficient, whose target is zero.
        shrinkage = np.sqrt(np.r_[np.full(task.n_inputs, RIDGE), CONSTANT_RIDGE])
        stacked = np.r_[np.c_[x, np.ones(len(x))], np.diag(shrinkage)]
        solution = np.linalg.lstsq(stacked, np.r_[y, np.zeros((len(shrinkage), y.shape[1]))], rcond=None)[0]
        scores = x_test @ solution[:-1] + solution[-1]
        ours = x_test @ weights[member].double().numpy().T + biases[member, :, 0].double().numpy()
        np.testing.assert_allclose(ours, scores, atol=2e-4)


def test_the_traditional_method_classifies_as_scikit_learns_ridge_classifier() -> None:
    from sklearn.linear_model import RidgeClassifier

    task, plan = get_task("speech"), TrainingPlan("speech", "linear", 0, 800, seed=3)
    data, tests = make_data(task, [plan], CPU), task.test_sets(CPU)
    reference = RidgeClassifier(alpha=RIDGE).fit(data.x[0, :800].numpy(), data.y[0, :800].numpy())
    (result,) = next(iter(trainer.train_bucket([plan], CPU)))
    for x, y, found in (
        (tests.lab_x, tests.lab_y, result.accuracy_lab),
        (tests.field_x, tests.field_y, result.accuracy_field),
    ):
        assert found == pytest.approx(reference.score(x.numpy(), y.numpy()), abs=0.005)  # clipping may tie two classes
