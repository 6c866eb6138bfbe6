"""What is known of one firm of a run: its part of the tables, and facts that each name the row they stand in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.errors import DamagedRun
from analysis.runs.months import months_of_scenario
from analysis.runs.run import Run
from analysis.statistics.written import NO_NUMBER, written_number


@dataclass(frozen=True)
class Subject:
    """One firm in one world of a run."""

    scenario: str
    arm: str
    seed: int
    firm: str


@dataclass(frozen=True)
class Fact:
    """One statement. `table`, `key` and the date `when` name its row; `weight` (0..10) says how telling it is."""

    when: pd.Timestamp
    kind: str
    says: str
    table: str
    key: str
    weight: int = field(default=5, compare=False)

    @property
    def trace(self) -> str:
        """Where the statement comes from: table, date, key."""
        return f"{self.table} {self.when:%Y-%m-%d} {self.key}".strip()

    def as_document(self) -> dict[str, Any]:
        """The fact as JSON says it."""
        row = {"table": self.table, "time": f"{self.when:%Y-%m-%d}", "key": self.key}
        return {"time": f"{self.when:%Y-%m-%d}", "kind": self.kind, "says": self.says, "row": row}


@dataclass(frozen=True)
class Record:
    """The tables of one firm. Money in USD; `setup` is the complete scenario as plain data.

    months: its rows of `firms`; events: its own; others: of its sector's other firms and of the law;
    ending: its row of `endings`; sectors: its sector by month; training: the ledger's rows of its runs by key.
    """

    subject: Subject
    months: pd.DataFrame
    events: pd.DataFrame
    others: pd.DataFrame
    rounds: pd.DataFrame
    ending: Mapping[Any, Any]
    sectors: pd.DataFrame
    training: dict[str, dict[str, Any]]
    setup: dict[str, Any]

    @property
    def firm(self) -> str:
        """Name of the firm."""
        return self.subject.firm

    @cached_property
    def run_end(self) -> pd.Timestamp:
        """First day after the run, to which the decisions of its last month are dated."""
        return months_of_scenario(self.setup).end

    @property
    def failed(self) -> bool:
        """Whether it ended bankrupt, or was bought for less than was raised."""
        return is_failure(self.ending)

    def of(self, kind: str) -> pd.DataFrame:
        """Its events of one kind."""
        return self.events[self.events["kind"] == kind]


def is_failure(ending: Mapping[Any, Any]) -> bool:
    """Whether an ending is bankruptcy or a sale for less than was raised."""
    sold_low = ending["ending"] == "acquired" and ending["exit_value_usd"] < ending["raised_usd"]
    return bool(ending["ending"] == "bankrupt" or sold_low)


def read_record(run: Run, subject: Subject) -> Record:
    """The tables of one firm that stands in the run."""
    world = (subject.scenario, subject.arm)
    here = [("seed", "==", subject.seed)]
    own = [*here, ("firm", "==", subject.firm)]
    endings = run.select("endings", *world, where=here)
    ending = endings[endings["firm"] == subject.firm].iloc[0].to_dict()
    events = run.select("events", *world, where=here)
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
        training=read_training(run, {*months.get("ledger_key", ()), *events.loc[mine, "cause"]}),
        setup=resolved_of(run, subject),
    )


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


def resolved_of(run: Run, subject: Subject) -> dict[str, Any]:
    """The complete scenario of the subject's arm, as the manifest keeps it."""
    return dict(arm_of(run, subject)["resolved"])


def arm_of(run: Run, subject: Subject) -> dict[str, Any]:
    """What the manifest says of the subject's arm."""
    arms = run.manifest["arms"]
    return next(a for a in arms if (a["scenario"], a["arm"]) == (subject.scenario, subject.arm))


def money(usd: float) -> str:
    """USD with three figures: 1.30 M$, 64.2 k$; a dash where there is none."""
    if usd != usd:
        return NO_NUMBER
    for size, unit in ((1e9, "B$"), (1e6, "M$"), (1e3, "k$")):
        if abs(usd) >= size:
            return f"{usd / size:.3g} {unit}"
    return f"{usd:.0f} $"


def count(number: float) -> str:
    """Customers, which are real numbers: one decimal where there are few."""
    return written_number(number, ",.1f" if 0 < number < 10 else ",.0f")


def figure(value: float, form: str = ".2f") -> str:
    """A number, or a dash where there is none."""
    return written_number(value, form)
