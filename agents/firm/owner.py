"""What a firm's organs know of the firm that they belong to, and of its other organs.

An organ (laboratory, sales, certification, support, risk register, management, service desk, university link) names
this protocol and never the class `Firm`, which knows its organs: so no import runs in a circle, and a firm of a user's
own module need only offer what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Protocol, TypeAlias

from simulation.model import FirmLike, MarketModel

if TYPE_CHECKING:
    from agents.firm.history import Funding, History
    from agents.settings import FirmSettings, Remedy
    from simulation.books import Account, AccountName, Books
    from simulation.market import Market
    from simulation.records.events import Event
    from simulation.settings import Role, SegmentSettings, Service
    from simulation.settings.law import LawSettings
    from simulation.training.plan import TrainingPlan
    from simulation.training.result import TrainingResult

World: TypeAlias = "MarketModel[Owner]"
"""The world as firms know it."""


class SeeksQuality(Protocol):
    """Work on field accuracy that somebody may ask of a laboratory."""

    def seek(self, accuracy: float) -> None: ...


class EndsLeaks(Protocol):
    """Orders about leaks that somebody may give a laboratory."""

    def order(self, remedy: Remedy) -> None: ...


class SourcingLike(Protocol):
    """Where a laboratory's model comes from."""

    @property
    def way(self) -> str: ...

    def bill(self) -> tuple[float, float]: ...


class LaboratoryLike(Protocol):
    """Data and models of a firm for one sector, as its other organs and the authority see them."""

    name: str
    sector: str
    where: str
    share: float
    rows_lab: float
    rows_field: float
    released: TrainingResult | None
    released_plan: TrainingPlan | None
    n_broken: int
    lost_runs: float
    run_months: float
    released_hours: float
    suspended: bool
    fix_ordered: bool
    hurried: bool
    ordered_field_accuracy: float
    ordered_minimisation: float

    @property
    def quality_field(self) -> float: ...
    @property
    def law(self) -> LawSettings: ...
    @property
    def field_remedy(self) -> SeeksQuality: ...
    @property
    def leak_remedy(self) -> EndsLeaks: ...
    @property
    def supplier(self) -> str: ...
    @property
    def fits_device(self) -> bool: ...
    @property
    def sourcing(self) -> SourcingLike: ...

    def advantages(self) -> tuple[float, float]: ...
    def serving_scale(self) -> float: ...
    def on_sale(self) -> bool: ...
    def collect_minority(self) -> None: ...
    def remeasure(self, plan: TrainingPlan, result: TrainingResult) -> None: ...


class SalesLike(Protocol):
    """A firm's side of the market."""

    market: Market
    slots: dict[str, int]
    price_level: float
    licence_solution_share: float

    def room(self, segment: str) -> float: ...
    def trust(self) -> float: ...
    def serving_usd(self) -> float: ...
    def served_by(self, lab: LaboratoryLike) -> dict[str, int]: ...
    def usage_rows(self, lab: LaboratoryLike) -> float: ...
    def accident_hazard(self, lab: LaboratoryLike) -> tuple[float, float]: ...


class RisksLike(Protocol):
    """What a firm does about its risks."""

    def hazard_left(self, name: str) -> float: ...
    def key_person_rate_year(self) -> float: ...
    def lose_key_person(self) -> None: ...
    def team(self) -> FirmSettings: ...


class AdmissionLike(Protocol):
    """Where the law lets a firm sell."""

    @property
    def demands(self) -> Mapping[str, object]: ...
    @property
    def mandatory(self) -> bool: ...

    def forget_demands(self) -> None: ...
    def admits(self, segment: str) -> bool: ...
    def follow(self, old: str, new: str) -> None: ...
    def room(self, segment: str) -> float: ...


class ReachLike(Protocol):
    """Where a firm sells."""

    @property
    def is_split(self) -> bool: ...

    def reach(self, segment: str, admitted: bool) -> float: ...
    def law_for(self, sector: str) -> LawSettings: ...


class SupportLike(Protocol):
    """What the state pays a firm."""

    def public_hours_left(self) -> float: ...
    def use_public_hours(self, hours: float) -> None: ...
    def bill_affordable_usd(self, own_usd: float) -> float: ...
    def pay_compute(self, bill_usd: float) -> float: ...


class LearnsLike(Protocol):
    """A firm's link with universities."""

    know_how: float

    def researchers(self) -> float: ...
    def taught(self, settings: FirmSettings) -> FirmSettings: ...


class AutomationLike(Protocol):
    """What managers have automated."""

    automation: float


class DeskLike(Protocol):
    """What a firm sells to firms."""

    firm: Owner
    trust: float
    hands_asked: float
    rows_usd: float
    tooled: set[str]

    def begin_month(self) -> None: ...
    def markup(self, service: Service) -> float: ...
    def row_price(self, own_cost: float) -> float: ...
    def deliver_rows(self, buyer: str, sector: str, wanted: float, own_cost: float) -> float: ...
    def hands_free(self) -> float: ...
    def lend_hands(self, asked: float) -> float: ...
    def resell(self, buyer: Owner, usd: float, account: Account) -> float: ...


class Owner(FirmLike, Protocol):
    """A firm as its organs see it. Money in USD, staff in people."""

    model: World
    settings: FirmSettings
    books: Books
    staff: dict[Role, float]
    brand_usd: float
    budget_usd: float
    prepaid_serving_usd: float
    serves_one: bool
    incident_to_audit: str
    costs: list[float]
    revenues: list[float]
    recurring: list[float]
    margin: tuple[float, float, float]
    founded: date
    service_revenue_usd: float
    model_access_usd: float
    raised_usd: float
    insolvent: bool
    home: str

    @property
    def law(self) -> LawSettings: ...
    @property
    def markets(self) -> ReachLike: ...
    @property
    def markets_served(self) -> tuple[str, ...]: ...
    @property
    def quality_field(self) -> float: ...
    @property
    def segments(self) -> Mapping[str, SegmentSettings]: ...
    @property
    def history(self) -> History: ...
    @property
    def suppliers(self) -> dict[Service, Owner]: ...
    @property
    def laboratory(self) -> LaboratoryLike: ...
    @property
    def laboratories(self) -> Mapping[str, LaboratoryLike]: ...
    @property
    def sales(self) -> SalesLike: ...
    @property
    def risks(self) -> RisksLike: ...
    @property
    def certification(self) -> AdmissionLike: ...
    @property
    def support(self) -> SupportLike: ...
    @property
    def university(self) -> LearnsLike: ...
    @property
    def management(self) -> AutomationLike: ...
    @property
    def desk(self) -> DeskLike | None: ...

    def laboratory_for(self, offer: str) -> LaboratoryLike: ...
    def law_for(self, offer: str) -> LawSettings: ...
    def age_years(self) -> float: ...
    def inertia_months(self) -> float: ...
    def stage_name(self) -> str: ...
    def funding(self) -> Funding: ...
    def record(self, event: Event) -> None: ...
    def spend(self, usd: float, account: Account, payee: str = ..., credit: AccountName = ...) -> float: ...
    def suffer(self, event: Event, usd: float, trust: float) -> None: ...
