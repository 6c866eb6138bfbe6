"""Names that settings share: revenue models, roles, financing stages."""

from __future__ import annotations

from typing import Literal

RevenueModel = Literal["subscription", "licence", "solution", "freemium", "bundle", "product", "data"]
Role = Literal["product", "research", "marketing", "operations", "finance"]
Service = Literal["compute", "data", "outsourcing"]
SERVICES: tuple[Service, ...] = ("compute", "data", "outsourcing")
ROLES: tuple[Role, ...] = ("product", "research", "marketing", "operations", "finance")
Stage = Literal["seed", "A", "B", "C", "growth"]
FundStage = Literal["A", "B", "C", "growth"]
"""Rounds in which funds invest; seed rounds are paid by private savers when a startup is founded."""
STAGES: tuple[Stage, ...] = ("seed", "A", "B", "C", "growth")
