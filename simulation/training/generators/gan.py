"""Conditional generative adversarial networks (Goodfellow et al. 2014, arXiv:1406.2661), trained as stacked networks.

The generator reads `LATENT` standard normal numbers gated by the label and gives the mean of a row, to which it adds
normal noise of one learned standard deviation. The discriminator reads a row and gives one score per class, of which
the label's counts (a projection discriminator, Miyato & Koyama 2018, arXiv:1802.05637, without its common term). The
loss is the non-saturating one, generator and discriminator take turns, and the generator that is shipped is a running
mean of its weights (Yazıcı et al. 2019, arXiv:1806.04498).

Adam has no momentum here (β₁ = 0): in runs of 160 units, 640 steps and 64 rows a step, generated rows then teach a
classifier to about 80 %, with the usual β₁ = 0.9 to 45 %. The hinge, least-squares and relativistic losses, a gradient
penalty and noise on the discriminator's inputs were no better.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training.classifiers.dp_sgd import generators
from simulation.training.data import ChunkData
from simulation.training.generators.parts import (
    LATENT,
    WIDER,
    InnerNetwork,
    column_sums,
    gated,
    generator_network,
    labelled_rows,
    rates_and_decay,
)
from simulation.training.graphs import Step
from simulation.training.ladder import RUNGS, inference_flops, training_flops
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.optimizers import BETA_2, EPSILON, StackedOptimizer
from simulation.training.plan import TrainingPlan
from simulation.training.tasks import Task

GENERATOR_SHARE = 0.5
"""The generator's learning rate in the discriminator's, which is the recipe's; two time scales: Heusel et al. 2017,
arXiv:1706.08500."""
MEMORY = 0.98
"""Of the running mean of the generator's weights; assumption: fifty steps."""
FIRST_LOG_SD = -0.5
"""Logarithm of the first standard deviation of a row's noise; assumption."""
LARGEST_LOG_SD = 5.0
"""Keeps a diverged run finite."""


class MemorylessAdam(StackedOptimizer):
    """Adam with β₁ = 0; the other optimizers as they are."""

    def __init__(self, name: str, network: StackedNetwork, rates: Tensor, weight_decay: Tensor) -> None:
        super().__init__(name, network, rates, weight_decay)
        self._corrections = torch.tensor([(1.0 - BETA_2**t) ** -0.5 for t in range(1, len(rates) + 1)]).unbind(0)

    def _moves(self, number: Step) -> list[Tensor]:
        if self.name != "adam":
            return super()._moves(number)
        gradients = self.network.gradients
        self._second.mul_(self._beta_2).addcmul_(gradients, gradients, value=1 - BETA_2)
        torch.sqrt(self._second, out=self._direction)
        self._direction.add_(self._scalar("_epsilons", number)).mul_(self._scalar("_corrections", number))
        torch.div(gradients, self._direction, out=self._direction)
        return self._direction_blocks


