"""Where a scaling law does not hold: losses that rise, losses above guessing, floors, and sizes it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.training.law import Array, Losses, fit_law

CLEAR = 2.0  # standard errors from which a difference counts as seen


@dataclass(frozen=True)
class Rise:
    """A step up in size or rows that raises the mean loss by more than its standard error.

    Attributes:
        axis: "parameters" or "rows": what grows.
        cell: (place of the size, place of the rows) after the step.
        rise: mean over seeds of the paired differences in loss.
        error: standard error of that mean.
    """

    axis: str
    cell: tuple[int, int]
    rise: float
    error: float

    @property
    def clear(self) -> bool:
        """Whether it is more than two standard errors; of steps that change nothing one in 40 is, by chance."""
        return self.rise > CLEAR * self.error


def rises(losses: Losses) -> list[Rise]:
    """Every step to the next size or number of rows after which the mean loss is higher by more than its error.

    Of steps that change nothing about one in six looks so by chance; none is told with a single seed.
    """
    found = []
    for axis, name in ((0, "parameters"), (1, "rows")):
        mean, error = _paired(np.diff(losses.loss, axis=axis))
        for size, rows in np.argwhere(mean > error):
            cell = (int(size) + (axis == 0), int(rows) + (axis == 1))
            found.append(Rise(name, cell, float(mean[size, rows]), float(error[size, rows])))
    return found


def above(losses: Losses, guess: float) -> NDArray[np.bool_]:
    """Cells whose mean loss is not below that of guessing: nothing was learned, or learned by heart, [R, C]."""
    return np.asarray(losses.mean >= guess)


def floors(losses: Losses) -> list[int | None]:
    """Per size the place of the fewest rows beyond which no more rows lower the loss by more than two errors.

    None where the last step still lowers it.
    """
    gain, error = _paired(losses.loss - losses.loss[:, -1:, :])
    reached = gain <= CLEAR * error
    places = []
    for one in reached:
        missed = np.flatnonzero(~one)
        first = 0 if not len(missed) else int(missed[-1]) + 1
        places.append(first if first < len(one) - 1 else None)
    return places


def _paired(differences: Array) -> tuple[Array, Array]:
    """Mean over seeds and its standard error (infinite for one seed)."""
    n = differences.shape[2]
    mean = differences.mean(axis=2)
    error = differences.std(axis=2, ddof=1) / np.sqrt(n) if n > 1 else np.full(mean.shape, np.inf)
    return mean, error


def prediction_error(losses: Losses, used: NDArray[np.bool_], axis: int) -> float | None:
    """Mean log-error on the used cells of the largest size (axis 0) or most rows (1), by a law fitted without them.

    Positive where the networks are worse than foretold. None where the other cells do not suffice for a fit.
    """
    last = np.zeros_like(used)
    last[(-1, slice(None)) if axis == 0 else (slice(None), -1)] = True
    seen = used & ~last
    if not (used & last).any() or min(seen.any(axis=1).sum(), seen.any(axis=0).sum()) < 3 or seen.sum() <= 5:
        return None
    return float(fit_law(losses, seen).residuals[used & last].mean())


def compute_exponents(flops: Array, loss: Array) -> tuple[float, list[float]]:
    """γ of L ∝ 1/C^γ over the whole ladder (least squares of logs), and of every step of it."""
    x, y = np.log(flops), np.log(loss)
    steps = -np.diff(y) / np.diff(x)
    return float(-np.polyfit(x, y, 1)[0]), [float(step) for step in steps]
