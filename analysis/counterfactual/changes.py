"""What a replay changes in a scenario: settings with which one firm begins, and what others no longer give away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from analysis.explain.offers import BUNDLE, date_in
from scenarios import Scenario
from scenarios.statements import PARTS
from scenarios.strict_yaml.changes import apply_changes
from scenarios.strict_yaml.document import Document

INSTEAD = "subscription"  # assumption: who stops giving a product away sells it by the month


@dataclass(frozen=True)
class Changes:
    """Changes of one world.

    own: settings of the firm by dotted path below it, in place of those with which it began.
    sold: segments that other firms, by name, sell from then on instead of giving them away.
    """

    own: Mapping[str, Any] = field(default_factory=dict)
    sold: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """JSON-serialisable dict: dotted paths with their values; those of other firms begin with `firms.`."""
        others = {f"firms.{firm}.offers.{seg}": INSTEAD for firm, segs in self.sold.items() for seg in segs}
        return {**self.own, **others}


NO_CHANGES = Changes()


def changed_setup(setup: Scenario, firm: str, founded: int, changes: Changes) -> Scenario:
    """The scenario with a named firm changed from its founding, in month `founded` of the run, and others changed then.

    The firm's settings replace those in force when it begins, also where dated changes before that had set them; dated
    changes after it still come after it. What others no longer give away, they do not again.
    """
    if not changes.own and not changes.sold:
        return setup
    document = setup.to_document()
    document.data["causes"], document.data["expect"] = {}, ()  # they need not fit the changed scenario
    if changes.own:
        document = with_own(document, setup, firm, founded, changes.own)
    for name, segments in changes.sold.items():
        document = with_sold(document, setup, name, founded, segments)
    return Scenario.from_document(document, setup.name)


def with_own(document: Document, setup: Scenario, firm: str, founded: int, changes: Mapping[str, Any]) -> Document:
    """The document with settings with which the firm begins."""
    begun = setup.firms_in_force(founded)[firm].model_dump(mode="json")
    prefix = f"firms.{firm}."

    def earlier(key: str, value: Any, month: int) -> tuple[str, Any] | None:
        return None if month <= founded and key.startswith(prefix) else (key, value)

    data = {**document.data, "firms": {**document.data["firms"], firm: begun}}
    document = replace(document, data={**data, "interventions": dated(setup, data["interventions"], earlier)})
    paths = {f"{prefix}{path}": value for path, value in changes.items()}
    return apply_changes(document, paths, Scenario, by="in a replay: ")


def with_sold(document: Document, setup: Scenario, name: str, founded: int, segments: tuple[str, ...]) -> Document:
    """The document with another firm that sells, from the month `founded` on, what it gave away in these segments."""
    path = f"firms.{name}.offers"

    def later(key: str, value: Any, month: int) -> tuple[str, Any] | None:
        if month <= founded or not (key == path or key.startswith(f"{path}.")):
            return key, value
        if key == path:
            return key, selling(value, segments)
        return key, selling({key.rpartition(".")[2]: value}, segments)[key.rpartition(".")[2]]

    now = selling(setup.firms_in_force(founded)[name].offers, segments)
    at = date_in(setup, founded).date().isoformat()
    begins = {"at": at, "says": f"in a replay: {name} gives nothing away", "set": {path: now}}
    data = document.data
    return replace(document, data={**data, "interventions": [*dated(setup, data["interventions"], later), begins]})


def selling(offers: Mapping[str, Any], segments: tuple[str, ...]) -> dict[str, Any]:
    """Offers with nothing given away in these segments."""
    return {seg: INSTEAD if seg in segments and how == BUNDLE else how for seg, how in offers.items()}


def dated(
    setup: Scenario, interventions: list[dict[str, Any]], edit: Callable[[str, Any, int], tuple[str, Any] | None]
) -> list[dict[str, Any]]:
    """Dated changes with each setting edited or left out; those that change nothing any longer go."""
    kept = []
    for written in interventions:
        month = setup.month_of(date.fromisoformat(written["at"]))
        parts = {}
        for part in PARTS:
            edited = [edit(key, value, month) for key, value in written.get(part, {}).items()]
            parts[part] = dict(pair for pair in edited if pair is not None)
        if any(parts.values()):
            kept.append({**written, **parts})
    return kept
