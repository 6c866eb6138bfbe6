"""What the world is made of: the parameters of market, compute, labour, capital, law and risk."""

from __future__ import annotations

from pydantic import Field

from simulation.parameters import Name, Settings
from simulation.settings.capital import CapitalSettings, StageTerms
from simulation.settings.exits import ExitSettings
from simulation.settings.foundations import FoundationSettings
from simulation.settings.founding import FoundingSettings
from simulation.settings.hazards import RiskSettings, SocietySettings
from simulation.settings.jurisdictions import JurisdictionSettings
from simulation.settings.law import LawSettings
from simulation.settings.market import BrandSettings, RevenueSettings, SectorSettings, SegmentSettings
from simulation.settings.names import ROLES, SERVICES, STAGES, FundStage, RevenueModel, Role, Service, Stage
from simulation.settings.positioning import PositioningSettings
from simulation.settings.resources import ComputeSettings, LabourSettings
from simulation.settings.services import ServiceSettings
from simulation.settings.sourcing import SourcingSettings, Way
from simulation.settings.tastes import BuyerType
from simulation.settings.technology import Breakthrough, TechnologySettings
from simulation.settings.training import TrainingSettings

__all__ = [
    "ROLES",
    "SERVICES",
    "STAGES",
    "BrandSettings",
    "Breakthrough",
    "BuyerType",
    "CapitalSettings",
    "ComputeSettings",
    "ExitSettings",
    "FoundationSettings",
    "FoundingSettings",
    "FundStage",
    "JurisdictionSettings",
    "LabourSettings",
    "Name",
    "PositioningSettings",
    "RevenueModel",
    "RevenueSettings",
    "RiskSettings",
    "Role",
    "SectorSettings",
    "SegmentSettings",
    "Service",
    "ServiceSettings",
    "SocietySettings",
    "SourcingSettings",
    "Stage",
    "StageTerms",
    "TechnologySettings",
    "TrainingSettings",
    "Way",
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
    sourcing: SourcingSettings = SourcingSettings()
    foundations: FoundationSettings | None = Field(
        None,
        description="large models that laboratories pretrain and sell; null: there are none",
        json_schema_extra={"settled": True},  # whether there are any is settled at the start
    )
    founding: FoundingSettings = FoundingSettings()
    exit: ExitSettings = ExitSettings()
    positioning: PositioningSettings = PositioningSettings()
    technology: TechnologySettings = TechnologySettings()
