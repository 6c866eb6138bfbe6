"""Fused training: all members of a bucket are trained as one stacked network, in chunks that fit the cache.

**A member's result does not depend on its company.** Members of a bucket share every shape but the number of rows; a
step draws a fixed number of rows from each member's own data, and no operation mixes members:

- batched matrix products treat each matrix alike, whatever their number, as long as each begins at a cache line (the
  library rounds differently by alignment): sizes of matrices are multiples of 16 numbers;
- elementwise kernels compute whole registers with vector code and the rest with scalar code, and the two may differ in
  the last bit for exp and tanh: the rows of a batch are a multiple of 32, so that no member is ever in the rest;
- sums over training rows run block by block, so that padding to the largest member adds nothing;
- one thread: with several, a kernel's split of the work would depend on the number of members.

On CUDA the library may choose a kernel by the number of matrices; chunks are therefore padded to the full size there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.compression import compress, model_bytes
from simulation.training.data import ChunkData, make_data
from simulation.training.device import device_name
from simulation.training.ladder import RUNGS, architecture, training_flops
from simulation.training.measures import Classifier, Measures, measure, measure_accuracy
from simulation.training.networks import StackedNetwork
from simulation.training.optimizers import StackedOptimizer, learning_rates
from simulation.training.plan import TrainingPlan, TrainingResult
from simulation.training.tasks import Task, get_task
from simulation.training.traditional import fit_ridge, log_probabilities

CHUNK_CPU = 16
CHUNK_GPU = 256
LOGIT_LIMIT = 1e4  # what stands for infinity in the logits of a diverged run

Batch = Callable[[int], tuple[Tensor, Tensor]]
"""Inputs [M, n_inputs, B] and labels [M, B] of a step."""


class Bucket(NamedTuple):
    """What the members of one fused batch have in common."""

    task: str
    kind: str
    rung: int
    activation: str
    optimizer: str


def bucket_of(plan: TrainingPlan) -> Bucket:
    """The bucket a plan is trained in; the traditional method has no rung and no recipe."""
    if plan.kind == "linear":
        return Bucket(plan.task, "linear", 0, "", "")
    return Bucket(plan.task, plan.kind, plan.rung, plan.recipe.activation, plan.recipe.optimizer)


@contextmanager
def single_thread() -> Iterator[None]:
    """One torch thread inside, the caller's number afterwards: results must not depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train_bucket(
    plans: Sequence[TrainingPlan], device: torch.device, chunk_size: int | None = None
) -> Iterator[list[TrainingResult]]:
    """Train plans of one bucket; yields results chunk by chunk, in an order of its own.

    Where a GPU's memory does not suffice, the chunk is halved and training goes on.

    Raises:
        ValueError: the plans are not of one bucket.
        torch.OutOfMemoryError: even one member does not fit.
    """
    if len({bucket_of(plan) for plan in plans}) > 1:
        raise ValueError("train_bucket needs plans of one bucket; group them by bucket_of")
    size = chunk_size or (CHUNK_CPU if device.type == "cpu" else CHUNK_GPU)
    # Members alike in cost stand together: little padding, and augmentation only where someone asked for it.
    left = sorted(plans, key=lambda plan: (plan.recipe.augmentation, -plan.rows))
    while left:
        try:
            with single_thread(), torch.inference_mode():
                results = _train_chunk(left[:size], device, size)
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            size = (size + 1) // 2
            torch.cuda.empty_cache()
            continue
        left = left[size:]
        yield results