class Gan:
    """Stacked generators and discriminators.

    Attributes:
        maker: the generator, which is shipped: reads what `gated` gives, gives means of a row.
        judge: the discriminator: reads a row, gives one score per class.
        log_sd: logarithm of the standard deviation of a row's noise, float32 [M, 1, 1].
    """

    def __init__(self, task: Task, plans: Sequence[TrainingPlan], seeds: Tensor) -> None:
        recipe, width = plans[0].recipe, WIDER * RUNGS[plans[0].rung].width
        judging = Architecture(task.n_inputs, (width,), task.n_classes, recipe.activation)
        self.n_inputs = task.n_inputs
        self.maker = InnerNetwork(generator_network(task, recipe.activation, width), len(plans), seeds.device)
        self.judge = InnerNetwork(judging, len(plans), seeds.device)
        self.maker.initialise(seeds)
        self.judge.initialise(seeds)
        self.log_sd = torch.full((len(plans), 1, 1), FIRST_LOG_SD, device=seeds.device)

    def scores(self, x: Tensor, labels: Tensor) -> Tensor:
        """The discriminator's logits that rows x [M, n_inputs, B] with one-hot labels are real: [M, B]."""
        answer, _ = self.judge.forward(x)
        return column_sums((answer * labels).nan_to_num_(0.0, 1e4, -1e4))

    def judge_gradients(self, rows: Tensor, made: Tensor) -> None:
        """Write the discriminators' gradients of the mean cross-entropies of real rows and of those made, added.

        Args:
            rows: real, float32 [M, n_inputs + n_classes, B].
            made: generated with the same labels, float32 [M, n_inputs, B].
        """
        real, labels = rows[:, : self.n_inputs], rows[:, self.n_inputs :]
        answer, kept = self.judge.forward(torch.cat([real, made], dim=2), reuse=True)
        probability = answer.sigmoid()
        probability[:, :, : rows.shape[2]] -= 1.0
        error = probability * torch.cat([labels, labels], dim=2) / rows.shape[2]
        self.judge.backward(error, kept)

    def maker_gradients(self, made: Tensor, labels: Tensor, grain: Tensor, kept: list[Tensor]) -> Tensor:
        """Write the generators' gradients of the mean non-saturating loss; returns that by `log_sd`.

        Args:
            made: float32 [M, n_inputs, B], from `make`.
            labels: one-hot, float32 [M, n_classes, B].
            grain: the noise in `made` before scaling, float32 [M, n_inputs, B].
            kept: of the generator's forward pass.
        """
        answer, judged = self.judge.forward(made, reuse=True)
        error = (answer.sigmoid() - 1.0) * labels / made.shape[2]
        by_made = self.judge.input_error(error, judged, learn=False)
        self.maker.backward(by_made, kept)
        return column_sums(by_made * grain).sum(dim=1)[:, None, None] * self.log_sd.exp()

    def make(self, z: Tensor, labels: Tensor, grain: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Rows [M, n_inputs, B] for training, and the inputs of the generator's layers."""
        answer, kept = self.maker.forward(gated(z, labels), reuse=True)
        return torch.addcmul(answer, self.log_sd.exp(), grain), kept

    def draw(self, labels: Tensor, noise: Tensor, grain: Tensor, blocks: Sequence[Tensor] | None = None) -> Tensor:
        """Rows [M, n_inputs, rows] from standard normal noise; arguments as of `Vae.draw`."""
        read = gated(noise[None], labels[None]).expand(len(self.log_sd), -1, -1)
        answer, _ = self.maker.forward(read, blocks)
        return answer + self.log_sd.exp() * grain


def fit_gan(gan: Gan, task: Task, plans: Sequence[TrainingPlan], data: ChunkData, seeds: Tensor) -> None:
    """Train in place, discriminator and generator in turns; at the end the generator is its running mean."""
    size = RUNGS[plans[0].rung]
    steps, batch = size.steps, size.batch
    batches = labelled_rows(task, plans, data, seeds, steps, batch)
    name, draws = plans[0].recipe.optimizer, generators(seeds, "gan-noise")
    own, decay = rates_and_decay(plans, steps, seeds.device, GENERATOR_SHARE)
    making = MemorylessAdam(name, gan.maker, own, decay)
    judging = MemorylessAdam(name, gan.judge, *rates_and_decay(plans, steps, seeds.device))
    average, average_sd = gan.maker.parameters.clone(), gan.log_sd.clone()
    second = torch.zeros_like(gan.log_sd)
    room = torch.empty(len(plans), LATENT + task.n_inputs, batch)
    for step in range(steps):
        for member, draw in enumerate(draws):
            torch.randn(room.shape[1:], generator=draw, out=room[member])
        z, grain = room.to(seeds.device).split([LATENT, task.n_inputs], dim=1)
        rows = batches(step)
        labels = rows[:, task.n_inputs :]
        made, kept = gan.make(z, labels, grain)
        gan.judge_gradients(rows, made)
        judging.step(step)
        by_log_sd = gan.maker_gradients(made, labels, grain, kept)
        making.step(step)
        # The noise's scale moves by Adam whatever the recipe says: one number has no other natural step.
        second.mul_(BETA_2).addcmul_(by_log_sd, by_log_sd, value=1.0 - BETA_2)
        move = by_log_sd / ((second / (1.0 - BETA_2 ** (step + 1))).sqrt() + EPSILON)
        gan.log_sd.addcmul_(move, own[step, :, None, None], value=-1.0).clamp_(max=LARGEST_LOG_SD)
        average.lerp_(gan.maker.parameters, 1.0 - MEMORY)
        average_sd.lerp_(gan.log_sd, 1.0 - MEMORY)
    gan.maker.parameters.copy_(average)
    gan.log_sd.copy_(average_sd.nan_to_num_(LARGEST_LOG_SD))


def gan_flops(gan: Gan, steps: int, batch: int) -> float:
    """Operations of both networks' training: the discriminator learns from twice the rows, then judges once more and
    passes the error on to the generator."""
    making, judging = gan.maker.architecture, gan.judge.architecture
    again = 2.0 * steps * batch * inference_flops(judging)
    return training_flops(making, steps, batch) + training_flops(judging, steps, 2 * batch) + again
