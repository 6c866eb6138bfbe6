"""Language goes on: each January the models of documents in use are measured on texts of the new year.

What was trained stays as it was; only what it is asked about changes. So yesterday's leader falls behind unless it
trains on the language of now. The traditional method is fitted anew on as many rows of each year (assumption).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agents.actor import Actor
from simulation.training.plan import TrainingPlan
from simulation.training.values import DOCUMENT_TASKS

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner, World


class Measuring(NamedTuple):
    """A model that is measured anew: the plan that it was trained by, the same with another test, and its key."""

    firm: Owner
    laboratory: LaboratoryLike
    old: TrainingPlan
    new: TrainingPlan
    key: str


class Aging(Actor):
    """Has models measured anew; acts where documents age (`sourcing.aging`)."""

    def __init__(self, model: World) -> None:
        super().__init__(model, "aging")
        self.measuring: list[Measuring] = []
        self.traditional: dict[str, str] = {}  # keys of the traditional methods of the new year, by sector
        self.year = model.today.year  # of the language in which they were fitted last

    def plan(self) -> None:
        """Order what has not been measured in the language of this year; it is in next month."""
        if not self.model.settings.sourcing.aging:
            return
        if self.model.today.year != self.year:
            self.year = self.model.today.year
            self.traditional = self.fitted_anew()
        for firm in self.model.living.values():
            for lab in firm.laboratories.values():
                if lab.released_plan is not None:
                    self.measure(firm, lab, lab.released_plan)

    def fitted_anew(self) -> dict[str, str]:
        """Keys of the traditional methods of all sectors of documents, which are ordered now."""
        model = self.model
        documents = [name for name, sector in model.settings.sectors.items() if sector.task in DOCUMENT_TASKS]
        return {name: model.order(model.traditional_plan(name)) for name in documents}

    def measure(self, firm: Owner, lab: LaboratoryLike, plan: TrainingPlan) -> None:
        """Have one model measured, where its last test was in the language of an earlier year."""
        year = self.model.language_year(plan.task)
        if plan.tested_in < year:
            again = replace(plan, test_year=year)
            self.measuring.append(Measuring(firm, lab, plan, again, self.model.order(again)))

    def receive_results(self) -> None:
        """Take over what was measured, of models that are still in use."""
        service = self.model.service
        for sector, key in self.traditional.items():
            self.model.traditional[sector] = service.result(key)
        for one in self.measuring:
            if one.firm.alive and one.laboratory.released_plan is one.old:
                one.laboratory.remeasure(one.new, service.result(one.key))
        self.traditional, self.measuring = {}, []
