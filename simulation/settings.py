"""What the world is made of: the parameters of market, compute, labour, capital, law and risk.

Source ids (S1, V16, C10 …) refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simulation.law import LawSettings
from simulation.parameters import Name, Settings, parameter

RevenueModel = Literal["subscription", "licence", "solution", "freemium", "bundle"]
Role = Literal["product", "research", "marketing", "operations", "finance"]
ROLES: tuple[Role, ...] = ("product", "research", "marketing", "operations", "finance")
Stage = Literal["seed", "A", "B", "C", "growth"]
STAGES: tuple[Stage, ...] = ("seed", "A", "B", "C", "growth")


class SegmentSettings(Settings):
    """A group of customers in a sector who want the same thing (random-utility demand, McFadden 1974)."""

    customers: float = parameter(1000, "potential customers", "customers", low=1, high=1e9)
    reference_price_usd: float = parameter(
        1000, "usual price of AI in this segment; offers are priced around it", "USD/customer/month", low=0.01, high=1e7
    )
    advantage_weight: float = parameter(
        4.0, "utility of removing all errors of the traditional method", "utils", low=0, high=20
    )
    price_weight: float = parameter(1.0, "disutility of paying the reference price", "utils", low=0.01, high=20)
    brand_weight: float = parameter(0.3, "utility per log unit of brand", "utils", low=0, high=5)
    trust_weight: float = parameter(4.0, "utility of full trust against none", "utils", low=0, high=20)
    tailoring_weight: float = parameter(0.0, "utility of a solution made for this customer", "utils", low=0, high=10)
    edge_weight: float = parameter(0.0, "utility of a model small enough for the device", "utils", low=0, high=10)
    adoption_hurdle: float = parameter(2.0, "disutility of replacing the traditional method", "utils", low=-10, high=20)
    switching_cost: float = parameter(
        4.2, "disutility of leaving the current supplier", "utils", low=0, high=20, source="calibrated to M7"
    )
    contract_months: float = parameter(12, "mean length of a contract", "months", low=1, high=120)
    closure_rate_year: float = parameter(
        0.05, "share of customers that stop their business in a year", "1/year", low=0, high=0.9, source="below M7"
    )
    innovation_rate_year: float = parameter(
        0.03,
        "Bass p: unserved customers who look at AI unprompted",
        "1/year",
        low=0,
        high=1,
        source="Sultan, Farley & Lehmann 1990 (mean of 213 applications)",
    )
    imitation_rate_year: float = parameter(
        0.38,
        "Bass q: unserved customers who look because others adopted",
        "1/year",
        low=0,
        high=3,
        source="Sultan, Farley & Lehmann 1990 (mean of 213 applications)",
    )
    field_threshold: float = parameter(
        0.0, "field accuracy below which nobody in the segment buys", "accuracy", low=0, high=1
    )
    field_accuracy_floor: float = parameter(
        0.0,
        "field accuracy of its supplier below which an audit fails, where the law asks for less",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
    )
    certified_field_accuracy: float = parameter(
        0.0,
        "field accuracy that a model must show in an examination before it is sold here; 0: none asked",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
    )
    certified_fairness_gap: float = parameter(
        1.0,
        "largest accuracy gap between groups that an examination allows; 1: none asked",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
    )
    accidents_year: float = parameter(
        0.0,
        "accidents that one customer's use would cause in a year if every decision in the field were wrong",
        "1/customer/year",
        low=0,
        high=1e4,
    )
    accident_usd: float = parameter(
        1e6, "what the supplier of the model is liable for after an accident", "USD", low=0, high=1e9
    )
    usage_rows_month: float = parameter(
        1000, "rows of field data that one customer's use makes", "rows/customer/month", low=0, high=1e9
    )
    inference_gpu_hours: float = parameter(
        1.0,
        "GPU hours to serve one customer with a mid-ladder model, 2017 hardware",
        "GPU h/customer/month",
        low=0,
        high=1e5,
    )
    project_staff_months: float = parameter(
        1.0, "operations staff needed to deliver one tailored solution", "staff months/project", low=0.01, high=100
    )

    @property
    def safety_critical(self) -> bool:
        """Whether lives or much money depend on the model: it can cause accidents, or has a threshold to pass."""
        return self.accidents_year > 0 or self.field_threshold > 0


class SectorSettings(Settings):
    """A sector: one training task (SEC-*), one traditional method, several segments."""

    task: Name = parameter("security-vision", "task family its models are trained on", kind="constant")
    traditional_rows: int = parameter(
        1024, "rows on which the traditional method in use today was fitted", "proxy rows", low=64, high=8192
    )
    algorithmic_halving_months: float = parameter(
        16,
        "time in which the compute for a fixed quality halves",
        "months",
        low=1,
        high=240,
        source="C6 (images); C7: 8 (language)",
    )
    segments: dict[Name, SegmentSettings] = Field(description="groups of customers", min_length=1)


class ComputeSettings(Settings):
    """The shared GPU cloud, and the bridge from money to a rung of the proxy ladder."""

    gpus: float = parameter(4000, "size of the shared cloud at 2017-10", "GPUs (V100)", low=1, high=1e8)
    growth_doubling_years: float = parameter(1.5, "the cloud's size doubles every", "years", low=0.2, high=50)
    price_usd_hour: float = parameter(
        3.06, "list price at 2017-10", "USD/GPU h (V100)", low=0.01, high=1000, source="C10"
    )
    price_halving_years: float = parameter(
        2.46, "price of a fixed amount of compute halves every", "years", low=0.2, high=50, source="C1"
    )
    congestion: float = parameter(0.5, "price rise when the queue is as large as the cloud", "share", low=0, high=10)
    job_months: float = parameter(
        1.0, "run time a firm aims at when it chooses how many GPUs to use", "months", low=0.1, high=24
    )
    parallel_loss: float = parameter(
        0.05, "exponent of the efficiency lost to distribution: n GPUs work as n^(1-loss)", "", low=0, high=0.9
    )
    rung_gpu_hours: float = parameter(
        400, "effective GPU hours for rung 1 of the ladder", "GPU h (V100, 2017 algorithms)", low=1, high=1e9
    )
    rung_factor: float = parameter(16.0, "effective compute that one rung more takes", "ratio", low=1.5, high=100)
    rows_base: float = parameter(
        10_000, "real rows that one base batch of proxy rows stands for", "rows", low=1, high=1e9
    )
    rows_proxy_base: float = parameter(
        128, "proxy rows that stand for `rows_base` real rows", "proxy rows", low=16, high=8192
    )
    rows_exponent: float = parameter(
        0.5,
        "proxy rows grow with real rows to this power (compression of five decades into the ladder)",
        "",
        low=0.05,
        high=1,
    )


class LabourSettings(Settings):
    """Wages by role and what staff deliver."""

    wage_usd_month: dict[Role, float] = Field(
        default={"product": 9_000, "research": 12_000, "marketing": 8_500, "operations": 7_000, "finance": 8_500},
        description="loaded monthly wage by role in 2017",
        json_schema_extra={"unit": "USD/month", "kind": "uncertainty", "source": "assumption"},
    )
    wage_growth_year: float = parameter(0.035, "yearly growth of wages", "1/year", low=-0.5, high=1)
    talent_growth_year: float = parameter(
        0.15, "yearly growth of the people there are for each role", "1/year", low=-0.5, high=3
    )
    wage_response: float = parameter(
        0.2, "how wages answer demand beyond that growth: exponent of demand over supply", "", low=0, high=2
    )
    overhead_share: float = parameter(
        0.2, "rent, tools and administration on top of wages", "share of wages", low=0, high=3
    )
    label_cost_usd: float = parameter(0.08, "cost to collect and label one row", "USD/row", low=0.0001, high=1e4)
    product_fit: float = parameter(
        0.3, "utility that customers see per log unit of product staff", "utils", low=0, high=5
    )
    customers_per_operator: float = parameter(
        15,
        "mid-priced business customers that one operator looks after (scaled by price)",
        "customers",
        low=0.1,
        high=1e6,
        source="calibrated to M4",
    )
    operator_price_usd: float = parameter(
        2_000,
        "monthly price of the customer meant there; cheaper ones need less care in proportion",
        "USD/month",
        low=1,
        high=1e6,
    )
    data_decay_year: float = parameter(
        0.2, "share of data that drift makes worthless in a year", "1/year", low=0, high=1
    )


class RevenueSettings(Settings):
    """Terms of the revenue models (CH-REVENUE). Prices are per month around the segment's reference price."""

    licence_upfront_months: float = parameter(6, "up-front part of a licence", "monthly prices", low=0, high=60)
    licence_royalty_share: float = parameter(0.55, "royalty of a licence", "share of monthly price", low=0, high=2)
    solution_fee_months: float = parameter(8, "fee of a tailored project", "monthly prices", low=0, high=60)
    solution_upkeep_share: float = parameter(
        0.6, "upkeep after a tailored project", "share of monthly price", low=0, high=2
    )
    free_conversion_month: float = parameter(
        0.005,
        "share of free users who start to pay in a month at the usual lead over what they could have for nothing",
        "1/month",
        low=0,
        high=1,
        source="with usual churn gives 2-5 % paying (M1)",
    )
    payer_price_weight: float = parameter(
        0.4,
        "weight of the price for those who went from free to paying, against others of their segment",
        "ratio",
        low=0,
        high=1,
    )
    free_usual_lead: float = parameter(
        0.4,
        "lead in field advantage over the best free bundle, or the traditional method, at which that share holds",
        "advantage",
        low=-1,
        high=1,
    )
    free_rival_weight: float = parameter(
        3.0, "how strongly a smaller lead lowers conversion", "log units per unit of advantage", low=0, high=20
    )
    free_leave_month: float = parameter(0.25, "share of free users who look again in a month", "1/month", low=0, high=1)
    free_serving_share: float = parameter(0.5, "cost of serving a free user", "share of a paying one", low=0, high=1)
    licence_serving_share: float = parameter(
        0.0, "serving cost of licensed models (run by the customer)", "share", low=0, high=1
    )
    solution_serving_share: float = parameter(
        0.5, "serving cost of tailored solutions (partly on site)", "share", low=0, high=1
    )


