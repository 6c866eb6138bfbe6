"""`ventures train`: one plan, or a grid of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli.options import (
    AsJson,
    Device,
    Jobs,
    LedgerFile,
    Out,
    Output,
    Plugins,
    Retrain,
    Yes,
    interruptible,
    options_for,
)
from analysis.errors import AnalysisError
from analysis.play.options import PlayOptions
from analysis.runs.names import user_path
from analysis.terminal.console import busy, say_error

if TYPE_CHECKING:
    from simulation.training.plan import TrainingPlan

GRIDS = ("scaling", "default", "transfer", "pool")
SCALING_SEEDS = 8
TRANSFER_SEEDS = 2
LEVERS = (
    *("rung", "rows", "seed", "label_noise", "coverage", "minority_share", "anonymisation", "compression"),
    *("minimisation", "dp_noise", "pretraining_rows", "optimizer", "activation", "learning_rate", "schedule"),
    *("augmentation", "weight_decay", "year", "foundation"),
)
"""Options that are fields of a plan or of its recipe."""


@dataclass(frozen=True)
class Request:
    """What was asked for: options that were given, by field of a plan; how to train; where results go."""

    values: dict[str, Any]
    tasks: list[str]
    kinds: list[str]
    n_seeds: int | None
    options: dict[str, Any]
    out: Path | None
    output: Output
    quick: bool = False
    scenario: str | None = None
    pool: int | None = None
    limit: int | None = None

    def settings(self) -> PlayOptions:
        """How the plans are trained."""
        return PlayOptions(**self.options, progress=True)


def lever(text: str) -> Any:
    """An option of a plan; not given, the plan's own default stands."""
    return typer.Option(help=text, show_default=False)


