"""Ledgers as Parquet files: what goes out comes in again, and nothing wrong does."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from analysis.training.ledger_files import Imported, export_ledger, import_ledger
from simulation.training.ledger.ledger import Ledger, LedgerWarning
from simulation.training.ledger.rows import COLUMNS, Damage, key_of, row_checksum, row_of
from simulation.training.plan import TRAINER_VERSION, TrainingPlan
from simulation.training.service import TrainingService
from tests.support.ledger_runs import run_of

Call = Callable[[str], tuple[int, str, str]]
N_RUNS = 12


@pytest.fixture
def ventures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a `ventures ledger` command in a folder whose ledger holds runs: exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", "here.sqlite")
    Ledger("here.sqlite").add_many(run_of(seed) for seed in range(N_RUNS))

    def call(arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(["ledger", *arguments.split()])
        return code, *capfd.readouterr()

    return call


def content(ledger: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(ledger) as connection:
        return connection.execute("SELECT * FROM runs ORDER BY key").fetchall()


def names() -> list[str]:
    """Files of the folder, without those that SQLite keeps beside an open ledger."""
    return sorted(path.name for path in Path().iterdir() if not path.name.endswith(("-shm", "-wal")))


def change(file: str, row: int, seal: bool = False, **values: Any) -> None:
    """Change cells of one row of a file; with `seal` its checksum is made to fit."""
    rows = pq.read_table(file).to_pylist()
    rows[row].update(values)
    if seal:
        rows[row]["checksum"] = row_checksum([rows[row][name] for name in COLUMNS[:-1]])
    pq.write_table(pa.Table.from_pylist(rows), file)


def test_what_goes_out_comes_in_again(ventures: Call) -> None:
    code, out, err = ventures("export runs.parquet")
    assert (code, err) == (0, "") and f"{N_RUNS} runs written to runs.parquet" in out
    code, out, _ = ventures("import runs.parquet --ledger there.sqlite --json")
    counts = {"rows": N_RUNS, "new": N_RUNS, "known": 0, "damaged": 0, "other_trainer": 0, "tried": []}
    assert code == 0
    assert json.loads(out) == {"file": "runs.parquet", "ledger": "there.sqlite", **counts}
    assert content("there.sqlite") == content("here.sqlite")
    code, out, _ = ventures("import runs.parquet --ledger there.sqlite")
    assert code == 0 and f"0 new, {N_RUNS} known, 0 damaged" in out
    assert content("there.sqlite") == content("here.sqlite")
    assert names() == ["here.sqlite", "runs.parquet", "there.sqlite"]


def test_many_row_groups_give_the_same_content(ventures: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.training.ledger_files.SLAB", 5)
    code, out, _ = ventures("export runs.parquet --json")
    document = json.loads(out)
    assert code == 0 and document.keys() == {"file", "ledger", "runs", "damaged", "bytes"}
    assert (document["runs"], document["bytes"]) == (N_RUNS, Path("runs.parquet").stat().st_size)
    assert pq.ParquetFile("runs.parquet").num_row_groups == 3
    assert import_ledger("runs.parquet", "there.sqlite").new == N_RUNS
    assert content("there.sqlite") == content("here.sqlite")


def test_an_empty_ledger_goes_out_and_in(ventures: Call) -> None:
    Ledger("empty.sqlite").close()
    assert ventures("export empty.parquet --ledger empty.sqlite")[0] == 0
    assert import_ledger("empty.parquet", "there.sqlite") == Imported(0, 0, 0, 0, 0)


def test_a_file_is_overwritten_only_by_force_and_the_ledger_never(ventures: Call) -> None:
    Path("runs.parquet").write_text("mine")
    code, _, err = ventures("export runs.parquet")
    assert code == 2 and "--force" in err and Path("runs.parquet").read_text() == "mine"
    assert ventures("export runs.parquet --force")[0] == 0
    assert pq.read_metadata("runs.parquet").num_rows == N_RUNS
    code, _, err = ventures("export here.sqlite --force")
    assert code == 2 and "is the ledger itself" in err and len(Ledger("here.sqlite")) == N_RUNS


def test_an_export_that_breaks_leaves_the_earlier_file(ventures: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ventures("export runs.parquet")[0] == 0
    before = Path("runs.parquet").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    code, _, err = ventures("export runs.parquet --force")
    assert code == 1 and "No space left" in err and err.count("\n") == 1
    assert Path("runs.parquet").read_bytes() == before
    assert not list(Path().glob(".*"))


def test_damaged_rows_are_not_exported(ventures: Call) -> None:
    with sqlite3.connect("here.sqlite") as connection:
        connection.execute("UPDATE runs SET leakage = 0 WHERE key = (SELECT min(key) FROM runs)")
    code, out, _ = ventures("export runs.parquet")
    assert code == 0 and f"{N_RUNS - 1} runs written" in out and "1 damaged rows were left out" in out
    assert pq.read_metadata("runs.parquet").num_rows == N_RUNS - 1


OTHER_PLAN = run_of(99)[0].as_json()
UNFIT = OTHER_PLAN.replace('"speech"', '"driving-policy"')
"""A plan that nobody can have: a classifier does not drive."""


def sealed_plan(text: str) -> dict[str, str]:
    """A plan's text with the key that fits it."""
    return {"plan": text, "key": key_of(TRAINER_VERSION, text)}


