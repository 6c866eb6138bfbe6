"""The ledger of replays: a private file that takes all that is written, over another ledger that is only read.

A run folder may come from anybody. Its training results go into a file of their own, in a folder that ends with the
replays; what replays train goes there too. The user's ledger serves what is missing there and is never written. A row
that does not pass every check is as good as missing: its network is trained.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import AnalysisError
from analysis.runs.run import Run
from simulation.training.ledger.read_only import ReadOnlyLedger

if TYPE_CHECKING:
    from simulation.training.ledger.ledger import Ledger
    from simulation.training.plan import TrainingPlan
    from simulation.training.result import TrainingResult


class LayeredLedger:
    """What a training service asks of a ledger: results from `own`, else from `below`; new ones go to `own`."""

    def __init__(self, own: Ledger, below: ReadOnlyLedger) -> None:
        self.own, self.below = own, below

    def get_many(self, keys: Iterable[str]) -> dict[str, TrainingResult]:
        """Results by key; keys that are missing in both, or damaged, are left out."""
        wanted = list(dict.fromkeys(keys))
        found = self.own.get_many(wanted)
        return found | self.below.get_many([key for key in wanted if key not in found])

    def add_many(self, runs: Iterable[tuple[TrainingPlan, TrainingResult]]) -> bool:
        """Record finished runs in `own`."""
        return self.own.add_many(runs)


def bring_training(run: Run, ledger: Path) -> None:
    """Import the run folder's own training results, so that a run from another machine need not be trained again."""
    from analysis.training.ledger_files import import_ledger

    try:
        import_ledger(run.folder / "training.parquet", ledger)
    except AnalysisError:
        pass  # another layout of the ledger, or none: what is missing is trained
