"""Pretraining: a foundation's plan becomes weights and measures; long runs leave checkpoints and go on from them."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from simulation.training.device import device_name
from simulation.training.foundation.model import TextModel, encoder_of, reconstruction_of
from simulation.training.foundation.plan import FoundationPlan, FoundationResult
from simulation.training.foundation.text import corpus_of, held_out
from simulation.training.ladder import inference_flops, training_flops
from simulation.training.networks.optimizers import StackedOptimizer, learning_rates
from simulation.training.tasks.documents import GRAMMAR
from simulation.training.values import DOCUMENT_TASKS

WEIGHT_DECAY = 0.01  # assumption
AT_ONCE = 4096
"""Texts written, or judged, at once."""
N_GENERAL, N_SECTOR = 4096, 1024
"""Held-out texts: of all domains, and of each sector."""
CHECKPOINT_S = 60.0
"""Seconds between checkpoints: what an interrupt loses at most."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: steps done, and the numbers it goes on from (flat: parameters, then Adam's two moments)."""

    steps: int
    numbers: Tensor
    seconds: float


class Checkpoint(Protocol):
    """Where a run keeps what it would go on from."""

    def load(self) -> Progress | None:
        """What was kept last, if anything."""

    def save(self, progress: Progress) -> None:
        """Keep this instead."""


@dataclass(frozen=True, slots=True)
class Foundation:
    """A pretrained encoder.

    Attributes:
        plan: that asked for it.
        result: what was measured.
        body: weights [1, out, in] and biases [1, out, 1] in turn, of `Encoder.body`.
    """

    plan: FoundationPlan
    result: FoundationResult
    body: tuple[Tensor, ...]


def precision(device: torch.device) -> AbstractContextManager[object]:
    """Products in 16 bits (bfloat16) where a card does them many times as fast; weights and sums stay in 32."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


def steps_of(plan: FoundationPlan) -> int:
    """Optimizer steps of a run: tokens rounded up to whole batches."""
    return -(-plan.tokens // (plan.batch * GRAMMAR.length))


def pretrain(plan: FoundationPlan, device: torch.device, checkpoint: Checkpoint | None = None) -> Foundation:
    """Train a foundation from its plan. One thread must be set, so that the result depends on the plan alone."""
    with torch.no_grad():
        run = PretrainingRun(plan, device)
        run.go(checkpoint)
        return Foundation(plan, _measured(run), tuple(block.clone() for block in run.model.body))


class PretrainingRun:
    """A model in training."""

    def __init__(self, plan: FoundationPlan, device: torch.device) -> None:
        self.plan, self.device, self.steps = plan, device, steps_of(plan)
        self.model = TextModel(reconstruction_of(plan.width), device)
        self.model.initialise(torch.tensor([plan.seed], device=device))
        rates = learning_rates(torch.tensor([plan.learning_rate], device=device), ["warmup"], self.steps)
        decay = torch.full((1,), WEIGHT_DECAY, device=device)
        self._optimizer = StackedOptimizer("adam", self.model, rates, decay) if self.steps else None
        self._corpus = corpus_of(plan, device)
        self.seconds = 0.0

    def go(self, checkpoint: Checkpoint | None, last: int | None = None) -> None:
        """Train to the end, or for the first `last` steps, from where a checkpoint stands."""
        started = saved = time.perf_counter()
        done = self._resume(checkpoint)
        before, texts, first = self.seconds, torch.empty(0), 0
        for step in range(done, self.steps if last is None else last):
            place = step * self.plan.batch
            if step == done or place + self.plan.batch > first + len(texts):
                first, texts = place, self._corpus.texts(place, max(AT_ONCE, self.plan.batch))
            with precision(self.device):
                self.model.set_gradients(texts[place - first : place - first + self.plan.batch])
            assert self._optimizer is not None
            self._optimizer.step(step)
            now = time.perf_counter()
            self.seconds = before + now - started
            if checkpoint is not None and now - saved > CHECKPOINT_S:
                checkpoint.save(Progress(step + 1, self._numbers(), self.seconds))
                saved = now
        if self.device.type == "cuda":  # which is behind with its work
            torch.cuda.synchronize(self.device)
            self.seconds = before + time.perf_counter() - started
        # A diverged run is a bad model, not an error.
        self.model.parameters.nan_to_num_(0.0, 0.0, 0.0)

    def _numbers(self) -> Tensor:
        assert self._optimizer is not None
        return torch.cat([self.model.parameters, *self._optimizer.moments])

    def _resume(self, checkpoint: Checkpoint | None) -> int:
        kept = checkpoint.load() if checkpoint is not None and self._optimizer is not None else None
        if kept is None or self._optimizer is None or kept.numbers.numel() != self._numbers().numel():
            return 0
        parts = kept.numbers.to(self.device).split(self.model.parameters.numel())
        for part, values in zip((self.model.parameters, *self._optimizer.moments), parts, strict=True):
            part.copy_(values)
        self.seconds = kept.seconds
        return kept.steps


def _measured(run: PretrainingRun) -> FoundationResult:
    plan, shape = run.plan, run.model.shape
    sectors = tuple(_held_out_loss(run, sector, N_SECTOR) for sector in DOCUMENT_TASKS)
    return FoundationResult(
        key=plan.key(),
        loss_general=_held_out_loss(run, "", N_GENERAL),
        loss_sectors=sectors,
        n_parameters=shape.n_parameters,
        tokens=run.steps * plan.batch * GRAMMAR.length,
        training_flops=training_flops(shape, run.steps, plan.batch),
        encoding_flops=inference_flops(encoder_of(plan.width, 0)),
        seconds=run.seconds,
        device=device_name(run.device),
        torch_version=str(torch.__version__),
    )


def _held_out_loss(run: PretrainingRun, sector: str, n: int) -> float:
    texts = held_out(run.plan.vintage, sector, n, run.device)
    losses = [run.model.loss(part) * len(part) for part in texts.split(AT_ONCE // 4)]
    return float(sum(losses) / n)