class BrandSettings(Settings):
    """Brand and trust: what customers believe before and after they buy."""

    brand_decay_month: float = parameter(
        0.05, "goodwill that fades in a month (Nerlove & Arrow 1962)", "1/month", low=0, high=1
    )
    brand_unit_usd: float = parameter(100_000, "goodwill that counts as one unit of brand", "USD", low=1, high=1e9)
    trust_start: float = parameter(0.5, "trust in a firm nobody knows", "0..1", low=0, high=1)
    trust_speed_month: float = parameter(0.15, "how fast trust follows experience", "1/month", low=0, high=1)
    trust_tolerance: float = parameter(
        0.8, "gap between promised and lived advantage that destroys all trust", "advantage", low=0.01, high=5
    )


class StageTerms(Settings):
    """Usual terms of one financing stage; sizes move linearly in time between the two dates."""

    pre_money_usd: float = parameter(5.9e6, "median pre-money valuation in 2014", "USD", low=1e4, high=1e11)
    round_usd_2014: float = parameter(1e6, "median round in 2014", "USD", low=1e4, high=1e10)
    round_usd_2022: float = parameter(2.5e6, "median round in 2022", "USD", low=1e4, high=1e10)


def _stages() -> dict[Stage, StageTerms]:
    return {
        "seed": StageTerms(pre_money_usd=5.9e6, round_usd_2014=1.0e6, round_usd_2022=2.5e6),  # V16, V20
        "A": StageTerms(pre_money_usd=13.1e6, round_usd_2014=5e6, round_usd_2022=14e6),  # V16, V20
        "B": StageTerms(pre_money_usd=36.9e6, round_usd_2014=12e6, round_usd_2022=21e6),  # V16, V20; 2014: assumption
        "C": StageTerms(pre_money_usd=70.5e6, round_usd_2014=20e6, round_usd_2022=23e6),  # V16, V20; 2014: assumption
        "growth": StageTerms(pre_money_usd=200e6, round_usd_2014=40e6, round_usd_2022=60e6),  # assumption
    }


