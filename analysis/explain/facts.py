"""What is known of one firm of a run: its part of the tables, and facts that each name the row they stand in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.errors import AnalysisError, DamagedRun
from analysis.explain.moments import Moment, end_of, measured_in
from analysis.runs.choose import BASE
from analysis.runs.manifest import ArmNote
from analysis.runs.months import RunMonths, months_of
from analysis.runs.run import Run
from analysis.statistics.written import written_number
from simulation.records.endings import FAILED, GONE, sold_low

if TYPE_CHECKING:
    from scenarios import Scenario


@dataclass(frozen=True)
class Subject:
    """One firm in one world of a run."""

    scenario: str
    arm: str
    seed: int
    firm: str


@dataclass(frozen=True)
class Fact:
    """One statement.

    when: the date by which it is told; moment: what it is ordered by.
    table, key, row_time: the row it comes from; the row's own date is `when` where `row_time` is None.
    weight: 0 to 10, how telling it is.
    headline: the statement without its details; empty where it has none.
    ledger_key: the training run that it speaks of. data: what the row says as fields, for the rules.
    """

    when: pd.Timestamp
    moment: Moment
    kind: str
    says: str
    table: str
    key: str
    weight: int = field(default=5, compare=False)
    row_time: pd.Timestamp | None = field(default=None, compare=False)
    headline: str = field(default="", compare=False)
    ledger_key: str = field(default="", compare=False)
    data: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def short(self) -> str:
        """The statement, for where it is named beside others."""
        return self.headline or self.says

    @property
    def row_date(self) -> pd.Timestamp:
        """The date in its row."""
        return self.when if self.row_time is None else self.row_time

    @property
    def trace(self) -> str:
        """Where the statement comes from: table, date, key."""
        return f"{self.table} {self.row_date:%Y-%m-%d} {self.key}".strip()

    def as_document(self) -> dict[str, Any]:
        """JSON-serialisable dict; schema in docs/explain.md."""
        row = {"table": self.table, "time": f"{self.row_date:%Y-%m-%d}", "key": self.key}
        order = self.moment.as_document()
        return {"time": f"{self.when:%Y-%m-%d}", "moment": order, "kind": self.kind, "says": self.says, "row": row}


def month_fact(
    month: pd.Timestamp, kind: str, says: str, key: str, weight: int = 5, data: Mapping[str, Any] | None = None
) -> Fact:
    """What the firm's row of a month says; it is measured at the month's end."""
    return Fact(end_of(month), measured_in(month), kind, says, "firms", key, weight, row_time=month, data=data or {})


@dataclass(frozen=True)
class Record:
    """The tables of one firm. Money in USD.

    months: its rows of `firms`; events: its own; others: of its sector's other firms and of the law. Events have the
        columns `place`, their row number in the world, and `data`, their fields as a mapping.
    ending: its row of `endings`; sectors: its sector by month; training: the ledger's rows of its runs by key.
    period: the months of the run. scenario: what was played; None where this release cannot read it.
    """

    subject: Subject
    months: pd.DataFrame
    events: pd.DataFrame
    others: pd.DataFrame
    rounds: pd.DataFrame
    ending: Mapping[Any, Any]
    sectors: pd.DataFrame
    training: dict[str, dict[str, Any]]
    period: RunMonths
    scenario: Scenario | None

    @property
    def firm(self) -> str:
        """Name of the firm."""
        return self.subject.firm

    @property
    def failed(self) -> bool:
        """Whether it failed, or was bought for less than was raised."""
        return is_failure(self.ending)

    @property
    def gone(self) -> bool:
        """Whether it left the market before the run was over."""
        return self.ending["ending"] in GONE

    def of(self, kind: str) -> pd.DataFrame:
        """Its events of one kind."""
        return self.events[self.events["kind"] == kind]


def is_failure(ending: Mapping[Any, Any]) -> bool:
    """Whether an ending is a failure (`simulation.records.endings`) or a sale for less than was raised."""
    how = str(ending["ending"])
    return how in FAILED or bool(sold_low(how, ending["exit_value_usd"], ending["raised_usd"]))


def read_record(run: Run, subject: Subject) -> Record:
    """The tables of one firm that stands in the run."""
    world = (subject.scenario, subject.arm)
    here = [("seed", "==", subject.seed)]
    own = [*here, ("firm", "==", subject.firm)]
    endings = run.select("endings", *world, where=here)
    ending = endings[endings["firm"] == subject.firm].iloc[0].to_dict()
    events = read_events(run, *world, here)
    same = set(endings.loc[endings["sector"] == ending["sector"], "firm"]) | {""}
    months = run.select("firms", *world, where=own).reset_index(drop=True)
    sectors = run.select("sectors", *world, where=[*here, ("sector", "==", ending["sector"])])
    mine = events["firm"] == subject.firm
    return Record(
        subject=subject,
        months=months,
        events=events[mine].reset_index(drop=True),
        others=events[~mine & events["firm"].isin(same)].reset_index(drop=True),
        rounds=run.select("rounds", *world, where=own),
        ending=ending,
        sectors=sectors.reset_index(drop=True),
        training=read_training(
            run, {*months.get("ledger_key", ()), *(data.get("run") for data in events.loc[mine, "data"])}
        ),
        period=months_of(run, *world),
        scenario=readable_scenario(run, subject),
    )


def runs_of(data: Iterable[Mapping[str, Any]]) -> set[Any]:
    """Keys of the training runs that events are about."""
    return {fields["run"] for fields in data if "run" in fields}


def read_events(run: Run, scenario: str, arm: str, here: list[tuple[str, str, Any]]) -> pd.DataFrame:
    """All events of a world in the order in which they happened, with `place` and `data`.

    Raises `AnalysisError` where an earlier release wrote them without their month, or where fields are damaged.
    """
    events = run.select("events", scenario, arm, where=here).reset_index(drop=True)
    if events["month"].isna().any():
        raise AnalysisError(
            f"{run.folder} was made by an earlier release, whose events do not say in which month they were decided; "
            "play it again"
        )
    data = pd.Series([fields_of(run, text) for text in events["fields"]], index=events.index, dtype=object)
    return events.assign(place=range(len(events)), data=data)


def fields_of(run: Run, text: Any) -> dict[str, Any]:
    """The fields of an event."""
    if not text or not isinstance(text, str):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedRun(f"{run.folder / 'events.parquet'} is damaged: the fields of an event are no JSON") from error
    return found if isinstance(found, dict) else {}


def read_training(run: Run, keys: set[Any]) -> dict[str, dict[str, Any]]:
    """The ledger's rows of these keys, with their plans as mappings."""
    wanted = sorted(str(key) for key in keys if key)
    rows = run.select("training", where=[("key", "in", wanted)]).to_dict("records") if wanted else []
    return {str(row["key"]): {**{str(k): v for k, v in row.items()}, "plan": plan_of(row)} for row in rows}


