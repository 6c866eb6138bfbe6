"""Job F of `ventures bench training`: one foundation, tokens per second.

The plain way is the same network as an `nn.Module` with `torch.optim.AdamW`, on the same texts from the same first
weights: token embeddings, linear layers, automatic differentiation.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, layer_norm, linear

from simulation.training.bench.run import Say, n_cores, reached
from simulation.training.bench.ways import Way, compare
from simulation.training.device import single_thread
from simulation.training.foundation.ladder import foundation_named, label
from simulation.training.foundation.model import SIDES, TextModel, reconstruction_of
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.foundation.pretrain import WEIGHT_DECAY, PretrainingRun, precision, steps_of
from simulation.training.foundation.text import corpus_of, held_out
from simulation.training.ladder import training_flops
from simulation.training.networks.optimizers import learning_rates
from simulation.training.tasks.documents import GRAMMAR

RUNG_ON = {"cuda": "gpu/F9"}
"""The rung by kind of device; F2 elsewhere. On a card the networks of F2 are too narrow to tell its speed."""
TARGETS = {"cpu": {"share_of_matmul": 0.35}, "cuda": {"share_of_matmul": 0.3}}
PLAIN_STEPS, GATE_STEPS, QUICK_STEPS = 200, 40, 8
N_JUDGED = 512


class PlainTextModel(nn.Module):
    """The network of a `Reconstruction` as torch's own layers."""

    def __init__(self, model: TextModel) -> None:
        super().__init__()
        blocks = [block[0].detach().clone() for block in model.blocks]
        self.embedding = nn.Embedding.from_pretrained(blocks[0].T.contiguous(), freeze=False)
        self.blocks = nn.ParameterList(
            [nn.Parameter(block if i % 2 == 0 else block[:, 0]) for i, block in enumerate(blocks[1:], 1)]
        )
        self.levels, self.width = model.shape.levels, model.shape.width

    def forward(self, tokens: Tensor) -> Tensor:
        """Mean cross-entropy of each token given all others of its text."""
        blocks = iter(self.blocks)
        h = self.embedding(tokens) + next(blocks)
        known = [h]
        for _ in range(self.levels):
            pairs = h.unflatten(1, (-1, 2))
            inner = linear(pairs.flatten(2), next(blocks), next(blocks)).relu()
            h = layer_norm(linear(inner, next(blocks), next(blocks)) + pairs.mean(dim=2), (self.width,))
            known.append(h)
        outer = None
        for inside in reversed(known):
            up, up_b, down, down_b = (next(blocks).unflatten(0, (SIDES, -1)) for _ in range(4))
            sides = inside.unflatten(1, (-1, SIDES)).flip(2).unbind(2)
            below = []
            for side, siblings in enumerate(sides):
                seen = siblings if outer is None else torch.cat([outer, siblings], dim=2)
                passed = linear(linear(seen, up[side], up_b[side]).relu(), down[side], down_b[side])
                below.append(passed if outer is None else passed + outer)
            outer = layer_norm(torch.stack(below, dim=2).flatten(1, 2), (self.width,))
        assert outer is not None
        return cross_entropy(linear(outer, next(blocks), next(blocks)).flatten(0, 1), tokens.flatten())


def train_plain(plan: FoundationPlan, device: torch.device, steps: int) -> PlainTextModel:
    """The first steps of that plan's run, in the plain way."""
    first = TextModel(reconstruction_of(plan.width), device)
    first.initialise(torch.tensor([plan.seed], device=device))
    model = PlainTextModel(first)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.learning_rate, weight_decay=WEIGHT_DECAY)
    rates = learning_rates(torch.tensor([plan.learning_rate]), ["warmup"], steps_of(plan))[:, 0].tolist()
    corpus = corpus_of(plan, device)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rates[step]
        with precision(device):
            loss = model(corpus.texts(step * plan.batch, plan.batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def train_core(plan: FoundationPlan, device: torch.device, steps: int) -> TextModel:
    """The same by the project's pretraining."""
    with single_thread(), torch.no_grad():
        run = PretrainingRun(plan, device)
        run.go(None, steps)
        return run.model


def _loss_of(train: Any, plan: FoundationPlan, device: torch.device, steps: int) -> list[float]:
    model = train(plan, device, steps)
    texts = held_out(plan.vintage, "", N_JUDGED, device)
    with torch.no_grad():
        return [float(model.loss(texts) if isinstance(model, TextModel) else model(texts))]


def ways_of(plan: FoundationPlan, device: torch.device, quick: bool) -> list[Way]:
    """The plain way on a sample of the run's steps, with one thread and with all; the project's on all of them."""
    whole = steps_of(plan)
    sample = min(whole, QUICK_STEPS if quick else PLAIN_STEPS)
    own = sample if quick else whole
    judged = min(whole, QUICK_STEPS if quick else GATE_STEPS)
    shape, tokens = reconstruction_of(plan.width), plan.batch * GRAMMAR.length

    def way(name: str, title: str, train: Any, steps: int, n_threads: int) -> Way:
        loss = partial(_loss_of, train, plan, device, judged)
        work = partial(train, plan, device, steps)
        flops = training_flops(shape, steps, plan.batch)
        return Way(name, title, work, steps * tokens, flops, "plain", loss, n_threads)

    several = [] if n_cores() == 1 else [way("plain-threads", "plain, all cores", train_plain, sample, n_cores())]
    return [
        way("plain", "plain", train_plain, sample, 1),
        *several,
        way("core", "pretraining", train_core, own, 1),
    ]


def bench_foundation(
    device: torch.device, repeats: int, quick: bool, say: Say, rung: str | None = None
) -> dict[str, Any]:
    """All measurements of job F, as a JSON document."""
    plan = foundation_named(rung or ("F0" if quick else RUNG_ON.get(device.type, "F2")))
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    measured = compare(ways_of(plan, device, quick), device, repeats, "tokens_per_s", say, dtype)
    what = {"rung": label(plan), "width": plan.width, "batch": plan.batch, "steps": steps_of(plan)}
    targets = [] if quick else reached(TARGETS.get(device.type, {}), measured["contenders"])
    return {"foundation": what, **measured, "targets": targets}