class CapitalSettings(Settings):
    """Venture capital: stages, what investors look at, how long it takes."""

    stages: dict[Stage, StageTerms] = Field(
        default_factory=_stages,
        description="usual terms by stage",
        json_schema_extra={"unit": "USD", "source": "V16, V20"},
    )
    diligence_months: float = parameter(
        4.0, "median time from the start of a raise to its end", "months", low=0.1, high=36
    )
    diligence_sigma: float = parameter(0.4, "spread of that time (log scale)", "", low=0, high=2)
    signal_noise: float = parameter(0.35, "spread of an investor's error about value (log scale)", "", low=0, high=3)
    revenue_multiple: float = parameter(
        6.0, "value of a dollar of yearly revenue without growth", "ratio", low=0, high=100
    )
    growth_multiple: float = parameter(
        8.0, "added to the multiple per 100 % of yearly growth", "ratio", low=0, high=100
    )
    option_usd: float = parameter(
        33e6, "value of a complete technical advantage before revenue", "USD", low=0, high=1e10
    )
    option_fade: float = parameter(0.5, "what is left of that value at each later stage", "ratio", low=0, high=1)
    user_value_usd: float = parameter(
        30.0,
        "value that early investors give a free user (WhatsApp was bought for 42 in 2014, at its full size)",
        "USD/user",
        low=0,
        high=1e4,
    )
    heat: dict[int, float] = Field(
        default={2012: 0.5, 2014: 0.7, 2016: 0.85, 2018: 1.0, 2020: 1.0, 2021: 1.6, 2022: 1.3, 2023: 1.0, 2024: 1.2},
        description="funding climate by year: square root of yearly AI funding relative to 2018-2020, smoothed",
        json_schema_extra={"unit": "ratio", "kind": "uncertainty", "source": "V26"},
    )
    runway_months: float = parameter(
        24, "runway that a startup spends a round over", "months", low=3, high=60, source="V23: 18-24"
    )
    raise_below_months: float = parameter(
        6, "runway at which it goes out to raise", "months", low=1, high=36, source="calibrated to V12, V14"
    )
    retry_months: float = parameter(4, "pause after a failed raise", "months", low=1, high=36)
    ipo_revenue_usd_year: float = parameter(
        80e6, "yearly revenue from which a firm may go public", "USD/year", low=1e5, high=1e11
    )
    ipo_growth_year: float = parameter(0.2, "yearly growth from which a firm may go public", "1/year", low=-1, high=10)
    bridge_months: float = parameter(
        0.0,
        "months of burn that investors inside lend by a convertible note when a raise is refused; 0: none",
        "months",
        low=0,
        high=24,
    )
    bridge_belief: float = parameter(
        0.5, "value an investor must see to lend, per dollar of the last post-money valuation", "ratio", low=0, high=10
    )
    note_discount: float = parameter(0.2, "discount at which a note converts", "share", low=0, high=0.9, source="V31")
    write_down_share: float = parameter(
        0.3, "taken off the mark of an investment after each refusal since its last round", "share", low=0, high=1
    )
    acquisition_rate_year: float = parameter(
        0.0, "times a year that an acquiring incumbent looks for a healthy startup to buy", "1/year", low=0, high=12
    )
    acquisition_synergy: float = parameter(
        1.5, "what a buyer's own channels make of a dollar of a healthy startup's revenue", "ratio", low=0, high=10
    )
    acquisition_premium: float = parameter(
        0.3,
        "premium over fair value at which the holders of a healthy startup sell",
        "share",
        low=0,
        high=5,
        source="V32",
    )


