"""What the changes of a scenario lead to: valid settings after each intervention, and without each cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TypeVar

from scenarios.case_rules import check_usual
from scenarios.causes import changes_of, without
from scenarios.content import Content, State
from scenarios.reach import check_dated, check_from_start, check_still_fixed, overruled
from scenarios.standing import Standing, laid, standing_in
from scenarios.statements import Cause
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, not_one_of, show
from scenarios.strict_yaml.validation import validate_as

C = TypeVar("C", bound=Content)


def timeline(scenario: Content) -> Iterator[State]:
    """The settings in force after each intervention, by date. Raises `ScenarioError` if one leads astray."""
    document = replace(_variant(scenario, drop=("interventions", "expect", "causes")), label="")
    ordered = sorted(enumerate(scenario.interventions), key=lambda pair: pair[1].at)
    standing: list[Standing] = []
    for i, intervention in ordered:
        here: Path = ("interventions", i)
        at: Path = (*here, "set")
        by = f"in the intervention of {intervention.at:%Y-%m}: "
        check_dated(intervention.set, type(scenario), at)
        document = apply_changes(document, intervention.set, type(scenario), by=by, at=at)
        standing += standing_in(intervention, type(scenario), by, here)
        if intervention.tighten:  # a value that is not the stricter one must be a possible one all the same
            alone = apply_changes(document, intervention.tighten, type(scenario), by=by, at=(*here, "tighten"))
            _validated(alone, type(scenario), by, here)
        in_force = laid(document, standing, type(scenario))
        after = _validated(in_force, type(scenario), f"after the intervention of {intervention.at:%Y-%m}: ", here)
        _check_same_market(scenario, after, intervention.at, at)
        check_still_fixed(scenario, after, intervention.set, at)
        yield scenario.month_of(intervention.at), after.world, after.firms


def _check_same_market(before: Content, after: Content, when: date, at: Path) -> None:
    """Sectors and segments are the axes of the market; they can change in every number, but not come and go."""
    for name in before.world.sectors.keys() | after.world.sectors.keys():
        old, new = before.world.sectors.get(name), after.world.sectors.get(name)
        if old is None or new is None or old.segments.keys() != new.segments.keys():
            says = f"the intervention of {when:%Y-%m} adds or removes sector {show(name)} or one of its segments"
            raise ScenarioError(Problem(f"{says}; define it from the start instead", at, at=at))
    for name in before.world.jurisdictions.keys() ^ after.world.jurisdictions.keys():
        says = f"the intervention of {when:%Y-%m} adds or removes jurisdiction {show(name)}"
        raise ScenarioError(Problem(f"{says}; define it from the start instead", at, at=at))


def check_causes(scenario: Content) -> None:
    """Every cause, taken away, leaves a valid scenario. Raises `ScenarioError`."""
    for name, cause in scenario.causes.items():
        at: Path = ("causes", name, "set")
        check_from_start(cause.set, f"cause {show(name)}", at)
        check_usual(scenario, name)
        by, changes = f"in cause {show(name)}: ", changes_of(scenario, name)
        document = apply_changes(_variant(scenario, drop=("causes",)), changes, type(scenario), by=by, at=at)
        without = _validated(document, type(scenario), f"without cause {show(name)}: ", at)
        if problems := [replace(p, by=by, at=(*at, key)) for key, p in overruled(without, changes)]:
            raise ScenarioError(problems)
        _check_together(scenario, name, cause)


def _check_together(scenario: Content, name: str, cause: Cause) -> None:
    """`together` speaks of paths that both causes set, and both taken away leave a valid scenario."""
    for other, changes in cause.together.items():
        at: Path = ("causes", name, "together", other)
        if other not in scenario.causes or other == name:
            raise ScenarioError(not_one_of(at, other, sorted(set(scenario.causes) - {name}), "the other causes"))
        for key in changes:
            if key not in changes_of(scenario, name) or key not in changes_of(scenario, other):
                says = f"{show(key)} must be set by both causes, {show(name)} and {show(other)}"
                raise ScenarioError(Problem(says, (*at, key), key))
        validate_as(type(scenario), without(scenario, (other, name)))


def _variant(scenario: Content, drop: tuple[str, ...]) -> Document:
    """The scenario as a document without some of its parts; its problems are located by the owner."""
    whole = scenario.to_document(label="")
    return replace(whole, data={key: value for key, value in whole.data.items() if key not in drop})


def _validated(document: Document, model: type[C], by: str, at: Path) -> C:
    try:
        return validate_as(model, document)
    except ScenarioError as error:
        raise ScenarioError([_blame(problem, by, at) for problem in error.problems]) from None


def _blame(problem: Problem, by: str, at: Path) -> Problem:
    """A problem of a variant, on the account of the change that made it, unless it stands in that change anyway."""
    if problem.at is not None and problem.at[: len(at)] == at:
        return problem
    return replace(problem, by=f"{by}{problem.by}", at=at if problem.at is None else problem.at)
