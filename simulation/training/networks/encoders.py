"""Encoders of texts: every pair of neighbours becomes one state, level by level, with weights of each level.

**Layout** is tokens first: states are [members, rows · places, width], so that a pair is one long row without copying.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from simulation.training import counter
from simulation.training.networks.dense import Architecture, StackedNetwork

INNER = 2  # inner units of a pair's layer, in widths
TOP_GAIN = 6.0
TOP, MOST_TOP = 8, 1024  # random units that look at the two halves of a text together, in widths; at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder(Architecture):
    """An encoder up to the two halves of a text, and a read-out from what a class can be told by.

    The read-out sees the states of the halves and of the quarters, and units that look at both halves together (a
    linear read-out could not see how they go together). `hidden` is the width alone.

    Attributes:
        symbols: of tokens; an input holds, symbol by symbol, whether it stands at each place.
        levels: of pairs that are joined.
    """

    symbols: int
    levels: int

    @property
    def width(self) -> int:
        """Numbers of a state."""
        return self.hidden[0]

    @property
    def length(self) -> int:
        """Tokens of a text."""
        return self.n_inputs // self.symbols

    @property
    def n_top(self) -> int:
        """Units on top."""
        return min(TOP * self.width, MOST_TOP)

    @property
    def n_features(self) -> int:
        """What the read-out sees: two halves, four quarters, the units on top."""
        return (2 + 4) * self.width + self.n_top

    @property
    def body(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of the layers that pretraining trains: of tokens, then two for each level."""
        d = self.width
        return [(d, self.symbols), *([(INNER * d, 2 * d), (d, INNER * d)] * self.levels)]

    @property
    def layers(self) -> list[tuple[int, int]]:
        """The same of all layers: those of the body, the units on top, the read-out."""
        return [*self.body, (self.n_top, 2 * self.width), (self.n_classes, self.n_features)]

    def products(self) -> list[int]:
        """Multiplications per row in every layer."""
        places = [self.length, *(self.length >> level for level in range(1, self.levels + 1) for _ in (0, 1)), 1, 1]
        return [out * into * n for (out, into), n in zip(self.layers, places, strict=True)]


def tokens_first(x: Tensor, symbols: int) -> Tensor:
    """Inputs [M, symbols · places, rows] as [M, rows · places, symbols]."""
    n, inputs, rows = x.shape
    return x.reshape(n, symbols, inputs // symbols, rows).permute(0, 3, 2, 1).reshape(n, -1, symbols)


def affine(h: Tensor, weights: Tensor, biases: Tensor) -> Tensor:
    """Weights [M, out, in] and biases [M, out, 1] on h [M, columns, in]: [M, columns, out]."""
    return torch.baddbmm(biases.transpose(1, 2), h, weights.transpose(1, 2))


def states(tokens: Tensor, body: Sequence[Tensor]) -> list[Tensor]:
    """States of tokens, pairs, … up to the halves: [M, rows · places, width] each.

    Args:
        tokens: [M, rows · places, symbols].
        body: weights and biases in turn of `Encoder.body`.
    """
    h = affine(tokens, body[0], body[1])
    known = [h]
    for first in range(2, len(body), 4):
        up, up_b, down, down_b = body[first : first + 4]
        n, columns, width = h.shape
        pairs = h.view(n, columns // 2, 2 * width)
        mean = h.view(n, columns // 2, 2, width).sum(dim=2).mul(0.5)
        h = normalised(affine(affine(pairs, up, up_b).relu_(), down, down_b) + mean)
        known.append(h)
    return known


def normalised(h: Tensor) -> Tensor:
    """Mean 0 and variance 1 of each state; no parameters of its own."""
    return functional.layer_norm(h, (h.shape[2],))


def features(tokens: Tensor, blocks: Sequence[Tensor]) -> Tensor:
    """What the read-out sees: [M, rows, n_features]; `blocks` are those of all layers but the read-out."""
    *_, quarters, halves = states(tokens, blocks[:-2])
    n, columns, width = halves.shape
    both = halves.view(n, columns // 2, 2 * width)
    top = affine(both, blocks[-2], blocks[-1]).relu_()
    return torch.cat([both, quarters.view(n, columns // 2, 4 * width), top], dim=2)


def first_weights(
    seeds: Tensor, purpose: str, layers: Sequence[tuple[int, int]], gains: Sequence[float], blocks: Sequence[Tensor]
) -> None:
    """Draw weights into blocks from seeds [M]: uniform, with a third of gain / inputs as their variance."""
    for layer, ((out, into), gain) in enumerate(zip(layers, gains, strict=True)):
        u = counter.uniforms(counter.stream_keys(seeds, purpose, "weights", layer), 0, out * into)
        blocks[2 * layer].copy_(((u * 2 - 1) * math.sqrt(gain / into)).view(-1, out, into))


def body_gains(encoder: Encoder) -> list[float]:
    """Of the body's layers: He's where ReLU follows; less where a layer adds to what passes by it."""
    return [3.0 * encoder.symbols, *([6.0, 1.0] * encoder.levels)]


class EncoderNetwork(StackedNetwork):
    """Stacked encoders with read-outs; gradients by autograd."""

    recordable = False

    def __init__(self, architecture: Encoder, n_members: int, device: torch.device) -> None:
        super().__init__(architecture, n_members, device)
        self.encoder = architecture

    def initialise(self, seeds: Tensor) -> None:
        """Draw weights from the members' seeds (int64 [M]); biases are 0."""
        self.parameters.zero_()
        gains = [*body_gains(self.encoder), TOP_GAIN, 3.0]
        first_weights(seeds, "encoder", self.encoder.layers, gains, self.blocks)

    def forward(
        self, x: Tensor, blocks: Sequence[Tensor] | None = None, reuse: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """Logits [M, n_classes, rows] of inputs [M, n_inputs, rows]; with `reuse`, what `backward` needs."""
        blocks = self.blocks if blocks is None else blocks
        tokens = tokens_first(x, self.encoder.symbols)
        if not reuse:
            return self.logits(tokens, blocks), []
        with torch.enable_grad():
            leaves = [block.detach().requires_grad_() for block in blocks]
            logits = self.logits(tokens, leaves)
        return logits.detach(), [logits, *leaves]

    def logits(self, tokens: Tensor, blocks: Sequence[Tensor]) -> Tensor:
        """Logits [M, n_classes, rows] of tokens [M, rows · places, symbols]."""
        return torch.baddbmm(blocks[-1], blocks[-2], features(tokens, blocks[:-2]).transpose(1, 2))

    def backward(self, error: Tensor, kept: list[Tensor]) -> None:
        """Write the gradients of all blocks; arguments as in `StackedNetwork`."""
        logits, *leaves = kept
        found = torch.autograd.grad(logits, leaves, error, allow_unused=True, materialize_grads=True)
        for block, gradient in zip(self._gradient_blocks, found, strict=True):
            block.copy_(gradient)
