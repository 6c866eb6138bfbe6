"""Generators of rows: their bounds, gradients and distances against independent ones, and what a firm can rely on."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from simulation.training.data import make_data
from simulation.training.generators.gan import Gan, MemorylessAdam
from simulation.training.generators.latent_prior import N_COMPONENTS, LatentPrior
from simulation.training.generators.parts import LATENT, gated, ungated
from simulation.training.generators.usefulness import (
    directions,
    draw_normals,
    fit_normals,
    kernel_classify,
    sliced_wasserstein,
)
from simulation.training.generators.vae import Vae
from simulation.training.networks.dense import StackedNetwork
from simulation.training.plan import (
    GENERATION_TASK,
    GENERATOR_KINDS,
    Recipe,
    TrainingPlan,
)
from simulation.training.tasks import get_task
from tests.support.training_fakes import CPU, train

TASK = get_task("security-vision")


def plans_of(kind: str, n: int = 2, rung: int = 0, rows: int = 256, **levers: object) -> list[TrainingPlan]:
    return [TrainingPlan(GENERATION_TASK, kind, rung, rows, seed=seed, **levers) for seed in range(n)]


def random_rows(n_members: int, n: int = 32) -> Tensor:
    """Labelled rows [M, 64 + 8, n]."""
    labels = torch.eye(8)[torch.arange(n) % 8].T
    return torch.cat([torch.randn(n_members, 64, n), labels.expand(n_members, -1, -1)], dim=1)


def a_vae(n: int = 2) -> Vae:
    """With first weights, but a prior and a variance that nothing has by default."""
    torch.manual_seed(5)
    vae = Vae(TASK, plans_of("vae", n), torch.arange(n))
    vae.variance = torch.rand(n, 1, 1) + 0.2
    vae.prior.means.copy_(torch.randn(vae.prior.means.shape))
    vae.prior.variances = torch.rand(vae.prior.means.shape) + 0.1
    vae.prior.weights = torch.rand(n, 8, N_COMPONENTS).softmax(dim=2)
    return vae


def dense(network: StackedNetwork, member: int, x: Tensor) -> Tensor:
    """One member's answers, [features, rows] to [outputs, rows], written out."""
    first, bias, second, shift = (block[member] for block in network.blocks)
    return second @ (first @ x + bias).relu() + shift


def prior_of(vae: Vae, member: int, label: int) -> MixtureSameFamily:
    part = slice(label * N_COMPONENTS, (label + 1) * N_COMPONENTS)
    normals = Normal(vae.prior.means[member, part], vae.prior.variances[member, part].sqrt())
    return MixtureSameFamily(Categorical(probs=vae.prior.weights[member, label]), Independent(normals, 1))


def test_elbo_is_that_of_torch_distributions() -> None:
    vae, rows, noise = a_vae(), random_rows(2), torch.randn(3, LATENT, 32)
    measured = vae.elbo(rows, noise)
    for member in range(2):
        answer = dense(vae.encoder, member, rows[member])
        posterior = Normal(answer[:LATENT], (answer[LATENT:] / 2).exp())
        for row in range(0, 32, 5):
            label = row % 8
            z = posterior.loc[:, row] + posterior.scale[:, row] * noise[:, :, row]
            labels = torch.eye(8)[label].expand(3, -1)
            by_class = torch.zeros(3, 8, LATENT)
            by_class[:, label] = z
            mean = dense(vae.maker, member, torch.cat([by_class.flatten(1), labels], dim=1).T).T
            likelihood = Normal(mean, vae.variance[member].sqrt()).log_prob(rows[member, :64, row]).sum(dim=1)
            entropy = posterior.entropy()[:, row].sum()
            expected = (likelihood + prior_of(vae, member, label).log_prob(z)).mean() + entropy
            assert measured[member, row].item() == pytest.approx(expected.item(), rel=1e-5)


