"""What sets the firm of a case apart, and its twin without it.

Where a file says `endowments`, the traits that it leaves out are filled with the usual ones (`usual.py`), and each that
it writes is either usual or named there with its section.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from scenarios.content import Content
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, show
from scenarios.usual import Traits, are_alike, traits_of, usual_traits

CHAPTER = ("expect", "causes")
"""Parts that say nothing of the world."""


def without_chapter(document: Document) -> Document:
    """The document without what its chapter states: enough to know what is usual."""
    return replace(document, data={key: value for key, value in document.data.items() if key not in CHAPTER})


def endowed(scenario: Content, document: Document) -> Document:
    """The document of `scenario` with every trait that its focal firm is not given filled with the usual one.

    Raises `ScenarioError` for a trait that differs without a section, and for a section of a trait that is usual.
    """
    focal = str(scenario.focal)
    own, usual = traits_of(scenario.firms[focal]), _usual_in(scenario, document)
    written = {trait for trait in usual if _is_written(document.data["firms"][focal], trait.split("."))}
    if problems := [*_uncited(scenario, own, usual, written), *_idle(scenario, own, usual, written)]:
        raise ScenarioError(_placed(problems, document))
    data = copy.deepcopy(document.data)
    for trait in usual.keys() - written:
        _put(data["firms"][focal], trait.split("."), usual[trait])
    return replace(document, data=data)


def twin_document(scenario: Content) -> Document:
    """The scenario as a document with each endowed trait usual, from the start on and at every date."""
    if not scenario.endowments:
        raise ScenarioError(f"{scenario.name or 'the scenario'} says no endowments, so its firm has no twin")
    focal = str(scenario.focal)
    usual = {trait: value for trait, value in usual_traits(scenario, focal).items() if trait in scenario.endowments}
    changes = {f"firms.{focal}.{trait}": value for trait, value in usual.items()}
    document = scenario.to_document()
    document.data["causes"] = {}
    for change in document.data["interventions"]:
        change["set"] = {key: value for key, value in change["set"].items() if key not in changes}
    document.data["interventions"] = [change for change in document.data["interventions"] if change["set"]]
    return apply_changes(document, changes, type(scenario), by="in the twin: ", at=("endowments",))


def _usual_in(scenario: Content, document: Document) -> Traits:
    try:
        return usual_traits(scenario, str(scenario.focal))
    except ScenarioError as error:
        raise ScenarioError(_placed(error.problems, document)) from None


def _placed(problems: Iterable[Problem], document: Document) -> list[Problem]:
    return [replace(one, place=document.place(one.path)) for one in problems]


def _uncited(scenario: Content, own: Traits, usual: Traits, written: set[str]) -> Iterator[Problem]:
    for trait in sorted(written - scenario.endowments.keys()):
        if not are_alike(own[trait], usual[trait]):
            path: Path = ("firms", str(scenario.focal), *trait.split("."))
            says = (
                f"firms.{scenario.focal}.{trait} = {show(own[trait])}: usual is {show(usual[trait])}, and endowments "
                f'names no section for it; say it there ({trait}: "5.1") or leave the trait out'
            )
            yield Problem(says, path, own[trait])


def _idle(scenario: Content, own: Traits, usual: Traits, written: set[str]) -> Iterator[Problem]:
    """A section for what is usual would cite the chapter for nothing."""
    for trait in scenario.endowments.keys() & usual.keys():
        if trait not in written or are_alike(own[trait], usual[trait]):
            path: Path = ("endowments", trait)
            says = f"endowments.{trait}: firms.{scenario.focal} has the usual {show(usual[trait])}; leave it out"
            yield Problem(says, path, scenario.endowments[trait])


def _is_written(firm: Any, trait: list[str]) -> bool:
    for part in trait:
        if not isinstance(firm, dict) or part not in firm:
            return False
        firm = firm[part]
    return True


def _put(firm: dict[str, Any], trait: list[str], value: Any) -> None:
    for part in trait[:-1]:
        firm = firm.setdefault(part, {})
    firm[trait[-1]] = value
