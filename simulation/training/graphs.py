"""Training steps as CUDA graphs: one launch in place of some thirty.

A step that takes its number from a counter on the card is the same work every time, so that it can be recorded once and
replayed. On a card all steps count so, recorded or not, and do the same operations; which way is taken, the faster in a
trial at the start of a run, changes no result.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

TRIAL = 6
"""Steps of either way in the trial; all of them belong to the run."""
LEAST_STEPS = 40
"""Shorter runs are not recorded: the trial would be half of them."""
recording = True
"""Whether steps may be recorded at all; benchmarks turn it off to compare."""

Step = int | Tensor
"""Number of a step from 0; on a card an int64 tensor [1] that lies there."""


def row_of(table: Tensor, step: Step) -> Tensor:
    """The entry of a step in a table with one for every step."""
    return table[step] if isinstance(step, int) else table.index_select(0, step).squeeze(0)


def run_counted(one_step: Callable[[Tensor], None], steps: int, device: torch.device, can_record: bool = True) -> None:
    """Do that many steps on a card; each is given a counter, and must read and write tensors of the card alone."""
    counter = torch.zeros(1, dtype=torch.int64, device=device)

    def counted() -> None:
        one_step(counter)
        counter.add_(1)

    if not _may_record(steps, device, can_record):
        return _repeat(counted, steps)
    _repeat(counted, TRIAL)  # libraries get ready, rooms are made
    plain_s = _timed(counted, device)
    replay = _recorded(counted, device)
    done = 2 * TRIAL
    if replay is not None:
        replayed_s = _timed(replay, device)
        done += TRIAL
        counted = replay if replayed_s < plain_s else counted
    _repeat(counted, steps - done)


def _may_record(steps: int, device: torch.device, can_record: bool) -> bool:
    return recording and can_record and device.type == "cuda" and steps >= LEAST_STEPS


def _repeat(work: Callable[[], None], n: int) -> None:
    for _ in range(n):
        work()


def _timed(work: Callable[[], None], device: torch.device) -> float:
    torch.cuda.synchronize(device)
    started = time.perf_counter()
    _repeat(work, TRIAL)
    torch.cuda.synchronize(device)
    return time.perf_counter() - started


def _recorded(work: Callable[[], None], device: torch.device) -> Callable[[], None] | None:
    """What replays the work, which is not done while it is recorded; None where it cannot be recorded."""
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        graph.capture_begin()
        try:
            work()
        except RuntimeError:  # a step that reads a value or allocates on the host
            with suppress(RuntimeError):
                graph.capture_end()
            return None
        graph.capture_end()
    torch.cuda.current_stream(device).wait_stream(stream)
    return graph.replay
