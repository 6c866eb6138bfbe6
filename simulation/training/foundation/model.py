"""What pretraining trains: an encoder, and a decoder that tells every token from all the others of its text.

The encoder goes up the tree of pairs, the decoder down again: what is known of a node without what is below it follows
from the same of its parent and from the state of its sibling. At the bottom, each token is predicted from all others
and from none of itself, so no token need be masked, and one pass trains on all of them (the inside and outside passes
of a parser; Drozdov et al. 2019, arXiv:1904.02142). A network that joins neighbours first learns such a language from
far less text than plain attention does (Cagnetta et al. 2025, arXiv:2505.07070).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from simulation.training.foundation.passes import Passes
from simulation.training.networks.dense import StackedNetwork
from simulation.training.networks.encoders import INNER, Encoder, affine, body_gains, first_weights, normalised, states
from simulation.training.tasks.documents import GRAMMAR

SIDES = 2  # of a parent: each has weights of its own, stacked in one block


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconstruction(Encoder):
    """An encoder's body, and a decoder of as many levels and one more: the root's, which knows nothing."""

    @property
    def decoder(self) -> list[tuple[int, int]]:
        """(outputs of both sides, inputs) of each level from the top, two layers each; then of the prediction."""
        d = self.width
        levels = [
            layer
            for n in range(self.levels + 1)
            for layer in ((SIDES * INNER * d, d if n == 0 else 2 * d), (SIDES * d, INNER * d))
        ]
        return [*levels, (self.symbols, d)]

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of all layers, the encoder's first."""
        return [*self.body, *self.decoder]

    def products(self) -> list[int]:
        """Multiplications per text in every layer."""
        up = [self.length, *(self.length >> level for level in range(1, self.levels + 1) for _ in (0, 1))]
        down = [1 << level for level in range(self.levels + 1) for _ in (0, 1)]
        return [out * into * n for (out, into), n in zip(self.layers, [*up, *down, self.length], strict=True)]


def encoder_of(width: int, n_classes: int) -> Encoder:
    """The encoder of a foundation of that width, with a read-out for that many classes."""
    inputs = GRAMMAR.symbols * GRAMMAR.length
    return Encoder(inputs, (width,), n_classes, "relu", symbols=GRAMMAR.symbols, levels=GRAMMAR.levels - 1)


def reconstruction_of(width: int) -> Reconstruction:
    """What is trained to make that encoder."""
    inputs = GRAMMAR.symbols * GRAMMAR.length
    return Reconstruction(inputs, (width,), 0, "relu", symbols=GRAMMAR.symbols, levels=GRAMMAR.levels - 1)


class TextModel(StackedNetwork):
    """One network of a `Reconstruction`."""

    def __init__(self, architecture: Reconstruction, device: torch.device) -> None:
        super().__init__(architecture, 1, device)
        self.shape = architecture
        self._n_body = 2 * len(architecture.body)
        self._passes = Passes(self.blocks, self._gradient_blocks, architecture.levels, SIDES)

    def initialise(self, seeds: Tensor) -> None:
        """Draw weights from the seed (int64 [1]); biases are 0."""
        self.parameters.zero_()
        shape = self.shape
        of_decoder = [*([6.0, 1.0] * (shape.levels + 1)), 3.0]
        first_weights(seeds, "foundation", shape.layers, [*body_gains(shape), *of_decoder], self.blocks)

    @property
    def body(self) -> list[Tensor]:
        """Weights and biases of the encoder."""
        return self.blocks[: self._n_body]

    def loss(self, tokens: Tensor, blocks: Sequence[Tensor] | None = None) -> Tensor:
        """Mean cross-entropy, in nats, of each token given all others of its text; tokens int64 [n, length]."""
        blocks = self.blocks if blocks is None else blocks
        shown = functional.one_hot(tokens, self.shape.symbols).to(torch.float32).view(1, -1, self.shape.symbols)
        known = states(shown, blocks[: self._n_body])
        outer = self._outside(known, blocks[self._n_body :])
        return functional.cross_entropy(affine(outer, blocks[-2], blocks[-1])[0], tokens.flatten())

    def _outside(self, known: Sequence[Tensor], blocks: Sequence[Tensor]) -> Tensor:
        """What is known of each token from all others: [1, n · length, width]."""
        width, outer = self.shape.width, None
        for level, inside in enumerate(reversed(known)):
            up, up_b, down, down_b = (
                block.view(SIDES, -1, block.shape[2]) for block in blocks[4 * level : 4 * level + 4]
            )
            siblings = inside.view(-1, SIDES, width).flip(1).transpose(0, 1)
            if outer is None:
                below = affine(affine(siblings, up, up_b).relu_(), down, down_b)
            else:
                parents = outer.expand(SIDES, -1, -1)
                seen = torch.cat([parents, siblings], dim=2)
                below = affine(affine(seen, up, up_b).relu_(), down, down_b) + parents
            outer = normalised(below.transpose(0, 1).reshape(1, -1, width))
        assert outer is not None
        return outer

    def set_gradients(self, tokens: Tensor) -> None:
        """Gradients of the mean loss of these texts."""
        if tokens.device.type == "cuda":  # its products may be in 16 bits, which automatic differentiation follows
            self.differentiate(tokens)
        else:
            self._passes.run(tokens)

    def differentiate(self, tokens: Tensor) -> None:
        """The same by automatic differentiation."""
        with torch.enable_grad():
            leaves = [block.detach().requires_grad_() for block in self.blocks]
            loss = self.loss(tokens, leaves)
        torch._foreach_copy_(self._gradient_blocks, list(torch.autograd.grad(loss, leaves)))
