"""What passes between a laboratory and those who say what it trains next: means, situation, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from agents.firm.owner import LaboratoryLike

if TYPE_CHECKING:
    from agents.firm.outlook import UnitUse
    from agents.firm.owner import Owner, World
    from agents.firm.remedy import LeakRemedy
    from agents.firm.training_plan import Draft, Means
    from agents.firm.ways import Option
    from agents.settings import FirmSettings
    from simulation.settings import SectorSettings
    from simulation.training.plan import TrainingPlan


class Funds(NamedTuple):
    """What a laboratory can spend on its next run."""

    bill_usd: float  # for GPU hours of the cloud, vouchers included
    price_usd: float  # of a GPU hour
    own_hours: float  # of its own GPUs
    gain: float  # yield of an hour with a supplier's tooling
    public_hours: float = 0.0  # of the cloud, that a public programme pays for

    @property
    def hours(self) -> float:
        """GPU hours at hand."""
        return self.own_hours + self.public_hours + self.bill_usd / self.price_usd

    def paid_hours(self, cloud_hours: float) -> float:
        """Of so many GPU hours of the cloud, those that the laboratory pays for."""
        return max(cloud_hours - self.public_hours, 0.0)

    def held_hours(self, cloud_hours: float) -> float:
        """GPU hours that the run then takes: a supplier's tooling saves some of those that are paid for."""
        paid = self.paid_hours(cloud_hours)
        return paid / self.gain + (cloud_hours - paid)


class Order(NamedTuple):
    """A run that is ordered: what it is, and the GPU hours it takes here and with usual practice."""

    option: Option
    plan: TrainingPlan
    hours: float
    usual_hours: float


class Candidate(NamedTuple):
    """A model that could be ordered: its way, its kind, and the rung that can be paid for."""

    option: Option
    kind: str
    rung: int

    @property
    def width(self) -> int:
        """Of the foundation; 0 from scratch."""
        foundation = self.option.foundation
        return 0 if foundation is None else foundation.width

    def as_trial(self) -> Candidate:
        """A smaller one to learn from: from scratch one rung lower, from a foundation's weights a few steps."""
        return self._replace(rung=max(self.rung - 1, 0) if self.option.foundation is None else 0)


class Situation(NamedTuple):
    """What a firm has for its next model: the draft of a plan from scratch and all that goes into one."""

    draft: Draft
    team: FirmSettings
    means: Means
    funds: Funds
    able: float  # engineering, with what pretraining leaves of it
    use: UnitUse
    data_outside: float  # how much it weighs that data go to a supplier


class Orders(LaboratoryLike, Protocol):
    """A laboratory that orders its models here."""

    model: World
    firm: Owner
    luck: float
    seed: int
    n_jobs: int
    purse_usd: float
    last_plan: TrainingPlan | None

    @property
    def sector_settings(self) -> SectorSettings: ...
    @property
    def leak_remedy(self) -> LeakRemedy: ...

    def field_weight(self) -> float: ...
    def worth_training(self, plan: TrainingPlan) -> bool: ...
