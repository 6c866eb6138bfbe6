"""Ways to do one job, timed in turn: what the jobs on foundations have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from simulation.training.bench.gate import Gate, document, why_not
from simulation.training.bench.run import Say, matmul_flops, spread, threads


@dataclass
class Way:
    """One way to do a job, and what was measured on it.

    Attributes:
        name: key in the results; those of the project begin with "core".
        title: for people.
        work: does `amount` of the job and returns nothing.
        amount: of what the rate counts, in one repetition.
        flops: operations of one repetition by formula; None where they are not what is measured.
        plain: name of the way that its ratio is to.
        losses: of what the gate compares: the same for all ways of one `plain`.
        threads: of torch; None where the way sets them itself.
        seconds: of every repetition.
    """

    name: str
    title: str
    work: Callable[[], object]
    amount: float
    flops: float | None
    plain: str
    losses: Callable[[], list[float]]
    threads: int | None = 1
    seconds: list[float] = field(default_factory=list)


def compare(
    ways: Sequence[Way],
    device: torch.device,
    repeats: int,
    rate: str,
    say: Say,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Any]:
    """Let ways through the gate and time them in turn; `rate`: key of the amount per second."""
    gates = [_gate(plain, ways, say) for plain in dict.fromkeys(way.plain for way in ways)]
    passed = [way for gate in gates for way in ways if way.name in gate.losses and gate.passes(way.name)]
    skipped = [
        {"name": way.name, "why": why_not(gate, way.name)}
        for gate in gates
        for way in ways
        if way.name in gate.losses and way not in passed
    ]
    peaks = []
    for repeat in range(repeats):
        say(f"repetition {repeat + 1} of {repeats}")
        peaks.append(matmul_flops(device, dtype=dtype))
        for way in passed:
            way.seconds.append(_seconds(way, device))
    return {
        "gate": [document(gate) for gate in gates],
        "matmul_flops_per_s": spread(peaks),
        "contenders": [_row(way, passed, peaks, rate) for way in passed],
        "skipped": skipped,
    }


def _gate(plain: str, ways: Sequence[Way], say: Say) -> Gate:
    losses = {}
    for way in ways:
        if way.plain == plain:
            say(f"gate: {way.title}")
            with threads(way.threads):
                losses[way.name] = way.losses()
    return Gate(plain, losses)


def _seconds(way: Way, device: torch.device) -> float:
    started = time.perf_counter()
    with threads(way.threads):
        way.work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _row(way: Way, passed: Sequence[Way], peaks: Sequence[float], rate: str) -> dict[str, Any]:
    rates = [way.amount / seconds for seconds in way.seconds]
    plain = next(one for one in passed if one.name == way.plain)
    of_plain = [plain.amount / seconds for seconds in plain.seconds]
    row = {
        "name": way.name,
        "title": way.title,
        "amount": way.amount,
        "threads": way.threads,
        rate: spread(rates),
        "ratio_to_plain": spread([a / b for a, b in zip(rates, of_plain, strict=True)]),
    }
    if way.flops is None:
        return row
    flops = [way.flops / seconds for seconds in way.seconds]
    return row | {
        "flops_per_s": spread(flops),
        "share_of_matmul": spread([a / b for a, b in zip(flops, peaks, strict=True)]),
    }
