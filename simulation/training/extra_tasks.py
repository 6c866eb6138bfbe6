"""Training tasks from users' own modules, beside the shipped ones.

Such a task's source is part of the key of every plan with it: another version of the module trains its networks anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulation.training.plan import EXTRA_TASKS, SOURCE_DIGITS, TASK_NAMES
from simulation.training.tasks import TASKS, get_task


def register(tasks: Mapping[str, Callable[[], Any]], sha256: str, owner: str) -> None:
    """Make tasks known by their names; `sha256` is the hash of the module that declares them.

    Raises:
        ValueError: a shipped task has that name, or a task says another name of itself.
    """
    for name, make in tasks.items():
        if name in TASK_NAMES:
            raise ValueError(f"plug-in {owner}: a task named {name} is shipped already")
        if (own := make().name) != name:
            raise ValueError(f"plug-in {owner}: the task {name} calls itself {own}")
    for name, make in tasks.items():
        TASKS[name] = make
        EXTRA_TASKS[name] = sha256[:SOURCE_DIGITS]
    get_task.cache_clear()


def forget() -> None:
    """Forget all tasks that are not shipped."""
    for name in EXTRA_TASKS:
        del TASKS[name]
    EXTRA_TASKS.clear()
    get_task.cache_clear()
