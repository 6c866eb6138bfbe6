"""Who sold what in which way and when: the firm's own offers, and what others gave away beside it.

Offers are those in force: what a scenario says at its start, its dated changes, and what a firm changed by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from agents.firm.sectors_served import offers_of, place_of
from agents.settings import FirmSettings
from analysis.explain.facts import Record
from analysis.explain.moments import OVER, Moment, beginning_of, month_of
from scenarios import Scenario

BUNDLE, FREEMIUM = "bundle", "freemium"
Place = tuple[str, str]
"""Sector and segment."""


@dataclass(frozen=True)
class Change:
    """How the firm earns by offer, from a moment on. `key`: the setting in the manifest, for a dated change."""

    when: pd.Timestamp
    moment: Moment
    offers: Mapping[str, str]
    key: str = ""


@dataclass(frozen=True)
class Giveaway:
    """Segments of the firm in which another one bundles its product from a moment on; `key` says so in the manifest.

    An empty tuple says that it no longer does.
    """

    firm: str
    segments: tuple[str, ...]
    when: pd.Timestamp
    moment: Moment
    key: str


# -- time -------------------------------------------------------------------------------------------------------------


def founding(record: Record) -> tuple[pd.Timestamp, Moment]:
    """When the firm entered: its event, or the beginning of its first month where its founding is no event."""
    founded = pd.Timestamp(record.ending["founded"])
    rows = record.of("founded").to_dict("records")
    return founded, Moment(rows[0]["month"], rows[0]["place"]) if rows else beginning_of(month_of(founded))


def leaving(record: Record) -> tuple[pd.Timestamp, Moment]:
    """When its story ends: the event that ended it, or the end of the run."""
    rows = record.of(str(record.ending["ending"])).to_dict("records") if record.gone else []
    if rows:
        return pd.Timestamp(rows[-1]["time"]), Moment(rows[-1]["month"], rows[-1]["place"])
    return record.period.end, Moment(record.period.last, OVER)


def later_changes(record: Record, scenario: Scenario) -> list[int]:
    """Months of the run in which a dated change takes effect while the firm is there."""
    (founded, _), (_, over) = founding(record), leaving(record)
    months = sorted({month for month, _, _ in scenario.settings_at()})
    return [m for m in months if date_in(scenario, m) > founded and beginning_of(date_in(scenario, m)) < over]


def date_in(scenario: Scenario, month: int) -> pd.Timestamp:
    """The first day of a month of the run."""
    return pd.Timestamp(scenario.start) + pd.DateOffset(months=month)


# -- the firm's own offers --------------------------------------------------------------------------------------------


def own_offers(record: Record) -> list[Change]:
    """How the firm earned, from each change on; the first is its founding. Empty where nothing is known of it."""
    begun = offers_at_founding(record)
    if begun is None:
        return []
    changes = [Change(*founding(record), begun)]
    for step in sorted([*own_changes(record), *dated_offers(record)], key=lambda step: step.moment):
        now = {**changes[-1].offers, **step.offers}
        changes.append(Change(step.when, step.moment, {offer: how for offer, how in now.items() if how}, step.key))
    return changes


def offers_at_founding(record: Record) -> Mapping[str, str] | None:
    """What it sold at first: as its founding recorded it; of an incumbent, whose founding is no event, as in force."""
    for row in record.of("founded").to_dict("records"):
        return dict(row["data"].get("offers") or {})
    if record.scenario is None or record.firm not in record.scenario.firms:
        return None
    return offers_of(settings_at_founding(record.scenario, record.firm))


def settings_at_founding(scenario: Scenario, firm: str) -> FirmSettings:
    """The settings in force with which a named firm begins."""
    return scenario.firms_in_force(scenario.founding_month(firm))[firm]


OWN_CHANGES = {"pivot": "after", "segment entered": "earns", "segment left": ""}
"""Events by which a firm changes by itself what it sells, with the field that says how it earns in the segment then."""


def own_changes(record: Record) -> list[Change]:
    """Changes of where and how it earns that it made by itself; nothing stands for a segment that it left."""
    return [
        Change(row["time"], Moment(row["month"], row["place"]), {row["other"]: row["data"].get(field, "")})
        for kind, field in OWN_CHANGES.items()
        for row in record.of(kind).to_dict("records")
    ]


def dated_offers(record: Record) -> list[Change]:
    """Dated changes of its offers while it is there; nothing stands for an offer that is withdrawn."""
    scenario = record.scenario
    if scenario is None or record.firm not in scenario.firms:
        return []
    changes = []
    for month in later_changes(record, scenario):
        before, after = (offers_of(scenario.firms_in_force(m)[record.firm]) for m in (month - 1, month))
        changed = {
            offer: after.get(offer, "") for offer in {**before, **after} if before.get(offer) != after.get(offer)
        }
        if changed:
            when = date_in(scenario, month)
            changes.append(Change(when, beginning_of(when), changed, key_of(scenario, record.firm, "offers", month)))
    return changes


def free_offers(record: Record, since: Moment) -> list[tuple[str, Change]]:
    """Offers that were free at some time after `since`, each with the change that made it so."""
    changes = own_offers(record)
    found = []
    for i, change in enumerate(changes):
        ends = changes[i + 1].moment if i + 1 < len(changes) else None
        if ends is None or ends > since:
            found += [(offer, first_with(changes[: i + 1], offer)) for offer in of_model(change.offers, FREEMIUM)]
    return list({offer: (offer, change) for offer, change in found}.values())


def first_with(changes: list[Change], offer: str) -> Change:
    """Since when an offer has earned as it does after the last of these changes."""
    how = changes[-1].offers[offer]
    first = changes[-1]
    for change in reversed(changes):
        if change.offers.get(offer) != how:
            break
        first = change
    return first


def of_model(offers: Mapping[str, str], model: str) -> list[str]:
    """Offers that earn in this way."""
    return [offer for offer, how in offers.items() if how == model]


# -- what others give away --------------------------------------------------------------------------------------------


def giveaways(record: Record) -> list[Giveaway]:
    """What each other firm gave away of what this one sells, from each change on, in order of time."""
    scenario, own = record.scenario, own_offers(record)
    if scenario is None or not own:
        return []
    found = [one for name in scenario.firms if name != record.firm for one in giveaways_of(record, scenario, own, name)]
    return sorted(found, key=lambda one: one.moment)


def given_away(record: Record) -> dict[str, tuple[str, ...]]:
    """By other firm, the segments of its own sector in which it gave away what this one sells, at any time."""
    found: dict[str, set[str]] = {}
    for one in giveaways(record):
        places = [place_of(record.ending["sector"], name) for name in one.segments]
        home = record.scenario.firms[one.firm].sector if record.scenario else ""
        found.setdefault(one.firm, set()).update(segment for sector, segment in places if sector == home)
    return {firm: tuple(sorted(segments)) for firm, segments in found.items() if segments}


def giveaways_of(record: Record, scenario: Scenario, own: list[Change], name: str) -> list[Giveaway]:
    """The same of one other firm."""
    founded, moment = founding(record)
    begins = scenario.month_of(founded.date())
    entry = scenario.founding_month(name)
    later = {m for m in (*later_changes(record, scenario), entry) if m > begins}
    points = [(begins, founded, moment)]
    points += [(m, date_in(scenario, m), beginning_of(date_in(scenario, m))) for m in sorted(later)]
    found: list[Giveaway] = []
    before: tuple[str, ...] = ()
    for month, when, at in points:
        mine = places_at(record, own, at)
        theirs = bundled(scenario.firms_in_force(month)[name]) if month >= entry else set()
        now = tuple(sorted(label(record, place) for place in mine & theirs))
        if now != before:
            found.append(Giveaway(name, now, when, at, key_of(scenario, name, "offers", month)))
        before = now
    return [one for one in found if one.moment < leaving(record)[1]]


def places_at(record: Record, own: list[Change], at: Moment) -> set[Place]:
    """Where the firm sells at a moment."""
    offers = [change.offers for change in own if change.moment <= at][-1]
    return {place_of(record.ending["sector"], offer) for offer in offers}


def bundled(settings: FirmSettings) -> set[Place]:
    """Where a firm gives its product away with others, in further sectors too."""
    return {place_of(settings.sector, offer) for offer in of_model(offers_of(settings), BUNDLE)}


def label(record: Record, place: Place) -> str:
    """A place as the firm calls it: the segment at home, `sector.segment` elsewhere."""
    return place[1] if place[0] == record.ending["sector"] else ".".join(place)


def key_of(scenario: Scenario, firm: str, setting: str, month: int) -> str:
    """Where the manifest says what a firm's setting is in a month: at the firm, or in the last dated change of it."""
    path = f"firms.{firm}.{setting}"
    dated = [one for one in scenario.interventions if any(key == path or key.startswith(f"{path}.") for key in one.set)]
    before = sorted(one.at for one in dated if scenario.month_of(one.at) <= month)
    return f"arms.resolved.interventions {before[-1]:%Y-%m} {path}" if before else f"arms.resolved.{path}"
