"""`ventures`: the command line. Heavy libraries are imported by the commands that need them."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from analysis.cli import base_rates as cli_base_rates
from analysis.cli import bench as cli_bench
from analysis.cli import explain as cli_explain
from analysis.cli import facts as cli_facts
from analysis.cli import ledger as cli_ledger
from analysis.cli import train as cli_train
from analysis.cli.options import (
    INTERRUPTED,
    AsJson,
    Device,
    Jobs,
    LedgerFile,
    Out,
    Output,
    Over,
    Plugins,
    Replications,
    Retrain,
    Seed,
    Yes,
    interruptible,
    options_for,
    show_results,
)
from analysis.errors import AnalysisError
from analysis.play.interrupts import end_on_request, end_undisturbed
from analysis.play.options import PlayOptions
from analysis.terminal.console import PlainConsole, say_error
from analysis.terminal.notices import speak_plainly
from analysis.terminal.streams import failure_of, open_streams

if TYPE_CHECKING:
    from scenarios import Scenario

BASE_WORLD = "markets/base"
EXPECTED = (  # errors told in one line: module, name, exit code unless they have their own; not imported to be caught
    ("scenarios.strict_yaml.errors", "ScenarioError", 2),
    ("simulation.training.ledger.errors", "LedgerError", 2),
    ("simulation.training.device", "DeviceError", 2),
)


class Commands(TyperGroup):
    """All commands; Ctrl-C that none of them has told of is told here, for typer would leave without a word."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            say_error("ventures: interrupted; what was finished is kept")
            raise typer.Exit(INTERRUPTED) from stop


app = typer.Typer(
    cls=Commands,
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
app.command()(cli_facts.facts)


def print_version(wanted: bool) -> None:
    """Print the version and leave, where that was asked for."""
    if wanted:
        from importlib.metadata import version

        PlainConsole().print(f"ventures {version('model-ventures')}")
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
    replications: Replications = PlayOptions.replications,
    seed: Seed = PlayOptions.seed,
    jobs: Jobs = None,
    device: Device = PlayOptions.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    yes: Yes = False,
    plugin: Plugins = None,
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
        label,
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
    replications: Replications = PlayOptions.replications,
    seed: Seed = PlayOptions.seed,
    jobs: Jobs = None,
    device: Device = PlayOptions.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    yes: Yes = False,
    plugin: Plugins = None,
    over: Over = None,
    as_json: AsJson = False,
) -> None:
    """Play one scenario with many seeds."""
    output = Output(as_json)
    options = options_for(
        scenario,
        out,
        replications=replications,
        seed=seed,
        jobs=jobs,
        device=device,
        ledger=ledger,
        retrain=retrain,
        yes=yes,
        plugins=plugin or (),
        over=over,
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
    replications: Replications = PlayOptions.replications,
    seed: Seed = PlayOptions.seed,
    jobs: Jobs = None,
    device: Device = PlayOptions.device,
    out: Out = None,
    ledger: LedgerFile = None,
    retrain: Retrain = False,
    yes: Yes = False,
    plugin: Plugins = None,
    over: Over = None,
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
        yes=yes,
        plugins=plugin or (),
        over=over,
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
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="SCENARIO",
            help="Check them as what-ifs on it, as compare plays them. Default: markets/base.",
        ),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Check scenario files without playing them; leaves with 2 where one is bad."""
    from scenarios import ScenarioError, load

    del plugin  # loaded when it was read: the files may name it
    base = None if on is None else load(on)
    n_bad, output = 0, Output(as_json=False)
    for file in files:
        try:
            output.say(f"OK {file}: {title_of(file, base)}")
        except ScenarioError as error:
            n_bad += 1
            say_error(str(error) if file in str(error) else f"{file}: {error}")
    if n_bad:
        raise typer.Exit(2)


def title_of(file: str, base: "Scenario | None") -> str:
    """The title of a valid scenario, or of a what-if (or another arm) on the base; None: a what-if on `BASE_WORLD`."""
    from scenarios import ScenarioError, load, load_whatif

    if base is not None:
        return load_whatif(file, base).title
    try:
        return load(file).title
    except ScenarioError as error:
        if error.key != "whatif":
            raise
    try:
        return load_whatif(file, load(BASE_WORLD)).title
    except ScenarioError as error:
        if not error.problems[0].by:  # the file itself is wrong, whatever it is laid over
            raise
        hint = f"{error.problems[0].says}; that was on {BASE_WORLD}, another scenario is named by --on"
        raise ScenarioError([replace(error.problems[0], says=hint), *error.problems[1:]]) from None


@app.command()
def scenarios(as_json: AsJson = False) -> None:
    """List the shipped scenarios."""
    from scenarios import catalogue

    entries, output = list(catalogue()), Output(as_json)
    output.document({"scenarios": [{"name": e.name, "title": e.title, "group": e.group, "id": e.id} for e in entries]})
    if as_json:
        return
    table = Table("name", "id", "title", box=None, pad_edge=False, header_style="dim")
    for entry in entries:
        table.add_row(entry.name, entry.id or "", entry.title)
    output.say(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; every request to end is like Ctrl-C."""
    open_streams()
    speak_plainly()
    end_on_request()
    code = run_command(arguments)
    end_undisturbed()
    if (workers := sys.modules.get("analysis.play.workers")) is not None:
        workers.end_workers()
    if (failure := failure_of(sys.stdout)) is not None:
        say_error(f"ventures: standard output: {failure.strerror or failure}")
        code = code or 1
    raise SystemExit(code)


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command; expected errors become one line on standard error and an exit code."""
    try:
        code = app(args=None if arguments is None else list(arguments), prog_name="ventures", standalone_mode=False)
    except typer.Abort:
        say_error("ventures: interrupted")
        return INTERRUPTED
    except Exception as error:
        code = exit_code_of(error)
        if code is None:
            raise
        say_error(f"ventures: {message_of(error)}")
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
            return int(getattr(error, "exit_code", code))
    return 1 if isinstance(error, OSError) else None


def message_of(error: Any) -> str:
    """What the error has to say; of an error of the system the file first, as in every other line."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return error.format_message() if hasattr(error, "format_message") else str(error)
