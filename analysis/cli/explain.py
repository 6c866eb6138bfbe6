"""`ventures explain`: one firm's story, and the smallest change that would have turned its ending around."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.cli.options import INTERRUPTED, AsJson, Device, Jobs, LedgerFile, Output, Plugins, path_argument
from analysis.errors import AnalysisError
from analysis.play.options import PlayOptions, usable_cores
from analysis.terminal.console import bar

if TYPE_CHECKING:
    from analysis.counterfactual.replay import ReplayContext
    from analysis.counterfactual.search import Reversals
    from analysis.counterfactual.seeds import SeedRobustness
    from analysis.explain.story import Story
    from analysis.runs.run import Run

STOPPED = "interrupted before anything was found; the story above is complete"


def explain(
    folder: Annotated[Path, path_argument("RUN", "A run folder.")],
    firm: Annotated[str, typer.Argument(metavar="FIRM", help="Name of a firm in it.")],
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="Which world. Default: the first seed.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Which scenario. Default: the first.")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="Which arm. Default: base.")] = None,
    no_replay: Annotated[bool, typer.Option("--no-replay", help="Leave out what replays would find.")] = False,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", "-n", help="Replay every lever in so many further seeds too: how robust is the story?"),
    ] = None,
    jobs: Jobs = None,
    device: Device = PlayOptions.device,
    ledger: LedgerFile = None,
    plugin: Plugins = None,
    as_json: AsJson = False,
) -> None:
    """Tell one firm's story: what happened, what caused what, and which change would have turned its ending around."""
    from analysis.counterfactual.seeds import further_seeds
    from analysis.explain.story import as_document
    from analysis.explain.story import explain as tell
    from analysis.runs.choose import open_run
    from analysis.screens.story import story_lines

    PlayOptions(jobs=jobs, plugins=plugin or ())
    if seeds is not None and no_replay:
        raise AnalysisError("--seeds asks for replays and --no-replay for none; leave out one of them")
    output = Output(as_json)
    run = open_run(folder)
    story = tell(run, firm, seed, scenario, arm)
    more: Sequence[int] = further_seeds(story.record.subject, seeds) if seeds is not None else ()
    say_lines(output, story_lines(story))
    played: tuple[Reversals | None, SeedRobustness | None] = (None, None)
    if not no_replay:
        played = replay(run, story, output, Replay(more, jobs or usable_cores(), device, ledger))
    output.document(as_document(story, *played))
    if any(part is not None and not part.complete for part in played):
        raise typer.Exit(INTERRUPTED)


@dataclass(frozen=True)
class Replay:
    """How the replays are made; `seeds`: further ones."""

    seeds: Sequence[int]
    jobs: int
    device: str
    ledger: Path | None


def say_lines(output: Output, lines: list[str]) -> None:
    """Print lines, however long."""
    for line in lines:
        output.say(line)


def replay(run: "Run", story: "Story", output: Output, how: Replay) -> "tuple[Reversals | None, SeedRobustness | None]":
    """Search the levers and say what was found, here and in further seeds; None for an incumbent, which cannot end."""
    if story.record.ending["kind"] != "startup":
        say_lines(output, ["", "Nothing is replayed: an incumbent's parent pays what is missing, so it cannot end."])
        return None, None
    from analysis.counterfactual.replay import replay_context
    from analysis.counterfactual.search import Reversals
    from analysis.counterfactual.seeds import check_named
    from analysis.screens.seeds import robustness_lines
    from analysis.screens.story import reversal_lines

    reversals, robustness = Reversals((), complete=False), None
    try:
        with replay_context(run, story.record.subject, how.ledger, how.device) as context:
            if how.seeds:
                check_named(context)
            reversals = search_shown(run, story, context, how.jobs)
            say_lines(output, ["", *reversal_lines(story, reversals)])
            if how.seeds and reversals.complete:
                robustness = robustness_shown(story, context, reversals, how)
                say_lines(output, ["", *robustness_lines(robustness)])
    except KeyboardInterrupt:
        if not reversals.searches:
            say_lines(output, ["", STOPPED])
        return replaced(reversals, complete=False), robustness
    return reversals, robustness


def robustness_shown(story: "Story", context: "ReplayContext", reversals: "Reversals", how: Replay) -> "SeedRobustness":
    """Replay all levers in further seeds, with a bar on standard error."""
    from analysis.counterfactual.seeds import replay_seeds

    with bar("{task.fields[says]}", says=f"{len(how.seeds)} further seeds") as tell:

        def note(done: int, of: int) -> None:
            tell(completed=done, total=of, says=f"{done:,} of {of:,} replays in further seeds")

        return replay_seeds(context, reversals, story.record.failed, how.seeds, how.jobs, note)


def search_shown(run: "Run", story: "Story", context: "ReplayContext", jobs: int) -> "Reversals":
    """Check that a replay without any change is the recorded run, then search, with a bar on standard error."""
    from analysis.counterfactual.levers import lever_changes
    from analysis.counterfactual.replay import check_same
    from analysis.counterfactual.search import search
    from analysis.explain.offers import given_away

    with bar("{task.fields[says]}", says="replaying the run as it was") as tell:
        settings = check_same(run, context)

        def note(done: int, most: int, found: int) -> None:
            says = f"{done} of at most {most} replays, {found} levers turn the ending around"
            tell(completed=done, total=most, says=says)

        pulls: list[Any] = lever_changes(settings, story.record.failed, given_away(story.record))
        return search(context, pulls, story.record.failed, jobs, note)
