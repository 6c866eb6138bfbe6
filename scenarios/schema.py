"""The schema of a scenario: what a file may say, checked before anything is built.

A scenario is immutable and consistent by construction: names refer to things that exist, dates lie inside the run, and
every dated intervention and every named cause leads to a valid scenario again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import Field, PrivateAttr, model_validator

from agents.settings import EntrantSettings, FirmSettings, InvestorSettings, RegulatorSettings
from scenarios.causes import changes_together
from scenarios.expectation import Expectation as Expectation
from scenarios.selection import is_selection, selected
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Problem, ScenarioError, did_you_mean, listed, show
from scenarios.strict_yaml.validation import validate_as
from simulation.parameters import Month, Settings, parameter
from simulation.settings import Name, WorldSettings

SCENARIO = "scenario"
"""What errors call the whole of a file, or of plain data, that should be a scenario."""
State = tuple[int, WorldSettings, dict[str, FirmSettings]]
"""The settings in force from a month on: month of the run (0 is the first), world, firms by name."""


class Intervention(Settings):
    """A dated change of world or firms, which stays in force until something changes it again."""

    at: Month = parameter(..., "month from which the change holds", kind="constant")
    says: str = parameter("", "what happens, for readers and for the event table", kind="constant")
    set: dict[str, Any] = Field(
        description="dotted paths below `world` or `firms.NAME`, with their new values", min_length=1
    )


class Cause(Settings):
    """One reason that a chapter gives for an ending, with the changes that take this reason away."""

    section: str = parameter(..., "section of the book", kind="constant")
    says: str = parameter(..., "the reason, in one sentence", kind="constant")
    set: dict[str, Any] = Field(description="dotted paths, with the values they have without this cause", min_length=1)
    together: dict[Name, dict[str, Any]] = Field(
        default={}, description="by another cause: values of paths that both set, where both are taken away"
    )


class Scenario(Settings):
    """Everything a run needs besides its seed."""

    id: str | None = Field(None, description="id of a case, such as CASE-VISION", pattern=r"^[A-Z][A-Z0-9-]{0,39}$")
    title: str = Field(description="title in tables and plots", min_length=1)
    about: str = parameter("", "what the scenario shows, and where it comes from", kind="constant")
    start: Month = parameter(..., "first month of the run", "month", kind="constant")
    years: int = parameter(..., "length of the run", "years", low=1, high=40, kind="constant")
    focal: Name | None = parameter(None, "the firm that the scenario is about", kind="constant")
    sectors: tuple[Name, ...] | None = Field(None, description="sectors that are played; null: all", min_length=1)
    world: WorldSettings = Field(description="market, compute, labour, capital, law, risk")
    firms: dict[Name, FirmSettings] = Field(default={}, description="firms by name")
    entrants: dict[Name, EntrantSettings] = Field(default={}, description="streams of startups by name")
    investors: dict[Name, InvestorSettings] = Field(default={}, description="venture funds by name")
    regulator: RegulatorSettings | None = Field(None, description="authority that enforces the law; null: none")
    interventions: tuple[Intervention, ...] = Field((), description="dated changes", max_length=200)
    expect: tuple[Expectation, ...] = Field((), description="what a chapter says must happen")
    causes: dict[Name, Cause] = Field(default={}, description="reasons that a chapter gives, by name", max_length=40)
    _name: str = PrivateAttr("")
    _timeline: tuple[State, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _is_consistent(self) -> Scenario:
        from scenarios import checks  # checks build variants of a scenario, so each needs the other

        checks.check(self)
        self._timeline = tuple(checks.timeline(self))
        checks.check_causes(self)
        return self

    @classmethod
    def from_document(cls, document: Document, name: str = "") -> Scenario:
        """A scenario from plain data. Raises `ScenarioError` that says file, line, key and what would be right.

        The whole world is checked first; then the sectors that are not played are left out (`selection.py`).
        """
        document = replace(document, what=SCENARIO)
        scenario = validate_as(cls, document)
        if is_selection(scenario):
            scenario = validate_as(cls, selected(scenario, document))
        return scenario._named(name)

    def to_document(self, label: str | None = None) -> Document:
        """The complete content as plain data, every default filled in."""
        return Document(self.model_dump(mode="json"), self.name if label is None else label, what=SCENARIO)

    @property
    def name(self) -> str:
        """Where it came from: the shipped name (`cases/vision`) or the stem of the file."""
        return self._name

    @property
    def n_months(self) -> int:
        return self.years * 12

    @property
    def end(self) -> date:
        """The first month after the run."""
        return self.start.replace(year=self.start.year + self.years)

    def month_of(self, day: date) -> int:
        """The month of the run in which a day lies; 0 is the first, negative before the run."""
        return (day.year - self.start.year) * 12 + day.month - self.start.month

    def settings_at(self) -> list[State]:
        """The settings in force after each intervention: (month of the run, world, firms by name).

        One entry for each intervention, sorted by date; those of one month keep the order of the file.

        Changes add up: a state contains all changes of earlier ones. Empty without interventions.
        """
        return list(self._timeline)

    def without(self, *causes: str) -> Scenario:
        """The same scenario with causes taken away, all of them together.

        Raises `ScenarioError` for an unknown cause, and where two causes set one path to different values and neither
        says (`together`) what holds without both.
        """
        for cause in causes:
            if cause not in self.causes:
                raise ScenarioError(_no_such_cause(cause, self))
        document = self.to_document()
        document.data["causes"] = {}  # the other causes are kept, but need not fit the changed scenario
        for cause, changes in changes_together(self.causes, causes).items():
            by, at = f"in cause {show(cause)}: ", ("causes", cause, "set")
            document = apply_changes(document, changes, Scenario, by=by, at=at)
        name = f"{self.name} without {', '.join(causes)}" if causes else self.name
        changed = Scenario.from_document(document)
        return changed.model_copy(update={"causes": self.causes})._named(name)

    def fingerprint(self) -> str:
        """SHA-256 of the content; the name is no part of it, the order of firms is (ties may follow the order)."""
        content = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode("utf-8")).hexdigest()

    def _named(self, name: str) -> Scenario:
        self._name = name
        return self


def _no_such_cause(cause: str, scenario: Scenario) -> Problem:
    hint = did_you_mean(cause, scenario.causes)
    says = f"no cause {show(cause)} in {scenario.name or 'the scenario'}; {hint}causes: {listed(scenario.causes)}"
    return Problem(says, ("causes", cause), cause, listed(scenario.causes), hint.strip())
