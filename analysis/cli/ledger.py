"""`ventures ledger`: what was trained, whether it comes out the same again, and how it gets to another machine."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.options import AsJson, Device, LedgerFile, Output, Seed, path_argument
from analysis.errors import AnalysisError
from analysis.play.options import default_ledger

if TYPE_CHECKING:
    from simulation.training.ledger.ledger import Ledger

app = typer.Typer(help="The ledger of training runs.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def info(ledger: LedgerFile = None, as_json: AsJson = False) -> None:
    """Say what the ledger holds."""
    output = Output(as_json)
    content = existing(ledger or default_ledger()).info()
    for name, value in content.items():
        several = isinstance(value, dict)
        shown = ", ".join(f"{what} {n:,}" for what, n in value.items()) or "-" if several else value
        output.say(f"{name.replace('_', ' ')}: {shown}")
    output.document(content)


@app.command()
def verify(
    sample: Annotated[int, typer.Option("--sample", help="Number of recorded runs to train again.")] = 5,
    seed: Seed = 0,
    device: Device = "auto",
    ledger: LedgerFile = None,
    as_json: AsJson = False,
) -> None:
    """Train recorded runs again and compare; leaves with 1 where one differs or none could be compared."""
    if sample < 1:
        raise AnalysisError(f"--sample must be at least 1, not {sample}")
    if seed < 0:
        raise AnalysisError(f"--seed must be 0 or more, not {seed}")
    from analysis.training.again import documents, said_of, train_again

    path = ledger or default_ledger()
    found = train_again(existing(path).sample(sample, seed), device, ledger=path)
    output = Output(as_json)
    for one in found:
        output.say(said_of(one))
    compared = [one for one in found if one.tolerance is not None]
    passed = sum(one.passed for one in compared)
    output.say(f"{passed} of {len(compared)} compared runs came out as recorded ({len(found)} drawn)")
    output.document({"drawn": len(found), "compared": len(compared), "passed": passed, "runs": documents(found)})
    if not compared or passed < len(compared):
        raise typer.Exit(1)


@app.command("export")
def export_file(
    file: Annotated[Path, path_argument("FILE.parquet", "The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    ledger: LedgerFile = None,
    as_json: AsJson = False,
) -> None:
    """Write every recorded run to a Parquet file, which another machine can import."""
    path = ledger or default_ledger()
    source = existing(path)
    from analysis.training.ledger_files import export_ledger

    done = export_ledger(source, file, force)
    output = Output(as_json)
    left_out = f"; {done.damaged:,} damaged rows were left out" if done.damaged else ""
    output.say(f"{done.runs:,} runs written to {file} ({done.bytes:,} bytes){left_out}")
    output.document({"file": str(file), "ledger": str(path), **asdict(done)})


@app.command("import")
def import_file(
    file: Annotated[Path, path_argument("FILE.parquet", "A file that `export` wrote.")],
    trust: Annotated[
        int | None,
        typer.Option("--trust", metavar="N", help="First train N of the rows again; take none where one differs."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", "-s", help="Draws the rows of --trust.")] = 0,
    device: Device = "auto",
    ledger: LedgerFile = None,
    as_json: AsJson = False,
) -> None:
    """Take the good rows of an exported file into the ledger; leaves with 1 where some are damaged or --trust fails."""
    if trust is not None and trust < 1:
        raise AnalysisError(f"--trust must be at least 1, not {trust}")
    if seed < 0:
        raise AnalysisError(f"--seed must be 0 or more, not {seed}")
    from analysis.training.again import documents
    from analysis.training.ledger_files import Trial, import_ledger

    path = ledger or default_ledger()
    done = import_ledger(file, path, None if trust is None else Trial(trust, seed, device))
    output = Output(as_json)
    if done.tried:
        output.say(f"{len(done.tried):,} runs were trained again and came out as recorded")
    output.say(f"{done.rows:,} runs in {file}: {done.new:,} new, {done.known:,} known, {done.damaged:,} damaged")
    if done.other_trainer:
        output.say(f"{done.other_trainer:,} are of another version of the trainer: kept, but not used by this release")
    output.document({"file": str(file), "ledger": str(path), **asdict(done), "tried": documents(done.tried)})
    if done.damaged:
        raise typer.Exit(1)


def existing(path: Path) -> "Ledger":
    """The ledger at that path; asking about one must not make it."""
    from simulation.training.ledger.ledger import Ledger

    if not path.exists():
        raise AnalysisError(f"no ledger at {path}; `ventures cases` makes one")
    return Ledger(path)
