"""What the changes of a scenario may set: by date (interventions), and from the start (causes and what-ifs).

A change that could do nothing is refused. Which parameters act at the start only is said where they are declared
(`simulation.parameters.parameter`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from scenarios.content import Content
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, did_you_mean, dotted, listed, show
from scenarios.strict_yaml.fields import spot
from simulation.parameters import Settings, declared

DATED = {"world": 2, "firms": 3}
"""Parts that an intervention may change, and the least number of parts of a path into them."""
FROM_THE_START = (
    "world", "firms", "entrants", "investors", "labs", "regulator", "actors", "plugins", "interventions",
)  # fmt: skip
"""Parts that a cause or a what-if may change."""


def check_dated(keys: Iterable[str], model: type[BaseModel], at: Path) -> None:
    """Raise `ScenarioError` for a path that an intervention cannot set."""
    for key in keys:
        path: Path = tuple(key.split("."))
        cannot = f"an intervention cannot set {show(key)}: "
        if len(path) < DATED.get(str(path[0]), 99):
            says = f"{cannot}it may set paths below world and below firms.NAME"
            raise ScenarioError(Problem(says, (*at, key), key, "world.… or firms.NAME.…"))
        if (fixed := _fixed_part(model, path)) is not None:
            name = "it" if fixed == path else dotted(fixed)
            raise ScenarioError(Problem(f"{cannot}{name} acts at the start only", (*at, key), key))


def check_still_fixed(before: Settings, after: Settings, keys: Iterable[str], at: Path) -> None:
    """Raise `ScenarioError` where a mapping set as a whole changes a parameter that acts at the start only."""
    for path in _changed_fixed(before, after, ()):
        key = next((key for key in keys if f"{dotted(path)}.".startswith(f"{key}.")), "")
        says = (
            f"an intervention cannot set {show(key)} like this: it changes {dotted(path)}, which acts at the start only"
        )
        raise ScenarioError(Problem(says, (*at, key), key))


def check_from_start(keys: Iterable[str], who: str, at: Path) -> None:
    """Raise `ScenarioError` for a path outside the parts that `who`, a cause or a what-if, may set."""
    for key in keys:
        first = key.split(".")[0]
        if first not in FROM_THE_START:
            hint = did_you_mean(first, FROM_THE_START)
            says = f"{who} cannot set {show(key)}; {hint}it may set paths below {listed(FROM_THE_START)}"
            raise ScenarioError(Problem(says, (*at, key), key, listed(FROM_THE_START), hint.strip()))


def overruled(scenario: Content, paths: Iterable[str], months: int = 1) -> Iterator[tuple[str, Problem]]:
    """Values below `world` and `firms` that never come into force: an intervention sets something else at once.

    Yields (path, problem) for changes in force before month `months` of the run: 1 counts those of the first month, 0
    only those that are older than the run.
    """
    in_force = [state for state in scenario.settings_at() if state[0] < months]
    if not in_force:
        return
    _, world, firms = in_force[-1]
    for path in paths:
        parts = path.split(".")
        if parts[0] not in DATED:
            continue
        said = _value({"world": scenario.world, "firms": scenario.firms}, parts)
        holds = _value({"world": world, "firms": firms}, parts)
        if said != holds:
            says = (
                f"{path} = {show(_plain(said))} would never hold: an intervention that is in force from the start sets "
                f"{show(_plain(holds))}; change or remove it, or give this change a date of its own"
            )
            yield path, Problem(says, tuple(parts), _plain(said))


def _fixed_part(model: type[BaseModel], path: Path) -> Path | None:
    """The part of a path that is declared to act at the start only."""
    for length in range(1, len(path) + 1):
        here = spot(model, path[:length])
        if here is not None and here.field is not None and declared(here.field, "fixed"):
            return path[:length]
    return None


def _changed_fixed(before: Any, after: Any, path: Path) -> Iterator[Path]:
    """Parameters that act at the start only and differ between two states."""
    if isinstance(before, Settings) and isinstance(after, Settings):
        for name, field in type(before).model_fields.items():
            old, new = getattr(before, name), getattr(after, name)
            if old != new:
                comes_or_goes = (old is None) != (new is None) and declared(field, "settled")
                inner = _changed_fixed(old, new, (*path, name))
                yield from [(*path, name)] if declared(field, "fixed") or comes_or_goes else inner
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before.keys() & after.keys():
            yield from _changed_fixed(before[name], after[name], (*path, str(name)))


def _value(node: Any, parts: Iterable[str]) -> Any:
    """What stands at a path in settings; None where there is nothing."""
    for part in parts:
        if isinstance(node, Mapping):
            node = next((value for key, value in node.items() if str(key) == part), None)
        else:
            node = getattr(node, part, None)
    return node


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
