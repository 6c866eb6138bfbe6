"""What a firm does when its model fails an audit.

Too poor in the field: it gathers rows from there, then trains again. Leaks personal data: its next model is really
trained with the remedy that the firm chose, and the next audit looks at the leakage measured on that model. No remedy
is known to suffice: on most tasks leaving out inputs hardly lowers leakage (`docs/training-levers.md`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from simulation.training.plan import NETWORK_KINDS, PRIVATE_KINDS, TrainingPlan
from simulation.training.result import TrainingResult

if TYPE_CHECKING:
    from agents.firm.owner import World
    from agents.settings import Remedy

# Assumptions: the firm gathers for a quarter before each attempt, and spends twice the usual sum on data meanwhile.
GATHER_MONTHS = 3.0
DATA_EFFORT = 2.0
# Assumptions: what each order to end a leak adds, and how far it goes: noise on the inputs in standard deviations,
# share of inputs that are not collected, noise multiplier of DP-SGD.
NOISE_STEP, NOISE_MOST = 0.3, 1.5
MINIMISATION_STEP, MINIMISATION_MOST = 0.25, 0.75
DP_STEP, DP_MOST = 0.5, 4.0


class Trains(Protocol):
    """A laboratory as the remedy sees it: what it has released, and whether it trains again."""

    model: World
    released: TrainingResult | None
    hurried: bool

    @property
    def is_busy(self) -> bool:
        """Whether a training run is under way."""


class LeakRemedy:
    """What orders to end a leak have added to a firm's plans so far; each order goes one step further."""

    def __init__(self) -> None:
        self.anonymisation = self.minimisation = self.dp_noise = 0.0

    def order(self, remedy: Remedy) -> None:
        """One step more of the remedy; noise on the inputs where that remedy is at its end."""
        if remedy == "dp" and self.dp_noise < DP_MOST:
            self.dp_noise = min(self.dp_noise + DP_STEP, DP_MOST)
        elif remedy == "minimise" and self.minimisation < MINIMISATION_MOST:
            self.minimisation = min(self.minimisation + MINIMISATION_STEP, MINIMISATION_MOST)
        else:
            self.anonymisation = min(self.anonymisation + NOISE_STEP, NOISE_MOST)

    def applied(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan with inputs left out and private training as far as was ordered; noise is in the plan already."""
        minimisation, dp_noise = self.asked_minimisation(plan), self.asked_dp_noise(plan)
        if minimisation <= plan.minimisation and dp_noise <= plan.dp_noise:
            return plan
        return replace(plan, minimisation=max(minimisation, plan.minimisation), dp_noise=max(dp_noise, plan.dp_noise))

    def asked_minimisation(self, plan: TrainingPlan) -> float:
        """Share of inputs that a model of this kind must do without."""
        return self.minimisation if plan.kind in NETWORK_KINDS else 0.0

    def asked_dp_noise(self, plan: TrainingPlan) -> float:
        """Noise multiplier with which a model of this kind must be trained; 0 where DP-SGD cannot be done."""
        return self.dp_noise if plan.kind in PRIVATE_KINDS and plan.compression != "distilled" else 0.0

    def is_followed_by(self, plan: TrainingPlan) -> bool:
        """Whether a plan leaves out the inputs, and adds the noise to training, that were ordered."""
        return plan.minimisation >= self.asked_minimisation(plan) and plan.dp_noise >= self.asked_dp_noise(plan)


class FieldRemedy:
    """Work on field accuracy until the released model reaches `goal`; 0 while nothing is asked."""

    def __init__(self, laboratory: Trains) -> None:
        self.laboratory, self.goal, self.next_attempt = laboratory, 0.0, 0.0

    def seek(self, accuracy: float) -> None:
        """Begin to gather field rows, or aim higher."""
        if self.goal == 0:
            self.next_attempt = self.laboratory.model.env.now + GATHER_MONTHS
        self.goal = max(self.goal, accuracy)

    def review(self) -> None:
        """Stop when the goal is reached, else train out of turn once a quarter."""
        if self.goal == 0:
            return
        lab, now = self.laboratory, self.laboratory.model.env.now
        if lab.released is not None and lab.released.accuracy_field >= self.goal:
            self.goal = 0.0
        elif now >= self.next_attempt and not lab.is_busy:
            lab.hurried, self.next_attempt = True, now + GATHER_MONTHS

    def data_usd(self, usual_usd: float) -> float:
        """What the firm spends on rows this month, USD."""
        return DATA_EFFORT * usual_usd if self.goal > 0 else usual_usd

    def field_share(self, usual: float) -> float:
        """Share of bought rows that come from the field: all of them while the remedy lasts."""
        return 1.0 if self.goal > 0 else usual

    def field_weight(self, usual: float) -> float:
        """Weight of the field figure in the firm's own judgement of a model: full while the remedy lasts."""
        return 1.0 if self.goal > 0 else usual
