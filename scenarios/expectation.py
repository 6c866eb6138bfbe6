"""What a chapter says must happen, as one statement that can be checked on the tables of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from scenarios.strict_yaml.errors import listed
from simulation.parameters import Month, Settings, parameter
from simulation.records.columns import columns_of
from simulation.records.endings import EndingKind
from simulation.records.events import JUDGED
from simulation.settings import Name

DERIVED = ("profit_usd", "quality_gap", "free_share")
"""Metrics that follow from several columns."""
Statistic = Literal["mean", "min", "max", "first", "last", "change", "sum"]
Comparison = Literal["value", "rank", "over_traditional", "over_incumbents", "times_incumbents", "over_twin"]
Role = Literal["outcome", "process", "background"]
if TYPE_CHECKING:
    Metric = str
    EventKind = str
else:
    Metric = Literal[(*(column.name for column in columns_of("firms") if column.judged), *DERIVED)]
    EventKind = Literal[JUDGED]
"""What is recorded of firms: another word would never happen, or be forbidden in vain."""
TRADITIONAL = ("quality_lab", "quality_field", "quality_gap")
"""Metrics that the sector's traditional method has too."""
EARNING = ("revenue_usd", "profit_usd", "paying_customers")
"""Metrics that say what a firm earns."""
ENDS = ("bankrupt", "acquired", "listed", "profitable")
"""Events that say how a firm ends, or that it earns."""


class Looked(Settings):
    """Whose figure is looked at, in which months, and how one number is made of them.

    The window is half-open, [after, before); it begins with the run and ends with it where a date is left out.
    """

    firm: Name | None = parameter(None, "firm it speaks of; empty: the focal firm", kind="constant")
    after: Month | None = parameter(None, "first month that counts", kind="constant")
    before: Month | None = parameter(None, "first month that no longer counts", kind="constant")
    metric: Metric | None = parameter(None, "measure of a firm, month by month", kind="constant")
    statistic: Statistic = parameter(
        "mean", "how months are summarised; change: the last less the first", kind="constant"
    )
    of: Comparison = parameter(
        "value",
        "the measure; its rank in the sector (1: best); less the traditional method's; less, or as a multiple of, the "
        "highest among the sector's incumbents; less the twin's",
        kind="constant",
    )


class Measure(Looked):
    """What a removal should change: the words of a statement about a metric, without bounds."""

    metric: Metric = parameter(..., "measure of a firm, month by month", kind="constant")

    @model_validator(mode="after")
    def _can_be_measured(self) -> Measure:
        if wrong := _wrong_metric(self) or _empty_window(self):
            raise ValueError(wrong)
        return self


class Expectation(Looked):
    """What a chapter says must happen: an ending, a measure within bounds, or an event."""

    id: str = parameter(..., "short name of the expectation", kind="constant")
    section: str = parameter(..., "section of the book", kind="constant")
    says: str = parameter(..., "the expectation, in one sentence", kind="constant")
    role: Role = parameter(
        "process",
        "outcome: how the firm ends, or what comes of it; process: how it comes about; background: counts for nothing",
        kind="constant",
    )
    ending: tuple[EndingKind, ...] | None = Field(None, description="endings that meet it", min_length=1)
    exit_value_below_raised: bool = parameter(
        False, "an acquisition counts only if it pays less than was raised", kind="constant"
    )
    at_least: float | None = parameter(None, "lower bound of the measure or of the count, inclusive", kind="constant")
    at_most: float | None = parameter(None, "upper bound of the measure or of the count, inclusive", kind="constant")
    from_chapter: bool = parameter(False, "whether the chapter itself gives the bound", kind="constant")
    fact: str | None = Field(None, description="id of the source that gives the bound", pattern=r"^[A-Z][A-Z0-9-]*$")
    event: EventKind | None = parameter(None, "kind of event", kind="constant")
    occurs: bool = parameter(True, "whether the event must occur, or must not", kind="constant")
    earlier_than: EventKind | None = parameter(None, "kind of event that must come later", kind="constant")

    @property
    def counts(self) -> bool:
        """Whether it counts for the match."""
        return self.role != "background"

    @property
    def is_about_the_outcome(self) -> bool:
        """Whether it says how the firm ends or what it earns, whatever its role."""
        return self.ending is not None or self.metric in EARNING or self.event in ENDS

    @property
    def kind(self) -> Literal["ending", "metric", "event"]:
        """What it speaks of: an ending, a measure or an event."""
        return "ending" if self.ending is not None else "metric" if self.metric is not None else "event"

    @model_validator(mode="after")
    def _is_one_statement(self) -> Expectation:
        if wrong := contradiction(self):
            raise ValueError(wrong)
        return self


