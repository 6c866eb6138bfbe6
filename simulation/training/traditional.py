"""The traditional method: a linear classifier by ridge regression on the same rows, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1.0  # assumption: scikit-learn's default for RidgeClassifier
FLOOR = 1e-3  # least probability of a class: a linear score is no probability and may leave [0, 1]


def fit_ridge(gram: Tensor, moments: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [M, n_classes, n_inputs] and biases [M, n_classes, 1] from the sums of `ChunkData`.

    Least squares on one-hot labels, all members in one batched Cholesky solve; the constant is not shrunk. Solved in
    double precision on the CPU: the matrices are tiny and the answer is then the same beside any device.
    """
    wide = gram.to("cpu", torch.float64)
    shrinkage = torch.full((wide.shape[-1],), RIDGE, dtype=torch.float64)
    shrinkage[-1] = 1e-6
    factor = torch.linalg.cholesky(wide + torch.diag(shrinkage))
    solution = torch.cholesky_solve(moments.to("cpu", torch.float64), factor)
    stacked = solution.transpose(1, 2).to(torch.float32).to(gram.device)
    return stacked[:, :, :-1].contiguous(), stacked[:, :, -1:].contiguous()


def log_probabilities(scores: Tensor) -> Tensor:
    """Linear scores [M, n_classes, rows] read as probabilities: clipped, then normalised; their logarithm."""
    clipped = scores.clamp(FLOOR, 1.0)
    return (clipped / clipped.sum(dim=1, keepdim=True)).log()
