"""Forward and backward pass of a `TextModel` written out: on a CPU, where a step's operations are small, automatic
differentiation costs as much as they do. Gradients are those of `TextModel.loss` (a test compares them).

Rooms for what a step leaves behind are kept: fresh memory costs page faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding

from simulation.training.networks.encoders import affine

EPSILON = 1e-5  # of `functional.layer_norm`
aten = torch.ops.aten


class _Layers(NamedTuple):
    """What a pair of layers with ReLU between leaves behind: input, inner units, and of the normalisation after it
    the input, mean and inverse deviation."""

    seen: Tensor
    inner: Tensor
    before: Tensor
    mean: Tensor
    deviation: Tensor


class Passes:
    """One step's gradients.

    Args:
        blocks: weights and biases of the whole network, in turn.
        gradients: where their gradients are written, likewise.
        levels: of the encoder.
        sides: of a parent.
    """

    def __init__(self, blocks: Sequence[Tensor], gradients: Sequence[Tensor], levels: int, sides: int) -> None:
        self._levels, self._sides = levels, sides
        self._body = 2 + 4 * levels
        self._width = blocks[0].shape[1]
        decoder = slice(self._body, -2)
        self._blocks = [*blocks[: self._body], *map(self._by_side, blocks[decoder]), *blocks[-2:]]
        self._gradients = [*gradients[: self._body], *map(self._by_side, gradients[decoder]), *gradients[-2:]]
        self._symbols = torch.eye(blocks[0].shape[2], device=blocks[0].device)
        self._rooms: dict[tuple[str, int], Tensor] = {}

    def _by_side(self, block: Tensor) -> Tensor:
        return block.view(self._sides, -1, block.shape[2])

    def run(self, tokens: Tensor) -> None:
        """Write the gradients of the mean loss of texts: tokens int64 [n, length]."""
        shown = embedding(tokens.flatten(), self._symbols)[None]
        known, up = self._upward(shown)
        outer, down = self._downward(known)
        by_state = self._downward_errors(self._error(outer, tokens.flatten()), down)
        self._upward_errors(by_state, up, shown)

    def _upward(self, shown: Tensor) -> tuple[list[Tensor], list[_Layers]]:
        """States of every level, from tokens to halves, and what is needed on the way back."""
        known, kept = [affine(shown, self._blocks[0], self._blocks[1])], list[_Layers]()
        for level in range(self._levels):
            h = known[-1]
            pairs = h.view(1, -1, 2 * self._width)
            first, second = pairs[:, :, : self._width], pairs[:, :, self._width :]
            half = torch.add(first, second, out=self._room("half", level, first)).mul_(0.5)
            state, layers = self._layers(pairs, 2 + 4 * level, half)
            known.append(state)
            kept.append(layers)
        return known, kept

    def _downward(self, known: Sequence[Tensor]) -> tuple[Tensor, list[_Layers]]:
        """What is known of each token from all others, and what is needed on the way back."""
        outer, kept, width = torch.empty(0), list[_Layers](), self._width
        for level, inside in enumerate(reversed(known)):
            siblings = inside.view(-1, self._sides, width).flip(1).transpose(0, 1)
            if level:
                seen = self._room_of("seen", level, self._sides, outer.shape[1], 2 * width)
                seen[:, :, :width] = outer
                seen[:, :, width:] = siblings
                above = outer.expand(self._sides, -1, -1)
            else:
                seen, above = siblings, None
            outer, layers = self._layers(seen, self._body + 4 * level, above)
            kept.append(layers)
        return outer, kept

    def _layers(self, seen: Tensor, place: int, passed: Tensor | None) -> tuple[Tensor, _Layers]:
        up, up_b, down, down_b = self._blocks[place : place + 4]
        inner = affine(seen, up, up_b).relu_()
        before = affine(inner, down, down_b)
        if passed is not None:
            before += passed
        if len(before) > 1:  # the sides of a parent stand side by side on the next level
            before = before.transpose(0, 1).reshape(1, -1, self._width)
        state, mean, deviation = torch.native_layer_norm(before, (self._width,), None, None, EPSILON)
        return state, _Layers(seen, inner, before, mean, deviation)

    def _error(self, outer: Tensor, tokens: Tensor) -> Tensor:
        """The loss's gradient by what is known of each token; writes those of the prediction."""
        weights, biases = self._blocks[-2:]
        log_p = affine(outer, weights, biases)[0].log_softmax(dim=1)
        share = torch.full((), -1.0 / len(tokens), device=log_p.device).expand(len(tokens), 1)
        by_log_p = torch.zeros_like(log_p).scatter_(1, tokens[:, None], share)
        error = aten._log_softmax_backward_data(by_log_p, log_p, 1, torch.float32)[None]
        self._write(error, outer, len(self._blocks) - 2)
        return torch.bmm(error, weights)

    def _downward_errors(self, error: Tensor, kept: Sequence[_Layers]) -> list[Tensor]:
        """Gradients by the states of every level that come through the decoder, from tokens to halves."""
        width, by_state = self._width, list[Tensor]()
        for level in range(self._levels, -1, -1):
            by_output = self._normalised_error(error, kept[level])
            by_side = by_output.view(-1, self._sides, width).transpose(0, 1)
            by_seen = self._layer_errors(by_side, kept[level], self._body + 4 * level)
            siblings = by_seen[:, :, width:] if level else by_seen
            by_state.append(siblings.transpose(0, 1).flip(1).reshape(1, -1, width))
            if level:
                error = (by_seen[:, :, :width] + by_side).sum(dim=0, keepdim=True)
        return by_state

    def _upward_errors(self, by_state: Sequence[Tensor], kept: Sequence[_Layers], shown: Tensor) -> None:
        error = by_state[self._levels]
        for level in range(self._levels - 1, -1, -1):
            by_output = self._normalised_error(error, kept[level])
            by_pair = self._layer_errors(by_output, kept[level], 2 + 4 * level)
            error = by_state[level]  # added in the order that automatic differentiation takes
            error.view(1, -1, 2, self._width).add_(by_output[:, :, None], alpha=0.5)
            error += by_pair.view(1, -1, self._width)
        self._write(error, shown, 0)

    def _normalised_error(self, error: Tensor, kept: _Layers) -> Tensor:
        found: Tensor = aten.native_layer_norm_backward(
            error, kept.before, (self._width,), kept.mean, kept.deviation, None, None, (True, False, False)
        )[0]
        return found

    def _layer_errors(self, error: Tensor, kept: _Layers, place: int) -> Tensor:
        """The gradient by what two layers have seen; writes those of their weights and biases."""
        torch.sum(error, dim=1, keepdim=True, out=self._gradients[place + 3].transpose(1, 2))
        error = error.contiguous()  # after the sum, whose last bit depends on the layout
        torch.bmm(error.transpose(1, 2), kept.inner, out=self._gradients[place + 2])
        inner = torch.bmm(error, self._blocks[place + 2], out=self._room("inner", place, kept.inner))
        aten.threshold_backward.grad_input(inner, kept.inner, 0, grad_input=inner)
        self._write(inner, kept.seen, place)
        return torch.bmm(inner, self._blocks[place])

    def _write(self, error: Tensor, seen: Tensor, place: int) -> None:
        torch.bmm(error.transpose(1, 2), seen, out=self._gradients[place])
        torch.sum(error, dim=1, keepdim=True, out=self._gradients[place + 1].transpose(1, 2))

    def _room(self, use: str, place: int, like: Tensor) -> Tensor:
        return self._room_of(use, place, *like.shape)

    def _room_of(self, use: str, place: int, *shape: int) -> Tensor:
        room = self._rooms.get((use, place))
        if room is None or room.shape != shape:
            room = self._rooms[use, place] = torch.empty(shape, device=self._symbols.device)
        return room