def contradiction(e: Expectation) -> str:
    """What is inconsistent about an expectation in itself, or nothing."""
    kinds = [k for k in ("ending", "metric", "event") if getattr(e, k) is not None]
    if len(kinds) != 1:
        return f"needs exactly one of ending, metric, event; it has {listed(kinds) if kinds else 'none'}"
    if wrong := _stray(e) or _wrong_bounds(e) or (_wrong_count(e) if e.event else _wrong_metric(e)):
        return wrong
    if e.exit_value_below_raised and "acquired" not in (e.ending or ()):
        return "exit_value_below_raised can only stand beside an ending that includes acquired"
    return _empty_window(e)


def _stray(e: Expectation) -> str:
    """Keys that say nothing beside this kind of statement."""
    beside: list[tuple[str, bool, dict[str, object]]] = [
        ("metric", e.metric is not None, {"of": "value", "statistic": "mean"}),
        ("metric or event", e.ending is None, {"at_least": None, "at_most": None}),
        ("at_least or at_most", _is_bounded(e), {"from_chapter": False, "fact": None}),
        ("event", e.event is not None, {"occurs": True, "earlier_than": None}),
    ]
    for kind, is_there, defaults in beside:
        stray = [key for key, default in defaults.items() if getattr(e, key) != default]
        if stray and not is_there:
            return f"{listed(stray)} can only stand beside {kind}"
    return ""


def _is_bounded(e: Expectation) -> bool:
    return e.at_least is not None or e.at_most is not None


def _empty_window(e: Looked) -> str:
    if e.after is not None and e.before is not None and e.after >= e.before:
        return f"the window is empty: after {e.after:%Y-%m} must lie before {e.before:%Y-%m}"
    return ""


def _wrong_bounds(e: Expectation) -> str:
    if e.metric is not None and not _is_bounded(e):
        return "metric needs at_least or at_most"
    if e.at_least is not None and e.at_most is not None and e.at_least > e.at_most:
        return f"no number is at_least {e.at_least:g} and at_most {e.at_most:g}"
    return ""


def _wrong_metric(e: Looked) -> str:
    if e.of == "over_traditional" and e.metric not in TRADITIONAL:
        return f"of: over_traditional needs a metric that the traditional method has too: {listed(TRADITIONAL)}"
    return ""


def _wrong_count(e: Expectation) -> str:
    """What is wrong with how an event is counted or ordered."""
    bounds = [bound for bound in (e.at_least, e.at_most) if bound is not None]
    if bounds and not e.occurs:
        return "occurs: false and a count contradict each other; at_most: 0 forbids an event"
    if wrong := [bound for bound in bounds if bound < 0 or bound != int(bound)]:
        return f"a count of events must be a whole number from 0 on; it is {wrong[0]:g}"
    if e.at_least == 0 and e.at_most is None:
        return "at_least: 0 holds always; a count of events needs at_least 1, or at_most"
    if e.earlier_than is None:
        return ""
    if bounds or not e.occurs:
        return "earlier_than needs an event that occurs, without at_least and at_most"
    return "" if e.earlier_than != e.event else f"no first {e.event} is earlier_than itself"
