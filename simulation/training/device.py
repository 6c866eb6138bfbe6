"""Which device trains: CUDA, then Apple's MPS, then CPU, or the one asked for."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


class DeviceError(Exception):
    """The device asked for does not exist here."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        super().__init__(f"device {name!r}: {reason}. Use --device auto, or one of {', '.join(DEVICES[1:])}.")


def _available(kind: str) -> bool:
    if kind == "cuda":
        return torch.cuda.is_available()
    if kind == "mps":
        return torch.backends.mps.is_available()
    return kind == "cpu"


def resolve_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" takes CUDA, then MPS, then CPU.

    Raises:
        DeviceError: the name is unknown or this machine has no such device.
    """
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if _available(kind)))
    if name not in DEVICES:
        raise DeviceError(name, "unknown")
    if not _available(name):
        raise DeviceError(name, "not available to torch on this machine")
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """For display and for the ledger, e.g. "cpu (x86_64)" or "cuda (NVIDIA H100)"."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"{device.type} ({platform.machine() or 'unknown'})"


@contextmanager
def single_thread() -> Iterator[None]:
    """One torch thread inside, the caller's number afterwards: results must not depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
