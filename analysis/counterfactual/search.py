"""The smallest single change that turns an ending around: a grid of sizes per lever, then bisection, by replay.

The whole grid is played also where a small size turns the ending around: whether larger ones do so too tells a lever
that matters from an ending that hung by a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from analysis.counterfactual.changes import Changes
from analysis.counterfactual.levers import LeverChange
from analysis.counterfactual.replay import LARGEST_BATCH, Outcome, ReplayContext, play_changes
from analysis.play.workers import parallel_map

GRID = (0.1, 0.25, 0.5, 1.0)  # sizes, as shares of a lever's range; the last is cut to the room that there is
BISECTIONS = 2
Note = Callable[[int, int, int], None]
"""(replays done, replays at most, levers that turn the ending around)"""


@dataclass
class Search:
    """One pull with what was tried; `failed` is how the recorded firm ended."""

    pull: LeverChange
    failed: bool
    tried: dict[float, Outcome] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[float, ...]:
        """Sizes of the grid: as far as there is room."""
        room = min(self.pull.room, GRID[-1])
        return (*(size for size in GRID if size < 0.95 * room), room) if self.pull.knobs else (1.0,)

    @property
    def reversal(self) -> float | None:
        """The smallest size tried that turns the ending around."""
        return min((size for size, one in self.tried.items() if one.failed != self.failed), default=None)

    @property
    def below(self) -> float:
        """The largest size tried below it that does not; 0 is the firm as it was."""
        least = self.reversal
        return max((size for size in self.tried if least is None or size < least), default=0.0)

    @property
    def most(self) -> int:
        """Replays at most, those done included."""
        if self.next_size() is None:
            return len(self.tried)
        return len(self.sizes) + (BISECTIONS if self.pull.knobs else 0)

    @property
    def larger(self) -> tuple[int, int]:
        """Of the sizes tried above the smallest that turns the ending around: how many do so too, and how many."""
        above = [one for size, one in self.tried.items() if self.reversal is not None and size > self.reversal]
        return sum(one.failed != self.failed for one in above), len(above)

    def next_size(self) -> float | None:
        """What to try next: the grid, then halves below the smallest that turns the ending around; None when done."""
        if len(self.tried) < len(self.sizes):
            return self.sizes[len(self.tried)]
        halves = len(self.tried) - len(self.sizes)
        if self.reversal is None or not self.pull.knobs or halves >= BISECTIONS:
            return None
        return (self.below + self.reversal) / 2

    def as_document(self) -> dict[str, Any]:
        """The search as JSON says it; sizes of switches are null."""
        least = self.reversal
        sized = bool(self.pull.knobs)
        return {
            "lever": self.pull.lever,
            "direction": self.pull.direction,
            "acts_on": list(self.pull.acts_on),
            "reverses": least is not None,
            "size": least if sized else None,
            "not_at": self.below if sized else None,
            "larger_too": dict(zip(("n", "of"), self.larger, strict=True)) if sized and least is not None else None,
            "set": self.pull.at(least).as_document() if least is not None else None,
            "ending": self.tried[least].ending if least is not None else None,
            "tried": [
                {"size": size if sized else None, "ending": one.ending, "ended": one.ended or None}
                for size, one in sorted(self.tried.items())
            ],
        }


@dataclass(frozen=True)
class Reversals:
    """All searches, those that turn the ending around first, by size; `complete` is false after Ctrl-C."""

    searches: tuple[Search, ...]
    complete: bool

    @property
    def n_replays(self) -> int:
        """Worlds played again."""
        return sum(len(search.tried) for search in self.searches)

    @property
    def found(self) -> list[Search]:
        """Searches that turn the ending around, sized ones first, by size."""
        return sorted(
            (s for s in self.searches if s.reversal is not None), key=lambda s: (not s.pull.knobs, s.reversal)
        )

    @property
    def without(self) -> list[Search]:
        """Searches that were tried and never turned the ending around."""
        return [search for search in self.searches if search.tried and search.reversal is None]


def search(
    context: ReplayContext, pulls: Sequence[LeverChange], failed: bool, n_jobs: int = 1, note: Note | None = None
) -> Reversals:
    """Search all pulls in rounds: each round is one replay per pull that is not done. Ctrl-C keeps what was found."""
    searches = [Search(pull, failed) for pull in pulls]
    try:
        while todo := [(i, size) for i, one in enumerate(searches) if (size := one.next_size()) is not None]:
            play_round(context, searches, todo, n_jobs, note)
    except KeyboardInterrupt:
        return Reversals(tuple(searches), complete=False)
    return Reversals(tuple(searches), complete=True)


def play_round(
    context: ReplayContext,
    searches: Sequence[Search],
    todo: Sequence[tuple[int, float]],
    n_jobs: int,
    note: Note | None,
) -> None:
    """One replay per search in `todo` (number, size), in batches that are played together."""
    size = max(1, min(LARGEST_BATCH, -(-len(todo) // n_jobs)))
    batches = [
        [(i, at, searches[i].pull.at(at)) for i, at in todo[start : start + size]]
        for start in range(0, len(todo), size)
    ]
    work = partial(play_batch, context)
    with closing(parallel_map(work, batches, n_jobs, "try again with fewer --jobs")) as played:
        for outcomes in played:
            for i, at, outcome in outcomes:
                searches[i].tried[at] = outcome
            if note:
                done = sum(len(one.tried) for one in searches)
                note(done, sum(one.most for one in searches), sum(one.reversal is not None for one in searches))


def play_batch(context: ReplayContext, batch: Sequence[tuple[int, float, Changes]]) -> list[tuple[int, float, Outcome]]:
    """Replays of several searches together: (number, size, outcome)."""
    outcomes = play_changes(context, [changes for _, _, changes in batch])
    return [(i, at, outcome) for (i, at, _), outcome in zip(batch, outcomes, strict=True)]
