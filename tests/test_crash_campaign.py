"""Runs killed at random moments and run folders damaged at random: nothing finished is lost, nothing wrong is served.

    python -m pytest tests/test_crash_campaign.py -m slow -n 0

plays the whole campaign, 200 of each (another number: VENTURES_CAMPAIGN), and prints its counts; a small one belongs to
the normal tests. Every case has a number that gives its random choices, so that one that fails can be played alone:
VENTURES_CAMPAIGN_FROM=NUMBER VENTURES_CAMPAIGN=1.
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
from crash_run import CODE, SLOW, SMALL
from damage import ANY_FILE, mutate_json, write_document
from explain_fakes import ENGINE as MARKET_ENGINE
from explain_fakes import ENTRANTS
from world_fakes import scenario_of

from analysis import AnalysisError, Run
from analysis.cli.main import run_command
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import Settings
from analysis.runs import write
from analysis.runs.manifest import Manifest, PartNote, digest_of
from analysis.runs.tables import TABLES
from scenarios import load

HERE = Path(__file__).parent
SIZE = int(os.environ.get("VENTURES_CAMPAIGN", "200"))
FIRST = int(os.environ.get("VENTURES_CAMPAIGN_FROM", "0"))
SEEDS = 24
REQUESTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(scope="module", autouse=True)
def same_code() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.play.provenance.code_fingerprint", lambda: CODE)
        yield


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scenario and with runs that nobody disturbed: `whole` of the small world, `market`."""
    folder = tmp_path_factory.mktemp("ground")
    (folder / "small.yaml").write_text(SMALL)
    small(folder, folder / "whole")
    market(folder / "market")
    return folder


def small(ground: Path, out: Path, seeds: int = SEEDS) -> Run:
    """The small world in this process, going on where the folder stopped."""
    setup = load(str(ground / "small.yaml"))
    settings = Settings(replications=seeds, jobs=1, out=out, ledger=":memory:")
    return play([Arm(setup.name, "base", setup)], settings, kind="run", name=setup.name, engine=SLOW)


def market(out: Path, seeds: int = 2) -> Run:
    """One year of a small real market on computed training, which `explain` can tell of."""
    setup = scenario_of({"entrants": ENTRANTS, "years": 1})
    settings = Settings(replications=seeds, jobs=1, out=out, ledger=":memory:")
    return play([Arm("small", "base", setup)], settings, kind="run", name="small", engine=MARKET_ENGINE)


def assert_true_to(reference: Run, run: Run) -> None:
    """Every table holds the finished seeds as the undisturbed run has them, bit for bit, and nothing else."""
    for name in TABLES:
        wanted = reference.select(name)
        if not run.seeds:
            assert not len(run.select(name))
            continue
        if name == "training":
            assert set(run.training["key"]) <= set(wanted["key"]) and run.training["key"].is_unique
            continue
        wanted = wanted[wanted["seed"].isin(run.seeds)].reset_index(drop=True)
        pd.testing.assert_frame_equal(run.select(name).reset_index(drop=True), wanted, check_exact=True)


# --- kills -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kill:
    """One random kill. `stage`: what must have happened before `wait_s` begins; `again`: further ones, 0.03 s apart."""

    number: int
    jobs: int
    signal: signal.Signals
    group: bool
    stage: str
    wait_s: float
    again: int

    @classmethod
    def draw(cls, number: int) -> Kill:
        rng = random.Random(f"kill {number}")
        sent = rng.choice((signal.SIGKILL, signal.SIGKILL, *REQUESTS))
        # Before the folder is there Python itself may be starting, and answers Ctrl-C in its own way.
        stages = ("folder", "played", "part", "part", "merge") + (("start",) if sent is signal.SIGKILL else ())
        return cls(
            number=number,
            jobs=rng.choice((1, 2, 2, 3)),
            signal=sent,
            group=rng.random() < 0.4,
            stage=rng.choice(stages),
            wait_s=rng.choice((0.0, rng.random() * 0.3, rng.random() * 2)),
            again=rng.choice((0, 0, 1, 5)) if sent is signal.SIGINT else 0,
        )


def has_reached(stage: str, out: Path) -> bool:
    parts = list(out.glob("parts/seeds-*"))
    return {
        "start": True,
        "folder": out.exists(),
        "played": (out / ".progress").exists(),
        "part": bool(parts),
        "merge": bool(list(out.glob(".draft-*.parquet")) or list(out.glob("*.parquet"))),
    }[stage]


