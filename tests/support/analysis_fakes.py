"""A small world that follows the protocol of the real one: quick, keyed by its seed, with an ending one can steer."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from analysis.play.lockstep import Engine
from scenarios.expectation import Expectation
from scenarios.statements import Cause
from simulation.records.recorder import Recorder
from simulation.training.plan import TrainingPlan
from tests.support.service import FakeService, open_service

FOCAL, RIVAL, GIANT = "iris", "rival", "giant"
PROFITABLE = Expectation(id="ending", section="5.1", says="It becomes profitable.", ending=("profitable",))
SKILL = Cause(section="5.1", says="A strong team.", set={"firms.iris.skill": 0.1})


@dataclass(frozen=True)
class FakeScenario:
    """`p_success`: chance that the focal firm ends profitable.

    `pause_s`: real seconds that each month takes; `endless_seed`: a world that goes on until it is ended from outside.
    """

    name: str = "cases/fake"
    id: str | None = "CASE-FAKE"
    title: str = "A fake case"
    start: date = date(2015, 1, 1)
    years: int = 1
    focal: str | None = FOCAL
    expect: tuple[Expectation, ...] = (PROFITABLE,)
    causes: dict[str, Cause] = field(default_factory=lambda: {"team": SKILL})
    plugins: dict[str, Any] = field(default_factory=dict)
    firms: dict[str, Any] = field(default_factory=dict)
    entrants: dict[str, Any] = field(default_factory=dict)
    endowments: dict[str, str] = field(default_factory=dict)
    p_success: float = 0.8
    pause_s: float = 0.0
    endless_seed: int | None = None
    broken_seed: int | None = None
    killed_seed: int | None = None

    @property
    def n_months(self) -> int:
        return 12 * self.years

    def largest_foundation(self) -> None:
        """It trains none."""

    def without(self, *causes: str) -> FakeScenario:
        return replace(self, p_success=0.1) if causes else self

    def twin(self) -> FakeScenario:
        return replace(self, p_success=0.4)

    def model_dump(self, mode: str = "python") -> dict[str, Any]:
        """Content without what takes time, which is no part of the experiment."""
        content = asdict(replace(self, expect=(), causes={}, pause_s=0.0, endless_seed=None))
        return json.loads(json.dumps(content, default=str))

    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.model_dump()).encode()).hexdigest()


class FakeWorld:
    """Three firms; the focal one ends profitable or goes bankrupt after half the months. Takes real scenarios too."""

    def __init__(self, scenario: Any, seed: int, service: FakeService) -> None:
        if seed == getattr(scenario, "broken_seed", None):
            raise ValueError(f"seed {seed} cannot be built")
        if seed == getattr(scenario, "killed_seed", None):
            os.kill(os.getpid(), signal.SIGKILL)
        self.scenario, self.seed, self.service = scenario, seed, service
        self.focal = scenario.focal or FOCAL
        self.month, self.n_months = 0, scenario.n_months
        self.draws = np.random.default_rng([seed, 1]).random(self.n_months + 1)
        self.succeeds = bool(self.draws[-1] < getattr(scenario, "p_success", 0.8))
        self.key = ""
        self.rows: list[dict[str, Any]] = []

    def advance_clock(self) -> set[str]:
        if self.month % 3:
            return set()
        what = f"{self.scenario.name}-{self.seed}-{self.month}"  # arms of one seed share their plans
        number = int(hashlib.sha256(what.encode()).hexdigest()[:12], 16)
        self.key = self.service.submit(TrainingPlan("speech", "linear", 0, 64, seed=number))
        return {self.key}

    def finish_month(self) -> None:
        time.sleep(getattr(self.scenario, "pause_s", 0.0))
        while self.seed == getattr(self.scenario, "endless_seed", None):
            time.sleep(1.0)
        quality = int(self.service.result(self.key).key[:8], 16) / 16**8
        for firm in (self.focal, RIVAL, GIANT):
            if firm == self.focal and not self.succeeds and self.month >= self.n_months // 2:
                continue
            self.rows.append(self.row(firm, quality))
        self.month += 1

    def row(self, firm: str, quality: float) -> dict[str, Any]:
        growth = {self.focal: 10.0, RIVAL: 5.0, GIANT: 20.0}[firm] * (1 + self.draws[self.month])
        kind = "incumbent" if firm == GIANT else "startup"
        return {
            "month": self.date_of(self.month), "firm": firm, "kind": kind, "sector": "security",
            "founded": self.date_of(0), "cash_usd": 1e6 - 1e4 * self.month, "revenue_usd": 1000 * growth,
            "costs_usd": 12000.0, "customers": growth * self.month, "headcount": 5.0, "price_usd": 10.0,
            "quality_lab": 0.9, "quality_field": 0.5 + quality / 4, "trust": 0.5, "share": growth / 100,
            "paying_customers": growth, "rows": 1e4, "rung": 3, "run_months": 1.0,
            "licence_solution_share": 0.5, "inference_flops": 1e4, "broken_runs": 0, "lost_runs": 0.0,
            "ledger_key": self.key, "status": "alive",
        }  # fmt: skip

    def date_of(self, month: int) -> pd.Timestamp:
        return pd.Timestamp(self.scenario.start) + pd.DateOffset(months=month)

    def training_keys(self) -> set[str]:
        return set(self.service.used_keys)

    def tables(self) -> dict[str, pd.DataFrame]:
        firms = pd.DataFrame(self.rows)
        sectors = firms.groupby("month").agg(n_firms=("firm", "size"), best_quality_field=("quality_field", "max"))
        sectors = sectors.reset_index().assign(
            sector="security",
            entries=0,
            exits=0,
            hhi=0.4,
            adopters=100.0,
            consumer_surplus_usd=1e5,
            traditional_lab=0.6,
            traditional_field=0.4,
        )
        event = {"time": self.date_of(1), "kind": "round", "firm": self.focal, "other": "fund", "amount_usd": 1e6}
        events = pd.DataFrame([{**event, "fields": '{"stage": "seed"}'}])
        rounds = pd.DataFrame(
            [{"time": self.date_of(1), "firm": self.focal, "round": "seed", "amount_usd": 1e6, "pre_money_usd": 5e6}]
        ).assign(investors="fund")
        funds = pd.DataFrame([{"fund": "fund", "vintage": 2014, "paid_in_usd": 1e6, "dpi": 0.0}])
        accounts = pd.DataFrame([{"year": 2015, "programme": "taxes", "flow": "received", "usd": -1e4}])
        return Recorder().frames() | {
            "firms": firms, "sectors": sectors, "events": events, "rounds": rounds, "endings": self.endings(),
            "funds": funds, "foundations": pd.DataFrame(columns=["month", "lab"]), "public_accounts": accounts,
        }  # fmt: skip

    def endings(self) -> pd.DataFrame:
        focal = "profitable" if self.succeeds else "bankrupt"
        ended = self.date_of(self.n_months // 2) if not self.succeeds else self.date_of(self.n_months - 1)
        common = {"founded": self.date_of(0), "causes": "", "exit_value_usd": 0.0, "sector": "security"}
        rows = [
            {"firm": self.focal, "ended": ended, "ending": focal, "raised_usd": 1e6, "kind": "startup"},
            {"firm": RIVAL, "ended": pd.NaT, "ending": "alive", "raised_usd": 0.0, "kind": "startup"},
            {"firm": GIANT, "ended": pd.NaT, "ending": "alive", "raised_usd": 0.0, "kind": "incumbent"},
        ]
        return pd.DataFrame([{**row, **common} for row in rows])


ENGINE = Engine(FakeWorld, open_service)
