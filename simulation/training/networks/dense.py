"""Many small networks as one: stacked weights, batched matrix products, a hand-written backward pass.

Layout is features first: activations are [members, features, rows]. A convolution is then one gather of pixels (im2col,
whole runs of rows are copied) and one product, and every layer's product sees contiguous matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from simulation.training import counter


@dataclass(frozen=True, slots=True)
class Convolution:
    """First layer of a CNN: filters without padding, stride 1, then max pooling.

    Attributes:
        shape: (channels, height, width) of an input.
        kernel: (height, width) of a filter.
        pool: (height, width) of a pooling cell; divides the filter's output.
        filters: number of filters.
    """

    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    pool: tuple[int, int]
    filters: int

    @property
    def out(self) -> tuple[int, int]:
        """(height, width) before pooling."""
        return self.shape[1] - self.kernel[0] + 1, self.shape[2] - self.kernel[1] + 1

    @property
    def n_places(self) -> int:
        """Places of a filter."""
        return self.out[0] * self.out[1]

    @property
    def n_cells(self) -> int:
        """Pooling cells."""
        return self.n_places // (self.pool[0] * self.pool[1])

    @property
    def n_taps(self) -> int:
        """Inputs of one filter, rounded up to a multiple of four by dead inputs that are always 0.

        With a multiple of four filters, every member's weights then begin at a cache line (see trainer.py).
        """
        return -(-self.shape[0] * self.kernel[0] * self.kernel[1] // 4) * 4

    def gather_index(self) -> Tensor:
        """Which input each tap of each place reads, n_inputs for a dead one: int64 [taps · places].

        Places are ordered by their position within a pooling cell, then by cell: pooling then compares whole blocks.
        """
        inputs = torch.arange(math.prod(self.shape)).view(1, *self.shape)
        windows = inputs.unfold(2, self.kernel[0], 1).unfold(3, self.kernel[1], 1)[0]
        live = windows.permute(0, 3, 4, 1, 2).reshape(-1, *self.out)
        dead = live.new_full((self.n_taps - len(live), *self.out), inputs.numel())
        taps = torch.cat([live, dead])
        cells = taps.unfold(1, self.pool[0], self.pool[0]).unfold(2, self.pool[1], self.pool[1])
        return cells.permute(0, 3, 4, 1, 2).reshape(-1)


@dataclass(frozen=True, slots=True)
class Architecture:
    """Shape of a network: an optional convolution, then dense layers.

    Attributes:
        n_inputs: values of a row.
        hidden: units of each hidden dense layer.
        n_classes: outputs.
        activation: "sigmoid", "tanh" or "relu".
        convolution: first layer of a CNN, or None.
    """

    n_inputs: int
    hidden: tuple[int, ...]
    n_classes: int
    activation: str
    convolution: Convolution | None = None

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of every layer with weights, the convolution first."""
        sizes = [self.n_inputs, *self.hidden, self.n_classes]
        if self.convolution is None:
            return list(zip(sizes[1:], sizes[:-1], strict=True))
        first = (self.convolution.filters, self.convolution.n_taps)
        sizes[0] = self.convolution.filters * self.convolution.n_cells
        return [first, *zip(sizes[1:], sizes[:-1], strict=True)]

    @property
    def n_parameters(self) -> int:
        """Weights and biases of one member."""
        return sum(out * (into + 1) for out, into in self.layers)

    def products(self) -> list[int]:
        """Multiplications per row in every layer; a filter's weights are used once per place."""
        repeats = 1 if self.convolution is None else self.convolution.n_places
        return [out * into * (repeats if layer == 0 else 1) for layer, (out, into) in enumerate(self.layers)]


