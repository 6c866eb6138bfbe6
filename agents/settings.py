"""What a scenario may say of an actor: firms, the stream of entrants, investors, the regulator."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from simulation.parameters import FirmKind, Month, Settings, declared, parameter
from simulation.settings import FundStage, Name, RevenueModel, Role, Service
from simulation.training.plan import EXTRA_KINDS, NETWORK_KINDS, PRIVATE_KINDS


def _shipped_or_loaded(value: Any, shipped: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, str) and value in EXTRA_KINDS else shipped(value)


ModelKind = Annotated[
    Literal["linear", "mlp", "cnn", "rnn", "transformer"], WrapValidator(_shipped_or_loaded), PlainSerializer(str)
]
"""A shipped kind of network, or one that a loaded plug-in declares."""
Compression = Literal["none", "int8", "pruned", "distilled"]
Remedy = Literal["anonymise", "minimise", "dp"]
Direction = Literal["vertical", "general", "tools"]


class EngineeringSettings(Settings):
    """How a firm runs its training (MOD-PRACTICE): hardware, configuration, parallel code, memory, logging."""

    hardware: float = parameter(
        1.0, "throughput of the machines it chose, against the usual choice", "ratio", low=0.2, high=3, kind="lever"
    )
    memory: float = parameter(
        1.0,
        "throughput that its use of memory gives (batch size, precision, checkpoints), against the usual",
        "ratio",
        low=0.2,
        high=3,
        kind="lever",
    )
    parallelism: float = parameter(
        1.0, "what its parallel code loses to distribution, against the usual", "ratio", low=0, high=4, kind="lever"
    )
    failure_rate: float = parameter(
        0.17,
        "share of attempts at a run that break down; disciplined configuration lowers it",
        "share",
        low=0,
        high=0.9,
        kind="lever",
        source="Jeon et al. 2019: 17 % of the jobs on a company's GPU cluster were unsuccessful (recalled)",
    )
    lost_share: float = parameter(
        0.5,
        "work lost when an attempt breaks down; logging and checkpoints lower it",
        "share of the run",
        low=0,
        high=1,
        kind="lever",
    )


class ManagementSettings(Settings):
    """Targets of a firm's managers (OPS-KPI): what counts as good enough, and what a step toward it takes."""

    burn_multiple: float = parameter(
        2.0,
        "efficiency: net burn per dollar of new yearly recurring revenue, at most",
        "ratio",
        low=0.1,
        high=20,
        kind="lever",
        source="assumption inside the bands of V23",
    )
    satisfaction: float = parameter(
        0.6, "quality: trust of its customers, at least", "0..1", low=0.05, high=1, kind="lever"
    )
    failures_year: float = parameter(
        1.0, "quality: incidents and broken runs, at most", "1/year", low=0.1, high=100, kind="lever"
    )
    gross_margin: float = parameter(
        0.5,
        "cost control: sales less serving and operators, at least",
        "share",
        low=0.05,
        high=0.95,
        kind="lever",
        source="M4",
    )
    better_model_months: float = parameter(
        18.0, "innovation: time since its last better model, at most", "months", low=1, high=120, kind="lever"
    )
    accuracy_ratio: float = parameter(
        0.97,
        "innovation: its field accuracy against the best rival's, at least",
        "ratio",
        low=0.1,
        high=2,
        kind="lever",
    )
    adaptation: float = parameter(
        0.2,
        "how far a review moves the level aspired to toward what was reached (Cyert & March 1963)",
        "share",
        low=0,
        high=1,
    )
    step_days: float = parameter(
        1.0, "working days of the whole staff that one step takes", "days", low=0, high=60, kind="lever"
    )


