"""Run folders: the same tables with any number of jobs, nothing lost on Ctrl-C or a crash, nothing overwritten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis import AnalysisError, Run
from analysis.cases.setups import arms_of_case
from analysis.errors import BrokenRun, DamagedRun
from analysis.play.experiment import play
from analysis.play.options import PlayOptions
from analysis.runs.manifest import MANIFEST, write_note
from analysis.runs.tables import LATER, TABLES
from tests.support.analysis_fakes import ENGINE, FOCAL, FakeScenario
from tests.support.paths import ROOT
from tests.support.patience import HANGS_S, wait_until

CASE = FakeScenario()


def played(out: Path | None, setup: FakeScenario = CASE, **options: object) -> Run:
    options = {"replications": 4, "jobs": 1, "ledger": "unused.sqlite", **options}
    return play(arms_of_case(setup), PlayOptions(out=out, **options), kind="cases", name=setup.name, engine=ENGINE)


def tables(run: Run) -> dict[str, pd.DataFrame]:
    return {name: run.select(name) for name in TABLES}


def assert_same(one: Run, other: Run) -> None:
    for name, frame in tables(one).items():
        pd.testing.assert_frame_equal(frame, other.select(name))


@pytest.fixture(scope="module", autouse=True)
def same_code() -> Iterator[None]:
    """Somebody may edit a source file while the tests run; that another code is refused has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.play.provenance.code_fingerprint", lambda: "this code")
        yield


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return played(tmp_path_factory.mktemp("reference") / "run", replications=20)


def test_tables_hold_every_arm_and_seed_in_order(reference: Run) -> None:
    firms = reference.firms
    assert list(firms.columns[:3]) == ["scenario", "arm", "seed"]
    assert sorted(firms["seed"].unique()) == list(range(20)) == reference.seeds
    assert list(firms["arm"].unique()) == ["base", "without:team"]
    keys = firms[["scenario", "arm", "seed"]].apply(tuple, axis=1)
    assert keys.is_monotonic_increasing
    assert firms["month"].min() == pd.Timestamp("2015-01-01") and firms["cash_usd"].dtype == float
    own = reference.select("endings", "cases/fake", "base", ["seed", "ending"], [("firm", "==", FOCAL)])
    assert len(own) == 20 and list(own.columns) == ["seed", "ending"]
    assert reference.training["key"].is_unique
    assert set(reference.firms["ledger_key"]) == set(reference.training["key"])


def test_a_folder_of_an_earlier_release_is_read_without_the_tables_that_it_did_not_measure(tmp_path: Path) -> None:
    now = played(tmp_path / "run", replications=2)
    assert len(now.public_accounts) == 4
    earlier = {name: note for name, note in now.manifest.tables.items() if name not in LATER}
    write_note(now.folder / MANIFEST, now.manifest.model_copy(update={"tables": earlier}))
    for name in LATER:
        (now.folder / f"{name}.parquet").unlink()
    then = Run(now.folder)
    assert len(then.public_accounts) == 0 and {*now.public_accounts} <= {*then.public_accounts}
    pd.testing.assert_frame_equal(then.firms, now.firms)
    (now.folder / "funds.parquet").unlink()
    with pytest.raises(DamagedRun, match=r"funds\.parquet is missing"):
        Run(now.folder)


def test_the_manifest_says_what_was_played(reference: Run) -> None:
    manifest = reference.manifest
    assert manifest["status"] == "finished" and list(manifest["seeds"]) == list(range(20))
    assert manifest["arms"][0]["resolved"]["title"] == "A fake case"
    assert manifest["training"]["runs"] == 80 == len(reference.training)
    assert manifest["versions"]["torch"] and manifest["python"] and manifest["device"] and manifest["finished"]
    assert manifest["seconds"] > 0
    assert not (reference.folder / "parts").exists()


