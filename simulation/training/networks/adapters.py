"""Low-rank adapters: the encoder stays as it is, every layer gets a product of two thin matrices beside its weights.

Hu et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models. arXiv:2106.09685
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulation.training.networks.encoders import Encoder, EncoderNetwork, first_weights

RANK = 8  # a multiple of eight: every member's matrices then begin at a cache line; assumption


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter(Encoder):
    """The same encoder; what is trained are two thin layers for each of its layers, and the read-out."""

    @property
    def encoder(self) -> Encoder:
        """The encoder whose weights are left alone."""
        return Encoder(
            self.n_inputs, self.hidden, self.n_classes, self.activation, symbols=self.symbols, levels=self.levels
        )

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of the thin layers, the inner one first, then of the read-out."""
        *frozen, read_out = self.encoder.layers
        return [*(thin for out, into in frozen for thin in ((RANK, into), (out, RANK))), read_out]

    def products(self) -> list[int]:
        """Multiplications per row in every layer of the encoder, with the thin layers multiplied into its weights."""
        return self.encoder.products()


class AdapterNetwork(EncoderNetwork):
    """Stacked adapters of one encoder.

    Args:
        frozen: weights [1, out, in] and biases [1, out, 1] of all its layers but the read-out.
    """

    def __init__(self, architecture: Adapter, n_members: int, device: torch.device, frozen: Sequence[Tensor]) -> None:
        super().__init__(architecture, n_members, device)
        self._frozen = frozen

    def initialise(self, seeds: Tensor) -> None:
        """Inner layers at random from the members' seeds (int64 [M]), outer ones 0: the encoder starts unchanged."""
        self.parameters.zero_()
        *thin, _ = self.architecture.layers
        first_weights(seeds, "adapter", thin, [3.0, 0.0] * (len(thin) // 2), self.blocks)

    def logits(self, tokens: Tensor, blocks: Sequence[Tensor]) -> Tensor:
        """As `EncoderNetwork.logits`."""
        return super().logits(tokens, [*self.merged(blocks), *blocks[-2:]])

    def merged(self, blocks: Sequence[Tensor]) -> list[Tensor]:
        """All layers of the members' encoders but the read-out, their thin layers multiplied in."""
        whole = []
        for layer, (weights, biases) in enumerate(zip(self._frozen[::2], self._frozen[1::2], strict=True)):
            inner, _, outer, outer_b = blocks[4 * layer : 4 * layer + 4]
            whole += [weights + torch.bmm(outer, inner), biases + outer_b]
        return whole
