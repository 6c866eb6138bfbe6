"""Runs killed at random moments and run folders damaged at random: nothing finished is lost, nothing wrong is served.

    python -m pytest -m campaign -n 0

plays the whole campaign with that of ledgers, 200 of each (another number: VENTURES_CAMPAIGN), and prints its counts; a
small one belongs to the normal tests. Every case has a number that gives its random choices, so that one that fails can
be played alone: VENTURES_CAMPAIGN_FROM=NUMBER VENTURES_CAMPAIGN=1.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from analysis import AnalysisError, Run
from analysis.cli.main import run_command
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.runs import write
from analysis.runs.manifest import Manifest, PartNote, digest_of
from analysis.runs.tables import TABLES
from scenarios import load
from simulation.training.ledger.ledger import Ledger
from simulation.training.plan import TrainingPlan
from tests.support.campaign import FIRST, SIZE, tell
from tests.support.crash_run import CODE, SLOW, SMALL
from tests.support.damage import ANY_FILE, mutate_json, write_document
from tests.support.paths import ROOT
from tests.support.patience import HANGS_S, wait_until
from tests.support.service import result_of

SEEDS = 24
TOLD = ("iris", "--no-replay", "--json")
REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OF_THE_DAY = ("created", "checksum")  # columns of the training table that no two runs share


@pytest.fixture(scope="module", autouse=True)
def same_code() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.play.provenance.code_fingerprint", lambda: CODE)
        yield


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenario and `whole`, a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("ground")
    (folder / "small.yaml").write_text(SMALL)
    small(folder, folder / "whole")
    return folder


def small(ground: Path, out: Path, seeds: int = SEEDS, ledger: str | Path = ":memory:") -> Run:
    """The small market in this process, going on where the folder stopped."""
    setup = load(str(ground / "small.yaml"))
    settings = PlayOptions(replications=seeds, jobs=1, out=out, ledger=ledger)
    return play([Arm(setup.name, "base", setup)], settings, kind="run", name=setup.name, engine=SLOW)


def assert_true_to(reference: Run, run: Run) -> None:
    """Every table holds the finished seeds as the undisturbed run has them, bit for bit, and nothing else."""
    for name in TABLES:
        wanted, found = reference.select(name), run.select(name)
        if name != "training":
            wanted = wanted[wanted["seed"].isin(run.seeds)]
        elif run.seeds:
            used = reference.firms.loc[reference.firms["seed"].isin(run.seeds), "ledger_key"]
            assert {*used} - {""} <= {*found["key"]} and found["key"].is_unique
            wanted = wanted[wanted["key"].isin(found["key"])]
            assert len(found) == len(wanted) and (len(run.seeds) < SEEDS or len(found) == len(reference.training))
            wanted, found = (table.drop(columns=list(OF_THE_DAY)) for table in (wanted, found))
        if not run.seeds:
            assert not len(found)
        else:
            same = {"check_exact": True, "check_dtype": name != "training"}
            pd.testing.assert_frame_equal(found.reset_index(drop=True), wanted.reset_index(drop=True), **same)


def assert_sound(ledger: Path, before: set[str] = frozenset()) -> set[str]:
    """Every row of a ledger is what its plan gives, and those of before are there; returns the keys."""
    if not ledger.exists():
        assert not before
        return set()
    opened = Ledger(ledger)
    rows = opened.rows()
    assert opened.info()["damaged"] == 0 and len(rows) == len(opened)
    for row in rows:
        assert opened.get(row["key"]) == result_of(TrainingPlan.from_json(row["plan"]))
    opened.close()
    assert before <= {row["key"] for row in rows}
    return {row["key"] for row in rows}


# --- kills -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """One random kill.

    stage: what must have happened before `wait_s` begins; again: further signals, 0.03 s apart; whom: the command
    alone, its whole group, or one of its workers.
    """

    number: int
    jobs: int
    signal: signal.Signals
    whom: str
    stage: str
    wait_s: float
    again: int

    @classmethod
    def draw(cls, number: int) -> Kill:
        rng = random.Random(f"kill {number}")
        jobs = rng.choice((1, 2, 2, 3))
        whom = rng.choice(("command", "command", "group", "group") + (("worker",) if jobs > 1 else ()))
        sent = signal.SIGKILL if whom == "worker" else rng.choice((signal.SIGKILL, signal.SIGKILL, *REQUESTS))
        # Before the folder is there Python itself may be starting, and answers Ctrl-C in its own way.
        stages = ("folder", "played", "part", "part", "merge") + (("start",) if sent is signal.SIGKILL else ())
        return cls(
            number=number,
            jobs=jobs,
            signal=sent,
            whom=whom,
            stage="worker" if whom == "worker" else rng.choice(stages),
            wait_s=rng.choice((0.0, rng.random() * 0.3, rng.random() * 2)),
            again=rng.choice((0, 0, 1, 5)) if sent is signal.SIGINT else 0,
        )


def has_reached(stage: str, out: Path, pid: int) -> bool:
    match stage:
        case "folder":
            return out.exists()
        case "played":
            return (out / ".progress").exists()
        case "part":
            return bool(list(out.glob("parts/seeds-*")))
        case "merge":
            return bool(list(out.glob(".draft-*.parquet")) or list(out.glob("*.parquet")))
        case "worker":
            return bool(workers_of(pid))
    return True


def workers_of(pid: int) -> list[psutil.Process]:
    """The worker processes of a command, none where it has ended."""
    try:
        return [one for one in psutil.Process(pid).children() if "LokyProcess" in " ".join(one.cmdline())]
    except psutil.Error:
        return []


def start(ground: Path, out: Path, jobs: int, pause_s: float) -> subprocess.Popen[str]:
    """The command line in a session of its own, with nothing but Python in its PATH."""
    tools = ground / "bin"
    tools.mkdir(exist_ok=True)
    if not (tools / "python").exists():
        (tools / "python").symlink_to(sys.executable)
    paths = str(ROOT)
    environment = {**os.environ, "PATH": str(tools), "PYTHONPATH": paths, "PAUSE_S": str(pause_s)}
    options = ("-n", str(SEEDS), "-j", str(jobs), "--device", "cpu", "--out", str(out), "--ledger", ledger_of(out))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.crash_run", "run", "small.yaml", *options],
        cwd=ground, env=environment, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ledger_of(out: Path) -> str:
    return str(out.with_suffix(".sqlite"))


def is_left(session: int) -> list[str]:
    """Processes of a session that still run; those that only wait to be reaped do not."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())[-120:]}")
        except (ProcessLookupError, psutil.Error):
            continue
    return found


