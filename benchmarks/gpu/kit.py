"""Everything that wants a card, in one go and at most eight minutes: see README.md beside this file.

python benchmarks/gpu/kit.py                         on CUDA, results in benchmarks/results/gpu/
python benchmarks/gpu/kit.py --device cpu --quick    the same steps in small, to see that all of them run
python benchmarks/gpu/kit.py --only M --only F       some steps

Every step is a process of its own with a limit of time. One that fails or is cut off is written down, and the next one
begins. After each step `report.json` is written anew, and steps write their own files as they go: whatever ends the
kit, what was measured by then is there.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WHEELS = Path(__file__).resolve().parent / "wheels"
MARK = "mark." + "gpu"
NEEDED = (
    *("torch", "numpy", "safetensors", "pandas", "pyarrow", "scipy", "mesa", "simpy", "pydantic", "typer", "rich"),
    *("yaml", "joblib", "psutil", "filelock", "orjson", "threadpoolctl", "platformdirs", "opacus"),
    *("pytest", "hypothesis"),
)
REPORT = "report.json"
LADDER = "gpu"
PROBE_ROWS = (256, 1024)
CASES, CASE_SEEDS = ("vision", "speech"), 8
GROWS = 2.2
"""A half-step of the ladder takes at most so many times as long as the one before: √3.2 = 1.8, and a little."""
JOBS_WITH_CARD = 4
"""Processes that play worlds beside one card: more of them make smaller batches; assumption."""
MINUTES, PATIENT_MINUTES = 8.0, 120.0
"""For all steps together; without a card the kit only has to run, however busy the machine."""
GRACE_S = 10.0
"""Between the request to end and the end."""


@dataclass(frozen=True)
class Step:
    """One part of the kit.

    Attributes:
        name: of the step and of its file.
        limit_s: seconds it may take on a card.
        command: its arguments for Python; None for a function of this file.
    """

    name: str
    limit_s: float
    command: Callable[[Options], list[str]] | None = None


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    device: str
    quick: bool
    out: Path
    minutes: float
    volume_mib: float

    @property
    def ledger(self) -> Path:
        """The ledger that the ladder fills; the weights lie beside it."""
        return self.out / "work" / "ladder.sqlite"


def ventures(*arguments: str) -> list[str]:
    """A command of the project in a process of its own."""
    return ["-c", "from analysis.cli.main import main; main()", *arguments]


def bench(job: str, *more: str) -> Callable[[Options], list[str]]:
    """`ventures bench training` for that job."""

    def command(options: Options) -> list[str]:
        size = ["--quick", "--repeats", "1"] if options.quick else ["--repeats", "3", *more]
        file = str(options.out / f"{job}.json")
        return ventures(
            "bench", "training", "--job", job, "--device", options.device, "--no-compiler", *size, "--out", file
        )

    return command


def gpu_tests(options: Options) -> list[str]:
    """The tests marked `gpu`; other files are not even read."""
    files = sorted(
        str(file) for file in (ROOT / "tests").rglob("test_*.py") if MARK in file.read_text(encoding="utf-8")
    )
    return ["-m", "pytest", "-q", "-rs", "-m", "gpu", "-p", "no:cacheprovider", *files]


STEPS = (
    Step("tests", 60, gpu_tests),
    Step("M", 45, bench("M", "--members", "3072")),
    Step("F", 45, bench("F")),
    Step("ladder", 180),
    Step("export", 30),
    Step("cases", 110),
    Step("R", 40, bench("R", "--members", "3072")),
    Step("A", 40, bench("A")),
    Step("S", 30, bench("S", "--members", "4096")),
)
"""In the order of what would be missed most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the kit, or in a process of its own one step of it; returns the exit code."""
    asked = parser().parse_args(arguments)
    out = asked.out.resolve()
    minutes = asked.minutes or (MINUTES if asked.device == "cuda" else PATIENT_MINUTES)
    options = Options(asked.device, asked.quick, out, minutes, asked.volume_mib)
    out.mkdir(parents=True, exist_ok=True)
    if asked.inner:
        FUNCTIONS[asked.inner](options)
        return 0
    prepare_path()
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        return say(f"missing here: {', '.join(missing)}; fetch their wheels first (benchmarks/gpu/README.md)", 2)
    if asked.device == "cuda" and not has_card():
        return say("torch sees no CUDA device here; --device cpu --quick runs the kit without one", 2)
    wanted = [step for step in STEPS if not asked.only or step.name in asked.only]
    return run_all(wanted, options)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description="What wants a card, in at most eight minutes.")
    found.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    found.add_argument("--quick", action="store_true", help="every step in small: does it run?")
    found.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results" / "gpu", help="folder of the results"
    )
    found.add_argument("--minutes", type=float, help="for all steps together; 8, without a card 120")
    found.add_argument("--only", action="append", choices=[step.name for step in STEPS], help="a step; may be repeated")
    found.add_argument("--volume-mib", type=float, default=15.0, help="largest file of weights")
    found.add_argument("--inner", choices=list(FUNCTIONS), help=argparse.SUPPRESS)
    return found


def prepare_path() -> None:
    """Let this process and its steps find the project, and packages from wheels that were fetched beforehand."""
    places = [str(ROOT)]
    if wheels := sorted(WHEELS.glob("*.whl")):
        target = WHEELS / "site"
        options = ["--quiet", "--no-index", "--no-deps", "--no-compile", "--upgrade", "--target", str(target)]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *map(str, wheels)], check=True)
        places.append(str(target))
    sys.path[:0] = places
    os.environ["PYTHONPATH"] = os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])


def has_card() -> bool:
    """Whether torch sees a CUDA device."""
    import torch

    return torch.cuda.is_available()


def run_all(steps: Sequence[Step], options: Options) -> int:
    """Run the steps one after another; 0 if none failed."""
    ends = time.monotonic() + 60 * options.minutes
    report = head(options)
    for step in steps:
        write(options.out / REPORT, report | {"now": step.name})
        report["steps"].append(run_step(step, options, ends - time.monotonic()))
        write(options.out / REPORT, report)
    report["finished"] = now()
    write(options.out / REPORT, report)
    failed = [step["name"] for step in report["steps"] if step["status"] not in ("done", "partly")]
    say(f"results: {options.out}" + (f"; not done: {', '.join(failed)}" if failed else ""), 0)
    return int(bool(failed))


def head(options: Options) -> dict[str, Any]:
    """Where and when."""
    import torch

    card = torch.cuda.get_device_name() if options.device == "cuda" else None
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    machine = {
        "device": options.device,
        "card": card,
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "load_before": load,
    }
    return {"kit": 1, "quick": options.quick, "started": now(), "machine": machine, "steps": []}


def run_step(step: Step, options: Options, left_s: float) -> dict[str, Any]:
    """One step in a process of its own, its output in `NAME.log`, its document in the report."""
    limit_s = min(step.limit_s * options.minutes / MINUTES, left_s - GRACE_S)
    done: dict[str, Any] = {"name": step.name, "limit_s": round(limit_s, 1), "seconds": 0.0}
    if limit_s <= 0:
        return done | {"status": "no time left"}
    say(f"{step.name}: at most {limit_s:.0f} s")
    file, log = options.out / f"{step.name}.json", options.out / f"{step.name}.log"
    file.unlink(missing_ok=True)
    command = [sys.executable, *(inner(step, options) if step.command is None else step.command(options))]
    started = time.monotonic()
    environment = os.environ | {
        "VENTURES_LEDGER": str(options.out / "work" / "default.sqlite"),
        "KIT_LIMIT_S": str(limit_s),
    }
    with log.open("w", encoding="utf-8") as talk:
        process = subprocess.Popen(command, cwd=ROOT, stdout=talk, stderr=subprocess.STDOUT, env=environment)
        try:
            code: int | None = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = end(process)
    done["seconds"] = round(time.monotonic() - started, 1)
    found = read(file)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    if code == 0:
        return done | {"status": "done", "result": found, "said": last[-1:]}
    status = "partly" if code is None and found is not None else "cut off" if code is None else "failed"
    return done | {"status": status, "code": code, "said": last, "result": found}


def inner(step: Step, options: Options) -> list[str]:
    """Arguments that run a step of this file."""
    given = ["--device", options.device, "--out", str(options.out), "--volume-mib", str(options.volume_mib)]
    return [str(Path(__file__).resolve()), "--inner", step.name, *given, *(["--quick"] if options.quick else [])]


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, then end it."""
    process.terminate()
    try:
        process.wait(GRACE_S / 2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def train_ladder(options: Options) -> None:
    """Foundations of the ladder as far as the time allows, and probes on each of them in every sector."""
    from simulation.training.foundation.ladder import LADDERS, name_of
    from simulation.training.ledger.ledger import Ledger
    from simulation.training.service import TrainingService
    from simulation.training.values import DOCUMENT_TASKS

    ends = time.monotonic() + float(os.environ["KIT_LIMIT_S"]) - GRACE_S
    options.ledger.parent.mkdir(parents=True, exist_ok=True)
    service = TrainingService(Ledger.open(options.ledger), options.device)
    rungs, rows, longest_s = list[dict[str, Any]](), PROBE_ROWS[:1] if options.quick else PROBE_ROWS, 0.0
    for rung in LADDERS[LADDER].rungs[: 2 if options.quick else None]:
        if time.monotonic() + GROWS * longest_s > ends:
            break
        started = time.monotonic()
        rungs.append(train_rung(service, rung, rows, DOCUMENT_TASKS[: 2 if options.quick else None]))
        longest_s = max(longest_s, time.monotonic() - started)
        done = {"ladder": LADDER, "last": name_of(rung), "of": name_of(LADDERS[LADDER].last), "rungs": rungs}
        write(options.out / "ladder.json", done)


def train_rung(service: Any, rung: float, rows: Sequence[int], tasks: Sequence[str]) -> dict[str, Any]:
    """One foundation and its probes."""
    from dataclasses import asdict

    from simulation.training.foundation.ladder import LADDERS, name_of
    from simulation.training.plan import TrainingPlan

    text, started = LADDERS[LADDER].plan(rung), time.monotonic()
    plans = [TrainingPlan(task, "probe", 0, n, foundation=text) for task in tasks for n in rows]
    keys = [service.submit(plan) for plan in plans]
    service.train(keys)
    measured = asdict(service.foundation(text).result)
    probes = [
        {"task": plan.task, "rows": plan.rows, "lab": result.accuracy_lab, "field": result.accuracy_field}
        for plan, result in zip(plans, map(service.result, keys), strict=True)
    ]
    speed = {"flops_per_s": measured["training_flops"] / max(measured["seconds"], 1e-9)}
    whole_s = round(time.monotonic() - started, 2)
    return {"rung": name_of(rung), "width": text.width, **measured, **speed, "probes": probes, "with_probes_s": whole_s}


def export(options: Options) -> None:
    """The filled ladder to carry: the ledger as Parquet, the weight store in volumes of a tar file."""
    from analysis.training.ledger_files import export_ledger
    from simulation.training.foundation.library import folder_beside
    from simulation.training.ledger.ledger import Ledger

    told = export_ledger(Ledger.open(options.ledger), options.out / "ladder.parquet", force=True)
    folder = folder_beside(str(options.ledger))
    assert folder is not None
    volumes = pack(folder, options.out, options.volume_mib * 2**20)
    write(options.out / "export.json", {"ledger": "ladder.parquet", "runs": told.runs, "weights": volumes})


def pack(folder: Path, out: Path, most_bytes: float) -> list[dict[str, Any]]:
    """The weight store as tar files, each foundation whole in one of them, the smallest first."""
    for old in out.glob("weights-*.tar"):
        old.unlink()
    entries = sorted((folder / "foundations").glob("*.json"), key=lambda entry: weights_of(entry).stat().st_size)
    volumes = list[dict[str, Any]]()
    size = most_bytes
    for entry in entries:
        weights = weights_of(entry)
        added = weights.stat().st_size + entry.stat().st_size + 4 * 512
        if not volumes or size + added > most_bytes:
            volumes.append({"file": f"weights-{len(volumes)}.tar", "foundations": 0})
            size = 10_240.0
        with tarfile.open(out / volumes[-1]["file"], "a") as tar:
            for path in (entry, weights):
                tar.add(path, path.relative_to(folder))
        volumes[-1]["foundations"] += 1
        size += added
    return volumes


def weights_of(entry: Path) -> Path:
    """The file with the weights of a foundation."""
    digest = json.loads(entry.read_text(encoding="utf-8"))["weights"]
    return entry.parents[1] / "weights" / f"{digest}.safetensors"


def play_cases(options: Options) -> None:
    """Two cases on the device and on the CPU, with a ledger of their own each, and how far they agree."""
    cases = CASES[:1] if options.quick else CASES
    seeds = 1 if options.quick else CASE_SEEDS
    played = {
        place: play(place, device, cases, seeds, options)
        for place, device in (("device", options.device), ("cpu", "cpu"))
    }
    write(options.out / "cases.json", {"cases": cases, "seeds": seeds, **agreement(played["device"], played["cpu"])})


def play(place: str, device: str, cases: Sequence[str], seeds: int, options: Options) -> Any:
    """The run of these cases on a device, and the seconds it took."""
    import tempfile

    from analysis.cases.study import study

    (options.out / "work").mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f"{place}-", dir=options.out / "work"))
    jobs = min(os.cpu_count() or 1, JOBS_WITH_CARD) if device == "cuda" else None
    places = {"ledger": work / "ledger.sqlite", "out": work / "run"}
    return study(cases, replications=seeds, device=device, jobs=jobs, yes=True, **places).cases.run


