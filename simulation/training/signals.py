"""Requests to end (Ctrl-C, `kill`, a closed terminal): which there are, and how child processes never see them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

REQUESTS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes and threads that are started inside never see a request: their parent decides for them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    with _blocked():
        # Python's own helper, without which no process is started: Python 3.11 lets Ctrl-C through when it starts it.
        resource_tracker.ensure_running()
    with _blocked():
        yield


@contextmanager
def _blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