def plan_of(row: dict[Any, Any]) -> dict[str, Any]:
    """The plan of a ledger row; raises `DamagedRun` where its text is none."""
    plan = row.get("plan") or {}
    try:
        return dict(json.loads(plan) if isinstance(plan, str) else plan)
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedRun(f"training run {row.get('key')} of the folder has no readable plan") from error


def readable_scenario(run: Run, subject: Subject) -> Scenario | None:
    """The scenario of the subject's arm; None where it is none for this release."""
    from scenarios import ScenarioError

    try:
        return scenario_of(run, subject)
    except ScenarioError:
        return None


def scenario_of(run: Run, subject: Subject) -> Scenario:
    """The complete scenario that the subject's seed was played with in its arm, as the manifest keeps it.

    Raises `ScenarioError` where it is none for this release.
    """
    from scenarios import Scenario
    from scenarios.strict_yaml.document import Document

    document = Document(dict(arm_of(run, subject).resolved), subject.scenario)
    setup = Scenario.from_document(document, subject.scenario)
    if run.manifest.over is None:
        return setup
    from scenarios.uncertainty import with_values

    sets, base = run.manifest.over.sets, arm_of(run, replace(subject, arm=BASE)).resolved
    return with_values(setup, sets[subject.seed % len(sets)], untouched_since=base)


def arm_of(run: Run, subject: Subject) -> ArmNote:
    """What the manifest says of the subject's arm."""
    return next(one for one in run.manifest.arms if (one.scenario, one.arm) == (subject.scenario, subject.arm))


def count(number: float) -> str:
    """Customers, which are real numbers: one decimal where there are few."""
    return written_number(number, ",.1f" if 0 < number < 10 else ",.0f")


def figure(value: float, form: str = ".2f") -> str:
    """A number, or a dash where there is none."""
    return written_number(value, form)