def send(kill: Kill, process: subprocess.Popen[str]) -> None:
    """The signal, and again, as long as there is somebody to receive it."""
    for _ in range(1 + kill.again):
        try:
            if kill.whom == "worker":
                random.Random(kill.number).choice(workers_of(process.pid) or [process]).send_signal(kill.signal)
            else:
                (os.killpg if kill.whom == "group" else os.kill)(process.pid, kill.signal)
        except (ProcessLookupError, psutil.Error):
            return
        time.sleep(0.03)


def kill_and_go_on(kill: Kill, ground: Path, out: Path) -> str:
    """Play, kill, look, go on at once; returns what the kill met."""
    process = start(ground, out, kill.jobs, 0.0 if kill.stage == "merge" else 0.004)
    wait_until(lambda: has_reached(kill.stage, out, process.pid) or process.poll() is not None)
    time.sleep(kill.wait_s)
    met = "finished" if process.poll() is not None else kill.stage
    send(kill, process)
    process.wait(timeout=HANGS_S)
    reference, ledger = Run(ground / "whole"), Path(ledger_of(out))
    if kill.number % 2:  # at once, while workers of the dead may still be at work
        assert_true_to(reference, small(ground, out, ledger=ledger))
    wait_until(lambda: not is_left(process.pid))
    said, errors = process.communicate(timeout=HANGS_S)
    assert "Traceback" not in errors + said, f"{kill}: {errors}{said}"
    check_answer(kill, process.returncode, errors)
    trained = assert_sound(ledger)
    check_usable(kill, reference, out, process.returncode, trained)
    assert_true_to(reference, small(ground, out, ledger=ledger))
    assert Run(out).seeds == list(range(SEEDS)) and Run(out).status == "finished"
    assert trained | {*Run(out).training["key"]} <= assert_sound(ledger, trained)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [".lock", "manifest.json", *(f"{name}.parquet" for name in TABLES)]
    )
    return met


def check_answer(kill: Kill, code: int, errors: str) -> None:
    """What the command left with; 0 where it was done before the signal came."""
    if kill.whom == "worker":
        assert code == 0 or (code == 1 and "a worker process was killed" in errors), f"{kill}: {code} {errors}"
    elif kill.signal is signal.SIGKILL:
        assert code in (0, -signal.SIGKILL), f"{kill}: {code} {errors}"
    else:
        assert code == 0 or (code == 130 and "interrupted" in errors), f"{kill}: {code} {errors}"


def check_usable(kill: Kill, reference: Run, out: Path, code: int, trained: set[str]) -> None:
    """What is left can be read at once, and every network that it holds is in the ledger."""
    if not (out / "manifest.json").exists():
        return
    run = Run(out)
    assert_true_to(reference, run)
    assert {*run.training["key"]} <= trained, f"{kill}: a network is lost"
    for part in out.glob("parts/seeds-*/training.parquet"):
        assert {*pd.read_parquet(part)["key"]} <= trained, f"{kill}: a network is lost"
    if code == 130 and not kill.number % 2:
        assert run.status == "interrupted" or run.seeds == list(range(SEEDS)), f"{kill}: {run}"


