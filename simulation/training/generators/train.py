"""Generators: a chunk of plans of one bucket becomes data, stacked networks, generated rows, and measures of them.

Stands for firms that sell synthetic data (OP-MARKET, MOD-KINDS): a customer trains a classifier on what the generator
makes. Rows are the images of SEC-SECURITY. A generator's accuracy is that of Parzen's classifier on generated rows, the
traditional method a normal distribution per class fitted to the same training rows and judged alike: see
`usefulness.py`.

The analogy ends where real generators begin: 64 pixels, eight classes and no text to condition on, and customers who
all use one fixed classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from simulation.training.data import N_AUDITED, ChunkData, make_data
from simulation.training.generators.gan import Gan, fit_gan, gan_flops
from simulation.training.generators.parts import LATENT, fixed_noise, gated, one_hot
from simulation.training.generators.usefulness import (
    N_PER_CLASS,
    draw_normals,
    fit_normals,
    kernel_classify,
    sliced_wasserstein,
)
from simulation.training.generators.vae import N_SAMPLES, Vae, fit_vae, vae_flops
from simulation.training.ladder import RUNGS
from simulation.training.measures import (
    Costs,
    Measures,
    Trained,
    accuracy,
    calibration_error,
    latency_us,
    membership_advantage,
)
from simulation.training.networks.compression import compress, model_bytes
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Task, TestSets, get_task

SOURCE = "security-vision"
"""Task whose rows are generated."""
FARTHEST = 100.0
"""Largest absolute value of a generated input; reached only by a diverged run."""

Losses = Callable[[Tensor], Tensor]
"""Losses [M, B] of labelled rows [M, n_inputs + n_classes, B], by which a membership attack tells training rows."""


def _traditional(task: Task, tests: TestSets, data: ChunkData) -> tuple[Tensor, Tensor]:
    """Lab and field accuracy by rows of the traditional generator."""
    made = draw_normals(*fit_normals(data, task.n_inputs, task.n_classes))
    answers = [kernel_classify(made, x, task.n_classes) for x in (tests.lab_x, tests.field_x)]
    return accuracy(answers[0], tests.lab_y), accuracy(answers[1], tests.field_y)


class Judged(NamedTuple):
    """Log-probabilities of the test sets by the classifier on one set of generated rows: [M, n_classes, rows]."""

    lab: Tensor
    field: Tensor
    groups: Tensor


def train_generators(plans: Sequence[TrainingPlan], device: torch.device) -> Trained:
    """Train and measure plans of one bucket, sorted by rows, largest first."""
    task = get_task(SOURCE)
    data, tests = make_data(task, plans, device), task.test_sets(device)
    seeds = torch.tensor([plan.seed for plan in plans], device=device)
    model = _fitted(task, plans, data, seeds)
    methods = [plan.compression for plan in plans]
    blocks = compress(model.maker.blocks, methods)
    made = generate(model, task, blocks)
    traditional = _traditional(task, tests, data)
    measures = _measure(model, blocks, made, task, tests, data)
    return Trained(measures, traditional, _costs(model, blocks, plans, task))


def _fitted(task: Task, plans: Sequence[TrainingPlan], data: ChunkData, seeds: Tensor) -> Vae | Gan:
    if plans[0].kind == "vae":
        vae = Vae(task, plans, seeds)
        fit_vae(vae, task, plans, data, seeds)
        return vae
    gan = Gan(task, plans, seeds)
    fit_gan(gan, task, plans, data, seeds)
    return gan


def class_labels(task: Task, device: torch.device) -> Tensor:
    """One-hot labels of `N_PER_CLASS` rows of each class, class after class: float32 [n_classes, rows]."""
    numbers = torch.arange(task.n_classes, device=device).repeat_interleave(N_PER_CLASS)
    return one_hot(numbers, task.n_classes).T.contiguous()


def generate(model: Vae | Gan, task: Task, blocks: Sequence[Tensor]) -> Tensor:
    """`N_PER_CLASS` rows of each class, class after class, from noise that all members share: [M, rows, n_inputs].

    Args:
        blocks: weights and biases of the decoder or generator as they are shipped.
    """
    labels = class_labels(task, blocks[0].device)
    noise = fixed_noise("latent", LATENT, labels.shape[1]).to(labels.device)
    grain = fixed_noise("grain", task.n_inputs, labels.shape[1]).to(labels.device)
    rows = model.draw(labels, noise, grain, blocks).nan_to_num_(0.0, FARTHEST, -FARTHEST).clamp_(-FARTHEST, FARTHEST)
    return rows.transpose(1, 2).contiguous()


def _judge(made: Tensor, tests: TestSets, n_classes: int) -> Judged:
    answers = kernel_classify(made, torch.cat([tests.lab_x, tests.field_x, tests.groups_x]), n_classes)
    sizes = [len(part) for part in (tests.lab_x, tests.field_x, tests.groups_x)]
    return Judged(*(part.contiguous() for part in answers.split(sizes, dim=2)))


def _labelled(x: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Rows [M, rows, n_inputs] above their one-hot labels: [M, n_inputs + n_classes, rows]."""
    return torch.cat([x, one_hot(y, n_classes)], dim=2).transpose(1, 2).contiguous()


