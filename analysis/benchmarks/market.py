"""What a month of the market costs: against firms, against customers, and in the reference case. Training is apart.

All worlds are the shipped base market. Its own firms and streams make the reference case; for growth, startups are
founded at the start, spread over all sectors, and nobody enters later. Results of training stand ready at once, as they
do where the ledger holds them, so that what is timed is the market alone. Times are processor time of this one process:
on an idle machine that is time on the clock, and on a busy one it is disturbed less.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.build import build_world
from scenarios.load import load
from scenarios.schema import Scenario
from simulation.model import MarketModel
from simulation.training.bench.run import spread
from simulation.training.plan import TrainingPlan
from simulation.training.result import TrainingResult

Say = Callable[[str], None]
MARKET = "markets/base"
REFERENCE_YEARS, REFERENCE_FIRMS = 12, 40
REFERENCE_TARGET_S, EXPONENT_TARGET = 0.6, 1.05
# Months before the first measured one: by then first models are sold.
WARM_UP_MONTHS = 3


@dataclass(frozen=True)
class Sizes:
    """How much is measured: firms and repetitions by size, factors on all segments, months and plays of each world."""

    firms: Mapping[int, int]
    customer_factors: tuple[float, ...]
    n_months: int
    repeats: int
    reference_months: int
    reference_plays: int


FULL = Sizes({100: 7, 1_000: 5, 10_000: 2, 100_000: 1}, (0.01, 1.0, 10.0), 5, 7, 12 * REFERENCE_YEARS, 3)
QUICK = Sizes({30: 2, 60: 2}, (0.1, 1.0), 2, 1, 6, 1)


class ReadyResults:
    """A training service whose results stand ready; made up, but better for more rows, rungs and field data."""

    def __init__(self) -> None:
        self.plans: dict[str, TrainingPlan] = {}
        self.results: dict[str, TrainingResult] = {}

    def submit(self, plan: TrainingPlan) -> str:
        """Take a plan; returns its key."""
        key = plan.key()
        if key not in self.results:
            self.results[key] = made_up(plan, key)
        return key

    def train(self, due: Iterable[str]) -> int:
        """Everything is there already."""
        return 0

    def result(self, key: str) -> TrainingResult:
        """The made-up measures."""
        return self.results[key]


def made_up(plan: TrainingPlan, key: str) -> TrainingResult:
    """Measures of about the size that real ones have."""
    lab = min(0.35 + 0.1 * (plan.kind != "linear") + 0.035 * np.log2(plan.rows / 64) + 0.05 * plan.rung, 0.97)
    flops = 2e4 * 2.0**plan.rung
    return TrainingResult(
        key=key, accuracy_lab=float(lab), accuracy_field=float(lab - 0.25 * (1 - plan.coverage)), loss_lab=0.5,
        traditional_lab=0.5, traditional_field=0.4, calibration_error=0.05, fairness_gap=0.1, leakage=0.1,
        n_parameters=1000, model_bytes=4000, training_flops=1e9, inference_flops=flops, latency_us=1.0, seconds=0.0,
        device="none", torch_version="none",
    )  # fmt: skip


def synthetic(n_firms: int, customer_factor: float = 1.0) -> Scenario:
    """The base market with about `n_firms` startups at the start, no later entrants and scaled segments."""
    base = load(MARKET)
    streams = list(base.entrants)
    counts = [n_firms * (i + 1) // len(streams) - n_firms * i // len(streams) for i in range(len(streams))]
    changes: dict[str, Any] = {}
    for stream, count in zip(streams, counts, strict=True):
        nobody_later = {f"entrants.{stream}.{key}": 0 for key in ("per_year", "potential_per_year")}
        changes |= {f"entrants.{stream}.at_start": count, **nobody_later}
    for sector, settings in base.world.sectors.items():
        for name, segment in settings.segments.items():
            scaled = min(max(segment.customers * customer_factor, 1.0), 1e9)
            changes[f"world.sectors.{sector}.segments.{name}.customers"] = scaled
    return load(MARKET, changes)


def world_of(scenario: Scenario, seed: int = 0) -> MarketModel:
    """A world whose training results stand ready."""
    return build_world(scenario, seed, ReadyResults())  # type: ignore[arg-type]


def month_seconds(model: MarketModel, warm_up: int, months: int) -> tuple[list[float], float]:
    """(seconds of each measured month, mean number of living firms)."""
    for _ in range(warm_up):
        model.step()
    seconds, firms = [], []
    for _ in range(months):
        firms.append(len(model.living))
        started = time.process_time()
        model.step()
        seconds.append(time.process_time() - started)
    return seconds, float(np.mean(firms))


def growth_row(n_firms: int, factor: float, n_worlds: int, n_months: int) -> dict[str, Any]:
    """Cost of a month in worlds of one size: medians over months of all repetitions."""
    scenario, seconds, firms = synthetic(n_firms, factor), [], []
    for seed in range(n_worlds):
        measured, living = month_seconds(world_of(scenario, seed), WARM_UP_MONTHS, n_months)
        seconds += measured
        firms.append(living)
    mean_firms = float(np.mean(firms))
    return {
        "startups_founded": n_firms,
        "customer_factor": factor,
        "firms": mean_firms,
        "worlds": n_worlds,
        "months": len(seconds),
        "seconds_per_month": spread(seconds),
        "us_per_firm_month": spread([1e6 * value / mean_firms for value in seconds]),
    }


def exponent(sizes: Iterable[float], seconds: Iterable[float]) -> float:
    """Slope of log cost on log size: 1 where the cost of one firm's month does not depend on how many there are."""
    return float(np.polyfit(np.log(list(sizes)), np.log(list(seconds)), 1)[0])


