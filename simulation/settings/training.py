"""Parameters of how finely training plans differ between teams: where they coincide, one network serves many worlds."""

from __future__ import annotations

from simulation.parameters import Settings, parameter

FINEST_ROWS, FINEST_COVERAGE = 0.5, 0.1


class TrainingSettings(Settings):
    """Whether the training runs of different worlds coincide, so that a ledger once filled serves them all."""

    pool: int | None = parameter(
        None,
        "numbered pairs of a seed and a luck for each task, of which every team draws one; empty: each has its own",
        "members",
        low=1,
        high=65_536,
        kind="constant",
        fixed=True,
    )
    rows_step: float = parameter(
        FINEST_ROWS,
        "step between the numbers of proxy rows that plans can have",
        "doublings",
        low=FINEST_ROWS,
        high=3.5,
        kind="constant",
        fixed=True,
    )
    coverage_step: float = parameter(
        FINEST_COVERAGE,
        "step between the shares of rows from the field that plans can have",
        "share",
        low=FINEST_COVERAGE,
        high=0.5,
        kind="constant",
        fixed=True,
    )
    rate_step: float = parameter(
        0.0,
        "step between the factors by which teams miss the best learning rate; 0: none but two digits of the rate",
        "doublings",
        low=0,
        high=4,
        kind="constant",
        fixed=True,
    )
