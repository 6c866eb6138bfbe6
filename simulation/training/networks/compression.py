"""Smaller models: weights rounded to 8 bits, or the smaller half of them removed. Accuracy is measured afterwards.

Distillation, the third way, is a training run of its own: see `classifiers/train.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor

PRUNED_SHARE = 0.5
LEVELS = 127  # symmetric 8-bit integers


def quantise(weights: Tensor) -> Tensor:
    """Weights [M, out, in] rounded to 8-bit steps, one scale per output (symmetric, after training)."""
    scale = weights.abs().amax(dim=2, keepdim=True).clamp_min(1e-12) / LEVELS
    return (weights / scale).round_().clamp_(-LEVELS, LEVELS).mul_(scale)


def prune(weights: Tensor) -> Tensor:
    """Weights [M, out, in] with the half of smallest magnitude in each member's layer set to zero."""
    magnitudes = weights.abs().flatten(1)
    n_kept = magnitudes.shape[1] - int(magnitudes.shape[1] * PRUNED_SHARE)
    threshold = magnitudes.topk(n_kept, dim=1).values[:, -1]
    return torch.where(weights.abs() >= threshold[:, None, None], weights, 0.0)


def compress(blocks: list[Tensor], methods: list[str]) -> list[Tensor]:
    """Weights and biases in turn, each member's weights compressed by its method; biases stay whole."""
    chosen = {method: torch.tensor([m == method for m in methods])[:, None, None] for method in set(methods)}
    result = []
    for position, block in enumerate(blocks):
        if position % 2 == 0:
            if "int8" in chosen:
                block = torch.where(chosen["int8"].to(block.device), quantise(block), block)
            if "pruned" in chosen:
                block = torch.where(chosen["pruned"].to(block.device), prune(block), block)
        result.append(block)
    return result


def model_bytes(blocks: list[Tensor], methods: list[str]) -> list[int]:
    """Stored size of each member: see `TrainingResult.model_bytes`."""
    left = sum(block.count_nonzero(dim=(1, 2)) for block in blocks[::2])
    assert isinstance(left, Tensor)
    n_weights = sum(block[0].numel() for block in blocks[::2])
    n_others = sum(block[0].numel() for block in blocks[1::2])
    # 8-bit weights need one scale for each output, as many as there are biases.
    whole = 4 * (n_weights + n_others)
    sizes = {"none": whole, "distilled": whole, "int8": n_weights + 8 * n_others}
    return [
        6 * int(kept) + 4 * n_others if method == "pruned" else sizes[method]
        for method, kept in zip(methods, left.tolist(), strict=True)
    ]
