"""Options that several commands share, and where their output goes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.documents import json_text
from analysis.errors import TrainingInterrupted
from analysis.play.interrupted import Interrupted
from analysis.play.options import NewFolder, PlayArguments, PlayOptions
from analysis.play.plugins import load_plugins
from analysis.runs.names import short_name, user_path
from analysis.terminal.console import PlainConsole, busy, say_error

if TYPE_CHECKING:
    from analysis.runs.run import Run

INTERRUPTED = 130  # what shells expect after Ctrl-C


def path_option(*names: str, **rest: Any) -> Any:
    """An option that is a path."""
    return typer.Option(*names, parser=user_path, metavar="PATH", **rest)


def path_argument(metavar: str, about: str) -> Any:
    """An argument that is a path."""
    return typer.Argument(parser=user_path, metavar=metavar, help=about)


Replications = Annotated[int, typer.Option("--replications", "-n", help="Number of seeds.")]
Seed = Annotated[int, typer.Option("--seed", "-s", help="The first seed.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", help="Worker processes; one per core if not given.")]
Device = Annotated[str, typer.Option("--device", help="What trains: auto, cpu, cuda or mps.")]
Out = Annotated[
    Path | None,
    path_option("--out", "-o", help="Run folder; one that was interrupted is gone on with. Default: runs/NAME-TIME."),
]
LedgerFile = Annotated[
    Path | None,
    path_option("--ledger", envvar="VENTURES_LEDGER", help="Training ledger. Default: one in the user's cache."),
]
Retrain = Annotated[bool, typer.Option("--retrain", help="Train every plan again, whatever the ledger holds.")]
Yes = Annotated[bool, typer.Option("--yes", help="Play it however large it is; without, much is asked for twice.")]
Plugins = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py|MODULE|NAME",
        help="A plug-in that acts in every world; may be repeated.",
        callback=lambda wanted: list(load_plugins(wanted or ())),
    ),
]
Over = Annotated[
    str | None,
    typer.Option(
        "--over",
        metavar="uncertainty|FILE",
        help="Give every seed one of several sets of uncertain values: those shipped for the scenario, or a file's.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]


class Output:
    """Results on standard output, talk beside them; with `--json` standard output holds the document alone."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.talk = PlainConsole(stderr=as_json)

    def say(self, text: Any) -> None:
        """Tell a person something."""
        self.talk.print(text, soft_wrap=isinstance(text, str))

    def document(self, content: dict[str, Any]) -> None:
        """Print the JSON document, where one was asked for."""
        if self.as_json:
            sys.stdout.write(json_text(content, sys.stdout.encoding) + "\n")


def options_for(name: str, out: Path | None, **rest: Any) -> PlayArguments:
    """Options for the Python functions, checked before anything is loaded; with the default run folder."""
    if out is None:
        chosen: Path | NewFolder = NewFolder(Path("runs") / f"{short_name(name)}-{datetime.now():%Y%m%d-%H%M%S}")
    else:
        chosen = out
    options: PlayArguments = {"out": chosen, "progress": True, **rest}  # type: ignore[typeddict-item]
    PlayOptions.of(options)
    return options


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C while worlds are played or networks trained: say in one line what is usable, leave with 130."""
    try:
        yield
    except (Interrupted, TrainingInterrupted) as stop:
        say_error(str(stop))
        raise typer.Exit(INTERRUPTED) from stop


def show_results(output: Output, run: "Run", screen: Any, plot: Callable[[], list[Path]]) -> None:
    """Show the tables at once, then draw the plots, then say where everything is."""
    output.say(screen)
    with busy("drawing plots"):
        plots = plot()
    output.say("")
    output.say(f"results: {run.folder}")
    for path in plots:
        output.say(f"   plot: {path}")
    output.say(cost_line(run))


def cost_line(run: "Run") -> str:
    """What the run cost."""
    cost = run.training_cost
    return (
        f"{cost['runs']:,} networks trained live on {cost['device']}, {cost['from_ledger']:,} more from the ledger; "
        f"training took {cost['seconds']:.1f} s = {cost['share']:.0%} of the processes' time; "
        f"{run.manifest['seconds']:.1f} s in all"
    )
