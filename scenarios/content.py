"""What a scenario consists of: its fields, its dates, its content as plain data. `schema.py` checks that it fits."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from pydantic import Field, PrivateAttr, field_validator

from agents.lab.settings import LabSettings
from agents.settings import EntrantSettings, FirmSettings, InvestorSettings, RegulatorSettings
from scenarios.expectation import Expectation
from scenarios.plugins import complete_actors, complete_plugins
from scenarios.statements import Cause, Intervention
from scenarios.strict_yaml.document import Document
from simulation.laws import Laws
from simulation.parameters import Month, Settings, parameter
from simulation.settings import Name, WorldSettings
from simulation.settings.foundations import largest_rung
from simulation.training.foundation.ladder import name_of

SCENARIO = "scenario"
"""What errors call the whole of a file, or of plain data, that should be a scenario."""
State = tuple[int, WorldSettings, dict[str, FirmSettings]]
"""The settings in force from a month on: month of the run (0 is the first), world, firms by name."""


class Content(Settings):
    """Everything a run needs besides its seed, not yet checked for what must fit together."""

    id: str | None = Field(None, description="id of a case, such as CASE-VISION", pattern=r"^[A-Z][A-Z0-9-]{0,39}$")
    title: str = Field(description="title in tables and plots", min_length=1)
    about: str = parameter("", "what the scenario shows, and where it comes from", kind="constant")
    start: Month = parameter(..., "first month of the run", "month", kind="constant")
    years: int = parameter(..., "length of the run", "years", low=1, high=40, kind="constant")
    focal: Name | None = parameter(None, "the firm that the scenario is about", kind="constant")
    endowments: dict[str, str] = Field(
        default={},
        description="traits of the focal firm that are not the usual ones, and its sector, founded and offers: the "
        "section of the book for each",
    )
    sectors: tuple[Name, ...] | None = Field(None, description="sectors that are played; null: all", min_length=1)
    world: WorldSettings = Field(description="market, compute, labour, capital, law, risk")
    firms: dict[Name, FirmSettings] = Field(default={}, description="firms by name")
    entrants: dict[Name, EntrantSettings] = Field(default={}, description="streams of startups by name")
    investors: dict[Name, InvestorSettings] = Field(default={}, description="venture funds by name")
    labs: dict[Name, LabSettings] = Field(default={}, description="laboratories that make large models by name")
    regulator: RegulatorSettings | None = Field(None, description="authority that enforces the law; null: none")
    actors: dict[Name, dict[str, Any]] = Field(
        default={}, description="further actors, of types that plug-ins declare: `type`, and that type's settings"
    )
    plugins: dict[Name, dict[str, Any]] = Field(
        default={}, description="plug-ins that act, with their settings; each must be loaded (`--plugin`)"
    )
    interventions: tuple[Intervention, ...] = Field((), description="dated changes", max_length=200)
    expect: tuple[Expectation, ...] = Field((), description="what a chapter says must happen")
    causes: dict[Name, Cause] = Field(default={}, description="reasons that a chapter gives, by name", max_length=40)
    _name: str = PrivateAttr("")
    _timeline: tuple[State, ...] = PrivateAttr(())

    def to_document(self, label: str | None = None) -> Document:
        """The complete content as plain data, every default filled in."""
        return Document(self.model_dump(mode="json"), self.name if label is None else label, what=SCENARIO)

    @field_validator("plugins", mode="after")
    @classmethod
    def _plugins_are_loaded(cls, said: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return complete_plugins(said)

    @field_validator("actors", mode="after")
    @classmethod
    def _actors_are_known(cls, said: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return complete_actors(said)

    @property
    def name(self) -> str:
        """Where it came from: the shipped name (`cases/vision`) or the stem of the file."""
        return self._name

    @property
    def n_months(self) -> int:
        return self.years * 12

    @property
    def end(self) -> date:
        """The first month after the run."""
        return self.start.replace(year=self.start.year + self.years)

    def month_of(self, day: date) -> int:
        """The month of the run in which a day lies; 0 is the first, negative before the run."""
        return (day.year - self.start.year) * 12 + day.month - self.start.month

    def settings_at(self) -> list[State]:
        """The settings in force after each intervention: (month of the run, world, firms by name).

        One entry for each intervention, sorted by date; those of one month keep the order of the file.

        Changes add up: a state contains all changes of earlier ones. Empty without interventions.
        """
        return list(self._timeline)

    def firms_in_force(self, month: int) -> dict[str, FirmSettings]:
        """Settings of the named firms that hold in a month of the run, dated changes of that month included."""
        return next((firms for since, _, firms in reversed(self._timeline) if since <= month), self.firms)

    def founding_month(self, firm: str) -> int:
        """The month of the run in which a named firm enters; 0 for those that are there from the start."""
        founded = self.firms[firm].founded
        return 0 if founded is None else max(self.month_of(founded), 0)

    def largest_foundation(self) -> str | None:
        """The name of the largest foundation that the run may train (`laptop/F3.5`); None where it trains none."""
        worlds = [self.world, *(world for _, world, _ in self.settings_at())]
        states = [world.foundations for world in worlds if world.foundations is not None]
        if not states or not (self.labs or any(map(_pays_for_open_weights, worlds))):
            return None
        ahead = max((lab.ahead_rungs for lab in self.labs.values()), default=0.0)
        last_year = self.end.year - (self.end.month == 1)
        rung = max(largest_rung(state, last_year, ahead) for state in states)
        return f"{states[0].ladder}/{name_of(rung)}"

    def fingerprint(self) -> str:
        """SHA-256 of the content; the name is no part of it, the order of firms is (ties may follow the order)."""
        content = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode("utf-8")).hexdigest()


def _pays_for_open_weights(world: WorldSettings) -> bool:
    """Whether some state pays the community, so that it trains foundations."""
    laws = Laws(world)
    return any(laws.of_state(state).support.open_weights_usd_year > 0 for state in laws.states())
