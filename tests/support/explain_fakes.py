"""Runs for the tests of `explain`: a small real world on a training service that computes, and hand-made tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.explain.facts import Record, Subject
from analysis.play.experiment import play
from analysis.play.lockstep import Arm, Engine
from analysis.play.options import PlayOptions
from analysis.runs.months import RunMonths
from analysis.runs.run import Run
from scenarios.build import build_world
from simulation.records.endings import GONE
from tests.support.service import open_service
from tests.support.world_fakes import scenario_of

ENTRANTS = {"new": {"sector": "vision", "per_year": 0, "at_start": 2, "offers": [{"cameras": "subscription"}]}}


ENGINE = Engine(build_world, open_service)


def play_small(out: Path, seeds: int = 2) -> Run:
    """The small market for three years, its startup iris under-funded, with two drawn entrants and a second arm."""
    base = scenario_of({"entrants": ENTRANTS})
    rich = scenario_of({"entrants": ENTRANTS, "firms": {"iris": {"capital_usd": 1e7}}})
    settings = PlayOptions(replications=seeds, jobs=1, out=out, ledger=":memory:")
    return play([Arm("small", "base", base), Arm("small", "rich", rich)], settings, kind="run", name="s", engine=ENGINE)


KEY = "0123456789abcdef0123456789abcdef"
START = pd.Timestamp("2016-01-01")
CASH = {"kind": "cash"}


def months_of(**columns: list[Any]) -> pd.DataFrame:
    """Rows of the firms table from 2016-01 on; columns that are not given stay flat."""
    n = len(next(iter(columns.values())))
    flat: dict[str, Any] = {
        "cash_usd": 1e6, "revenue_usd": 1e4, "costs_usd": 5e4, "customers": 100.0, "paying_customers": 100.0,
        "headcount": 10.0, "trust": 0.5, "share": 0.1, "rows": 5e4, "quality_lab": 0.8, "quality_field": 0.5,
        "ledger_key": KEY, "freemium_paying": 0.0, "freemium_free": 0.0,
    }  # fmt: skip
    month = pd.date_range("2016-01-01", periods=n, freq="MS")
    return pd.DataFrame({"month": month, "firm": "iris", **{k: [v] * n for k, v in flat.items()}, **columns})


def events_of(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of the events table as a record holds them: (time, kind, firm, other, amount_usd[, data]).

    What is dated to the first day of a month was decided at the end of the month before, but for the run's first day
    and laws.
    """
    columns = ["time", "kind", "firm", "other", "amount_usd", "data"]
    frame = pd.DataFrame([(*row, {})[:6] for row in rows], columns=columns)
    times = pd.to_datetime(frame["time"])
    own_month = (frame["kind"] == "law") | (times == START)
    month = times.where(own_month, times - pd.Timedelta(days=1)).dt.to_period("M").dt.to_timestamp()
    place = [1000 * time.toordinal() + i for i, time in enumerate(times)]
    return frame.assign(time=times, month=month, place=place)


def record_of(
    months: pd.DataFrame,
    events: pd.DataFrame,
    ending: dict[str, Any] | None = None,
    causes: tuple[dict[str, Any], ...] = (CASH,),
    **more: Any,
) -> Record:
    """A firm's record from hand-made tables; it ends bankrupt after its last month unless `ending` says else.

    causes: what the run recorded of a bankruptcy.
    """
    last = months["month"].max()
    gone = {"ending": "bankrupt", "ended": last + pd.DateOffset(months=2)}  # it is measured until the month before
    common = {"firm": "iris", "founded": months["month"].min(), "raised_usd": 1e6, "exit_value_usd": 0.0}
    sectors = pd.DataFrame({"month": months["month"], "traditional_lab": 0.5, "traditional_field": 0.45})
    plan = {"kind": "cnn", "rung": 2, "rows": 512, "coverage": 0.0, "recipe": {"optimizer": "adam"}}
    training = {KEY: {"plan": plan, "accuracy_lab": 0.8, "accuracy_field": 0.5}}
    parts: dict[str, Any] = {
        "others": events_of(), "rounds": pd.DataFrame(), "sectors": sectors, "training": training,
        "period": RunMonths(months["month"].min(), 12 * -(-len(months) // 12)), "scenario": None,
    }  # fmt: skip
    parts.update(more)
    full = {**common, "kind": "startup", "sector": "vision", **gone, **(ending or {})}
    if full["ending"] in GONE:
        end = events_of((full["ended"], full["ending"], "iris", "", 0.0, {"causes": list(causes)}))
        events = pd.concat([events, end], ignore_index=True) if len(events) else end
    return Record(Subject("s", "base", 0, "iris"), months, events, ending=full, **parts)