@pytest.mark.parametrize(
    ("values", "seal"),
    [
        ({"accuracy_field": 0.99}, False),
        ({"checksum": "0" * 64}, False),
        ({"key": "0" * 32}, True),  # a checksum is soon made; a key that fits its plan is not
        ({"plan": OTHER_PLAN}, True),
        ({"plan": "{}", "key": key_of(TRAINER_VERSION, "{}")}, True),
        ({"plan": "no plan"}, True),
        ({"trainer_version": "1"}, True),
        ({"leakage": None}, True),
        ({"leakage": float("nan")}, True),
        ({"device": None}, True),
        ({"accuracy_field": 5.0}, True),  # nor is a measure believed because its checksum fits
        ({"accuracy_lab": -0.1}, True),
        ({"training_flops": -1e30}, True),
        ({"training_flops": 1e30}, True),
        ({"n_parameters": -1}, True),
        ({"fairness_gap": 1.5}, True),
        ({"loss_lab": float("inf")}, True),
        ({"latency_us": -1.0}, True),
        ({"seconds": 1e300}, True),
        ({"created": -1.0}, True),
        ({"device": "x" * 10_000}, True),
        ({"torch_version": "2\x1b[31m"}, True),
        ({"crash_rate_lab": 0.1}, True),  # of a driving policy, and this is a classifier
        (sealed_plan(UNFIT), True),
        (sealed_plan(json.dumps(json.loads(OTHER_PLAN))), True),  # the same plan, but not as it is written
        (sealed_plan("[" * 1500), True),
    ],
)
def test_a_damaged_row_is_counted_and_left_out(ventures: Call, values: dict[str, Any], seal: bool) -> None:
    ventures("export runs.parquet")
    change("runs.parquet", 3, seal, **values)
    code, out, err = ventures("import runs.parquet --ledger there.sqlite")
    assert (code, err) == (1, "") and f"{N_RUNS - 1} new, 0 known, 1 damaged" in out
    rows = content("here.sqlite")
    assert content("there.sqlite") == rows[:3] + rows[4:]


def test_a_row_that_lies_in_the_ledger_itself_is_not_served(ventures: Call) -> None:
    (plan, true), (other, _) = run_of(3), run_of(4)
    with sqlite3.connect("here.sqlite") as connection:
        connection.execute("UPDATE runs SET accuracy_lab = 5.0 WHERE key = ?", [plan.key()])
        row = list(connection.execute("SELECT * FROM runs WHERE key = ?", [plan.key()]).fetchone())
        connection.execute("UPDATE runs SET checksum = ? WHERE key = ?", [row_checksum(row[:-1]), plan.key()])
    ledger = Ledger("here.sqlite")
    with pytest.warns(LedgerWarning, match="some of its rows are damaged"):
        assert ledger.get_many([plan.key(), other.key()]).keys() == {other.key()}
    assert ledger.damaged == {plan.key(): Damage.RANGE}
    code, out, _ = ventures("info --json")
    assert code == 0 and json.loads(out)["damaged_by"] == {"range": 1}
    ledger.add_many([(plan, true)])
    assert ledger.get(plan.key()) == true


@pytest.fixture
def trained(ventures: Call) -> None:
    """An exported file of eight runs that were really trained."""
    service = TrainingService(Ledger("trained.sqlite"), "cpu")
    service.train([service.submit(TrainingPlan("speech", "mlp", 0, 64, seed=seed)) for seed in range(8)])
    assert ventures("export trained.parquet --ledger trained.sqlite")[0] == 0


def test_runs_that_are_trained_again_before_an_import_come_out_as_recorded(ventures: Call, trained: None) -> None:
    code, out, err = ventures("import trained.parquet --ledger there.sqlite --trust 3 --seed 1 --device cpu --json")
    assert code == 0, err
    document = json.loads(out)
    tried = document["tried"]
    assert (document["new"], len(tried)) == (8, 3) and all(one["passed"] and not one["beyond"] for one in tried)
    assert content("there.sqlite") == content("trained.sqlite")
    code, out, _ = ventures("import trained.parquet --ledger there.sqlite --trust 99 --device cpu")
    assert code == 0 and "8 runs were trained again and came out as recorded" in out


@pytest.mark.parametrize(
    "lie", [{"accuracy_field": 0.99}, {"n_parameters": 12}, {"loss_lab": 9.0}, {"training_flops": 1.0}], ids=str
)
def test_a_plausible_lie_is_found_by_training_and_then_nothing_is_taken(
    ventures: Call, trained: None, lie: dict[str, Any]
) -> None:
    change("trained.parquet", 3, seal=True, **lie)
    code, out, err = ventures("import trained.parquet --ledger there.sqlite --trust 8 --device cpu")
    assert (code, out) == (1, "") and err.count("DIFFERS") == 1 and next(iter(lie)) in err
    assert "trained.parquet is not taken: 1 of 8 runs that were trained again came out differently" in err
    assert not Path("there.sqlite").exists()
    assert ventures("import trained.parquet --ledger there.sqlite")[0] == 0  # who does not ask is not told


