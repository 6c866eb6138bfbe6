"""What a card would refuse, told without one: operations on the meta device whose arguments live on different devices.

Tensors of the meta device have a shape and a device and no values, so any machine can run the code of the CUDA path on
them. Plain meta tensors let some mixtures with CPU tensors pass; `OneDevice` refuses them all, by the rules of CUDA:

- a copy may go from any device to any other;
- a CPU tensor without dimensions may stand beside tensors of a card in an elementwise operation of two tensors (torch
  allows it in some of three too, by release; here in none but `where`), as long as the result is the card's;
- CPU indices may select from a tensor of a card (they are copied there), never the other way round.

Where code reads a value, which meta tensors do not have, it reads 1 or what it was told (`float(x)`, `bool(x)`); a
tensor that is copied to the CPU holds ones there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")
_COPIES = {"aten::copy_", "aten::_to_copy", "aten::copy", "aten::set_", "aten::_copy_from"}
_SELECTIONS = {"aten::index", "aten::index_put_", "aten::index_put", "aten::_index_put_impl_"}


class MixedDevicesError(AssertionError):
    """An operation that a card would refuse."""


class OneDevice(TorchDispatchMode):
    """Refuse what mixes devices.

    Args:
        read: what a single value reads as; 0 and 1 take either branch of `if bool(mask.any())`.

    Attributes:
        operations: how often each operation ran on tensors of the meta device.
    """

    def __init__(self, read: int = 1) -> None:
        super().__init__()
        self._read = read
        self.operations: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._can_decompose():  # in inference mode composite operations come whole
            with self:
                return func.decompose(*args, **kwargs)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if any(tensor.device == META for tensor in tensors):
            name = func._schema.name
            self.operations[name] += 1
            if any(tensor.device != META for tensor in tensors) and not _may_mix(func, name, args, kwargs):
                places = ", ".join(f"{tensor.device.type}{list(tensor.shape)}" for tensor in tensors)
                raise MixedDevicesError(f"{func} on tensors of different devices: {places}")
            if name == "aten::_local_scalar_dense":
                return torch.full((), self._read, dtype=args[0].dtype).item()
            if name in _VALUES:
                return _VALUES[name](args, kwargs)
        return func(*args, **kwargs)


def _moved(args: Any, kwargs: Any) -> Tensor:
    device = kwargs.get("device") or args[0].device
    return torch.ones(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype, device=device)


def _copied(args: Any, kwargs: Any) -> Tensor:
    target: Tensor = args[0]
    if torch.broadcast_shapes(target.shape, args[1].shape) != target.shape:
        raise ValueError(f"{list(args[1].shape)} does not fit into {list(target.shape)}")
    return target.fill_(1)


def _all_places(args: Any, kwargs: Any) -> Tensor:
    return torch.zeros(args[0].numel(), args[0].dim(), dtype=torch.int64, device=META)


def _selected(args: Any, kwargs: Any) -> Any:
    indices = list[Tensor | None]()
    for index in args[1]:
        mask = index is not None and index.dtype == torch.bool
        places = torch.zeros(index.numel(), dtype=torch.int64, device=META) if mask else index
        indices += [places] * (index.dim() if mask else 1)
    return torch.ops.aten.index.Tensor(args[0], indices)


_VALUES = {
    "aten::_to_copy": _moved,
    "aten::copy_": _copied,
    "aten::nonzero": _all_places,
    "aten::index": _selected,
}
"""What meta tensors cannot do, for they have no values; every mask is all true."""


def _may_mix(func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    if name in _COPIES:
        return True
    if name in _SELECTIONS:
        values = [value for value in args[2:3] if isinstance(value, Tensor)]
        return args[0].device == META and all(_fits(value) for value in values)
    tensors = [leaf for leaf in tree_leaves(args) if isinstance(leaf, Tensor)]
    if any(tensor.device != META for tensor in _written(func, args, kwargs)):
        return False
    if name == "aten::where":
        return tensors[0].device == META and all(_fits(tensor) for tensor in tensors[1:])
    elementwise = torch.Tag.pointwise in func.tags and len(tensors) == 2
    return elementwise and all(_fits(tensor) for tensor in tensors)


def _fits(tensor: Tensor) -> bool:
    return tensor.device == META or tensor.dim() == 0


def _written(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[Tensor]:
    """Tensors that the operation writes to."""
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            if isinstance(value, Tensor):
                yield value
