"""The study of pools: what was played, its figures, and what the ledgers served, as one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from analysis.runs.run import Run
from analysis.training.pool.columns import CONTROL
from analysis.training.pool.figures import Figure, Verdict, figures_of, verdicts
from analysis.training.pool.parts import WARM, Part, Plan, common_runs


def study(plan: Plan) -> dict[str, Any]:
    """JSON-serialisable dict of what is finished so far; keys in docs/outputs.md."""
    figures: list[Figure] = []
    scenarios: list[dict[str, Any]] = []
    for scenario, n_seeds in plan.scenarios:
        runs = common_runs(plan, scenario, n_seeds)
        figures += figures_of(scenario, runs)
        first = next(iter(runs.values()))
        costs = {column: [_cost(run) for run in found] for column, found in runs.items()}
        warm = {
            column.name: _cost(run)
            for column in plan.columns
            if (run := Part(column, scenario, plan.blocks(n_seeds)[0], WARM).played(plan.folder)) is not None
        }
        seeds = [seed for run in first for seed in run.seeds]
        scenarios.append({"scenario": scenario.name, "seeds": seeds, "wanted": n_seeds, "blocks": costs, "warm": warm})
    names = [column.name for column in plan.columns]
    return {
        "columns": [{"name": column.name, **column.settings} for column in plan.columns],
        "scenarios": scenarios,
        "figures": [_figure(figure, names) for figure in figures],
        "verdicts": [_verdict(one) for one in verdicts(figures, names)],
    }


def fewest_kept(document: Mapping[str, Any]) -> str:
    """The smallest pool on the finest grid in which no figure leaves the unlimited column's interval; "" for none."""
    sizes = [one["column"] for one in document["verdicts"] if one["column"].isdigit() and one["n"] and not one["left"]]
    return min(sizes, key=int, default="")


def by_chance(document: Mapping[str, Any]) -> int | None:
    """Figures that leave the interval where only seeds and lucks are others; None where that was not played."""
    return next((len(one["left"]) for one in document["verdicts"] if one["column"] == CONTROL), None)


def _cost(run: Run) -> dict[str, Any]:
    cost = run.manifest.training
    ends = [run.seeds[0], run.seeds[-1]] if run.seeds else []
    return {
        "seeds": ends,
        "trained": cost.runs,
        "from_ledger": cost.from_ledger,
        "training_s": cost.seconds,
        "seconds": run.manifest.seconds,
    }


def _figure(figure: Figure, columns: Sequence[str]) -> dict[str, Any]:
    found = {name: figure.columns[name].as_dict("estimate") | {"leaves": figure.leaves(name)} for name in columns}
    record = {name: getattr(figure, name) for name in ("scenario", "kind", "name", "unit")}
    return {**record, "can_tell": figure.can_tell, "columns": found}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict) | {"left": [list(one) for one in verdict.left]}
