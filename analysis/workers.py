"""Blocks go to worker processes; every finished block is on disk before the next begins."""

from __future__ import annotations

import pickle
import signal
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.ensemble import Block, Engine, play_block
from analysis.errors import BrokenRun
from analysis.folder import write_part
from analysis.progress import Tally


@dataclass(frozen=True)
class Job:
    """What a worker needs besides its block. Picklable."""

    engine: Engine
    folder: Path
    ledger: Path
    device: str
    retrain: bool
    tally: Tally


def play_blocks(blocks: Sequence[Block], job: Job, n_jobs: int) -> None:
    """Play all blocks, here if one job is allowed, else in `n_jobs` processes; parts are written as they finish.

    Raises what a block raised; `BrokenRun` when a process was killed; `KeyboardInterrupt` on Ctrl-C.
    """
    if n_jobs == 1 or len(blocks) <= 1:
        for block in blocks:
            play_and_write(block, job)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    parallel = Parallel(n_jobs=min(n_jobs, len(blocks)), backend="loky", return_as="generator_unordered", batch_size=1)
    outcomes = parallel(delayed(play_in_worker)(block, job) for block in blocks)
    try:
        for problem in outcomes:
            if problem is not None:
                raise problem
    except BrokenProcessPool as error:
        raise BrokenRun(
            "a worker process was killed (out of memory?); finished seeds are kept: "
            f"go on with --out {job.folder} and fewer --jobs"
        ) from error
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib says that it cancels what is still playing: just what is wanted
            outcomes.close()


def play_and_write(block: Block, job: Job) -> None:
    """Play one block and write its part into the run folder."""
    service = job.engine.open_service(job.ledger, job.device, job.retrain)
    write_part(job.folder, block.seeds, play_block(block, job.engine, service, job.tally))


def play_in_worker(block: Block, job: Job) -> Exception | None:
    """The same in a worker process; returns the error instead of raising it, so that it surely travels back."""
    if threading.current_thread() is threading.main_thread():
        # Ctrl-C reaches every process of a terminal; the parent alone decides, and ends the workers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        play_and_write(block, job)
    except Exception as error:
        return _portable(error)
    return None


def _portable(error: Exception) -> Exception:
    """The error itself where it can be pickled there and back, else its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
