"""A laboratory as its decisions see it: settings, money, what it has released, where it has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.lab.settings import LabSettings
from agents.lab.supplier import ModelSupplier
from simulation.settings.foundations import largest_rung
from simulation.training.plan import TrainingPlan

if TYPE_CHECKING:
    from agents.firm.owner import World

LONG_AGO = -1000


class Lab(ModelSupplier):
    """State of one laboratory. Money in USD, as far as it is in this world (`world.foundations.scale`).

    Attributes:
        alive: whether it has begun and not ended.
        revenues: of the months, what customers paid.
        model_revenue: what customers of each supplier paid last month.
        raised_usd: in rounds.
        entered: by sector of its customers, the firm whose product uses its models.
        owner_plan: the last adaptation of its models that its owner ordered.
    """

    def __init__(self, model: World, name: str, settings: LabSettings) -> None:
        super().__init__(model, name)
        self.settings = settings
        self.alive = self.has_begun = False
        self.revenues: list[float] = []
        self.model_revenue: dict[str, float] = {}
        self.raised_usd = 0.0
        self.last_round_month = self.last_entry_month = LONG_AGO
        self.entered: dict[str, str] = {}
        self.owner_plan: TrainingPlan | None = None

    def scaled(self, amount: float) -> float:
        """Its part that is in this world."""
        return amount * self.foundations.scale

    def largest_rung(self) -> float:
        """The largest rung that it may train this year."""
        return largest_rung(self.foundations, self.model.today.year, self.settings.ahead_rungs)

    def affordable_usd(self) -> float:
        """What it may put into one run: a part of its cash, and what its owner pays during the run."""
        s = self.settings
        return s.stake * (self.books.cash_usd + s.run_months * self.scaled(s.budget_usd_month))
