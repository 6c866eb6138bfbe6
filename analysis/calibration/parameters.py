"""What a calibration may change: parameters of a scenario with ranges, and the overrides that chosen values mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Literal

from pydantic import Field, model_validator

from analysis.base_rates.targets import shipped_file
from scenarios import Scenario
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Path, Problem, ScenarioError, did_you_mean, listed, show
from scenarios.strict_yaml.fields import spot
from scenarios.strict_yaml.reading import read_file
from scenarios.strict_yaml.validation import validate_as
from simulation.parameters import Settings, parameter
from simulation.settings import Name

ANY = "*"
NEUTRAL = {"scale": 1.0, "add": 0.0}


class Free(Settings):
    """One thing that a calibration chooses; it may move several parameters together."""

    name: Name = Field(description="short name")
    says: str = parameter("", "what it is, in a few words")
    paths: tuple[str, ...] = Field(description="dotted paths of a scenario; * stands for any name", min_length=1)
    how: Literal["set", "scale", "add"] = parameter("set", "the value itself, or relative to the scenario's own value")
    low: float = parameter(..., "lower end of the range")
    high: float = parameter(..., "upper end of the range")
    log: bool = parameter(False, "whether values are drawn on a logarithmic scale")

    @model_validator(mode="after")
    def _is_a_range(self) -> Free:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low:g} must lie below high = {self.high:g}")
        if (self.log or self.how == "scale") and self.low <= 0:
            raise ValueError(f"low = {self.low:g} must be above 0 where values are scaled or drawn on a log scale")
        neutral = NEUTRAL.get(self.how)
        if neutral is not None and not self.low <= neutral <= self.high:
            raise ValueError(f"the range must contain {neutral:g}, which leaves the scenario as it is")
        return self


class ParameterFile(Settings):
    """A file of free parameters."""

    parameters: tuple[Free, ...] = Field(description="what may change")


@dataclass(frozen=True)
class Place:
    """One number of a scenario: its own value, its declared bounds, and whether it is whole."""

    path: str
    value: float
    low: float | None
    high: float | None
    whole: bool

    def moved(self, how: str, by: float) -> float | int:
        """The value after a change, held inside the declared bounds."""
        new = {"set": by, "scale": self.value * by, "add": self.value + by}[how]
        new = max(new, self.low) if self.low is not None else new
        new = min(new, self.high) if self.high is not None else new
        return round(new) if self.whole else new


@dataclass(frozen=True)
class Knob:
    """A free parameter of one scenario; `start` leaves the scenario as it is."""

    free: Free
    places: tuple[Place, ...]
    start: float


def load_parameters(file: str | FilePath | None, scenario: Scenario) -> tuple[Knob, ...]:
    """The knobs of a file (None: the shipped one) on a scenario; raises `ScenarioError` with file, line and key."""
    path = shipped_file("calibration/parameters.yaml") if file is None else FilePath(file)
    document = read_file(path, what="file of parameters")
    content = validate_as(ParameterFile, document)
    names = [free.name for free in content.parameters]
    plain = scenario.model_dump(mode="json")
    if not names:
        raise ScenarioError(Problem("parameters is empty; name at least one", place=document.place(("parameters",))))
    knobs = []
    for index, free in enumerate(content.parameters):
        if names.index(free.name) < index:
            raise _problem(document, index, f"name = {show(free.name)}: used twice")
        try:
            knobs.append(_knob(free, plain))
        except ValueError as error:
            raise _problem(document, index, str(error)) from None
    return tuple(knobs)


def overrides(knobs: Sequence[Knob], values: Mapping[str, float]) -> dict[str, float | int]:
    """Dotted paths with the numbers that a choice of values puts there."""
    return {place.path: place.moved(knob.free.how, values[knob.free.name]) for knob in knobs for place in knob.places}


def _knob(free: Free, plain: Mapping[str, Any]) -> Knob:
    places = tuple(place for pattern in free.paths for place in _places(pattern, plain))
    if free.how != "set":
        return Knob(free, places, NEUTRAL[free.how])
    start = places[0].value
    if any(place.value != start for place in places):
        raise ValueError(f"{listed(free.paths)}: values differ, so they cannot be set together; use scale or add")
    if not free.low <= start <= free.high:
        raise ValueError(f"the range {free.low:g} to {free.high:g} must contain the scenario's own value {start:g}")
    return Knob(free, places, start)


def _places(pattern: str, plain: Mapping[str, Any]) -> list[Place]:
    found = [_place(path, value) for path, value in _matches(tuple(pattern.split(".")), plain, ())]
    if not found:
        raise ValueError(f"path {show(pattern)}: matches nothing in the scenario")
    return found


def _matches(parts: Path, node: Any, above: Path) -> Iterator[tuple[Path, Any]]:
    if not parts:
        yield above, node
        return
    if not isinstance(node, Mapping):
        raise ValueError(
            f"path {show('.'.join(map(str, (*above, *parts))))}: nothing lies below {listed(map(str, above))}"
        )
    part = str(parts[0])
    if part != ANY and part not in node:
        where = ".".join(map(str, above)) or "the scenario"
        hint = did_you_mean(part, node)
        raise ValueError(f"path: no {show(part)} in {where}; {hint}present: {listed(node)}")
    for name in node if part == ANY else (part,):
        yield from _matches(parts[1:], node[name], (*above, name))


def _place(path: Path, value: Any) -> Place:
    dotted = ".".join(map(str, path))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"path {dotted}: is {show(value)}, not a number")
    kind = _kind(path)
    if kind != "uncertainty":
        raise ValueError(
            f"path {dotted}: is a {kind or 'part without a record'}; only an uncertainty can be calibrated"
        )
    here = spot(Scenario, path)
    notes = here.field.metadata if here and here.field else []
    low, high = (next((getattr(n, end) for n in notes if hasattr(n, end)), None) for end in ("ge", "le"))
    return Place(dotted, float(value), low, high, here is not None and here.kind is int)


def _kind(path: Path) -> str:
    """Kind of the parameter at a path: its own record's, or that of the mapping it stands in."""
    for length in (len(path), len(path) - 1):
        here = spot(Scenario, path[:length])
        extra = here.field.json_schema_extra if here and here.field else None
        if isinstance(extra, dict) and "kind" in extra:
            return str(extra["kind"])
    return ""


def _problem(document: Document, index: int, says: str) -> ScenarioError:
    here = ("parameters", index)
    return ScenarioError(Problem(f"parameters[{index}]: {says}", here, place=document.place(here)))
