"""The tables of docs/scaling.md, from `grid.json` of `ventures train --grid scaling`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from analysis.pages.blocks import Document, table

Study = Mapping[str, Any]


def fits(document: Document, source: str) -> str:
    """The part `scaling-fits`: the fitted laws, language models last."""
    titles = ["task", "E", "A", "B", "α", "β", "R² of log-loss", "sd", "cells fitted", "all cells: α, β", "sd"]
    return table(titles, [*(_fit_row(study) for study in document["studies"]), _c14_row(document["c14"])])


def failures(document: Document, source: str) -> str:
    """The part `scaling-failures`: where the law does not hold."""
    titles = [
        "task", "rises with N", "rises with D", "cells no better than guessing", "floor from rows, rungs 0 … 5",
        "foretold: largest rung", "foretold: 8,192 rows",
    ]  # fmt: skip
    return table(titles, [_failure_row(study) for study in document["studies"]])


def compute(document: Document, source: str) -> str:
    """The part `scaling-compute`: losses of the ends of the ladder at full rows, and exponents of compute."""
    rows = [_compute_row(study) for study in document["studies"]]
    return table(["task", "rung 0", "rung 5", "γ", "steps 0→1 … 4→5"], rows)


def _compute_row(study: Study) -> list[str]:
    losses, found = study["mean_loss"], study["compute"]
    steps = " ".join(f"{step:.2f}" for step in found["exponent_of_steps"])
    return [str(study["task"]), f"{losses[0][-1]:.3f}", f"{losses[-1][-1]:.3f}", f"{found['exponent']:.2f}", steps]


def _fit_row(study: Study) -> list[str]:
    fit, whole = study["fit"], study["fit_all_cells"]
    floor = "0" if "E" in fit["at_bounds"] else f"{fit['E']:.3f} {_bounds(fit, 'E', 3)}"
    exponents = [f"{fit[name]:.2f} {_bounds(fit, name, 2)}" for name in ("alpha", "beta")]
    return [
        str(study["task"]), floor, f"{fit['A']:.3g}", f"{fit['B']:.3g}", *exponents, f"{fit['r_squared']:.3f}",
        f"{fit['residual_sd']:.2f}", str(fit["n_cells"]), f"{whole['alpha']:.2f}, {whole['beta']:.2f}",
        f"{whole['residual_sd']:.2f}",
    ]  # fmt: skip


def _c14_row(law: Mapping[str, float]) -> list[str]:
    numbers = [f"{law[name]:g}" for name in ("E", "A", "B", "alpha", "beta")]
    return ["*C14, language models*", *numbers, "", "", "", "", ""]


def _bounds(fit: Mapping[str, Any], name: str, digits: int) -> str:
    low, high = fit["intervals"][name]
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def _failure_row(study: Study) -> list[str]:
    counts = []
    for axis in ("parameters", "rows"):
        found = [rise for rise in study["rises"] if rise["axis"] == axis]
        counts.append(f"{len(found)} ({sum(rise['clear'] for rise in found)})")
    floors = " ".join("–" if rows is None else f"{rows:,}" for rows in study["floor_from_rows"])
    errors = study["prediction_log_error"]
    foretold = [f"{math.expm1(errors[name]):+.0%}" for name in ("largest_rung", "most_rows")]
    return [str(study["task"]), *counts, str(len(study["no_better_than_guessing"])), floors, *foretold]
