"""The schema of a scenario: what a file may say, checked before anything is built.

A scenario is immutable and consistent by construction: names refer to things that exist, dates lie inside the run, and
every dated intervention and every named cause leads to a valid scenario again.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import model_validator

from scenarios.causes import without
from scenarios.checks import check
from scenarios.content import SCENARIO, Content
from scenarios.endowments import twin_document
from scenarios.plugins import acting
from scenarios.selection import is_selection, selected
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.validation import validate_as
from scenarios.variants import check_causes, timeline


class Scenario(Content):
    """Everything a run needs besides its seed."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Scenario:
        check(self)
        acting(self.plugins)
        self._timeline = tuple(timeline(self))
        check_causes(self)
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

    def without(self, *causes: str) -> Scenario:
        """The same scenario with causes taken away, all of them together.

        Raises `ScenarioError` for an unknown cause, and where two causes set one path to different values and neither
        says (`together`) what holds without both.
        """
        name = f"{self.name} without {', '.join(causes)}" if causes else self.name
        changed = Scenario.from_document(without(self, causes))
        return changed.model_copy(update={"causes": self.causes})._named(name)

    def twin(self) -> Scenario:
        """The same scenario in which the focal firm has none of its endowments: the median entrant in its place.

        It sells the same and is founded in the same month. Raises `ScenarioError` where no endowments are said.
        """
        changed = Scenario.from_document(twin_document(self))
        return changed.model_copy(update={"causes": self.causes})._named(f"{self.name}, the twin")

    def _named(self, name: str) -> Scenario:
        self._name = name
        return self
