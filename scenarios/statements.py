"""Statements of a scenario that name changes: dated interventions, and the causes that a chapter gives."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from scenarios.expectation import Measure
from simulation.parameters import Month, Settings, parameter
from simulation.settings import Name

PARTS = ("set", "tighten", "add")
"""Parts of an intervention that name paths."""


class Intervention(Settings):
    """A dated change of world or firms, which stays in force until something changes it again."""

    at: Month = parameter(..., "month from which the change holds", kind="constant")
    says: str = parameter("", "what happens, for readers and for the event table", kind="constant")
    set: dict[str, Any] = Field(
        default={}, description="dotted paths below `world` or `firms.NAME`, with their new values"
    )
    tighten: dict[str, Any] = Field(
        default={},
        description="dotted paths of law, with values of which from now on the stricter counts, whatever else changes",
    )
    add: dict[str, Any] = Field(
        default={}, description="dotted paths, with amounts that from now on come on top, whatever else changes"
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Intervention:
        if not self.changed_paths():
            raise ValueError("an intervention that changes nothing: it needs set, tighten or add")
        return self

    def changed_paths(self) -> tuple[str, ...]:
        """The dotted paths that it says something of."""
        return (*self.set, *self.tighten, *self.add)


class Cause(Settings):
    """One reason that a chapter gives for an ending, with the changes that take this reason away."""

    section: str = parameter(..., "section of the book", kind="constant")
    says: str = parameter(..., "the reason, in one sentence", kind="constant")
    usual: tuple[str, ...] = Field(
        (), description="traits of the focal firm that are, without this cause, those of the median entrant"
    )
    set: dict[str, Any] = Field(default={}, description="dotted paths, with the values they have without this cause")
    from_chapter: bool = parameter(False, "whether the chapter itself gives the numbers in `set`", kind="constant")
    together: dict[Name, dict[str, Any]] = Field(
        default={}, description="by another cause: values of paths that both set, where both are taken away"
    )
    manipulation: Measure | None = Field(None, description="what taking the cause away should change, as a measure")

    @model_validator(mode="after")
    def _takes_something_away(self) -> Cause:
        if not self.set and not self.usual:
            raise ValueError("a cause that takes nothing away: it needs usual or set, with at least one entry")
        return self
