"""Stacked transformers: the same few layers for every member, gradients by autograd."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from simulation.training import counter
from simulation.training.networks.dense import Architecture, StackedNetwork
from simulation.training.networks.encoders import Encoder, EncoderNetwork
from simulation.training.networks.sequences import (
    HEADS,
    Recurrent,
    RecurrentNetwork,
    SequenceNetwork,
    Transformer,
)
from simulation.training.networks.trees import TreeConvolution, TreeNetwork

LONGEST = 64.0  # base of the wavelengths of positions: inputs have at most 36 tokens (Vaswani et al. 2017: 10,000)
MAX_SCORE = 30.0  # attention scores are cut off there, so that their exponentials need no search for the largest
PER_BLOCK = 4  # layers with weights


def positions(n_tokens: int, width: int) -> Tensor:
    """Sines and cosines that tell tokens apart: float32 [tokens, width]; Vaswani et al. 2017, arXiv:1706.03762."""
    pairs = torch.arange(0, width, 2)
    angles = torch.arange(n_tokens)[:, None] / LONGEST ** (pairs / width)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class TransformerNetwork(SequenceNetwork):
    """Stacked transformers with normalisation before each part (Xiong et al. 2020, arXiv:2002.04745).

    Normalisation has no parameters of its own. Activations are [M, rows · tokens, width].
    """

    recordable = False

    def __init__(self, architecture: Transformer, n_members: int, device: torch.device) -> None:
        super().__init__(architecture, n_members, device)
        self.width, self.n_blocks = architecture.width, architecture.n_blocks
        self._positions = positions(architecture.tokens.n_tokens, self.width).to(device)

    def initialise(self, seeds: Tensor) -> None:
        """Draw weights from the members' seeds (int64 [M]): uniform with unit gain, He's where an activation follows;
        what is added to the residual stream starts smaller (gain 1/√3). Biases are 0."""
        self.parameters.zero_()
        for layer, (out, into) in enumerate(self.architecture.layers):
            fan = into if layer else self.tokens.n_live
            u = counter.uniforms(counter.stream_keys(seeds, "weights", layer), 0, out * into)
            self.blocks[2 * layer].copy_(((u * 2 - 1) * math.sqrt(self._gain(layer) / fan)).view(-1, out, into))

    def _gain(self, layer: int) -> float:
        """Three times the variance that a weighted sum of unit inputs starts with."""
        if layer in (0, len(self.architecture.layers) - 1):
            return 3.0
        return (3.0, 1.0, 6.0, 1.0)[(layer - 1) % PER_BLOCK]

    def forward(
        self, x: Tensor, blocks: Sequence[Tensor] | None = None, reuse: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """Logits [M, n_classes, rows] of inputs [M, n_inputs, rows]; with `reuse`, what `backward` needs."""
        blocks = self.blocks if blocks is None else blocks
        tokens = self._tokens(x)
        if not reuse:
            return self.logits(tokens, blocks), []
        with torch.enable_grad():
            leaves = [block.detach().requires_grad_() for block in blocks]
            logits = self.logits(tokens, leaves)
        return logits.detach(), [logits, *leaves]

    def backward(self, error: Tensor, kept: list[Tensor]) -> None:
        """Write the gradients of all blocks; arguments as in `StackedNetwork`."""
        logits, *leaves = kept
        for block, gradient in zip(self._gradient_blocks, torch.autograd.grad(logits, leaves, error), strict=True):
            block.copy_(gradient)

    def logits(self, tokens: Tensor, blocks: Sequence[Tensor]) -> Tensor:
        """Logits [M, n_classes, rows] of tokens [M, taps, tokens, rows]."""
        n, taps, length, rows = tokens.shape
        embedded = torch.baddbmm(blocks[1], blocks[0], tokens.reshape(n, taps, length * rows))
        by_row = embedded.view(n, self.width, length, rows).permute(0, 3, 2, 1) + self._positions
        h = by_row.reshape(n, rows * length, self.width)
        for block in range(self.n_blocks):
            first = 2 + 2 * PER_BLOCK * block
            h = self._block(h, blocks[first : first + 2 * PER_BLOCK], length)
        pooled = self._normalised(h).view(n * rows, length, self.width).mean(dim=1).view(n, rows, self.width)
        return torch.baddbmm(blocks[-1], blocks[-2], pooled.transpose(1, 2))

    def _block(self, h: Tensor, blocks: Sequence[Tensor], length: int) -> Tensor:
        attend, attend_b, mix, mix_b, up, up_b, down, down_b = blocks
        mixed = self._attention(_affine(self._normalised(h), attend, attend_b), length)
        h = h + _affine(mixed, mix, mix_b)
        return h + _affine(self._activate(_affine(self._normalised(h), up, up_b)), down, down_b)

    def _normalised(self, h: Tensor) -> Tensor:
        return functional.layer_norm(h, (self.width,))

    def _attention(self, projected: Tensor, length: int) -> Tensor:
        """Every token's mixture of values; projected [M, rows · tokens, 3 · width] gives [M, rows · tokens, width]."""
        n, columns, _ = projected.shape
        parts = projected.view(-1, length, 3, HEADS, self.width // HEADS).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts.reshape(3, -1, length, self.width // HEADS).unbind(0)
        queries = queries * (1.0 / math.sqrt(self.width // HEADS))
        scores = torch.bmm(queries, keys.transpose(1, 2))
        shares = scores.clamp(-MAX_SCORE, MAX_SCORE).exp()
        # A column of ones beside the values: one product gives the mixture and the sum that it is divided by.
        summed = torch.bmm(shares, torch.cat([values, torch.ones_like(values[:, :, :1])], dim=2))
        mixed = (summed[:, :, :-1] / summed[:, :, -1:]).view(-1, HEADS, length, self.width // HEADS)
        return mixed.transpose(1, 2).reshape(n, columns, self.width)


def _affine(h: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
    """Weights [M, out, in] and biases [M, out, 1] on h [M, columns, in]: [M, columns, out]."""
    return torch.baddbmm(biases.transpose(1, 2), h, weights.transpose(1, 2))


def stacked_network(architecture: Architecture, n_members: int, device: torch.device) -> StackedNetwork:
    """Networks of whatever kind the architecture describes, with parameters that are still zero."""
    if isinstance(architecture, Recurrent):
        return RecurrentNetwork(architecture, n_members, device)
    if isinstance(architecture, Transformer):
        return TransformerNetwork(architecture, n_members, device)
    if isinstance(architecture, TreeConvolution):
        return TreeNetwork(architecture, n_members, device)
    if isinstance(architecture, Encoder):
        return EncoderNetwork(architecture, n_members, device)
    return StackedNetwork(architecture, n_members, device)
