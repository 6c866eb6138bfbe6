"""Training recorded runs again, to see whether a ledger, or a file of one, tells the truth."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.engine import refuse_replaced_rules
from analysis.play.lockstep import one_thread
from analysis.terminal.console import counted

if TYPE_CHECKING:
    from simulation.training.ledger.verify import Verification

Record = dict[str, Any]
"""A ledger row by column."""


def train_again(
    rows: Sequence[Record], device: str, from_here: bool = True, ledger: Path | None = None
) -> list[Verification]:
    """Train the runs of these rows again, with as many threads as runs are played with, and compare.

    device: auto, cpu, cuda or mps; from_here: whether this machine may have written the rows; ledger: whose foundations
    are taken as they are, where their checksums hold; without one they are trained again too.
    Raises `DeviceError` where this machine has no such device, `AnalysisError` where training was replaced at run time.
    """
    from simulation.training.device import resolve_device
    from simulation.training.foundation.library import Library, folder_beside
    from simulation.training.ledger.verify import verify_row

    refuse_replaced_rules()
    library = None if ledger is None else Library(folder_beside(str(ledger)))
    where = resolve_device(device)
    with one_thread():
        return [verify_row(row, where, from_here, library) for row in counted(rows, "training again", len(rows))]


def drawn(indices: Sequence[int], n: int, seed: int) -> list[int]:
    """Up to `n` of the indices, drawn without replacement by the seed, in ascending order."""
    return sorted(random.Random(seed).sample(indices, min(n, len(indices))))


def said_of(one: Verification) -> str:
    """One run in one line."""
    if one.tolerance is None:
        return f"{one.key}: not compared, another version of the trainer wrote it"
    wrong = ", ".join(f"{name} by {one.differences[name]:.4g}" for name in one.beyond)
    verdict = f"DIFFERS: {wrong}" if one.beyond else "same"
    return f"{one.key}: {verdict} (shares may differ by {one.tolerance:g}), {one.recorded_on}"


def documents(found: Sequence[Verification]) -> list[dict[str, Any]]:
    """The same for JSON."""
    names = ("key", "passed", "tolerance", "differences", "beyond", "recorded_on", "trained_on")
    return [{name: getattr(one, name) for name in names} for one in found]
