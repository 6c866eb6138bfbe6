"""Names of run folders and files: two runs never share one, `~` is the home folder, and any text gives a valid name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from analysis.play.options import PlayOptions, default_ledger
from analysis.runs.names import MOST_BYTES, file_name, new_folder, short_name, user_path
from analysis.runs.run import Run
from tests.support.analysis_fakes import ENGINE


class OneSecond(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: object = None) -> OneSecond:
        return cls(2026, 1, 2, 3, 4, 5)


@pytest.mark.slow
def test_two_runs_that_start_in_the_same_second_get_two_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], undrawn: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.cli.options.datetime", OneSecond)
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)
    for seed in ("0", "7", "9"):
        assert run_command(["run", "vision", "-n", "1", "-s", seed, "-j", "1", "--ledger", ":memory:"]) == 0
    names = sorted(path.name for path in Path("runs").iterdir())
    assert names == [f"vision-20260102-030405{number}" for number in ("", "-2", "-3")]
    assert [Run(Path("runs") / name).seeds for name in names] == [[0], [7], [9]]
    assert "results: runs/vision-20260102-030405-3" in capfd.readouterr().out


def test_many_at_once_get_as_many_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(new_folder, [tmp_path / "runs" / "same"] * 40))
    assert len(set(made)) == 40 and all(folder.is_dir() for folder in made)


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnalysisError, match="file/below cannot be made: Not a directory"):
        new_folder(tmp_path / "file" / "below")


def test_the_home_folder_is_meant_by_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VENTURES_LEDGER", "~/kept/ledger.sqlite")
    assert default_ledger() == tmp_path / "kept" / "ledger.sqlite" == PlayOptions().ledger_path
    assert PlayOptions(ledger="~/other.sqlite").ledger_path == tmp_path / "other.sqlite"
    assert PlayOptions(out="~/runs/one").open_out()[0] == tmp_path / "runs" / "one"
    assert user_path("a/~/b") == Path("a/~/b")
    with pytest.raises(AnalysisError, match="no home folder is known for ~nobody-here; write the path out"):
        user_path("~nobody-here/ledger.sqlite")


@given(st.text(max_size=300))
def test_any_text_gives_a_name_that_file_systems_take(text: str) -> None:
    name = file_name(text)
    assert name and len(name.encode("utf-8", "replace")) <= MOST_BYTES
    assert not set(name) & set('<>:"|?*/\\\0') and name.isprintable() and name[0] not in "-. " and name[-1] not in ". "


def test_names_that_were_cut_differ() -> None:
    long = "policies/" + "x" * 300
    assert file_name(long + "a") != file_name(long + "b")
    assert file_name("语" * 100) != file_name("语" * 101)
    assert short_name("folder/my.yaml") == "folder-my" and short_name("markets/base") == "markets-base"