def train(
    more: Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="Tasks, like --task.")] = None,
    task: Annotated[list[str] | None, lever("Task; with --grid scaling several. Default: security-vision.")] = None,
    kind: Annotated[list[str] | None, lever("Kind of network; several with --grid scaling. Default: cnn.")] = None,
    rung: Annotated[int | None, lever("Rung of the ladder: 0 to 5, of sectors' tasks to 8. Default: 3.")] = None,
    rows: Annotated[int | None, lever("Training rows, 64 to 8192, of documents to 65536. Default: 1024.")] = None,
    seed: Annotated[int | None, lever("Seed, or the first of --seeds. Default: 0.")] = None,
    seeds: Annotated[
        int | None, lever("Number of seeds. Default: 1; of grids: scaling 8, transfer 2, default 32, pool 8.")
    ] = None,
    label_noise: Annotated[float | None, lever("Share of labels replaced by a random class.")] = None,
    coverage: Annotated[float | None, lever("Share of training rows from field conditions.")] = None,
    minority_share: Annotated[float | None, lever("Share of training rows from the minority.")] = None,
    anonymisation: Annotated[float | None, lever("Noise added to training inputs, in standard deviations.")] = None,
    compression: Annotated[str | None, lever("none, int8, pruned or distilled.")] = None,
    minimisation: Annotated[float | None, lever("Share of the inputs that are not collected, 0 to 0.9.")] = None,
    dp_noise: Annotated[float | None, lever("Noise multiplier of DP-SGD; 0: without.")] = None,
    pretraining_rows: Annotated[int | None, lever("Rows of each other sector to pretrain on; 0: none.")] = None,
    optimizer: Annotated[str | None, lever("sgd, momentum or adam.")] = None,
    activation: Annotated[str | None, lever("sigmoid, tanh or relu.")] = None,
    learning_rate: Annotated[float | None, lever("Step size before the schedule.")] = None,
    schedule: Annotated[str | None, lever("constant, cosine, step or warmup.")] = None,
    augmentation: Annotated[bool | None, lever("Whether minibatches are augmented.")] = None,
    weight_decay: Annotated[float | None, lever("Decoupled weight decay.")] = None,
    year: Annotated[int | None, lever("Year of the language of documents. Default: 2020.")] = None,
    foundation: Annotated[str | None, lever("Rung of the foundation adapted, as F2 or gpu/F7. Default: F3.")] = None,
    grid: Annotated[
        str | None, lever("scaling, transfer, default, pool, or a YAML file of lists over fields of a plan.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="--grid transfer, tiny: only to see that it runs.")] = False,
    scenario: Annotated[str | None, lever("--grid pool: whose worlds to train for. Default: markets/base.")] = None,
    pool: Annotated[int | None, lever("--grid pool: size of the pool. Default: the scenario's own.")] = None,
    limit: Annotated[int | None, lever("--grid pool: plans wanted, most useful first. Default: 10000.")] = None,
    jobs: Jobs = None,
    device: Device = PlayOptions.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    yes: Yes = False,
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """Train one plan and print every measure, or a grid of plans: the scaling laws, or all that the cases need.

    --grid pool plays --seeds worlds of --scenario and fills the ledger with what further worlds of it will need.
    """
    asked = dict(locals())  # the first statement: options alone are local here
    request = Request(
        values={name: asked[name] for name in LEVERS if asked[name] is not None},
        tasks=[*(task or ()), *(more or ())],
        kinds=list(kind or ()),
        n_seeds=seeds,
        options={
            "jobs": jobs,
            "device": device,
            "ledger": ledger,
            "retrain": retrain,
            "yes": yes,
            "plugins": plugin or (),
        },
        out=out,
        output=Output(as_json),
        quick=quick,
        scenario=scenario,
        pool=pool,
        limit=limit,
    )
    if quick and grid != "transfer":
        raise AnalysisError("--quick goes with --grid transfer")
    for name in ("scenario", "pool", "limit"):
        if asked[name] is not None and grid != "pool":
            raise AnalysisError(f"--{name} goes with --grid pool")
    with interruptible():
        command_for(grid)(request)


def command_for(grid: str | None) -> Any:
    """What carries a request out."""
    if grid is None:
        return train_plan
    if grid in GRIDS:
        return {"scaling": train_scaling, "default": train_default, "transfer": train_transfer, "pool": train_pool}[
            grid
        ]
    if Path(grid).suffix in (".yaml", ".yml"):
        return lambda request: train_file(request, user_path(grid))
    from scenarios.strict_yaml.errors import did_you_mean

    raise AnalysisError(
        f"--grid must be {', '.join(GRIDS)} or a YAML file, not {grid!r}; {did_you_mean(grid, GRIDS)}".rstrip("; ")
    )


def train_plan(request: Request) -> None:
    """One plan with its seeds."""
    from analysis.training.plans import with_seeds

    if request.out is not None:
        raise AnalysisError("--out goes with --grid; the measures of one plan are printed (--json) and in the ledger")
    plans = with_seeds(values_of_one(request), 1 if request.n_seeds is None else request.n_seeds)
    from analysis.screens.training import plan_document, plan_screen
    from analysis.training.grids import train_plans

    trained = train_plans(plans, request.settings())
    request.output.say(plan_screen(trained))
    request.output.document(plan_document(trained))


def train_scaling(request: Request) -> None:
    """The scaling grid: runs, fits, plots."""
    from analysis.screens.training import scaling_screen
    from analysis.training.files import open_folder, write_studies
    from analysis.training.grids import scaling_plans, train_plans
    from analysis.training.study import study_all
    from simulation.training.plan import SECTOR_TASKS

    refuse(request, ("rung", "rows"), "does not go with --grid scaling, which varies it")
    n_seeds = SCALING_SEEDS if request.n_seeds is None else request.n_seeds
    plans = scaling_plans(request.tasks or SECTOR_TASKS, request.kinds or ["cnn"], request.values, n_seeds)
    out, identity = folder_of("scaling", request), identity_of("scaling", plans)
    open_folder(out, identity)
    trained = train_plans(plans, request.settings())
    with busy("fitting"):
        studies = study_all(trained.table(), request.settings().n_jobs)
    document = write_studies(out, identity, trained, studies)
    request.output.say(scaling_screen(studies, trained))
    with busy("drawing plots"):
        from analysis.plots.scaling import plot_studies

        plots = plot_studies(studies, out / "plots")
    request.output.say(f"results: {out}")
    for path in plots:
        request.output.say(f"   plot: {path}")
    request.output.document({**document, "out": str(out)})


def train_transfer(request: Request) -> None:
    """The transfer grid: foundations, adaptations, networks from scratch; what labelled rows are worth on each."""
    from analysis.plots.transfer import plot_transfer
    from analysis.screens.transfer import transfer_screen
    from analysis.training.files import open_folder, write_transfer
    from analysis.training.grids import train_foundations, train_plans
    from analysis.training.transfer import grid
    from analysis.training.transfer.study import study

    names = [name for name in request.values if name not in ("seed", "foundation")]
    refuse(request, [*names, *(["kind"] if request.kinds else [])], "does not go with --grid transfer, which varies it")
    size = grid.size_of(request.tasks, request.values, request.n_seeds or TRANSFER_SEEDS, request.quick)
    cells = grid.cells_of(size)
    plans = list({cell.plan.key(): cell.plan for cell in cells}.values())
    out, identity = (
        folder_of("transfer-quick" if request.quick else "transfer", request),
        identity_of("transfer", plans),
    )
    open_folder(out, identity)
    rungs = grid.rungs_of(size)
    others = [text for text in grid.texts_of(cells) if text not in rungs.values()]
    results = train_foundations([*rungs.values(), *others], request.settings())
    trained = train_plans(plans, request.settings())
    by_key = {result.key: result for result in trained.results}
    found = study(size, cells, by_key, dict(zip(rungs, results, strict=False)))
    document = write_transfer(out, identity, trained, found, request.quick)
    request.output.say(transfer_screen(found, trained))
    with busy("drawing plots"):
        plot = plot_transfer(found, out / "plots" / "transfer.png")
    request.output.say(f"results: {out}\n   plot: {plot}")
    request.output.document({**document, "out": str(out)})


def train_file(request: Request, file: Path) -> None:
    """Every combination of the lists of a file."""
    plans = plans_of_file(request, file)
    from analysis.screens.training import grid_screen
    from analysis.training.files import open_folder, write_grid
    from analysis.training.grids import train_plans

    out, identity = folder_of(file.stem, request), identity_of(file.stem, plans)
    open_folder(out, identity)
    trained = train_plans(plans, request.settings())
    document = write_grid(out, identity, trained, {})
    request.output.say(grid_screen(trained))
    request.output.say(f"results: {out}")
    request.output.document({**document, "out": str(out)})


def plans_of_file(request: Request, file: Path) -> list["TrainingPlan"]:
    """The plans of a grid file, with what the options say of them all."""
    from analysis.training.plans import product_of, read_grid

    lists = read_grid(file)
    given = {*request.values, *(name for name in ("task", "kind") if getattr(request, f"{name}s"))}
    for name in lists:
        if name in given:
            raise AnalysisError(f"--{name.replace('_', '-')} stands in {file} too; say it once")
    values = values_of_one(request)
    try:
        return product_of(lists, values, 1 if request.n_seeds is None else request.n_seeds)
    except AnalysisError as error:
        raise AnalysisError(f"{file}: {error}") from error


def train_default(request: Request) -> None:
    """Everything that the shipped cases need with their default seeds."""
    names = [name for name in request.values if name != "seed"]
    names += [name for name in ("task", "kind") if getattr(request, f"{name}s")]
    refuse(request, names, "does not go with --grid default, which trains what the shipped cases ask for")
    options = options_for(
        "default",
        request.out,
        replications=PlayOptions.replications if request.n_seeds is None else request.n_seeds,
        seed=request.values.get("seed", PlayOptions.seed),
        **request.options,
    )
    if request.out is None:
        options["out"] = None  # the worlds are not wanted, only the networks
    from analysis.cases import assess

    run = assess.cases((), **options).run
    ledger = run.manifest["ledger"]
    carry = [f"ventures ledger export ventures.parquet --ledger {ledger}", "ventures ledger import ventures.parquet"]
    cost = run.training_cost
    request.output.say(
        f"{cost['runs']:,} networks trained live on {cost['device']}, {cost['from_ledger']:,} results from the ledger "
        f"{ledger}; {run.manifest['seconds']:.1f} s\n"
        f"To carry them, here:   {carry[0]}\non another machine:    {carry[1]}\nthen `ventures cases` trains nothing."
    )
    request.output.document({"grid": "default", "seeds": run.seeds, "training": cost, "ledger": ledger, "carry": carry})


def train_pool(request: Request) -> None:
    """What further worlds of a scenario with a pool will need most."""
    names = [name for name in request.values if name != "seed"]
    names += [name for name in ("task", "kind") if getattr(request, f"{name}s")]
    refuse(request, names, "does not go with --grid pool, which trains what worlds of the scenario ask for")
    if request.out is not None:
        raise AnalysisError("--out does not go with --grid pool: what it makes is the ledger")
    from analysis.play.experiment import loaded
    from analysis.screens.pool import filled_screen
    from analysis.training.pool.fill import USUAL_LIMIT, USUAL_SEEDS, as_document, fill
    from analysis.training.pool.orders import pooled

    limit = USUAL_LIMIT if request.limit is None else request.limit
    if limit < 1:
        raise AnalysisError(f"--limit must be at least 1, not {limit}")
    settings = PlayOptions(
        replications=USUAL_SEEDS if request.n_seeds is None else request.n_seeds,
        seed=request.values.get("seed", PlayOptions.seed),
        **request.options,
        progress=True,
    )
    scenario = pooled(loaded("markets/base" if request.scenario is None else request.scenario, settings), request.pool)
    filled = fill(scenario, settings, limit, say_error)
    request.output.say(filled_screen(filled, settings.ledger_path))
    request.output.document({**as_document(filled), "ledger": str(settings.ledger_path)})


def values_of_one(request: Request) -> dict[str, Any]:
    """The values of the one plan that was asked for."""
    values = dict(request.values)
    for name, given in (("task", request.tasks), ("kind", request.kinds)):
        if len(given) > 1:
            raise AnalysisError(f"--{name}: one plan has one {name}, not {', '.join(given)}; several go with --grid")
        if given:
            values[name] = given[0]
    return values


def refuse(request: Request, names: Any, why: str) -> None:
    """No option is ignored in silence."""
    for name in names:
        if name in request.values or name in ("task", "kind"):
            raise AnalysisError(f"--{name.replace('_', '-')} {why}")


def folder_of(name: str, request: Request) -> Path:
    """The folder asked for, or the default one; checks the other options on the way."""
    return PlayOptions.of(options_for(name, request.out, **request.options)).open_out()[0]


def identity_of(name: str, plans: Any) -> dict[str, Any]:
    """What tells one grid from another."""
    import hashlib

    keys = ",".join(sorted(plan.key() for plan in plans))
    return {"name": name, "plans": len(plans), "fingerprint": hashlib.sha256(keys.encode()).hexdigest()[:16]}