def _measure(
    model: Vae | Gan, blocks: Sequence[Tensor], made: Tensor, task: Task, tests: TestSets, data: ChunkData
) -> Measures:
    judged = _judge(made, tests, task.n_classes)
    held_out = _labelled(tests.lab_x[None], tests.lab_y[None], task.n_classes).expand(len(made), -1, -1)
    half = len(tests.groups_y) // 2
    majority = accuracy(judged.groups[:, :, :half].contiguous(), tests.groups_y[:half])
    minority = accuracy(judged.groups[:, :, half:].contiguous(), tests.groups_y[half:])
    losses = _losses(model, blocks)
    audited = losses(_labelled(data.audited_x, data.audited_y, task.n_classes))
    loss = losses(held_out).mean(dim=1)
    return Measures(
        accuracy_lab=accuracy(judged.lab, tests.lab_y),
        accuracy_field=accuracy(judged.field, tests.field_y),
        loss_lab=loss if isinstance(model, Vae) else discriminator_loss(model, held_out, made, task),
        calibration_error=calibration_error(judged.lab, tests.lab_y),
        fairness_gap=majority - minority,
        leakage=membership_advantage(
            audited[:, :N_AUDITED].contiguous(), audited[:, N_AUDITED:], data.rows.clamp_max(N_AUDITED)
        ),
        elbo=-loss if isinstance(model, Vae) else None,
        sliced_wasserstein=sliced_wasserstein(made[:, ::2], tests.lab_x) / task.input_sd,
    )


def _losses(model: Vae | Gan, blocks: Sequence[Tensor]) -> Losses:
    """Negative ELBO of a VAE, minus the discriminator's score of a GAN."""
    if isinstance(model, Gan):
        n_inputs = model.n_inputs
        return lambda rows: -model.scores(rows[:, :n_inputs].contiguous(), rows[:, n_inputs:])

    def negative_elbo(rows: Tensor) -> Tensor:
        noise = fixed_noise("elbo", N_SAMPLES, LATENT, rows.shape[2]).to(rows.device)
        return -model.elbo(rows, noise, blocks)

    return negative_elbo


def discriminator_loss(gan: Gan, held_out: Tensor, made: Tensor, task: Task) -> Tensor:
    """Mean cross-entropy of the discriminator on held-out rows and on half of those generated, nats: [M].

    log 2 where it cannot tell them apart.
    """
    labels = class_labels(task, made.device)[:, ::2].expand(len(made), -1, -1)
    real = gan.scores(held_out[:, : gan.n_inputs].contiguous(), held_out[:, gan.n_inputs :])
    fake = gan.scores(made[:, ::2].transpose(1, 2).contiguous(), labels)
    softplus = torch.nn.functional.softplus
    return 0.5 * (softplus(-real).mean(dim=1) + softplus(fake).mean(dim=1))


def _costs(model: Vae | Gan, blocks: list[Tensor], plans: Sequence[TrainingPlan], task: Task) -> Costs:
    """Of what is shipped: the decoder with its prior, or the generator, and the scale of the noise."""
    shape, size = model.maker.architecture, RUNGS[plans[0].rung]
    methods = [plan.compression for plan in plans]
    others = 1 + (model.prior.n_parameters if isinstance(model, Vae) else 0)
    run = size.steps, size.batch
    flops = vae_flops(model, *run) if isinstance(model, Vae) else gan_flops(model, *run)
    kept = sum(weights.count_nonzero(dim=(1, 2)) for weights in blocks[::2])
    assert isinstance(kept, Tensor)
    full = 2.0 * sum(shape.products())
    pruned = [2.0 * int(n) if method == "pruned" else full for n, method in zip(kept.tolist(), methods, strict=True)]
    one = [block[:1] for block in blocks]
    label = torch.eye(task.n_classes, 1, device=blocks[0].device)[None]

    def make_row(z: Tensor) -> Tensor:
        return model.maker.forward(gated(z, label), one)[0]

    return Costs(
        n_parameters=[shape.n_parameters + others] * len(plans),
        model_bytes=[n + 4 * others for n in model_bytes(blocks, methods)],
        training_flops=[flops] * len(plans),
        inference_flops=pruned,
        latency_us=latency_us(make_row, fixed_noise("latency", LATENT).to(blocks[0].device)),
    )
