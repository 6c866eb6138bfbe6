"""Changes by dotted path (`world.law.consent_share: 0.4`): in causes, interventions, what-ifs and overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from scenarios.strict_yaml.document import Document, Origin, forget, plain
from scenarios.strict_yaml.errors import Path, Place, Problem, ScenarioError, did_you_mean, listed, show, unknown_key
from scenarios.strict_yaml.fields import Spot, is_named_mapping, spot


def apply_changes(
    document: Document,
    changes: Mapping[str, Any],
    model: type[BaseModel],
    *,
    by: str,
    at: Path = (),
    places: Mapping[Path, Place] | None = None,
) -> Document:
    """A *complete* document (defaults filled in) with each value put at its path, in order; the one given stays.

    What lies beside the paths is shared by both, for a scenario is checked after each of its changes. A value replaces
    what stands there. `null` removes a named thing (`firms.rival: null`). `by` and `at` say whose changes these are and
    where they were written; `places` holds the lines if they come from another file.
    """
    data = dict(document.data)
    origins = dict(document.origins)
    problems = []
    for key, value in changes.items():
        written = (*at, key)
        source = Document({}, document.label, dict(places)).place(written) if places is not None else None
        origin = Origin(by, written, source)
        try:
            target = _put(data, key, plain(value, written), model, document.what)
        except ScenarioError as error:
            problems.append(_from(error.problems[0], origin))
            continue
        forget(origins, target, document.value(target))
        origins[target] = origin
    if problems:
        raise ScenarioError(problems)
    return replace(document, data=data, origins=origins)


def _put(data: dict[str, Any], key: str, value: Any, model: type[BaseModel], what: str) -> Path:
    path: Path = tuple(key.split(".")) if isinstance(key, str) else ()
    if not path or not all(path):
        raise ScenarioError(Problem(f"{show(key)} is not a path such as world.law.consent_share", path, key))
    node = data
    for depth in range(len(path) - 1):
        node = _enter(node, path, depth, model, what)
    last = path[-1]
    removable = is_named_mapping(model, path[:-1])
    if last not in node and (value is None or not _may_be_new(model, path)):
        raise ScenarioError(unknown_key(path, _keys(node, spot(model, path[:-1])), of=what))
    if value is None and removable:
        del node[str(last)]
    else:
        node[str(last)] = value
    return path


def _enter(node: dict[str, Any], path: Path, depth: int, model: type[BaseModel], what: str) -> dict[str, Any]:
    """The mapping under the next part of the path, put anew into its owner so that it may be changed."""
    part = str(path[depth])
    if part not in node and _is_left_out(model, path[: depth + 1]):
        node[part] = {}
    if part not in node:
        raise ScenarioError(_no_way(path, depth, node, what))
    inner = node[part]
    if isinstance(inner, dict):
        node[part] = dict(inner)
        return node[part]
    above = ".".join(map(str, path[: depth + 1]))
    reason = {list: "is a list; set it as a whole", type(None): "is null; set it as a whole"}.get(
        type(inner), f"is {show(inner)}, nothing lies below it"
    )
    raise ScenarioError(Problem(f"path {'.'.join(map(str, path))}: {above} {reason}", path, inner))


def _no_way(path: Path, depth: int, node: Mapping[str, Any], what: str) -> Problem:
    part = str(path[depth])
    above = ".".join(map(str, path[:depth])) or f"the {what}"
    hint = did_you_mean(part, node)
    says = f"path {'.'.join(map(str, path))}: no {show(part)} in {above}; {hint}present: {listed(node)}"
    return Problem(says, path, part, listed(node), hint.strip(), unknown_key=True)


def _may_be_new(model: type[BaseModel], path: Path) -> bool:
    above = spot(model, path[:-1])
    return (above is not None and above.is_mapping) or _is_left_out(model, path)


def _is_left_out(model: type[BaseModel], path: Path) -> bool:
    """Whether the path is one of settings of which any may be left out, and that hold only what is said."""
    above, here = spot(model, path[:-1]), spot(model, path)
    return above is not None and above.says_a_part and here is not None


def _keys(node: Mapping[str, Any], here: Spot | None) -> list[str]:
    return (here.keys() if here else None) or list(node)


def _from(problem: Problem, origin: Origin) -> Problem:
    return Problem(
        **{**vars(problem), "by": f"{origin.by}{problem.by}", "at": origin.at, "place": problem.place or origin.place}
    )