def start(ground: Path, out: Path, jobs: int, pause_s: float) -> subprocess.Popen[str]:
    """The command line in a session of its own, with nothing but Python in its PATH."""
    tools = ground / "bin"
    tools.mkdir(exist_ok=True)
    if not (tools / "python").exists():
        (tools / "python").symlink_to(sys.executable)
    paths = os.pathsep.join((str(HERE), str(HERE.parent)))
    environment = {**os.environ, "PATH": str(tools), "PYTHONPATH": paths, "PAUSE_S": str(pause_s)}
    options = ("-n", str(SEEDS), "-j", str(jobs), "--device", "cpu", "--out", str(out), "--ledger", str(ground / "l"))
    return subprocess.Popen(
        [sys.executable, str(HERE / "crash_run.py"), "run", "small.yaml", *options],
        cwd=ground, env=environment, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


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


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def send(kill: Kill, process: subprocess.Popen[str]) -> None:
    for _ in range(1 + kill.again):
        try:
            (os.killpg if kill.group else os.kill)(process.pid, kill.signal)
        except ProcessLookupError:
            return
        time.sleep(0.03)


def kill_and_go_on(kill: Kill, ground: Path, out: Path) -> str:
    """Play, kill, look, go on at once; returns what the kill met."""
    process = start(ground, out, kill.jobs, 0.0 if kill.stage == "merge" else 0.004)
    reached = wait_for(lambda: has_reached(kill.stage, out) or process.poll() is not None)
    assert reached, f"{kill}: not reached"
    time.sleep(kill.wait_s)
    met = "finished" if process.poll() is not None else kill.stage
    send(kill, process)
    process.wait(timeout=120)
    reference = Run(ground / "whole")
    if kill.number % 2:  # at once, while workers of the dead may still be at work
        assert_true_to(reference, small(ground, out))
    assert wait_for(lambda: not is_left(process.pid), 30), f"{kill}: left behind {is_left(process.pid)}"
    said, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors + said, f"{kill}: {errors}{said}"
    if kill.signal is not signal.SIGKILL:
        assert process.returncode in ((0, 130) if met == "finished" else (130, 0)), f"{kill}: {process.returncode}"
    check_usable(kill, reference, out, process.returncode)
    assert_true_to(reference, small(ground, out))
    assert Run(out).seeds == list(range(SEEDS)) and Run(out).status == "finished"
    assert sorted(path.name for path in out.iterdir() if path.name != "set-aside") == sorted(
        ["manifest.json", *(f"{name}.parquet" for name in TABLES)]
    )
    assert not (out / "set-aside").exists(), f"{kill}: a sound part was set aside"
    return met


def check_usable(kill: Kill, reference: Run, out: Path, code: int) -> None:
    """What an interrupt leaves can be read at once."""
    if (out / "manifest.json").exists():
        run = Run(out)
        assert_true_to(reference, run)
        if code == 130 and not kill.number % 2:
            assert run.status == "interrupted" or run.seeds == list(range(SEEDS)), f"{kill}: {run}"


def play_kills(numbers: range, ground: Path, work: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number in numbers:
        kill = Kill.draw(number)
        out = work / f"kill-{number}"
        met = kill_and_go_on(kill, ground, out)
        counts.update((kill.signal.name, f"--jobs {kill.jobs}", f"met: {met}"))
        shutil.rmtree(out)
    return counts


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
    """A run of the small world whose first 8 seeds are merged and whose others lie in parts, as after `kill -9`."""
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
            assert len(run.training) == len(reference.training), says
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


def damage_and_explain(number: int, ground: Path, work: Path, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Damage a copy of the market's run and ask the command line for a story."""
    rng = random.Random(f"explain {number}")
    place = work / f"explain-{number}"
    folder = place / "run"
    shutil.copytree(ground / "market", folder)
    kind = rng.choice((broken_file, tampered_manifest, foreign_table))
    says = f"{number} {kind.__name__}: {kind(folder, rng)}"
    before = contents(folder)
    capfd.readouterr()
    code = run_command(["explain", str(folder), "iris", "--no-replay", "--json"])
    out, err = capfd.readouterr()
    assert code in (0, 2) and "Traceback" not in err, says
    if code == 2:
        assert out == "" and err.count("\n") == 1 and len(err) < 1000, f"{says}: {err}"
    else:
        assert json.loads(out)["firm"] == "iris", says
    assert contents(folder) == before, f"{says}: changed by explaining"
    shutil.rmtree(place)
    return f"explain, {kind.__name__}", "told" if code == 0 else "refused"


def play_damages(
    numbers: range, ground: Path, halves: Path, work: Path, capfd: pytest.CaptureFixture[str]
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number in numbers:
        if number % 3:
            found = damage_and_go_on(number, ground, halves, work)
        else:
            found = damage_and_explain(number, ground, work, capfd)
        counts[f"{found[0]}: {found[1]}"] += 1
    return counts


def tell(title: str, n: int, counts: Counter[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Print the counts, whatever pytest captures."""
    with capfd.disabled():
        sys.stdout.write(f"\n{n} {title}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        sys.stdout.write("\n")


def test_killed_runs_go_on_and_leave_nobody_behind(ground: Path, tmp_path: Path) -> None:
    assert sum(play_kills(range(1), ground, tmp_path).values())


def test_damaged_folders_are_refused_or_mended(
    ground: Path, halves: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    counts = play_damages(range(24), ground, halves, tmp_path, capfd)
    assert {name.rpartition(": ")[2] for name in counts} >= {"refused", "set aside"}


@pytest.mark.slow
def test_campaign_of_kills(ground: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tell("kills", SIZE, play_kills(range(FIRST, FIRST + SIZE), ground, tmp_path), capfd)


@pytest.mark.slow
def test_campaign_of_damage(ground: Path, halves: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tell("damaged folders", SIZE, play_damages(range(FIRST, FIRST + SIZE), ground, halves, tmp_path, capfd), capfd)
