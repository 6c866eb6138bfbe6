"""Classifiers: a chunk of plans of one bucket becomes data, one stacked network, and what is measured on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from simulation.training.classifiers import dp_sgd as privacy
from simulation.training.classifiers import pretraining as transfer
from simulation.training.classifiers.traditional import fit_ridge, log_probabilities
from simulation.training.data import ChunkData, make_data
from simulation.training.graphs import Step, row_of, run_counted
from simulation.training.ladder import architecture, inference_flops, size_of, training_flops
from simulation.training.measures import Classifier, Costs, Trained, latency_us, measure, measure_accuracy
from simulation.training.minibatches import draw_rows, hard_error
from simulation.training.networks.compression import compress, model_bytes
from simulation.training.networks.dense import StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.networks.transformers import stacked_network
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Task, get_task

LOGIT_LIMIT = 1e4  # what stands for infinity in the logits of a diverged run
SMALLER = 2  # rungs between a network and the one it is distilled into; assumption
TEMPERATURE = 2.0  # of the answers a distilled network learns from; Hinton et al. 2015, arXiv:1503.02531: 1 to 20

Batch = Callable[[Step], tuple[Tensor, Tensor]]
"""Inputs [M, n_inputs, B] and labels [M, B] of a step."""
ErrorOf = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Gradient of the loss by the logits [M, n_classes, B], from logits, inputs and labels of a minibatch."""


def train_classifiers(plans: Sequence[TrainingPlan], device: torch.device) -> Trained:
    """Train and measure plans of one bucket, sorted by rows, largest first."""
    task = get_task(plans[0].task, plans[0].year)
    data = make_data(task, plans, device)
    ridge = fit_ridge(data.gram, data.moments, task.n_inputs)

    def classify_linear(x: Tensor) -> Tensor:
        # One row for the latency comes alone: then the first member answers.
        weights, biases = ridge[0][: len(x)], ridge[1][: len(x)]
        return log_probabilities(torch.baddbmm(biases, weights, x))

    tests = get_task(plans[0].task, plans[0].tested_in).test_sets(device)
    if plans[0].kind == "linear":
        measures = measure(classify_linear, len(plans), tests, data)
        traditional = (measures.accuracy_lab, measures.accuracy_field)
        return Trained(measures, traditional, _linear_costs(task, plans, classify_linear, tests.lab_x[:1]))
    traditional = measure_accuracy(classify_linear, len(plans), tests)
    collected = None
    if plans[0].minimisation:
        collected = collected_inputs(data, task.n_inputs, [plan.minimisation for plan in plans])
        data.x.mul_(collected[:, None, :])
    network = _train_network(task, plans, data)
    blocks = compress(network.blocks, [plan.compression for plan in plans])
    measures = measure(classifier_of(network, blocks, collected), len(plans), tests, data)
    return Trained(measures, traditional, network_costs(network, blocks, plans, tests.lab_x[:1]))


def collected_inputs(data: ChunkData, n_inputs: int, shares: Sequence[float]) -> Tensor:
    """1 for each input that is collected, 0 for those given up to minimise data: float32 [M, n_inputs].

    Each member keeps the inputs with the largest ratio of variance between classes to variance within (the F statistic
    of its own training rows up to a constant), as many as its share leaves, at least one.
    """
    sums, counts = data.moments[:, :n_inputs], data.moments[:, n_inputs]
    by_class = (sums * sums / counts.clamp_min(1.0)[:, None, :]).sum(dim=2)
    squares = data.gram[:, :n_inputs, :n_inputs].diagonal(dim1=1, dim2=2)
    total = sums.sum(dim=2)
    between = by_class - total * total / counts.sum(dim=1, keepdim=True)
    ratio = between / (squares - by_class).clamp_min(1e-6)
    ranks = ratio.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    kept = torch.tensor([max(1, n_inputs - int(share * n_inputs)) for share in shares], device=ratio.device)
    return (ranks < kept[:, None]).to(torch.float32)


def _train_network(task: Task, plans: Sequence[TrainingPlan], data: ChunkData) -> StackedNetwork:
    plan, size = plans[0], size_of(plans[0])
    seeds = torch.tensor([plan.seed for plan in plans], device=data.x.device)
    augmented = torch.tensor([plan.recipe.augmentation for plan in plans], device=seeds.device)
    network = _fresh(task, plans, plan.rung, seeds)
    if plan.pretraining_rows:
        transfer.start_from_trunks(network, plans)
    optimizer = optimizer_of(network, plans, size.steps)
    if plan.dp_noise:
        noise = torch.tensor([plan.dp_noise for plan in plans])
        privacy.fit_privately(network, optimizer, task, data, seeds, augmented, noise, size.steps, size.batch)
        return network
    batches = batches_of(task, data, seeds, augmented, size.steps, size.batch)
    fit(network, optimizer, batches, size.steps)
    if plan.compression != "distilled":
        return network
    student = _fresh(task, plans, max(plan.rung - SMALLER, 0), seeds)

    def error_of(logits: Tensor, x: Tensor, y: Tensor) -> Tensor:
        answers = network.forward(x)[0].div_(TEMPERATURE).softmax(dim=1)
        return (logits.div(TEMPERATURE).softmax(dim=1) - answers).mul_(TEMPERATURE / y.shape[1])

    fit(student, optimizer_of(student, plans, size.steps), batches, size.steps, error_of)
    return student


