"""What is measured on trained classifiers: accuracy, calibration, fairness between groups, leakage of training rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from simulation.training.data import N_AUDITED, ChunkData
from simulation.training.tasks import TestSets

SLAB = 256
"""Rows evaluated at once: activations of a chunk stay in the cache."""
N_BINS = 15
"""Bins of the calibration error; Guo et al. 2017, arXiv:1706.04599."""

Classifier = Callable[[Tensor], Tensor]
"""Log-probabilities [M, n_classes, rows] of inputs [M, n_inputs, rows]."""


@dataclass(frozen=True, slots=True)
class Measures:
    """One value per member, float32 [M]; see `TrainingResult`."""

    accuracy_lab: Tensor
    accuracy_field: Tensor
    loss_lab: Tensor
    calibration_error: Tensor
    fairness_gap: Tensor
    leakage: Tensor
    crash_rate_lab: Tensor | None = None
    crash_rate_field: Tensor | None = None
    route_completion_lab: Tensor | None = None
    route_completion_field: Tensor | None = None
    elbo: Tensor | None = None
    sliced_wasserstein: Tensor | None = None


class Costs(NamedTuple):
    """Per member: parameters, bytes, training and inference operations; measured latency of one, microseconds."""

    n_parameters: list[int]
    model_bytes: list[int]
    training_flops: list[float]
    inference_flops: list[float]
    latency_us: float


class Trained(NamedTuple):
    """What a chunk of plans gave, one value per member: measures, accuracy of the traditional method in lab and field
    (float32 [M] each), costs."""

    measures: Measures
    traditional: tuple[Tensor, Tensor]
    costs: Costs


def _in_slabs(classify: Classifier, x: Tensor) -> Tensor:
    """Log-probabilities [M, n_classes, rows] of x [M, rows, n_inputs]."""
    slabs = x.transpose(1, 2).split(SLAB, dim=2)
    return torch.cat([classify(slab) for slab in slabs], dim=2)


def likeliest(log_p: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probability and number of the likeliest class of log_p [M, n_classes, rows]; the first of equals: [M, rows].

    The same as `log_p.max(dim=1)`, which is ten times slower over a dimension that is not the last.
    """
    best, number = log_p[:, 0], torch.zeros_like(log_p[:, 0], dtype=torch.int64)
    for candidate in range(1, log_p.shape[1]):
        better = log_p[:, candidate] > best
        best = torch.where(better, log_p[:, candidate], best)
        number.masked_fill_(better, candidate)
    return best, number


def accuracy(log_p: Tensor, y: Tensor) -> Tensor:
    """Share of rows whose likeliest class is `y` ([rows] or [M, rows]): [M]."""
    return (likeliest(log_p)[1] == y).to(torch.float32).mean(dim=1)


def calibration_error(log_p: Tensor, y: Tensor) -> Tensor:
    """Expected calibration error over 15 equal bins of confidence: [M].

    Mean absolute difference of confidence and accuracy within a bin, weighted by the bin's rows (Naeini et al. 2015).
    """
    best, predicted = likeliest(log_p)
    confidence = best.exp()
    surplus = (predicted == y).to(torch.float32) - confidence
    # Bins are open below and closed above, as in the reference.
    bins = (confidence * N_BINS).ceil().clamp(1, N_BINS) - 1
    total = torch.zeros_like(surplus[:, 0])
    for number in range(N_BINS):
        # One by one: a sum over a stack's first dimension takes its terms in an order that depends on the members.
        total += (surplus * (bins == number)).sum(dim=1).abs()
    return total / y.shape[-1]


def membership_advantage(member_loss: Tensor, fresh_loss: Tensor, n_members: Tensor) -> Tensor:
    """2·AUC − 1 of telling training rows from fresh ones by their loss; ties count half: [M].

    Yeom et al. 2018, doi:10.1109/CSF.2018.00027 (attack by loss threshold).

    Args:
        member_loss: float32 [M, n]; only the first `n_members` of a row of the table are training rows.
        fresh_loss: float32 [M, m].
        n_members: int64 [M].
    """
    places = torch.arange(member_loss.shape[1], device=member_loss.device)
    in_order = member_loss.masked_fill(places >= n_members[:, None], torch.inf).sort(dim=1).values
    below = torch.searchsorted(in_order, fresh_loss.contiguous())
    up_to = torch.searchsorted(in_order, fresh_loss.contiguous(), right=True)
    return ((below + up_to).sum(dim=1) / (n_members * fresh_loss.shape[1])).to(torch.float32) - 1.0


def _loss(log_p: Tensor, y: Tensor) -> Tensor:
    return -log_p.gather(1, y[:, None, :])[:, 0]


def measure(classify: Classifier, n_members: int, tests: TestSets, data: ChunkData) -> Measures:
    """All measures of M classifiers on the task's test sets and on their own training rows."""

    def shared(x: Tensor) -> Tensor:
        return _in_slabs(classify, x.expand(n_members, -1, -1))

    lab, wild, groups = shared(tests.lab_x), shared(tests.field_x), shared(tests.groups_x)
    half = tests.groups_y.shape[0] // 2
    majority = accuracy(groups[:, :, :half], tests.groups_y[:half])
    minority = accuracy(groups[:, :, half:], tests.groups_y[half:])
    loss = _loss(_in_slabs(classify, data.audited_x), data.audited_y)
    n_audited = data.rows.clamp_max(N_AUDITED)
    return Measures(
        accuracy_lab=accuracy(lab, tests.lab_y),
        accuracy_field=accuracy(wild, tests.field_y),
        loss_lab=_loss(lab, tests.lab_y.expand(n_members, -1)).mean(dim=1),
        calibration_error=calibration_error(lab, tests.lab_y),
        fairness_gap=majority - minority,
        leakage=membership_advantage(loss[:, :N_AUDITED], loss[:, N_AUDITED:], n_audited),
    )


def measure_accuracy(classify: Classifier, n_members: int, tests: TestSets) -> tuple[Tensor, Tensor]:
    """Lab and field accuracy only: [M] each."""
    lab = _in_slabs(classify, tests.lab_x.expand(n_members, -1, -1))
    wild = _in_slabs(classify, tests.field_x.expand(n_members, -1, -1))
    return accuracy(lab, tests.lab_y), accuracy(wild, tests.field_y)


def latency_us(classify: Callable[[Tensor], object], row: Tensor, repeats: int = 5) -> float:
    """Median time of one row's forward pass through one network, microseconds; `classify` takes [1, inputs, 1]."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        classify(row.view(1, -1, 1))
        if row.device.type == "cuda":
            torch.cuda.synchronize(row.device)
        times.append(time.perf_counter() - started)
    return sorted(times)[repeats // 2] * 1e6
