"""Work goes to worker processes; every finished block of worlds is on disk before the next begins."""

from __future__ import annotations

import pickle
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from analysis.errors import BrokenRun
from analysis.play.lockstep import Block, Engine, play_block
from analysis.play.progress import Tally
from analysis.runs.write import write_part
from analysis.terminal.notices import listening, pass_on

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Job:
    """What a worker needs besides its block. Picklable."""

    engine: Engine
    folder: Path
    ledger: Path
    device: str
    retrain: bool
    tally: Tally


@dataclass(frozen=True)
class Failure:
    """An error on its way back from a worker process."""

    error: Exception


def play_blocks(blocks: Sequence[Block], job: Job, n_jobs: int) -> None:
    """Play all blocks, here if one job is allowed, else in `n_jobs` processes; parts are written as they finish.

    Raises what a block raised; `BrokenRun` when a process was killed; `KeyboardInterrupt` on Ctrl-C.
    """
    remedy = f"finished seeds are kept: go on with --out {job.folder} and fewer --jobs"
    with closing(spread(partial(play_and_write, job=job), blocks, n_jobs, remedy)) as played:
        for _ in played:
            pass


def play_and_write(block: Block, job: Job) -> None:
    """Play one block and write its part into the run folder."""
    service = job.engine.open_service(job.ledger, job.device, job.retrain)
    write_part(job.folder, block.seeds, play_block(block, job.engine, service, job.tally))


def spread(
    work: Callable[[Item], Result], items: Sequence[Item], n_jobs: int, remedy: str
) -> Generator[Result, None, None]:
    """What `work` returns for every item, as it comes: worked here if one job is allowed, else in processes.

    `work` and the items must be picklable. Close the generator (`contextlib.closing`), so that an interrupt ends the
    processes at once. Raises what `work` raised; `BrokenRun` with the remedy when a process was killed.
    """
    if n_jobs == 1 or len(items) <= 1:
        yield from map(work, items)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    parallel = Parallel(n_jobs=min(n_jobs, len(items)), backend="loky", return_as="generator_unordered", batch_size=1)
    outcomes = parallel(delayed(listening)(partial(in_worker, work), item) for item in items)
    try:
        for heard in outcomes:
            outcome = pass_on(heard)
            if isinstance(outcome, Failure):
                raise outcome.error
            yield outcome
    except BrokenProcessPool as error:
        raise BrokenRun(f"a worker process was killed (out of memory?); {remedy}") from error
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib says that it cancels what still runs: just what is wanted
            outcomes.close()


def in_worker(work: Callable[[Item], Result], item: Item) -> Result | Failure:
    """The work in a worker process; returns the error instead of raising it, so that it surely travels back."""
    if threading.current_thread() is threading.main_thread():
        # Ctrl-C reaches every process of a terminal; the parent alone decides, and ends the workers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return work(item)
    except Exception as error:
        return Failure(_portable(error))


def _portable(error: Exception) -> Exception:
    """The error itself where it can be pickled there and back, else its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
