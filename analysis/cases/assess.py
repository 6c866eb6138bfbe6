"""Playing the case chapters: does the focal firm end as its chapter says, and for the reasons that it gives?"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from analysis.cases.expectations import SECTOR_MONTH, Evidence, columns_needed, judge, matches, sector_columns_needed
from analysis.errors import AnalysisError
from analysis.play import checks
from analysis.play.experiment import BASE, play
from analysis.play.lockstep import Arm
from analysis.play.options import Options, Settings
from analysis.runs.months import months_of
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, paired_share_difference, wilson

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.schema import Expectation

WITHOUT = "without:"


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation of a chapter and the share of seeds in which it holds."""

    id: str
    section: str
    says: str
    share: Interval


@dataclass(frozen=True)
class CauseResult:
    """One cause that a chapter names: what taking it away does to the share of seeds that match.

    effect: share without the cause minus share with it, in the same seeds; negative where the cause matters.
    """

    name: str
    section: str
    says: str
    effect: Interval
    share_without: float


@dataclass(frozen=True)
class CaseResult:
    """One case over all seeds. `median_end` is None while at least half of the focal firms have not ended."""

    id: str
    name: str
    title: str
    focal: str
    match: Interval
    expectations: tuple[ExpectationResult, ...]
    causes: tuple[CauseResult, ...]
    endings: dict[str, int]
    median_end: date | None


