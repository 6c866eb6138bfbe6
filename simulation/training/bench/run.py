"""Contenders in turn, repetition by repetition, so that a busy moment of the machine hits all of them alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean, median
from typing import Any

import torch

from simulation.training.bench.contenders import (
    Workers,
    compiled_loss,
    startup_seconds,
    train_plain,
    train_vmap,
    train_without_graphs,
)
from simulation.training.bench.gate import Gate, document, why_not
from simulation.training.bench.jobs import BenchJob, Member, job_flops, members_of, train_fused
from simulation.training.bench.load import is_busy, load_average
from simulation.training.device import device_name

Say = Callable[[str], None]
Train = Callable[[BenchJob, Sequence[Member], torch.device], dict[int, float]]
MATMUL = 2048
MATMUL_CUDA = 8192
TARGETS: dict[tuple[str, str], dict[str, float]] = {
    ("M", "cpu"): {"share_of_matmul": 0.5},
    ("S", "cpu"): {"ratio_to_plain": 60.0},
    ("M", "cuda"): {"ratio_to_plain": 500.0, "runs_per_s": 5000.0},
}
"""By job and kind of device; those of CUDA are goals for a card of the H200's class."""
STARTUP_TARGET_S = 1.0
GROWTH_LIMIT = {"M": 256, "S": 4096, "R": 256}
TRIAL_STEPS = 20
N_COMPARED = 3  # members that everybody trains, whose losses are compared
N_VMAP = 48  # members of one repetition of vmap: more would only take longer


@dataclass
class Contender:
    """One way to train, and what was measured on it.

    Attributes:
        name: key in the results.
        title: for people.
        train: trains members of a job on a device and returns their last losses by seed.
        members: those it trains in one repetition.
        threads: of torch; None where the contender sets them itself.
        first_seconds: of the first call, compilation included.
        seconds: of every repetition.
        loss: mean over the first `N_COMPARED` members of the loss on the last minibatch.
        peak_bytes: largest memory on a CUDA device.
    """

    name: str
    title: str
    train: Train
    members: Sequence[Member]
    threads: int | None = None
    first_seconds: float = 0.0
    seconds: list[float] = field(default_factory=list)
    loss: float = 0.0
    peak_bytes: int | None = None

    @property
    def rates(self) -> list[float]:
        """Runs per second of every repetition."""
        return [len(self.members) / seconds for seconds in self.seconds]


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(n: int | None) -> Iterator[None]:
    """That many torch threads inside; None changes nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": median(values), "min": min(values), "max": max(values)}


def matmul_flops(device: torch.device, repeats: int = 3, dtype: torch.dtype = torch.float32) -> float:
    """FLOP/s of a large product with all cores: the best of a few, as a measure of what the machine can do."""
    size = MATMUL_CUDA if device.type == "cuda" else MATMUL
    a, best = torch.ones(size, size, device=device, dtype=dtype), 0.0
    with threads(n_cores()):
        for _ in range(repeats + 1):
            started = time.perf_counter()
            product = a @ a
            product[0, 0].item()  # waits for a GPU
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best


def contenders_of(members: Sequence[Member], n_sample: int, workers: Workers | None, compiler: bool) -> list[Contender]:
    """Everybody who can run here; loops and vmap train a sample, in which every width stands equally often."""
    sample = members[:n_sample]
    found = [
        Contender("plain", "plain loop", train_plain, sample),
        Contender("plain-fused-adam", "with fused Adam", partial(train_plain, fused=True), sample),
    ]
    if compiler:
        found.append(
            Contender("plain-compiled", "with torch.compile", partial(train_plain, loss=compiled_loss()), sample)
        )
    found += [
        Contender("vmap", "vmap", train_vmap, members[:N_VMAP]),
        Contender("core", "core, 1 process", train_fused, members, 1),
    ]
    if workers is None:
        found.append(Contender("core-without-graphs", "core, no CUDA graphs", train_without_graphs, members, 1))
    else:
        title = f"core, {workers.n} processes"
        found.append(Contender("core-processes", title, workers.train, members, 1))
    return found


def _timed(contender: Contender, job: BenchJob, members: Sequence[Member], device: torch.device) -> tuple[float, float]:
    started = time.perf_counter()
    with threads(contender.threads):
        losses = contender.train(job, members, device)
    seconds = time.perf_counter() - started
    return seconds, fmean(losses[member.seed] for member in members[:N_COMPARED])


def warm_up(contenders: list[Contender], job: BenchJob, device: torch.device, say: Say) -> list[dict[str, str]]:
    """Call everybody once, and libraries with the number of threads that suits them; returns who cannot run."""
    skipped = []
    short = replace(job, steps=TRIAL_STEPS)
    for contender in list(contenders):
        say(f"warming up: {contender.title}")
        few = contender.members[:24]
        choices = [contender.threads] if contender.threads else sorted({1, n_cores()})
        try:
            contender.threads = choices[0]
            contender.first_seconds, _ = _timed(contender, short, few, device)
            if len(choices) > 1:
                contender.threads = min(choices, key=partial(_trial, contender, short, few, device))
        except Exception as error:
            if contender.name != "plain-compiled":
                raise
            contenders.remove(contender)
            reason = (str(error).strip() or "no reason given").splitlines()[0]
            skipped.append({"name": contender.name, "why": f"torch.compile does not work here: {reason[:200]}"})
    return skipped


def let_pass(
    contenders: list[Contender], job: BenchJob, device: torch.device, say: Say
) -> tuple[Gate, list[dict[str, str]]]:
    """Train the first members with everybody, the whole job long; who comes to other losses is not timed."""
    losses = {}
    for contender in contenders:
        say(f"gate: {contender.title}")
        members = contender.members[:N_COMPARED]
        with threads(contender.threads):
            found = contender.train(job, members, device)
        losses[contender.name] = [found[member.seed] for member in members]
    gate = Gate("plain", losses)
    failed = [one for one in contenders if not gate.passes(one.name)]
    contenders[:] = [one for one in contenders if gate.passes(one.name)]
    return gate, [{"name": one.name, "why": why_not(gate, one.name)} for one in failed]


def _trial(contender: Contender, job: BenchJob, members: Sequence[Member], device: torch.device, n: int) -> float:
    contender.threads = n
    return _timed(contender, job, members, device)[0]


def alternate(
    contenders: Sequence[Contender], job: BenchJob, device: torch.device, repeats: int, say: Say
) -> list[float]:
    """Time everybody `repeats` times in turn; returns the machine's matmul FLOP/s of every repetition."""
    peaks = []
    for repeat in range(repeats):
        say(f"repetition {repeat + 1} of {repeats}")
        peaks.append(matmul_flops(device))
        for contender in contenders:
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            seconds, contender.loss = _timed(contender, job, contender.members, device)
            contender.seconds.append(seconds)
            if device.type == "cuda":
                contender.peak_bytes = torch.cuda.max_memory_allocated(device)
    return peaks