def _train_chunk(wanted: Sequence[TrainingPlan], device: torch.device, size: int) -> list[TrainingResult]:
    started = time.perf_counter()
    n_dummies = size - len(wanted) if device.type == "cuda" else 0
    plans = sorted([*wanted, *[wanted[-1]] * n_dummies], key=lambda plan: -plan.rows)
    task = get_task(plans[0].task)
    data = make_data(task, plans, device)
    ridge = fit_ridge(data.gram, data.moments, task.n_inputs)

    def classify_linear(x: Tensor) -> Tensor:
        # One row for the latency comes alone: then the first member answers.
        weights, biases = ridge[0][: len(x)], ridge[1][: len(x)]
        return log_probabilities(torch.baddbmm(biases, weights, x))

    tests = task.test_sets(device)
    if plans[0].kind == "linear":
        measures = measure(classify_linear, len(plans), tests, data)
        traditional = (measures.accuracy_lab, measures.accuracy_field)
        costs = _linear_costs(task, plans, classify_linear, tests.lab_x[:1])
    else:
        traditional = measure_accuracy(classify_linear, len(plans), tests)
        network = _train_network(task, plans, data)
        blocks = compress(network.blocks, [plan.compression for plan in plans])
        measures = measure(_classifier(network, blocks), len(plans), tests, data)
        costs = _network_costs(network, blocks, plans, tests.lab_x[:1])
    seconds = (time.perf_counter() - started) / len(wanted)
    results = _collect(plans, measures, traditional, costs, seconds, device)
    by_key = {result.key: result for result in results}
    return [by_key[plan.key()] for plan in wanted]


def _train_network(task: Task, plans: Sequence[TrainingPlan], data: ChunkData) -> StackedNetwork:
    plan, size = plans[0], RUNGS[plans[0].rung]
    device = data.x.device
    network = StackedNetwork(architecture(task, plan.kind, plan.rung, plan.recipe.activation), len(plans), device)
    seeds = torch.tensor([plan.seed for plan in plans], device=device)
    network.initialise(seeds)
    rates = torch.tensor([plan.recipe.learning_rate for plan in plans], device=device)
    cosine = torch.tensor([plan.recipe.schedule == "cosine" for plan in plans], device=device)
    decay = torch.tensor([plan.recipe.weight_decay for plan in plans], device=device)
    optimizer = StackedOptimizer(plan.recipe.optimizer, network, learning_rates(rates, cosine, size.steps), decay)
    augmented = torch.tensor([plan.recipe.augmentation for plan in plans], device=device)
    fit(network, optimizer, _batches(task, data, seeds, augmented, size.steps, size.batch), size.steps)
    return network


def draw_rows(seeds: Tensor, rows: Tensor, steps: int, batch: int) -> tuple[Tensor, Tensor]:
    """Which of its rows a member sees at each place of a minibatch, and a key to augment it: int64 [steps, M, batch].

    Rows are drawn with replacement, not by epochs without: a draw then depends on nothing drawn before.
    """
    index = torch.arange(steps * batch, device=seeds.device)
    keys = counter.row_keys(counter.stream_keys(seeds, "minibatch"), index)
    drawn = (((keys >> 32) & 0xFFFFFFFF) * rows[:, None]) >> 32
    shape = (len(seeds), steps, batch)
    return drawn.view(shape).transpose(0, 1), keys.view(shape).transpose(0, 1)


def _batches(task: Task, data: ChunkData, seeds: Tensor, augmented: Tensor, steps: int, batch: int) -> Batch:
    n_members, height, inputs = data.x.shape
    drawn, keys = draw_rows(seeds, data.rows, steps, batch)
    offsets = torch.arange(n_members, device=seeds.device)[:, None] * height
    places = (drawn + offsets).reshape(steps, -1)
    flat_x, labels = data.x.view(-1, inputs), data.y.view(-1)[places].view(steps, n_members, batch)
    any_augmented = bool(augmented.any())
    room = flat_x.new_empty(n_members * batch, inputs)  # for the rows of one step

    def at(step: int) -> tuple[Tensor, Tensor]:
        x = torch.index_select(flat_x, 0, places[step], out=room).view(n_members, batch, inputs)
        if any_augmented:
            x = torch.where(augmented[:, None, None], task.augment(x, keys[step]), x)
        return x.transpose(1, 2), labels[step]

    return at


