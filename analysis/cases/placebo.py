"""Placebo tests of the case chapters: would any other firm meet their expectations just as well?

Crossed: the focal firm of each case is judged by the expectations of every other case, in its own world; the firm is
replaced, windows stay. Shuffled: startups beside the focal firm are judged by the expectations of its own case. Both
read the arm `base` alone. A statement that most firms meet says little about the firm that a chapter is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq

from analysis.cases.beside import NEAR_MONTHS, about_focal, pooled_shares
from analysis.cases.evidence import OVER_TWIN, columns_needed, has_twin, read_evidence, sector_columns_needed
from analysis.cases.expectations import judge, matches
from analysis.cases.placebo_peers import peers_of, verdicts_of_peers
from analysis.cases.placebo_results import ALL, Cell, Placebo, Shuffled
from analysis.cases.results import share_of
from analysis.cases.setups import load_case, shipped_cases
from analysis.errors import AnalysisError
from analysis.play.experiment import BASE
from analysis.runs.run import Run
from analysis.statistics.intervals import bootstrap_ratio

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.expectation import Expectation


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
    known = {one.id: is_measured(run, setup, one) for one in about}
    judged = [one.model_copy(update={"firm": None}) for one in about if known[one.id]]
    verdicts = judge(judged, setup.focal, read_evidence(run, setup, BASE, judged))
    cells = {
        one.id: _cell(
            setup, by, one.id, verdicts[one.id] if known[one.id] else None, any(is_alike(o, one) for o in setup.expect)
        )
        for one in about
    }
    counts = [one for one in about if one.counts]
    together = matches(counts, verdicts) if counts and all(known[one.id] for one in counts) else None
    alike = all(cells[one.id].alike for one in counts)
    return [*cells.values(), _cell(setup, by, ALL, together, alike)]


def _cell(setup: Scenario, by: Scenario, expectation: str, met: pd.Series | None, alike: bool) -> Cell:
    share = None if met is None else share_of(met)
    return Cell(
        case_id(setup), case_id(by), expectation, share, alike, () if met is None else tuple(bool(one) for one in met)
    )


def is_measured(run: Run, setup: Scenario, one: Expectation) -> bool:
    """Whether the run has what an expectation reads: tables of earlier releases have fewer columns, not all a twin."""
    needed = {"firms": columns_needed([one]) if one.metric else [], "sectors": sector_columns_needed([one])}
    if one.of == OVER_TWIN and not has_twin(run, setup.name):
        return False
    return all(
        set(columns) <= set(pq.read_schema(run.folder / f"{table}.parquet").names)
        for table, columns in needed.items()
        if columns
    )


def shuffle(run: Run, setup: Scenario) -> Shuffled:
    """Startups beside the focal firm, and the focal firm itself, judged by all that the case says of it."""
    about = about_focal(setup.expect, setup.focal)
    evidence = read_evidence(run, setup, BASE, about)
    endings = run.select("endings", setup.name, BASE, ["seed", "firm", "kind", "founded", "ended", "ending"])
    peers = peers_of(endings, str(setup.focal), NEAR_MONTHS)
    if not about:  # the chapter speaks of other firms only
        return Shuffled(case_id(setup), share_of(pd.Series(dtype=bool)), bootstrap_ratio([], []), 0)
    met = verdicts_of_peers(about, evidence, peers)
    met[ALL] = matches(about, met)
    shares = pooled_shares(met, peers, run.seeds)
    focal = share_of(matches(about, judge(about, setup.focal, evidence)))
    return Shuffled(case_id(setup), focal, shares[ALL], peers["seed"].nunique(), tuple(shares.items()))


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