def test_elbo_is_below_the_likelihood() -> None:
    """The likelihood by importance sampling with 4,096 samples of a posterior twice as wide."""
    vae, rows = a_vae(1), random_rows(1)
    elbo = vae.elbo(rows, torch.randn(256, LATENT, 32))[0]
    answer = dense(vae.encoder, 0, rows[0])
    for row in range(8):
        proposal = Normal(answer[:LATENT, row], 2 * (answer[LATENT:, row] / 2).exp())
        z = proposal.sample((4096,))
        label = torch.eye(8)[row].expand(4096, -1)
        mean = dense(vae.maker, 0, gated(z.T[None], label.T[None])[0]).T
        joint = Normal(mean, vae.variance[0].sqrt()).log_prob(rows[0, :64, row]).sum(dim=1)
        weight = joint + prior_of(vae, 0, row).log_prob(z) - proposal.log_prob(z).sum(dim=1)
        assert elbo[row] <= weight.logsumexp(dim=0) - math.log(4096) + 0.1


def test_elbo_of_a_linear_model_with_the_exact_posterior_is_the_likelihood() -> None:
    """x = w·z₀ + noise with z standard normal: x is normal with covariance wwᵀ + σ²I, and the posterior is known."""
    vae = Vae(TASK, plans_of("vae", 1), torch.arange(1))
    prior, variance = vae.prior, 0.5
    prior.means.zero_()
    vae.variance.fill_(variance)
    w = torch.zeros(64)
    w[:4] = torch.tensor([1.0, -0.5, 0.3, 2.0])
    posterior_variance = 1.0 / (1.0 + (w @ w).item() / variance)
    for network in (vae.encoder, vae.maker):
        network.parameters.zero_()
    read, _, answer, bias = vae.encoder.blocks
    made_of, _, makes, _ = vae.maker.blocks
    for unit, sign in enumerate((1.0, -1.0)):  # relu(z) − relu(−z) is z
        read[0, unit, :64] = w * sign
        answer[0, 0, unit] = posterior_variance / variance * sign
        made_of[0, unit, 0 : 8 * LATENT : LATENT] = sign  # the first latent number, whatever the class
        makes[0, :, unit] = w * sign
    bias[0, LATENT, 0] = math.log(posterior_variance)
    rows = random_rows(1)
    covariance = torch.outer(w, w) + variance * torch.eye(64)
    exact = torch.distributions.MultivariateNormal(torch.zeros(64), covariance).log_prob(rows[0, :64].T)
    elbo = vae.elbo(rows, torch.randn(1000, LATENT, 32))[0]
    torch.testing.assert_close(elbo, exact, atol=0.3, rtol=0)


def by_autograd(networks: list[StackedNetwork], loss: Callable[[], Tensor]) -> list[Tensor]:
    """Gradients of a loss by all blocks of the networks."""
    blocks = [block for network in networks for block in network.blocks]
    with torch.enable_grad():
        for block in blocks:
            block.requires_grad_(True)
        return list(torch.autograd.grad(loss(), blocks))


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_gradients_of_the_vae_are_those_of_autograd(weight: float) -> None:
    vae, rows, noise = a_vae(), random_rows(2), torch.randn(2, LATENT, 32)
    squared_error = vae.gradients(rows, noise, weight)

    def loss() -> Tensor:
        total = torch.zeros(())
        for member in range(2):
            answer = dense(vae.encoder, member, rows[member])
            posterior = Normal(answer[:LATENT], (answer[LATENT:] / 2).exp())
            z = posterior.loc + posterior.scale * noise[member]
            mean = dense(vae.maker, member, gated(z[None], rows[member : member + 1, 64:])[0])
            likelihood = Normal(mean, vae.variance[member].sqrt()).log_prob(rows[member, :64]).sum()
            total = total + (weight * kl_divergence(posterior, Normal(0.0, 1.0)).sum() - likelihood) / 32
        return total

    own = [block for network in (vae.encoder, vae.maker) for block in network.views(network.gradients)]
    for mine, other in zip(own, by_autograd([vae.encoder, vae.maker], loss), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-3)
    assert squared_error.shape == (2, 1, 1)


