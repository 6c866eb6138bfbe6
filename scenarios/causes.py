"""Taking several causes away at once: their changes are laid side by side, and none silently overwrites another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from scenarios.content import Content
from scenarios.statements import Cause
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Problem, ScenarioError, did_you_mean, listed, show
from scenarios.usual import usual_traits

Change = tuple[str, str, Any]  # the cause, the dotted path, its new value


def without(scenario: Content, causes: Sequence[str]) -> Document:
    """The scenario as a document with causes taken away, all of them together; it names none of the others.

    Raises `ScenarioError` for an unknown cause, and where two causes set one path to different values and neither
    says (`together`) what holds without both.
    """
    for cause in causes:
        if cause not in scenario.causes:
            raise ScenarioError(_no_such_cause(cause, scenario))
    document = scenario.to_document()
    document.data["causes"] = {}  # the other causes are kept, but need not fit the changed scenario
    for cause, changes in changes_together(scenario, causes).items():
        by, at = f"in cause {show(cause)}: ", ("causes", cause, "set")
        document = apply_changes(document, changes, type(scenario), by=by, at=at)
    return document


def changes_of(scenario: Content, name: str) -> dict[str, Any]:
    """What taking one cause away changes, by dotted path: traits that become usual, then what it sets itself.

    Raises `ScenarioError` where nothing says what is usual.
    """
    cause = scenario.causes[name]
    if not cause.usual:
        return dict(cause.set)
    focal = str(scenario.focal)
    usual = usual_traits(scenario, focal)
    return {**{f"firms.{focal}.{trait}": usual[trait] for trait in cause.usual}, **cause.set}


def changes_together(scenario: Content, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each named cause changes when all of them are taken away together: cause → path → value.

    What one of them removes altogether, another need not change. Where two causes set one path to different values,
    `together` of one of them must say what holds. Raises `ScenarioError` that names both causes otherwise.
    """
    agreed = _agreed(scenario.causes, names)
    alone = {name: changes_of(scenario, name) for name in names}
    gone = [path for own in alone.values() for path, value in own.items() if value is None]
    changes = {
        name: {path: agreed.get(path, value) for path, value in own.items() if not _is_below(path, gone)}
        for name, own in alone.items()
    }
    flat = [(name, path, value) for name, own in changes.items() for path, value in own.items()]
    for one, other in combinations(flat, 2):
        if one[0] != other[0] and _differ(one, other):
            raise ScenarioError(_conflict(one, other))
    return changes


def _is_below(path: str, gone: Sequence[str]) -> bool:
    return any(path.startswith(f"{one}.") for one in gone)


def _agreed(causes: Mapping[str, Cause], names: Sequence[str]) -> dict[str, Any]:
    """What the causes say of each other's paths; two statements about one path must be the same."""
    agreed: dict[str, Change] = {}
    for name, path, value in _statements(causes, names):
        earlier = agreed.setdefault(path, (name, path, value))
        if earlier[2] != value:
            raise ScenarioError(_conflict(earlier, (name, path, value)))
    return {path: value for path, (_, _, value) in agreed.items()}


def _statements(causes: Mapping[str, Cause], names: Sequence[str]) -> Iterator[Change]:
    for name in names:
        for other, changes in causes[name].together.items():
            if other in names:
                yield from ((name, path, value) for path, value in changes.items())


def _differ(one: Change, other: Change) -> bool:
    """Whether two changes cannot both hold: one path with two values, or a path below another one."""
    if one[1] == other[1]:
        return bool(one[2] != other[2])
    return f"{one[1]}.".startswith(f"{other[1]}.") or f"{other[1]}.".startswith(f"{one[1]}.")


def _conflict(one: Change, other: Change) -> Problem:
    says = (
        f"causes {show(one[0])} and {show(other[0])} cannot be taken away together: {one[1]}: {show(one[2])} against "
        f"{other[1]}: {show(other[2])}; say below `together` of one of them what holds without both"
    )
    return Problem(says, ("causes", other[0], "set", other[1]), other[2])


def _no_such_cause(cause: str, scenario: Content) -> Problem:
    hint = did_you_mean(cause, scenario.causes)
    says = f"no cause {show(cause)} in {scenario.name or 'the scenario'}; {hint}causes: {listed(scenario.causes)}"
    return Problem(says, ("causes", cause), cause, listed(scenario.causes), hint.strip())