def test_a_file_without_rows_to_train_is_not_trusted(ventures: Call) -> None:
    ventures("export runs.parquet")
    for row in range(N_RUNS):
        change("runs.parquet", row, leakage=0.0)
    code, _, err = ventures("import runs.parquet --ledger there.sqlite --trust 1")
    assert code == 2 and "it has no good row that this release can train again" in err
    assert not Path("there.sqlite").exists()


def test_rows_of_another_trainer_are_kept_with_the_key_that_it_gave(ventures: Call) -> None:
    plan, result = run_of(50)
    assert key_of(TRAINER_VERSION, plan.as_json()) == plan.key()
    row = list(row_of(plan, result, 1.0))
    row[:2] = key_of("0.9", plan.as_json()), "0.9"
    Ledger("here.sqlite").add_rows([(*row[:-1], row_checksum(row[:-1]))])
    ventures("export runs.parquet")
    code, out, _ = ventures("import runs.parquet --ledger there.sqlite")
    assert code == 0 and f"{N_RUNS + 1} new" in out and "1 are of another version of the trainer" in out
    assert content("there.sqlite") == content("here.sqlite")


def test_a_row_that_stands_stays_unless_it_is_damaged(ventures: Call) -> None:
    ventures("export runs.parquet")
    there = Ledger("there.sqlite")
    plan, result = run_of(0)
    own = row_of(plan, result, created=5.0)  # trained there, at another time
    there.add_rows([own])
    there.add_many([run_of(1)])
    with sqlite3.connect("there.sqlite") as connection:
        connection.execute("UPDATE runs SET leakage = 0 WHERE key = ?", [run_of(1)[0].key()])
    assert import_ledger("runs.parquet", "there.sqlite") == Imported(N_RUNS, N_RUNS - 1, 1, 0, 0)
    assert there.rows([plan.key()])[0]["created"] == 5.0
    assert there.info()["damaged"] == 0 and len(there) == N_RUNS


def test_a_row_that_stands_twice_in_a_file_enters_once(ventures: Call) -> None:
    ventures("export runs.parquet")
    table = pq.read_table("runs.parquet")
    pq.write_table(pa.concat_tables([table, table]), "twice.parquet")
    assert import_ledger("twice.parquet", "there.sqlite") == Imported(2 * N_RUNS, N_RUNS, N_RUNS, 0, 0)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("import absent.parquet", "absent.parquet does not exist"),
        ("import .", "is a folder; name a file"),
        ("import words.txt", "words.txt cannot be read as an exported ledger"),
        ("import empty.txt", "empty.txt cannot be read as an exported ledger"),
        ("import here.sqlite", "here.sqlite cannot be read as an exported ledger"),
        ("import short.parquet", "it has no column trainer_version, plan"),
        ("import types.parquet", "types.parquet cannot be read as an exported ledger"),
        ("import", "FILE.parquet"),
        ("import good.parquet --trust 0", "--trust must be at least 1, not 0"),
        ("import good.parquet --trust 1 --seed -1", "--seed must be 0 or more, not -1"),
        ("import good.parquet --trust 1 --device tpu", "tpu"),
        ("import good.parquet --ledger words.txt", "words.txt: the file is corrupted"),
        ("export .", ". is a folder; name a file"),
        ("export absent/runs.parquet", "absent is not a folder"),
        ("export runs.parquet --ledger absent.sqlite", "no ledger at absent.sqlite"),
        ("export runs.parquet --ledger words.txt", "words.txt: the file is corrupted"),
    ],
)
def test_a_wrong_request_gets_one_clear_line_and_2(ventures: Call, command: str, says: str) -> None:
    Path("words.txt").write_text("no parquet file, and rather longer than the header of one " * 4)
    Path("empty.txt").touch()
    export_ledger(Ledger("here.sqlite"), "good.parquet")
    pq.write_table(pa.table({"key": ["a"]}), "short.parquet")
    pq.write_table(pa.table({name: [["a", "b"]] for name in COLUMNS}), "types.parquet")
    before = names()
    code, out, err = ventures(command)
    assert (code, out) == (2, "")
    assert says in err and err.count("\n") == 1 and "Traceback" not in err
    assert names() == before


def test_a_file_that_was_cut_or_changed_brings_nothing_wrong(ventures: Call) -> None:
    ventures("export runs.parquet")
    whole, good = Path("runs.parquet").read_bytes(), set(content("here.sqlite"))
    dice = random.Random(0)
    n_refused = 0
    for attempt in range(120):
        data = bytearray(whole)
        if attempt % 4 == 0:
            del data[dice.randrange(len(data)) :]
        else:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        Path("bad.parquet").write_bytes(data)
        try:
            found = import_ledger("bad.parquet", f"there{attempt}.sqlite")
        except AnalysisError:
            n_refused += 1
        else:
            assert set(content(f"there{attempt}.sqlite")) <= good
            assert found.rows == found.new + found.known + found.damaged
    assert n_refused >= 30  # every cut file, and some of the others
