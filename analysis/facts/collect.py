"""All facts of one arm of a run, from its tables alone. They are predictions: nothing is judged here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.facts.causes import CauseCountRow, CauseRow, cause_counts, causes
from analysis.facts.concentration import ConcentrationRow, LeaderRow, concentration, leaders
from analysis.facts.effects import EffectRow, effects
from analysis.facts.figures import Fact, Found, Row, document
from analysis.facts.funding import FunnelRow, funnel
from analysis.facts.growth import GrowthRow, growth
from analysis.facts.industries import PeakRow, YearRow, peaks, years
from analysis.facts.returns import FundRow, MultipleRow, funds, multiples
from analysis.facts.sizes import SizeRow, sizes
from analysis.facts.survival import CohortRow, SurvivalRow, cohorts, survival
from analysis.facts.tables import Tables, read_tables
from analysis.runs.choose import BASE, arms_of, choose_arm, known, open_run
from analysis.runs.run import Run

Compute = Callable[[Tables], Sequence[Row]]
FACTS: tuple[tuple[Fact, Compute], ...] = (
    (Fact("survival", "survival of entrants and hazard by age", SurvivalRow), survival),
    (Fact("cohorts", "how entrants ended, by the year of founding", CohortRow), cohorts),
    (Fact("funnel", "seed-funded entrants by the stage they reach", FunnelRow), funnel),
    (Fact("multiples", "gross multiples of realised investments in entrants", MultipleRow), multiples),
    (Fact("funds", "multiples of funds", FundRow), funds),
    (Fact("causes", "stated reasons of failures of entrants, and of surviving peers", CauseRow), causes),
    (Fact("cause_counts", "number of stated reasons per failure", CauseCountRow), cause_counts),
    (Fact("years", "firms, entries and exits by sector and year", YearRow, long=True), years),
    (Fact("peaks", "peak and shake-out of each industry", PeakRow), peaks),
    (Fact("concentration", "concentration by sector and year", ConcentrationRow, long=True), concentration),
    (Fact("leaders", "change of leaders and stability of ranks", LeaderRow), leaders),
    (Fact("sizes", "sizes of firms at the end of the run", SizeRow), sizes),
    (Fact("growth", "growth of yearly sales", GrowthRow), growth),
)
EFFECTS = Fact("effects", "effects of what-ifs on deals, entries and the funding of treated firms", EffectRow)
ALL: tuple[Fact, ...] = (*(fact for fact, _ in FACTS), EFFECTS)


@dataclass(frozen=True)
class Facts:
    """The facts of one arm of a run; `facts["survival"].table` is a data frame.

    sectors: those that count; empty for all. notes: what was chosen, and what could not be told.
    """

    run: Run
    scenario: str
    arm: str
    sectors: tuple[str, ...]
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Found:
        by_name = {one.fact.name: one for one in self.found}
        if name not in by_name:
            raise KeyError(f"no fact {name!r}; there are {', '.join(by_name)}")
        return by_name[name]


def facts(
    run: Run | str | Path, scenario: str | None = None, arm: str | None = None, sectors: Sequence[str] = ()
) -> Facts:
    """What one arm of a run says of facts that nothing was fitted to.

    run: a run, or its folder; scenario, arm: None takes the first scenario, and the arm `base`; sectors: none for all.
    In a comparison the effects of its what-ifs are told as well: of `arm`, or of all where that is `base`.
    Raises `AnalysisError` where the run has no such thing; the text names what comes close.
    """
    run = run if isinstance(run, Run) else open_run(Path(run))
    name, chosen, notes = choose_arm(run, scenario, arm)
    wanted = tuple(dict.fromkeys(known("sector", one, sectors_of(run, name, chosen), run) for one in sectors))
    tables = read_tables(run, name, chosen, wanted)
    found = [Found(fact, tuple(compute(tables))) for fact, compute in FACTS]
    if whatifs := compared_arms(run, name, chosen):
        base = tables if chosen == BASE else read_tables(run, name, BASE, wanted)
        arms = {one: tables if one == chosen else read_tables(run, name, one, wanted) for one in whatifs}
        found.append(Found(EFFECTS, tuple(effects(base, arms))))
    return Facts(run, name, chosen, wanted, tuple(found), tuple([*notes, *limits(run, wanted, bool(whatifs))]))


def sectors_of(run: Run, scenario: str, arm: str) -> list[str]:
    """The sectors of an arm, as its scenario or its tables have them."""
    note = next(one for one in run.manifest.arms if (one.scenario, one.arm) == (scenario, arm))
    world: Any = note.resolved.get("world") or {}
    seen = run.select("sectors", scenario, arm, ["sector"])["sector"].unique().tolist()
    return list(dict.fromkeys([*world.get("sectors", ()), *seen]))


def compared_arms(run: Run, scenario: str, arm: str) -> list[str]:
    """The what-ifs whose effects are told: of a comparison the arm, or all where that is `base`; else none."""
    arms = arms_of(run, scenario)
    if run.manifest.kind != "compare" or BASE not in arms:
        return []
    return [one for one in arms if one != BASE and arm in (one, BASE)]


def limits(run: Run, sectors: Sequence[str], has_effects: bool) -> list[str]:
    """What could not be told."""
    says = []
    if run.status != "finished":
        says.append(f"the run is {run.status}: {len(run.seeds)} of {len(run.manifest.seeds)} seeds are finished")
    if sectors:
        says.append("funds invest in all sectors, so their multiples are left out")
    if not has_effects:
        says.append("effects are told of comparisons alone")
    return says


def as_document(result: Facts) -> dict[str, Any]:
    """The result as JSON says it; schema in docs/outputs.md."""
    return {
        "scenario": result.scenario,
        "arm": result.arm,
        "sectors": list(result.sectors),
        "seeds": result.run.seeds,
        "status": result.run.status,
        "notes": list(result.notes),
        "facts": [document(one) for one in result.found],
        "out": str(result.run.folder),
    }
