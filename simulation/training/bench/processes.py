"""Worker processes of the benchmarks: fresh ones of one thread each, which end when their parent does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch

from simulation.training.signals import REQUESTS, kept_from_children


@contextmanager
def fresh_processes(n: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes that are ready to work; they are killed where the block is left by an error or Ctrl-C."""
    context: Any = multiprocessing.get_context("spawn")  # a forked copy of torch's thread pool would hang
    before = multiprocessing.active_children()
    with kept_from_children():
        pool = ProcessPoolExecutor(n, mp_context=context, initializer=_settle)
        ready = [pool.submit(time.sleep, 0.2) for _ in range(n)]
    try:
        for one in ready:
            one.result()
        yield pool
    except BaseException:
        for process in multiprocessing.active_children():
            if process not in before:
                process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _settle() -> None:
    """What a process does first."""
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_watch, name="parent-watch", daemon=True).start()
    torch.set_num_threads(1)


def _watch() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # not `sys.exit`: the main thread may be in the middle of training
