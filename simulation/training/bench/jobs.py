"""The reference jobs of `ventures bench training`, and the project's fused core on them.

Every contender trains the same members: same first weights, same rows in the same minibatches, same learning rates.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from simulation.training import counter
from simulation.training.classifiers.train import Batch, draw_rows, fit
from simulation.training.device import single_thread
from simulation.training.graphs import Step, row_of
from simulation.training.ladder import training_flops
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates

N_CLASSES = 10
N_POOL = 8192
N_ROWS = 1024  # rows of a member, a subset of its own of the pool
SEPARATION = 0.45  # distance of a class's centres from the origin per input, in standard deviations of the noise
NARROWEST, WIDEST, N_WIDTHS = 16, 160, 128  # of job R
CHUNK_CARD = 1024  # networks trained at once on a card: a step is a few dozen kernels, whatever their number
CPU_NUMBERS = 160_000  # parameters of a chunk: more cost cache, fewer cost calls; flat between half and twice as many


@dataclass(frozen=True, slots=True)
class BenchJob:
    """Networks of two hidden layers trained by Adam on procedural rows of ten classes.

    Attributes:
        name: how the command line calls it.
        widths: units of the hidden layers; members take them in turn.
        n_inputs: values of a row.
        batch: rows per step.
        steps: optimizer steps.
        n_members: networks, by default.
        step: networks are trained with units that stay dead up to the next multiple of it.
    """

    name: str
    widths: tuple[int, ...]
    n_inputs: int
    batch: int
    steps: int = 300
    n_members: int = 128
    step: int = 1

    def trained_width(self, width: int) -> int:
        """Units of a hidden layer while such a network is trained."""
        return -(-width // self.step) * self.step

    def architecture(self, width: int) -> Architecture:
        """The network of that width."""
        return Architecture(self.n_inputs, (width, width), N_CLASSES, "relu")


def random_widths() -> tuple[int, ...]:
    """Widths from `NARROWEST` to `WIDEST`, each equally likely, stratified: the first 6 or 48 are spread as all are."""
    bits = N_WIDTHS.bit_length() - 1
    keys = counter.row_keys(counter.stream_keys(torch.tensor([0]), "bench-widths"), torch.arange(N_WIDTHS))
    within = counter.uniforms(keys, 0, 1).flatten().tolist()
    strata = [int(f"{place:0{bits}b}"[::-1], 2) for place in range(N_WIDTHS)]
    several = WIDEST - NARROWEST + 1
    return tuple(NARROWEST + int((stratum + u) / N_WIDTHS * several) for stratum, u in zip(strata, within, strict=True))


JOBS = {
    job.name: job
    for job in (
        BenchJob("M", (64, 96, 128), 64, 64),
        BenchJob("S", (32,), 32, 32),
        BenchJob("R", random_widths(), 64, 64, step=16),
    )
}


@dataclass(frozen=True, slots=True)
class Member:
    """What a member does not share: its seed draws its rows, first weights and minibatches."""

    seed: int
    width: int
    learning_rate: float


def members_of(job: BenchJob, n: int) -> list[Member]:
    """The first `n` members; learning rates lie between 0.001 and 0.004."""
    return [Member(seed, job.widths[seed % len(job.widths)], 1e-3 * (1 + seed % 7 / 2)) for seed in range(n)]


def job_flops(job: BenchJob, members: Sequence[Member]) -> float:
    """Training operations of those members by formula (`ladder.training_flops`)."""
    return sum(training_flops(job.architecture(member.width), job.steps, job.batch) for member in members)


@lru_cache(maxsize=8)
def pool(n_inputs: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """All rows there are: x [N_POOL, n_inputs] and labels; two centres per class, so that a line does not suffice."""
    with torch.inference_mode(False):  # contenders differentiate through the same rows
        seed = torch.tensor([0], device=device)
        rows = counter.row_keys(counter.stream_keys(seed, "bench-rows"), torch.arange(N_POOL, device=device))[0]
        places = torch.arange(2 * N_CLASSES, device=device)
        centres = counter.noise(counter.row_keys(counter.stream_keys(seed, "bench-centres"), places)[0], 0, n_inputs)
        which = counter.choice(counter.uniforms(rows, n_inputs, 1)[:, 0], len(centres))
        return counter.noise(rows, 0, n_inputs) + SEPARATION * centres[which], which % N_CLASSES


def minibatches(job: BenchJob, members: Sequence[Member], device: torch.device) -> Tensor:
    """Which row of the pool a member sees at each place of a minibatch: int64 [steps, M, batch]."""
    seeds = torch.tensor([member.seed for member in members], device=device)
    index = torch.arange(N_ROWS, device=device)
    keys = counter.row_keys(counter.stream_keys(seeds, "bench-subset"), index)
    subsets = counter.choice(counter.uniforms(keys, 0, 1)[..., 0], N_POOL)
    drawn, _ = draw_rows(seeds, torch.full_like(seeds, N_ROWS), job.steps, job.batch)
    offsets = torch.arange(len(members), device=device)[:, None] * N_ROWS
    return subsets.view(-1)[drawn + offsets]


def chunk_size(job: BenchJob, width: int, device: torch.device) -> int:
    """Members trained together: on a CPU as many as stay in a core's cache; width: as they are trained."""
    if device.type != "cpu":
        return CHUNK_CARD
    return max(1, CPU_NUMBERS // job.architecture(width).n_parameters)


def chunks_of(job: BenchJob, members: Sequence[Member], device: torch.device, n_parts: int = 1) -> list[list[Member]]:
    """Members bucketed by the width they are trained in, the widest first, in chunks of nearly equal length, for
    `n_parts` workers."""
    chunks: list[list[Member]] = []
    for width in sorted({job.trained_width(member.width) for member in members}, reverse=True):
        bucket = [member for member in members if job.trained_width(member.width) == width]
        n_chunks = -(-len(bucket) // chunk_size(job, width, device))
        n_chunks = min(len(bucket), -(-n_chunks // n_parts) * n_parts)
        bounds = [len(bucket) * i // n_chunks for i in range(n_chunks + 1)]
        chunks += [bucket[start:end] for start, end in itertools.pairwise(bounds)]
    return chunks


def train_chunk(job: BenchJob, chunk: Sequence[Member], device: torch.device) -> list[float]:
    """Train members of one trained width with the project's core; returns each member's loss on its last minibatch."""
    network, optimizer, batches = start_chunk(job, chunk, device)
    with torch.inference_mode():
        fit(network, optimizer, batches, job.steps)
        x, y = batches(job.steps - 1)
        return nll_loss(network.forward(x)[0].log_softmax(1), y, reduction="none").mean(1).tolist()


def first_network(job: BenchJob, chunk: Sequence[Member], device: torch.device) -> StackedNetwork:
    """Networks with first weights, in the width they are trained in.

    A unit without weights stays without: its output is 0, and so are the gradients of what leads to it and from it.
    """
    network = StackedNetwork(job.architecture(job.trained_width(chunk[0].width)), len(chunk), device)
    for width in sorted({member.width for member in chunk}):
        places = [place for place, member in enumerate(chunk) if member.width == width]
        own = StackedNetwork(job.architecture(width), len(places), device)
        own.initialise(torch.tensor([chunk[place].seed for place in places], device=device))
        which = torch.tensor(places, device=device)
        for block, first in zip(network.blocks, own.blocks, strict=True):
            block[which, : first.shape[1], : first.shape[2]] = first
    return network


def start_chunk(
    job: BenchJob, chunk: Sequence[Member], device: torch.device
) -> tuple[StackedNetwork, StackedOptimizer, Batch]:
    """Fresh networks of one trained width, their optimizer and their minibatches."""
    with torch.inference_mode():
        network = first_network(job, chunk, device)
        rates = torch.tensor([member.learning_rate for member in chunk], device=device)
        schedule = learning_rates(rates, ["constant"] * len(chunk), job.steps)
        optimizer = StackedOptimizer("adam", network, schedule, torch.zeros_like(rates))
        x, labels = pool(job.n_inputs, device)
        places = minibatches(job, chunk, device)
        flat, targets = places.reshape(job.steps, -1), labels[places]
        room = x.new_empty(flat.shape[1], job.n_inputs)

    def at(step: Step) -> tuple[Tensor, Tensor]:
        rows = torch.index_select(x, 0, row_of(flat, step), out=room).view(len(chunk), job.batch, job.n_inputs)
        return rows.transpose(1, 2), row_of(targets, step)

    return network, optimizer, at


def train_fused(job: BenchJob, members: Sequence[Member], device: torch.device) -> dict[int, float]:
    """Train all members in this process, on one thread; returns the last loss by seed."""
    losses: dict[int, float] = {}
    with single_thread():
        for chunk in chunks_of(job, members, device):
            losses |= dict(zip((member.seed for member in chunk), train_chunk(job, chunk, device), strict=True))
    return losses
