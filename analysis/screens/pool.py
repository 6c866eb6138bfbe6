"""What `ventures train --grid pool` and `ventures bench pool` show."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from analysis.training.pool.fill import Filled


def filled_screen(filled: Filled, ledger: Path) -> RenderableType:
    """What was trained, and how much of a further world the ledger would serve by size."""
    head = (
        f"{filled.scenario} with a pool of {filled.pool}: {filled.n_trained:,} networks trained ahead of time on "
        f"{filled.device}, {filled.n_from_ledger:,} of {filled.n_wanted:,} stood in the ledger {ledger}; "
        f"{filled.n_played:,} more for the {filled.n_worlds} worlds played; {filled.seconds:.1f} s"
    )
    if not filled.saved:
        return Group(head, "How much this saves in further worlds can be told from two worlds on (--seeds).")
    table = Table("plans in the ledger", "networks saved", "training saved", box=None, header_style="dim")
    for one in filled.saved:
        table.add_row(f"{one.n:,}", f"{one.of_networks:.1%}", f"{one.of_flops:.1%}")
    return Group(head, "", "Half of the worlds, served by plans that the other half ranks:", table)
