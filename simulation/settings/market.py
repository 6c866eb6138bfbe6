"""Parameters of the market: segments, sectors, revenue models, brand and trust.

Source ids (S1, V16, C10 …) refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from pydantic import Field

from simulation.parameters import Name, Settings, parameter
from simulation.settings.partial_law import PartialLawSettings
from simulation.settings.tastes import BuyerType


class SegmentSettings(Settings):
    """A group of customers in a sector who want the same thing (random-utility demand, McFadden 1974)."""

    customers: float = parameter(1000, "potential customers", "customers", low=1, high=1e9)
    customers_growth_year: float = parameter(
        0.0, "yearly growth of the number of potential customers", "1/year", low=-0.5, high=3
    )
    customers_year: float = parameter(
        2014, "year in which `customers` is their number", "year", low=1900, high=2100, kind="constant"
    )
    adopted_share: float | None = parameter(
        None,
        "served by incumbents when a world begins after `market_opens`; empty: what Bass diffusion gives since then",
        "share",
        low=0,
        high=1,
        fixed=True,
    )
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
        stricter="higher",
    )
    certified_field_accuracy: float = parameter(
        0.0,
        "field accuracy that a model must show in an examination before it is sold here; 0: none asked",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
        stricter="higher",
    )
    certified_fairness_gap: float = parameter(
        1.0,
        "largest accuracy gap between groups that an examination allows; 1: none asked",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
        stricter="lower",
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
    tokens_month: float | None = parameter(
        None,
        "tokens of one customer's use, where a model answers by the token; empty: by `sourcing.tokens_per_usd`",
        "tokens/customer/month",
        low=0,
        high=1e13,
    )
    project_staff_months: float = parameter(
        1.0, "operations staff needed to deliver one tailored solution", "staff months/project", low=0.01, high=100
    )
    types: dict[Name, BuyerType] = Field(
        default={},
        description="types of buyers, who differ in taste; none: all are as the segment says",
        max_length=8,
        json_schema_extra={"kind": "uncertainty", "source": "assumption", "fixed": True},
    )

    @property
    def safety_critical(self) -> bool:
        """Whether lives or much money depend on the model: it can cause accidents, or has a threshold to pass."""
        return self.accidents_year > 0 or self.field_threshold > 0


class SectorSettings(Settings):
    """A sector: one training task (SEC-*), one traditional method, several segments."""

    task: Name = parameter("security-vision", "task family its models are trained on", kind="constant", fixed=True)
    market_opens: float = parameter(
        2014,
        "year in which customers begin to look at AI: a world that begins then or before is a virgin market",
        "year",
        low=1900,
        high=2200,
        kind="constant",
        fixed=True,
    )
    traditional_rows: int = parameter(
        1024,
        "rows on which the traditional method in use today was fitted",
        "proxy rows",
        low=64,
        high=8192,
        fixed=True,
    )
    algorithmic_halving_months: float = parameter(
        16,
        "time in which the compute for a fixed quality halves",
        "months",
        low=1,
        high=240,
        source="C6 (images); C7: 8 (language)",
    )
    law: PartialLawSettings = Field(
        default=PartialLawSettings(), description="law on this sector alone, beside that of the world"
    )
    segments: dict[Name, SegmentSettings] = Field(description="groups of customers", min_length=1)


class RevenueSettings(Settings):
    """Terms of the revenue models (CH-REVENUE). Prices are per month around the segment's reference price."""

    licence_upfront_months: float = parameter(6, "up-front part of a licence", "monthly prices", low=0, high=60)
    licence_royalty_share: float = parameter(0.55, "royalty of a licence", "share of monthly price", low=0, high=2)
    solution_fee_months: float = parameter(8, "fee of a tailored project", "monthly prices", low=0, high=60)
    solution_upkeep_share: float = parameter(
        0.6, "upkeep after a tailored project", "share of monthly price", low=0, high=2
    )
    free_conversion_month: float = parameter(
        0.025,
        "share of free users who start to pay in a month at the usual lead over what they could have for nothing",
        "1/month",
        low=0,
        high=1,
        source="calibrated to M1",
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
    product_price_months: float = parameter(
        18, "price of a product with its hardware, paid once in its life", "monthly prices", low=0, high=120
    )
    product_goods_share: float = parameter(
        0.5, "cost of the goods in the price of a product", "share of its price", low=0, high=1
    )
    product_upkeep_share: float = parameter(
        0.1, "upkeep of a product, and the care that its user needs", "share of monthly price", low=0, high=2
    )
    price_response: float = parameter(
        0.0,
        "part of the way down to rivals' price for the same quality that a startup goes in a month in which its share "
        "falls",
        "share/month",
        low=0,
        high=1,
    )
    data_serving_share: float = parameter(
        0.1, "serving cost of data products, and the care that their user needs", "share", low=0, high=1
    )
    data_rows_least: float = parameter(
        1e5, "rows from use below which there is no data product to sell", "rows", low=1, high=1e7
    )
    data_rows_full: float = parameter(
        1e9, "rows from use whose data products remove all errors of the traditional method", "rows", low=2e7, high=1e13
    )
    data_model_share: float = parameter(
        0.25, "weight of the model's own advantage in what data products are worth", "share", low=0, high=1
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
