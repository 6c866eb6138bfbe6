"""Scaling laws: fitting L = E + A/N^α + B/D^β to measured losses, and saying where such a law does not hold.

References
[1] Hoffmann et al. (2022), Training Compute-Optimal Large Language Models. arXiv:2203.15556
[2] Besiroglu et al. (2024), Chinchilla Scaling: A replication attempt. arXiv:2404.10102 (fact C14)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from analysis.errors import AnalysisError

Array = NDArray[np.float64]

one_thread = threadpool_limits.wrap(limits=1)  # matrices of five rows: other threads only wait

HUBER_DELTA = 1e-3  # of log-residuals; [1]
N_POLISHED = 12  # starts of the grid that are followed to a minimum; the others begin higher
N_RESAMPLES = 200
LEVEL = 0.95
LARGEST_EXPONENT = 6.0  # above it a term vanishes within one doubling
SMALLEST_TERM = 1e-6  # of E, A/N^α and B/D^β at the middle of the grid: what stands for none
NO_TERM = float(np.log(SMALLEST_TERM)) + 1.0  # flat there: what comes that low has no minimum above it


class Law(NamedTuple):
    """E + A/N^α + B/D^β: what is left with endless size and data, and what too little of each costs."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, n: Array, d: Array) -> Array:
        """Loss of networks with n parameters trained on d rows (shapes that broadcast)."""
        return np.asarray(self.E + self.A / n**self.alpha + self.B / d**self.beta)


C14 = Law(1.8172, 482.01, 2085.43, 0.3478, 0.3658)
"""Of large language models, in nats a token; N in parameters, D in tokens [2]."""


@dataclass(frozen=True)
class Losses:
    """Losses of a full grid.

    Attributes:
        n: parameters, ascending, [R].
        d: rows, ascending, [C].
        loss: [R, C, S], S seeds; the same seed in two cells is a pair.

    Raises:
        AnalysisError: shapes do not match, or a value is not positive and finite.
    """

    n: Array
    d: Array
    loss: Array

    def __post_init__(self) -> None:
        if self.loss.ndim != 3 or self.loss.shape[:2] != (len(self.n), len(self.d)) or self.loss.shape[2] < 1:
            raise AnalysisError(f"losses must have shape (sizes, rows, seeds), not {self.loss.shape}")
        for name, values in (("sizes", self.n), ("rows", self.d), ("losses", self.loss)):
            if not (np.isfinite(values).all() and (values > 0).all()):
                raise AnalysisError(f"{name} must be positive and finite: a scaling law is fitted to their logarithms")
        if (np.diff(self.n) <= 0).any() or (np.diff(self.d) <= 0).any():
            raise AnalysisError("sizes and rows must be ascending, each once")

    @property
    def mean(self) -> Array:
        """Mean over seeds, [R, C]."""
        return np.asarray(self.loss.mean(axis=2))

    @property
    def n_seeds(self) -> int:
        """Number of seeds."""
        return int(self.loss.shape[2])


@dataclass(frozen=True)
class Fit:
    """A law fitted to the mean losses of some cells of a grid.

    Attributes:
        law: the estimates.
        used: the cells it was fitted to, [R, C].
        residuals: log of measured minus log of fitted, of every cell, used or not, [R, C].
        at_bounds: which of E (then 0: no floor can be seen), alpha and beta stand at the edge of what is allowed.
    """

    law: Law
    used: NDArray[np.bool_]
    residuals: Array
    at_bounds: tuple[str, ...]

    @property
    def residual_sd(self) -> float:
        """Root mean square of the log-residuals of the used cells: 0.1 is about 10 % of the loss."""
        return float(np.sqrt(np.mean(self.residuals[self.used] ** 2)))

    def r_squared(self, losses: Losses) -> float:
        """Share of the variance of log-loss over the used cells that the law explains."""
        observed = np.log(losses.mean)[self.used]
        return float(1.0 - np.mean(self.residuals[self.used] ** 2) / observed.var())


@one_thread
def fit_law(losses: Losses, used: NDArray[np.bool_] | None = None) -> Fit:
    """Fit the law to the mean loss over seeds of every used cell (none given: all).

    Minimises the sum of Huber losses of log-residuals, the fitted log-loss as the log-sum-exp of the logs of the three
    terms, by L-BFGS from a grid of starts [1]; the sum, not the mean, whose small gradients ended it too soon [2].
    Departures: N and D are counted from the middle of the grid, which makes A and α, B and β nearly uncorrelated; only
    the best starts are followed; exponents lie in [0, 6].

    Raises:
        AnalysisError: fewer than three sizes or numbers of rows among the used cells, or no more than five cells.
    """
    used = np.ones(losses.mean.shape, dtype=bool) if used is None else used
    _require_enough(used)
    return _fitted(losses, used, losses.mean, _starts(losses.mean[used]))