def bench_growth(sizes: Sizes, say: Say) -> dict[str, Any]:
    """Cost against firms, with the fitted exponent over all sizes and between the two largest."""
    rows = []
    for n_firms, n_worlds in sizes.firms.items():
        say(f"firms: {n_firms:,}")
        rows.append(growth_row(n_firms, 1.0, n_worlds, sizes.n_months))
    firms = [row["firms"] for row in rows]
    seconds = [row["seconds_per_month"]["median"] for row in rows]
    return {
        "rows": rows,
        "exponent": exponent(firms, seconds),
        "exponent_at_the_top": exponent(firms[-2:], seconds[-2:]),
    }


def bench_customers(sizes: Sizes, say: Say) -> dict[str, Any]:
    """Cost against customers per segment, with the fitted exponent; repetitions of all sizes in turn."""
    rows, n_firms = [], min(sizes.firms)
    for factor in sizes.customer_factors:
        say(f"customers: × {factor:g}")
        rows.append(growth_row(n_firms, factor, sizes.firms[n_firms], sizes.n_months))
    costs = [row["us_per_firm_month"]["median"] for row in rows]
    return {"rows": rows, "exponent": exponent(sizes.customer_factors, costs)}


def reference_row(scenario: Scenario, seed: int, n_months: int) -> dict[str, float]:
    """One play of the reference case, its first `n_months`."""
    model = world_of(scenario, seed)
    started = time.process_time()
    firm_months = 0
    for _ in range(n_months):
        firm_months += len(model.living)
        model.step()
    seconds = time.process_time() - started
    per_firm_month = seconds / firm_months
    return {
        "seconds": seconds,
        "firms": firm_months / n_months,
        "us_per_firm_month": 1e6 * per_firm_month,
        "seconds_at_reference": per_firm_month * REFERENCE_FIRMS * 12 * REFERENCE_YEARS,
    }


def verdicts(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets, and what was reached."""
    reached = {
        "reference_seconds": (REFERENCE_TARGET_S, document["reference"]["seconds_at_reference"]["median"]),
        "exponent_in_firms": (EXPONENT_TARGET, document["growth"]["exponent"]),
        "exponent_at_the_top": (EXPONENT_TARGET, document["growth"]["exponent_at_the_top"]),
    }
    return [
        {"what": what, "target": target, "reached": value, "at": "most", "met": value <= target}
        for what, (target, value) in reached.items()
    ]


def bench_market(quick: bool, say: Say) -> dict[str, Any]:
    """All measurements, as a JSON document. The reference case and its peers take turns."""
    from analysis.benchmarks.peers import peers_of

    logging.disable(logging.WARNING)  # what peers (and Mesa, once one switches it on) write of every step is not timed
    sizes = QUICK if quick else FULL
    scenario, peers = load(MARKET, {"years": REFERENCE_YEARS}), peers_of(quick)
    every: list[dict[str, float]] = []
    best: list[dict[str, float]] = []
    reference_row(
        scenario, 0, sizes.reference_months
    )  # what is imported and cached at the first play is there from now on
    for repeat in range(sizes.repeats):
        say(f"reference case and peers: repetition {repeat + 1} of {sizes.repeats}")
        # The same world each time, so whatever a slower play took longer for was not the market (see `timeit`).
        plays = [reference_row(scenario, repeat, sizes.reference_months) for _ in range(sizes.reference_plays)]
        best.append(min(plays, key=lambda play: play["seconds"]))
        every += plays
        for peer in peers:
            peer.measure()
    document: dict[str, Any] = {
        "reference": {"months": sizes.reference_months, "worlds": len(best), "plays": sizes.reference_plays}
        | {name: spread([play[name] for play in best]) for name in best[0]}
        | {"every_play_at_reference": spread([play["seconds_at_reference"] for play in every])},
        "peers": [peer.row() for peer in peers],
        "growth": bench_growth(sizes, say),
        "customers": bench_customers(sizes, say),
    }
    logging.disable(logging.NOTSET)
    return document | {"targets": [] if quick else verdicts(document)}