class FirmSettings(Settings):
    """One firm. Everything a case chapter says of a firm is said here."""

    kind: FirmKind = parameter("startup", "kind of firm", kind="constant", fixed=True)
    sector: Name = parameter(..., "sector it works in", kind="constant", fixed=True)
    direction: Direction = parameter("vertical", "what it builds (OP-DIRECTION)", kind="lever", fixed=True)
    adapts_to: dict[Name, dict[Name, RevenueModel]] = Field(
        default={},
        description="further sectors that a general firm adapts its pre-trained model to: segments, how it earns there",
        json_schema_extra={"kind": "lever", "source": "assumption", "fixed": True},
    )
    founded: Month | None = parameter(
        None, "month in which it enters; empty: with the world", kind="constant", fixed=True
    )
    home: Name | None = parameter(
        None, "jurisdiction of its home; empty: none, only the world's law binds it there", kind="constant", fixed=True
    )
    market_exit_months: float = parameter(
        12,
        "months in which the law of a jurisdiction costs more than sales there bring before it leaves",
        "months",
        low=1,
        high=1000,
        kind="lever",
    )
    offers: dict[Name, RevenueModel] = Field(
        default={},
        description="segments it sells to, and how it earns there; a firm of direction tools may have none",
        json_schema_extra={"kind": "lever", "source": "assumption"},
    )
    services: dict[Service, float] = Field(
        default={},
        description=(
            "what a firm of direction tools sells to other firms: compute (markup on the cloud's price), data (price "
            "of a row, as a share of what labelling it alone costs), outsourcing (markup on wages)"
        ),
        json_schema_extra={"kind": "lever", "source": "assumption"},
    )
    price_level: float = parameter(1.0, "its price", "reference prices", low=0.05, high=10, kind="lever")
    skill: float = parameter(0.5, "skill of its researchers: chooses the training recipe", "0..1", low=0, high=1)
    collaboration: float = parameter(
        1.0,
        "what the same people deliver through working together (TEAM-PRACTICE)",
        "ratio",
        low=0.3,
        high=2,
        kind="lever",
    )
    engineering: EngineeringSettings = EngineeringSettings()
    model_kind: ModelKind = parameter("cnn", "network it trains", kind="lever")
    compression: Compression = parameter("none", "compression before deployment (MOD-COMPRESS)", kind="lever")
    rows: float = parameter(50_000, "labelled rows at the start", "rows", low=100, high=1e12, fixed=True)
    field_share: float = parameter(
        0.05, "share of bought rows that come from real use", "share", low=0, high=1, kind="lever"
    )
    data_operations: float = parameter(
        0.3,
        "share of its customers' data that its pipeline turns into training rows",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    field_mix: float = parameter(
        0.5,
        "largest share of rows from real use in a training set (measured: more lowers lab accuracy for little)",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    label_noise: float = parameter(0.05, "share of wrong labels", "share", low=0, high=0.6)
    anonymisation: float = parameter(0.0, "noise added to training inputs", "input sd", low=0, high=3, kind="lever")
    dp_noise: float = parameter(
        0.0,
        "noise multiplier of differentially private training (DP-SGD); 0 trains without it",
        "ratio",
        low=0,
        high=16,
        kind="lever",
    )
    remedy: Remedy = parameter(
        "anonymise",
        "what it does first when ordered to end a leak: noise on inputs, fewer inputs, or private training (DP-SGD)",
        kind="lever",
    )
    staff: dict[Role, float] = Field(
        default={"product": 1, "research": 2, "marketing": 1, "operations": 1, "finance": 0},
        description="people by role when it enters",
        json_schema_extra={"unit": "people", "kind": "lever", "source": "assumption", "fixed": True},
    )
    research_share: float = parameter(
        0.45, "research in the wage bill it aims at", "share", low=0.05, high=0.95, kind="lever"
    )
    compute_share: float = parameter(0.2, "training compute in its spending", "share", low=0, high=0.9, kind="lever")
    data_share: float = parameter(0.08, "data in its spending", "share", low=0, high=0.9, kind="lever")
    marketing_share: float = parameter(0.1, "advertising in its spending", "share", low=0, high=0.9, kind="lever")
    release_months: float = parameter(
        9, "time between two models with two researchers", "months", low=1, high=60, kind="lever"
    )
    prevention: float = parameter(
        0.3, "share of incident hazard that prevention removes", "share", low=0, high=0.95, kind="lever"
    )
    managed: float = parameter(
        0.0,
        "share of the quarters in which its managers look at the indicators (OPS-KPI); 0: never",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    management: ManagementSettings = ManagementSettings()
    risk_budget_share: float = parameter(
        0.0,
        "spending on prevention, plans, drills and reserves in all spending (RISK)",
        "share",
        low=0,
        high=0.5,
        kind="lever",
    )
    pivot_months: float = parameter(
        24,
        "months without traction before it changes how it earns",
        "months",
        low=3,
        high=1000,
        kind="lever",
        only_for="startup",
    )
    capital_usd: float = parameter(
        1.0e6,
        "money raised (startup) or lent by the parent (incumbent) at the start",
        "USD",
        low=1e4,
        high=1e11,
        fixed=True,
    )
    core_income_usd_month: float = parameter(
        0.0, "what an incumbent's other business pays for AI", "USD/month", low=0, high=1e10, only_for="incumbent"
    )
    brand_usd: float = parameter(0.0, "goodwill at the start", "USD", low=0, high=1e10, fixed=True)
    reserved_gpus: float = parameter(0.0, "GPUs of its own, outside the cloud", "GPUs (V100)", low=0, high=1e7)
    follow_months: float = parameter(
        12, "delay with which an incumbent answers a better rival", "months", low=1, high=120, only_for="incumbent"
    )
    judgement_noise: float = parameter(
        0.0,
        "spread of an incumbent's error about a rival's share, revenue and error rate (log scale), drawn by year",
        "",
        low=0,
        high=3,
        only_for="incumbent",
    )
    attention_share: float = parameter(
        0.0,
        "share of the sector under which an incumbent does not notice a rival",
        "share",
        low=0,
        high=1,
        only_for="incumbent",
    )
    acquires: bool = parameter(False, "an incumbent that buys startups", kind="lever", only_for="incumbent")

    @model_validator(mode="after")
    def _says_nothing_of_another_kind(self) -> FirmSettings:
        for name, field in type(self).model_fields.items():
            only_for = declared(field, "only_for")
            if only_for not in (None, self.kind) and getattr(self, name) != field.default:
                raise ValueError(f"{name} is for firms of kind {only_for}; one of kind {self.kind} makes no use of it")
        return self

    @model_validator(mode="after")
    def _sells_something(self) -> FirmSettings:
        if self.direction == "tools" and not self.services:
            raise ValueError("direction = tools needs services: a mapping with at least one entry")
        if self.direction != "tools" and self.services:
            raise ValueError(f"services need direction = tools, not {self.direction}")
        if self.direction == "general" and not self.adapts_to:
            raise ValueError("direction = general needs adapts_to: a mapping with at least one entry")
        return self

    @model_validator(mode="after")
    def _can_train_privately(self) -> FirmSettings:
        if self.dp_noise > 0 and (self.model_kind not in PRIVATE_KINDS or self.compression == "distilled"):
            raise ValueError(
                f"dp_noise = {self.dp_noise:g} needs model_kind {' or '.join(PRIVATE_KINDS)} and a compression other "
                f"than distilled, not {self.model_kind} and {self.compression}"
            )
        return self

    @model_validator(mode="after")
    def _can_compress(self) -> FirmSettings:
        if self.compression != "none" and self.model_kind in EXTRA_KINDS:
            raise ValueError(f"compression = {self.compression} needs a shipped model_kind, not {self.model_kind}")
        return self

    @model_validator(mode="after")
    def _can_remedy(self) -> FirmSettings:
        private = self.model_kind in PRIVATE_KINDS and self.compression != "distilled"
        if self.remedy == "dp" and not private:
            raise ValueError(
                f"remedy = dp needs model_kind {' or '.join(PRIVATE_KINDS)} and a compression other than distilled, "
                f"not {self.model_kind} and {self.compression}"
            )
        if self.remedy == "minimise" and self.model_kind not in NETWORK_KINDS:
            raise ValueError(f"remedy = minimise needs model_kind {' or '.join(NETWORK_KINDS)}, not {self.model_kind}")
        return self


class Spread(Settings):
    """Mean and spread of a normal draw, clipped to the range of what it fills; for rows, median and log spread."""

    mean: float = parameter(0.5, "mean (of rows: the median)", low=0, high=1e12)
    sd: float = parameter(0.15, "standard deviation (of the logarithm for rows)", low=0, high=10)


class EntrantSettings(Settings):
    """Startups that enter a sector by themselves."""

    sector: Name = parameter(..., "sector they enter", kind="constant")
    per_year: float = parameter(
        1.5,
        "entrants in a year of normal funding climate; of no use with potential founders",
        "1/year",
        low=0,
        high=1000,
    )
    potential_per_year: float = parameter(
        0.0,
        "potential founders (of real firms, see `firms_scale`) a year, who found if they expect enough; 0: none, and "
        "`per_year` holds",
        "1/year",
        low=0,
        high=1e6,
    )
    at_start: int = parameter(3, "startups there when the world begins", "firms", low=0, high=100_000)
    skill: Spread = Spread(mean=0.55, sd=0.15)
    collaboration: Spread = Spread(mean=1.0, sd=0.12)
    rows: Spread = Spread(mean=60_000, sd=0.8)
    data_operations: Spread = Spread(mean=0.25, sd=0.12)
    managed: Spread = Spread(mean=0.0, sd=0.0)
    management: ManagementSettings = ManagementSettings()
    risk_budget_share: Spread = Spread(mean=0.0, sd=0.0)
    offers: list[dict[Name, RevenueModel]] = Field(
        default=[],
        description="ways of earning they choose from with equal chance; those of direction tools may have none",
        json_schema_extra={"source": "assumption"},
    )
    research_usd: float = parameter(
        0.0,
        "what an entrant pays to know which of them would bring most; 0: chosen with equal chance (CH-POSITION)",
        "USD",
        low=0,
        high=1e7,
    )
    direction: Literal["vertical", "tools"] = parameter("vertical", "what they build (OP-DIRECTION)", kind="constant")
    services: list[dict[Service, float]] = Field(
        default=[],
        description="what those of direction tools sell to other firms, chosen with equal chance; as of a firm",
        json_schema_extra={"source": "assumption"},
    )

    def candidates_year(self, firms_scale: float) -> float:
        """Those who may enter in a year: simulated potential founders where there are any, else the usual entrants."""
        return self.potential_per_year / firms_scale if self.potential_per_year > 0 else self.per_year

    @model_validator(mode="after")
    def _sell_something(self) -> EntrantSettings:
        if self.direction == "tools" and not self.services:
            raise ValueError("direction = tools needs services: a list with at least one entry")
        if self.direction != "tools" and self.services:
            raise ValueError(f"services need direction = tools, not {self.direction}")
        return self


class InvestorSettings(Settings):
    """A venture fund."""

    size_usd: float = parameter(100e6, "money for investments; fees are committed on top", "USD", low=1e5, high=1e12)
    vintage: int = parameter(2014, "first year in which it invests", "year", low=1980, high=2100, kind="constant")
    life_years: float = parameter(
        10, "life of the fund; it makes new investments in the first half", "years", low=1, high=30, kind="constant"
    )
    stages: list[FundStage] = Field(
        description="stages it invests in; seed rounds are paid by private savers", min_length=1
    )
    ticket_share: float = parameter(0.1, "most it puts into one company", "share of fund", low=0.001, high=1)
    thesis: dict[Name, float] = Field(
        default={},
        description="value that it sees in startups of a sector, against what others see; 1 for sectors not named",
        json_schema_extra={"unit": "ratio, 0..10", "kind": "uncertainty", "source": "assumption"},
    )
    hurdle: float = parameter(
        0.75,
        "value it must see per dollar of pre-money valuation",
        "ratio",
        low=0.1,
        high=10,
        source="calibrated to V1, V16",
    )
    fee_share_year: float = parameter(
        0.02, "management fee, all its life", "share of commitments/year", low=0, high=0.03, source="V30"
    )
    reserve_share: float = parameter(
        0.0, "part of the money kept for later rounds of its own companies", "share", low=0, high=0.9, kind="lever"
    )
    recalled_share: float = parameter(
        1.0, "part of what it distributes while it makes new investments that it may call again", "share", low=0, high=1
    )


class RegulatorSettings(Settings):
    """The authority that enforces the law on data and AI."""

    audit_months: float = parameter(2.0, "length of an audit", "months", low=0.1, high=36)
    fix_months: float = parameter(6.0, "time to follow an order to fix", "months", low=0.5, high=60)
