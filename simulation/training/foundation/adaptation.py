"""Adaptations: a foundation becomes a classifier of a sector's documents, in one of four ways, or is gone without.

- *probe*: a read-out in closed form from features of the frozen encoder: all that a customer of an API can do;
- *adapter*: thin layers beside those of the frozen encoder are trained (networks/adapters.py);
- *finetuned*: the whole encoder is trained on, which needs its weights;
- *distilled*: a small CNN learns what a probe answers, on own rows and on texts without labels;
- *scratch*: the same encoder from weights at random: what pretraining has to be compared with.

All but the last start from the read-out of a probe. The rung says how long is trained, and how large a student is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from simulation.training.classifiers.traditional import fit_ridge, log_probabilities
from simulation.training.classifiers.train import batches_of, classifier_of, fit, network_costs, optimizer_of
from simulation.training.data import ChunkData, make_data
from simulation.training.foundation.frozen import FrozenEncoder
from simulation.training.foundation.library import Library
from simulation.training.foundation.model import encoder_of
from simulation.training.foundation.read_out import ReadOut, fit_read_out
from simulation.training.ladder import architecture, inference_flops, size_of, training_flops
from simulation.training.measures import Costs, Measures, Trained, latency_us, measure, measure_accuracy
from simulation.training.networks.adapters import Adapter, AdapterNetwork
from simulation.training.networks.compression import compress
from simulation.training.networks.dense import StackedNetwork
from simulation.training.networks.encoders import EncoderNetwork
from simulation.training.networks.transformers import stacked_network
from simulation.training.plan import MAX_DOCUMENTS, TrainingPlan
from simulation.training.tasks import Task, TestSets, get_task

SHARPNESS = 4.0
"""What a read-out's scores are multiplied by where logits start from them; assumption."""
UNLABELLED = 4096
"""Texts of its own sector without labels that a student learns from beside its rows; assumption."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What all kinds need: plans of one bucket and their data."""

    task: Task
    plans: Sequence[TrainingPlan]
    data: ChunkData

    @property
    def seeds(self) -> Tensor:
        """int64 [M]."""
        return torch.tensor([plan.seed for plan in self.plans], device=self.data.x.device)

    @property
    def tests(self) -> TestSets:
        """What is measured on."""
        return self.tested.test_sets(self.data.x.device)

    @property
    def tested(self) -> Task:
        """The task in the language of the year of the test."""
        return get_task(self.plans[0].task, self.plans[0].tested_in)

    @property
    def augmented(self) -> Tensor:
        """Whose minibatches are varied: bool [M]."""
        return torch.tensor([plan.recipe.augmentation for plan in self.plans], device=self.data.x.device)


class _Base:
    """A frozen encoder and the members' read-outs: weights [M, classes, features], biases [M, classes, 1]."""

    def __init__(self, job: _Job, library: Library) -> None:
        plan = job.plans[0]
        assert plan.foundation is not None
        self.encoder = FrozenEncoder(library.get(plan.foundation, job.data.x.device), job.task.n_classes)
        fitted = [self._read_out(job, member) for member in range(len(job.plans))]
        self.weights, self.biases = stacked(fitted, job.data.x.device)

    def _read_out(self, job: _Job, member: int) -> ReadOut:
        rows = job.plans[member].rows
        x = self.encoder.encode(job.data.x[member, :rows])
        return fit_read_out(x, job.data.y[member, :rows], job.task.n_classes)

    def log_probabilities(self, x: Tensor) -> Tensor:
        """Answers [M, classes, rows] to features [M, n_features, rows]; a row that comes alone, by the first member."""
        return log_probabilities(torch.baddbmm(self.biases[: len(x)], self.weights[: len(x)], x))

    def flops(self, plan: TrainingPlan) -> float:
        """Of encoding the rows, and of the sums that the read-out needs."""
        n, p = plan.rows, self.encoder.shape.n_features
        return n * self.encoder.flops + 2.0 * n * p * min(n, p)


def stacked(read_outs: Sequence[ReadOut], device: torch.device) -> tuple[Tensor, Tensor]:
    """Weights [M, classes, features] and biases [M, classes, 1]."""
    weights = torch.stack([one.weights for one in read_outs])
    return weights.to(device), torch.stack([one.biases for one in read_outs])[:, :, None].to(device)


def train_adaptations(plans: Sequence[TrainingPlan], device: torch.device, library: Library) -> Trained:
    """Train and measure plans of one bucket, sorted by rows, largest first."""
    task = get_task(plans[0].task, plans[0].year)
    job = _Job(task, plans, make_data(task, plans, device))
    weights, biases = fit_ridge(job.data.gram, job.data.moments, task.n_inputs)
    tests = job.tests
    traditional = measure_accuracy(lambda x: log_probabilities(torch.baddbmm(biases, weights, x)), len(plans), tests)
    kind = plans[0].kind
    if kind == "scratch":
        measures, costs = _measured(job, _scratch(job))
        return Trained(measures, traditional, costs)
    base = _Base(job, library)
    if kind == "probe":
        measures, costs = _probe(job, base)
        return Trained(measures, traditional, costs)
    network = {"adapter": _adapter, "finetuned": _finetuned, "distilled": _distilled}[kind](job, base)
    measures, costs = _measured(job, network)
    return Trained(measures, traditional, _with_base(job, base, costs))


