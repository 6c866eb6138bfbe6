"""What playing a case found: shares of seeds, and what taking each cause away does to them.

Three shares of seeds are told apart everywhere: those that meet *every statement* that counts (the match), those that
meet all statements of the *outcome*, and those that have the chapter's *ending*, in which its statements of kind
`ending` hold whatever becomes of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.cases.thresholds import Point, Threshold, worst_of
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, PairedMeans, wilson

if TYPE_CHECKING:
    from scenarios.expectation import Measure

MOST_PEERS = 0.5  # a statement that a larger share of the startups beside the firm meets says nothing of it


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation of a chapter and the share of seeds in which it holds.

    kind: ending, metric or event; role: outcome, process or background.
    peers: share of the other startups of the sector that meet it; None where it speaks of another firm or of the twin.
    """

    id: str
    section: str
    says: str
    share: Interval
    kind: str
    role: str = "process"
    peers: Interval | None = None

    @property
    def is_too_easy(self) -> bool:
        """Whether it counts, although most other startups of the sector meet it."""
        return self.role != "background" and self.peers is not None and self.peers.estimate > MOST_PEERS


@dataclass(frozen=True)
class ShareChange:
    """What taking a cause away does to a share of seeds.

    effect: share without the cause minus share with it, in the same seeds; negative where the cause brings it about.
    """

    effect: Interval
    share_without: float


@dataclass(frozen=True)
class Manipulation:
    """What taking a cause away does to the measure that it should change; `means.effect` is without less with it."""

    measure: Measure
    means: PairedMeans


@dataclass(frozen=True)
class CauseResult:
    """One cause that a chapter names: what taking it away does to the share of seeds that meet every statement.

    effect, share_without: as `ShareChange` has them.
    ending, outcome: the same of the chapter's ending, and of its outcome statements; None where it states none.
    manipulation: whether the removal changed what it should; None where the case does not say what.
    moved: ids of the statements of which the share changes, each by itself (the interval excludes zero).
    forbidden: the only one that moves, where it is no outcome and holds in no seed without the cause: the removal rules
        it out by itself, so that the effect is a matter of definition.
    """

    name: str
    section: str
    says: str
    effect: Interval
    share_without: float
    ending: ShareChange | None = None
    outcome: ShareChange | None = None
    manipulation: Manipulation | None = None
    moved: tuple[str, ...] = ()
    forbidden: str | None = None

    @property
    def reproduced(self) -> bool | None:
        """Whether the outcome surely becomes rarer without the cause, as the chapter has it; None without outcome."""
        return None if self.outcome is None else self.outcome.effect.high < 0


@dataclass(frozen=True)
class TwinResult:
    """The firm without its endowments: share of seeds in which it has the outcome, and the firm's share less that."""

    share: Interval
    effect: Interval


@dataclass(frozen=True)
class CaseResult:
    """One case over all seeds.

    match: share of seeds that meet every statement that counts.
    median_end: None while at least half of the focal firms have not ended.
    ending: share of seeds in which every statement of kind `ending` holds; None where the chapter states none.
    unmet, unmet_ending: the other seeds, so that both shares can be formed of some seeds alone.
    outcome: share of seeds in which every outcome statement holds; None where the case states none.
    twin: None where the case has none, or no outcome.
    thresholds: what the match would be with bounds that neither the chapter nor a fact gives, somewhat moved.
    """

    id: str
    name: str
    title: str
    focal: str
    match: Interval
    expectations: tuple[ExpectationResult, ...]
    causes: tuple[CauseResult, ...]
    endings: dict[str, int]
    median_end: date | None
    ending: Interval | None = None
    unmet: tuple[int, ...] = ()
    unmet_ending: tuple[int, ...] | None = None
    outcome: Interval | None = None
    twin: TwinResult | None = None
    thresholds: tuple[Threshold, ...] = ()

    @property
    def too_easy(self) -> tuple[str, ...]:
        """Ids of the statements that count although most other startups of the sector meet them."""
        return tuple(one.id for one in self.expectations if one.is_too_easy)

    @property
    def worst(self) -> tuple[Threshold, Point] | None:
        """The bound, and how it is moved, with which the match would be smallest; None without such bounds."""
        return worst_of(self.thresholds)


@dataclass(frozen=True)
class CasesResult:
    """All cases of one experiment, with the run behind them."""

    run: Run
    cases: tuple[CaseResult, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per case and cause taken away ("": none).

        Columns: case, without, match, low, high, n, effect, and for ending and for outcome the share itself, _low,
        _high and _effect. `low` and `high` bound the share of the case as it is, and the effect of a cause taken away.
        """
        rows = [row for case in self.cases for row in _table_rows(case)]
        beside = [f"{what}{part}" for what in BESIDE for part in ("", "_low", "_high", "_effect")]
        return pd.DataFrame(rows, columns=["case", "without", "match", "low", "high", "n", "effect", *beside])


BESIDE = ("ending", "outcome")
"""Shares that stand beside the match, by their fields."""


def share_of(met: pd.Series) -> Interval:
    """Share of seeds, with Wilson's interval."""
    return wilson(int(met.sum()), len(met))


def _table_rows(case: CaseResult) -> Iterator[dict[str, Any]]:
    """Rows of `CasesResult.table`: the case as it is, then without each cause."""
    row = {"case": case.id, "without": "", **case.match.as_dict("match")}
    for what in BESIDE:
        if (share := getattr(case, what)) is not None:
            row |= _under(what, share.as_dict(what))
    yield row
    for one in case.causes:
        row = {"case": case.id, "without": one.name, "match": one.share_without, **one.effect.as_dict("effect")}
        for what in BESIDE:
            if (change := getattr(one, what)) is not None:
                row |= {what: change.share_without, **_under(what, change.effect.as_dict(f"{what}_effect"))}
        yield row


def _under(name: str, interval: dict[str, Any]) -> dict[str, Any]:
    """Columns of a further interval of a row: its bounds under names of their own; n is the row's."""
    renamed = {"low": f"{name}_low", "high": f"{name}_high"}
    return {renamed.get(key, key): value for key, value in interval.items() if key != "n"}
