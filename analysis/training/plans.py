"""From the options of a command line, or the keys of a file, to training plans: wrong values in one clear line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from analysis.errors import AnalysisError
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Path as DottedPath
from scenarios.strict_yaml.errors import Problem, ScenarioError, did_you_mean, dotted, show, unknown_key
from scenarios.strict_yaml.reading import read_file
from simulation.training import plan as known
from simulation.training.foundation.ladder import foundation_named, label
from simulation.training.foundation.plan import FoundationPlan
from simulation.training.plan import Recipe, TrainingPlan

RECIPE_FIELDS = tuple(item.name for item in fields(Recipe))
PLAN_FIELDS = tuple(item.name for item in fields(TrainingPlan) if item.name != "recipe")
FIELDS = (*PLAN_FIELDS, *RECIPE_FIELDS)
FIRST_PLAN = {"task": "security-vision", "kind": "cnn", "rung": 3, "rows": 1024}
FIRST_FOUNDATION = "F3"
"""What is trained where nothing else is said; the foundation, where a kind needs one."""
LARGEST_GRID = 1_000_000  # plans
GRID = "grid"
EXAMPLES = {"task": "speech, digits", "kind": "linear, mlp", "rung": "0, 1", "rows": "64, 512", "label_noise": "0, 0.2"}
_CHOICES = {
    "task": known.TASK_NAMES,
    "kind": known.KINDS,
    "compression": known.COMPRESSIONS,
    "optimizer": known.OPTIMIZERS,
    "activation": known.ACTIVATIONS,
    "schedule": known.SCHEDULES,
}


def option(name: str) -> str:
    """A field as an option of the command line."""
    return "--" + name.replace("_", "-")


def make_plan(values: Mapping[str, Any]) -> TrainingPlan:
    """A plan from values of `FIELDS`; what is missing comes from `FIRST_PLAN` and the plan's own defaults.

    Raises:
        AnalysisError: a value is wrong; the line names option, value and what is allowed.
    """
    wanted = {**FIRST_PLAN, **values}
    try:
        wanted["foundation"] = foundation_of(wanted["kind"], wanted.get("foundation"))
        recipe = Recipe(**{name: wanted[name] for name in RECIPE_FIELDS if name in wanted})
        return TrainingPlan(**{name: wanted[name] for name in PLAN_FIELDS if name in wanted}, recipe=recipe)
    except ValueError as error:
        raise AnalysisError(_told(str(error), wanted)) from error


def foundation_of(kind: str, name: str | None) -> FoundationPlan | None:
    """The plan of the named foundation; for a kind that starts without text, of its first weights."""
    if name is None and kind not in known.FOUNDATION_KINDS:
        return None
    plan = foundation_named(FIRST_FOUNDATION if name is None else name)
    return FoundationPlan(plan.width, 0) if kind == "scratch" else plan


def with_seeds(values: Mapping[str, Any], n_seeds: int) -> list[TrainingPlan]:
    """The same plan with `n_seeds` seeds, from its own on."""
    if n_seeds < 1:
        raise AnalysisError(f"--seeds must be at least 1, not {n_seeds}")
    if n_seeds > LARGEST_GRID:
        raise AnalysisError(f"--seeds must be at most {LARGEST_GRID:,}, not {n_seeds:,}")
    first = make_plan(values).seed
    return [make_plan({**values, "seed": first + number}) for number in range(n_seeds)]


def product_of(lists: Mapping[str, Sequence[Any]], values: Mapping[str, Any], n_seeds: int) -> list[TrainingPlan]:
    """Every combination of the lists, on top of `values`, each with `n_seeds` seeds unless the lists name seeds."""
    n_plans = n_seeds if "seed" not in lists else 1
    for items in lists.values():
        n_plans *= len(items)
    if n_plans > LARGEST_GRID:
        raise AnalysisError(f"the grid has {n_plans:,} plans; at most {LARGEST_GRID:,} are allowed")
    combinations = [dict(zip(lists, chosen, strict=True)) for chosen in product(*lists.values())]
    each = 1 if "seed" in lists else n_seeds
    return [plan for one in combinations for plan in with_seeds({**values, **one}, each)]


def read_grid(file: Path) -> dict[str, list[Any]]:
    """A YAML mapping of lists (or single values) over fields of a plan; every value is one that a plan can have.

    Raises `ScenarioError` with file, line and key.
    """
    document = read_file(file, what=GRID)
    problems = [problem for name in document.data for problem in _problems_of(name, document)]
    if problems:
        raise ScenarioError([replace(one, place=document.place(one.path)) for one in problems])
    return {name: _as_list(value) for name, value in document.data.items()}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _problems_of(name: str, document: Document) -> Iterator[Problem]:
    """What is wrong with one key of a grid and its values."""
    if name not in FIELDS:
        yield unknown_key((name,), FIELDS, of=GRID)
        return
    value = document.data[name]
    if value in ([], {}, None):
        yield Problem(f"{name} has no value; give a list as in {name}: [{EXAMPLES.get(name, '…')}]", (name,), value)
        return
    seen: set[Any] = set()
    for index, one in enumerate(_as_list(value)):
        path: DottedPath = (name, index) if isinstance(value, list) else (name,)
        if isinstance(one, (dict, list)):
            yield Problem(f"{dotted(path)} = {show(one)}: must be a single value", path, one)
            continue
        if says := _wrong(name, one):
            yield Problem(f"{dotted(path)}: {says}", path, one)
        elif one in seen:
            yield Problem(f"{dotted(path)} = {show(one)}: stands there already", path, one)
        seen.add(one)


def _wrong(name: str, value: Any) -> str:
    """Why no plan can have the value, with the likely typo; empty where one can."""
    try:
        known.check_value(name, value)
    except ValueError as error:
        return f"{error}{_hint(name, value)}"
    return ""


def flat(plan: TrainingPlan) -> dict[str, Any]:
    """All settings of a plan by the names of `FIELDS`, its foundation by the name of the rung."""
    record = asdict(plan) | {"foundation": None if plan.foundation is None else label(plan.foundation)}
    return {**{name: record[name] for name in PLAN_FIELDS}, **record["recipe"]}


def varied(plans: Iterable[TrainingPlan]) -> tuple[str, ...]:
    """The fields, seed left out, in which plans differ."""
    rows = [flat(plan) for plan in plans]
    return tuple(name for name in FIELDS if name != "seed" and len({row[name] for row in rows}) > 1)


def _told(message: str, wanted: Mapping[str, Any]) -> str:
    """The plan's own message about a field as one about an option, with the likely typo."""
    name, _, rest = message.partition(" ")
    if name not in FIELDS:
        return message
    # "kind of the task speech must be …" stays as it is: it is about two options.
    said = f"{option(name)}: {message}" if rest.startswith("of ") else f"{option(name)} {rest}"
    return f"{said}{_hint(name, wanted.get(name))}"


def _hint(name: str, value: Any) -> str:
    hint = did_you_mean(value, _CHOICES.get(name, ())) if isinstance(value, str) else ""
    return f"; {hint.strip()}" if hint and f"'{value}'" not in hint else ""
