"""Runs for the tests of `explain`: a small real world on a training service that computes, and hand-made tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from world_fakes import FakeService, scenario_of

from analysis.explain.facts import Record, Subject
from analysis.play.experiment import play
from analysis.play.lockstep import Arm, Engine
from analysis.play.options import Settings
from analysis.runs.run import Run
from scenarios.build import build_world

ENTRANTS = {"new": {"sector": "vision", "per_year": 0, "at_start": 2, "offers": [{"cameras": "subscription"}]}}


class EmptyLedger:
    """Keeps nothing."""

    def rows(self, keys: Iterable[str]) -> list[dict[str, Any]]:
        return []

    def add_many(self, runs: Iterable[Any]) -> bool:
        return True


class PlayableService(FakeService):
    """A computing service that the player of experiments can use."""

    ledger = EmptyLedger()


def open_service(ledger: Path, device: str, retrain: bool) -> PlayableService:
    return PlayableService()


ENGINE = Engine(build_world, open_service)


def play_small(out: Path, seeds: int = 2) -> Run:
    """The small market for three years, its startup iris under-funded, with two drawn entrants and a second arm."""
    base = scenario_of({"entrants": ENTRANTS})
    rich = scenario_of({"entrants": ENTRANTS, "firms": {"iris": {"capital_usd": 1e7}}})
    settings = Settings(replications=seeds, jobs=1, out=out, ledger=":memory:")
    return play([Arm("small", "base", base), Arm("small", "rich", rich)], settings, kind="run", name="s", engine=ENGINE)


KEY = "0123456789abcdef0123456789abcdef"


def months_of(**columns: list[Any]) -> pd.DataFrame:
    """Rows of the firms table from 2016-01 on; columns that are not given stay flat."""
    n = len(next(iter(columns.values())))
    flat: dict[str, Any] = {
        "cash_usd": 1e6, "revenue_usd": 1e4, "costs_usd": 5e4, "customers": 100.0, "paying_customers": 100.0,
        "headcount": 10.0, "trust": 0.5, "share": 0.1, "rows": 5e4, "quality_lab": 0.8, "quality_field": 0.5,
        "ledger_key": KEY,
    }  # fmt: skip
    month = pd.date_range("2016-01-01", periods=n, freq="MS")
    return pd.DataFrame({"month": month, "firm": "iris", **{k: [v] * n for k, v in flat.items()}, **columns})


def events_of(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of the events table: (time, kind, firm, other, amount_usd, cause, text)."""
    columns = ["time", "kind", "firm", "other", "amount_usd", "cause", "text"]
    frame = pd.DataFrame(list(rows), columns=columns)
    return frame.assign(time=pd.to_datetime(frame["time"]))


def record_of(months: pd.DataFrame, events: pd.DataFrame, ending: dict[str, Any] | None = None, **more: Any) -> Record:
    """A firm's record from hand-made tables; it ends bankrupt after its last month unless `ending` says else."""
    last = months["month"].max()
    gone = {"ending": "bankrupt", "causes": "cash ran out", "ended": last + pd.DateOffset(months=1)}
    common = {"firm": "iris", "founded": months["month"].min(), "raised_usd": 1e6, "exit_value_usd": 0.0}
    sectors = pd.DataFrame({"month": months["month"], "traditional_lab": 0.5, "traditional_field": 0.45})
    plan = {"kind": "cnn", "rung": 2, "rows": 512, "coverage": 0.0, "recipe": {"optimizer": "adam"}}
    training = {KEY: {"plan": plan, "accuracy_lab": 0.8, "accuracy_field": 0.5}}
    parts: dict[str, Any] = {
        "others": events_of(), "rounds": pd.DataFrame(), "sectors": sectors, "training": training,
        "setup": {
            "start": f"{months['month'].min():%Y-%m-%d}", "years": -(-len(months) // 12), "firms": {},
            "world": {"capital": {"revenue_multiple": 6, "growth_multiple": 8}},
        },
    }  # fmt: skip
    parts.update(more)
    full = {**common, "kind": "startup", "sector": "vision", **gone, **(ending or {})}
    return Record(Subject("s", "base", 0, "iris"), months, events, ending=full, **parts)
