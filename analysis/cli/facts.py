"""`ventures facts`: what a run says of facts that nothing was fitted to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.options import AsJson, Output, path_argument, path_option
from analysis.terminal.console import busy

if TYPE_CHECKING:
    from analysis.facts.collect import Facts


def facts(
    folder: Annotated[Path, path_argument("RUN", "A run folder.")],
    scenario: Annotated[str | None, typer.Option("--scenario", help="Which scenario. Default: the first.")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="Which arm. Default: base.")] = None,
    sector: Annotated[
        list[str] | None, typer.Option("--sector", help="Only this sector; may be repeated. Default: all together.")
    ] = None,
    out: Annotated[
        Path | None,
        path_option("--out", "-o", help="Folder for facts.json and plots. Default: plots, in the run's folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a run says of survival, funding, returns, failures, industries and growth: predictions, unjudged."""
    from analysis.facts.collect import as_document
    from analysis.facts.collect import facts as compute
    from analysis.screens.facts import facts_screen

    output = Output(as_json)
    with busy("computing facts"):
        result = compute(folder, scenario, arm, sector or ())
    output.say(facts_screen(result))
    document = as_document(result)
    with busy("drawing plots"):
        paths = write(result, document, out)
    output.say("")
    for path in paths:
        output.say(f"   {'plot' if path.suffix == '.png' else 'facts'}: {path}")
    output.document(document)


def write(result: "Facts", document: dict[str, object], out: Path | None) -> list[Path]:
    """Write the plots into the run's folder, or them and the document into another; returns the files."""
    from analysis.plots.facts import plot_facts
    from analysis.runs.files import refuse_links, write_json
    from analysis.runs.run import PLOTS

    if out is None:
        if (plots := result.run.folder / PLOTS).exists():
            refuse_links(plots)
        return plot_facts(result, plots)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "facts.json", document)
    return [out / "facts.json", *plot_facts(result, out)]
