"""`ventures bench`: how fast networks are trained and markets played here, against other ways to do it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from analysis.cli.options import INTERRUPTED, AsJson, Device, Jobs, Output, Seed, path_option
from analysis.documents import json_text
from analysis.errors import AnalysisError
from analysis.play.options import PlayOptions, most_jobs
from analysis.terminal.console import say_error

if TYPE_CHECKING:
    from analysis.training.pool.parts import Plan
from analysis.runs.files import naming

MOST_REPEATS, MOST_MEMBERS = 1_000, 65_536  # networks: some GB, and sixteen times what fills a large card
OutFile = Annotated[Path | None, path_option("--out", "-o", help="Also write the JSON document to this file.")]
QUICK_STEPS, QUICK_MEMBERS = 40, 6

app = typer.Typer(help="Benchmarks.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def bench() -> None:
    """Benchmarks."""


@app.command()
def training(
    job: Annotated[
        str, typer.Option("--job", help="M, S, R (networks), F (a foundation), A (adaptations), ladder (plans).")
    ] = "M",
    repeats: Annotated[int, typer.Option("--repeats", help="Repetitions, contenders in turn.")] = 5,
    members: Annotated[
        int | None, typer.Option("--members", help="Networks; 128, of job A 1024, on the ladder 16.")
    ] = None,
    jobs: Jobs = None,
    device: Device = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="Few members and steps: does it run?")] = False,
    no_compiler: Annotated[bool, typer.Option("--no-compiler", help="Leave torch.compile out.")] = False,
    note: Annotated[str, typer.Option("--note", help="A remark to keep with the results.")] = "",
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Measure networks per second, ratios to a plain loop, FLOP/s, start-up cost and cost per run as members grow."""
    for name, value, most in (
        ("--repeats", repeats, MOST_REPEATS),
        ("--members", 1 if members is None else members, MOST_MEMBERS),
        ("--jobs", 1 if jobs is None else jobs, most_jobs()),
    ):
        if not 1 <= value <= most:
            raise AnalysisError(f"{name} must be at least 1 and at most {most:,}, not {value:,}")
    output = Output(as_json)
    document = measure(job, repeats, members, jobs, device, quick, not no_compiler, note, output)
    finish(document, tables_of(document), out, output)


