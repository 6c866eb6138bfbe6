"""A scaling study: a grid's measured losses, the law fitted to them, and everything in which the law fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.play.workers import parallel_map
from analysis.training.checks import Rise, above, compute_exponents, floors, prediction_error, rises
from analysis.training.law import C14, Array, Fit, Law, Losses, fit_law, intervals_of

NOTE = (
    "On this ladder the number of optimizer steps grows with the rung as well, so N stands for the compute of a rung: "
    "alpha says what a larger rung brings, not what more parameters alone bring."
)
EXCLUSION = (
    "Cells whose mean loss is not below that of guessing (the entropy of the test set's classes) are left out of the "
    "main fit: a sum of two powers has no ceiling, these losses have one or overfit. The fit to all stands beside."
)


@dataclass(frozen=True)
class Study:
    """What one task and kind gave.

    Attributes:
        task, kind: of the plans.
        losses: lab test cross-entropy of every rung, number of rows and seed.
        flops: training operations of every rung.
        guess: loss of guessing by the classes' frequencies, nats.
        fit, intervals: of the law over the cells below `guess`; 95 %, empty with one seed.
        fit_all: of the law over all cells.
        error_size, error_rows: mean log-error of the prediction of the largest rung, and of most rows, by a law fitted
            without them.
        rises: steps that raise the loss.
        floors: per rung the place of the rows beyond which no more help.
    """

    task: str
    kind: str
    losses: Losses
    flops: Array
    guess: float
    fit: Fit
    intervals: dict[str, tuple[float, float]]
    fit_all: Fit
    error_size: float | None
    error_rows: float | None
    rises: list[Rise]
    floors: list[int | None]

    @property
    def name(self) -> str:
        """For titles and files."""
        return f"{self.task}-{self.kind}"

    @property
    def guessed(self) -> NDArray[np.bool_]:
        """Cells that are no better than guessing."""
        return above(self.losses, self.guess)


def study_all(table: pd.DataFrame, n_jobs: int) -> list[Study]:
    """One study per task and kind of a table of runs, in the table's order, worked out in parallel."""
    parts = [part for _, part in table.groupby(["task", "kind"], sort=False)]
    studies = parallel_map(partial(study, seed=0), parts, n_jobs, "try fewer --jobs")
    by_name = {one.name: one for one in studies}
    return [by_name[f"{part['task'].iloc[0]}-{part['kind'].iloc[0]}"] for part in parts]


def study(runs: pd.DataFrame, seed: int = 0) -> Study:
    """The study of the runs of one task and kind: a full grid of `rung`, `rows` and `seed`.

    Raises:
        AnalysisError: the grid is too small for a fit, or a loss is not positive.
    """
    task, kind = str(runs["task"].iloc[0]), str(runs["kind"].iloc[0])
    sizes = runs.groupby("rung")[["n_parameters", "training_flops"]].first()
    cube = runs.sort_values(["rung", "rows", "seed"])["loss_lab"].to_numpy(dtype=float)
    rows = np.sort(runs["rows"].unique()).astype(float)
    losses = Losses(sizes["n_parameters"].to_numpy(dtype=float), rows, cube.reshape(len(sizes), len(rows), -1))
    guess = guessing_loss(task)
    learned = ~above(losses, guess)
    fit = fit_law(losses, learned)
    return Study(
        task=task,
        kind=kind,
        losses=losses,
        flops=sizes["training_flops"].to_numpy(dtype=float),
        guess=guess,
        fit=fit,
        intervals=intervals_of(losses, fit, seed) if losses.n_seeds > 1 else {},
        fit_all=fit if learned.all() else fit_law(losses),
        error_size=prediction_error(losses, learned, axis=0),
        error_rows=prediction_error(losses, learned, axis=1),
        rises=rises(losses),
        floors=floors(losses),
    )


def guessing_loss(task: str) -> float:
    """Cross-entropy, in nats, of answering every row of the lab test set with the frequencies of its classes."""
    import torch

    from simulation.training.tasks import get_task

    counts = torch.bincount(get_task(task).test_sets(torch.device("cpu")).lab_y).double()
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * shares.log()).sum())


def fits_table(studies: Sequence[Study]) -> pd.DataFrame:
    """Two rows per study: the law over the cells that learned something, and over all."""
    return pd.DataFrame([row for one in studies for row in (_fit_row(one, "learned"), _fit_row(one, "all"))])


