"""A worker process ends when its parent does, however that ended: nobody waits for its work any more."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

import psutil

from simulation.training.signals import REQUESTS

WATCH_S = 0.2
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def stay_with_parent(parent: int, by_main_thread: bool) -> None:
    """To be called first in a worker: end with the process `parent`, and leave requests to end to it.

    by_main_thread: whether the parent starts its workers from its main thread. Linux sends the death signal when the
    *thread* ends that started the process, so that it can be asked for then alone; the watching thread does without.
    """
    for number in REQUESTS:
        signal.signal(number, signal.SIG_IGN)
    if by_main_thread and sys.platform == "linux":
        _ask_for_death_signal()
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _ask_for_death_signal() -> None:
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):  # a system without it: the watching thread is there
        pass


def _watch(parent: int) -> None:
    try:
        process = psutil.Process(parent)
        while is_alive(process):
            time.sleep(WATCH_S)
    except psutil.Error:
        pass
    os._exit(1)  # not `sys.exit`: the main thread may be in the middle of training


def is_alive(parent: psutil.Process) -> bool:
    """Whether the parent of this process still runs; one that waits to be reaped does not."""
    if hasattr(os, "fork"):  # POSIX: orphans get another parent
        return os.getppid() == parent.pid
    return parent.is_running()
