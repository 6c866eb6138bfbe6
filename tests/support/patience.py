"""How long a test waits for another process: as long as any machine may need. The limit only ends what hangs."""

from __future__ import annotations

import time
from collections.abc import Callable

HANGS_S = 1800.0
POLL_S = 0.02


def wait_until(happens: Callable[[], object], is_alive: Callable[[], bool] = lambda: True) -> None:
    """Return once it has happened; fail where the process that it is awaited of has ended without it."""
    deadline = time.monotonic() + HANGS_S
    while not happens():
        assert is_alive() or happens(), "the process ended before it happened"
        assert time.monotonic() < deadline, f"it has not happened in {HANGS_S:.0f} s"
        time.sleep(POLL_S)
