"""Paths that users and files name: long ones, home folders, foreign files, and disks that are full."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from analysis import Run
from analysis.cli.main import run_command
from analysis.runs.names import user_path
from scenarios import ScenarioError, load
from simulation.training.ledger.ledger import Ledger
from tests.support.analysis_fakes import ENGINE
from tests.support.ledger_runs import run_of

Call = Callable[..., tuple[int, str, str]]
TINY = "extends: markets/base\ntitle: Tiny\nyears: 2\nsectors: [vision]\ninterventions: []\n"
FREE = "parameters: [{name: option, paths: [world.capital.option_usd], how: scale, low: 0.5, high: 2.0}]\n"


@pytest.fixture
def ventures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command in a fresh folder with small worlds: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "free.yaml").write_text(FREE)
    (tmp_path / "grid.yaml").write_text("rung: [0]\nrows: [64]\nkind: [linear]\n")

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for module in () if arguments[0] == "train" else ("play.experiment", "calibration.run"):
                patch.setattr(f"analysis.{module}.real_engine", lambda: ENGINE)
            code = run_command(arguments)
        return code, *capfd.readouterr()

    return call


# --- full disks ------------------------------------------------------------------------------------------------------

RUN = ("run", "tiny.yaml", "-n", "1", "-j", "1", "--out", "here")
TRAIN = ("train", "--grid", "grid.yaml", "-j", "1", "--device", "cpu", "--out", "here")
CALIBRATE = (
    *("calibrate", "tiny.yaml", "--parameters", "free.yaml", "--trials", "1", "--seeds", "1"),
    *("--study", "here/s.sqlite"),
)
EXPORT = ("ledger", "export", "here.parquet")


@pytest.mark.parametrize(
    ("command", "owner", "writer"),
    [
        (RUN, pq, "write_table"),
        (RUN, os, "fsync"),
        (RUN, Path, "write_text"),
        (RUN, Figure, "savefig"),
        (TRAIN, pd.DataFrame, "to_parquet"),
        (TRAIN, pd.DataFrame, "to_csv"),
        (TRAIN, Path, "write_text"),
        (CALIBRATE, pd.DataFrame, "to_parquet"),
        (CALIBRATE, Figure, "savefig"),
        (CALIBRATE, Path, "write_text"),
        (EXPORT, pq.ParquetWriter, "write_table"),
        (EXPORT, os, "fsync"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0] if isinstance(one, tuple) else one.__name__,
)
def test_a_full_disk_is_told_with_the_file_that_it_stopped(
    ventures: Call, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], owner: Any, writer: str
) -> None:
    Ledger("ledger.sqlite").add_many([run_of(1)])

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "Error writing bytes to file")  # as libraries have it: without the file

    monkeypatch.setattr(owner, writer, full)
    code, _, err = ventures(*command)
    last = err.splitlines()[-1]
    assert code == 1 and "Traceback" not in err, err
    assert "here" in last and last.endswith(": No space left on device"), last
    assert not [path for path in Path().rglob(".draft-*") if path.is_file()]


# --- long and foreign names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x" * 245, "字" * 81], ids=["latin", "cjk"])  # with `.yaml` as long as a name can be
def test_the_longest_name_of_a_scenario_can_be_played(ventures: Call, name: str) -> None:
    Path("tiny.yaml").rename(f"{name}.yaml")
    code, _, err = ventures("run", f"{name}.yaml", "-n", "1", "-j", "1")
    assert code == 0, err
    (folder,) = Path("runs").iterdir()
    assert set(Run(folder).firms["scenario"]) == {name}
    assert (folder / "plots" / "endings.png").exists()


def test_the_home_folder_may_be_written_as_a_tilde(ventures: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENTURES_LEDGER", "~/deep/ledger.sqlite")
    code, _, err = ventures(*TRAIN[:-1], "~/grid")
    assert code == 0, err
    assert len(Ledger("home/deep/ledger.sqlite")) == 1 and Path("home/grid/runs.csv").exists()
    code, out, _ = ventures("ledger", "info")
    assert code == 0 and str(Path("home/deep/ledger.sqlite").resolve()) in out
    assert ventures("ledger", "export", "~/runs.parquet")[0] == 0 and Path("home/runs.parquet").exists()
    assert ventures("ledger", "import", "~/runs.parquet", "--ledger", "~/other.sqlite")[0] == 0
    assert Path("home/other.sqlite").exists()
    assert not [path for path in Path().rglob("*~*")]


@pytest.mark.parametrize("place", ["environment", "--ledger", "--out"])
def test_a_home_folder_that_nobody_has_is_told(ventures: Call, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    arguments = [*RUN[:-2]]
    if place == "environment":
        monkeypatch.setenv("VENTURES_LEDGER", "~nobody-of-that-name/ledger.sqlite")
    else:
        arguments += [place, "~nobody-of-that-name/x"]
    code, out, err = ventures(*arguments)
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "no home folder is known for ~nobody-of-that-name; write the path out" in err
    assert user_path("plain/~x") == Path("plain/~x")


@pytest.mark.parametrize(
    "content",
    [
        "SECRET:x:0:0:root:/root:/bin/sh\n",
        "SECRET\n",
        "SECRET: 1\n",
        '{"token": "SECRET"}\n',
        "- SECRET\n",
        "key: [SECRET\n",
        "SECRET: *x\n",
        "a: 1\nSECRET: 2\nSECRET: 3\n",
        "-----BEGIN SECRET KEY-----\n",
        "\tSECRET",
        "SECRET\x00",
    ],
)
def test_of_a_file_that_another_file_names_nothing_is_shown_unless_it_is_a_scenario(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "precious").write_text(content)
    (tmp_path / "precious.yaml").write_text(content)
    for name in ("precious", "precious.yaml"):
        (tmp_path / "mine.yaml").write_text(f"extends: {tmp_path / name}\ntitle: Mine\n")
        with pytest.raises(ScenarioError) as error:
            load(tmp_path / "mine.yaml")
        assert all(name in line and "SECRET" not in line and "\n" not in line for line in error.value.all)
        assert "is no scenario: it has none of the keys" in str(error.value)


def test_of_a_parent_that_is_a_scenario_the_fault_is_shown(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text("title: Parent\nyeers: 3\n")
    (tmp_path / "mine.yaml").write_text("extends: parent.yaml\ntitle: Mine\n")
    with pytest.raises(ScenarioError, match=r"'yeers'.*did you mean 'years'"):
        load(tmp_path / "mine.yaml")