def test_gradients_of_the_gan_are_those_of_autograd() -> None:
    torch.manual_seed(0)
    gan, rows = Gan(TASK, plans_of("gan"), torch.arange(2)), random_rows(2)
    z, grain, labels = torch.randn(2, LATENT, 32), torch.randn(2, 64, 32), rows[:, 64:]
    made, kept = gan.make(z, labels, grain)
    gan.judge_gradients(rows, made)
    by_log_sd = gan.maker_gradients(made, labels, grain, kept)
    judge, maker = gan.judge.gradients.clone(), gan.maker.gradients.clone()
    log_sd = gan.log_sd.clone().requires_grad_(True)
    softplus = torch.nn.functional.softplus

    def score(member: int, x: Tensor) -> Tensor:
        return (dense(gan.judge, member, x) * labels[member]).sum(dim=0)

    def judge_loss() -> Tensor:
        losses = [softplus(-score(m, rows[m, :64])).mean() + softplus(score(m, made[m])).mean() for m in range(2)]
        return sum(losses, torch.zeros(()))

    def maker_loss() -> Tensor:
        total = torch.zeros(())
        for m in range(2):
            x = dense(gan.maker, m, gated(z, labels)[m]) + log_sd[m].exp() * grain[m]
            total = total + softplus(-score(m, x)).mean()
        return total

    for flat, network, loss in ((judge, gan.judge, judge_loss), (maker, gan.maker, maker_loss)):
        for mine, other in zip(network.views(flat), by_autograd([network], loss), strict=True):
            torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-3)
    with torch.enable_grad():
        (expected,) = torch.autograd.grad(maker_loss(), [log_sd])
    torch.testing.assert_close(by_log_sd, expected, atol=1e-5, rtol=1e-3)


def test_the_gate_is_undone_by_its_gradient() -> None:
    z, labels = torch.randn(2, LATENT, 32, requires_grad=True), random_rows(2)[:, 64:]
    error = torch.randn(2, 8 * (LATENT + 1), 32)
    (expected,) = torch.autograd.grad((gated(z, labels) * error).sum(), [z])
    torch.testing.assert_close(ungated(error, labels), expected)


def test_adam_without_momentum_is_torch_s() -> None:
    gan = Gan(TASK, plans_of("gan", 1), torch.arange(1))
    network = gan.judge
    optimizer = MemorylessAdam("adam", network, torch.full((5, 1), 0.01), torch.zeros(1))
    other = network.parameters.clone().requires_grad_(True)
    reference = torch.optim.Adam([other], lr=0.01, betas=(0.0, 0.999))
    for step in range(5):
        network.gradients.copy_(torch.randn(network.gradients.shape))
        other.grad = network.gradients.clone()
        optimizer.step(step)
        reference.step()
    used = torch.cat([block.flatten() for block in network.blocks])
    torch.testing.assert_close(used, torch.cat([block.flatten() for block in network.views(other.detach())]))


def test_the_prior_finds_clusters_and_is_a_density() -> None:
    torch.manual_seed(1)
    prior = LatentPrior(1, 2, CPU)
    labels = torch.eye(2)[torch.arange(1000) % 2]
    centres = torch.where((torch.arange(1000) % 4 < 2)[:, None], 2.0, -2.0) * torch.ones(LATENT)
    z = (centres + 0.3 * torch.randn(1000, LATENT))[None]
    before = prior.log_prob(z.transpose(1, 2), labels.T[None]).mean()
    prior.fit(z, z.square(), labels[None])
    assert prior.log_prob(z.transpose(1, 2), labels.T[None]).mean() > before + 5
    drawn = prior.draw(torch.randn(LATENT, 512))[0]
    assert drawn.abs().mean() == pytest.approx(2.0, abs=0.1)
    torch.testing.assert_close(prior.weights.sum(dim=2), torch.ones(1, 2))