def play_kill(number: int, ground: Path, work: Path) -> tuple[str, ...]:
    """One kill by number; returns what it was and what it met."""
    kill = Kill.draw(number)
    out = work / f"kill-{number}"
    met = kill_and_go_on(kill, ground, out)
    shutil.rmtree(out)
    return f"{kill.signal.name} to the {kill.whom}", f"--jobs {kill.jobs}", f"met {met}"


# --- damage ----------------------------------------------------------------------------------------------------------


def tampered_manifest(folder: Path, rng: random.Random) -> str:
    """A key of the manifest changed by somebody, in half of the cases with the digest that belongs to it."""
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    says = mutate_json(document, rng)
    return says + reseal(path, document, Manifest, rng)


def tampered_part(folder: Path, rng: random.Random) -> str:
    """The same for the note of a part."""
    path = rng.choice(sorted(folder.glob("parts/seeds-*/part.json")))
    document = json.loads(path.read_text())
    says = mutate_json(document, rng)
    return says + reseal(path, document, PartNote, rng)


def reseal(path: Path, document: dict[str, Any], kind: Any, rng: random.Random) -> str:
    """Write the document, with the right digest for what it says now if it still says something valid."""
    sealed = ""
    if rng.random() < 0.5:
        try:
            document["digest"] = digest_of(kind.model_validate_json(json.dumps(document)))
            sealed = ", sealed again"
        except ValueError:
            pass
    write_document(path, document)
    return sealed


def broken_file(folder: Path, rng: random.Random) -> str:
    """Any file of the folder, broken in any way."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return rng.choice(ANY_FILE)(rng.choice(files), rng)


def foreign_table(folder: Path, rng: random.Random) -> str:
    """A table that is a sound one, but not this one."""
    path = rng.choice(sorted(folder.rglob("*.parquet")))
    table = pd.read_parquet(path)
    changes: tuple[Callable[[], pd.DataFrame], ...] = (
        lambda: pd.DataFrame({"a": [1], "b": ["two"]}),
        lambda: pd.concat([table, table]),
        lambda: table.iloc[:-1] if len(table) else table.assign(x=1),
        lambda: table.assign(seed=table["seed"] + 1000) if "seed" in table else table.iloc[:0].assign(x=1),
        lambda: table.assign(arm="other"),
        lambda: table.drop(columns=[rng.choice(list(table.columns))]),
        lambda: table.assign(**{rng.choice(list(table.columns)): "text"}),
    )
    rng.choice(changes)().to_parquet(path)
    return f"another table as {path.name}"


def linked(folder: Path, rng: random.Random) -> str:
    """A link that leads out of the folder, so that whoever writes through it writes elsewhere."""
    outside = folder.parent / "outside"
    outside.mkdir(exist_ok=True)
    name = rng.choice(("parts", "manifest.json", "firms.parquet", "training.parquet", ".progress", "plots"))
    path, target = folder / name, outside / name
    if path.exists():
        shutil.move(path, target)
    elif name in ("parts", "plots"):
        target.mkdir()
    else:
        target.write_text("precious")
    path.symlink_to(target)
    return f"{name} is a link"


def odd_parts(folder: Path, rng: random.Random) -> str:
    """Parts that overlap, are of another folder, or are none."""
    parts = sorted(folder.glob("parts/seeds-*"))
    part, what = rng.choice(parts), rng.choice(("twice", "renamed", "foreign", "file", "empty", "draft"))
    if what == "twice":
        shutil.copytree(part, part.with_name(f"{part.name}-again"))
    elif what == "renamed":
        part.rename(part.with_name("seeds-900-999-abc"))
    elif what == "foreign":
        note = json.loads((part / "part.json").read_text()) | {"token": "f" * 32}
        note["digest"] = digest_of(PartNote.model_validate_json(json.dumps(note)))
        (part / "part.json").write_text(json.dumps(note))
    elif what == "file":
        (folder / "parts" / "seeds-1-2").write_text("no part")
    else:
        (folder / "parts" / ("seeds-3-4" if what == "empty" else ".draft-abc")).mkdir()
    return f"part: {what}"


DAMAGES: tuple[Callable[[Path, random.Random], str], ...] = (
    broken_file, broken_file, tampered_manifest, tampered_part, foreign_table, linked, odd_parts,
)  # fmt: skip


@pytest.fixture(scope="module")
def halves(ground: Path) -> Path:
    """A run of the small market whose first 8 seeds are merged and whose others lie in parts, as after `kill -9`."""
    out = ground / "halves"
    small(ground, out, seeds=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "merge", lambda folder, manifest: manifest)
        with pytest.raises(AnalysisError):  # it finds that seeds are missing
            small(ground, out)
    assert len(list(out.glob("parts/seeds-*"))) == 2
    return out


def contents(folder: Path) -> dict[str, bytes]:
    """Plain files below a folder, without what is only about to be written."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def damage_and_go_on(number: int, ground: Path, halves: Path, work: Path) -> tuple[str, str]:
    """Damage a copy of the half-finished run, read it, go on; returns the kind and what came of it."""
    rng = random.Random(f"damage {number}")
    place = work / f"damage-{number}"
    folder = place / "run"
    shutil.copytree(halves, folder)
    kind = rng.choice(DAMAGES)
    says = f"{number} {kind.__name__}: {kind(folder, rng)}"
    before, outside = contents(folder), contents(place / "outside")
    reference = Run(ground / "whole")
    read(reference, folder, says)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            run = small(ground, folder)
        except AnalysisError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000, says
            assert error.exit_code == 2, f"{says}: {error}"
            after = contents(folder)
            assert after == before, f"{says}: changed although refused ({error})"
            outcome = "refused"
        else:
            assert run.seeds == list(range(SEEDS)), says
            assert_true_to(reference, run)
            outcome = "set aside" if (folder / "set-aside").exists() else "went on"
    assert contents(place / "outside") == outside, f"{says}: written outside"
    shutil.rmtree(place)
    return kind.__name__, outcome


