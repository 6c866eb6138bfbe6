"""What `ventures train` shows: the measures of a plan, a grid's means, the laws fitted to a scaling grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.statistics.written import NO_NUMBER, written_number
from analysis.training.grids import Trained
from analysis.training.law import C14
from analysis.training.plans import flat, varied
from analysis.training.study import EXCLUSION, NOTE, Study
from simulation.dp_accountant import DELTA, epsilon
from simulation.training.result import MEASURES

TEXTS = ("device", "torch_version")
NUMBERS = tuple(name for name in MEASURES if name not in TEXTS)
SHOWN = ("accuracy_lab", "accuracy_field", "loss_lab", "fairness_gap", "leakage")  # of every row of a grid
LARGEST_SCREEN = 60  # rows of a grid
UNITS = {
    "loss_lab": "nats",
    "fairness_gap": "share",
    "calibration_error": "share",
    "leakage": "advantage",
    "model_bytes": "bytes",
    "training_flops": "operations",
    "inference_flops": "operations",
    "latency_us": "µs",
    "seconds": "s",
    "elbo": "nats",
    "sliced_wasserstein": "sd",
}


def measures_of(trained: Trained) -> dict[str, dict[str, float] | None]:
    """Mean and range over seeds of every measure; None for one that this kind does not have."""
    found: dict[str, dict[str, float] | None] = {}
    for name in NUMBERS:
        values = [getattr(result, name) for result in trained.results]
        if None in values:
            found[name] = None
        else:
            found[name] = {"mean": sum(values) / len(values), "min": min(values), "max": max(values)}
    return found


def plan_document(trained: Trained) -> dict[str, Any]:
    """One plan and its seeds as JSON says them."""
    plan = trained.plans[0]
    private = plan.dp_noise > 0
    runs = [{"seed": p.seed, **asdict(r)} for p, r in zip(trained.plans, trained.results, strict=True)]
    return {
        "plan": {name: value for name, value in flat(plan).items() if name != "seed"},
        "seeds": [plan.seed for plan in trained.plans],
        "epsilon": epsilon(plan) if private else None,
        "delta": DELTA if private else None,
        "measures": measures_of(trained),
        "runs": runs,
        "training": trained.cost,
    }


def plan_screen(trained: Trained) -> Group:
    """One plan and everything that was measured on its networks."""
    plan = trained.plans[0]
    settings = ", ".join(f"{name} {value}" for name, value in flat(plan).items() if name not in ("task", "seed"))
    n_seeds = len(trained.plans)
    head = Text.assemble((plan.task, "bold"), f": {settings}; {_seeds(trained)}")
    table = _table("measure", "mean" if n_seeds > 1 else "value", *(("min", "max") if n_seeds > 1 else ()), "unit")
    for name, found in measures_of(trained).items():
        if found is not None:
            values = (found["mean"], found["min"], found["max"]) if n_seeds > 1 else (found["mean"],)
            table.add_row(
                name, *map(number, values), UNITS.get(name, "share" if "_" in name and "n_" != name[:2] else "")
            )
    if plan.dp_noise > 0:
        blanks = ("", "") if n_seeds > 1 else ()
        table.add_row("epsilon", number(epsilon(plan)), *blanks, f"of DP-SGD, δ = {DELTA:g}")
    kept = [name for name, found in measures_of(trained).items() if found is None]
    left_out = [Text(f"not measured on this kind: {', '.join(kept)}", style="dim")] if kept else []
    return Group(head, table, *left_out, cost_line(trained))


def grid_screen(trained: Trained) -> Group:
    """Means over seeds of the combinations of a grid."""
    names = list(varied(trained.plans)) or ["task"]
    means = trained.table().groupby(names, sort=False)[list(SHOWN)].mean().reset_index()
    table = _table(*names, *SHOWN)
    for row in means.head(LARGEST_SCREEN).itertuples(index=False):
        table.add_row(*(number(value) if isinstance(value, float) else str(value) for value in row))
    more = [Text(f"… and {len(means) - LARGEST_SCREEN:,} more")] if len(means) > LARGEST_SCREEN else []
    return Group(table, *more, cost_line(trained))


def scaling_screen(studies: Sequence[Study], trained: Trained) -> Group:
    """The fitted laws, C14 beside them, and where they do not hold."""
    parts: list[RenderableType] = [
        Text("loss = E + A/N^α + B/D^β, lab cross-entropy in nats; [95 % over seeds]", style="bold"),
        laws_table(studies),
        Text("\nwhere the law does not hold", style="bold"),
        failures_table(studies),
        Text(NOTE, style="dim"),
        Text(EXCLUSION, style="dim"),
        cost_line(trained),
    ]
    return Group(*parts)


def laws_table(studies: Sequence[Study]) -> Table:
    """One line per study, C14 last."""
    table = _table("task", "kind", "E", "A", "B", "α", "β", "R²", "sd", "sd, all cells")
    for one in studies:
        law = one.fit.law
        exponents = [
            f"{value:.2f} {_bounds(one.intervals.get(name))}"
            for name, value in (("alpha", law.alpha), ("beta", law.beta))
        ]
        floor = f"{law.E:.3f}" if "E" not in one.fit.at_bounds else "0"
        fits = (
            written_number(one.fit.r_squared(one.losses), ".3f"),
            f"{one.fit.residual_sd:.2f}",
            f"{one.fit_all.residual_sd:.2f}",
        )
        table.add_row(one.task, one.kind, floor, f"{law.A:.4g}", f"{law.B:.4g}", *exponents, *fits)
    table.add_row("C14", "", f"{C14.E:g}", f"{C14.A:g}", f"{C14.B:g}", f"{C14.alpha:g}", f"{C14.beta:g}", style="dim")
    return table


def failures_table(studies: Sequence[Study]) -> Table:
    """Counts per study; `rises` and `cells` of the folder list every place."""
    table = _table(
        "task", "kind", "rises with N", "rises with D", "no better than guessing", "floor from rows, rung 0…", "misses"
    )
    for one in studies:
        counts = []
        for axis in ("parameters", "rows"):
            found = [rise for rise in one.rises if rise.axis == axis]
            counts.append(f"{len(found)} ({sum(rise.clear for rise in found)} clear)")
        places = [NO_NUMBER if place is None else f"{one.losses.d[place]:.0f}" for place in one.floors]
        misses = [f"{name} {error:+.0%}" for name, error in missed(one).items()]
        cells = f"{int(one.guessed.sum())} of {one.guessed.size} cells"
        table.add_row(one.task, one.kind, *counts, cells, " ".join(places), ", ".join(misses))
    return table


def missed(one: Study) -> dict[str, float]:
    """By how much the loss of the largest rung and of most rows exceeds what a law fitted without them foretells."""
    errors = {"largest rung": one.error_size, "most rows": one.error_rows}
    return {name: math.expm1(error) for name, error in errors.items() if error is not None}


def cost_line(trained: Trained) -> str:
    """What the training cost."""
    return (
        f"{trained.n_trained:,} networks trained live on {trained.device}, {trained.n_from_ledger:,} from the ledger; "
        f"{trained.seconds:.1f} s"
    )


def number(value: float) -> str:
    """A measure as text: whole numbers whole, others with four digits; a dash where there is none."""
    if math.isnan(value):
        return NO_NUMBER
    if math.isinf(value):
        return "∞"
    if float(value).is_integer() and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 10 else f"{value:.4g}"


def _seeds(trained: Trained) -> str:
    first, last = trained.plans[0].seed, trained.plans[-1].seed
    return f"seed {first}" if first == last else f"seeds {first} to {last}"


def _bounds(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"[{bounds[0]:.2f}, {bounds[1]:.2f}]"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, name in enumerate(columns):
        table.add_column(name, no_wrap=place == 0)
    return table
