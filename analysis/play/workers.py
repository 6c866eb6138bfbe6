"""Work goes to worker processes; every finished block of worlds is on disk before the next begins."""

from __future__ import annotations

import os
import pickle
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.errors import BrokenRun
from analysis.play.interrupts import Held, held
from analysis.play.lockstep import Block, Engine, play_block
from analysis.play.orphans import stay_with_parent
from analysis.play.progress import Tally
from analysis.play.provenance import code_fingerprint
from analysis.runs.parts import write_part
from analysis.runs.seeds import SeedSet
from analysis.terminal.notices import listening, pass_on
from simulation.training.signals import kept_from_children

if TYPE_CHECKING:
    from simulation.plugins.plugin import Source

Item = TypeVar("Item")
Result = TypeVar("Result")
IDLE_S = 300  # workers wait so long for more work: importing torch anew takes seconds
POLL_S = 0.1  # a request to end waits at most so long
SHORT_S, MOST_WAITS = 0.005, 200
POOL: dict[str, Any] = {}
"""The worker processes that were opened last, if any are left."""
CODE: dict[str, str] = {}
"""In a worker process until its first item: the fingerprint of the files that its parent goes by."""


@dataclass(frozen=True)
class Job:
    """What a worker needs besides its block. Picklable. `token`: of the run folder."""

    engine: Engine
    folder: Path
    token: str
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
    with closing(parallel_map(partial(play_and_write, job=job), blocks, n_jobs, remedy)) as played:
        for _ in played:
            pass


def play_and_write(block: Block, job: Job) -> None:
    """Play one block and write its part into the run folder."""
    service = job.engine.open_service(job.ledger, job.device, job.retrain)
    write_part(job.folder, job.token, SeedSet.of(block.seeds), play_block(block, job.engine, service, job.tally))


def parallel_map(
    work: Callable[[Item], Result], items: Sequence[Item], n_jobs: int, remedy: str
) -> Generator[Result, None, None]:
    """What `work` returns for every item, as it comes: worked here if one job is allowed, else in processes.

    `work` and the items must be picklable; items are asked for as they are needed. Close the generator
    (`contextlib.closing`), so that an interrupt ends the processes at once. Raises what `work` raised; `BrokenRun`
    with the remedy when a process was killed.
    """
    if n_jobs == 1 or len(items) <= 1:
        yield from map(work, items)
        return
    from joblib.externals.loky.process_executor import BrokenProcessPool

    from simulation.plugins.loading import loaded_sources

    with_plugins = partial(in_worker, work, loaded_sources())
    crew = Crew(partial(listening, with_plugins), iter(items), min(n_jobs, len(items)))
    try:
        while finished := crew.next_finished():
            for future in finished:
                outcome = pass_on(future.result())
                if isinstance(outcome, Failure):
                    raise outcome.error
                yield outcome
    except BrokenProcessPool as error:
        raise BrokenRun(f"a worker process was killed (out of memory?); {remedy}") from error
    finally:
        crew.dismiss()


class Crew:
    """Worker processes with the items they are at; requests to end arrive between two waits, never inside one."""

    def __init__(self, work: Callable[[Any], Any], items: Iterator[Any], n_jobs: int) -> None:
        self.work, self.items, self.n_jobs = work, items, n_jobs
        self.waiting: set[Future[Any]] = set()

    def next_finished(self) -> set[Future[Any]]:
        """The next futures that are done, none when all items are; raises `KeyboardInterrupt` on Ctrl-C."""
        with held() as requests:
            with kept_from_children():
                self._hand_out()
            finished = self._wait(requests)
        requests.raise_noted()
        return finished

    def dismiss(self) -> None:
        """End the processes if they are still at work; else they stay for the next time."""
        if self.waiting:
            with held():
                self._wait_for_start()
                end_workers()

    def _wait_for_start(self) -> None:
        """Let the pool take up what was handed out last: its own thread stumbles over what it finds afterwards."""
        for _ in range(MOST_WAITS):
            if all(future.running() or future.done() for future in self.waiting):
                return
            time.sleep(SHORT_S)

    def _hand_out(self) -> None:
        pool = open_pool(self.n_jobs)
        for item in islice(self.items, 2 * self.n_jobs - len(self.waiting)):
            self.waiting.add(pool.submit(self.work, item))

    def _wait(self, requests: Held) -> set[Future[Any]]:
        finished: set[Future[Any]] = set()
        while self.waiting and not finished and not requests.noted:
            finished, self.waiting = wait(self.waiting, POLL_S, FIRST_COMPLETED)
        return finished


def open_pool(n_jobs: int) -> Any:
    """The worker processes of this process, started where there are none."""
    from joblib.externals.loky import get_reusable_executor

    # They are renewed when they have grown much; nobody needs to know.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    by_main_thread = threading.current_thread() is threading.main_thread()
    # Another fingerprint than last time's renews them: idle workers hold the files as they were.
    bound = {"initializer": begin_worker, "initargs": (os.getpid(), by_main_thread, code_fingerprint())}
    POOL["last"] = get_reusable_executor(n_jobs, timeout=IDLE_S, **bound)
    return POOL["last"]


def begin_worker(parent: int, by_main_thread: bool, code: str) -> None:
    """To be called first in a worker: end with the process `parent`, and play by the files with that fingerprint."""
    stay_with_parent(parent, by_main_thread)
    CODE["parent"] = code


def end_workers() -> None:
    """Kill the worker processes of this process, where there are any."""
    with held():
        if "last" in POOL:
            POOL.pop("last").shutdown(wait=True, kill_workers=True)


def in_worker(work: Callable[[Item], Result], plugins: tuple[Source, ...], item: Item) -> Result | Failure:
    """The work in a worker process; returns the error instead of raising it, so that it surely travels back.

    plugins: what the parent has loaded, and the worker loads first.
    """
    try:
        _check_code()
        if plugins:
            import agents.rules  # noqa: F401  (declares what can be replaced)
            from simulation.plugins.loading import load_again

            load_again(plugins)
        return work(item)
    except Exception as error:
        return Failure(_portable(error))


def _check_code() -> None:
    """Once, when the work has been loaded: raise `BrokenRun` where its files are no longer those of the parent."""
    if CODE.pop("parent", None) not in (None, code_fingerprint()):
        raise BrokenRun(
            "a source file has changed since this run began, so that new worker processes would play by other rules; "
            "finished seeds are kept: go on with the files as they were, or start anew"
        )


def _portable(error: Exception) -> Exception:
    """The error itself where it can be pickled there and back, else its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
