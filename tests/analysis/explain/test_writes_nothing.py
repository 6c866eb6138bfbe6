"""Explaining a run folder, which may come from anybody, writes nothing but in a working copy that ends with it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.cli.main import run_command
from analysis.counterfactual import levers
from analysis.counterfactual.ledger import LayeredLedger
from analysis.counterfactual.levers import lever_changes
from analysis.counterfactual.replay import replay_context, service_of
from analysis.explain.facts import Subject
from analysis.play.lockstep import Engine
from analysis.runs.manifest import MANIFEST, read_manifest, write_note
from analysis.runs.run import Run
from analysis.training.ledger_files import export_ledger
from scenarios.build import build_world
from simulation.training.ledger.errors import LedgerError
from simulation.training.ledger.ledger import Ledger
from simulation.training.ledger.read_only import ReadOnlyLedger
from simulation.training.plan import TrainingPlan
from tests.support.damage import seal_again
from tests.support.explain_fakes import play_small
from tests.support.ledger_runs import run_of
from tests.support.service import FakeService

IRIS = Subject("small", "base", 0, "iris")
LEARNT = TrainingPlan("speech", "mlp", 0, 100, seed=99)


class LedgerService(FakeService):
    """Computes instead of training, and keeps the results in its ledger as a real service does."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger: Any = ledger

    def train(self, due: Iterable[str]) -> int:
        n = super().train(due)
        self.ledger.add_many([(LEARNT, replace(run_of(0)[1], key=LEARNT.key()))])
        return n


def open_service(ledger: Path, device: str, retrain: bool) -> LedgerService:
    return LedgerService(Ledger.open(ledger))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run, the user's ledger that holds one training result, and the place of temporary files."""
    (tmp_path / "temporary").mkdir()
    play_small(tmp_path / "run", seeds=1)
    with_runs(tmp_path / "user.sqlite", 1)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "user.sqlite"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    engine = Engine(build_world, open_service)  # type: ignore[arg-type]
    monkeypatch.setattr("analysis.counterfactual.replay.real_engine", lambda: engine)
    monkeypatch.setattr(levers, "lever_changes", lambda *firm: lever_changes(*firm)[:1])  # one lever writes as all do
    return tmp_path


def with_runs(path: Path, *seeds: int) -> Path:
    ledger = Ledger(path)
    ledger.add_many(run_of(seed) for seed in seeds)
    ledger.close()
    return path


