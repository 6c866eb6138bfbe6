"""Base rates as targets: figures from sources in a YAML file, each with its range and the statistic it is about."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path as FilePath
from typing import Any

from pydantic import Field, model_validator

from analysis.base_rates.statistics import Statistic, statistics
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.errors import Problem, ScenarioError, did_you_mean, listed, show
from scenarios.strict_yaml.reading import read_file, read_parent
from scenarios.strict_yaml.validation import validate_as
from simulation.parameters import Settings, parameter

SHIPPED = "shipped"
MAX_CHAIN = 10
"""Files that extend each other."""
USUAL_TOLERANCE = 0.2  # assumption: one-sided ranges are measured in fifths of their bound


class Target(Settings):
    """One figure. Its range: `low` and/or `high`, or `value` with `tolerance` (its unit) or `tolerance_share`."""

    id: str = Field(description="short name of the target", pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,39}$")
    says: str = Field(description="the target, in a few words", min_length=1)
    source: str = Field(description="id of docs/sources.md, a reference, or assumption", min_length=1)
    statistic: str = Field(description="name of a computed statistic", min_length=1)
    parameters: dict[str, Any] = Field(default={}, description="parameters of the statistic")
    low: float | None = parameter(None, "lower end of the range, inclusive")
    high: float | None = parameter(None, "upper end of the range, inclusive")
    value: float | None = parameter(None, "figure of the source")
    tolerance: float | None = parameter(None, "half of the range's width", low=0)
    tolerance_share: float | None = parameter(None, "half of the range's width, as a share of the value", low=0, high=1)
    unit: str = parameter("", "unit of the figure: share, months, USD, USD/month")
    population: str = parameter("", "whom the source counts, and how that differs from the model's firms")
    weight: float = parameter(1.0, "weight in calibration; 0: shown only", low=0, high=1e6)

    @model_validator(mode="after")
    def _has_a_range(self) -> Target:
        if wrong := _contradiction(self):
            raise ValueError(wrong)
        return self

    @property
    def range(self) -> tuple[float | None, float | None]:
        """(low, high), inclusive; None: open."""
        if self.value is None:
            return self.low, self.high
        half = self.tolerance if self.tolerance is not None else abs(self.value) * (self.tolerance_share or 0.0)
        return self.value - half, self.value + half

    @property
    def scale(self) -> float:
        """What counts as one unit of distance from the range: its half-width, or a fifth of the only bound."""
        low, high = self.range
        if low is not None and high is not None and high > low:
            return (high - low) / 2
        return USUAL_TOLERANCE * abs(low if low is not None else high or 0.0) or 1.0

    @property
    def computed(self) -> Statistic:
        """The statistic behind the name."""
        return statistics()[self.statistic]

    @property
    def of(self) -> Settings:
        """The statistic's parameters, defaults filled in."""
        return validate_as(self.computed.parameters, self.parameters_document)

    @property
    def parameters_document(self) -> Document:
        """The statistic's parameters as the file says them, before they are checked."""
        return Document(dict(self.parameters), "", what=f"statistic {self.statistic}")


class TargetFile(Settings):
    """A file of targets."""

    extends: str | None = parameter(None, "`shipped`, or another file, whose targets these are added to")
    drop: tuple[str, ...] = Field((), description="ids of the extended file that are left out")
    targets: tuple[Target, ...] = Field((), description="the targets; one of an extended file's ids replaces it")


def load_targets(file: str | FilePath | None = None) -> tuple[Target, ...]:
    """The targets of a file, or the shipped ones; raises `ScenarioError` with file, line and what would be right."""
    return _resolve(shipped_file("base_rates/targets.yaml") if file is None else FilePath(file), ())


def shipped_file(name: str) -> FilePath:
    """A YAML file that is shipped with this package."""
    return FilePath(str(files("analysis").joinpath(name)))


def _resolve(file: FilePath, chain: tuple[FilePath, ...]) -> tuple[Target, ...]:
    what, keys = "file of targets", tuple(TargetFile.model_fields)
    document = read_parent(file, str(file), what, keys) if chain else read_file(file, what=what)
    content = validate_as(TargetFile, document)
    here = file.resolve()
    if here in chain:
        raise _problem(document, ("extends",), f"extends = {show(content.extends)}: the files extend each other")
    if len(chain) >= MAX_CHAIN:
        says = f"extends = {show(content.extends)}: a chain of more than {MAX_CHAIN} files; merge some"
        raise _problem(document, ("extends",), says)
    for index, target in enumerate(content.targets):
        _check_statistic(target, index, document)
    earlier = _extended(content, document, (*chain, here))
    return _together(earlier, content, document)


def _extended(content: TargetFile, document: Document, chain: tuple[FilePath, ...]) -> tuple[Target, ...]:
    if content.extends is None:
        return ()
    if content.extends == SHIPPED:
        return load_targets()
    return _resolve(chain[-1].parent / content.extends, chain)


def _together(earlier: tuple[Target, ...], content: TargetFile, document: Document) -> tuple[Target, ...]:
    known = {target.id: target for target in earlier}
    for index, name in enumerate(content.drop):
        if name not in known:
            hint = did_you_mean(name, known)
            says = f"drop[{index}] = {show(name)}: no such target to leave out; {hint}present: {listed(known)}"
            raise _problem(document, ("drop", index), says)
        del known[name]
    own: set[str] = set()
    for index, target in enumerate(content.targets):
        if target.id in own:
            raise _problem(document, ("targets", index, "id"), f"targets[{index}].id = {show(target.id)}: used twice")
        own.add(target.id)
        known[target.id] = target
    if not known:
        raise _problem(document, ("targets",), "there is no target; name at least one, or say extends: shipped")
    return tuple(known.values())


def _check_statistic(target: Target, index: int, document: Document) -> None:
    """The statistic must exist and take the parameters."""
    here = ("targets", index, "parameters")
    if target.statistic not in statistics():
        hint = did_you_mean(target.statistic, statistics())
        says = f"targets[{index}].statistic = {show(target.statistic)}: no such statistic; {hint}there are "
        raise _problem(document, ("targets", index, "statistic"), f"{says}{listed(statistics())}")
    try:
        validate_as(target.computed.parameters, target.parameters_document)
    except ScenarioError as error:
        first = error.problems[0]
        raise _problem(document, (*here, *first.path), f"targets[{index}].parameters: {first.says}") from None


def _contradiction(target: Target) -> str:
    """What is inconsistent about a target's range, or nothing."""
    bounds = target.low is not None or target.high is not None
    widths = [name for name in ("tolerance", "tolerance_share") if getattr(target, name) is not None]
    if bounds == (target.value is not None):
        return "needs either low and/or high, or value with a tolerance"
    if bounds and widths:
        return f"{listed(widths)} can only stand beside value"
    if target.value is not None and len(widths) != 1:
        return "value needs exactly one of tolerance, tolerance_share"
    if target.low is not None and target.high is not None and target.low > target.high:
        return f"low = {target.low:g} lies above high = {target.high:g}"
    return ""


def _problem(document: Document, path: tuple[str | int, ...], says: str) -> ScenarioError:
    return ScenarioError(Problem(says, path, place=document.place(path)))
