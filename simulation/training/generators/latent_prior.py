"""What a VAE's latent numbers are drawn from when it is shipped: a mixture of normals for each class.

A decoder fed with standard normal numbers meets places that no row was encoded to. The prior is therefore fitted to the
encoded training rows after training (Ghosh et al. 2020, arXiv:1903.12436), by expectation maximisation (Dempster, Laird
& Rubin 1977). Each code enters with its spread; what is raised is a lower bound of the mean log prior in the ELBO.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from simulation.training.generators.parts import LATENT, fixed_noise

N_COMPONENTS = 16
"""Of each class; assumption: a mark has four variants and mostly four places."""
N_CODES = 1024
"""Training rows that the prior is fitted to, the member's first."""
ITERATIONS = 10
PSEUDO_ROWS = 0.5
"""Rows of a standard normal that each component has seen beforehand: a component without rows is one."""
FORBIDDEN = -1e9
"""Logarithm of the probability of another class's component."""


class LatentPrior:
    """Mixtures of C = n_classes · `N_COMPONENTS` normals with diagonal covariances, class after class.

    Attributes:
        means, variances: float32 [M, C, LATENT].
        weights: of a class's components, float32 [M, n_classes, N_COMPONENTS].
    """

    def __init__(self, n_members: int, n_classes: int, device: torch.device) -> None:
        start = fixed_noise("components", N_COMPONENTS, LATENT).to(device)
        self.n_classes = n_classes
        self.means = start.repeat(n_members, n_classes, 1)
        self.variances = torch.ones_like(self.means)
        self.weights = torch.full((n_members, n_classes, N_COMPONENTS), 1.0 / N_COMPONENTS, device=device)

    def log_densities(self, first: Tensor, second: Tensor, labels: Tensor) -> Tensor:
        """Expected log of weight times density of each component: [M, rows, C], `FORBIDDEN` for other classes.

        Args:
            first, second: expectations of z and z², float32 [M, rows, LATENT].
            labels: one-hot, float32 [M, rows, n_classes].
        """
        precision = 1.0 / self.variances
        by_feature = torch.cat([self.means * precision, -0.5 * precision], dim=2)
        constant = self.means.square() * precision + self.variances.log() + math.log(2.0 * math.pi)
        constant = self.weights.flatten(1).log() - 0.5 * constant.sum(dim=2)
        densities = torch.bmm(torch.cat([first, second], dim=2), by_feature.transpose(1, 2)) + constant[:, None, :]
        other = (1.0 - labels).repeat_interleave(N_COMPONENTS, dim=2)
        return densities.addcmul_(other, torch.full((), FORBIDDEN, device=other.device))

    def log_prob(self, z: Tensor, labels: Tensor) -> Tensor:
        """Log-density of z [M, LATENT, B] given one-hot labels [M, n_classes, B]: [M, B]."""
        z = z.transpose(1, 2).contiguous()
        return self.log_densities(z, z.square(), labels.transpose(1, 2)).logsumexp(dim=2)

    def fit(self, first: Tensor, second: Tensor, labels: Tensor) -> None:
        """Fit in place to codes; arguments as in `log_densities`, a row with labels all zero counts for nothing."""
        counted = labels.sum(dim=2, keepdim=True)
        moments = torch.cat([first, second, counted.expand(-1, -1, LATENT)], dim=2)
        for _ in range(ITERATIONS):
            shares = self.log_densities(first, second, labels).softmax(dim=2) * counted
            sums = torch.bmm(shares.transpose(1, 2).contiguous(), moments)
            total, squares, rows = sums.split(LATENT, dim=2)
            rows = rows + PSEUDO_ROWS
            self.means = total / rows
            self.variances = (squares + PSEUDO_ROWS) / rows - self.means.square()
            by_class = rows[:, :, 0].unflatten(1, (self.n_classes, N_COMPONENTS))
            self.weights = by_class / by_class.sum(dim=2, keepdim=True)

    def draw(self, noise: Tensor) -> Tensor:
        """Latent numbers [M, LATENT, n_classes · n], class after class, from standard normal noise of that shape's end.

        A class's components share its n draws evenly, by their weights (stratified).
        """
        n = noise.shape[1] // self.n_classes
        levels = (torch.arange(n, device=noise.device) + 0.5) / n
        cumulative = self.weights.cumsum(dim=2)[..., :-1].contiguous()
        chosen = torch.searchsorted(cumulative, levels.expand(*cumulative.shape[:2], n).contiguous())
        chosen = chosen + torch.arange(self.n_classes, device=noise.device)[:, None] * N_COMPONENTS
        chosen = chosen.flatten(1)[..., None].expand(-1, -1, LATENT)
        means, variances = (table.gather(1, chosen).transpose(1, 2) for table in (self.means, self.variances))
        return means + variances.sqrt() * noise

    @property
    def n_parameters(self) -> int:
        """Numbers of one member's mixtures."""
        return self.n_classes * N_COMPONENTS * (2 * LATENT + 1)