def _fresh(task: Task, plans: Sequence[TrainingPlan], rung: int, seeds: Tensor) -> StackedNetwork:
    """Networks of that rung with first weights drawn from the seeds."""
    plan = plans[0]
    network = stacked_network(architecture(task, plan.kind, rung, plan.recipe.activation), len(plans), seeds.device)
    network.initialise(seeds)
    return network


def optimizer_of(network: StackedNetwork, plans: Sequence[TrainingPlan], steps: int) -> StackedOptimizer:
    """The optimizer of these plans' recipes for that many steps."""
    device = network.parameters.device
    rates = torch.tensor([plan.recipe.learning_rate for plan in plans], device=device)
    decay = torch.tensor([plan.recipe.weight_decay for plan in plans], device=device)
    schedule = learning_rates(rates, [plan.recipe.schedule for plan in plans], steps)
    return StackedOptimizer(plans[0].recipe.optimizer, network, schedule, decay)


def batches_of(task: Task, data: ChunkData, seeds: Tensor, augmented: Tensor, steps: int, batch: int) -> Batch:
    """Minibatches of every step, drawn from each member's own rows; where augmented, varied on the way."""
    n_members, height, inputs = data.x.shape
    drawn, keys = draw_rows(seeds, data.rows, steps, batch)
    offsets = torch.arange(n_members, device=seeds.device)[:, None] * height
    places = (drawn + offsets).reshape(steps, -1)
    flat_x, labels = data.x.view(-1, inputs), data.y.view(-1)[places].view(steps, n_members, batch)
    any_augmented = bool(augmented.any())
    room = flat_x.new_empty(n_members * batch, inputs)  # for the rows of one step

    def at(step: Step) -> tuple[Tensor, Tensor]:
        x = torch.index_select(flat_x, 0, row_of(places, step), out=room).view(n_members, batch, inputs)
        if any_augmented:
            x = torch.where(augmented[:, None, None], task.augment(x, row_of(keys, step)), x)
        return x.transpose(1, 2), row_of(labels, step)

    return at


def fit(
    network: StackedNetwork,
    optimizer: StackedOptimizer,
    batches: Batch,
    steps: int,
    error_of: ErrorOf = hard_error,
) -> None:
    """Train in place on minibatches, by the mean cross-entropy unless another gradient is given."""

    def one_step(step: Step) -> None:
        x, y = batches(step)
        logits, kept = network.forward(x, reuse=True)
        network.backward(error_of(logits, x, y), kept)
        optimizer.step(step)

    device = network.parameters.device
    if device.type == "cuda":
        return run_counted(one_step, steps, device, network.recordable)
    for step in range(steps):
        one_step(step)


def classifier_of(network: StackedNetwork, blocks: list[Tensor], collected: Tensor | None = None) -> Classifier:
    """The network with these blocks as a classifier of inputs, of which only those collected are seen."""

    def classify(x: Tensor) -> Tensor:
        if collected is not None:
            x = x * collected[: len(x), :, None]
        logits, _ = network.forward(x, blocks)
        # A diverged run has infinite logits: it is then a bad classifier, not an error.
        return logits.nan_to_num_(0.0, LOGIT_LIMIT, -LOGIT_LIMIT).log_softmax(dim=1)

    return classify


def network_costs(network: StackedNetwork, blocks: list[Tensor], plans: Sequence[TrainingPlan], row: Tensor) -> Costs:
    """What networks with these blocks cost to train and to use; `row` is one of their inputs."""
    shape, size = network.architecture, size_of(plans[0])
    # Products without weights, those of attention, come last and stay whole.
    n_kept = torch.full((len(plans),), float(sum(shape.products()[len(shape.layers) :])), device=row.device)
    for products, weights in zip(shape.products(), blocks[::2], strict=False):
        n_kept += weights.count_nonzero(dim=(1, 2)) * (products / weights[0].numel())
    full = 2.0 * sum(shape.products())
    kept = [2.0 * n if plan.compression == "pruned" else full for n, plan in zip(n_kept.tolist(), plans, strict=True)]
    flops = training_flops(shape, size.steps, size.batch)
    if plans[0].compression == "distilled":  # the teacher's own training, and its answers to every minibatch
        teacher = architecture(get_task(plans[0].task), plans[0].kind, plans[0].rung)
        flops += training_flops(teacher, size.steps, size.batch) + size.steps * size.batch * inference_flops(teacher)
    flops += transfer.pretraining_flops(plans[0])
    one = stacked_network(shape, 1, row.device)
    return Costs(
        n_parameters=[shape.n_parameters] * len(plans),
        model_bytes=model_bytes(blocks, [plan.compression for plan in plans]),
        training_flops=[flops] * len(plans),
        inference_flops=kept,
        latency_us=latency_us(classifier_of(one, [block[:1] for block in blocks]), row),
    )


def _linear_costs(task: Task, plans: Sequence[TrainingPlan], classify: Classifier, row: Tensor) -> Costs:
    n = (task.n_inputs + 1) * task.n_classes
    # Forming XᵀX dominates: one multiplication and one addition per row and pair of inputs.
    training = [2.0 * plan.rows * (task.n_inputs + 1) ** 2 for plan in plans]
    flops = [2.0 * task.n_inputs * task.n_classes] * len(plans)
    return Costs([n] * len(plans), [4 * n] * len(plans), training, flops, latency_us(classify, row))
