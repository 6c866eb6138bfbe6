"""`ventures validate-world` and `ventures calibrate`: base rates beside a world, and a world brought nearer to them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli.options import (
    INTERRUPTED,
    AsJson,
    Device,
    Jobs,
    LedgerFile,
    Out,
    Output,
    Plugins,
    Replications,
    Retrain,
    Seed,
    Yes,
    interruptible,
    options_for,
    path_option,
    show_results,
)
from analysis.errors import AnalysisError
from analysis.play.options import PlayOptions
from analysis.runs.names import short_name
from analysis.terminal.console import say_error

if TYPE_CHECKING:
    from analysis.calibration.search import Trial

BASE_WORLD = "markets/base"
SCENARIO = typer.Argument(help="A shipped scenario or a YAML file.")
Targets = Annotated[Path | None, path_option("--targets", help="YAML file of targets. Default: the shipped ones.")]


def validate_world(
    scenario: Annotated[str, SCENARIO] = BASE_WORLD,
    targets: Targets = None,
    replications: Replications = PlayOptions.replications,
    seed: Seed = PlayOptions.seed,
    jobs: Jobs = None,
    device: Device = PlayOptions.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    yes: Yes = False,
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """Play a scenario and compare its startups with base rates: survival, rounds, waits, margins, churn."""
    output = Output(as_json)
    name = f"validate-{scenario}"
    options = options_for(
        name,
        out,
        replications=replications,
        seed=seed,
        jobs=jobs,
        device=device,
        ledger=ledger,
        retrain=retrain,
        yes=yes,
        plugins=plugin or (),
    )
    from analysis.base_rates import judge as base_rates

    with interruptible():
        result = base_rates.validate_world(scenario, targets, **options)
    from analysis.screens.base_rates import base_rates_screen

    show_results(output, result.run, base_rates_screen(result), lambda: [plot_rates(result)])
    output.document(base_rates.as_document(result))


def plot_rates(result: Any) -> Path:
    """The plot of `validate-world` in its run folder."""
    from analysis.plots.base_rates import plot_base_rates
    from analysis.runs.run import PLOTS

    title = f"Base rates of {result.run.manifest['name']}: {len(result.run.seeds)} seeds, 95 % intervals"
    return plot_base_rates(result.rates, title, result.run.folder / PLOTS / "base-rates.png")


def calibrate(
    scenario: Annotated[str, SCENARIO] = BASE_WORLD,
    trials: Annotated[int, typer.Option("--trials", help="Finished trials wanted in all; 0: only report.")] = 50,
    seeds: Annotated[int, typer.Option("--seeds", help="Worlds played in each trial.")] = 4,
    study: Annotated[
        Path | None,
        path_option("--study", help="SQLite file of the trials, gone on with. Default: runs/calibrate-NAME.sqlite"),
    ] = None,
    parameters: Annotated[
        Path | None, path_option("--parameters", help="YAML file of what may change. Default: the shipped one.")
    ] = None,
    targets: Targets = None,
    screen: Annotated[
        int,
        typer.Option(
            "--screen", metavar="WALKS", help="Ask which parameters matter: so many walks move each of them once."
        ),
    ] = 0,
    seed: Seed = PlayOptions.seed,
    search_seed: Annotated[int, typer.Option("--search-seed", help="Seed of the search itself.")] = 0,
    device: Device = PlayOptions.device,
    ledger: LedgerFile = None,
    yes: Yes = False,
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """Search the uncertain parameters of a scenario for those nearest to base rates."""
    check_counts(trials, seeds, search_seed, screen)
    file = study or default_study(scenario, "screen" if screen else "calibrate")
    if trials == 0 and not file.exists():
        raise AnalysisError(f"there is no study at {file} to report on; ask for --trials")
    output = Output(as_json)
    settings = PlayOptions(
        replications=seeds, seed=seed, jobs=1, device=device, ledger=ledger, yes=yes, plugins=plugin or ()
    )
    from analysis.calibration import run as calibration_run

    try:
        report, folder = calibration_run.calibrate(
            scenario, file, trials, settings, parameters, targets, search_seed, teller(), trajectories=screen
        )
    except KeyboardInterrupt as stop:
        say_error(str(stop) or "interrupted")
        raise typer.Exit(INTERRUPTED) from stop
    show_calibration(output, report, file, folder)


def check_counts(trials: int, seeds: int, search_seed: int, screen: int = 0) -> None:
    """Counts that make no sense are refused before anything is loaded."""
    for name, value, least in (
        ("trials", trials, 0),
        ("seeds", seeds, 1),
        ("search-seed", search_seed, 0),
        ("screen", screen, 0),
    ):
        if value < least:
            raise AnalysisError(f"--{name} must be {'at least 1' if least else '0 or more'}, not {value}")


def default_study(scenario: str, what: str = "calibrate") -> Path:
    """Where the trials of a scenario are kept if nothing else is said."""
    return Path("runs") / f"{what}-{short_name(scenario)}.sqlite"


def teller() -> Callable[["Trial"], None]:
    """Tells each trial in one line on standard error."""

    def tell(trial: "Trial") -> None:
        say_error(
            f"trial {trial.index}: loss {trial.loss:.3f}, {trial.seconds:.1f} s, {trial.trained:,} networks trained, "
            f"{trial.from_ledger:,} from the ledger"
        )

    return tell


def show_calibration(output: Output, report: Any, file: Path, folder: Path) -> None:
    """Screen, files, document."""
    from analysis.calibration.report import PLOT, SCENARIO, SETS, WHATIF, as_document
    from analysis.screens.base_rates import calibration_screen

    output.say(calibration_screen(report))
    if report.effects is not None:
        output.say(f"\nresults: {folder}   study: {file}")
    elif report.trials:
        from analysis.plots.base_rates import plot_losses

        title = f"Calibration of {report.scenario}: {len(report.trials)} trials with {report.n_seeds} seeds each"
        plot = plot_losses([trial.loss for trial in report.trials], title, folder / PLOT)
        output.say(f"\nresults: {folder}   study: {file}\n   plot: {plot}")
        if len(report.fitting) > 1:
            output.say(f"{len(report.fitting)} trials fit: --over {folder / SETS}")
        output.say(f"best parameters: ventures run {folder / SCENARIO}, or")
        output.say(f"   ventures compare {report.scenario} --with {folder / WHATIF}")
    output.document({**as_document(report), "study": str(file), "out": str(folder)})
