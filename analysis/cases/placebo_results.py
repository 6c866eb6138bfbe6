"""What the placebo tests of case chapters found."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.statistics.intervals import Interval

TARGET = 0.10  # most seeds in which a firm may meet what another chapter expects
ALL = "all"  # every expectation of a case together


@dataclass(frozen=True)
class Cell:
    """One focal firm judged by one expectation: `expectation` is its id, or `all` for those of the case together.

    share: seeds that meet it; None where the run has no such measure.
    alike: the firm's own chapter expects something that may well meet this one too, such as the same ending.
    met: which seeds meet it, in the order of the run; empty where `share` is None.
    """

    case: str
    judged_by: str
    expectation: str
    share: Interval | None
    alike: bool
    met: tuple[bool, ...] = ()

    @property
    def own(self) -> bool:
        """Whether the firm is judged by its own chapter."""
        return self.case == self.judged_by

    @property
    def within_target(self) -> bool:
        return self.share is not None and self.share.estimate <= TARGET


@dataclass(frozen=True)
class Shuffled:
    """Startups beside the focal firm judged by its chapter: shares of firms, pooled over seeds, and of focal firms.

    n_seeds: seeds with at least one such startup. by_statement: share of those startups by statement, and of `all`.
    """

    case: str
    focal: Interval
    others: Interval
    n_seeds: int
    by_statement: tuple[tuple[str, Interval], ...] = ()


@dataclass(frozen=True)
class Placebo:
    """Both tests of all cases that were played."""

    cells: tuple[Cell, ...]
    shuffled: tuple[Shuffled, ...]

    def crossed(self, *, alike: bool, whole: bool) -> list[Cell]:
        """Cells off the diagonal that could be judged: of whole chapters, or of single expectations."""
        return [
            cell
            for cell in self.cells
            if not cell.own and cell.share and cell.alike == alike and (cell.expectation == ALL) == whole
        ]
