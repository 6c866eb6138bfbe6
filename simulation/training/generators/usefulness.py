"""How good generated rows are: for teaching a classifier, and by their distance from real ones.

**Usefulness** is the classification accuracy score (Ravuri & Vinyals 2019, arXiv:1905.10887): a fixed classifier is
given generated rows instead of real ones and tested on real rows. The classifier is Parzen's (1962,
doi:10.1214/aoms/1177704472): each class's density is a mean of normal kernels around its rows. Ridge regression, the
other tasks' traditional method, would not do: it sees only means and covariances, so a normal distribution per class
serves it as well as the real rows do.

**Distance** is the sliced Wasserstein distance (Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3): the mean over
fixed random directions of the first Wasserstein distance between projections.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from simulation.training.data import BLOCK, ChunkData
from simulation.training.generators.parts import fixed_noise, one_hot
from simulation.training.measures import SLAB

N_PER_CLASS = 256
"""Generated rows of each class; of eight classes 2,048."""
BANDWIDTH = 0.8
"""Standard deviation of a kernel, of inputs; assumption: with 2,048 real rows anything from 0.3 to 1 gives 99 %."""
N_DIRECTIONS = 128
SHRINKAGE = 1e-2
"""Variance added to the traditional generator's covariances, which few rows leave singular; assumption."""


def kernel_classify(generated: Tensor, x: Tensor, n_classes: int) -> Tensor:
    """Log-probabilities of rows by Parzen's classifier.

    Args:
        generated: float32 [M, n_classes · n, n_inputs], class after class, equally many of each.
        x: real rows float32 [rows, n_inputs], a multiple of 32; the same for all members.
        n_classes: number of classes.

    Returns:
        float32 [M, n_classes, rows].
    """
    return torch.stack([_kernel_classify(rows, x, n_classes) for rows in generated])


def _kernel_classify(generated: Tensor, x: Tensor, n_classes: int) -> Tensor:
    """Of one member, whose table of kernels fills the cache."""
    precision = BANDWIDTH**-2
    turned = (generated * precision).T.contiguous()
    constant = generated.square().sum(dim=1) * (-0.5 * precision)
    parts = []
    for slab in x.split(SLAB):
        # Of −|x − g|²/2h² what depends on g.
        kernels = torch.addmm(constant, slab, turned).view(len(slab), n_classes, -1)
        best = kernels.amax(dim=2, keepdim=True)
        # As `logsumexp`, in place: the table is the largest thing here.
        parts.append(kernels.sub_(best).exp_().sum(dim=2).log_().add_(best[:, :, 0]))
    return torch.cat(parts).T.contiguous().log_softmax(dim=0)


@cache
def directions(n_inputs: int) -> Tensor:
    """`N_DIRECTIONS` fixed unit vectors, uniform on the sphere: float32 [n_inputs, N_DIRECTIONS]."""
    return torch.nn.functional.normalize(fixed_noise("directions", n_inputs, N_DIRECTIONS), dim=0)


def sliced_wasserstein(a: Tensor, b: Tensor) -> Tensor:
    """Mean over the directions of W₁ between the projections of a [M, n, n_inputs] and b [n, n_inputs]: [M].

    Between equally many points on a line, W₁ is the mean absolute difference of the points in order.
    """
    along = directions(b.shape[1]).to(b.device)
    target = (along.T @ b.T).sort(dim=1).values
    # One by one: a product shared by all members would round by their number.
    distances = [((along.T @ rows.T).sort(dim=1).values - target).abs().mean() for rows in a]
    return torch.stack(distances)


def fit_normals(data: ChunkData, n_inputs: int, n_classes: int) -> tuple[Tensor, Tensor]:
    """The traditional generator, one normal distribution per class fitted to a member's training rows.

    Returns:
        Means [M, n_classes, n_inputs] and lower Cholesky factors of the covariances [M, n_classes, n_inputs, n_inputs];
        a class without rows is a standard normal around zero.
    """
    counts = data.moments[:, n_inputs, :]
    means = (data.moments[:, :n_inputs, :] / counts.clamp_min(1.0)[:, None, :]).transpose(1, 2).cpu().double()
    squares = _class_squares(data, n_classes).cpu().double() / counts.clamp_min(1.0)[:, :, None, None].cpu().double()
    covariances = squares - means[:, :, :, None] * means[:, :, None, :]
    diagonal = torch.where(counts > 0, SHRINKAGE, 1.0).cpu().double()[:, :, None].expand(-1, -1, n_inputs)
    # In double precision on the CPU, as the ridge regression is solved.
    factors = torch.linalg.cholesky(covariances + torch.diag_embed(diagonal))
    return means.to(data.x.device, torch.float32), factors.to(data.x.device, torch.float32)


def _class_squares(data: ChunkData, n_classes: int) -> Tensor:
    """Sums of xxᵀ over the rows of each class: float32 [M, n_classes, n_inputs, n_inputs]."""
    n_members, height, n_inputs = data.x.shape
    total = torch.zeros(n_members, n_classes * n_inputs, n_inputs, device=data.x.device)
    index = torch.arange(BLOCK, device=data.x.device)
    for start in range(0, height, BLOCK):
        active = int((data.rows > start).sum())  # smaller members stand at the end
        part = slice(start, start + BLOCK)
        x = data.x[:active, part] * (index + start < data.rows[:active, None])[..., None]
        by_class = one_hot(data.y[:active, part], n_classes)[..., None] * x[:, :, None, :]
        total[:active] += torch.bmm(by_class.flatten(2).transpose(1, 2), x)
    return total.view(n_members, n_classes, n_inputs, n_inputs)


def draw_normals(means: Tensor, factors: Tensor) -> Tensor:
    """`N_PER_CLASS` rows of each class: float32 [M, n_classes · N_PER_CLASS, n_inputs]."""
    n_members, n_classes, n_inputs = means.shape
    noise = fixed_noise("traditional", n_classes, N_PER_CLASS, n_inputs).to(means.device)
    rows = torch.stack([torch.bmm(noise, factor.transpose(1, 2)) for factor in factors]) + means[:, :, None, :]
    return rows.view(n_members, -1, n_inputs)
