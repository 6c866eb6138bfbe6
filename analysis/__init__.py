"""Experiments on the market: play them, judge them, show them.

`run`, `cases`, `compare` and `facts` are loaded when they are first used, so that the command line answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.base_rates.judge import validate_world
    from analysis.cases.assess import cases
    from analysis.comparison import compare
    from analysis.errors import AnalysisError
    from analysis.facts.collect import facts
    from analysis.play.experiment import run
    from analysis.play.interrupted import Interrupted
    from analysis.runs.run import Run

__all__ = ["AnalysisError", "Interrupted", "Run", "cases", "compare", "facts", "run", "validate_world"]

_HOMES = {
    "AnalysisError": "analysis.errors",
    "Interrupted": "analysis.play.interrupted",
    "Run": "analysis.runs.run",
    "cases": "analysis.cases.assess",
    "compare": "analysis.comparison",
    "facts": "analysis.facts.collect",
    "run": "analysis.play.experiment",
    "validate_world": "analysis.base_rates.judge",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
