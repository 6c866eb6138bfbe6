"""The proxy ladder: what a compute budget buys. Each rung costs about two to three times the one below."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.training.networks.dense import Architecture, Convolution
from simulation.training.networks.sequences import Recurrent, SequenceArchitecture, Tokens, Transformer
from simulation.training.networks.trees import TreeConvolution
from simulation.training.plan import FRONTIER_RUNG, TrainingPlan, highest_rung
from simulation.training.tasks import Task, get_task
from simulation.training.values import DOCUMENT_TASKS

MANY_TOKENS = 16
"""Attention costs the square of the tokens: longer sequences have every second (1 or 2 points less, half the cost)."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Size and length of a training run.

    Attributes:
        width: units of each hidden layer of the MLP, and of the CNN's dense layer.
        depth: hidden layers of the MLP.
        filters: filters of the CNN's convolution; for texts, of each of its layers.
        steps: optimizer steps.
        batch: rows per step.
        states: units of the recurrent network.
        embedding: numbers of a transformer's token.
        inner: units of the MLP of the transformer's block.
    """

    width: int
    depth: int
    filters: int
    steps: int
    batch: int
    states: int
    embedding: int
    inner: int


# Widths, depths and steps are assumptions: chosen so that quality rises over the whole ladder on every task and a step
# up costs two to three times as much.
RUNGS: tuple[Rung, ...] = (
    Rung(width=16, depth=1, filters=4, steps=60, batch=32, states=8, embedding=8, inner=8),
    Rung(width=24, depth=1, filters=8, steps=110, batch=32, states=12, embedding=8, inner=16),
    Rung(width=32, depth=2, filters=12, steps=150, batch=32, states=16, embedding=8, inner=32),
    Rung(width=48, depth=2, filters=16, steps=190, batch=32, states=20, embedding=16, inner=16),
    Rung(width=64, depth=2, filters=20, steps=240, batch=32, states=24, embedding=16, inner=32),
    Rung(width=80, depth=2, filters=24, steps=320, batch=32, states=32, embedding=24, inner=24),
)
# Beyond the usual ladder: what more compute than a startup's of 2023 buys (`world.compute.last_rung`). Wider networks,
# larger batches; sizes are multiples of 16 (`trainer.py`).
FRONTIER: tuple[Rung, ...] = (
    Rung(width=112, depth=2, filters=32, steps=400, batch=64, states=48, embedding=32, inner=32),
    Rung(width=160, depth=2, filters=48, steps=500, batch=64, states=64, embedding=32, inner=48),
    Rung(width=224, depth=2, filters=64, steps=640, batch=64, states=80, embedding=32, inner=64),
)
# The same for documents, which take more to learn: beyond rung 5 neither width nor steps bring a CNN more.
DOCUMENT_RUNGS: tuple[Rung, ...] = (
    Rung(width=32, depth=1, filters=16, steps=100, batch=64, states=16, embedding=16, inner=16),
    Rung(width=32, depth=1, filters=16, steps=250, batch=64, states=16, embedding=16, inner=16),
    Rung(width=48, depth=1, filters=32, steps=250, batch=64, states=32, embedding=16, inner=32),
    Rung(width=64, depth=2, filters=32, steps=600, batch=64, states=32, embedding=32, inner=32),
    Rung(width=96, depth=2, filters=48, steps=800, batch=64, states=48, embedding=32, inner=64),
    Rung(width=128, depth=2, filters=64, steps=1200, batch=64, states=64, embedding=48, inner=64),
)


def size_of(plan: TrainingPlan) -> Rung:
    """Size and length of the run that a plan asks for."""
    return rungs_of(plan.task)[plan.rung]


def rungs_of(task: str) -> tuple[Rung, ...]:
    """The ladder of a task."""
    if task in DOCUMENT_TASKS:
        return DOCUMENT_RUNGS
    return RUNGS + FRONTIER if highest_rung(task) == FRONTIER_RUNG else RUNGS


def architecture(task: Task, kind: str, rung: int, activation: str = "relu") -> Architecture:
    """The network of that kind, one of `plan.NETWORK_KINDS`, on that rung, for the task's inputs and classes.

    Raises ValueError for other kinds: generators and the actor-critic have networks and budgets of their own.
    """
    size = rungs_of(task.name)[rung]
    if kind == "mlp":
        return Architecture(task.n_inputs, (size.width,) * size.depth, task.n_classes, activation)
    if kind == "rnn":
        rows = Tokens(task.shape, (1, 1 if task.shape[1] == 1 else task.shape[2]))
        return Recurrent(task.n_inputs, (size.states,), task.n_classes, activation, tokens=rows)
    if kind == "transformer":
        tokens, width = filter_places(task), (size.embedding,)
        return Transformer(task.n_inputs, width, task.n_classes, activation, tokens=tokens, inner=size.inner)
    if kind != "cnn":
        raise ValueError(f"the ladder has networks of the kinds mlp, cnn, rnn and transformer, not {kind!r}")
    if task.levels:
        filters = (size.filters,) * task.levels
        return TreeConvolution(task.n_inputs, filters, task.n_classes, activation, channels=task.shape[0])
    convolution = Convolution(task.shape, task.kernel, task.pool, size.filters)
    return Architecture(task.n_inputs, (size.width,), task.n_classes, activation, convolution)


def filter_places(task: Task) -> Tokens:
    """The places of the CNN's filters; of long sequences every second one, at least two steps wide."""
    places = Tokens(task.shape, task.kernel)
    if task.shape[1] > 1 or places.n_tokens <= MANY_TOKENS:
        return places
    return Tokens(task.shape, (1, max(task.kernel[1], 2)), stride=2)


def inference_flops(network: Architecture) -> float:
    """Floating-point operations of one row's forward pass: two per multiplication with a weight, or of attention."""
    return 2.0 * sum(network.products())


def training_flops(network: Architecture, steps: int, batch: int) -> float:
    """Operations of a run: a forward pass, and twice as much backward except for the inputs, which need no gradient."""
    products = network.products()
    inputs = network.input_products() if isinstance(network, SequenceArchitecture) else products[0]
    return float(steps * batch * (6 * sum(products) - 2 * inputs))


def flops(kind: str, rung: int, task: str = "security-vision") -> float:
    """Training operations of one run on that rung; the traditional method's are negligible and counted as 0.

    Raises ValueError as `architecture` does: what others cost stands in their results.
    """
    if kind == "linear":
        return 0.0
    size = rungs_of(task)[rung]
    return training_flops(architecture(get_task(task), kind, rung), size.steps, size.batch)
