"""Jurisdictions: where customers live, where firms have their home, and the law of each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulation.parameters import Name, Settings, parameter
from simulation.settings.partial_law import PartialLawSettings


class JurisdictionSettings(Settings):
    """A state or union with a law of its own, beside `world.law`: of what both say, the stricter counts."""

    share_of_customers: float = parameter(
        ..., "part of the customers of each segment that lives here", "share", low=0, high=1
    )
    share_in_sector: dict[Name, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={},
        description="the same for sectors that are spread in another way",
        json_schema_extra={"unit": "share", "kind": "uncertainty", "source": "assumption"},
    )
    share_of_founders: float = parameter(
        0.0, "part of the entrants that has its home here", "share", low=0, high=1, fixed=True
    )
    law: PartialLawSettings = Field(
        default=PartialLawSettings(), description="law here: duties of what is sold here, tax and support of firms here"
    )

    def share_of(self, sector: str) -> float:
        """Part of the customers of a sector's segments that lives here."""
        return self.share_in_sector.get(sector, self.share_of_customers)
