"""What the world is made of: the parameters of market, compute, labour, capital, law and risk."""

from __future__ import annotations

from pydantic import Field

from simulation.law import LawSettings
from simulation.parameters import Name, Settings
from simulation.settings.capital import CapitalSettings, StageTerms
from simulation.settings.hazards import RiskSettings, SocietySettings
from simulation.settings.market import BrandSettings, RevenueSettings, SectorSettings, SegmentSettings
from simulation.settings.names import ROLES, STAGES, RevenueModel, Role, Stage
from simulation.settings.resources import ComputeSettings, LabourSettings

__all__ = [
    "ROLES",
    "STAGES",
    "BrandSettings",
    "CapitalSettings",
    "ComputeSettings",
    "LabourSettings",
    "Name",
    "RevenueModel",
    "RevenueSettings",
    "RiskSettings",
    "Role",
    "SectorSettings",
    "SegmentSettings",
    "SocietySettings",
    "Stage",
    "StageTerms",
    "WorldSettings",
]


class WorldSettings(Settings):
    """All of the above: the world apart from its firms, investors and regulators."""

    sectors: dict[Name, SectorSettings] = Field(description="sectors by name", min_length=1)
    compute: ComputeSettings = ComputeSettings()
    labour: LabourSettings = LabourSettings()
    revenue: RevenueSettings = RevenueSettings()
    brand: BrandSettings = BrandSettings()
    capital: CapitalSettings = CapitalSettings()
    law: LawSettings = LawSettings()
    risk: RiskSettings = RiskSettings()
    society: SocietySettings = SocietySettings()