@app.command()
def market(
    quick: Annotated[bool, typer.Option("--quick", help="Small worlds and few months: does it run?")] = False,
    note: Annotated[str, typer.Option("--note", help="A remark to keep with the results.")] = "",
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Measure what a month of the market costs, against firms and customers, beside other agent-based models."""
    from analysis.benchmarks.market import bench_market
    from analysis.play.lockstep import one_thread
    from analysis.screens.market import market_tables
    from simulation.training.bench.run import machine
    from simulation.training.device import resolve_device

    output = Output(as_json)
    head = {
        "benchmark": "market",
        "quick": quick,
        "note": note,
        "time": now(),
        "machine": machine(resolve_device("cpu")),
    }
    warn_of_load(head, output)
    with one_thread():
        document = with_load(head, bench_market(quick, output.say))
    finish(document, market_tables(document), out, output)


@app.command()
def pool(
    folder: Annotated[
        Path, path_option("--folder", help="Where runs and ledgers are kept; what is finished there is not repeated.")
    ] = Path("runs/bench-pool"),
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="none, control or a size, with :rows, :rows-coverage or :coarse; several."),
    ] = None,
    world: Annotated[str, typer.Option("--world", help="The world whose base rates are compared.")] = "markets/base",
    case: Annotated[list[str] | None, typer.Option("--case", help="Cases; several. Default: speech, vision.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Seeds of the world; 0: without it.")] = 48,
    case_seeds: Annotated[int, typer.Option("--case-seeds", help="Seeds of each case; 0: without them.")] = 100,
    seed: Seed = PlayOptions.seed,
    block: Annotated[int, typer.Option("--block", help="Seeds that every column plays before it goes on.")] = 8,
    report: Annotated[bool, typer.Option("--report", help="Play nothing, tell what is finished.")] = False,
    jobs: Jobs = None,
    device: Device = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="Small worlds and few seeds: does it run?")] = False,
    note: Annotated[str, typer.Option("--note", help="A remark to keep with the results.")] = "",
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Measure what a pool of seeds and lucks, and coarser grids of plans, change and save, against no pool."""
    for name, value, least in (("seeds", seeds, 0), ("case-seeds", case_seeds, 0), ("block", block, 1)):
        if value < least:
            raise AnalysisError(f"--{name} must be at least {least}, not {value}")
    if not (seeds or case_seeds):
        raise AnalysisError("--seeds 0 and --case-seeds 0: there is nothing to play")
    from analysis.screens.pool import study_screen
    from analysis.training.pool.columns import USUAL, columns_named
    from analysis.training.pool.parts import Plan, quick_scenarios, scenarios_of
    from analysis.training.pool.study import study
    from simulation.training.bench.run import machine
    from simulation.training.device import resolve_device

    output = Output(as_json)
    settings = PlayOptions(seed=seed, jobs=jobs, device=device, progress=True)
    scenarios = quick_scenarios() if quick else scenarios_of(world, seeds, case, case_seeds)
    names = ("4",) if quick and column is None else tuple(column or USUAL)
    plan = Plan(folder, columns_named(names), scenarios, seed, 1 if quick else block, settings)
    head = {
        "benchmark": "pool",
        "quick": quick,
        "note": note,
        "time": now(),
        "jobs": settings.n_jobs,
        "block": plan.block,
        "machine": machine(resolve_device(device)),
    }
    if not report:
        play_all(plan)
    document = head | study(plan)
    finish(document, study_screen(document), out, output)


def play_all(plan: "Plan") -> None:
    """Play every part that is missing; Ctrl-C leaves with what is finished."""
    from analysis.play.interrupted import Interrupted
    from analysis.training.pool.parts import play_parts

    done, wanted = 0, len(list(plan.parts()))
    try:
        for done, part in enumerate(play_parts(plan), start=1):
            say_error(f"{done} of {wanted} parts: {part.label}")
    except Interrupted as stop:
        told = f"interrupted: {done} of {wanted} parts are finished in {plan.folder}; the same command goes on there"
        say_error(f"{told}, with --report it tells what they give")
        raise typer.Exit(INTERRUPTED) from stop


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def warn_of_load(head: dict[str, Any], output: Output) -> None:
    """Say before the first measurement that the machine is busy, where it is."""
    from analysis.screens.load import warning

    if told := warning(head["machine"]["load_before"]):
        output.say(told)


def with_load(head: dict[str, Any], measured: dict[str, Any]) -> dict[str, Any]:
    """The whole document: every row of figures has the load at the start beside it."""
    from simulation.training.bench.load import beside_figures

    whole: dict[str, Any] = head | beside_figures(measured, head["machine"]["load_before"])
    return whole


def finish(document: dict[str, Any], said: list[Any], out: Path | None, output: Output) -> None:
    """Show the tables, write the file where one was asked for, print the document."""
    for table in said:
        output.say(table)
    if out is not None:
        with naming(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json_text(document) + "\n", encoding="utf-8")
        output.say(f"results: {out}")
    output.document(document)


def measure(
    job: str,
    repeats: int,
    members: int | None,
    jobs: int | None,
    device: str,
    quick: bool,
    compiler: bool,
    note: str,
    output: Output,
) -> dict[str, Any]:
    """The measurements of a job with where and how they were made."""
    from dataclasses import replace

    from simulation.training.bench.adaptations import bench_adaptations
    from simulation.training.bench.foundation import bench_foundation
    from simulation.training.bench.jobs import JOBS
    from simulation.training.bench.ladder import bench_ladder
    from simulation.training.bench.run import bench_job, machine, n_cores
    from simulation.training.device import resolve_device

    names = (*JOBS, "F", "A", "ladder")
    if job not in names:
        raise AnalysisError(f"--job must be one of {', '.join(names)}, not {job!r}")
    if job == "F" and members is not None:
        raise AnalysisError("--members does not go with --job F, which trains one foundation")
    where, n_jobs = resolve_device(device), jobs or n_cores()
    document: dict[str, Any] = {
        "benchmark": "training",
        "job": job,
        "quick": quick,
        "repeats": repeats,
        "jobs": n_jobs,
        "note": note,
        "time": now(),
        "machine": machine(where),
    }
    warn_of_load(document, output)
    if job == "ladder":
        rows = bench_ladder(where, members or (4 if quick else 16), repeats, quick, output.say)
        return with_load(document, rows)
    if job == "F":
        return with_load(document, bench_foundation(where, repeats, quick, output.say))
    if job == "A":
        return with_load(document, bench_adaptations(where, members, n_jobs, repeats, quick, output.say))
    shape = replace(JOBS[job], steps=QUICK_STEPS) if quick else JOBS[job]
    n_members = members or (QUICK_MEMBERS if quick else shape.n_members)
    return with_load(document, bench_job(shape, where, n_members, n_jobs, repeats, quick, output.say, compiler))


def tables_of(document: dict[str, Any]) -> list[Any]:
    """What a person reads."""
    from analysis.screens.load import load_in_words

    if document["job"] == "ladder":
        return [ladder_table(document["ladder"]), load_in_words(document["machine"])]
    said: list[Any] = [gate_text(document["gate"]), contender_table(document), load_in_words(document["machine"])]
    said += [f"not measured: {one['name']} ({one['why']})" for one in document["skipped"]]
    if "growth" in document:
        said.insert(3, growth_table(document["growth"]))
        startup = document["startup"]
        said.append(f"first call with {startup['members']} members: {startup['extra_s']:.2f} s more than a later one")
    for one in document["targets"]:
        verdict = "met" if one["met"] else "NOT MET"
        said.append(f"target {one['what']}: at {one['at']} {one['target']:g}, reached {one['reached']:.3g}: {verdict}")
    return said


def gate_text(gate: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Who came to the plain contender's loss, and how near."""
    lines = []
    for one in gate if isinstance(gate, list) else [gate]:
        others = [row for row in one["contenders"] if row["name"] != one["reference"]]
        told = ", ".join(
            f"{row['name']} {'passed' if row['passed'] else 'FAILED'} at {row['difference_of_allowed']:.2g}"
            for row in others
        )
        lines.append(f"equal-loss gate, in allowed differences from {one['reference']}: {told}")
    return "\n".join(lines)


RATES = {"runs_per_s": "networks/s", "tokens_per_s": "tokens/s"}


def contender_table(document: dict[str, Any]) -> Table:
    """One line per contender; the load at the start stands beside its ratio."""
    from analysis.screens.load import load_text

    rows = document["contenders"]
    rate = next(name for name in RATES if name in rows[0])
    with_flops = "flops_per_s" in rows[0]
    names = (
        "",
        "threads",
        RATES[rate],
        "min…max",
        "× plain",
        "load",
        *(("GFLOP/s", "of matmul") if with_flops else ()),
    )
    table = Table(*(Column(name, no_wrap=True) for name in names), box=None)
    for row in rows:
        found = row[rate]
        table.add_row(
            row["title"],
            str(row["threads"]),
            f"{found['median']:,.3g}",
            f"{found['min']:.3g}…{found['max']:.3g}",
            f"{row['ratio_to_plain']['median']:.3g}",
            load_text(row["load_before"]),
            *(_work_of(row) if with_flops else ()),
        )
    return table


def _work_of(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['flops_per_s']['median'] / 1e9:.3g}", f"{row['share_of_matmul']['median']:.1%}"


def growth_table(rows: list[dict[str, Any]]) -> Table:
    """Milliseconds per run as members grow."""
    ways = list(rows[0]["seconds_per_run"])
    table = Table("members", *(f"{way}, ms per run" for way in ways), box=None)
    for row in rows:
        table.add_row(str(row["members"]), *(f"{row['seconds_per_run'][way]['median'] * 1e3:.3g}" for way in ways))
    return table


def ladder_table(rows: list[dict[str, Any]]) -> Table:
    """Runs per second of real plans."""
    table = Table("task", "kind", "rung", "runs/s", "min…max", "GFLOP/s", box=None)
    for row in rows:
        rate, work = row["runs_per_s"], row["training_flops_per_s"]
        table.add_row(
            row["task"],
            row["kind"],
            str(row["rung"]),
            f"{rate['median']:.3g}",
            f"{rate['min']:.3g}…{rate['max']:.3g}",
            f"{work['median'] / 1e9:.3g}",
        )
    return table
