"""Ledgers damaged at random: nothing wrong is served, and whoever asks gets the truth or one line.

    python -m pytest tests/simulation/training/ledger/test_campaign.py -m campaign -n 0

damages 200 ledgers (another number: VENTURES_CAMPAIGN; from which on: VENTURES_CAMPAIGN_FROM) and prints its counts; a
small campaign belongs to the normal tests. The rows are of networks that were really trained, and what a damaged ledger
does not give is trained again: it must come out as it was.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from analysis.training.ledger_files import NotReproduced, Trial, export_ledger, import_ledger
from simulation.training.ledger.errors import Trouble
from simulation.training.ledger.ledger import Ledger, LedgerError
from simulation.training.ledger.read_only import ReadOnlyLedger
from simulation.training.ledger.rows import COLUMNS, key_of, result_of, row_checksum
from simulation.training.ledger.schema import APPLICATION_ID, KEPT, SCHEMA_VERSION
from simulation.training.plan import TrainingPlan
from simulation.training.result import MEASURES, TrainingResult
from simulation.training.service import TrainingService
from tests.support.campaign import FIRST, SIZE, tell
from tests.support.damage import (
    ANY_FILE,
    append_noise,
    become_folder,
    become_pipe,
    flip_bytes,
    overwrite_block,
    remove,
    truncate,
)

N_RUNS = 16
MOST_SAID = 600
NAME = "ledger.sqlite"
PLANS = tuple(TrainingPlan("speech", "mlp", 0, 64, seed=seed) for seed in range(N_RUNS))
KEYS = [plan.key() for plan in PLANS]
Rng = random.Random


@dataclass(frozen=True)
class Ground:
    """Undamaged files, and the results that are true: `whole` closed, `torn` as a killed process leaves it."""

    whole: Path
    torn: Path
    parquet: Path
    truth: dict[str, TrainingResult]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("ground")
    whole, torn = folder / "whole", folder / "torn"
    whole.mkdir()
    ledger = Ledger(whole / NAME)
    for half in (PLANS[: N_RUNS // 2], PLANS[N_RUNS // 2 :]):
        service = TrainingService(ledger, "cpu")
        service.train([service.submit(plan) for plan in half])
    truth = ledger.get_many(KEYS)
    shutil.copytree(whole, torn)
    assert (torn / f"{NAME}-wal").stat().st_size > 0
    ledger.close()
    export_ledger(Ledger(whole / NAME), folder / "whole.parquet")
    return Ground(whole, torn, folder / "whole.parquet", truth)


# --- damage ----------------------------------------------------------------------------------------------------------
# Each takes a folder that holds a ledger, changes it, and says in a few words how.


def broken_file(place: Path, rng: Rng) -> str:
    """Bytes of the file are not what was written."""
    return rng.choice((flip_bytes, flip_bytes, truncate, overwrite_block, append_noise))(place / NAME, rng)


def broken_log(place: Path, rng: Rng) -> str:
    """The log that a killed process left, or its index, is not what it wrote."""
    files = [path for path in sorted(place.iterdir()) if path.name != NAME]
    what = rng.choice((flip_bytes, truncate, overwrite_block, append_noise, remove))
    return what(rng.choice(files), rng)


def something_else(place: Path, rng: Rng) -> str:
    """No ledger stands there, but a file or folder of another kind."""
    path = place / NAME
    what = rng.choice(("gone", "empty", "folder", "pipe", "text", "parquet", "dangling", "study"))
    makers: dict[str, Callable[[], object]] = {
        "gone": lambda: None,
        "empty": path.touch,
        "folder": lambda: (path.touch(), become_folder(path, rng)),
        "pipe": lambda: (path.touch(), become_pipe(path, rng)),
        "text": lambda: path.write_text("a letter\n" * rng.randint(1, 3000)),
        "parquet": lambda: pd.DataFrame({"key": ["a"]}).to_parquet(path),
        "dangling": lambda: path.symlink_to(place / "no" / "file"),
        "study": lambda: optuna.create_study(storage=f"sqlite:///{path}", study_name="calibration"),
    }
    path.unlink()
    makers[what]()
    return what


def foreign_database(place: Path, rng: Rng) -> str:
    """An SQLite file that looks more or less like a ledger and is none."""
    statements = {
        "other application": ["PRAGMA application_id = 7"],
        "no application": ["PRAGMA application_id = 0"],
        "later schema": [f"PRAGMA user_version = {SCHEMA_VERSION + 1}"],
        "earlier schema": ["PRAGMA user_version = 0"],
        "column renamed": ["ALTER TABLE runs RENAME COLUMN leakage TO leaking"],
        "column lost": ["ALTER TABLE runs DROP COLUMN leakage"],
        "column added": ["ALTER TABLE runs ADD COLUMN surplus TEXT"],
        "table renamed": ["ALTER TABLE runs RENAME TO walks"],
        "table lost": ["DROP TABLE runs"],
        "trigger": ["CREATE TRIGGER t AFTER INSERT ON runs BEGIN UPDATE runs SET leakage = 0; END"],
        "index": ["CREATE INDEX i ON runs (hex(randomblob(length(plan) * 0 + 9)))"],
        "view": ["ALTER TABLE runs RENAME TO walks", "CREATE VIEW runs AS SELECT * FROM walks"],
        "constraint": ["DROP TABLE runs", KEPT.replace("seconds REAL NOT NULL", "seconds REAL NOT NULL CHECK (0)")],
        "computed": ["DROP TABLE runs", KEPT.replace("leakage REAL NOT NULL", "leakage REAL AS (abs(loss_lab))")],
        "words of anybody": ["CREATE VIEW v AS SELECT 1"],
    }
    what = rng.choice(sorted(statements))
    with closing(sqlite3.connect(place / NAME)) as connection:
        for statement in statements[what]:
            try:
                connection.execute(statement)
            except sqlite3.OperationalError:  # SQLite itself forbids it
                connection.execute("PRAGMA application_id = 7")
        connection.commit()
    return what


ODD_VALUES: tuple[Any, ...] = (
    *(0.0, 0.5, 1.0, -0.5, 5.0, 1e30, -1e30, 1e308, float("inf"), -1, 0, 7, 2**62, "", "text", "x" * 100_000),
    *("[bold]\x1b[31m\n", "\x00", b"\xff\xfe", b"", "null", "{}", "[" * 1900),
)


def changed_cells(place: Path, rng: Rng) -> str:
    """Cells of some rows hold something else, and nobody made the checksums fit."""
    said = []
    with closing(sqlite3.connect(place / NAME)) as connection:
        for key in rng.sample(KEYS, rng.randint(1, 4)):
            column, value = rng.choice(COLUMNS), rng.choice(ODD_VALUES)
            before = row_of(connection, key)
            connection.execute(f"UPDATE OR REPLACE runs SET {column} = ? WHERE key = ?", [value, key])
            said.append(f"{column} = {str(value)[:20]!r}" if row_of(connection, key) != before else "the same")
        connection.commit()
    return ", ".join(said)


def swapped_rows(place: Path, rng: Rng) -> str:
    """Measures, plans or keys of two rows changed places; checksums as they were or, for plans and keys, fitting."""
    one, other = rng.sample(KEYS, 2)
    what, seal = rng.choice(("measures", "plan", "key")), rng.random() < 0.5
    with closing(sqlite3.connect(place / NAME)) as connection:
        rows = [row_of(connection, key) for key in (one, other)]
        names = MEASURES if what == "measures" else (what,)
        for mine, theirs in (rows, rows[::-1]):
            row = dict(zip(COLUMNS, mine, strict=True))
            row |= {name: dict(zip(COLUMNS, theirs, strict=True))[name] for name in names}
            write(connection, row, seal and what != "measures")
        connection.commit()
    return f"{what} swapped{', sealed' if seal else ''}"


LIES: tuple[dict[str, Any], ...] = (
    {"accuracy_lab": 5.0}, {"accuracy_field": -0.5}, {"training_flops": -1e30}, {"n_parameters": -1},
    {"loss_lab": float("inf")}, {"fairness_gap": -3.0}, {"seconds": -1.0}, {"device": ""}, {"device": "x" * 9999},
    {"elbo": -3.0}, {"crash_rate_lab": 0.5}, {"created": -5.0}, {"trainer_version": "2"}, {"plan": "{}"},
    {"plan": "no plan"}, {"key": "0" * 32}, {"key": ""}, {"model_bytes": 2**60}, {"torch_version": "\x1b[31m"},
)  # fmt: skip


def sealed_lies(place: Path, rng: Rng) -> str:
    """Rows that say what cannot be, with checksums that fit."""
    said = []
    with closing(sqlite3.connect(place / NAME)) as connection:
        for key in rng.sample(KEYS, rng.randint(1, 4)):
            lie = rng.choice(LIES)
            row = dict(zip(COLUMNS, row_of(connection, key), strict=True)) | lie
            if "plan" in lie and rng.random() < 0.5:
                row["key"] = key_of(row["trainer_version"], row["plan"])
            connection.execute("DELETE FROM runs WHERE key = ?", [key])
            write(connection, row, seal=True)
            said.append(str(lie)[:40])
        connection.commit()
    return ", ".join(said)


def row_of(connection: sqlite3.Connection, key: str) -> tuple[Any, ...]:
    found = connection.execute("SELECT * FROM runs WHERE key = ?", [key]).fetchone()
    return () if found is None else tuple(found)


def write(connection: sqlite3.Connection, row: dict[str, Any], seal: bool) -> None:
    values = [row[name] for name in COLUMNS]
    if seal:  # over what SQLite gives back
        values[-1] = row_checksum(values[:-1])
    connection.execute(f"INSERT OR REPLACE INTO runs VALUES ({','.join('?' * len(COLUMNS))})", values)


DAMAGES: tuple[Callable[[Path, Rng], str], ...] = (
    broken_file, broken_file, broken_file, broken_log, something_else, foreign_database, changed_cells, swapped_rows,
    sealed_lies,
)  # fmt: skip


# --- what must hold --------------------------------------------------------------------------------------------------


def assert_told(error: Exception, path: Path, says: str) -> None:
    """The error is one short line that names the file."""
    text = str(error)
    assert str(path) in text and "\n" not in text and len(text) < MOST_SAID + len(str(path)), f"{says}: {text}"
    assert "\x1b" not in text, says


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def play(path: Path, truth: dict[str, TrainingResult], says: str) -> str:
    """What a run does: ask for all results, train what is missing, record it; returns what came of it."""
    service = TrainingService(Ledger.open(path), "cpu")
    try:
        service.train([service.submit(plan) for plan in PLANS])
        assert {key: service.result(key) for key in KEYS} == truth, says
        rows = {row["key"]: row for row in service.rows()}  # of which the run's table of trainings is made
        assert {key: result_of(row) for key, row in rows.items()} == truth, says
        saved = service.ledger.add_many(())
    finally:
        service.ledger._file.close()
    again = Ledger.open(path).get_many(KEYS)
    assert all(truth[key] == result for key, result in again.items()), says
    if saved and again.keys() != truth.keys():  # keys out of order mislead the search: what is missing is trained again
        return "not mended"
    return "all served" if service.n_runs == 0 else "none served" if service.n_from_ledger == 0 else "some served"


def ask(path: Path, truth: dict[str, TrainingResult], says: str) -> None:
    """Reading alone: what is served is true, and rows of other versions come with the key that they were given."""
    try:
        with closing(Ledger(path)) as ledger:
            found = ledger.get_many(KEYS)
            assert all(truth[key] == result for key, result in found.items()), says
            told = ledger.info()
            assert 0 <= told["damaged"] and len(found) <= told["runs"], f"{says}: {told}"
            assert all(row["key"] == key_of(row["trainer_version"], row["plan"]) for row in ledger.rows()), says
    except LedgerError as error:
        assert_told(error, path, says)


def look(path: Path, truth: dict[str, TrainingResult], says: str) -> None:
    """Reading as `explain` does: likewise, and not a byte is written but in SQLite's index of the log."""
    before = {name: data for name, data in contents(path.parent).items() if not name.endswith("-shm")}
    try:
        found = ReadOnlyLedger(path).get_many(KEYS)
        assert all(truth[key] == result for key, result in found.items()), says
    except LedgerError as error:
        assert_told(error, path, says)
    assert {name: data for name, data in contents(path.parent).items() if name in before} == before, says