def agreement(one: Any, other: Any) -> dict[str, Any]:
    """Share of firms that end alike, and the largest difference of every measure of networks that both trained."""
    import pandas as pd

    names = ["scenario", "arm", "seed", "firm", "founded"]
    ends = pd.merge(one.endings, other.endings, on=names, how="outer", suffixes=("", "_cpu"))
    alike = ends["ending"] == ends["ending_cpu"]
    both = one.training.merge(other.training, on="key", suffixes=("", "_cpu"))
    return {
        "firms": len(ends),
        "endings_alike": float(alike.mean()),
        "endings_alike_by_scenario": by_scenario(ends.assign(alike=alike)),
        "networks": {"device": len(one.training), "cpu": len(other.training), "both": len(both)},
        "largest_differences": differences(both),
        "seconds": {"device": one.manifest.seconds, "cpu": other.manifest.seconds},
        "training": {"device": one.training_cost, "cpu": other.training_cost},
    }


def by_scenario(ends: Any) -> dict[str, float]:
    """Share of endings that agree, by scenario."""
    found = ends.groupby("scenario")["alike"].mean()
    return {str(name): float(share) for name, share in found.items()}


def differences(both: Any) -> dict[str, float]:
    """Largest absolute difference by measure; times are left out."""
    from simulation.training.ledger.verify import COMPARED

    found = {}
    for name in COMPARED:
        if name in both and both[name].dtype.kind in "fi":
            gap = (both[name] - both[f"{name}_cpu"]).abs().max()
            found[name] = float(gap) if gap == gap else 0.0
    return found


FUNCTIONS: dict[str, Callable[[Options], None]] = {"ladder": train_ladder, "export": export, "cases": play_cases}


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON document in one rename."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def read(path: Path) -> Any:
    """The content of a document; None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def say(text: str, code: int = 0) -> int:
    """Tell a person; returns the exit code."""
    sys.stderr.write(f"kit: {text}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