def test_sliced_wasserstein_is_the_mean_of_scipy_s() -> None:
    torch.manual_seed(2)
    a, b = torch.randn(2, 64, 16) * 1.3 + 0.2, torch.randn(64, 16)
    along = directions(16)
    torch.testing.assert_close(along.norm(dim=0), torch.ones(along.shape[1]))
    for member, measured in enumerate(sliced_wasserstein(a, b).tolist()):
        ours, theirs = (a[member] @ along).numpy(), (b @ along).numpy()
        each = [wasserstein_distance(ours[:, i], theirs[:, i]) for i in range(along.shape[1])]
        assert measured == pytest.approx(np.mean(each), rel=1e-5)
    assert sliced_wasserstein(b[None], b)[0] == 0


def test_the_kernel_classifier_is_bayes_rule_on_kernel_densities() -> None:
    torch.manual_seed(3)
    made, x = torch.randn(1, 32, 64), torch.randn(32, 64)
    measured = kernel_classify(made, x, 8)[0].T
    kernels = Independent(Normal(made[0].view(8, 1, 4, 64), 0.8), 1).log_prob(x[:, None, :])
    expected = kernels.logsumexp(dim=2).T.log_softmax(dim=1)
    torch.testing.assert_close(measured, expected, atol=1e-4, rtol=1e-4)


def test_the_traditional_generator_has_the_classes_means_and_covariances() -> None:
    data = make_data(TASK, plans_of("vae", 1, rows=4096), CPU)
    means, factors = fit_normals(data, 64, 8)
    rows = draw_normals(means, factors).view(8, 256, 64)
    for number in (0, 5):
        own = data.x[0, :4096][data.y[0, :4096] == number]
        torch.testing.assert_close(means[0, number], own.mean(dim=0), atol=1e-4, rtol=1e-4)
        covariance = torch.cov(own.T, correction=0) + 0.01 * torch.eye(64)
        torch.testing.assert_close(factors[0, number] @ factors[0, number].T, covariance, atol=1e-3, rtol=1e-3)
        assert (rows[number].mean(dim=0) - own.mean(dim=0)).abs().max() < 0.35  # five standard errors


@cache
def means_of(kind: str, rung: int, rows: int, rate: float = 0.01) -> dict[str, float]:
    """Over two seeds."""
    results = train(plans_of(kind, 2, rung, rows, recipe=Recipe(learning_rate=rate)))
    names = ("accuracy_lab", "accuracy_field", "traditional_lab", "leakage", "elbo", "sliced_wasserstein")
    return {name: float(np.mean([getattr(result, name) or 0.0 for result in results])) for name in names}


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_learning_beats_untrained_and_larger_rungs_are_better(kind: str) -> None:
    untrained, small, large = (
        means_of(kind, 0, 1024, 1e-6),
        means_of(kind, 0, 1024),
        means_of(kind, 3, 1024),
    )
    assert small["sliced_wasserstein"] < untrained["sliced_wasserstein"] - 0.02
    assert large["accuracy_lab"] > small["accuracy_lab"] + 0.3
    assert large["sliced_wasserstein"] < small["sliced_wasserstein"]
    if kind == "vae":
        assert untrained["elbo"] < small["elbo"] - 5 < large["elbo"] - 15


def test_a_good_vae_beats_the_traditional_generator() -> None:
    good = means_of("vae", 5, 2048)
    assert good["accuracy_lab"] > good["traditional_lab"] + 0.03


@pytest.mark.parametrize("kind", GENERATOR_KINDS)
def test_few_rows_leak(kind: str) -> None:
    assert means_of(kind, 3, 64)["leakage"] > means_of(kind, 3, 4096)["leakage"] + 0.4


def test_more_rows_raise_the_bound() -> None:
    assert means_of("vae", 3, 64)["elbo"] < means_of("vae", 3, 1024)["elbo"] < means_of("vae", 3, 4096)["elbo"]