class StackedNetwork:
    """`n_members` networks of one architecture. Members never meet: every operation is per member or elementwise.

    Attributes:
        parameters: one flat buffer, float32; layer by layer, weights [M, out, in] then biases [M, out, 1].
        gradients: the same layout.
        blocks: views of `parameters`, weights and biases in turn.
        recordable: whether a step may be a CUDA graph (graphs.py): its passes are written out.
    """

    recordable = True

    def __init__(self, architecture: Architecture, n_members: int, device: torch.device) -> None:
        self.architecture = architecture
        self.n_members = n_members
        size = sum(self._padded(out) + self._padded(out * into) for out, into in architecture.layers)
        self.parameters = torch.zeros(size, device=device)
        self.gradients = torch.zeros(size, device=device)
        self.blocks = self.views(self.parameters)
        self._gradient_blocks = self.views(self.gradients)
        self._turned = [weights.transpose(1, 2) for weights in self.blocks[::2]]
        self._rooms: dict[tuple[str, int], Tensor] = {}
        self._index = None if architecture.convolution is None else architecture.convolution.gather_index().to(device)

    def views(self, flat: Tensor) -> list[Tensor]:
        """A flat buffer of this layout as one block per weight and bias: [M, out, in], [M, out, 1], …"""
        blocks, start = [], 0
        for out, into in self.architecture.layers:
            for columns in (into, 1):
                size = self.n_members * out * columns
                blocks.append(flat[start : start + size].view(self.n_members, out, columns))
                start += self._padded(out * columns)
        return blocks

    def _padded(self, n: int) -> int:
        """Length of a block of `n` numbers a member, in whole vector registers: each block begins at a cache line."""
        return -(-self.n_members * n // 64) * 64

    def initialise(self, seeds: Tensor) -> None:
        """Draw weights from the members' seeds (int64 [M]): He's uniform for ReLU, Glorot's otherwise; biases are 0.

        He et al. 2015, doi:10.1109/ICCV.2015.123; Glorot & Bengio 2010.
        """
        self.parameters.zero_()
        for layer, (out, into) in enumerate(self.architecture.layers):
            fan = into if self.architecture.activation == "relu" else into + out
            u = counter.uniforms(counter.stream_keys(seeds, "weights", layer), 0, out * into)
            self.blocks[2 * layer].copy_(((u * 2 - 1) * math.sqrt(6.0 / fan)).view(-1, out, into))

    def _room(self, use: str, layer: int, *shape: int) -> Tensor:
        """A buffer that every training step overwrites: it stays in the cache, and fresh memory costs page faults."""
        room = self._rooms.get((use, layer))
        if room is None or room.shape != shape:
            room = self._rooms[use, layer] = torch.empty(shape, device=self.parameters.device)
        return room

    def forward(
        self, x: Tensor, blocks: Sequence[Tensor] | None = None, reuse: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """Logits and the inputs of every layer.

        Args:
            x: float32 [M, n_inputs, rows] (the first dimension may be expanded).
            blocks: weights and biases to use, default the network's own.
            reuse: whether outputs may be overwritten by the next such call: faster, for training.

        Returns:
            logits [M, n_classes, rows]; the input of each layer, that of a convolution followed by its output before
            and after pooling.
        """
        blocks = self.blocks if blocks is None else blocks
        kept: list[Tensor] = []
        convolution = self.architecture.convolution
        last = len(self.architecture.layers) - 1
        for layer in range(last + 1):
            if layer == 0 and convolution is not None:
                x = self._patches(x, convolution, reuse)
            kept.append(x)
            weights = blocks[2 * layer]
            out = self._room("outputs", layer, len(weights), weights.shape[1], x.shape[2]) if reuse else None
            x = torch.baddbmm(blocks[2 * layer + 1], weights, x, out=out)
            if layer == 0 and convolution is not None:
                pooled = self._pooled(x, convolution)
                kept += [x, pooled]
                x = pooled.clone()
            if layer < last:
                x = self._activate(x)
        return x, kept

    def backward(self, error: Tensor, kept: list[Tensor]) -> None:
        """Write the gradients of all blocks, given `error`, the loss's gradient by the logits [M, n_classes, rows]."""
        for layer, own, inputs in self._layer_errors(error, kept):
            torch.bmm(own, inputs.transpose(1, 2), out=self._gradient_blocks[2 * layer])
            torch.sum(own, dim=2, keepdim=True, out=self._gradient_blocks[2 * layer + 1])

    def row_norms(self, error: Tensor, kept: list[Tensor]) -> Tensor:
        """Norm of each row's own gradient over all weights and biases, float32 [M, rows]; arguments as in `backward`.

        In a dense layer a row's gradient is the product of its error and its input, and so is its norm
        (Goodfellow 2015, arXiv:1510.01799). A filter's is a sum over places, which is taken row by row.
        """
        squares = torch.zeros(len(error), error.shape[2], device=error.device)
        for layer, own, inputs in self._layer_errors(error, kept):
            if layer == 0 and self.architecture.convolution is not None:
                squares += self._filter_squares(own, inputs, self.architecture.convolution.n_places)
            else:
                squares += own.square().sum(dim=1) * (inputs.square().sum(dim=1) + 1.0)
        return squares.sqrt()

    def _filter_squares(self, error: Tensor, patches: Tensor, places: int) -> Tensor:
        """Squared norm of each row's gradient of a convolution: [M, rows]."""
        n, filters, taps = len(error), error.shape[1], patches.shape[1]
        # Copied even where a view would do: sums over another layout add in another order.
        by_row = error.view(n, filters, places, -1).permute(0, 3, 1, 2).contiguous().view(-1, filters, places)
        seen = patches.view(n, taps, places, -1).permute(0, 3, 2, 1).contiguous().view(-1, places, taps)
        squares = torch.bmm(by_row, seen).square_().sum(dim=(1, 2)) + by_row.sum(dim=2).square_().sum(dim=1)
        return squares.view(n, -1)

    def _layer_errors(self, error: Tensor, kept: list[Tensor]) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Number, error [M, out, columns] and input [M, in, columns] of every layer with weights, the last first."""
        convolution = self.architecture.convolution
        inputs = kept if convolution is None else [kept[0], *kept[3:]]
        for layer in range(len(inputs) - 1, -1, -1):
            if layer == 0 and convolution is not None:
                error = self._unpooled(error, kept[1], kept[2], convolution)
            yield layer, error, inputs[layer]
            if layer == 0:
                return
            turned = self._turned[layer]
            room = self._room("errors", layer, self.n_members, turned.shape[1], error.shape[2])
            error = torch.bmm(turned, error, out=room)
            self._times_activation_gradient(error, inputs[layer])

    def _activate(self, x: Tensor) -> Tensor:
        if self.architecture.activation == "relu":
            return x.relu_()
        return x.tanh_() if self.architecture.activation == "tanh" else x.sigmoid_()

    def _times_activation_gradient(self, error: Tensor, output: Tensor) -> None:
        """In place; `output` is what the activation gave."""
        output = output.view_as(error)
        if self.architecture.activation == "relu":
            torch.ops.aten.threshold_backward.grad_input(error, output, 0, grad_input=error)
        elif self.architecture.activation == "tanh":
            torch.ops.aten.tanh_backward.grad_input(error, output, grad_input=error)
        else:
            torch.ops.aten.sigmoid_backward.grad_input(error, output, grad_input=error)

    def _patches(self, x: Tensor, convolution: Convolution, reuse: bool) -> Tensor:
        """What each tap reads at each place: [M, taps, places · rows]."""
        assert self._index is not None
        own = x if x.stride(0) else x[:1]  # rows shared by all members are gathered once
        columns = torch.zeros(len(own), x.shape[1] + 1, x.shape[2], device=x.device)
        columns[:, :-1] = own
        out = self._room("patches", 0, len(own), len(self._index), x.shape[2]) if reuse else None
        patches = torch.index_select(columns, 1, self._index, out=out)
        return patches.view(len(own), convolution.n_taps, -1).expand(x.shape[0], -1, -1)

    def _by_position(self, outer: Tensor, convolution: Convolution) -> Tensor:
        """A view [M, filters, positions in a cell, cells · rows]."""
        positions = convolution.pool[0] * convolution.pool[1]
        return outer.view(len(outer), convolution.filters, positions, -1)

    def _pooled(self, outer: Tensor, convolution: Convolution) -> Tensor:
        """Largest output of each cell: [M, filters · cells, rows]."""
        first, *others = self._by_position(outer, convolution).unbind(2)
        best = first
        for other in others:
            best = torch.maximum(best, other)
        return best.reshape(len(outer), convolution.filters * convolution.n_cells, -1)

    def _unpooled(self, error: Tensor, outer: Tensor, pooled: Tensor, convolution: Convolution) -> Tensor:
        """The error goes to the place that won its cell (to all that tie, which happens only for equal patches)."""
        shape = (len(outer), convolution.filters, 1, -1)
        winner = self._room("winners", 0, *outer.shape)
        by_position = self._by_position(winner, convolution)
        # A comparison written as numbers, then a product: fifteen times faster than `where` on a mask of bytes.
        torch.eq(self._by_position(outer, convolution), pooled.view(shape), out=by_position)
        by_position.mul_(error.view(shape))
        return winner