def read(reference: Run, folder: Path, says: str) -> None:
    """Reading serves the truth or refuses in one line."""
    try:
        assert_true_to(reference, Run(folder))
    except AnalysisError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000, says


def story(ground: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """What is told of the run that nobody disturbed."""
    assert run_command(["explain", str(ground / "whole"), *TOLD]) == 0
    return json.loads(capfd.readouterr().out)


def damage_and_explain(number: int, ground: Path, work: Path, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Damage a copy of the undisturbed run and ask the command line for a story."""
    rng = random.Random(f"explain {number}")
    place = work / f"explain-{number}"
    folder = place / "run"
    shutil.copytree(ground / "whole", folder)
    kind = rng.choice((broken_file, tampered_manifest, foreign_table))
    says = f"{number} {kind.__name__}: {kind(folder, rng)}"
    before = contents(folder)
    capfd.readouterr()
    code = run_command(["explain", str(folder), *TOLD])
    out, err = capfd.readouterr()
    assert code in (0, 2) and "Traceback" not in err, says
    if code == 2:
        assert out == "" and err.count("\n") == 1 and len(err) < 1000, f"{says}: {err}"
    else:
        assert "sealed again" in says or json.loads(out) == story(ground, capfd), says
    assert contents(folder) == before, f"{says}: changed by explaining"
    shutil.rmtree(place)
    return f"explain, {kind.__name__}", "told" if code == 0 else "refused"


def play_damage(
    number: int, ground: Path, halves: Path, work: Path, capfd: pytest.CaptureFixture[str]
) -> tuple[str, ...]:
    """One damaged folder by number; returns what was damaged and what came of it."""
    if number % 3:
        return (": ".join(damage_and_go_on(number, ground, halves, work)),)
    return (": ".join(damage_and_explain(number, ground, work, capfd)),)


# --- campaigns -------------------------------------------------------------------------------------------------------


def campaign(
    title: str, numbers: range, play_one: Callable[[int], tuple[str, ...]], capfd: pytest.CaptureFixture[str]
) -> Counter[str]:
    """Play every case, print what they were and what came of them, then fail if one did."""
    counts: Counter[str] = Counter()
    failed = []
    for number in numbers:
        try:
            counts.update(play_one(number))
        except Exception as error:
            failed.append(f"{number}: {type(error).__name__}: {error}")
    tell(title, len(numbers), counts + Counter(failed=len(failed)), capfd)
    assert not failed, "\n\n".join(failed)
    return counts


@pytest.mark.slow
def test_killed_runs_go_on_and_leave_nobody_behind(
    ground: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert campaign("kill", range(1), lambda number: play_kill(number, ground, tmp_path), capfd)


@pytest.mark.slow
def test_damaged_folders_are_refused_or_mended(
    ground: Path, halves: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    counts = campaign(
        "damaged folders", range(12), lambda number: play_damage(number, ground, halves, tmp_path, capfd), capfd
    )
    assert {name.rpartition(": ")[2] for name in counts} >= {"refused", "set aside"}


@pytest.mark.slow
@pytest.mark.campaign
def test_campaign_of_kills(ground: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    campaign("kills", range(FIRST, FIRST + SIZE), lambda number: play_kill(number, ground, tmp_path), capfd)


@pytest.mark.slow
@pytest.mark.campaign
def test_campaign_of_damage(ground: Path, halves: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    numbers = range(FIRST, FIRST + SIZE)
    campaign("damaged folders", numbers, lambda number: play_damage(number, ground, halves, tmp_path, capfd), capfd)
