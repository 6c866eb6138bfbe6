"""Generators as members of a batch: the same result in any company, whole records, and no error when they diverge."""

from __future__ import annotations

import math
from functools import cache

import pytest

from simulation.training.ladder import RUNGS
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import (
    ACTIVATIONS,
    GENERATION_TASK,
    GENERATOR_KINDS,
    OPTIMIZERS,
    Recipe,
    TrainingPlan,
)
from simulation.training.result import TrainingResult
from simulation.training.trainer import bucket_of
from tests.support.training_fakes import crowd, train


@pytest.mark.slow
@pytest.mark.parametrize("kind", GENERATOR_KINDS)
@pytest.mark.parametrize(("activation", "optimizer"), list(zip(ACTIVATIONS, OPTIMIZERS, strict=True)))
@pytest.mark.parametrize("n", [7, pytest.param(19, marks=pytest.mark.slow)])
def test_alone_among_three_and_among_many(kind: str, activation: str, optimizer: str, n: int) -> None:
    plans = crowd(GENERATION_TASK, kind, activation, optimizer, n)
    assert len({bucket_of(plan) for plan in plans}) == 1
    among_many = train(plans, chunk_size=n)
    assert train(plans[-1:]) == among_many[-1:]
    assert train(plans[3:6]) == among_many[3:6]


@pytest.mark.slow
@pytest.mark.parametrize("rung", [5])
@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_company_on_higher_rungs(kind: str, rung: int) -> None:
    plans = crowd(GENERATION_TASK, kind, "relu", "adam", 3, rung)
    assert train(plans[1:2]) == train(plans)[1:2]


@cache
def results_of(kind: str) -> list[tuple[TrainingPlan, TrainingResult]]:
    plans = crowd(GENERATION_TASK, kind, "relu", "adam", 3)
    return list(zip(plans, train(plans), strict=True))


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_measures_that_a_kind_has(kind: str) -> None:
    for plan, result in results_of(kind):
        assert (result.elbo is None) == (kind == "gan")
        assert result.sliced_wasserstein is not None and result.sliced_wasserstein > 0
        assert result.crash_rate_lab is None and result.route_completion_field is None
        assert kind == "gan" or result.loss_lab == -result.elbo
        assert -1 <= result.leakage <= 1 and 0 <= result.calibration_error <= 1
        assert result.training_flops > 1000 * RUNGS[plan.rung].steps


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_compression_shrinks_what_is_shipped(kind: str) -> None:
    none, int8, pruned = (result for _, result in results_of(kind))
    assert int8.model_bytes < none.model_bytes and pruned.inference_flops < none.inference_flops
    assert none.n_parameters * 4 == none.model_bytes


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_the_ledger_keeps_all_measures(kind: str) -> None:
    ledger = Ledger()
    ledger.add_many(results_of(kind))
    ledger.flush()
    for plan, result in results_of(kind):
        assert ledger.get(plan.key()) == result


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_a_diverged_run_is_measured_as_a_bad_one(kind: str) -> None:
    recipe = Recipe("sgd", learning_rate=10.0, schedule="constant")
    for result in train([TrainingPlan(GENERATION_TASK, kind, 0, 256, recipe=recipe)]):
        assert all(math.isfinite(value) for value in (result.accuracy_lab, result.loss_lab, result.leakage))
        assert math.isfinite(result.sliced_wasserstein or math.nan) and result.accuracy_lab < 0.4
