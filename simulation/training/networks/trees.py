"""Convolutional networks whose kernels fit the tree of a text: each layer joins pairs of neighbours, up to the root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulation.training.networks.dense import Architecture, StackedNetwork

PAIR = 2  # steps that a filter joins


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeConvolution(Architecture):
    """Layers of filters of size 2 and stride 2, one for each level of the tree, and a read-out from the root.

    Such networks learn hierarchies of rules from far fewer rows than others (Cagnetta et al. 2024, arXiv:2307.02129):
    among networks from scratch they are the specialist to beat. `hidden` holds the filters of each level.

    Attributes:
        channels: numbers of a step of the input; a row has channels · 2^levels of them, channel by channel.
    """

    channels: int

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of every level from the bottom, then of the read-out."""
        sizes = [self.channels, *self.hidden]
        levels = [(out, PAIR * into) for out, into in zip(self.hidden, sizes[:-1], strict=True)]
        return [*levels, (self.n_classes, sizes[-1])]

    def places(self, layer: int) -> int:
        """How often a layer's weights are used for a row."""
        return int(PAIR ** max(len(self.hidden) - 1 - layer, 0))

    def products(self) -> list[int]:
        """Multiplications per row in every layer."""
        return [out * into * self.places(layer) for layer, (out, into) in enumerate(self.layers)]


def pairs(x: Tensor, places: int) -> Tensor:
    """Neighbours one below the other: x [M, features, 2 · places, rows] gives [M, 2 · features, places · rows]."""
    n, features, _, rows = x.shape
    return x.view(n, features, places, PAIR, rows).permute(0, 3, 1, 2, 4).reshape(n, PAIR * features, places * rows)


def unpaired(x: Tensor, places: int) -> Tensor:
    """The inverse of `pairs`, with places and rows in one: [M, features, 2 · places · rows]."""
    n, features, columns = x.shape[0], x.shape[1] // PAIR, x.shape[2]
    apart = x.view(n, PAIR, features, places, columns // places)
    return apart.permute(0, 2, 3, 1, 4).reshape(n, features, PAIR * columns)


class TreeNetwork(StackedNetwork):
    """Stacked networks of a `TreeConvolution`."""

    def __init__(self, architecture: TreeConvolution, n_members: int, device: torch.device) -> None:
        super().__init__(architecture, n_members, device)
        self._shape = architecture

    def forward(
        self, x: Tensor, blocks: Sequence[Tensor] | None = None, reuse: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """Logits [M, n_classes, rows] of inputs [M, n_inputs, rows], and the input of every layer."""
        blocks = self.blocks if blocks is None else blocks
        rows, kept = x.shape[2], list[Tensor]()
        for layer in range(len(self._shape.hidden)):
            places = self._shape.places(layer)
            own = x if x.stride(0) else x[:1]  # rows shared by all members are joined once
            x = pairs(own.reshape(len(own), -1, PAIR * places, rows), places).expand(len(x), -1, -1)
            kept.append(x)
            x = self._activate(torch.baddbmm(blocks[2 * layer + 1], blocks[2 * layer], x))
        kept.append(x)
        return torch.baddbmm(blocks[-1], blocks[-2], x), kept

    def _layer_errors(self, error: Tensor, kept: list[Tensor]) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Number, error [M, out, columns] and input [M, in, columns] of every layer, the last first."""
        for layer in range(len(kept) - 1, -1, -1):
            yield layer, error, kept[layer]
            if layer == 0:
                return
            error = torch.bmm(self._turned[layer], error)
            self._times_activation_gradient(error, kept[layer])
            if layer < len(self._shape.hidden):
                error = unpaired(error, self._shape.places(layer))

    def row_norms(self, error: Tensor, kept: list[Tensor]) -> Tensor:
        """Norm of each row's own gradient over all weights and biases; arguments as in `StackedNetwork`."""
        squares = torch.zeros(len(error), error.shape[2], device=error.device)
        for layer, own, inputs in self._layer_errors(error, kept):
            squares += self._filter_squares(own, inputs, self._shape.places(layer))
        return squares.sqrt()
