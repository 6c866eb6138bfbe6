"""Other ways to train the members of a reference job: a plain loop, a compiled one, `torch.func.vmap`, processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from simulation.training import graphs
from simulation.training.bench.jobs import (
    BenchJob,
    Member,
    chunks_of,
    first_network,
    minibatches,
    pool,
    train_chunk,
    train_fused,
)
from simulation.training.bench.processes import fresh_processes
from simulation.training.networks.optimizers import BETA_1, BETA_2, EPSILON

LossOf = Callable[[nn.Module, Tensor, Tensor], Tensor]
N_STARTUP = 8  # members of the calls whose start-up cost is measured


def loss_of(module: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of a minibatch."""
    return cross_entropy(module(x), y)


def module_of(job: BenchJob, width: int) -> nn.Sequential:
    """The network of that width as a plain module."""
    layers: list[nn.Module] = []
    for out, into in job.architecture(width).layers:
        layers += [nn.Linear(into, out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def first_weights(job: BenchJob, members: Sequence[Member], device: torch.device) -> list[Tensor]:
    """Weights [M, out, in] and biases [M, out] in turn, the same that the project's core begins with."""
    return [block.squeeze(2) if i % 2 else block for i, block in enumerate(first_network(job, members, device).blocks)]


def train_plain(
    job: BenchJob, members: Sequence[Member], device: torch.device, fused: bool | None = None, loss: LossOf = loss_of
) -> dict[int, float]:
    """A loop over members, each an `nn.Module` with its own `torch.optim.Adam`; returns the last loss by seed."""
    losses = {}
    x, labels = pool(job.n_inputs, device)
    for member in members:
        module = module_of(job, member.width).to(device)
        with torch.no_grad():
            for parameter, value in zip(module.parameters(), first_weights(job, [member], device), strict=True):
                parameter.copy_(value[0][tuple(slice(n) for n in parameter.shape)])
        optimizer = torch.optim.Adam(module.parameters(), lr=member.learning_rate, fused=fused)
        places = minibatches(job, [member], device)[:, 0]
        for rows in places.unbind(0):
            optimizer.zero_grad()
            loss(module, x[rows], labels[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            losses[member.seed] = float(loss_of(module, x[places[-1]], labels[places[-1]]))
    return losses


def compiled_loss() -> LossOf:
    """The loss under `torch.compile`; the compiler runs at the first call for each shape."""
    return torch.compile(loss_of)


def train_vmap(job: BenchJob, members: Sequence[Member], device: torch.device) -> dict[int, float]:
    """`torch.func`: gradients of all members of a trained width at once, Adam on the stacked parameters."""
    losses: dict[int, float] = {}
    for width in sorted({job.trained_width(member.width) for member in members}):
        bucket = [member for member in members if job.trained_width(member.width) == width]
        losses |= _train_vmap_width(job, bucket, device)
    return losses


def _train_vmap_width(job: BenchJob, members: Sequence[Member], device: torch.device) -> dict[int, float]:
    module = module_of(job, job.trained_width(members[0].width)).to("meta")
    names = [name for name, _ in module.named_parameters()]
    parameters = dict(zip(names, first_weights(job, members, device), strict=True))

    def loss(own: dict[str, Tensor], rows: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(torch.func.functional_call(module, own, (rows,)), y)

    gradients_of = torch.func.vmap(torch.func.grad(loss))
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    rates = torch.tensor([member.learning_rate for member in members], device=device)
    x, labels = pool(job.n_inputs, device)
    places = minibatches(job, members, device)
    for step, rows in enumerate(places.unbind(0)):
        gradients = gradients_of(parameters, x[rows], labels[rows])
        for name, gradient in gradients.items():
            _adam(parameters[name], gradient, *moments[name], rates, step + 1)
    last = torch.func.vmap(loss)(parameters, x[places[-1]], labels[places[-1]])
    return dict(zip((member.seed for member in members), last.tolist(), strict=True))


def _adam(parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, rates: Tensor, t: int) -> None:
    """One step of Adam in place, with a learning rate per member (Kingma & Ba 2015)."""
    first.lerp_(gradient, 1 - BETA_1)
    second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
    denominator = second.sqrt().mul_((1 - BETA_2**t) ** -0.5).add_(EPSILON)
    own = rates.view(-1, *[1] * (parameter.dim() - 1))
    parameter.sub_(first.div(denominator).mul_(own / (1 - BETA_1**t)))


def train_without_graphs(job: BenchJob, members: Sequence[Member], device: torch.device) -> dict[int, float]:
    """The project's core on a card, every step launched operation by operation."""
    before, graphs.recording = graphs.recording, False
    try:
        return train_fused(job, members, device)
    finally:
        graphs.recording = before


class Workers:
    """Processes of one thread each that train chunks with the project's core; they start at once and stay.

    Attributes:
        n: number of processes.
        start_seconds: until every process had imported what it needs.
    """

    def __init__(self, n: int) -> None:
        self.n, self._open = n, ExitStack()
        started = time.perf_counter()
        self._pool = self._open.enter_context(fresh_processes(n))
        self.start_seconds = time.perf_counter() - started

    def train(self, job: BenchJob, members: Sequence[Member], device: torch.device) -> dict[int, float]:
        """Train all members; returns the last loss by seed."""
        chunks = chunks_of(job, members, device, self.n)
        running = [self._pool.submit(train_chunk, job, chunk, device) for chunk in chunks]
        losses: dict[int, float] = {}
        for chunk, outcome in zip(chunks, running, strict=True):
            losses |= dict(zip((member.seed for member in chunk), outcome.result(), strict=True))
        return losses

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


def startup_seconds(job: BenchJob, members: Sequence[Member], device: torch.device) -> tuple[float, float]:
    """Seconds of a fresh process's first call with few members, and of its second; torch is imported before."""
    with fresh_processes(1) as fresh:
        return fresh.submit(_first_and_later, job, members[:N_STARTUP], device).result()


def _first_and_later(job: BenchJob, members: Sequence[Member], device: torch.device) -> tuple[float, float]:
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        train_fused(job, members, device)
        seconds.append(time.perf_counter() - started)
    return seconds[0], seconds[1]
