"""Parameters of incidents, and of how society counts what models do.

Source ids (S1, V16, C10 …) refer to `docs/sources.md`. Money is in US dollars of the year it is paid in.
"""

from __future__ import annotations

from simulation.parameters import Settings, parameter


class RiskSettings(Settings):
    """Incidents (RISK): hazards and losses."""

    breach_rate_year: float = parameter(0.04, "data breaches of one firm without prevention", "1/year", low=0, high=12)
    breach_usd_per_row: float = parameter(0.02, "cost of a breach per row held", "USD/row", low=0, high=1e4)
    breach_trust: float = parameter(0.25, "trust lost in a breach", "0..1", low=0, high=1)
    outage_rate_year: float = parameter(0.3, "serious outages of one firm with one operator", "1/year", low=0, high=50)
    outage_trust: float = parameter(0.08, "trust lost in an outage", "0..1", low=0, high=1)
    accident_trust: float = parameter(0.3, "trust lost in an accident", "0..1", low=0, high=1)
    key_person_rate_year: float = parameter(
        0.0,
        "key people who leave one firm; 0 keeps them all (software firms lost 0.132 of their people in 2017)",
        "1/year",
        low=0,
        high=12,
        source="assumption; LinkedIn (2018), talent turnover by industry",
    )
    key_person_skill_share: float = parameter(
        0.3, "part of a team of two's skill that goes with a key person; less in larger teams", "share", low=0, high=0.9
    )
    key_person_months: float = parameter(
        6.0,
        "time until a key person is replaced, where wages are those of a balanced market",
        "months",
        low=0.5,
        high=48,
    )
    key_person_wages: float = parameter(
        6.0,
        "cost of replacing a key person",
        "monthly wages",
        low=0,
        high=48,
        source="assumption, inside 0.21 to 2.13 yearly salaries of Boushey & Glynn (2012)",
    )
    prevention_half_usd_year: float = parameter(
        100_000,
        "yearly spending on one risk that halves its hazard, with diminishing returns",
        "USD/year",
        low=1_000,
        high=1e9,
        source="assumption; shape of Gordon & Loeb (2002), class I",
    )
    plan_loss_share: float = parameter(
        0.26,
        "part of a loss that a rehearsed contingency plan avoids: 1 - 3.51 / 4.74 M$ per breach",
        "share",
        low=0,
        high=1,
        source="IBM & Ponemon Institute (2019), Cost of a Data Breach (2nd)",
    )
    plan_months: float = parameter(
        12.0,
        "time for which a rehearsal keeps a plan fresh; then half of its effect goes in as long",
        "months",
        low=1,
        high=120,
    )
    drill_days: float = parameter(
        2.0,
        "working days of the whole staff that writing or renewing the plan and a drill take",
        "days",
        low=0,
        high=60,
    )
    segment_loss_rate_year: float = parameter(
        0.1,
        "rate at which a firm expects to lose its largest segment to a rival, for its register",
        "1/year",
        low=0,
        high=12,
    )
    reserve_months: float = parameter(
        3.0, "reserve of cash that a firm with a risk budget aims at", "months of costs", low=0, high=36
    )


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
    marginal_cost_of_public_funds: float = parameter(
        1.3,
        "what a dollar of public money costs society, since taxes distort what people do",
        "ratio",
        low=1,
        high=5,
        source="P28: 1.17 to 1.56",
    )
