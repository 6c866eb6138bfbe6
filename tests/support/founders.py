"""Worlds with potential founders, who found where they expect enough."""

from __future__ import annotations

from typing import Any

from agents.entry.stream import Entry
from simulation.model import MarketModel
from tests.support.world_fakes import merged, play, world_of

STREAM: dict[str, Any] = {
    "sector": "vision", "at_start": 1, "potential_per_year": 60,
    "offers": [{"cameras": "subscription"}, {"cameras": "licence"}, {"photos": "freemium"}],
}  # fmt: skip


def founding_world(
    founding: dict[str, Any] | None = None,
    stream: dict[str, Any] | None = None,
    seed: int = 0,
    **data: Any,
) -> MarketModel:
    """The small market with one stream of potential founders, not stepped yet; `data` is laid over the scenario."""
    changes = {"entrants": {"new": {**STREAM, **(stream or {})}}, "world": {"founding": founding or {}}}
    return world_of(merged(changes, data), seed)


def stream_of_world(model: MarketModel, name: str = "new") -> Entry:
    """The stream of that name."""
    return next(agent for agent in model.agents if isinstance(agent, Entry) and agent.name == name)


def founded(model: MarketModel) -> set[str]:
    """Names of startups that were drawn and founded after the start."""
    start = f"new-{model.calendar.date_of(0):%Y-%m}-"
    return {name for name in model.firms if name.startswith("new-") and not name.startswith(start)}


def counts(model: MarketModel) -> tuple[int, int]:
    """(Potential founders, startups founded) of the run so far."""
    rows = model.recorder.rows["founding"]
    return sum(row.potential for row in rows), sum(row.founded for row in rows)  # type: ignore[attr-defined]


def two_years(**world: Any) -> MarketModel:
    """Two years of such a world."""
    return play(founding_world(**world), 24)