def rows_of(job: BenchJob, contenders: Sequence[Contender], peaks: Sequence[float]) -> list[dict[str, Any]]:
    """One row per contender; ratios are taken within each repetition, then their median."""
    plain = next(contender for contender in contenders if contender.name == "plain")
    rows = []
    for one in contenders:
        flops = [job_flops(job, one.members) / seconds for seconds in one.seconds]
        rows.append(
            {
                "name": one.name,
                "title": one.title,
                "members": len(one.members),
                "threads": one.threads,
                "runs_per_s": spread(one.rates),
                "ratio_to_plain": spread([a / b for a, b in zip(one.rates, plain.rates, strict=True)]),
                "flops_per_s": spread(flops),
                "share_of_matmul": spread([a / b for a, b in zip(flops, peaks, strict=True)]),
                "first_seconds": one.first_seconds,
                "mean_loss": one.loss,
                "peak_bytes": one.peak_bytes,
            }
        )
    return rows


def growth(job: BenchJob, device: torch.device, workers: Workers | None, limit: int, say: Say) -> list[dict[str, Any]]:
    """Seconds per run of the project's core as members grow fourfold, up to `limit`."""
    rows = []
    n = 1
    while n <= limit:
        members = members_of(job, n)
        row: dict[str, Any] = {"members": n, "repeats": 5 if n <= 64 else 1}
        ways = {"core": partial(train_fused, job, members, device)}
        if workers is not None:
            ways["core-processes"] = partial(workers.train, job, members, device)
        say(f"members: {n}")
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(row["repeats"]):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                times[name].append((time.perf_counter() - started) / n)
        row["seconds_per_run"] = {name: spread(values) for name, values in times.items()}
        rows.append(row)
        n *= 4
    return rows


def verdicts(
    job: BenchJob, rows: Sequence[dict[str, Any]], startup: float, device: str = "cpu"
) -> list[dict[str, Any]]:
    """The targets, and what the best of the project's ways reached."""
    found = reached(TARGETS.get((job.name, device), {}), rows)
    startup_row = {"what": "startup_extra_s", "target": STARTUP_TARGET_S, "reached": startup, "at": "most"}
    return [*found, startup_row | {"met": startup <= STARTUP_TARGET_S}]


def reached(targets: Mapping[str, float], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Least values that were wanted of a rate or share, and what the best of the project's ways has."""
    own = [row for row in rows if row["name"].startswith("core")]
    best = {what: max((row[what]["median"] for row in own), default=0.0) for what in targets}
    return [
        {"what": what, "target": least, "reached": best[what], "at": "least", "met": best[what] >= least}
        for what, least in targets.items()
    ]


def bench_job(
    job: BenchJob,
    device: torch.device,
    n_members: int,
    n_jobs: int,
    repeats: int,
    quick: bool,
    say: Say,
    compiler: bool = True,
) -> dict[str, Any]:
    """All measurements of a reference job, as a JSON document; without `compiler`, or quick, not of torch.compile."""
    members = members_of(job, n_members)
    n_sample = min(n_members, 3 if quick else 6)
    with Workers(n_jobs) if device.type == "cpu" else nullcontext() as workers:
        contenders = contenders_of(members, n_sample, workers, compiler and not quick)
        why = "not with --quick" if quick else "not with --no-compiler"
        skipped = [] if compiler and not quick else [{"name": "plain-compiled", "why": why}]
        skipped += [] if workers else [{"name": "core-processes", "why": "one process fills a GPU"}]
        skipped += warm_up(contenders, job, device, say)
        gate, failed = let_pass(contenders, job, device, say)
        skipped += failed
        peaks = alternate(contenders, job, device, repeats, say)
        rows = rows_of(job, contenders, peaks)
        grown = growth(job, device, workers, n_members if quick else GROWTH_LIMIT[job.name], say)
    first, later = startup_seconds(job, members, device)
    targets = [] if quick else verdicts(job, rows, first - later, device.type)  # they hold for the whole job alone
    return {
        "gate": document(gate),
        "matmul_flops_per_s": spread(peaks),
        "contenders": rows,
        "skipped": skipped,
        "startup": {"members": min(8, n_members), "first_s": first, "later_s": later, "extra_s": first - later},
        "growth": grown,
        "targets": targets,
    }


def machine(device: torch.device) -> dict[str, Any]:
    """Where it was measured, and how busy that machine was; to be asked before the first measurement."""
    load = load_average()
    return {
        "device": device_name(device),
        "cores": n_cores(),
        "torch": str(torch.__version__),
        "load_before": load,
        "busy": is_busy(load),
    }
