"""How busy the machine was when a benchmark began: a ratio taken beside other work is one of that moment.

The load average is the mean number of processes that ran or waited to run in the last minute. It is read before the
first measurement, for from then on the benchmark itself is the load.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

BUSY = 0.5  # an idle machine has at most a few tenths
RATES = (
    "runs_per_s",
    "tokens_per_s",
    "seconds_per_run",
    "us_per_firm_month",
    "us_per_agent_period",
)  # what rows of figures hold


def load_average() -> float | None:
    """Mean load of the last minute; None where the system does not tell (Windows)."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def is_busy(load: float | None) -> bool | None:
    """Whether figures taken now are those of a machine that does other things; None where nobody can tell."""
    return None if load is None else load > BUSY


def beside_figures(content: Any, load: float | None) -> Any:
    """The same document with `load_before` in every row that holds a rate, a ratio or a cost."""
    if isinstance(content, list):
        return [beside_figures(item, load) for item in content]
    if not isinstance(content, Mapping):
        return content
    inner = {key: beside_figures(value, load) for key, value in content.items()}
    return inner | {"load_before": load} if any(name in content for name in RATES) else inner
