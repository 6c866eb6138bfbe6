"""The traditional method: a linear classifier by ridge regression on the same rows, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1.0  # assumption: scikit-learn's default for RidgeClassifier
CONSTANT_RIDGE = 1e-6  # keeps the system regular and the constant all but free
FLOOR = 1e-3  # least probability of a class: a linear score is no probability and may leave [0, 1]


def fit_ridge(gram: Tensor, moments: Tensor, n_inputs: int) -> tuple[Tensor, Tensor]:
    """Weights [M, n_classes, n_inputs] and biases [M, n_classes, 1] from the sums of `ChunkData`.

    Least squares on one-hot labels, all members in one batched Cholesky solve; the constant is not shrunk. Solved in
    double precision on the CPU: the matrices are tiny and the answer is then the same beside any device.
    """
    shrinkage = torch.ones(gram.shape[-1], dtype=torch.float64)
    shrinkage[:n_inputs], shrinkage[n_inputs] = RIDGE, CONSTANT_RIDGE
    factor = torch.linalg.cholesky(gram.cpu().double() + torch.diag(shrinkage))
    solution = torch.cholesky_solve(moments.cpu().double(), factor)
    stacked = solution.transpose(1, 2).to(gram.device, torch.float32)
    return stacked[:, :, :n_inputs].contiguous(), stacked[:, :, n_inputs : n_inputs + 1].contiguous()


def log_probabilities(scores: Tensor) -> Tensor:
    """Linear scores [M, n_classes, rows] read as probabilities: clipped, then normalised; their logarithm."""
    clipped = scores.clamp(FLOOR, 1.0)
    return (clipped / clipped.sum(dim=1, keepdim=True)).log()
