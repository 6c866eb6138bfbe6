"""A read-out in closed form: ridge regression on features, its shrinkage chosen by generalised cross-validation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

PENALTIES = tuple(10.0 ** (power / 2) for power in range(11))
"""To choose from, for features of variance 1; assumption."""
AT_ONCE = 1024
"""Rows that are summed at once: single precision within, double between."""
LEAST_SD = 1e-3
LEAST_SQUARE = 1e-6  # of a direction of the features that has any length


class ReadOut(NamedTuple):
    """Scores are weights · features + biases: weights [n_classes, n_features], biases [n_classes]."""

    weights: Tensor
    biases: Tensor


class _Directions(NamedTuple):
    """Principal directions of standardised features X = U S Vᵀ, and what they hold of the targets Y.

    Attributes:
        squares: S², [k].
        held: squared entries of UᵀY, summed over classes: [k].
        basis, coefficients: weights with the penalty λ are basis · coefficients / (S² + λ).
    """

    squares: Tensor
    held: Tensor
    basis: Tensor
    coefficients: Tensor


def fit_read_out(x: Tensor, y: Tensor, n_classes: int) -> ReadOut:
    """Fit the read-out of one member to one-hot labels; on the CPU, the same beside any device.

    Args:
        x: features, float32 [n, n_features].
        y: labels, int64 [n].
    """
    x, wanted = x.cpu(), one_hot(y.cpu(), n_classes).double()
    mean, sd = x.mean(dim=0), x.std(dim=0).clamp_min(LEAST_SD)
    x, shares = (x - mean) / sd, wanted.mean(dim=0)
    wanted = wanted - shares
    found = _by_rows(x, wanted) if len(x) <= x.shape[1] else _by_features(x, wanted)
    penalty = _best_penalty(found, float(wanted.square().sum()), len(x))
    standardised = found.basis @ (found.coefficients / (found.squares + penalty)[:, None])
    weights = (standardised / sd.double()[:, None]).T
    return ReadOut(weights.float().contiguous(), (shares - weights @ mean.double()).float())


def _by_features(x: Tensor, wanted: Tensor) -> _Directions:
    """From XᵀX = V S² Vᵀ."""
    n_features = x.shape[1]
    gram = torch.zeros(n_features, n_features, dtype=torch.float64)
    moments = torch.zeros(n_features, wanted.shape[1], dtype=torch.float64)
    for rows, targets in zip(x.split(AT_ONCE), wanted.split(AT_ONCE), strict=True):
        gram += rows.T @ rows
        moments += rows.T.double() @ targets
    squares, vectors = torch.linalg.eigh(gram)
    squares = squares.clamp_min(LEAST_SQUARE)
    coefficients = vectors.T @ moments
    return _Directions(squares, coefficients.square().sum(dim=1) / squares, vectors, coefficients)


def _by_rows(x: Tensor, wanted: Tensor) -> _Directions:
    """From XXᵀ = U S² Uᵀ: cheaper where there are fewer rows than features."""
    x = x.double()
    squares, vectors = torch.linalg.eigh(x @ x.T)
    coefficients = vectors.T @ wanted
    return _Directions(squares.clamp_min(LEAST_SQUARE), coefficients.square().sum(dim=1), x.T @ vectors, coefficients)


def _best_penalty(found: _Directions, total: float, n: int) -> float:
    """The penalty of least squared error over (1 − effective parameters / n)²: generalised cross-validation (Golub,
    Heath & Wahba 1979, doi:10.1080/00401706.1979.10489751)."""
    scores = []
    for penalty in PENALTIES:
        kept = found.squares / (found.squares + penalty)
        error = total - float((found.held * (2 * kept - kept.square())).sum())
        free = 1.0 - (float(kept.sum()) + 1.0) / n
        scores.append(error / free**2 if free > 0 else float("inf"))
    return PENALTIES[scores.index(min(scores))]