@one_thread
def intervals_of(
    losses: Losses, fit: Fit, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> dict[str, tuple[float, float]]:
    """95 % intervals of the law's numbers by a bootstrap over seeds: a seed is drawn with all its cells.

    It holds what other seeds would change, not that the law itself may be wrong. Few seeds make it somewhat too narrow.
    A number that is the same in every resample (at its bound) has none.

    Raises:
        AnalysisError: fewer than two seeds.
    """
    if losses.n_seeds < 2:
        raise AnalysisError("intervals need at least two seeds")
    rng = np.random.Generator(np.random.Philox(seed))
    laws = []
    for _ in range(n_resamples):
        drawn = losses.loss[:, :, rng.integers(losses.n_seeds, size=losses.n_seeds)].mean(axis=2)
        laws.append(_fitted(losses, fit.used, drawn, _around(losses, fit)).law)
    low, high = np.quantile(np.array(laws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(Law._fields) if low[i] < high[i]}


def _require_enough(used: NDArray[np.bool_]) -> None:
    rows, columns = used.any(axis=1).sum(), used.any(axis=0).sum()
    if rows < 3 or columns < 3 or used.sum() <= 5:
        raise AnalysisError(
            "a scaling law has five numbers: it needs at least 3 sizes, 3 numbers of rows and 6 cells of a grid, "
            f"not {rows}, {columns} and {used.sum()}"
        )


def _middle(losses: Losses) -> tuple[Array, Array]:
    """Logs of sizes and rows from the middle of the grid."""
    x, z = np.log(losses.n), np.log(losses.d)
    return x - x.mean(), z - z.mean()


def _starts(observed: Array) -> Array:
    """(e, a, b, α, β): logs of the three terms at the middle of the grid, and exponents."""
    level = float(np.log(np.median(observed)))
    terms = [level - step for step in (0.5, 1.5, 3.0)]
    return np.array(
        list(product([level, *terms, level - 6.0], terms, terms, (0.2, 0.5, 1.0, 2.0), (0.2, 0.5, 1.0, 2.0)))
    )


def _around(losses: Losses, fit: Fit) -> Array:
    """The estimates of a fit as the one start of another."""
    law, x, z = fit.law, np.log(losses.n).mean(), np.log(losses.d).mean()
    e, a, b = (np.log(max(term, SMALLEST_TERM)) for term in (law.E, law.A, law.B))
    return np.array([[e, a - law.alpha * x, b - law.beta * z, law.alpha, law.beta]])


def _fitted(losses: Losses, used: NDArray[np.bool_], mean: Array, starts: Array) -> Fit:
    x, z = _middle(losses)
    where = np.nonzero(used)
    points = x[where[0]], z[where[1]], np.log(mean[used])
    begun = np.array([_objective(start, *points)[0] for start in starts])
    found = [_descend(starts[place], points) for place in np.argsort(begun, kind="stable")[:N_POLISHED]]
    e, a, b, alpha, beta = min(found, key=lambda one: _objective(one, *points)[0])
    law = Law(
        0.0 if e <= NO_TERM else float(np.exp(e)),
        float(np.exp(a + alpha * np.log(losses.n).mean())),
        float(np.exp(b + beta * np.log(losses.d).mean())),
        float(alpha),
        float(beta),
    )
    edge = {"E": e <= NO_TERM, "alpha": not 0 < alpha < LARGEST_EXPONENT, "beta": not 0 < beta < LARGEST_EXPONENT}
    residuals = np.log(mean) - np.log(law.loss(losses.n[:, None], losses.d[None, :]))
    return Fit(law, used, residuals, tuple(name for name, reached in edge.items() if reached))


def _descend(start: Array, points: tuple[Array, Array, Array]) -> Array:
    """The minimum below a start: first with a wide Huber loss, which is smooth, then with the wanted one."""
    bounds = [(np.log(SMALLEST_TERM), 20.0)] * 3 + [(0.0, LARGEST_EXPONENT)] * 2
    for delta in (0.1, 0.01, HUBER_DELTA):
        options = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8}
        start = minimize(_objective, start, (*points, delta), "L-BFGS-B", jac=True, bounds=bounds, options=options).x
    return np.asarray(start)


def _objective(at: Array, x: Array, z: Array, observed: Array, delta: float = HUBER_DELTA) -> tuple[float, Array]:
    """Sum of Huber losses of log-residuals over δ, and its gradient."""
    e, a, b, alpha, beta = at
    terms = np.stack([np.full_like(x, e), a - alpha * x, b - beta * z])
    fitted = np.logaddexp.reduce(terms, axis=0)
    r = fitted - observed
    size = np.abs(r)
    value = np.where(size <= delta, r * r / (2 * delta), size - delta / 2).sum()
    slope = np.clip(r / delta, -1.0, 1.0) * np.exp(terms - fitted)  # [3, cells]
    gradient = [*slope.sum(axis=1), -(slope[1] * x).sum(), -(slope[2] * z).sum()]
    return float(value), np.array(gradient)
