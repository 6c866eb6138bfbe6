"""Conditional variational autoencoders (Kingma & Welling 2014, arXiv:1312.6114), trained as stacked networks.

The encoder reads a row and its one-hot label and gives a diagonal normal over `LATENT` numbers; the decoder reads these
numbers, gated by the label, and gives the mean of a row. The likelihood is normal with one variance for all inputs,
learned in closed form: the running mean of the squared errors (the optimal-σ VAE of Rybkin et al. 2021,
arXiv:2006.13202). The weight of the divergence rises over the first half of training (Bowman et al. 2016,
arXiv:1511.06349), without which these short runs use no latent number at all. Training has a standard normal prior; see
latent_prior.py for the one that is shipped and that `Vae.elbo` has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training.data import ChunkData
from simulation.training.generators.latent_prior import N_CODES, LatentPrior
from simulation.training.generators.parts import (
    LATENT,
    WIDER,
    InnerNetwork,
    column_sums,
    gated,
    generator_network,
    labelled_rows,
    member_noise,
    one_hot,
    rates_and_decay,
    ungated,
)
from simulation.training.ladder import RUNGS, inference_flops, training_flops
from simulation.training.networks.dense import Architecture
from simulation.training.networks.optimizers import StackedOptimizer
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Task

MEMORY = 0.95
"""Of the running mean of squared errors; assumption: about twenty steps."""
WARM = 0.5
"""Share of the steps over which the divergence's weight rises to 1; assumption."""
WIDEST = 8.0
"""Largest absolute log-variance of a latent number; with the limits below it keeps a diverged run finite."""
FARTHEST = 100.0
"""Largest absolute mean of a latent number."""
LEAST_VARIANCE, LARGEST_VARIANCE = 1e-2, 1e6
"""Of the likelihood; the first bounds the density of rows known by heart."""
WORST_ELBO = -1e6
"""What stands for minus infinity, nats."""
N_SAMPLES = 4
"""Of the latent numbers, per row whose ELBO is measured."""