def command(arguments: Sequence[str], says: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run `ventures ledger …`: no traceback, one line where it is refused, one document where it is not."""
    capfd.readouterr()
    code = run_command(["ledger", *arguments, "--json"])
    out, err = capfd.readouterr()
    assert code in (0, 1, 2) and "Traceback" not in out + err, f"{says}: {err}"
    if out:
        json.loads(out)
    else:
        assert code != 0 and err.count("\n") == 1 and len(err) < 2 * MOST_SAID and "\x1b" not in err, f"{says}: {err}"
    return code, out


def carry(place: Path, truth: dict[str, TrainingResult], says: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What goes out of a damaged ledger into another one is true."""
    path, file, there = place / NAME, place / "out.parquet", place / "there.sqlite"
    command(["info", "--ledger", str(path)], says, capfd)
    code, _ = command(["export", str(file), "--ledger", str(path)], says, capfd)
    assert file.exists() == (code == 0), says
    if code == 0:
        assert command(["import", str(file), "--ledger", str(there)], says, capfd)[0] == 0, says
        assert all(truth[key] == result for key, result in Ledger(there).get_many(KEYS).items()), says


def damage_and_use(number: int, ground: Ground, work: Path, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Damage a copy of the ledger; read it, carry it elsewhere, play on it. Returns the kind and what came of it."""
    rng = Rng(f"ledger {number}")
    kind = rng.choice(DAMAGES)
    place = work / f"ledger-{number}"
    shutil.copytree(ground.torn if kind is broken_log else ground.whole, place)
    says = f"{number} {kind.__name__}: {kind(place, rng)}"
    before, path = contents(place), place / NAME
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        if os.path.exists(path):
            look(path, ground.truth, says)
            ask(path, ground.truth, says)
            carry(place, ground.truth, says, capfd)
        try:
            outcome = play(path, ground.truth, says)
        except LedgerError as error:
            outcome = "refused"
            assert_told(error, path, says)
            if error.trouble is Trouble.FOREIGN:
                assert contents(place).items() >= before.items(), f"{says}: changed although refused"
    assert len({str(one.message) for one in heard}) <= 2, f"{says}: {[str(one.message) for one in heard]}"
    shutil.rmtree(place)
    return kind.__name__, outcome


# --- files that are carried ------------------------------------------------------------------------------------------

PLAUSIBLE: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("accuracy_lab", lambda value: value - 0.2 if value > 0.5 else value + 0.2),
    ("accuracy_field", lambda value: value - 0.2 if value > 0.5 else value + 0.2),
    ("calibration_error", lambda value: value - 0.2 if value > 0.5 else value + 0.2),
    ("fairness_gap", lambda value: value - 0.2 if value > 0 else value + 0.2),
    ("loss_lab", lambda value: value * 2 + 1),
    ("n_parameters", lambda value: value + 1),
    ("training_flops", lambda value: value / 2),
)
"""Lies that only training can tell."""


def damage_and_import(number: int, ground: Ground, work: Path) -> tuple[str, str]:
    """Damage an exported file and import it; returns the kind and what came of it."""
    rng = Rng(f"file {number}")
    place = work / f"file-{number}"
    place.mkdir()
    file, there = place / "runs.parquet", place / NAME
    shutil.copy(ground.parquet, file)
    kind = rng.choice(("broken", "broken", "changed", "sealed lie"))
    says = f"{number} {kind}: "
    if kind == "broken":
        says += rng.choice(ANY_FILE)(file, rng)
    else:
        rows = pq.read_table(file).to_pylist()
        for row in rng.sample(rows, rng.randint(1, 4)):
            change = {rng.choice(COLUMNS): None} if kind == "changed" and rng.random() < 0.5 else rng.choice(LIES)
            says += str(change)[:60]
            row.update(change)
            if kind == "sealed lie":
                row["checksum"] = row_checksum([row[name] for name in COLUMNS[:-1]])
        pq.write_table(pa.Table.from_pylist(rows), file)
    try:
        found = import_ledger(file, there)
    except AnalysisError as error:
        assert_told(error, file, says)
        assert not there.exists(), says
        outcome = "refused"
    else:
        held = Ledger(there).get_many(KEYS)
        assert found.rows == found.new + found.known + found.damaged, says
        assert all(ground.truth[key] == result for key, result in held.items()), says
        outcome = "all taken" if found.damaged == 0 else "some taken"
        assert found.damaged or held == ground.truth, says
    shutil.rmtree(place)
    return f"file, {kind}", outcome


def lie_and_trust(number: int, ground: Ground, work: Path) -> tuple[str, str]:
    """One row says something plausible that is not so: who has rows trained again finds it."""
    rng = Rng(f"lie {number}")
    place = work / f"lie-{number}"
    place.mkdir()
    file, there = place / "runs.parquet", place / NAME
    rows = pq.read_table(ground.parquet).to_pylist()
    liar, (name, change) = rng.choice(rows), rng.choice(PLAUSIBLE)
    liar[name] = change(liar[name])
    liar["checksum"] = row_checksum([liar[column] for column in COLUMNS[:-1]])
    pq.write_table(pa.Table.from_pylist(rows), file)
    with pytest.raises(NotReproduced, match=f"1 of {N_RUNS} runs .*{liar['key']}.*{name}"):
        import_ledger(file, there, Trial(N_RUNS, number, "cpu"))
    assert not there.exists()
    shutil.rmtree(place)
    return "plausible lie", "found by training"


def play_damages(numbers: range, ground: Ground, work: Path, capfd: pytest.CaptureFixture[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number in numbers:
        if number % 10 == 9:
            found = lie_and_trust(number, ground, work)
        elif number % 5 == 4:
            found = damage_and_import(number, ground, work)
        else:
            found = damage_and_use(number, ground, work, capfd)
        counts[f"{found[0]}: {found[1]}"] += 1
    return counts


def test_the_ground_is_whole(ground: Ground) -> None:
    assert ground.truth.keys() == set(KEYS) and Ledger(ground.whole / NAME).get_many(KEYS) == ground.truth
    with closing(sqlite3.connect(ground.whole / NAME)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


@pytest.mark.slow
def test_damaged_ledgers_serve_the_truth_or_are_refused(
    ground: Ground, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    counts = play_damages(range(20), ground, tmp_path, capfd)
    assert {name.rpartition(": ")[2] for name in counts} >= {"refused", "some served", "found by training"}, counts


@pytest.mark.slow
@pytest.mark.campaign
def test_campaign_of_damaged_ledgers(ground: Ground, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    counts = play_damages(range(FIRST, FIRST + SIZE), ground, tmp_path, capfd)
    tell("damaged ledgers", SIZE, counts, capfd)