class RiskSettings(Settings):
    """Incidents (RISK): hazards and losses."""

    breach_rate_year: float = parameter(0.04, "data breaches of one firm without prevention", "1/year", low=0, high=12)
    breach_usd_per_row: float = parameter(0.02, "cost of a breach per row held", "USD/row", low=0, high=1e4)
    breach_trust: float = parameter(0.25, "trust lost in a breach", "0..1", low=0, high=1)
    outage_rate_year: float = parameter(0.3, "serious outages of one firm with one operator", "1/year", low=0, high=50)
    outage_trust: float = parameter(0.08, "trust lost in an outage", "0..1", low=0, high=1)
    accident_trust: float = parameter(0.3, "trust lost in an accident", "0..1", low=0, high=1)


class SocietySettings(Settings):
    """How what models do is counted for society (SOC-*)."""

    minority_share: float = parameter(
        0.1, "share of the minority group among customers, as in the test sets", "share", low=0, high=0.5
    )
    labour_saving_share: float = parameter(
        0.5, "part of the productivity gain that is work no longer needed", "share", low=0, high=1
    )
    replaced_wage_usd_month: float = parameter(
        4_000, "loaded monthly wage of the work replaced", "USD/month", low=100, high=1e5
    )


class WorldSettings(Settings):
    """All of the above: the world apart from its firms, investors and regulators."""

    sectors: dict[Name, SectorSettings] = Field(description="sectors by name", min_length=1)
    compute: ComputeSettings = ComputeSettings()
    labour: LabourSettings = LabourSettings()
    revenue: RevenueSettings = RevenueSettings()
    brand: BrandSettings = BrandSettings()
    capital: CapitalSettings = CapitalSettings()
    law: LawSettings = LawSettings()
    risk: RiskSettings = RiskSettings()
    society: SocietySettings = SocietySettings()
