"""Placebo tests of the case chapters: would any other firm meet their expectations just as well?

Crossed: the focal firm of each case is judged by the expectations of every other case, in its own world; the firm is
replaced, windows stay. Shuffled: startups beside the focal firm are judged by the expectations of its own case. Both
read the arm `base` alone. A statement that most firms meet says little about the firm that a chapter is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.parquet as pq

from analysis.cases.assess import load_case, read_evidence, share_of, shipped_cases
from analysis.cases.expectations import columns_needed, judge, sector_columns_needed
from analysis.cases.placebo_peers import peers_of, verdicts_of_peers
from analysis.errors import AnalysisError
from analysis.play.experiment import BASE
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, bootstrap_ratio

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.schema import Expectation

TARGET = 0.10  # most seeds in which a firm may meet what another chapter expects
ALL = "all"  # every expectation of a case together
NEAR_MONTHS = 12


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


def placebo(run: Run, setups: Sequence[Scenario]) -> Placebo:
    """Both tests for the cases of a run; expectations are those of the same cases and of all shipped ones.

    Raises `AnalysisError` where fewer than two cases are known.
    """
    played = {setup.name for setup in setups}
    judges = [*setups, *(load_case(name) for name in shipped_cases() if name not in played)]
    if len(judges) < 2:
        raise AnalysisError("a placebo test needs the expectations of at least two cases")
    cells = [cell for setup in setups for by in judges for cell in cross(run, setup, by)]
    return Placebo(tuple(cells), tuple(shuffle(run, setup) for setup in setups))


def cross(run: Run, setup: Scenario, by: Scenario) -> list[Cell]:
    """The focal firm of one case judged by another case: what that one says of its own focal firm."""
    about = [one for one in by.expect if one.firm in (None, by.focal)]
    known = {one.id: is_measured(run, one) for one in about}
    judged = [one.model_copy(update={"firm": None}) for one in about if known[one.id]]
    verdicts = judge(judged, setup.focal, read_evidence(run, setup, BASE, judged))
    cells = [
        _cell(
            setup, by, one.id, verdicts[one.id] if known[one.id] else None, any(is_alike(o, one) for o in setup.expect)
        )
        for one in about
    ]
    together = verdicts.all(axis=1) if about and all(known.values()) else None
    return [*cells, _cell(setup, by, ALL, together, all(cell.alike for cell in cells))]


def _cell(setup: Scenario, by: Scenario, expectation: str, met: pd.Series | None, alike: bool) -> Cell:
    share = None if met is None else share_of(met)
    return Cell(
        case_id(setup), case_id(by), expectation, share, alike, () if met is None else tuple(bool(one) for one in met)
    )


def is_measured(run: Run, one: Expectation) -> bool:
    """Whether the tables of a run have the columns that an expectation reads; tables of earlier releases have fewer."""
    needed = {"firms": columns_needed([one]) if one.metric else [], "sectors": sector_columns_needed([one])}
    return all(
        set(columns) <= set(pq.read_schema(run.folder / f"{table}.parquet").names)
        for table, columns in needed.items()
        if columns
    )


def shuffle(run: Run, setup: Scenario) -> Shuffled:
    """Startups beside the focal firm, and the focal firm itself, judged by all that the case says of it."""
    about = [one.model_copy(update={"firm": None}) for one in setup.expect if one.firm in (None, setup.focal)]
    evidence = read_evidence(run, setup, BASE, about)
    endings = run.select("endings", setup.name, BASE, ["seed", "firm", "kind", "founded", "ended", "ending"])
    peers = peers_of(endings, str(setup.focal), NEAR_MONTHS)
    if not about:  # the chapter speaks of other firms only
        return Shuffled(case_id(setup), share_of(pd.Series(dtype=bool)), bootstrap_ratio([], []), 0)
    met = verdicts_of_peers(about, evidence, peers)
    met[ALL] = met.all(axis=1)
    by_seed = met.groupby(peers["seed"].to_numpy()).sum().reindex(run.seeds, fill_value=0)
    sizes = peers["seed"].value_counts().reindex(run.seeds, fill_value=0)
    shares = {str(name): bootstrap_ratio(by_seed[name], sizes) for name in by_seed}
    focal = share_of(judge(about, setup.focal, evidence).all(axis=1))
    return Shuffled(case_id(setup), focal, shares[ALL], int((sizes > 0).sum()), tuple(shares.items()))


def is_alike(own: Expectation, other: Expectation) -> bool:
    """Whether both expect the same kind of thing: a common ending, the same event, or one measure bounded alike."""
    if own.ending and other.ending:
        return bool(set(own.ending) & set(other.ending))
    if own.metric and other.metric:
        same = (own.metric, own.of) == (other.metric, other.of)
        from_below = own.at_least is not None and other.at_least is not None
        return same and (from_below or (own.at_most is not None and other.at_most is not None))
    return own.event is not None and (own.event, _wanted(own)) == (other.event, _wanted(other))


def _wanted(event: Expectation) -> bool:
    """Whether an event is wanted at all, rather than forbidden or bounded from above alone."""
    return event.occurs and (event.at_least is not None or event.at_most is None)


def case_id(setup: Scenario) -> str:
    """What tables call the case."""
    return setup.id or setup.name


def as_document(found: Placebo) -> dict[str, Any]:
    """Both tests as JSON says them."""
    from analysis.cases import placebo_verdicts  # verdicts read the tests, so each needs the other

    return {
        "target": TARGET,
        "crossed": [
            {
                "case": cell.case,
                "judged_by": cell.judged_by,
                "expectation": cell.expectation,
                "alike": cell.alike,
                **(cell.share.as_dict("share") if cell.share else {"share": None, "low": None, "high": None, "n": 0}),
            }
            for cell in found.cells
        ],
        "shuffled": [
            {
                "case": one.case,
                "focal": one.focal.as_dict("share"),
                "others": one.others.as_dict("share"),
                "seeds": one.n_seeds,
            }
            for one in found.shuffled
        ],
        "summary": summary(found),
        "verdicts": placebo_verdicts.as_document(found),
    }


def summary(found: Placebo) -> dict[str, dict[str, int]]:
    """How many cells off the diagonal stay within the target: of expectations and of whole chapters, alike or not."""
    groups = {
        f"{'chapters' if whole else 'expectations'}{'_alike' if alike else ''}": found.crossed(alike=alike, whole=whole)
        for whole in (False, True)
        for alike in (False, True)
    }
    return {
        name: {"cells": len(cells), "within_target": sum(cell.within_target for cell in cells)}
        for name, cells in groups.items()
    }
