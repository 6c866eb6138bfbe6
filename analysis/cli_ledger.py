"""`ventures ledger`: what was trained, and whether it comes out the same again."""

import typer
from rich.console import Console

from analysis.cli_options import LedgerFile
from analysis.settings import default_ledger

app = typer.Typer(help="The ledger of training runs.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def info(ledger: LedgerFile = None) -> None:
    """Say what the ledger holds."""
    from simulation.training.ledger import Ledger

    path = ledger or default_ledger()
    console = Console(highlight=False)
    if not path.exists():
        console.print(f"no ledger yet at {path}", soft_wrap=True)
        return
    for name, value in Ledger.open(path).info().items():
        console.print(f"{name.replace('_', ' ')}: {value}", soft_wrap=True)
