"""Parameters of what firms work with: compute, and people.

Source ids (S1, V16, C10 …) refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from pydantic import Field

from simulation.parameters import Settings, parameter
from simulation.settings.names import Role
from simulation.trend import halved

REFERENCE_YEAR = 2017.8  # C10: the V100's list price, October 2017


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
    last_rung: int = parameter(
        5,
        "highest rung of the ladder that compute can buy; documents end at 5",
        "",
        low=0,
        high=8,
        kind="constant",
    )
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


def list_price_usd(settings: ComputeSettings, year: float) -> float:
    """Price of one 2017 V100 GPU hour in `year`, USD."""
    return settings.price_usd_hour * halved(settings.price_halving_years, year - REFERENCE_YEAR)


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