def _fit_row(one: Study, cells: str) -> dict[str, Any]:
    fit = one.fit if cells == "learned" else one.fit_all
    row: dict[str, Any] = {"task": one.task, "kind": one.kind, "cells": cells, "n_cells": int(fit.used.sum())}
    row |= fit.law._asdict()
    for name in Law._fields:
        low, high = one.intervals.get(name, (None, None)) if cells == "learned" else (None, None)
        row |= {f"{name}_low": low, f"{name}_high": high}
    row |= {
        "r_squared": fit.r_squared(one.losses),
        "residual_sd": fit.residual_sd,
        "at_bounds": ",".join(fit.at_bounds),
    }
    return row


def rises_table(studies: Sequence[Study]) -> pd.DataFrame:
    """One row per step that raises the loss, largest in standard errors first within a study."""
    columns = ["task", "kind", "axis", "rung", "rows", "rise", "standard_error", "clear"]
    rows = []
    for one in studies:
        for rise in sorted(one.rises, key=lambda rise: -rise.rise / rise.error if rise.error else -np.inf):
            place = (rise.axis, rise.cell[0], int(one.losses.d[rise.cell[1]]))
            rows.append((one.task, one.kind, *place, rise.rise, rise.error, rise.clear))
    return pd.DataFrame(rows, columns=columns)


def cells_table(studies: Sequence[Study]) -> pd.DataFrame:
    """One row per cell: mean loss over seeds, its standard error, the fitted loss and the log-residual."""
    rows = []
    for one in studies:
        mean, n_seeds = one.losses.mean, one.losses.n_seeds
        fitted = one.fit.law.loss(one.losses.n[:, None], one.losses.d[None, :])
        for rung, column in np.ndindex(mean.shape):
            spread_of = one.losses.loss[rung, column].std(ddof=1) / np.sqrt(n_seeds) if n_seeds > 1 else None
            rows.append(
                {
                    "task": one.task,
                    "kind": one.kind,
                    "rung": rung,
                    "n_parameters": int(one.losses.n[rung]),
                    "rows": int(one.losses.d[column]),
                    "training_flops": one.flops[rung],
                    "loss_lab": mean[rung, column],
                    "standard_error": spread_of,
                    "fitted": fitted[rung, column],
                    "log_residual": one.fit.residuals[rung, column],
                    "in_fit": bool(one.fit.used[rung, column]),
                }
            )
    return pd.DataFrame(rows)


def as_document(studies: Sequence[Study]) -> dict[str, Any]:
    """The studies as JSON says them."""
    return {
        "law": "loss = E + A / N^alpha + B / D^beta",
        "notes": [NOTE, EXCLUSION],
        "c14": C14._asdict(),
        "studies": [_document(one) for one in studies],
    }


def _document(one: Study) -> dict[str, Any]:
    exponent, steps = compute_exponents(one.flops, one.losses.mean[:, -1])
    return {
        "task": one.task,
        "kind": one.kind,
        "seeds": one.losses.n_seeds,
        "n_parameters": [int(n) for n in one.losses.n],
        "rows": [int(d) for d in one.losses.d],
        "training_flops": one.flops.tolist(),
        "mean_loss": [[round(float(value), 6) for value in row] for row in one.losses.mean],
        "guessing_loss": one.guess,
        "fit": {**_fit_document(one.fit, one.losses), "intervals": one.intervals},
        "fit_all_cells": _fit_document(one.fit_all, one.losses),
        "prediction_log_error": {"largest_rung": one.error_size, "most_rows": one.error_rows},
        "compute": {"exponent": exponent, "exponent_of_steps": steps},
        "no_better_than_guessing": [
            {"rung": int(rung), "rows": int(one.losses.d[column])} for rung, column in np.argwhere(one.guessed)
        ],
        "rises": rises_table([one]).drop(columns=["task", "kind"]).to_dict("records"),
        "floor_from_rows": [None if place is None else int(one.losses.d[place]) for place in one.floors],
    }


def _fit_document(fit: Fit, losses: Losses) -> dict[str, Any]:
    return {
        **fit.law._asdict(),
        "n_cells": int(fit.used.sum()),
        "r_squared": fit.r_squared(losses),
        "residual_sd": fit.residual_sd,
        "at_bounds": list(fit.at_bounds),
    }