def _probe(job: _Job, base: _Base) -> tuple[Measures, Costs]:
    encoder, plans = base.encoder, job.plans
    tests = encoder.encode_tests(job.tested, plans[0].tested_in, job.data.x.device)
    measures = measure(base.log_probabilities, len(plans), tests, encoder.encode_audited(job.data))
    row = job.tests.lab_x[:1]

    def answer(x: Tensor) -> Tensor:
        return base.log_probabilities(encoder.encode(x[0].T).T[None])

    n, n_own = len(plans), base.weights[0].numel() + base.biases[0].numel()
    return measures, Costs(
        n_parameters=[encoder.shape.n_parameters] * n,
        model_bytes=[4 * n_own] * n,
        training_flops=[base.flops(plan) for plan in plans],
        inference_flops=[inference_flops(encoder.shape)] * n,
        latency_us=latency_us(answer, row),
    )


def _scratch(job: _Job) -> StackedNetwork:
    plan = job.plans[0]
    assert plan.foundation is not None
    network = EncoderNetwork(encoder_of(plan.foundation.width, job.task.n_classes), len(job.plans), job.seeds.device)
    network.initialise(job.seeds)
    return _fitted(job, network)


def _finetuned(job: _Job, base: _Base) -> StackedNetwork:
    network = EncoderNetwork(base.encoder.shape, len(job.plans), job.seeds.device)
    for block, first in zip(network.blocks, base.encoder.blocks, strict=False):
        block.copy_(first.expand_as(block))
    return _fitted(job, _with_read_out(network, base))


def _adapter(job: _Job, base: _Base) -> StackedNetwork:
    shape = base.encoder.shape
    thin = Adapter(
        shape.n_inputs, shape.hidden, shape.n_classes, shape.activation, symbols=shape.symbols, levels=shape.levels
    )
    adapters = AdapterNetwork(thin, len(job.plans), job.seeds.device, base.encoder.blocks)
    adapters.initialise(job.seeds)
    _fitted(job, _with_read_out(adapters, base))
    whole = EncoderNetwork(shape, len(job.plans), job.seeds.device)
    for block, trained in zip(whole.blocks, [*adapters.merged(adapters.blocks), *adapters.blocks[-2:]], strict=True):
        block.copy_(trained)
    return whole


def _distilled(job: _Job, base: _Base) -> StackedNetwork:
    plan = job.plans[0]
    pool = [replace(one, rows=min(one.rows + UNLABELLED, MAX_DOCUMENTS)) for one in job.plans]
    data = make_data(job.task, pool, job.seeds.device)
    answers = torch.zeros(*data.y.shape, job.task.n_classes, device=job.seeds.device)
    for member, one in enumerate(pool):
        x = base.encoder.encode(data.x[member, : one.rows])
        scores = torch.addmm(base.biases[member, :, 0], x, base.weights[member].T)
        answers[member, : one.rows] = log_probabilities(scores.T[None])[0].T.exp()
    first = torch.arange(len(pool), device=job.seeds.device)[:, None] * data.y.shape[1]
    places = torch.arange(data.y.shape[1], device=job.seeds.device).expand_as(data.y).contiguous()
    student = stacked_network(architecture(job.task, "cnn", plan.rung, plan.recipe.activation), len(pool), first.device)
    student.initialise(job.seeds)

    def error_of(logits: Tensor, x: Tensor, y: Tensor) -> Tensor:
        wanted = answers.view(-1, job.task.n_classes)[y + first]
        return (logits.softmax(dim=1) - wanted.transpose(1, 2)).mul_(1.0 / y.shape[1])

    size = size_of(plan)
    batches = batches_of(job.task, replace(data, y=places), job.seeds, job.augmented, size.steps, size.batch)
    fit(student, optimizer_of(student, job.plans, size.steps), batches, size.steps, error_of)
    return student


def _with_read_out(network: StackedNetwork, base: _Base) -> StackedNetwork:
    network.blocks[-2].copy_(base.weights * SHARPNESS)
    network.blocks[-1].copy_(base.biases * SHARPNESS)
    return network


def _fitted(job: _Job, network: StackedNetwork) -> StackedNetwork:
    size = size_of(job.plans[0])
    batches = batches_of(job.task, job.data, job.seeds, job.augmented, size.steps, size.batch)
    fit(network, optimizer_of(network, job.plans, size.steps), batches, size.steps)
    return network


def _measured(job: _Job, network: StackedNetwork) -> tuple[Measures, Costs]:
    tests = job.tests
    blocks = compress(network.blocks, [plan.compression for plan in job.plans])
    measures = measure(classifier_of(network, blocks), len(job.plans), tests, job.data)
    return measures, network_costs(network, blocks, job.plans, tests.lab_x[:1])


def _with_base(job: _Job, base: _Base, costs: Costs) -> Costs:
    """Costs of what was trained and of the probe it started from; of an adapter, what it keeps and trains itself."""
    kind, size, shape = job.plans[0].kind, size_of(job.plans[0]), base.encoder.shape
    training = list(costs.training_flops)
    if kind == "adapter":  # the frozen weights need no gradients: two passes in place of three
        training = [2 / 3 * training_flops(shape, size.steps, size.batch)] * len(training)
        own = Adapter(shape.n_inputs, shape.hidden, shape.n_classes, "relu", symbols=shape.symbols, levels=shape.levels)
        costs = costs._replace(model_bytes=[4 * own.n_parameters] * len(training))
    if kind == "distilled":
        training = [flops + UNLABELLED * base.encoder.flops for flops in training]
    return costs._replace(
        training_flops=[flops + base.flops(plan) for flops, plan in zip(training, job.plans, strict=True)]
    )
