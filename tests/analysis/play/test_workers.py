"""Worker processes, of runs and of benchmarks: no request to end reaches them, and they end when their parent does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from simulation.training.signals import REQUESTS
from tests.support.paths import ROOT
from tests.support.patience import wait_until

SCRIPT = """
from tests.support.endless_work import {play}

if __name__ == "__main__":
    {play}()
"""
pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs POSIX signals")


def start(play: str, folder: Path) -> subprocess.Popen[str]:
    """A process of its own, in which nothing of the kind was started before."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(play=play))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize("play", ["endless_run", "endless_benchmark"])
def test_workers_see_no_request_not_even_while_they_start_and_end_with_their_parent(play: str, tmp_path: Path) -> None:
    parent = start(play, tmp_path)
    assert parent.stdout is not None
    try:
        said = [json.loads(parent.stdout.readline()) for _ in range(2)]
    finally:
        parent.kill()
        parent.wait()
    assert all({int(number) for number in REQUESTS} <= set(blocked) for _, blocked in said), said
    wait_until(lambda: not any(still_runs(number) for number, _ in said))


def still_runs(number: int) -> bool:
    """Whether a process is there and does not only wait to be reaped."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
