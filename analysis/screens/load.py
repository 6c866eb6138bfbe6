"""The load of the machine in words, for what benchmarks print and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulation.training.bench.load import BUSY, is_busy

UNKNOWN = "–"


def load_text(load: float | None) -> str:
    """The load average with two digits."""
    return UNKNOWN if load is None else f"{load:.2f}"


def load_in_words(machine: Mapping[str, Any]) -> str:
    """What the load at the start says of the figures."""
    load = machine["load_before"]
    busy = is_busy(load)
    if busy is None:
        return "the load at the start is not known"
    told = f"load {load_text(load)} at the start"
    return f"{told}, the machine was busy: these are figures of that moment" if busy else f"{told}, an idle machine"


def warning(load: float | None) -> str:
    """What to say before a benchmark on a busy machine; empty on an idle one."""
    if not is_busy(load):
        return ""
    return (
        f"warning: the load average is {load_text(load)}, above {BUSY:g}: what is measured now are figures of a busy "
        "machine; they are kept with this load beside them"
    )
