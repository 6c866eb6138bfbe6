"""What-if files: a change laid over any scenario, to compare both with the same seeds."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from scenarios.statements import Intervention
from scenarios.strict_yaml.document import Document
from simulation.parameters import Settings, parameter


class WhatIf(Settings):
    """A patch of a scenario: values by dotted path from the start, and further dated interventions."""

    whatif: bool = Field(description="marks the file as a what-if")
    title: str = Field(description="title in tables and plots", min_length=1)
    about: str = parameter("", "what the change is, and where its numbers come from", kind="constant")
    set: dict[str, Any] = Field(default={}, description="dotted paths with values that hold from the start")
    tighten: dict[str, Any] = Field(
        default={}, description="dotted paths of law, with values of which the stricter counts during the whole run"
    )
    add: dict[str, Any] = Field(
        default={}, description="dotted paths, with amounts that come on top during the whole run"
    )
    interventions: tuple[Intervention, ...] = Field((), description="dated changes, after those of the scenario")

    @model_validator(mode="after")
    def _changes_something(self) -> WhatIf:
        if not self.whatif:
            raise ValueError("whatif must be true; a scenario leaves the key out")
        if not (self.set or self.tighten or self.add or self.interventions):
            raise ValueError("a what-if that changes nothing: it needs set, tighten, add or interventions")
        return self


def is_whatif(document: Document) -> bool:
    """Whether a file says that it is a what-if."""
    return "whatif" in document.data
