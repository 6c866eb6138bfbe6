"""`ventures explain`: one firm's story, and the smallest change that would have turned its ending around."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from analysis.cli_options import INTERRUPTED, AsJson, Device, Jobs, LedgerFile, Output
from analysis.settings import Settings, usable_cores

if TYPE_CHECKING:
    from analysis.explain import Story
    from analysis.replay import Stage
    from analysis.replay_search import Reversals
    from analysis.store import Run

STOPPED = "interrupted before anything was found; the story above is complete"


def explain(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    firm: Annotated[str, typer.Argument(metavar="FIRM", help="Name of a firm in it.")],
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="Which world. Default: the first seed.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Which scenario. Default: the first.")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="Which arm. Default: base.")] = None,
    no_replay: Annotated[bool, typer.Option("--no-replay", help="Leave out what replays would find.")] = False,
    jobs: Jobs = None,
    device: Device = Settings.device,
    ledger: LedgerFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell one firm's story: what happened, what caused what, and which change would have turned its ending around."""
    from analysis.explain import as_document, open_run
    from analysis.explain import explain as tell
    from analysis.explain_screen import story_lines

    Settings(jobs=jobs)
    output = Output(as_json)
    run = open_run(folder)
    story = tell(run, firm, seed, scenario, arm)
    say_lines(output, story_lines(story))
    reversals = None if no_replay else replay(run, story, output, jobs or usable_cores(), device, ledger)
    output.document(as_document(story, reversals))
    if reversals is not None and not reversals.complete:
        raise typer.Exit(INTERRUPTED)


def say_lines(output: Output, lines: list[str]) -> None:
    """Print lines as they are: brackets are no markup."""
    for line in lines:
        output.talk.print(line, markup=False, soft_wrap=True)


def replay(
    run: "Run", story: "Story", output: Output, jobs: int, device: str, ledger: Path | None
) -> "Reversals | None":
    """Search the levers and say what was found; None for an incumbent, which cannot end."""
    if story.record.ending["kind"] != "startup":
        say_lines(output, ["", "Nothing is replayed: an incumbent's parent pays what is missing, so it cannot end."])
        return None
    from analysis.explain_screen import reversal_lines
    from analysis.replay import stage_of
    from analysis.replay_search import Reversals

    try:
        with stage_of(run, story.record.subject, ledger, device) as stage:
            reversals = search_shown(run, story, stage, jobs)
    except KeyboardInterrupt:
        say_lines(output, ["", STOPPED])
        return Reversals((), complete=False)
    say_lines(output, ["", *reversal_lines(story, reversals)])
    return reversals


def search_shown(run: "Run", story: "Story", stage: "Stage", jobs: int) -> "Reversals":
    """Check that a replay without any change is the recorded run, then search, with a bar on standard error."""
    from analysis.replay import check_same
    from analysis.replay_levers import pulls_for
    from analysis.replay_search import search

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bars:
        task = bars.add_task("replaying the run as it was", total=None)
        settings = check_same(run, stage)

        def note(done: int, most: int, found: int) -> None:
            says = f"{done} of at most {most} replays, {found} levers turn the ending around"
            bars.update(task, completed=done, total=most, description=says)

        pulls: list[Any] = pulls_for(settings, story.record.failed)
        return search(stage, pulls, story.record.failed, jobs, note)
