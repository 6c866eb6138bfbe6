"""Foundations that this machine cannot train are refused before anything is played; older run folders open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis import AnalysisError, Run
from analysis.errors import DamagedRun
from analysis.play.experiment import play
from analysis.play.foundations import check_trainable
from analysis.play.lockstep import Arm, Engine
from analysis.play.options import PlayOptions
from analysis.runs.manifest import Manifest, digest_of
from scenarios.build import build_world
from simulation.training.foundation import library
from tests.support.lab_worlds import LAB_MARKET, RICH
from tests.support.service import open_service
from tests.support.world_fakes import merged, scenario_of

REAL = Engine(build_world, open_service)


def arm(changes: dict[str, Any]) -> Arm:
    return Arm("test", "base", scenario_of(merged(LAB_MARKET, {"labs": {"alpha": RICH}, **changes})))


def options(folder: Path, **more: Any) -> PlayOptions:
    return PlayOptions(replications=1, jobs=1, ledger=folder / "ledger.sqlite", device="cpu", **more)


def test_a_rung_that_takes_more_than_an_hour_is_refused_with_the_key_that_helps(tmp_path: Path) -> None:
    gpu = {"foundations": {"ladder": "gpu"}}
    with pytest.raises(
        AnalysisError, match=r"test: world\.foundations reaches gpu/F9: .*more than an hour.*last_rung"
    ) as error:
        check_trainable([arm({"world": gpu, "start": "2026-01", "years": 2})], options(tmp_path))
    assert "\n" not in str(error.value)
    lower = {"foundations": {"ladder": "gpu", "last_rung": 4.0}}
    check_trainable([arm({"world": lower, "start": "2026-01", "years": 2})], options(tmp_path))
    check_trainable([arm({"world": gpu, "start": "2026-01", "years": 2, "labs": {}})], options(tmp_path))


def test_nothing_is_played_of_an_experiment_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MOST_CPU_FLOPS", 1e9)
    out = tmp_path / "run"
    with pytest.raises(AnalysisError, match="laptop/F3"):
        play([arm({})], options(tmp_path, out=out), kind="run", name="test", engine=REAL)
    assert not out.exists()


@pytest.mark.slow
def test_the_table_of_foundations_is_the_same_with_one_and_two_processes(tmp_path: Path) -> None:
    runs = [
        play(
            [arm({"years": 1})],
            PlayOptions(replications=3, jobs=jobs, ledger=tmp_path / "l.sqlite", out=tmp_path / str(jobs)),
            kind="run", name="test", engine=REAL,
        )
        for jobs in (1, 2)
    ]  # fmt: skip
    one, two = (run.foundations for run in runs)
    assert len(one) and set(one["seed"]) == {0, 1, 2} and one.equals(two)
    assert one["released"].dtype.kind == "M" and one["rung"].dtype == float


def test_a_folder_of_an_earlier_release_has_no_rows_of_foundations(tmp_path: Path) -> None:
    run = play([arm({"years": 1})], options(tmp_path, out=tmp_path / "run"), kind="run", name="test", engine=REAL)
    assert len(run.foundations)
    manifest = Manifest.model_validate_json((tmp_path / "run" / "manifest.json").read_text())
    earlier = {name: note for name, note in manifest.tables.items() if name != "foundations"}
    (tmp_path / "run" / "foundations.parquet").unlink()
    with pytest.raises(DamagedRun, match=r"foundations\.parquet is missing"):
        Run(tmp_path / "run").firms  # noqa: B018
    older = manifest.model_copy(update={"tables": earlier})
    sealed = older.model_copy(update={"digest": digest_of(older)})
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(sealed.model_dump(mode="json")))
    opened = Run(tmp_path / "run")
    assert len(opened.firms) and opened.foundations.empty
    assert list(opened.foundations.columns) == list(run.foundations.columns)
