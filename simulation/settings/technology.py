"""Parameters of technology that moves: breakthroughs, and how long firms take to use what is new (OP-FUTURE)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from simulation.parameters import Month, Name, Settings, parameter

BreakthroughKind = Literal["efficiency", "architecture", "crossover"]
NEEDS: dict[BreakthroughKind, tuple[str, ...]] = {
    "efficiency": ("factor",),
    "architecture": ("model_kind",),
    "crossover": ("source", "share"),
}
"""What a breakthrough of each kind must say; what belongs to another kind it must not say."""


class Breakthrough(Settings):
    """Something that becomes possible at a date: less compute for the same, another network, data of another sector."""

    at: Month = parameter(..., "month in which it becomes known", "month", kind="uncertainty", fixed=True)
    kind: BreakthroughKind = parameter(
        ...,
        "efficiency (a GPU hour achieves more), architecture (a kind of model becomes known), crossover (rows of "
        "another sector become usable)",
        kind="constant",
        fixed=True,
    )
    sectors: tuple[Name, ...] = Field(
        default=(),
        description="sectors that it reaches; none: all",
        json_schema_extra={"kind": "uncertainty", "source": "assumption", "fixed": True},
    )
    factor: float | None = parameter(
        None, "what a GPU hour achieves from then on, against before (efficiency)", "ratio", low=1, high=1e6, fixed=True
    )
    model_kind: Name | None = parameter(None, "kind of model that becomes known (architecture)", fixed=True)
    source: Name | None = parameter(None, "sector whose rows become usable (crossover)", fixed=True)
    share: float | None = parameter(
        None,
        "rows of the new sector that one row of the other is worth, of the mean stock of its firms (crossover)",
        "ratio",
        low=0,
        high=1,
        fixed=True,
    )

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Breakthrough:
        needed = NEEDS[self.kind]
        for name in {name for names in NEEDS.values() for name in names}:
            if name in needed and getattr(self, name) is None:
                raise ValueError(f"kind = {self.kind} needs {name}")
            if name not in needed and getattr(self, name) is not None:
                raise ValueError(f"{name} says nothing of a breakthrough of kind {self.kind}")
        return self


class TechnologySettings(Settings):
    """Breakthroughs, and the inertia with which firms take them up."""

    breakthroughs: dict[Name, Breakthrough] = Field(
        default={},
        description="dated breakthroughs by name",
        json_schema_extra={"kind": "uncertainty", "source": "assumption", "fixed": True},
    )
    breakthrough_rate_year: float = parameter(
        0.0, "rate of efficiency jumps that no date foretells, in each sector", "1/year", low=0, high=12
    )
    breakthrough_factor: float = parameter(
        4.0, "median of what such a jump makes a GPU hour achieve, against before", "ratio", low=1, high=1e4
    )
    breakthrough_sigma: float = parameter(
        0.5, "spread of that (standard deviation of the logarithm)", "log units", low=0, high=3
    )
    take_up_months: float = parameter(
        6.0, "mean time until a firm with a product uses a breakthrough", "months", low=0, high=120
    )
    inertia: float = parameter(
        0.0,
        "mean delay with which a firm uses a new generation (a higher rung, a breakthrough), for each unit of size, "
        "age and cannibalised sales (Henderson & Clark 1990; Arrow 1962)",
        "years",
        low=0,
        high=20,
    )
    inertia_people: float = parameter(
        50, "people at which a firm's size adds 0.7 units to its inertia", "people", low=1, high=1e6
    )
    inertia_age_years: float = parameter(
        10, "age at which a firm's age adds 0.7 units to its inertia", "years", low=0.5, high=1000
    )
    parent_people: float = parameter(
        1000, "people of an incumbent's parent, whose routines bind its division too", "people", low=0, high=1e7
    )
    parent_age_years: float = parameter(
        20, "age of an incumbent's parent when the division begins", "years", low=0, high=500
    )
