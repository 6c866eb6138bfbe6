"""The ledger: nothing finished is lost, nothing wrong is served."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sqlite3
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from simulation.training.ledger.ledger import Ledger, LedgerError
from simulation.training.plan import TrainingPlan
from tests.support.ledger_runs import run_of
from tests.support.patience import HANGS_S, wait_until

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.sqlite"


def test_what_is_written_is_read_and_the_first_row_stays(path: Path) -> None:
    ledger = Ledger.open(path)
    plan, result = run_of(1)
    ledger.add_many([(plan, result)])
    ledger.add_many([(plan, result), run_of(2)])
    assert ledger.get(plan.key()) == result
    assert Ledger(path).get_many([plan.key(), "absent"]) == {plan.key(): result}
    assert len(ledger) == 2
    (row,) = ledger.rows([plan.key()])
    assert TrainingPlan.from_json(row["plan"]) == plan
    assert ledger.info()["runs"] == 2


def test_a_ledger_in_memory_needs_no_file_and_cannot_be_shared() -> None:
    ledger = Ledger()
    ledger.add_many(run_of(seed) for seed in range(3))
    assert len(ledger) == 3
    with pytest.raises(TypeError, match="file"):
        pickle.dumps(ledger)


def test_samples_are_the_same_for_the_same_seed(path: Path) -> None:
    ledger = Ledger(path)
    ledger.add_many(run_of(seed) for seed in range(50))
    first = [row["key"] for row in ledger.sample(5, seed=3)]
    assert first == [row["key"] for row in ledger.sample(5, seed=3)]
    assert first != [row["key"] for row in ledger.sample(5, seed=4)]
    assert len(ledger.sample(500)) == 50


def test_a_damaged_row_is_not_served_and_can_be_written_again(path: Path) -> None:
    ledger = Ledger(path)
    plan, result = run_of(1)
    ledger.add_many([(plan, result)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET accuracy_field = 0.99")
    assert ledger.get(plan.key()) is None
    assert ledger.rows() == []
    assert ledger.info()["damaged"] == 1
    ledger.add_many([(plan, result)])
    assert ledger.get(plan.key()) == result


def test_a_corrupted_file_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database " * 200)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite.*corrupted.*Move the file away"):
        Ledger(path)


def test_another_sqlite_file_and_another_schema_are_refused(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE letters (text TEXT)")
    with pytest.raises(LedgerError, match="not a training ledger"):
        Ledger(path)
    other = path.with_name("other.sqlite")
    Ledger(other).close()
    with sqlite3.connect(other) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(LedgerError, match="schema 99"):
        Ledger(other)


def test_a_folder_in_the_place_of_the_file_is_an_error_of_the_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="writable"):
        Ledger(tmp_path)


def write_runs(path: str, first: int, n: int, batch: int) -> None:
    ledger = Ledger(path)
    for start in range(first, first + n, batch):
        ledger.add_many(run_of(seed) for seed in range(start, start + batch))


def write_forever(path: str) -> None:
    for first in range(0, 10**9, 20):
        write_runs(path, first, 20, 20)


def test_processes_write_at_once_and_lose_nothing(path: Path) -> None:
    writers = [SPAWN.Process(target=write_runs, args=(str(path), first, 80, 4)) for first in (0, 40, 80)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(HANGS_S)
        assert writer.exitcode == 0
    ledger = Ledger(path)
    assert len(ledger) == 160
    assert ledger.info()["damaged"] == 0


def write_one(path: str, start: Barrier, seed: int) -> None:
    start.wait(HANGS_S)
    Ledger(path).add_many([run_of(seed)])


@pytest.mark.slow
def test_processes_may_create_the_ledger_at_once(tmp_path: Path) -> None:
    for attempt in range(3):
        path, start = str(tmp_path / f"{attempt}.sqlite"), SPAWN.Barrier(4)
        writers = [SPAWN.Process(target=write_one, args=(path, start, seed)) for seed in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(HANGS_S)
            assert writer.exitcode == 0
        assert len(Ledger(path)) == 4


def test_a_killed_writer_leaves_whole_transactions(path: Path) -> None:
    writer = SPAWN.Process(target=write_forever, args=(str(path),))
    writer.start()
    wait_until(lambda: path.exists() and path.stat().st_size and len(Ledger(path)) >= 200, writer.is_alive)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(HANGS_S)
    ledger = Ledger(path)
    assert len(ledger) >= 200
    assert len(ledger) % 20 == 0
    assert ledger.info()["damaged"] == 0
    ledger.add_many([run_of(10**6)])
    assert ledger.get(run_of(10**6)[0].key()) is not None
