"""`ventures`: the command line. Heavy libraries are imported by the commands that need them."""

import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from analysis.cli import base_rates as cli_base_rates
from analysis.cli import bench as cli_bench
from analysis.cli import explain as cli_explain
from analysis.cli import ledger as cli_ledger
from analysis.cli import train as cli_train
from analysis.cli.options import (
    AsJson,
    Device,
    Jobs,
    LedgerFile,
    Out,
    Output,
    Replications,
    Retrain,
    Seed,
    interruptible,
    options_for,
    show_results,
)
from analysis.errors import AnalysisError
from analysis.play.options import Settings

BASE_WORLD = "markets/base"
EXPECTED = (  # errors told in one line: module, name, exit code; not imported only to be caught
    ("scenarios", "ScenarioError", 2),
    ("simulation.training.ledger.ledger", "LedgerError", 2),
    ("simulation.training.device", "DeviceError", 2),
)

app = typer.Typer(
    help="A laboratory of large-model entrepreneurship: firms decide, a market answers, networks are really trained.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_ledger.app, name="ledger")
app.add_typer(cli_bench.app, name="bench")
app.command()(cli_train.train)
app.command()(cli_base_rates.validate_world)
app.command()(cli_base_rates.calibrate)
app.command()(cli_explain.explain)


def print_version(wanted: bool) -> None:
    """Print the version and leave, where that was asked for."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ventures {version('model-ventures')}")
        raise typer.Exit


@app.callback()
def ventures(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """A laboratory of large-model entrepreneurship: firms decide, a market answers, networks are really trained."""


@app.command()
def cases(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Case ids or names; none: all.")
    ] = None,
    replications: Replications = Settings.replications,
    seed: Seed = Settings.seed,
    jobs: Jobs = None,
    device: Device = Settings.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    shapley: Annotated[
        bool, typer.Option("--shapley", help="Share the match out among the causes: every subset is played.")
    ] = False,
    placebo: Annotated[
        bool, typer.Option("--placebo", help="Judge other firms by each chapter too: would any firm do?")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play the case chapters, each with and without every cause that it names."""
    output = Output(as_json)
    label = names[0] if names and len(names) == 1 else "cases"
    options = options_for(
        label, out, replications=replications, seed=seed, jobs=jobs, device=device, ledger=ledger, retrain=retrain
    )
    from analysis.cases import study as case_studies

    with interruptible():
        result = case_studies.study(names or (), shapley=shapley, placebo=placebo, **options)
    from analysis.plots import plot_study
    from analysis.screens.cases import study_screen

    show_results(output, result.cases.run, study_screen(result), lambda: plot_study(result))
    output.document(case_studies.as_document(result))


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario or a YAML file.")],
    replications: Replications = Settings.replications,
    seed: Seed = Settings.seed,
    jobs: Jobs = None,
    device: Device = Settings.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    as_json: AsJson = False,
) -> None:
    """Play one scenario with many seeds."""
    output = Output(as_json)
    options = options_for(
        scenario, out, replications=replications, seed=seed, jobs=jobs, device=device, ledger=ledger, retrain=retrain
    )
    from analysis.play.experiment import run as play_scenario

    with interruptible():
        played = play_scenario(scenario, **options)
    from analysis.overview import as_document, overview
    from analysis.plots import plot_run
    from analysis.screens.experiments import overview_screen

    found = overview(played)
    show_results(output, played, overview_screen(found), lambda: plot_run(played))
    output.document(as_document(played, found))


@app.command()
def compare(
    base: Annotated[str, typer.Argument(help="A shipped scenario or a YAML file.")],
    more: Annotated[list[str] | None, typer.Argument(metavar="[WHATIF]...", help="More what-ifs.")] = None,
    whatif: Annotated[list[str] | None, typer.Option("--with", "-w", help="A what-if; may be repeated.")] = None,
    replications: Replications = Settings.replications,
    seed: Seed = Settings.seed,
    jobs: Jobs = None,
    device: Device = Settings.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    as_json: AsJson = False,
) -> None:
    """Play a scenario and what-ifs on it in the same seeds: ventures compare BASE --with WHATIF [WHATIF]..."""
    output = Output(as_json)
    options = options_for(
        f"compare-{base}",
        out,
        replications=replications,
        seed=seed,
        jobs=jobs,
        device=device,
        ledger=ledger,
        retrain=retrain,
    )
    from analysis import comparison

    with interruptible():
        result = comparison.compare(base, [*(whatif or ()), *(more or ())], **options)
    from analysis.plots import plot_comparison
    from analysis.screens.experiments import comparison_screen

    show_results(output, result.run, comparison_screen(result), lambda: plot_comparison(result))
    output.document(comparison.as_document(result))


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files of scenarios or what-ifs.")],
) -> None:
    """Check scenario files without playing them; leaves with 2 where one is bad."""
    from scenarios import ScenarioError

    n_bad = 0
    for file in files:
        try:
            typer.echo(f"OK {file}: {title_of(file)}")
        except ScenarioError as error:
            n_bad += 1
            typer.echo(one_line(str(error) if file in str(error) else f"{file}: {error}"), err=True)
    if n_bad:
        raise typer.Exit(2)


def title_of(file: str) -> str:
    """The title of a valid scenario or what-if; a what-if is tried on the base world."""
    from scenarios import ScenarioError, load, load_whatif

    try:
        return load(file).title
    except ScenarioError as error:
        if error.key != "whatif":
            raise
    return load_whatif(file, load(BASE_WORLD)).title


@app.command()
def scenarios(as_json: AsJson = False) -> None:
    """List the shipped scenarios."""
    from scenarios import catalogue

    entries = list(catalogue())
    Output(as_json).document(
        {"scenarios": [{"name": e.name, "title": e.title, "group": e.group, "id": e.id} for e in entries]}
    )
    if as_json:
        return
    table = Table("name", "id", "title", box=None, pad_edge=False, header_style="dim")
    for entry in entries:
        table.add_row(entry.name, entry.id or "", entry.title)
    Console(highlight=False).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; a request to end (`kill`, a scheduler) is like Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    raise SystemExit(run_command(arguments))


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command; expected errors become one line on standard error and an exit code."""
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="ventures", standalone_mode=False)
    except Exception as error:
        code = exit_code_of(error)
        if code is None:
            raise
        typer.echo(f"ventures: {one_line(message_of(error))}", err=True)
    return code if isinstance(code, int) else 0


def exit_code_of(error: Exception) -> int | None:
    """The exit code of an expected error; None where it is a fault of the program."""
    if isinstance(error, AnalysisError):
        return error.exit_code
    if hasattr(error, "format_message"):  # a usage error; its class moved between releases of typer
        return int(getattr(error, "exit_code", 2))
    for module, name, code in EXPECTED:
        known = getattr(sys.modules.get(module), name, None)
        if known is not None and isinstance(error, known):
            return code
    return 1 if isinstance(error, OSError) else None


def message_of(error: Any) -> str:
    """What the error has to say."""
    return error.format_message() if hasattr(error, "format_message") else str(error)


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())
