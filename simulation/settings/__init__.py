"""What the world is made of: the parameters of market, compute, labour, capital, law and risk."""

from __future__ import annotations

from pydantic import Field

from simulation.parameters import Name, Settings
from simulation.settings.capital import CapitalSettings, StageTerms
from simulation.settings.hazards import RiskSettings, SocietySettings
from simulation.settings.jurisdictions import JurisdictionSettings
from simulation.settings.law import LawSettings
from simulation.settings.market import BrandSettings, RevenueSettings, SectorSettings, SegmentSettings
from simulation.settings.names import ROLES, SERVICES, STAGES, FundStage, RevenueModel, Role, Service, Stage
from simulation.settings.resources import ComputeSettings, LabourSettings
from simulation.settings.services import ServiceSettings
from simulation.settings.training import TrainingSettings

__all__ = [
    "ROLES",
    "SERVICES",
    "STAGES",
    "BrandSettings",
    "CapitalSettings",
    "ComputeSettings",
    "FundStage",
    "JurisdictionSettings",
    "LabourSettings",
    "Name",
    "RevenueModel",
    "RevenueSettings",
    "RiskSettings",
    "Role",
    "SectorSettings",
    "SegmentSettings",
    "Service",
    "ServiceSettings",
    "SocietySettings",
    "Stage",
    "StageTerms",
    "TrainingSettings",
    "WorldSettings",
]


class WorldSettings(Settings):
    """All of the above: the world apart from its firms, investors and regulators."""

    sectors: dict[Name, SectorSettings] = Field(description="sectors by name", min_length=1)
    compute: ComputeSettings = ComputeSettings()
    training: TrainingSettings = TrainingSettings()
    labour: LabourSettings = LabourSettings()
    revenue: RevenueSettings = RevenueSettings()
    brand: BrandSettings = BrandSettings()
    capital: CapitalSettings = CapitalSettings()
    law: LawSettings = LawSettings()
    jurisdictions: dict[Name, JurisdictionSettings] = Field(
        default={}, description="jurisdictions by name; customers of none live where only the world's law holds"
    )
    risk: RiskSettings = RiskSettings()
    society: SocietySettings = SocietySettings()
    services: ServiceSettings = ServiceSettings()
