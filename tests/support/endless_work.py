"""Work that ends only when somebody ends it: for tests of what becomes of worker processes."""

from __future__ import annotations

import json
import os
import signal
import time

from analysis.play.workers import parallel_map
from simulation.training.bench.processes import fresh_processes


def say_and_wait(_: int) -> None:
    """Say, in one write, which process this is and which signals it does not see; then work for ever."""
    blocked = [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
    os.write(1, f"{json.dumps([os.getpid(), blocked])}\n".encode())
    while True:
        time.sleep(1.0)


def endless_run() -> None:
    list(parallel_map(say_and_wait, [1, 2], 2, ""))


def endless_benchmark() -> None:
    with fresh_processes(2) as pool:
        list(pool.map(say_and_wait, [1, 2]))
