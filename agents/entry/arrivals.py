"""Firms that a scenario names, each founded at its date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.actor import Actor
from agents.entry.founding import found_startup
from agents.incumbent.incumbent import Incumbent

if TYPE_CHECKING:
    from agents.firm.owner import World


class Arrivals(Actor):
    """Firms that a scenario names, each founded at its date with the settings that are then in force."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "arrivals")
        self.waiting = list(model.firm_settings)
        self.found_due(0)

    def leave_or_enter(self) -> None:
        """Found the firms whose month comes next."""
        self.found_due(self.model.month + 1)

    def found_due(self, month: int) -> None:
        """Found all firms whose date lies in or before `month`."""
        planned, calendar = self.model.firm_settings_at(month), self.model.calendar
        due = [n for n in self.waiting if (day := planned[n].founded) is None or calendar.month_of(day) <= month]
        self.waiting = [name for name in self.waiting if name not in due]
        for name in due:
            if planned[name].kind == "incumbent":
                Incumbent(self.model, name, planned[name])
            else:
                found_startup(self.model, name, planned[name])
