"""Kinds of model from users' own modules, beside the shipped ones, measured like them.

Such a kind's source is part of the key of every plan with it: another version of the module trains its models anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from simulation.training.classifiers.traditional import fit_ridge, log_probabilities
from simulation.training.classifiers.train import LOGIT_LIMIT
from simulation.training.data import make_data
from simulation.training.measures import Costs, Measures, Trained, latency_us, measure, measure_accuracy
from simulation.training.plan import EXTRA_KINDS, KINDS, SOURCE_DIGITS, TrainingPlan
from simulation.training.tasks import Task, get_task

FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A trained classifier and what it costs.

    Attributes:
        log_probabilities: from inputs, float32 [rows, n_inputs], to log-probabilities [rows, n_classes]; what is not
            finite counts as a bad answer.
        n_parameters: numbers that were fitted.
        training_flops: operations of the whole fit.
        inference_flops: operations of one answer.
        model_bytes: size on disk; 4 a parameter unless given.
    """

    log_probabilities: Callable[[Tensor], Tensor]
    n_parameters: int
    training_flops: float
    inference_flops: float
    model_bytes: int | None = None


class ModelKind(ABC):
    """A kind of model that classifies: subclass it and declare it by `Plugin.model_kind`."""

    @abstractmethod
    def fit(self, plan: TrainingPlan, task: Task, x: Tensor, y: Tensor) -> FittedModel:
        """Fit one model.

        Args:
            plan: what the firm ordered: rung (0 to 8), recipe, seed. Random draws must follow from `plan.seed` alone.
            task: shape of the inputs (`n_inputs`, `shape`) and `n_classes`.
            x: training inputs, float32 [rows, n_inputs].
            y: their labels as recorded, int64 [rows].

        Gradients are off on entry; a kind that needs them says `with torch.enable_grad()`.
        """


_MADE: dict[str, Callable[[], ModelKind]] = {}


def register(kinds: Mapping[str, Callable[[], ModelKind]], sha256: str, owner: str) -> None:
    """Make kinds known by their names; `sha256` is the hash of the module that declares them.

    Raises:
        ValueError: a shipped kind has that name, or a class is no `ModelKind`.
    """
    for name, make in kinds.items():
        if name in KINDS:
            raise ValueError(f"plug-in {owner}: a kind of model named {name} is shipped already")
        if not (isinstance(make, type) and issubclass(make, ModelKind)):
            raise ValueError(f"plug-in {owner}: the kind of model {name} must be a subclass of ModelKind")
    for name, make in kinds.items():
        _MADE[name], EXTRA_KINDS[name] = make, sha256[:SOURCE_DIGITS]


def forget() -> None:
    """Forget all kinds that are not shipped."""
    _MADE.clear()
    EXTRA_KINDS.clear()


def train_extra(plans: Sequence[TrainingPlan], device: torch.device) -> Trained:
    """Fit and measure plans of one kind, one after the other: no result can depend on its batch."""
    measures, traditional, costs = zip(*(_train_one(plan, device) for plan in plans), strict=True)
    lab, wild = (torch.cat(parts) for parts in zip(*traditional, strict=True))
    measured: dict[str, Any] = {item.name: _side_by_side(measures, item.name) for item in fields(Measures)}
    return Trained(
        Measures(**measured),
        (lab, wild),
        Costs(
            n_parameters=[one.n_parameters[0] for one in costs],
            model_bytes=[one.model_bytes[0] for one in costs],
            training_flops=[one.training_flops[0] for one in costs],
            inference_flops=[one.inference_flops[0] for one in costs],
            latency_us=min(one.latency_us for one in costs),
        ),
    )


def _side_by_side(measures: Sequence[Measures], name: str) -> Tensor | None:
    values = [getattr(one, name) for one in measures]
    return None if values[0] is None else torch.cat(values)


def _train_one(plan: TrainingPlan, device: torch.device) -> Trained:
    task = get_task(plan.task, plan.year)
    data, tests = make_data(task, [plan], device), get_task(plan.task, plan.tested_in).test_sets(device)
    weights, biases = fit_ridge(data.gram, data.moments, task.n_inputs)
    fitted = _MADE[plan.kind]().fit(plan, task, data.x[0, : plan.rows], data.y[0, : plan.rows])

    def traditional(x: Tensor) -> Tensor:
        return log_probabilities(torch.baddbmm(biases, weights, x))

    def classify(x: Tensor) -> Tensor:
        answers = fitted.log_probabilities(x[0].T.contiguous()).to(torch.float32)
        return answers.nan_to_num(-LOGIT_LIMIT, LOGIT_LIMIT, -LOGIT_LIMIT).log_softmax(dim=1).T[None]

    size = FLOAT_BYTES * fitted.n_parameters if fitted.model_bytes is None else fitted.model_bytes
    costs = Costs(
        [int(fitted.n_parameters)],
        [int(size)],
        [float(fitted.training_flops)],
        [float(fitted.inference_flops)],
        latency_us(classify, tests.lab_x[:1]),
    )
    return Trained(measure(classify, 1, tests, data), measure_accuracy(traditional, 1, tests), costs)
