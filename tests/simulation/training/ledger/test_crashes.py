"""The ledger under attack: processes killed at random moments, damaged files, full and read-only disks."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from simulation.training.ledger import file
from simulation.training.ledger.errors import Trouble
from simulation.training.ledger.ledger import Ledger, LedgerError, LedgerWarning
from simulation.training.ledger.rows import Damage, damage_of, is_believable, row_of
from simulation.training.ledger.schema import KEPT
from tests.support.ledger_runs import run_of
from tests.support.paths import ROOT
from tests.support.patience import HANGS_S, wait_until

SPAWN = multiprocessing.get_context("spawn")
BATCH = 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def filled(path: Path, n: int = 40) -> dict[str, object]:
    """A ledger with runs 0 … n − 1 that has been closed; its results by key."""
    ledger = Ledger(path)
    ledger.add_many(run_of(seed) for seed in range(n))
    results = dict(ledger.get_many(ledger.keys()))
    ledger.close()
    return results


# --- killed processes -------------------------------------------------------------------------------------------------


def write_until_killed(path: str, notes: str, first: int, go: Event) -> None:
    """Write batch after batch; note the first seed of each one when the ledger has acknowledged it."""
    with open(notes, "ab", buffering=0) as file:
        go.wait(HANGS_S)
        ledger = Ledger(path)
        for seed in range(first, first + 1000 * BATCH, BATCH):
            if ledger.add_many(run_of(s) for s in range(seed, seed + BATCH)):
                file.write(f"{seed}\n".encode())
    time.sleep(HANGS_S)


def noted(notes: Path) -> set[str]:
    """Keys of all runs that the ledger acknowledged to a writer."""
    firsts = [int(line) for line in notes.read_text().splitlines()]
    return {run_of(seed)[0].key() for first in firsts for seed in range(first, first + BATCH)}


def start_writers(path: Path, first: int, n: int) -> list[tuple[SpawnProcess, Path]]:
    """Processes that begin to write to one ledger at the same moment."""
    go, writers = SPAWN.Event(), []
    for number in range(n):
        notes = path.with_name(f"notes{first}-{number}")
        target = (str(path), str(notes), first + number * 10**5, go)
        process = SPAWN.Process(target=write_until_killed, args=target, daemon=True)
        process.start()
        writers.append((process, notes))
    wait_until(lambda: all(notes.exists() for _, notes in writers))
    go.set()
    return writers


def test_writers_killed_at_random_moments_lose_nothing_and_damage_nothing(path: Path) -> None:
    dice = random.Random(3)
    acknowledged: set[str] = set()
    for attempt in range(2):  # the first writers may be killed while they make the ledger
        for process, notes in start_writers(path, attempt * 10**6, 4):
            time.sleep(dice.uniform(0.0, 0.06))
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join(HANGS_S)
            assert process.exitcode == -signal.SIGKILL  # it was still at work, without an error
            reader, mine = Ledger(path), noted(notes)  # while the others write
            assert reader.get_many(mine).keys() == mine
            reader.close()
            acknowledged |= mine
    ledger = Ledger(path)
    assert len(acknowledged) > 50
    assert acknowledged <= set(ledger.keys())
    assert ledger.info()["damaged"] == 0 and len(ledger) % BATCH == 0
    assert all(is_believable(tuple(row.values())) for row in ledger.rows())
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- damaged files ----------------------------------------------------------------------------------------------------


def test_a_cut_file_is_an_error_that_says_what_to_do(path: Path) -> None:
    results = filled(path)
    whole = path.read_bytes()
    for size in (10, 50, 100, 5000, len(whole) // 2, len(whole) - 4096):
        cut = path.with_name(f"cut{size}.sqlite")
        cut.write_bytes(whole[:size])
        with pytest.raises(LedgerError, match="Move the file away") as caught:
            Ledger(cut).rows()
        assert caught.value.path == str(cut) and "corrupted" in caught.value.reason
    short, empty = path.with_name("short.sqlite"), path.with_name("empty.sqlite")
    short.write_bytes(whole[:-1])  # a page that lacks its end is filled with zeros, where checksums find them
    assert all(results[key] == result for key, result in Ledger(short).get_many(results).items())
    empty.touch()  # nothing at all is a new ledger
    assert len(Ledger(empty)) == 0


def test_flipped_bits_are_never_served(path: Path) -> None:
    results = filled(path)
    whole, dice = path.read_bytes(), random.Random(1)
    n_served = 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(3):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        try:
            served = Ledger(path).get_many(results)
        except LedgerError:
            continue
        n_served += len(served)
        assert all(results[key] == result for key, result in served.items())
    assert n_served > 100 * len(results) // 2  # one damaged row does not hide the others


@pytest.mark.parametrize("value", [b"\xff\xfe", None, 3.5], ids=["bytes", "nothing", "number"])
def test_a_cell_of_another_type_hides_only_its_row(path: Path, value: object) -> None:
    results = filled(path)
    key = min(results)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '')")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET device = ?, plan = CAST(x'fffe' AS TEXT) WHERE key = ?", [value, key])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = ?", [KEPT])
    assert Ledger(path).get_many(results) == {k: r for k, r in results.items() if k != key}


def test_garbage_in_the_log_is_not_believed(path: Path) -> None:
    results = filled(path)
    for content in (b"garbage " * 2000, b"\x37\x7f\x06\x82" + b"\x00" * 5000):
        path.with_name("ledger.sqlite-wal").write_bytes(content)
        ledger = Ledger(path)
        assert ledger.get_many(results) == results
        assert ledger.add_many([run_of(1000)])
        ledger.close()


def test_a_torn_log_gives_whole_transactions(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    log = path.with_name("ledger.sqlite-wal")
    for first in range(0, 40, BATCH):
        ledger.add_many(run_of(seed) for seed in range(first, first + BATCH))
    folder = tmp_path / "copy"
    folder.mkdir()
    copy, torn = folder / path.name, folder / log.name
    found = []
    for tenths in range(11):
        shutil.copy(path, copy)
        torn.write_bytes(log.read_bytes()[: log.stat().st_size * tenths // 10])
        again = Ledger(copy)
        assert again.info()["damaged"] == 0 and len(again) % BATCH == 0
        found.append(len(again))
        again.close()
    assert found == sorted(found) and found[-1] == 40


def test_a_schema_that_changed_under_an_open_ledger_is_found_at_the_next_opening(path: Path) -> None:
    filled(path)
    ledger = Ledger(path)
    ledger.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=7")
    for _ in range(2):  # a refused file stays refused
        with pytest.raises(LedgerError, match=r"schema 7, this release needs 2.*Move the file away"):
            ledger.get("key")


def test_a_fault_of_the_caller_is_not_blamed_on_the_file(path: Path) -> None:
    ledger, (plan, result) = Ledger(path), run_of(1)
    with pytest.raises(ValueError, match="not of the plan"):
        ledger.add_many([(run_of(2)[0], result)])
    object.__setattr__(result, "leakage", float("nan"))
    with pytest.raises(ValueError, match="leakage = nan cannot be"):
        ledger.add_many([(plan, result)])


@pytest.mark.parametrize("value", [0, -0.0, 5e-324, -0.1, 1 / 3], ids=repr)
def test_whatever_number_is_measured_its_row_stays_intact(path: Path, value: float) -> None:
    ledger, (plan, result) = Ledger(path), run_of(1)
    object.__setattr__(result, "leakage", value)  # a column of reals
    assert ledger.add_many([(plan, result)]) and ledger.get(plan.key()) == result
    assert ledger.info()["damaged"] == 0


@pytest.mark.filterwarnings("ignore::simulation.training.ledger.errors.LedgerWarning")
def test_what_is_written_and_not_found_again_stays_in_memory(path: Path) -> None:
    results = filled(path)
    whole, n_kept = path.read_bytes(), 0
    for number, key in enumerate(results):  # a key that is out of order misleads the search for others
        damaged = path.with_name(f"{number}.sqlite")
        damaged.write_bytes(whole.replace(key.encode(), b"\0" * len(key)))
        ledger = Ledger.open(damaged)
        missing = results.keys() - ledger.get_many(results).keys()
        saved = ledger.add_many(run_of(seed) for seed in range(40) if run_of(seed)[0].key() in missing)
        n_kept += not saved
        found = ledger.get_many(missing)
        assert key in missing and found == {one: results[one] for one in missing}
    assert n_kept > 0


# --- disks ------------------------------------------------------------------------------------------------------------


def limit_pages(ledger: Ledger, n_more: int | None) -> None:
    """Let the file grow by some pages only; None: as it likes."""
    connection = ledger._file.open()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={2**30 if n_more is None else pages + n_more}")


def test_a_full_disk_costs_no_finished_run(path: Path) -> None:
    ledger = Ledger(path)
    ledger.add_many(run_of(seed) for seed in range(BATCH))
    limit_pages(ledger, 0)
    runs = [run_of(seed) for seed in range(100, 150)]
    with pytest.warns(LedgerWarning, match=r"full.*Free space.*kept in memory") as caught:
        assert not ledger.add_many(runs[:40])
        assert not ledger.add_many(runs[40:])
    assert len(caught) == 1  # once, not for every chunk
    keys = [plan.key() for plan, _ in runs]
    assert ledger.get_many(keys) == {result.key: result for _, result in runs}
    assert [row["key"] for row in ledger.rows(keys)] == sorted(keys)
    assert len(ledger) == len(ledger.keys()) == ledger.info()["runs"] == BATCH + 50
    assert file.LedgerFile(str(path)).count() == BATCH  # nothing torn for the others
    with pytest.raises(LedgerError, match="Free space"):
        ledger.close()
    with pytest.raises(LedgerError, match="Free space"):
        ledger.add_rows([row_of(*run_of(seed), created=0.0) for seed in range(1000, 1100)])
    limit_pages(ledger, None)
    assert ledger.add_many([run_of(200)])
    assert len(Ledger(path)) == BATCH + 51


def test_a_running_service_outlives_a_ledger_that_cannot_be_written(path: Path) -> None:
    from simulation.training.plan import TrainingPlan
    from simulation.training.service import TrainingService

    service = TrainingService(Ledger(path), "cpu")
    service.ledger._file.open().execute("PRAGMA query_only=ON")  # what SQLite says of a disk that became read-only
    keys = [service.submit(TrainingPlan("speech", "mlp", 0, 100, seed=seed)) for seed in range(20)]
    with pytest.warns(LedgerWarning, match="readonly.*writable"):
        assert service.train(keys) == 20
    assert [service.result(key).key for key in keys] == keys
    assert len(service.rows()) == 20  # what the run's training table is made of
    service.ledger._file.open().execute("PRAGMA query_only=OFF")
    assert service.ledger.add_many(())  # as the player does at the end of a block
    assert len(Ledger(path)) == 20


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulation.training.ledger.file.PATIENCE_S", 0.2)
    monkeypatch.setattr("simulation.training.ledger.ledger.LAST_WAIT_S", 0.05)


@pytest.fixture
def holder(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that holds the ledger for itself alone; `close` lets it go."""
    filled(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    yield connection
    connection.close()


def test_a_ledger_that_another_process_holds_is_waited_for_and_then_named(
    path: Path, little_patience: None, holder: sqlite3.Connection
) -> None:
    with pytest.raises(LedgerError, match=r"locked.*Another process holds the file") as caught:
        Ledger(path)
    assert (caught.value.trouble, caught.value.exit_code) == (Trouble.HELD, 1)
    holder.close()
    assert len(Ledger(path)) == 40


def test_a_run_goes_on_in_memory_while_its_ledger_is_held_and_says_so_once(
    path: Path, little_patience: None, holder: sqlite3.Connection
) -> None:
    runs = [run_of(seed) for seed in range(1000, 1020)]
    with pytest.warns(LedgerWarning, match=r"Another process holds the file.*kept in memory") as caught:
        ledger = Ledger.open(path)
        for one in runs:
            assert not ledger.add_many([one])
        assert ledger.get(run_of(0)[0].key()) is None  # it cannot be asked, so the run would be trained
        again = Ledger.open(path)  # as for the next block of seeds
        assert again.get_many(plan.key() for plan, _ in runs) == {result.key: result for _, result in runs}
    assert len(caught) == 1
    assert again.n_unsaved == 20
    holder.close()
    assert again.add_many(())
    assert again.n_unsaved == ledger.n_unsaved == 0
    assert len(Ledger(path)) == 60


def test_waiting_in_vain_has_an_end_however_often_it_is_tried(
    path: Path, holder: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "PATIENCE_S", 0.5)
    assert file.patience_left_s(str(path)) == 0.5
    with pytest.warns(LedgerWarning):
        ledger = Ledger.open(path)
        for seed in range(100, 110):
            ledger.add_many([run_of(seed)])
    assert file.patience_left_s(str(path)) == 0.0  # nobody waits for this file any more
    assert file.patience_left_s(f"{path}-other") == 0.5


def test_opening_looks_at_no_row_and_asking_at_those_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counted(row: tuple[object, ...]) -> Damage | None:
        looked_at.append(str(row[0]))
        return damage_of(row)

    results = filled(path)
    monkeypatch.setattr("simulation.training.ledger.ledger.damage_of", counted)
    ledger = Ledger.open(path)
    assert len(ledger) == 40 and looked_at == []
    wanted = sorted(results)[3:5]
    assert ledger.get_many(wanted) == {key: results[key] for key in wanted}
    assert looked_at == wanted


def test_a_ledger_that_may_not_be_read_is_told_as_that(path: Path) -> None:
    filled(path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    for how in (Ledger, Ledger.open):
        with pytest.raises(LedgerError, match=r"it may not be read\. Make it readable"):
            how(path)


def on_small_disk(tmp_path: Path, script: str) -> None:
    """Run a script in a folder that is a disk of one MiB, seen by that process alone; skips where that cannot be."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("needs unshare with user and mount namespaces")
    head = "import os, subprocess, warnings\nfrom tests.support.ledger_runs import run_of\n"
    head += "from simulation.training.ledger.ledger import Ledger, LedgerError, LedgerWarning\n"
    (tmp_path / "script.py").write_text(head + textwrap.dedent(script))
    (tmp_path / "disk").mkdir()
    shell = 'mount -t tmpfs -o size=1m tmpfs disk || exit 99; cd disk && exec "$0" ../script.py'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", shell, sys.executable],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode == 99:
        pytest.skip("cannot mount a tmpfs")
    assert done.returncode == 0, done.stderr


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    on_small_disk(
        tmp_path,
        """
        ledger = Ledger("ledger.sqlite")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            n, wrote = 0, True
            while wrote or n < 4000:
                wrote = ledger.add_many(run_of(seed) for seed in range(n, n + 100))
                n += 100
        assert [w.category for w in caught] == [LedgerWarning], caught
        assert "disk" in str(caught[0].message), caught[0].message
        assert len(ledger) == n and len(ledger.get_many(ledger.keys())) == n
        subprocess.run(["mount", "-o", "remount,size=64m", "."], check=True)
        ledger.close()
        assert len(Ledger("ledger.sqlite")) == n and Ledger("ledger.sqlite").info()["damaged"] == 0
        """,
    )


def test_a_read_only_disk_lets_a_ledger_be_read_and_runs_go_on(tmp_path: Path) -> None:
    on_small_disk(
        tmp_path,
        """
        ledger = Ledger("ledger.sqlite")
        ledger.add_many(run_of(seed) for seed in range(3))
        ledger.close()
        subprocess.run(["mount", "-o", "remount,ro", "."], check=True)
        assert Ledger("ledger.sqlite").info()["runs"] == 3
        for path in ("new.sqlite", "folder/new.sqlite"):  # what is not there cannot be read
            try:
                Ledger(path)
            except LedgerError as error:
                assert "Make the file and its folder writable" in str(error) and error.exit_code == 1, error
            else:
                raise SystemExit(f"{path} was opened")
        for path, n in (("ledger.sqlite", 3), ("new.sqlite", 0), ("folder/new.sqlite", 0)):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                ledger = Ledger.open(path)
                assert len(ledger.get_many(run_of(seed)[0].key() for seed in range(3))) == n
                assert not ledger.add_many([run_of(7)]) and not ledger.add_many([run_of(8)])
                assert ledger.get(run_of(7)[0].key()) == run_of(7)[1]
            assert [w.category for w in caught] == [LedgerWarning], (path, [str(w.message) for w in caught])
        subprocess.run(["mount", "-o", "remount,rw", "."], check=True)
        assert ledger.add_many([run_of(9)])  # as soon as that is possible
        assert len(Ledger("folder/new.sqlite")) == 3
        """,
    )


def test_a_read_only_ledger_with_an_unfinished_log_is_read_with_it(tmp_path: Path) -> None:
    on_small_disk(
        tmp_path,
        """
        if os.fork() == 0:
            ledger = Ledger("ledger.sqlite")
            ledger.add_many(run_of(seed) for seed in range(3))
            os._exit(0)  # as if killed: the log stays
        os.wait()
        assert os.path.getsize("ledger.sqlite-wal") > 0
        subprocess.run(["mount", "-o", "remount,ro", "."], check=True)
        assert len(Ledger("ledger.sqlite").get_many(run_of(seed)[0].key() for seed in range(3))) == 3
        """,
    )


@pytest.mark.parametrize("name", [b"\xd6\xff", b"\x1b[31m\n", b"x" * 5000], ids=["bytes", "signs", "long"])
def test_what_a_damaged_schema_quotes_stays_one_short_line(path: Path, name: bytes) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET name = CAST(? AS TEXT), sql = 'no SQL'", [name])
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"the file is corrupted \(.*\)\. Move the file away") as error:
            Ledger(path)
        assert str(error.value).isprintable() and len(str(error.value)) < 500 + len(str(path))
