"""How robust a firm's story is: what turned its ending around in one seed, replayed in further seeds.

In every further seed the firm is played as it was and with each change, on the same draws (common random numbers), so
that each seed says by itself whether a change turns the ending around.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from analysis.counterfactual.changes import NO_CHANGES
from analysis.counterfactual.levers import LeverChange
from analysis.counterfactual.replay import LARGEST_BATCH, Outcome, ReplayContext, play_changes
from analysis.counterfactual.search import Reversals
from analysis.errors import AnalysisError
from analysis.explain.facts import Subject
from analysis.play.workers import parallel_map
from analysis.runs.seeds import LARGEST_SEED
from analysis.statistics.intervals import Interval, paired_share_difference, wilson

MOST_SEEDS = 10_000
AS_IT_WAS = -1  # the number of the replay without a change; those of changes count from 0
Note = Callable[[int, int], None]
"""(replays done, replays in all)"""
Piece = tuple[int, tuple[int, ...]]
"""A seed, and the numbers of the replays of it that are played together."""


@dataclass(frozen=True)
class Change:
    """One lever at one size. `turned`: whether it turns the ending around in the seed of the story."""

    pull: LeverChange
    size: float
    turned: bool


@dataclass(frozen=True)
class Effect:
    """One change over further seeds.

    turns: of the seeds that end as the story does without the change, the share that it turns around.
    net: share of all seeds that fail with the change, less without it; seeds that it turns the other way count too.
    """

    change: Change
    turns: Interval
    net: Interval


@dataclass
class SeedRobustness:
    """Replays in further seeds; `failed` is how the story ends, `outcomes` stand by (seed, number of the change)."""

    seeds: Sequence[int]
    failed: bool
    changes: tuple[Change, ...]
    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)

    @property
    def n_wanted(self) -> int:
        """Replays in all, those without a change included."""
        return len(self.seeds) * (1 + len(self.changes))

    @property
    def complete(self) -> bool:
        """Whether all were played; not so after Ctrl-C."""
        return len(self.outcomes) == self.n_wanted

    @property
    def as_it_was(self) -> list[Outcome]:
        """The firm without a change, in the seeds that were played."""
        return [self.outcomes[seed, AS_IT_WAS] for seed in self.seeds if (seed, AS_IT_WAS) in self.outcomes]

    @property
    def same_ending(self) -> Interval:
        """Share of seeds in which the firm, unchanged, fails (or not) as it does in the story."""
        return wilson(sum(one.failed == self.failed for one in self.as_it_was), len(self.as_it_was))

    @property
    def endings(self) -> dict[str, int]:
        """Endings of the unchanged firm, the most frequent first."""
        return dict(Counter(one.ending for one in self.as_it_was).most_common())

    def effects(self) -> list[Effect]:
        """What each change does, the most reliable first; changes that no seed was finished for are left out."""
        found = [self._effect(number) for number in range(len(self.changes))]
        known = [effect for effect in found if effect is not None]
        return sorted(known, key=lambda one: (-_or_zero(one.turns), _helpful(one, self.failed)))

    def _effect(self, number: int) -> Effect | None:
        pairs = [
            (self.outcomes[seed, AS_IT_WAS].failed, self.outcomes[seed, number].failed)
            for seed in self.seeds
            if (seed, AS_IT_WAS) in self.outcomes and (seed, number) in self.outcomes
        ]
        if not pairs:
            return None
        same = [after for before, after in pairs if before == self.failed]
        net = paired_share_difference([after for _, after in pairs], [before for before, _ in pairs])
        return Effect(self.changes[number], wilson(sum(after != self.failed for after in same), len(same)), net)

    def as_document(self) -> dict[str, Any]:
        """The replays as JSON says them."""
        return {
            "complete": self.complete,
            "seeds": list(self.seeds),
            "replays": len(self.outcomes),
            "same_ending": self.same_ending.as_dict("share"),
            "endings": self.endings,
            "levers": [
                {
                    "lever": one.change.pull.lever,
                    "direction": one.change.pull.direction,
                    "size": one.change.size if one.change.pull.knobs else None,
                    "set": one.change.pull.at(one.change.size).as_document(),
                    "reverses_here": one.change.turned,
                    "reverses": one.turns.as_dict("share"),
                    "failures": one.net.as_dict("effect"),
                }
                for one in self.effects()
            ],
        }


def further_seeds(subject: Subject, n: int) -> range:
    """The n seeds after that of the story; raises `AnalysisError` for numbers below 1, huge ones and beyond 63 bits."""
    if not 1 <= n <= MOST_SEEDS:
        raise AnalysisError(f"--seeds must be at least 1 and at most {MOST_SEEDS:,}, not {n:,}")
    if subject.seed > LARGEST_SEED - n - 1:
        raise AnalysisError(f"--seeds must leave room for {n} seeds after {subject.seed} below 2^63")
    return range(subject.seed + 1, subject.seed + 1 + n)


def changes_of(reversals: Reversals) -> tuple[Change, ...]:
    """Every lever once: at the smallest size that turns the ending around, else at the largest that was tried."""
    found = [Change(one.pull, one.reversal or 0.0, True) for one in reversals.found]
    return (*found, *(Change(one.pull, max(one.tried), False) for one in reversals.without))


def replay_seeds(
    context: ReplayContext,
    reversals: Reversals,
    failed: bool,
    seeds: Sequence[int],
    n_jobs: int = 1,
    note: Note | None = None,
) -> SeedRobustness:
    """Replay every change in every further seed, seed after seed; Ctrl-C keeps what was finished.

    Raises `AnalysisError` for a drawn firm: in another seed its name belongs to another firm.
    """
    check_named(context)
    robustness = SeedRobustness(seeds, failed, changes_of(reversals))
    work = partial(play_piece, context, robustness.changes)
    try:
        with closing(parallel_map(work, pieces_of(robustness), n_jobs, "try again with fewer --jobs")) as played:
            for outcomes in played:
                robustness.outcomes.update(outcomes)
                if note:
                    note(len(robustness.outcomes), robustness.n_wanted)
    except KeyboardInterrupt:
        pass
    return robustness


def check_named(context: ReplayContext) -> None:
    """Raise `AnalysisError` for a firm that the scenario does not name."""
    if not context.named:
        raise AnalysisError(
            f"--seeds is for firms that the scenario names; {context.subject.firm} was drawn from a stream of "
            "entrants, and in another seed that name belongs to another firm"
        )


def pieces_of(robustness: SeedRobustness) -> list[Piece]:
    """What is played together: replays of one seed, the unchanged firm first, in even parts."""
    numbers = [AS_IT_WAS, *range(len(robustness.changes))]
    parts = -(-len(numbers) // LARGEST_BATCH)
    edges = [len(numbers) * i // parts for i in range(parts + 1)]
    return [(seed, tuple(numbers[edges[i] : edges[i + 1]])) for seed in robustness.seeds for i in range(parts)]


def play_piece(context: ReplayContext, changes: Sequence[Change], piece: Piece) -> dict[tuple[int, int], Outcome]:
    """Some replays of one seed, by (seed, number of the change)."""
    seed, numbers = piece
    there = replace(context, subject=replace(context.subject, seed=seed))
    settings = [NO_CHANGES if i == AS_IT_WAS else changes[i].pull.at(changes[i].size) for i in numbers]
    return {(seed, i): outcome for i, outcome in zip(numbers, play_changes(there, settings), strict=True)}


def _or_zero(share: Interval) -> float:
    return share.estimate if share.n else 0.0


def _helpful(one: Effect, failed: bool) -> float:
    """Net effect, smallest first where the story failed, largest first where it did not."""
    return one.net.estimate if failed else -one.net.estimate