def test_two_jobs_give_the_same_tables_as_one(reference: Run, tmp_path: Path) -> None:
    assert_same(reference, played(tmp_path / "two", replications=20, jobs=2))


@pytest.mark.slow
def test_workers_that_were_started_elsewhere_find_a_relative_folder(
    reference: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("here", "there"):  # the workers of the first run are used again by the second
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        assert_same(reference, played(Path("run"), replications=20, jobs=2))


@pytest.mark.slow
def test_more_seeds_extend_a_folder_without_playing_the_old_ones(reference: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    played(out, replications=7)
    longer = played(out, replications=20)
    assert_same(reference, longer)
    assert longer.manifest["training"]["runs"] == 80
    for jobs in (1, 2):
        # Would take an hour if it played anything.
        again = played(out, replications=20, setup=replace(CASE, pause_s=60.0), jobs=jobs)
        assert_same(reference, again)


def test_a_folder_is_never_overwritten_by_something_else(tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = played(out).firms
    for refused in (
        {"setup": replace(CASE, p_success=0.5)},
        {"replications": 2},
        {"seed": 1},
    ):
        with pytest.raises(AnalysisError, match=r"another experiment|holds seeds 0 to 3"):
            played(out, **refused)
    pd.testing.assert_frame_equal(Run(out).firms, before)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep me")
    with pytest.raises(AnalysisError, match="not empty"):
        played(tmp_path / "notes")
    with pytest.raises(AnalysisError, match="is a file"):
        played(tmp_path / "notes" / "mine.txt")
    with pytest.raises(AnalysisError, match="cannot be written"):
        played(tmp_path / "notes" / "mine.txt" / "below")
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["mine.txt"]


def test_seeds_played_by_other_code_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played(tmp_path / "run")
    monkeypatch.setattr("analysis.play.provenance.code_fingerprint", lambda: "other code")
    with pytest.raises(AnalysisError, match="played with other code"):
        played(tmp_path / "run", replications=8)


def test_a_block_that_breaks_loses_no_other_block(tmp_path: Path) -> None:
    broken = replace(CASE, broken_seed=17)
    for jobs in (1, 2):
        out = tmp_path / f"jobs{jobs}"
        with pytest.raises(ValueError, match="seed 17 cannot be built"):
            played(out, broken, replications=20, jobs=jobs)
        run = Run(out)
        assert run.status == "failed"
        assert run.seeds and 17 not in run.seeds
        assert sorted(run.firms["seed"].unique()) == run.seeds


@pytest.mark.slow
def test_a_killed_worker_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BrokenRun, match="a worker process was killed"):
        played(tmp_path / "run", replace(CASE, killed_seed=39), replications=40, jobs=2)
    run = Run(tmp_path / "run")
    assert run.status == "failed" and run.seeds and 39 not in run.seeds


def test_a_merge_that_was_cut_off_is_done_again(
    reference: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis.runs import write as folder

    out = tmp_path / "run"
    played(out, replications=8)
    with monkeypatch.context() as cut:
        cut.setattr(folder, "_with_parts", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            played(out, replications=20)  # the tables are written, the manifest does not know it yet
    assert len(Run(out).seeds) == 8
    assert_same(reference, played(out, replications=20))


def test_parts_whose_removal_was_cut_off_are_not_taken_for_damaged_ones(
    reference: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove_half(folder: Path, **_: object) -> None:
        next(Path(folder).rglob("part.json")).unlink()
        raise OSError("power cut")

    out = tmp_path / "run"
    with monkeypatch.context() as cut:
        cut.setattr("analysis.runs.parts.shutil.rmtree", remove_half)
        with pytest.raises(OSError, match="power cut"):
            played(out, replications=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(reference, played(out, replications=20))
    assert not (out / "set-aside").exists() and not list(out.glob(".draft-*"))


@pytest.mark.parametrize("step", ["locked", "open_folder", "write_manifest", "discard_drafts"])
def test_a_folder_whose_making_was_cut_off_is_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from analysis.runs import write as folder

    with monkeypatch.context() as cut:
        cut.setattr(folder, step, lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        with pytest.raises(OSError, match="power cut"):
            played(tmp_path / "run")
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / ".draft-abc").write_text("")  # what a process that was killed was about to write
    assert played(tmp_path / "run").seeds == [0, 1, 2, 3]


def test_a_run_without_a_folder_lives_as_long_as_it_is_used() -> None:
    run = played(None, replications=1)
    folder = run.folder
    assert folder.is_dir() and len(run.rounds) == 2
    del run
    assert not folder.exists()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    from analysis.runs.write import locked

    with locked(tmp_path / "run"), pytest.raises(AnalysisError, match="another process"):
        played(tmp_path / "run")
    assert played(tmp_path / "run").status == "finished"


HOLDER = """
import sys, time
from pathlib import Path
from analysis.runs.write import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(3600)
"""


def test_a_lock_ends_with_the_process_that_held_it_however_that_ended(tmp_path: Path) -> None:
    out = tmp_path / "run"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, out], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(AnalysisError, match="another process"):
        played(out)
    holder.kill()
    holder.communicate()
    assert played(out).seeds == [0, 1, 2, 3]


def test_a_lock_is_not_written_through_a_link(tmp_path: Path) -> None:
    out, precious = tmp_path / "run", tmp_path / "precious"
    precious.write_text("keep me")
    played(out)
    (out / ".lock").unlink()
    (out / ".lock").symlink_to(precious)
    with pytest.raises(AnalysisError, match=r"\.lock is a link"):
        played(out, replications=8)
    assert precious.read_text() == "keep me"
    (out / ".lock").unlink()
    (out / ".lock").mkdir()
    with pytest.raises(AnalysisError, match=r"\.lock cannot be locked"):
        played(out, replications=8)
    assert len(Run(out).seeds) == 4


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from dataclasses import replace
from tests.support.analysis_fakes import ENGINE, FakeScenario
import analysis.play.provenance
from analysis import Interrupted
from analysis.errors import BrokenRun, DamagedRun
from analysis.play.experiment import play
from analysis.cases.setups import arms_of_case
from analysis.play.options import PlayOptions

if __name__ == "__main__":
    analysis.play.provenance.code_fingerprint = lambda: "this code"
    setup = FakeScenario(endless_seed=19)
    settings = PlayOptions(out={out!r}, replications=20, jobs={jobs}, ledger="unused.sqlite")
    try:
        play(arms_of_case(setup), settings, kind="cases", name=setup.name, engine=ENGINE)
    except Interrupted as stop:
        print(stop)
        sys.exit(130)
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_finished_seeds_and_the_next_run_goes_on(reference: Run, tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "run"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT), out=str(out), jobs=jobs))
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: list(out.glob("parts/seeds-*")), lambda: process.poll() is None)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    said = process.communicate(timeout=HANGS_S)[0]
    assert process.returncode == 130
    run = Run(out)
    assert run.status == "interrupted" and 0 < len(run.seeds) < 20
    assert said.strip() == (
        f"interrupted: {len(run.seeds)} of 20 seeds are finished and usable in {out}, every network trained so far is "
        f"in the ledger; the same command with --out {out} goes on from there"
    )
    expected = reference.firms[reference.firms["seed"].isin(run.seeds)].reset_index(drop=True)
    pd.testing.assert_frame_equal(run.firms, expected)
    assert_same(reference, played(out, replications=20))


def test_a_killed_process_loses_only_what_was_not_finished(reference: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT), out=str(out), jobs=1))
    process = subprocess.Popen([sys.executable, script], start_new_session=True)
    wait_until(lambda: list(out.glob("parts/seeds-*")), lambda: process.poll() is None)
    process.kill()
    process.wait()
    assert json.loads((out / "manifest.json").read_text())["status"] == "running"
    assert_same(reference, played(out, replications=20))
