"""What is not known of a world: sets of values for its uncertain parameters that fit what is known alike.

A comparison that is played over them (`--over`) gives every seed one of the sets, in all arms the same, so that its
intervals hold what is not known of the parameters beside what chance does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import Field, model_validator

from scenarios.load import NameOrPath, load_whatif
from scenarios.schema import Scenario
from scenarios.shelf import SUFFIXES, library
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.errors import Problem, ScenarioError, listed, show
from scenarios.strict_yaml.reading import read_file
from scenarios.strict_yaml.validation import validate_as
from simulation.parameters import Settings, parameter

SHIPPED = "uncertainty"
"""What `--over` calls the shipped sets of a scenario."""
WHAT = "file of parameter sets"


class Uncertainty(Settings):
    """Sets of values that fit alike; each maps dotted paths of a scenario to numbers."""

    uncertainty: str = Field(description="name of the scenario that the sets are for", min_length=1)
    title: str = Field(description="title in tables and plots", min_length=1)
    about: str = parameter("", "how the sets were found, and what they fit", kind="constant")
    sets: tuple[dict[str, float], ...] = Field(description="values by dotted path", min_length=2, max_length=10_000)

    @model_validator(mode="after")
    def _speaks_of_the_same(self) -> Uncertainty:
        first = self.sets[0].keys()
        for number, one in enumerate(self.sets):
            if not one:
                raise ValueError(f"set {number} is empty")
            if one.keys() != first:
                other = sorted(one.keys() ^ first)[0]
                raise ValueError(f"set {number} and set 0 must name the same paths; only one names {show(other)}")
        return self


def load_uncertainty(name_or_path: NameOrPath, scenario: Scenario) -> Uncertainty:
    """The sets of a file, or the shipped ones of the scenario (`uncertainty`). Raises `ScenarioError`."""
    document = read_file(_file(name_or_path, scenario), what=WHAT)
    return validate_as(Uncertainty, document)


def shipped_sets() -> list[str]:
    """Short names of the scenarios that have shipped sets."""
    return sorted(path.stem for path in (library() / SHIPPED).glob("*.yaml"))


def variants(scenario: Scenario, sets: Uncertainty, whatif: str | None = None) -> tuple[Scenario, ...]:
    """The scenario with each of the sets, the what-if laid over it. Raises `ScenarioError` where one does not fit."""
    found = []
    for number, values in enumerate(sets.sets):
        one = with_values(scenario, values, by=f"in set {number} of {show(sets.title)}: ")
        found.append(one if whatif is None else load_whatif(whatif, one))
    return tuple(found)


def with_values(
    scenario: Scenario,
    values: Mapping[str, float],
    by: str = "in a set of values: ",
    untouched_since: Mapping[str, Any] | None = None,
) -> Scenario:
    """The scenario with these values by dotted path. Raises `ScenarioError` where one does not fit.

    untouched_since: plain data of the base of a what-if; what the what-if has changed stays.
    """
    document = scenario.to_document()
    wanted = {
        path: _as_declared(value_at(document.data, path), value)
        for path, value in values.items()
        if untouched_since is None or value_at(untouched_since, path) == value_at(document.data, path)
    }
    return Scenario.from_document(apply_changes(document, wanted, Scenario, by=by, places={}), scenario.name)


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path of plain data; None where nothing does."""
    node: Any = data
    for part in path.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _as_declared(there: Any, value: float) -> float | int:
    """A whole number where the scenario has one."""
    return int(value) if isinstance(there, int) and value == int(value) else value


def _file(name_or_path: NameOrPath, scenario: Scenario) -> FilePath:
    text = os.fspath(name_or_path)
    if text != SHIPPED:
        if text.lower().endswith(SUFFIXES) or os.path.exists(text):
            return FilePath(os.path.expanduser(text))
        allowed = f"{SHIPPED} for the shipped sets of the scenario, or a file that ends in .yaml"
        raise ScenarioError(Problem(f"over = {show(text)}: must be {allowed}", value=text, allowed=allowed))
    path = library() / SHIPPED / f"{scenario.name.split('/')[-1]}.yaml"
    if not path.is_file():
        there = listed(f"markets/{name}" for name in shipped_sets())
        says = f"over = {SHIPPED}: no sets are shipped for {show(scenario.name)}; there are some for {there}"
        raise ScenarioError(Problem(f"{says}; give a file", value=text))
    return path
