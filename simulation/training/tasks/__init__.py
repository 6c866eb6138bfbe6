"""Task families, one per sector of the dossier. To add one: subclass `Task` in a new file and register it here."""

from __future__ import annotations

from functools import cache

from simulation.training.tasks.base import Mix, Task, TestSets
from simulation.training.tasks.image import SecurityVision
from simulation.training.tasks.speech import Speech

__all__ = ["TASKS", "Mix", "Task", "TestSets", "get_task"]

TASKS: dict[str, type[SecurityVision] | type[Speech]] = {
    "security-vision": SecurityVision,
    "speech": Speech,
}
"""Task families by name; `plan.TASK_NAMES` lists the same names without importing torch."""


@cache
def get_task(name: str) -> Task:
    """The one instance of a task family, so that its tables and test sets are made once per process.

    Raises:
        ValueError: there is no such task; the message lists them.
    """
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; known are {', '.join(TASKS)}")
    return TASKS[name]()
