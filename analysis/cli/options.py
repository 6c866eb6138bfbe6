"""Options that several commands share, and where their output goes."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from analysis.documents import finite
from analysis.errors import Interrupted, TrainingInterrupted
from analysis.play.options import Options, Settings

if TYPE_CHECKING:
    from analysis.runs.run import Run

INTERRUPTED = 130  # what shells expect after Ctrl-C

Replications = Annotated[int, typer.Option("--replications", "-n", help="Number of seeds.")]
Seed = Annotated[int, typer.Option("--seed", "-s", help="The first seed.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", help="Worker processes; one per core if not given.")]
Device = Annotated[str, typer.Option("--device", help="What trains: auto, cpu, cuda or mps.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Run folder; one that was interrupted is gone on with. Default: runs/NAME-TIME."),
]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", envvar="VENTURES_LEDGER", help="Training ledger. Default: one in the user's cache."),
]
Retrain = Annotated[bool, typer.Option("--retrain", help="Train every plan again, whatever the ledger holds.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]


class Output:
    """Results on standard output, talk beside them; with `--json` standard output holds the document alone."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.talk = Console(stderr=as_json, highlight=False)

    def say(self, text: Any) -> None:
        """Tell a person something."""
        self.talk.print(text, soft_wrap=isinstance(text, str))

    def document(self, content: dict[str, Any]) -> None:
        """Print the JSON document, where one was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(finite(content), ensure_ascii=False, allow_nan=False, indent=1) + "\n")


def options_for(name: str, out: Path | None, **rest: Any) -> Options:
    """Options for the Python functions, checked before anything is loaded; with the default run folder."""
    if out is None:
        short = name.removesuffix(".yaml").removesuffix(".yml").replace("/", "-").replace("\\", "-").strip("-.")
        out = Path("runs") / f"{short}-{datetime.now():%Y%m%d-%H%M%S}"
    options: Options = {"out": out, "progress": True, **rest}  # type: ignore[typeddict-item]
    Settings(**options)
    return options


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C while worlds are played or networks trained: say in one line what is usable, leave with 130."""
    try:
        yield
    except (Interrupted, TrainingInterrupted) as stop:
        typer.echo(str(stop), err=True)
        raise typer.Exit(INTERRUPTED) from stop


def show_results(output: Output, run: "Run", screen: Any, plot: Callable[[], list[Path]]) -> None:
    """Show the tables at once, then draw the plots, then say where everything is."""
    output.say(screen)
    with Console(stderr=True).status("drawing plots"):
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
