"""What was measured on a trained network (`TrainingResult`), and what each measure can be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from simulation.training.plan import GENERATOR_KINDS

POLICY_KINDS = ("actor-critic",)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one column can hold: a finite number in [low, high], or for `type` str a printable text.

    Attributes:
        rounding: how far it may lie outside, because it is computed in single precision.
        max_text: characters of a text; the default is for names and versions.
        kinds: the kinds of network that have it (None: all); for others it is None.
    """

    type: type[int] | type[float] | type[str] = float
    low: float = -math.inf
    high: float = math.inf
    rounding: float = 0.0
    max_text: int = 200
    kinds: tuple[str, ...] | None = None

    def of_kind(self, kind: str) -> bool:
        """Whether a network of the kind has it."""
        return self.kinds is None or kind in self.kinds

    def holds(self, value: Any) -> bool:
        """Whether the value is of the type and in the range."""
        if type(value) is not self.type:
            return False
        if isinstance(value, str):
            return 0 < len(value) <= self.max_text and value.isprintable()
        return math.isfinite(value) and self.low - self.rounding <= value <= self.high + self.rounding


def measured(allowed: Allowed, **more: Any) -> Any:
    """A field of a result together with what it can hold."""
    return field(metadata={"allowed": allowed}, **more)


SHARE = Allowed(low=0.0, high=1.0, rounding=1e-6)
DIFFERENCE = Allowed(low=-1.0, high=1.0, rounding=1e-6)
"""Of two shares."""
POLICY_SHARE = replace(SHARE, kinds=POLICY_KINDS)
# The upper ends are assumptions: a hundred times and more what the largest network of the ladder, a diverged one (whose
# logits, values and rows are limited), or a very slow machine can reach.
COUNT = Allowed(int, low=0, high=10**9)
FLOPS = Allowed(low=0.0, high=1e18)
LOSS = Allowed(low=0.0, high=1e7)
DURATION = Allowed(low=0.0, high=1e9)
LOWER_BOUND = Allowed(low=-1e7, high=1e7, kinds=("vae",))
DISTANCE = Allowed(low=0.0, high=1e7, kinds=GENERATOR_KINDS)
TEXT = Allowed(str)


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What was measured on one trained network. Accuracies are shares in [0, 1], means over the classes' own accuracies
    where a test set is not balanced.

    What "accuracy" is for kinds that do not classify: of a driving policy, the share of routes driven to their end
    without a crash; of a generator, the accuracy of a fixed classifier (Parzen's) that is given generated rows
    instead of real ones (Ravuri & Vinyals 2019, arXiv:1905.10887), the traditional method being a normal distribution
    per class that is judged alike.

    Attributes:
        key: of the plan.
        accuracy_lab: on the lab test set (1,024 rows of a procedural task).
        accuracy_field: on the field test set, as large.
        loss_lab: mean cross-entropy on the lab test set, nats (of a policy: squared error of the predicted return).
        traditional_lab: of the traditional method, fitted on the same rows, on the lab test set.
        traditional_field: the same on the field test set.
        calibration_error: expected calibration error on the lab test set, 15 bins.
        fairness_gap: accuracy on the majority group minus accuracy on the minority group.
        leakage: membership-inference advantage, 2·AUC − 1 of an attack by loss threshold; about 0 where nothing leaks.
        n_parameters: weights and biases, zero or not.
        model_bytes: stored size: 4 a parameter, 1 an 8-bit weight, 6 (value and index) a weight left by pruning.
        training_flops: of all forward and backward passes.
        inference_flops: for one row; weights removed by pruning are not counted.
        latency_us: measured time of one row's forward pass, microseconds; varies between runs, so not compared.
        seconds: this member's share of the wall time of its batch; not compared.
        device: name of the device.
        torch_version: of the torch that trained it.
        crash_rate_lab, crash_rate_field: share of routes that end in a crash; None unless a driving policy.
        route_completion_lab, route_completion_field: mean share of the route driven before the end; None likewise.
        elbo: evidence lower bound of held-out rows in nats a row, None unless a VAE.
        sliced_wasserstein: distance between generated and held-out rows, in standard deviations of an input; None
            unless a generator.
    """

    key: str
    accuracy_lab: float = measured(SHARE)
    accuracy_field: float = measured(SHARE)
    loss_lab: float = measured(LOSS)
    traditional_lab: float = measured(SHARE)
    traditional_field: float = measured(SHARE)
    calibration_error: float = measured(SHARE)
    fairness_gap: float = measured(DIFFERENCE)
    leakage: float = measured(DIFFERENCE)
    n_parameters: int = measured(COUNT)
    model_bytes: int = measured(COUNT)
    training_flops: float = measured(FLOPS)
    inference_flops: float = measured(FLOPS)
    latency_us: float = measured(DURATION, compare=False)
    seconds: float = measured(DURATION, compare=False)
    device: str = measured(TEXT)
    torch_version: str = measured(TEXT)
    crash_rate_lab: float | None = measured(POLICY_SHARE, default=None)
    crash_rate_field: float | None = measured(POLICY_SHARE, default=None)
    route_completion_lab: float | None = measured(POLICY_SHARE, default=None)
    route_completion_field: float | None = measured(POLICY_SHARE, default=None)
    elbo: float | None = measured(LOWER_BOUND, default=None)
    sliced_wasserstein: float | None = measured(DISTANCE, default=None)


MEASURES: dict[str, Allowed] = {item.name: item.metadata["allowed"] for item in fields(TrainingResult) if item.metadata}
"""All measures by name, in the order of `TrainingResult`."""
OPTIONAL_MEASURES = tuple(name for name, allowed in MEASURES.items() if allowed.kinds is not None)
"""Measures that only some kinds have."""


def out_of_range(values: Iterable[tuple[str, Any]]) -> str:
    """The first of (measure, value) whose value it cannot have, None apart; empty where there is none."""
    return next((name for name, value in values if value is not None and not MEASURES[name].holds(value)), "")


def not_of_kind(kind: str, values: Iterable[tuple[str, Any]]) -> str:
    """The first of (measure, value) that a network of the kind lacks, or has though its kind has none; else empty."""
    return next((name for name, value in values if (value is None) == MEASURES[name].of_kind(kind)), "")