@dataclass(frozen=True)
class CasesResult:
    """All cases of one experiment, with the run behind them."""

    run: Run
    cases: tuple[CaseResult, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per case and cause taken away ("": none): case, without, match, low, high, n, effect.

        `low` and `high` bound the match of the case as it is, and the effect of a cause taken away.
        """
        rows = []
        for case in self.cases:
            rows.append({"case": case.id, "without": "", **case.match.as_dict("match"), "effect": None})
            for one in case.causes:
                bounds = one.effect.as_dict("effect")
                rows.append({"case": case.id, "without": one.name, "match": one.share_without, **bounds})
        return pd.DataFrame(rows, columns=["case", "without", "match", "low", "high", "n", "effect"])


def cases(names: Sequence[str] = (), **options: Unpack[Options]) -> CasesResult:
    """Play cases, each as it is and with every named cause taken away, all in the same seeds.

    names: ids, names or short names ("CASE-VISION", "cases/vision", "vision") or YAML files; none: all shipped cases.
    options: as for `run`. Raises as `run`.
    """
    setups = load_cases(names)
    return play_cases(setups, [arm for setup in setups for arm in arms_of_case(setup)], Settings.of(options))


def play_cases(setups: Sequence[Scenario], arms: Sequence[Arm], settings: Settings) -> CasesResult:
    """Play arms of these cases, at least those of `arms_of_case`, and judge the cases."""
    name = setups[0].name if len(setups) == 1 else "cases"
    run = play(arms, settings, kind="cases", name=name)
    return CasesResult(run, tuple(assess_case(run, setup) for setup in setups))


def arms_of_case(setup: Scenario) -> list[Arm]:
    """The case itself and one arm without each cause."""
    taken = [Arm(setup.name, f"{WITHOUT}{cause}", setup.without(cause)) for cause in setup.causes]
    return [Arm(setup.name, BASE, setup), *taken]


def load_cases(names: Sequence[str] = ()) -> list[Scenario]:
    """The named cases; none named: all shipped ones."""
    return [load_case(name) for name in (checks.names("names", names) or shipped_cases())]


def shipped_cases() -> list[str]:
    """Names of all shipped cases."""
    from scenarios import catalogue

    return [entry.name for entry in catalogue() if entry.group == "cases"]


def load_case(name: str) -> Scenario:
    """The case of that id, name, short name or file; raises `AnalysisError` with the likely typo."""
    from scenarios import catalogue, load

    spellings: dict[str, str] = {}
    for entry in catalogue():
        if entry.group == "cases":
            for spelling in (entry.name, entry.name.rpartition("/")[2], entry.id or entry.name):
                spellings[spelling.lower()] = entry.name
    if name.lower() in spellings:
        setup = load(spellings[name.lower()])
    elif Path(name).suffix in (".yaml", ".yml"):
        setup = load(name)
    else:
        likely = difflib.get_close_matches(name.lower(), spellings, n=1)
        hint = f" (did you mean {likely[0]}?)" if likely else ""
        raise AnalysisError(f"unknown case {name!r}{hint}; there are {', '.join(shipped_cases())}")
    if setup.focal is None or not setup.expect:
        raise AnalysisError(f"{name} is no case: it names no focal firm or expects nothing of it")
    return setup


def assess_case(run: Run, setup: Scenario) -> CaseResult:
    """Judge one case of a run, from its tables alone."""
    evidence = read_evidence(run, setup, BASE)
    verdicts = judge(setup.expect, setup.focal, evidence)
    matched = matches(verdicts)
    own = evidence.endings[evidence.endings["firm"] == setup.focal]
    return CaseResult(
        id=setup.id or setup.name,
        name=setup.name,
        title=setup.title,
        focal=str(setup.focal),
        match=share_of(matched),
        expectations=tuple(
            ExpectationResult(expected.id, expected.section, expected.says, share_of(verdicts[expected.id]))
            for expected in setup.expect
        ),
        causes=tuple(assess_cause(run, setup, name, matched) for name in setup.causes),
        endings={str(ending): int(count) for ending, count in own["ending"].value_counts().items()},
        median_end=median_end(own),
    )


def assess_cause(run: Run, setup: Scenario, name: str, matched: pd.Series) -> CauseResult:
    """What taking one cause away does; `matched` says which seeds match with the cause in place."""
    without = matches(judge(setup.expect, setup.focal, read_evidence(run, setup, f"{WITHOUT}{name}")))
    cause = setup.causes[name]
    effect = paired_share_difference(without.to_numpy(), matched.to_numpy())
    return CauseResult(name, cause.section, cause.says, effect, float(without.mean()))


def read_evidence(run: Run, setup: Scenario, arm: str, expect: Sequence[Expectation] | None = None) -> Evidence:
    """The tables that the expectations of a case, or others, need, of one arm."""
    expect = setup.expect if expect is None else expect
    firms = run.select("firms", setup.name, arm, columns_needed(expect))
    if columns := sector_columns_needed(expect):
        sectors = run.select("sectors", setup.name, arm, [*SECTOR_MONTH, *columns])
        firms = firms.merge(sectors, on=SECTOR_MONTH, how="left")
    events = run.select("events", setup.name, arm, ["seed", "time", "kind", "firm", "other"])
    columns = ["seed", "firm", "ended", "ending", "raised_usd", "exit_value_usd"]
    endings = run.select("endings", setup.name, arm, columns)
    return Evidence(run.seeds, months_of(run, setup.name, arm), firms, events, endings)


def share_of(met: pd.Series) -> Interval:
    """Share of seeds, with Wilson's interval."""
    return wilson(int(met.sum()), len(met))


def median_end(endings: pd.DataFrame) -> date | None:
    """Median date at which firms ended; those that have not ended count as later than all others.

    Of an even number the later one in the middle, so that there is a date only where more than half have ended.
    """
    ended = endings["ended"].sort_values(na_position="last")
    middle = ended.iloc[len(ended) // 2] if len(ended) else pd.NaT
    return None if pd.isna(middle) else pd.Timestamp(middle).date()


def as_document(result: CasesResult) -> dict[str, Any]:
    """The result as JSON says it."""
    return {
        "cases": [_case_document(case) for case in result.cases],
        "training": result.run.training_cost,
        "seconds": result.run.manifest["seconds"],
        "out": str(result.run.folder),
    }


def _case_document(case: CaseResult) -> dict[str, Any]:
    return {
        "id": case.id,
        "scenario": case.name,
        "title": case.title,
        "focal": case.focal,
        "match": case.match.as_dict("share"),
        "expectations": [
            {"id": one.id, "section": one.section, "says": one.says, **one.share.as_dict("share")}
            for one in case.expectations
        ],
        "causes": [
            {
                "name": one.name,
                "section": one.section,
                "says": one.says,
                **one.effect.as_dict("effect"),
                "share_without": one.share_without,
            }
            for one in case.causes
        ],
        "endings": case.endings,
        "median_end": case.median_end.isoformat() if case.median_end else None,
    }