def fit(network: StackedNetwork, optimizer: StackedOptimizer, batches: Batch, steps: int) -> None:
    """Train in place by the mean cross-entropy of each minibatch."""
    minus_one = torch.full((), -1.0, device=network.parameters.device)
    for step in range(steps):
        x, y = batches(step)
        logits, kept = network.forward(x, reuse=True)
        error = logits.softmax(dim=1)
        error.scatter_add_(1, y[:, None, :], minus_one.expand(len(y), 1, y.shape[1])).mul_(1.0 / y.shape[1])
        network.backward(error, kept)
        optimizer.step(step)


def _classifier(network: StackedNetwork, blocks: list[Tensor]) -> Classifier:
    def classify(x: Tensor) -> Tensor:
        logits, _ = network.forward(x, blocks)
        # A diverged run has infinite logits: it is then a bad classifier, not an error.
        return logits.nan_to_num_(0.0, LOGIT_LIMIT, -LOGIT_LIMIT).log_softmax(dim=1)

    return classify


class _Costs(NamedTuple):
    """Per member: parameters, bytes, training and inference operations; measured latency in microseconds."""

    n_parameters: list[int]
    model_bytes: list[int]
    training_flops: list[float]
    inference_flops: list[float]
    latency_us: float


def _latency_us(classify: Classifier, row: Tensor, repeats: int = 5) -> float:
    """Median time of one row's forward pass through one network."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        classify(row.view(1, -1, 1))
        if row.device.type == "cuda":
            torch.cuda.synchronize(row.device)
        times.append(time.perf_counter() - started)
    return sorted(times)[repeats // 2] * 1e6


def _network_costs(network: StackedNetwork, blocks: list[Tensor], plans: Sequence[TrainingPlan], row: Tensor) -> _Costs:
    shape, size = network.architecture, RUNGS[plans[0].rung]
    n_kept = torch.zeros(len(plans), device=row.device)
    for products, weights in zip(shape.products(), blocks[::2], strict=True):
        n_kept += weights.count_nonzero(dim=(1, 2)) * (products / weights[0].numel())
    full = 2.0 * sum(shape.products())
    kept = [2.0 * n if plan.compression == "pruned" else full for n, plan in zip(n_kept.tolist(), plans, strict=True)]
    one = StackedNetwork(shape, 1, row.device)
    return _Costs(
        n_parameters=[shape.n_parameters] * len(plans),
        model_bytes=model_bytes(blocks, [plan.compression for plan in plans]),
        training_flops=[training_flops(shape, size.steps, size.batch)] * len(plans),
        inference_flops=kept,
        latency_us=_latency_us(_classifier(one, [block[:1] for block in blocks]), row),
    )


def _linear_costs(task: Task, plans: Sequence[TrainingPlan], classify: Classifier, row: Tensor) -> _Costs:
    n = (task.n_inputs + 1) * task.n_classes
    # Forming XᵀX dominates: one multiplication and one addition per row and pair of inputs.
    training = [2.0 * plan.rows * (task.n_inputs + 1) ** 2 for plan in plans]
    flops = [2.0 * task.n_inputs * task.n_classes] * len(plans)
    return _Costs([n] * len(plans), [4 * n] * len(plans), training, flops, _latency_us(classify, row))


def _collect(
    plans: Sequence[TrainingPlan],
    measures: Measures,
    traditional: tuple[Tensor, Tensor],
    costs: _Costs,
    seconds: float,
    device: torch.device,
) -> list[TrainingResult]:
    columns = {name: getattr(measures, name).tolist() for name in Measures.__dataclass_fields__}
    columns["traditional_lab"], columns["traditional_field"] = (part.tolist() for part in traditional)
    for name in ("n_parameters", "model_bytes", "training_flops", "inference_flops"):
        columns[name] = getattr(costs, name)
    version = str(torch.__version__)
    name = device_name(device)
    return [
        TrainingResult(
            key=plan.key(),
            **{column: values[member] for column, values in columns.items()},
            latency_us=costs.latency_us,
            seconds=seconds,
            device=name,
            torch_version=version,
        )
        for member, plan in enumerate(plans)
    ]
