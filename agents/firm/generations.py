"""What a laboratory uses of what technology has made possible: breakthroughs, kinds of model, higher rungs.

Whoever has a model in use takes up what is new after a while: each month with chance

    p = 1 / (1 + take_up_months + delay)        breakthroughs
    p = 1 / (1 + delay)                         a higher rung of the ladder

so that the mean waiting time is the sum below the line. The delay is the firm's inertia (`Firm.inertia_months`): large
and old organisations are built around what they have (Henderson & Clark 1990, doi:10.2307/2393549), and who earns by it
gains less by replacing it (Arrow 1962). A laboratory without a model has nothing to replace and waits for nothing, but
for a new kind of model, which it tries beside its own. Draws are keyed by laboratory, generation and month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.firm.training_plan import Draft
from simulation.records.events import TakenUp
from simulation.technology import Known
from simulation.training.plan import EXTRA_KINDS, NETWORK_KINDS, PRIVATE_KINDS, TrainingPlan

if TYPE_CHECKING:
    from agents.firm.owner import LaboratoryLike, Owner
    from agents.settings import FirmSettings


def can_use(settings: FirmSettings, kind: str) -> bool:
    """Whether a firm could train models of another kind with the rest of its settings."""
    if settings.adapts_to or kind == settings.model_kind:
        return False
    private = settings.dp_noise > 0 or settings.remedy == "dp"
    compressed = kind in EXTRA_KINDS and settings.compression != "none"
    minimised = settings.remedy == "minimise" and kind not in NETWORK_KINDS
    return not (private and kind not in PRIVATE_KINDS) and not compressed and not minimised


class Generations:
    """What one laboratory has taken up so far."""

    def __init__(self, firm: Owner, lab: LaboratoryLike) -> None:
        self.firm, self.lab, self.model = firm, lab, firm.model
        self.open_rung = -1  # highest rung that it was ready to use
        self.efficiency = 1.0  # what a GPU hour achieves by breakthroughs taken up
        self.crossovers: list[Known] = []
        self.trying = ""  # kind of model that the next run is to show
        self._replaced: tuple[str, str] | None = None  # the firm's kind, and the one that it uses instead
        self._team: tuple[FirmSettings, FirmSettings] | None = None
        known = self.model.technology.known[lab.sector]
        self.pending = [one for one in known if one.kind == "architecture"]
        self.n_known = len(known)
        for one in known:
            self._use(one)

    # -- breakthroughs ------------------------------------------------------------------------------------------------

    def review(self) -> None:
        """Take note of what is new in the sector, and take up what the time has come for."""
        known = self.model.technology.known[self.lab.sector]
        if len(known) > self.n_known:
            self.pending += known[self.n_known :]
            self.n_known = len(known)
        if self.pending:
            base = self.model.settings.technology.take_up_months
            for one in [one for one in self.pending if self.can_replace(one) and self.takes_up(one.name, base)]:
                self.pending.remove(one)
                self._take_up(one)

    def can_replace(self, one: Known) -> bool:
        """A new kind of model is tried beside the one in use; everything else helps the first model too."""
        return self.lab.released is not None or one.kind != "architecture"

    def takes_up(self, generation: str, base_months: float = 0.0) -> bool:
        """Whether this month it is ready for what it does not use yet; at once where it has no model in use."""
        settings = self.model.settings.technology
        delay = self.firm.inertia_months() if settings.inertia else 0.0
        if self.lab.released is None or base_months + delay == 0:
            return True
        u = self.model.streams.uniform("take-up", f"{self.lab.name}:{generation}", self.model.month)
        return u < 1 / (1 + base_months + delay)

    def _take_up(self, one: Known) -> None:
        self._use(one)
        if one.model_kind and can_use(self.firm.settings, one.model_kind):
            self.trying = one.model_kind
            self._replaced = self.firm.settings.model_kind, one.model_kind
        waited = self.model.month - max(one.since, self.firm.founded_month)
        self.firm.record(TakenUp(other=one.name, what=one.kind, sector=self.lab.where, waited_months=waited))

    def _use(self, one: Known) -> None:
        """Make use of an efficiency jump or another sector's rows."""
        self.efficiency *= one.factor
        if one.source:
            self.crossovers.append(one)

    def transferred_rows(self) -> float:
        """Rows of its own sector that those of other sectors are worth."""
        stock = self.model.technology.stock_rows
        return sum(one.share * stock.get(one.source, 0.0) for one in self.crossovers)

    # -- kinds of model -----------------------------------------------------------------------------------------------

    def team(self, team: FirmSettings) -> FirmSettings:
        """The team's settings with the kind of model that it has changed over to."""
        if self._replaced is None or self._replaced[0] != team.model_kind:
            return team
        if self._team is None or self._team[0] is not team:  # one object for one team: plans are compared by it
            self._team = team, team.model_copy(update={"model_kind": self._replaced[1]})
        return self._team[1]

    def settle(self, tried: TrainingPlan, is_released: bool) -> None:
        """A run is done: a kind that was tried is kept where its model was released, and given up where it was not."""
        if self.trying and tried.kind == self.trying:
            self.trying = ""
            if not is_released:
                self._replaced = None

    # -- rungs --------------------------------------------------------------------------------------------------------

    def open_to(self, draft: Draft, released: TrainingPlan | None) -> Draft:
        """The draft on a rung that the firm is ready for: its own, or a higher one when its time has come."""
        if released is None or not self.model.settings.technology.inertia:
            return draft
        highest = max(released.rung, self.open_rung)
        if draft.rung <= highest:
            return draft
        if self.takes_up(f"rung {draft.rung}"):
            self.open_rung = draft.rung
            return draft
        return draft._replace(rung=highest)
