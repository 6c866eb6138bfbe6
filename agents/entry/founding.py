"""Founding a startup: its seed round, its first money for a model, what the state gives; its settings with changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agents.firm.sectors_served import offers_of
from agents.settings import FirmSettings
from agents.startup.startup import Startup
from agents.state.programmes import award_founding_grant
from simulation.capital import usual_round
from simulation.records.events import Founded

if TYPE_CHECKING:
    from agents.firm.owner import World

FIRST_MODEL_SHARE = 0.1  # of the seed round, set aside for the first model; assumption


def found_startup(model: World, name: str, settings: FirmSettings) -> Startup:
    """Found a startup now, with a seed round from private savers (angels and seed funds are one aggregate)."""
    firm = Startup(model, name, settings)
    pre, usual = usual_round(model.settings.capital, "seed", model.year)
    offers, services = offers_of(settings), settings.services
    firm.record(Founded(amount_usd=settings.capital_usd, offers=dict(offers), services=dict(services)))
    firm.finance.take({"savers": settings.capital_usd}, pre * settings.capital_usd / usual, "seed")
    firm.set_aside(FIRST_MODEL_SHARE * settings.capital_usd)
    award_founding_grant(firm)
    return firm


def with_changes(settings: FirmSettings, changes: Mapping[str, Any]) -> FirmSettings:
    """The settings with values at dotted paths (`engineering.memory`), checked anew as a whole."""
    if not changes:
        return settings
    data = settings.model_dump()
    for path, value in changes.items():
        *above, last = path.split(".")
        node = data
        for part in above:
            node = node[part]
        node[last] = value
    return FirmSettings(**data)
