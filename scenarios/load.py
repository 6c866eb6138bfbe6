"""Loading scenarios: by shipped name or from a file, over the file they extend, with overrides or a what-if on top."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from scenarios.case_rules import idle_causes
from scenarios.checks import outside_run
from scenarios.content import SCENARIO
from scenarios.endowments import endowed, without_chapter
from scenarios.reach import check_from_start, overruled
from scenarios.schema import Scenario
from scenarios.shelf import Source, find_source
from scenarios.statements import Intervention
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document, Origin, merge, plain
from scenarios.strict_yaml.errors import Path, Place, Problem, ScenarioError, show
from scenarios.strict_yaml.reading import read_file, read_parent
from scenarios.strict_yaml.validation import validate_as
from scenarios.whatif import WhatIf, is_whatif

MAX_CHAIN = 10
NameOrPath = str | os.PathLike[str]


def load(name_or_path: NameOrPath, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """The scenario of a shipped name (`cases/vision`), of a case's id (`CASE-VISION`) or in a YAML file, fully checked.

    `overrides` maps dotted paths to values and is applied last: `{"years": 3, "world.law.tax_rate": 0.2}`. Raises
    `ScenarioError`, whose text is one line with file, line, key and what would be right.
    """
    source = find_source(name_or_path)
    document = resolve(source)
    if overrides and "sectors" in overrides:
        document = _choosing(document, overrides["sectors"])
    if document.data.get("endowments"):
        document = endowed(validate_as(Scenario, without_chapter(document)), document)
    scenario = Scenario.from_document(document, source.name)
    _refuse_outside_run(document, scenario)
    _refuse_idle_causes(document, scenario)
    own = _written_values(document)
    _refuse_overruled(scenario, own, "", own, months=0)
    if not overrides:
        return scenario
    complete = replace(document, data=scenario.to_document().data)
    by = "in an override: "
    changed = Scenario.from_document(apply_changes(complete, overrides, Scenario, by=by, places={}), source.name)
    _refuse_overruled(changed, overrides, by, {})
    return changed


def _refuse_outside_run(document: Document, scenario: Scenario) -> None:
    """Raise `ScenarioError` for interventions that the file itself writes with a date outside its run."""
    problems = []
    for i, said in enumerate(document.data.get("interventions") or ()):
        place = document.place(("interventions", i, "at"))
        at = date.fromisoformat(f"{str(said['at'])[:7]}-01")
        if place.file == document.label and (problem := outside_run(scenario, i, at)):
            problems.append(replace(problem, place=place))
    if problems:
        raise ScenarioError(problems)


def _refuse_idle_causes(document: Document, scenario: Scenario) -> None:
    """Raise `ScenarioError` for traits that are usual with their cause, too."""
    if problems := [replace(one, place=document.place(one.path)) for one in idle_causes(scenario)]:
        raise ScenarioError(problems)


def _written_values(document: Document) -> dict[str, Place]:
    """Where the file itself, not one that it extends, writes a value (mappings count by their entries)."""
    own = [(path, place) for path, place in document.places.items() if place.file == document.label]
    return {".".join(map(str, path)): place for path, place in own if not isinstance(document.value(path), dict)}


def _choosing(document: Document, sectors: Any) -> Document:
    """The document with other sectors chosen: this override comes first, for what is left out cannot come back."""
    path: Path = ("sectors",)
    data = {**document.data, "sectors": plain(sectors, path)}
    return replace(document, data=data, origins={path: Origin("in an override: ", path)})


def load_whatif(name_or_path: NameOrPath, base: Scenario) -> Scenario:
    """The other arm of a comparison: `base` changed by a what-if file, or a full scenario over the same months."""
    source = find_source(name_or_path)
    document = read_file(source.path, source.label, SCENARIO)
    if not is_whatif(document):
        return _same_months(load(name_or_path), base, source)
    whatif = validate_as(WhatIf, document)
    target = base.to_document(label=source.label)
    target.data["title"] = f"{base.title}, what if: {whatif.title}"
    n_before = len(base.interventions)
    for i, intervention in enumerate(whatif.interventions):
        if problem := outside_run(base, i, intervention.at, may_be_older=True):
            raise ScenarioError(replace(problem, place=document.place(problem.path)))
        target.data["interventions"].append(intervention.model_dump(mode="json"))
        written = document.places.items()
        here = ("interventions", i)
        target.places.update({(here[0], n_before + i, *p[2:]): place for p, place in written if p[:2] == here})
    if whatif.tighten or whatif.add:
        target.data["interventions"].append(_from_the_start(whatif, base))
        here = ("interventions", len(target.data["interventions"]) - 1)
        parts = ("tighten", "add")
        target.places.update({(*here, *path): place for path, place in document.places.items() if path[0] in parts})
    by, at = "in the what-if: ", ("set",)
    try:
        check_from_start(whatif.set, "a what-if", at)
    except ScenarioError as error:
        raise ScenarioError([replace(p, place=document.place(p.path)) for p in error.problems]) from None
    changed = apply_changes(target, whatif.set, Scenario, by=by, at=at, places=document.places)
    other = Scenario.from_document(changed, f"{base.name}+{source.name}")
    _refuse_overruled(other, whatif.set, by, {key: document.place((*at, key)) for key in whatif.set})
    return _same_months(other, base, source)


def _from_the_start(whatif: WhatIf, base: Scenario) -> dict[str, Any]:
    """What a what-if lays beside the whole run, as an intervention older than it, which holds without an event."""
    before = base.start.replace(year=base.start.year - 1)
    said = Intervention(at=before, says=whatif.title, tighten=whatif.tighten, add=whatif.add)
    return said.model_dump(mode="json")


def _refuse_overruled(
    scenario: Scenario, keys: Iterable[str], by: str, places: Mapping[str, Place], months: int = 1
) -> None:
    """Raise `ScenarioError` for values that an intervention overrules before they could act."""
    found = overruled(scenario, keys, months)
    if problems := [replace(problem, by=by, place=places.get(key)) for key, problem in found]:
        raise ScenarioError(problems)


def _same_months(other: Scenario, base: Scenario, source: Source) -> Scenario:
    if (other.start, other.years) == (base.start, base.years):
        return other
    says = (
        f"runs {other.years} years from {other.start:%Y-%m}, but {base.name} runs {base.years} years from "
        f"{base.start:%Y-%m}; both arms of a comparison must cover the same months"
    )
    raise ScenarioError(Problem(says, ("start",), str(other.start), place=Place(source.label)))


def resolve(source: Source) -> Document:
    """The document of a file merged over all that it extends, not yet validated."""
    chain: list[tuple[Source, Document]] = []
    step: Source | None = source
    while step is not None:
        document = _read_parent(step) if chain else read_file(step.path, step.label, SCENARIO)
        _refuse_whatif(document, child=chain[-1] if chain else None)
        chain.append((step, document))
        step = _parent(document, step, chain)
    merged = Document({}, source.label, what=SCENARIO)
    for _, document in reversed(chain):
        merged = merge(merged, document, Scenario)
    return merged


def _read_parent(source: Source) -> Document:
    # A scenario, or a what-if, which is refused in words of its own.
    return read_parent(source.path, source.label, SCENARIO, (*Scenario.model_fields, "extends", "whatif"))


def _parent(document: Document, source: Source, chain: list[tuple[Source, Document]]) -> Source | None:
    if "extends" not in document.data:
        return None
    place = document.place(("extends",))
    target = document.data.pop("extends")
    says = f"extends = {show(target)}: "
    if not isinstance(target, str):
        says += "must be a shipped name such as markets/base or a relative path such as ../base.yaml"
        raise ScenarioError(Problem(says, ("extends",), target, place=place))
    try:
        parent = find_source(target, relative_to=source.path.parent)
    except ScenarioError as error:
        raise ScenarioError(Problem(f"{says}{error.problems[0].says}", ("extends",), target, place=place)) from None
    known = [step.key for step, _ in chain]
    if parent.key in known:
        circle = " → ".join([*(step.label for step, _ in chain[known.index(parent.key) :]), parent.label])
        raise ScenarioError(Problem(f"{says}circular extends: {circle}", ("extends",), target, place=place))
    if len(chain) >= MAX_CHAIN:
        raise ScenarioError(
            Problem(f"{says}a chain of more than {MAX_CHAIN} files; merge some", ("extends",), target, place=place)
        )
    return parent


def _refuse_whatif(document: Document, child: tuple[Source, Document] | None) -> None:
    if not is_whatif(document):
        return
    if child is not None:
        says = f"extends = {show(document.label)}: that is a what-if, which changes a scenario but is none"
        raise ScenarioError(Problem(says, ("extends",), document.label, place=child[1].place(("extends",))))
    says = "is a what-if, which changes a scenario but is none; use it with: ventures compare BASE --with"
    name = document.label.removesuffix(".yaml") if not FilePath(document.label).is_file() else document.label
    hint = f"ventures compare BASE --with {name}"
    raise ScenarioError(Problem(f"{says} {name}", ("whatif",), hint=hint, place=document.place(("whatif",))))
