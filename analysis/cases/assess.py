"""Playing the case chapters: does everything that a chapter states hold, and for the reasons that it gives?

Two shares of seeds are told apart everywhere: those that meet *every statement* (the match), and those that have the
chapter's *ending*, in which its statements of kind `ending` hold whatever becomes of the others.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pandas as pd

from analysis.cases.expectations import (
    SECTOR_MONTH,
    Evidence,
    columns_needed,
    ends_as_stated,
    judge,
    matches,
    sector_columns_needed,
)
from analysis.errors import AnalysisError
from analysis.play import checks
from analysis.play.experiment import BASE, play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayArguments, PlayOptions
from analysis.play.plugins import acting_in
from analysis.runs.months import months_of
from analysis.runs.run import Run
from analysis.statistics.intervals import Interval, paired_share_difference, wilson

if TYPE_CHECKING:
    from scenarios import Scenario
    from scenarios.expectation import Expectation

WITHOUT = "without:"


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation of a chapter and the share of seeds in which it holds; `kind` is ending, metric or event."""

    id: str
    section: str
    says: str
    share: Interval
    kind: str


@dataclass(frozen=True)
class ShareChange:
    """What taking a cause away does to a share of seeds.

    effect: share without the cause minus share with it, in the same seeds; negative where the cause brings it about.
    """

    effect: Interval
    share_without: float


@dataclass(frozen=True)
class CauseResult:
    """One cause that a chapter names: what taking it away does to the share of seeds that meet every statement.

    effect, share_without: as `ShareChange` has them.
    ending: the same of the share of seeds with the chapter's ending; None where the chapter states none.
    """

    name: str
    section: str
    says: str
    effect: Interval
    share_without: float
    ending: ShareChange | None = None


@dataclass(frozen=True)
class CaseResult:
    """One case over all seeds.

    match: share of seeds that meet every statement.
    median_end: None while at least half of the focal firms have not ended.
    ending: share of seeds in which every statement of kind `ending` holds; None where the chapter states none.
    unmet, unmet_ending: the other seeds, so that both shares can be formed of some seeds alone.
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


@dataclass(frozen=True)
class CasesResult:
    """All cases of one experiment, with the run behind them."""

    run: Run
    cases: tuple[CaseResult, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per case and cause taken away ("": none).

        Columns: case, without, match, low, high, n, effect, and ending, ending_low, ending_high, ending_effect.
        `low` and `high` bound the share of the case as it is, and the effect of a cause taken away.
        """
        rows = [row for case in self.cases for row in _table_rows(case)]
        ending = ["ending", "ending_low", "ending_high", "ending_effect"]
        return pd.DataFrame(rows, columns=["case", "without", "match", "low", "high", "n", "effect", *ending])


def cases(names: Sequence[str] = (), **options: Unpack[PlayArguments]) -> CasesResult:
    """Play cases, each as it is and with every named cause taken away, all in the same seeds.

    names: ids, names or short names ("CASE-VISION", "cases/vision", "vision") or YAML files; none: all shipped cases.
    options: as for `run`. Raises as `run`.
    """
    settings = PlayOptions.of(options)
    setups = load_cases(names, settings.plugins)
    return play_cases(setups, [arm for setup in setups for arm in arms_of_case(setup)], settings)


def play_cases(setups: Sequence[Scenario], arms: Sequence[Arm], settings: PlayOptions) -> CasesResult:
    """Play arms of these cases, at least those of `arms_of_case`, and judge the cases."""
    name = setups[0].name if len(setups) == 1 else "cases"
    run = play(arms, settings, kind="cases", name=name)
    return CasesResult(run, tuple(assess_case(run, setup) for setup in setups))


def arms_of_case(setup: Scenario) -> list[Arm]:
    """The case itself and one arm without each cause."""
    taken = [Arm(setup.name, f"{WITHOUT}{cause}", setup.without(cause)) for cause in setup.causes]
    return [Arm(setup.name, BASE, setup), *taken]


def load_cases(names: Sequence[str] = (), plugins: Sequence[Any] = ()) -> list[Scenario]:
    """The named cases; none named: all shipped ones. These loaded plug-ins act in them."""
    return [acting_in(load_case(name), plugins) for name in (checks.names("names", names) or shipped_cases())]


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
    met, ended = matches(verdicts), ends_as_stated(setup.expect, verdicts)
    own = evidence.endings[evidence.endings["firm"] == setup.focal]
    return CaseResult(
        id=setup.id or setup.name,
        name=setup.name,
        title=setup.title,
        focal=str(setup.focal),
        match=share_of(met),
        expectations=tuple(
            ExpectationResult(one.id, one.section, one.says, share_of(verdicts[one.id]), one.kind)
            for one in setup.expect
        ),
        causes=tuple(assess_cause(run, setup, name, verdicts) for name in setup.causes),
        endings={str(ending): int(count) for ending, count in own["ending"].value_counts().items()},
        median_end=median_end(own),
        ending=None if ended is None else share_of(ended),
        unmet=seeds_without(met),
        unmet_ending=None if ended is None else seeds_without(ended),
    )


def assess_cause(run: Run, setup: Scenario, name: str, with_cause: pd.DataFrame) -> CauseResult:
    """What taking one cause away does; `with_cause`: which statements hold with the cause in place, seed by seed."""
    without = judge(setup.expect, setup.focal, read_evidence(run, setup, f"{WITHOUT}{name}"))
    cause = setup.causes[name]
    match = share_change(matches(without), matches(with_cause))
    ended, ended_before = (ends_as_stated(setup.expect, verdicts) for verdicts in (without, with_cause))
    ending = None if ended is None or ended_before is None else share_change(ended, ended_before)
    return CauseResult(name, cause.section, cause.says, match.effect, match.share_without, ending)


def share_change(without: pd.Series, with_cause: pd.Series) -> ShareChange:
    """Two verdicts on the same seeds compared, shape (seeds,) each; Tango's interval for paired shares."""
    effect = paired_share_difference(without.to_numpy(), with_cause.to_numpy())
    return ShareChange(effect, float(without.mean()))


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


def seeds_without(met: pd.Series) -> tuple[int, ...]:
    """Seeds in which it does not hold."""
    return tuple(int(seed) for seed in met.index[~met])


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


def _table_rows(case: CaseResult) -> Iterator[dict[str, Any]]:
    """Rows of `CasesResult.table`: the case as it is, then without each cause."""
    ending = case.ending and _under("ending", case.ending.as_dict("ending"))
    yield {"case": case.id, "without": "", **case.match.as_dict("match"), **(ending or {})}
    for one in case.causes:
        row = {"case": case.id, "without": one.name, "match": one.share_without, **one.effect.as_dict("effect")}
        if one.ending:
            bounds = _under("ending", one.ending.effect.as_dict("ending_effect"))
            row |= {"ending": one.ending.share_without, **bounds}
        yield row


def _under(name: str, interval: dict[str, Any]) -> dict[str, Any]:
    """Columns of a second interval of a row: its bounds under names of their own; n is the row's."""
    renamed = {"low": f"{name}_low", "high": f"{name}_high"}
    return {renamed.get(key, key): value for key, value in interval.items() if key != "n"}