def all_of(folder: Path) -> dict[str, bytes]:
    """Every file and folder below, with what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def manifest_names(folder: Path, ledger: Path) -> None:
    """Have the manifest name another ledger, as whoever makes a folder up could."""
    write_note(folder / MANIFEST, read_manifest(folder).model_copy(update={"ledger": str(ledger)}))


def bring(folder: Path, *seeds: int) -> None:
    """Put training results into a run folder that are good in form and never were trained."""
    ledger = Ledger()
    ledger.add_many((plan, replace(result, accuracy_field=0.99)) for plan, result in map(run_of, seeds))
    (folder / "training.parquet").unlink()
    export_ledger(ledger, folder / "training.parquet")
    seal_again(folder)


def test_no_file_is_made_or_changed_by_explaining_a_folder_with_training_results_of_its_own(place: Path) -> None:
    bring(place / "run", 5)
    before = all_of(place)
    with replay_context(Run(place / "run"), IRIS, None, "cpu") as stage:
        service = service_of(stage)
        kept = service.ledger.get_many([run_of(seed)[0].key() for seed in (1, 5)])
        assert kept[run_of(5)[0].key()].accuracy_field == 0.99, "the folder's own story is told with its own results"
        assert kept[run_of(1)[0].key()] == run_of(1)[1], "what is missing there comes from the user's ledger"
    assert run_command(["explain", str(place / "run"), "iris", "--jobs", "1"]) == 0
    assert all_of(place) == before and list((place / "temporary").iterdir()) == []
    assert Ledger(place / "user.sqlite").keys() == [run_of(1)[0].key()]


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")


NAMED: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None,
    "an empty file": lambda path: path.touch(),
    "a text": lambda path: path.write_text("dear diary"),
    "a folder": lambda path: path.mkdir(),
    "another database": foreign_database,
    "another ledger": lambda path: with_runs(path, 7),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", NAMED)
def test_a_file_that_the_manifest_names_is_neither_opened_nor_written(what: str, place: Path) -> None:
    named = place / "precious"
    NAMED[what](named)
    manifest_names(place / "run", named)
    before = all_of(place)
    with replay_context(Run(place / "run"), IRIS, None, "cpu") as stage:
        assert named not in (stage.ledger, stage.below)
        assert service_of(stage).ledger.get_many([run_of(7)[0].key()]) == {}
    assert run_command(["explain", str(place / "run"), "iris", "--jobs", "1"]) == 0
    assert all_of(place) == before


def test_a_ledger_that_is_named_and_does_not_exist_is_not_made(place: Path) -> None:
    before = all_of(place)
    arguments = ["explain", str(place / "run"), "iris", "--jobs", "1", "--ledger", str(place / "deep" / "new.sqlite")]
    assert run_command(arguments) == 0
    assert all_of(place) == before


@pytest.mark.parametrize(("what", "says"), [("a text", "corrupted"), ("another database", "not a training ledger")])
def test_a_ledger_of_the_user_s_that_is_none_is_told_in_one_line(
    what: str, says: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    NAMED[what](place / "mine")
    before = all_of(place)
    capfd.readouterr()
    assert run_command(["explain", str(place / "run"), "iris", "--ledger", str(place / "mine")]) == 2
    out, err = capfd.readouterr()
    assert "goes bankrupt" in out and says in err and "Traceback" not in err
    assert all_of(place) == before


def test_a_stop_leaves_nothing_behind(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("analysis.counterfactual.search.play_changes", stopped)
    before = all_of(place)
    assert run_command(["explain", str(place / "run"), "iris", "--jobs", "1"]) == 130
    assert all_of(place) == before


# -- the ledger that is only read -------------------------------------------------------------------------------------


def keys_of(*seeds: int) -> list[str]:
    return [run_of(seed)[0].key() for seed in seeds]


def test_new_results_go_to_the_working_copy_only(tmp_path: Path) -> None:
    below = with_runs(tmp_path / "user.sqlite", 1)
    written = below.read_bytes()
    layered = LayeredLedger(Ledger(tmp_path / "own.sqlite"), ReadOnlyLedger(below))
    layered.add_many([run_of(2)])
    assert layered.get_many(keys_of(1, 2, 3)) == {run_of(seed)[0].key(): run_of(seed)[1] for seed in (1, 2)}
    assert below.read_bytes() == written and layered.own.keys() == keys_of(2)


def test_what_another_process_writes_meanwhile_is_seen(tmp_path: Path) -> None:
    path = with_runs(tmp_path / "user.sqlite", 1)
    below = ReadOnlyLedger(path)
    writer = Ledger(path)
    writer.add_many([run_of(2)])
    assert path.with_name("user.sqlite-wal").stat().st_size > 0, "not in the file itself yet"
    assert set(below.get_many(keys_of(1, 2))) == set(keys_of(1, 2))
    writer.add_many([run_of(3)])
    assert set(below.get_many(keys_of(1, 2, 3))) == set(keys_of(1, 2, 3))


def test_a_damaged_row_is_as_good_as_missing(tmp_path: Path) -> None:
    path = with_runs(tmp_path / "user.sqlite", 1, 2)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET accuracy_field = 0.9 WHERE key = ?", keys_of(1))
    connection.close()
    assert list(ReadOnlyLedger(path).get_many(keys_of(1, 2))) == keys_of(2)
    assert ReadOnlyLedger(tmp_path / "none.sqlite").get_many(keys_of(1)) == {}
    (tmp_path / "empty.sqlite").touch()
    assert ReadOnlyLedger(tmp_path / "empty.sqlite").get_many(keys_of(1)) == {}


def test_a_file_that_is_no_ledger_is_an_error_at_once(tmp_path: Path) -> None:
    for name in ("a text", "another database", "a folder"):
        NAMED[name](tmp_path / name)
        with pytest.raises(LedgerError, match=name):
            ReadOnlyLedger(tmp_path / name)
