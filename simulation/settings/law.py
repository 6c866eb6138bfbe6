"""Law and policy in force: data protection, audits, examinations of models, public support. Interventions change these.

All that goes beyond a tax on profit is off by default. Source ids (P9, G7 …) refer to `docs/sources.md`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from simulation.parameters import Binds, Name, Settings, parameter
from simulation.settings.general_purpose import ComputeLawSettings, GeneralPurposeSettings
from simulation.settings.universities import UniversitySettings

Scope = Literal["none", "safety-critical", "all"]
Programme = Literal[
    "grants", "wages", "credits", "holidays", "vouchers", "commons", "universities", "public-compute", "open-weights"
]
"""State programmes that may have a yearly budget."""


class CertificationSettings(Settings):
    """Examination of a model before it may be sold. A segment can ask for one by itself (`certified_…` there)."""

    scope: Scope = parameter(
        "none",
        "segments that ask for one: none but those that say so, the safety-critical (accidents or a threshold), all",
        kind="lever",
        stricter="higher",
    )
    mandatory: bool = parameter(
        True, "without it nothing is sold; else it is a seal that only earns trust", kind="lever", stricter="higher"
    )
    field_accuracy: float = parameter(
        0.0, "field accuracy asked for", "accuracy", low=0, high=1, kind="lever", stricter="higher"
    )
    fairness_gap: float = parameter(
        1.0,
        "largest accuracy gap between groups that is allowed",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
        stricter="lower",
    )
    exam_months: float = parameter(
        4.0, "length of an examination", "months", low=0.1, high=36, kind="lever", stricter="higher"
    )
    fee_usd: float = parameter(
        30_000,
        "fee of one examination, to the state",
        "USD",
        low=0,
        high=1e7,
        kind="lever",
        source="assumption: about the yearly compliance cost of P6",
        stricter="higher",
    )
    renewal_months: float = parameter(
        0.0,
        "time after which a certificate ends; 0: it holds as long as its model is sold",
        "months",
        low=0,
        high=240,
        kind="lever",
        stricter="lower",
        off=0.0,
    )
    transition_months: float = parameter(
        12.0,
        "time that offers already on sale have when a segment begins to ask",
        "months",
        low=0,
        high=120,
        kind="lever",
        stricter="lower",
    )
    trust: float = parameter(0.0, "trust that a first certificate adds in its segment", "0..1", low=0, high=1)
    sandbox_customers: float = parameter(
        0.0,
        "customers of one segment up to which a young startup sells without examination (regulatory sandbox)",
        "customers",
        low=0,
        high=1e9,
        kind="lever",
        stricter="lower",
    )
    sandbox_years: float = parameter(
        3.0, "age up to which a startup may use the sandbox", "years", low=0, high=40, kind="lever", stricter="lower"
    )


class SupportSettings(Settings):
    """Public support of startups (OP-POLICY, OP-ECOSYSTEM). The R&D tax credit is for all firms."""

    BINDS: ClassVar[Binds] = "home"

    sectors: tuple[Name, ...] = parameter(
        (),
        "sectors whose startups get grants, wage subsidies, common data and compute, university partners; empty: all",
        kind="lever",
        binds="state",
    )
    budget_usd_year: dict[Programme, Annotated[float, Field(ge=0, le=1e13)]] = Field(
        default={},
        description="most that the state spends on a programme in a calendar year, first come first served; "
        "a programme that is not named has no limit",
        json_schema_extra={"unit": "USD/year", "kind": "lever", "source": "assumption", "binds": "state"},
    )
    grant_usd: float = parameter(
        0.0, "grant to a startup when it is founded, without shares", "USD", low=0, high=1e8, kind="lever"
    )
    grant_skill: float = parameter(
        0.0,
        "skill that the jury must see (with an error of 0.1) in who gets a grant; 0: all get one",
        "0..1",
        low=0,
        high=1,
        kind="lever",
    )
    research_wage_share: float = parameter(
        0.0, "share of its researchers' wages that the state pays a startup", "share", low=0, high=0.9, kind="lever"
    )
    research_wage_cap_usd_year: float = parameter(
        500_000, "most of it in a year", "USD/year", low=0, high=1e9, kind="lever"
    )
    tax_credit_share: float = parameter(
        0.0,
        "share of research wages and training compute that is credited against tax, carried forward",
        "share",
        low=0,
        high=1,
        kind="lever",
    )
    tax_holiday_years: float = parameter(
        0.0, "age up to which a startup pays no tax on profit", "years", low=0, high=40, kind="lever"
    )
    commons_rows_year: float = parameter(
        0.0,
        "rows a year that a public data commons or university laboratory shares with each startup of a sector",
        "rows/year",
        low=0,
        high=1e9,
        kind="lever",
    )
    commons_field_share: float = parameter(
        0.0, "share of these rows that comes from real use", "share", low=0, high=1, kind="lever"
    )
    public_gpu_hours_year: float = parameter(
        0.0,
        "GPU hours (V100) a year that a startup trains for nothing on a public cluster; the state pays the list price",
        "GPU h/year",
        low=0,
        high=1e9,
        kind="lever",
    )
    open_weights_usd_year: float = parameter(
        0.0,
        "what the state pays a year to those who release models with open weights",
        "USD/year",
        low=0,
        high=1e12,
        kind="lever",
        binds="state",
    )
    training_usd_person: float = parameter(
        0.0,
        "what the state pays for each person whom a talent programme trains beyond the usual growth of talent",
        "USD/person",
        low=0,
        high=1e7,
        kind="lever",
        binds="state",
    )
    usual_talent_growth_year: float = parameter(
        0.15, "yearly growth of talent that costs the state nothing extra", "1/year", low=-0.5, high=3, binds="state"
    )


class LawSettings(Settings):
    """Law and policy in force."""

    consent_share: float = parameter(
        1.0, "share of usage data that the law lets a firm keep", "share", low=0, high=1, kind="lever", stricter="lower"
    )
    data_cost_factor: float = parameter(
        1.0,
        "cost of data relative to a world without data law",
        "ratio",
        low=0.1,
        high=10,
        kind="lever",
        source="G7: 1.2 after GDPR",
        stricter="higher",
    )
    compliance_usd_month: float = parameter(
        0.0,
        "cost of compliance of one AI system",
        "USD/month",
        low=0,
        high=1e7,
        kind="lever",
        source="P6: 29-52 k€ a year",
        stricter="higher",
        adds_up=True,
    )
    audits_year: float = parameter(
        0.0, "audits of one firm in a year", "1/year", low=0, high=12, kind="lever", stricter="higher", adds_up=True
    )
    audit_after_incident: float = parameter(
        0.0,
        "share of breaches and accidents after which the authority audits the model that is sold",
        "share",
        low=0,
        high=1,
        kind="lever",
        stricter="higher",
    )
    leakage_limit: float = parameter(
        0.5,
        "membership-inference advantage from which an audit fails",
        "0..1",
        low=0,
        high=1,
        kind="lever",
        stricter="lower",
    )
    fairness_gap_limit: float = parameter(
        0.5,
        "accuracy gap between groups from which an audit fails",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
        stricter="lower",
    )
    field_accuracy_floor: float = parameter(
        0.0, "field accuracy below which an audit fails", "accuracy", low=0, high=1, kind="lever", stricter="higher"
    )
    critical_field_accuracy_floor: float = parameter(
        0.0,
        "the same for suppliers of safety-critical segments (accidents or a threshold)",
        "accuracy",
        low=0,
        high=1,
        kind="lever",
        stricter="higher",
    )
    fine_turnover_share: float = parameter(
        0.0,
        "fine after a failed audit",
        "share of yearly turnover",
        low=0,
        high=0.04,
        kind="lever",
        source="P9: ceiling 4 %",
        stricter="higher",
    )
    fine_fixed_usd: float = parameter(
        0.0, "least fine after a failed audit", "USD", low=0, high=1e9, kind="lever", stricter="higher"
    )
    fine_ceiling_share: float = parameter(
        0.04,
        "no fine is higher than this share of yearly turnover, or than the sum below if that is more",
        "share of yearly turnover",
        low=0,
        high=1,
        kind="lever",
        source="P9",
        stricter="higher",
    )
    fine_ceiling_usd: float = parameter(
        22e6,
        "no fine is higher than this sum, or than the share above if that is more",
        "USD",
        low=0,
        high=1e10,
        kind="lever",
        source="P9: 20 M€ at 1.1 USD/€ (assumption)",
        stricter="higher",
    )
    minimisation_share: float = parameter(
        0.0,
        "share of the inputs of a model that may not be collected: those that tell least (data minimisation)",
        "share",
        low=0,
        high=0.9,
        kind="lever",
        stricter="higher",
    )
    compute_voucher_share: float = parameter(
        0.0,
        "share of a startup's compute bill that the state pays",
        "share",
        low=0,
        high=0.95,
        kind="lever",
        binds="home",
    )
    compute_voucher_cap_usd_year: float = parameter(
        0.0, "most that one startup gets in a year", "USD/year", low=0, high=1e9, kind="lever", binds="home"
    )
    tax_rate: float = parameter(
        0.25, "tax on profit after losses carried forward", "share", low=0, high=0.9, kind="lever", binds="home"
    )
    audit_cost_usd: float = parameter(
        0.0, "what one audit costs the state", "USD", low=0, high=1e8, kind="lever", stricter="higher"
    )
    interoperability: float = parameter(
        0.0,
        "part of the cost of changing one's supplier that duties of interoperability take away, for customers and for "
        "firms that build on others' models",
        "share",
        low=0,
        high=1,
        kind="lever",
        stricter="higher",
    )
    row_licence_usd: float = parameter(
        0.0,
        "what the holder of the rights gets for each row of documents that a firm buys or labels",
        "USD/row",
        low=0,
        high=1e4,
        kind="lever",
        stricter="higher",
    )
    certification: CertificationSettings = CertificationSettings()
    general_purpose: GeneralPurposeSettings = GeneralPurposeSettings()
    compute: ComputeLawSettings = ComputeLawSettings()
    support: SupportSettings = SupportSettings()
    university: UniversitySettings = UniversitySettings()