class Vae:
    """Stacked encoders and decoders.

    Attributes:
        encoder: reads [x, one-hot y], gives means then log-variances of the latent numbers.
        maker: the decoder, which is shipped: reads what `gated` gives, gives means of a row.
        variance: of the likelihood, float32 [M, 1, 1].
        prior: of the latent numbers.
    """

    def __init__(self, task: Task, plans: Sequence[TrainingPlan], seeds: Tensor) -> None:
        recipe, width = plans[0].recipe, WIDER * RUNGS[plans[0].rung].width
        reading = Architecture(task.n_inputs + task.n_classes, (width,), 2 * LATENT, recipe.activation)
        self.n_inputs = task.n_inputs
        self.encoder = InnerNetwork(reading, len(plans), seeds.device)
        self.maker = InnerNetwork(generator_network(task, recipe.activation, width), len(plans), seeds.device)
        self.encoder.initialise(seeds)
        self.maker.initialise(seeds)
        self.variance = torch.ones(len(plans), 1, 1, device=seeds.device)
        self.prior = LatentPrior(len(plans), task.n_classes, seeds.device)

    def encode(self, rows: Tensor, reuse: bool = False) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Means and log-variances [M, LATENT, B] of rows [M, n_inputs + n_classes, B], and the layers' inputs."""
        answer, kept = self.encoder.forward(rows, reuse=reuse)
        mean, log_variance = answer[:, :LATENT], answer[:, LATENT:]
        return mean.clamp(-FARTHEST, FARTHEST), log_variance.clamp(-WIDEST, WIDEST), kept

    def gradients(self, rows: Tensor, noise: Tensor, weight: float = 1.0) -> Tensor:
        """Write both networks' gradients of the mean loss; returns the mean squared error [M, 1, 1].

        The loss is the negative ELBO with a standard normal prior and a weighted divergence; beyond the limits of
        `encode` the gradient is passed on as if there were none.

        Args:
            rows: float32 [M, n_inputs + n_classes, B].
            noise: float32 [M, LATENT, B], standard normal: one sample of the latent numbers a row.
            weight: of the divergence.
        """
        n, labels = rows.shape[2], rows[:, self.n_inputs :]
        mean, log_variance, read = self.encode(rows, reuse=True)
        spread = (log_variance * 0.5).exp_()
        answer, written = self.maker.forward(gated(torch.addcmul(mean, spread, noise), labels), reuse=True)
        error = answer - rows[:, : self.n_inputs]
        squared_error = column_sums(error.square()).mean(dim=1)[:, None, None] / self.n_inputs
        by_z = ungated(self.maker.input_error(error / (self.variance * n), written), labels)
        by_mean = by_z + mean * (weight / n)
        by_log_variance = by_z * noise * spread * 0.5 + (spread.square() - 1.0) * (0.5 * weight / n)
        self.encoder.backward(torch.cat([by_mean, by_log_variance], dim=1), read)
        return squared_error

    def fit_prior(self, data: ChunkData, n_classes: int) -> None:
        """Fit the prior to the codes of the training rows, of at most the first `N_CODES`."""
        height = min(N_CODES, data.x.shape[1])
        counted = torch.arange(height, device=data.x.device) < data.rows[:, None]
        labels = one_hot(data.y[:, :height], n_classes) * counted[..., None]
        x = torch.where(counted[..., None], data.x[:, :height], 0.0)
        # As many codes whatever the largest member has: sums must not depend on it.
        rows = torch.nn.functional.pad(torch.cat([x, labels], dim=2), (0, 0, 0, N_CODES - height))
        mean, log_variance, _ = self.encode(rows.transpose(1, 2).contiguous())
        first = mean.nan_to_num(0.0).transpose(1, 2).contiguous()
        second = first.square() + log_variance.nan_to_num(0.0).exp().transpose(1, 2)
        self.prior.fit(first, second, rows[:, :, self.n_inputs :].contiguous())

    def elbo(self, rows: Tensor, noise: Tensor, blocks: Sequence[Tensor] | None = None) -> Tensor:
        """Evidence lower bound of each row, nats: [M, B].

        Args:
            rows: float32 [M, n_inputs + n_classes, B].
            noise: float32 [S, LATENT, B], shared by the members: expectations of the likelihood and of the prior are
                means over S samples, the encoder's entropy is exact.
            blocks: the decoder's weights and biases, default its own.
        """
        mean, log_variance, _ = self.encode(rows)
        spread = (log_variance * 0.5).exp()
        x, labels = rows[:, : self.n_inputs], rows[:, self.n_inputs :].contiguous()
        total = 0.5 * column_sums(log_variance + (1.0 + math.log(2.0 * math.pi)))
        total -= 0.5 * self.n_inputs * (2.0 * math.pi * self.variance[:, 0]).log()
        for sample in noise:
            z = mean + spread * sample
            answer, _ = self.maker.forward(gated(z, labels), blocks)
            likelihood = column_sums((answer - x).square()) / (-2.0 * self.variance[:, 0])
            total += (likelihood + self.prior.log_prob(z, labels)) / len(noise)
        return total.nan_to_num(WORST_ELBO, WORST_ELBO, WORST_ELBO).clamp_min_(WORST_ELBO)

    def draw(self, labels: Tensor, noise: Tensor, grain: Tensor, blocks: Sequence[Tensor] | None = None) -> Tensor:
        """Rows [M, n_inputs, rows], class after class, from standard normal noise.

        Args:
            labels: one-hot, class after class, float32 [n_classes, rows].
            noise: of the latent numbers, float32 [LATENT, rows].
            grain: of the rows, float32 [n_inputs, rows].
            blocks: the decoder's weights and biases, default its own.
        """
        z = self.prior.draw(noise)
        answer, _ = self.maker.forward(gated(z, labels.expand(len(z), -1, -1)), blocks)
        return answer + self.variance.sqrt() * grain


def fit_vae(vae: Vae, task: Task, plans: Sequence[TrainingPlan], data: ChunkData, seeds: Tensor) -> None:
    """Train in place by the negative ELBO, then fit the prior."""
    size = RUNGS[plans[0].rung]
    steps, batch = size.steps, size.batch
    batches = labelled_rows(task, plans, data, seeds, steps, batch)
    noise = member_noise(seeds, "vae-latent", steps, LATENT, batch)
    schedule = rates_and_decay(plans, steps, seeds.device)
    optimizers = [
        StackedOptimizer(plans[0].recipe.optimizer, network, *schedule) for network in (vae.encoder, vae.maker)
    ]
    for step in range(steps):
        squared_error = vae.gradients(batches(step), noise[:, step], min(1.0, step / (WARM * steps)))
        for optimizer in optimizers:
            optimizer.step(step)
        vae.variance.lerp_(squared_error, 1.0 - MEMORY).clamp_(min=LEAST_VARIANCE)
    vae.variance.nan_to_num_(LARGEST_VARIANCE).clamp_(max=LARGEST_VARIANCE)
    vae.fit_prior(data, task.n_classes)


def vae_flops(vae: Vae, steps: int, batch: int) -> float:
    """Operations of both networks' training; the decoder's inputs need a gradient, the encoder's do not."""
    reading, writing = vae.encoder.architecture, vae.maker.architecture
    return training_flops(reading, steps, batch) + 3.0 * steps * batch * inference_flops(writing)
