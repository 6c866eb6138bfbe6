"""From plain data to a checked settings object; what pydantic finds wrong is said in plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scenarios.strict_yaml.document import Document, fill_and_tidy
from scenarios.strict_yaml.errors import (
    Path,
    Place,
    Problem,
    ScenarioError,
    bad_value,
    dotted,
    missing_key,
    show,
    unknown_key,
)
from scenarios.strict_yaml.fields import spot

Model = TypeVar("Model", bound=BaseModel)


def validate_as(model: type[Model], document: Document) -> Model:
    """A `model` from a document; every problem names its file and line. Raises `ScenarioError`.

    The data go through JSON because pydantic's strict JSON mode is the strictness a file needs: no text or boolean
    passes for a number, while lists may fill tuples and text may fill dates.
    """
    try:
        return model.model_validate_json(json.dumps(fill_and_tidy(document.data, spot(model, ()))), strict=True)
    except ValidationError as error:
        problems = [_problem(entry, model, document) for entry in error.errors(include_url=False, include_input=False)]
    except ScenarioError as error:  # a cross-check inside the model
        problems = list(error.problems)
    located = [_located(problem, document) for problem in problems]
    raise ScenarioError(sorted(located, key=_urgency))


def _problem(entry: Any, model: type[BaseModel], document: Document) -> Problem:
    path: Path = tuple(entry["loc"])
    if path and path[-1] == "[key]":
        return _key_problem(path[:-1], model, document.what)
    here = spot(model, path)
    if entry["type"] == "extra_forbidden":
        above = spot(model, path[:-1])
        return unknown_key(path, (above.keys() if above else None) or [], of=document.what)
    if entry["type"] == "missing":
        return missing_key(path, here.expected() if here else "present")
    if entry["type"] == "value_error" and not (here and here.is_date):
        words = str(entry["ctx"]["error"])  # a sentence of a validator in the schema
        return Problem(f"{dotted(path)}: {words}" if path else words, path, document.value(path))
    allowed = here.expected() if here else str(entry["msg"]).removeprefix("Input should be ")
    return bad_value(path, document.value(path), allowed)


def _key_problem(path: Path, model: type[BaseModel], what: str) -> Problem:
    above = spot(model, path[:-1])
    if above is None or not above.is_mapping:
        return Problem(f"bad key {show(path[-1])}", path)
    if names := above.keys():
        return unknown_key(path, names, of=what)
    allowed = above.key().expected()
    says = f"bad key {show(path[-1])} in {dotted(path[:-1])}: must be {allowed}"
    return Problem(says, path, path[-1], allowed)


def _located(problem: Problem, document: Document) -> Problem:
    """The problem with its line; a document without a label is a variant, whose problems are located by its owner."""
    origin = document.origin(problem.path) if problem.at is None else None
    if origin is not None:
        place = problem.place or origin.place
        problem = replace(problem, by=f"{origin.by}{problem.by}", at=origin.at, place=place)
    if problem.place is not None or not document.label:
        return problem
    return replace(problem, place=document.place(problem.path if problem.at is None else problem.at))


def _urgency(problem: Problem) -> tuple[bool, str, int]:
    """Unknown keys first, for a misspelt key often explains a missing one; then by line."""
    place = problem.place or Place("")
    return (not problem.unknown_key, place.file, place.line or 0)
