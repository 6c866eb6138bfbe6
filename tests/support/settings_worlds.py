"""Worlds in which every setting does something, for the walk over all settings."""

from __future__ import annotations

from typing import Any

from simulation.model import MarketModel
from tests.support.model_offers import offer

SEGMENT: dict[str, Any] = {"customers": 2000, "reference_price_usd": 2000, "innovation_rate_year": 0.3}
EASY: dict[str, Any] = {"burn_multiple": 20, "satisfaction": 0.05, "failures_year": 100, "gross_margin": 0.05}
"""Targets of managers that are met, so that the others count."""
LIVELY: dict[str, Any] = {
    "title": "everything at once",
    "start": "2016-01",
    "years": 3,
    "focal": "iris",
    "world": {
        "sectors": {
            "vision": {
                "task": "security-vision",
                "market_opens": 2015,
                "segments": {
                    "cameras": {
                        **SEGMENT, "tailoring_weight": 1, "edge_weight": 1, "customers_growth_year": 0.1,
                        "field_threshold": 0.3, "accidents_year": 0.05, "contract_months": 6,
                    },
                    "photos": {**SEGMENT, "customers": 1e6, "reference_price_usd": 3, "contract_months": 6},
                },
            },
            "shops": {
                "task": "commerce-recommendation",
                "market_opens": 2016,
                "segments": {"chains": {**SEGMENT, "certified_field_accuracy": 0.3, "certified_fairness_gap": 0.9}},
            },
        },
        "compute": {"gpus": 80, "rung_gpu_hours": 20},
        "capital": {
            "bridge_months": 3, "acquisition_rate_year": 6, "raise_below_months": 24, "diligence_months": 1,
            "ipo_revenue_usd_year": 5e7, "bridge_belief": 0.1, "runway_months": 10,
        },
        "risk": {"key_person_rate_year": 0.5, "breach_rate_year": 0.5, "outage_rate_year": 2, "drill_days": 0.5},
        "law": {
            "consent_share": 0.8, "compliance_usd_month": 500, "audits_year": 3, "audit_after_incident": 0.5,
            "leakage_limit": 0.2, "fairness_gap_limit": 0.11, "field_accuracy_floor": 0.4,
            "critical_field_accuracy_floor": 0.45, "fine_turnover_share": 0.02, "fine_fixed_usd": 100,
            "fine_ceiling_share": 0.01, "fine_ceiling_usd": 1000, "minimisation_share": 0.1,
            "compute_voucher_share": 0.3, "compute_voucher_cap_usd_year": 2e4,
            "certification": {
                "scope": "safety-critical", "field_accuracy": 0.35, "fairness_gap": 0.5, "exam_months": 1,
                "fee_usd": 2000, "renewal_months": 6, "transition_months": 2, "trust": 0.1,
                "sandbox_customers": 20, "sandbox_years": 1.5,
            },
            "support": {
                "sectors": ["vision"], "grant_usd": 2e5, "grant_skill": 0.4, "research_wage_share": 0.2,
                "research_wage_cap_usd_year": 5e4, "tax_credit_share": 0.2, "tax_holiday_years": 1,
                "commons_rows_year": 1e5, "commons_field_share": 0.2, "training_usd_person": 1e4,
                "usual_talent_growth_year": 0.1, "budget_usd_year": {"grants": 4e5, "wages": 1e5, "vouchers": 3e4},
            },
            "university": {
                "participation_share": 0.6, "shared_rows": 5000, "graduate_usd": 5000, "skill_bound": 0.9,
                "skill_speed_year": 1.0,
            },
        },
        "services": {"contract_months": 2, "price_weight": 20, "hurdle": -2},
    },
    "firms": {
        "iris": {
            "sector": "vision", "offers": {"cameras": "solution"}, "managed": 1, "risk_budget_share": 0.05,
            "skill": 0.6, "capital_usd": 3e6, "prevention": 0.1, "compression": "int8", "release_months": 5,
        },
        "late": {
            "sector": "vision", "founded": "2016-04", "offers": {"photos": "freemium"}, "capital_usd": 1e7,
            "pivot_months": 8, "managed": 0.5,
        },
        "free": {"sector": "vision", "offers": {"photos": "freemium"}, "capital_usd": 3e7, "pivot_months": 100},
        "poly": {
            "sector": "vision", "direction": "general", "model_kind": "transformer", "capital_usd": 1e7,
            "offers": {"cameras": "licence"}, "adapts_to": {"shops": {"chains": "subscription"}},
        },
        "maker": {
            "sector": "shops", "offers": {"chains": "product"}, "capital_usd": 1e7, "managed": 1,
            "management": {**EASY, "gross_margin": 0.9},
        },
        "feeds": {
            "sector": "vision", "offers": {"photos": "data"}, "capital_usd": 5e6, "rows": 1e7, "field_share": 0.5,
        },
        "tools": {
            "sector": "vision", "direction": "tools", "skill": 0.9, "capital_usd": 5e6, "rows": 1e6,
            "services": {"compute": 0.15, "data": 0.6, "outsourcing": 0.5}, "staff": {"operations": 6},
        },
        "giant": {
            "kind": "incumbent", "sector": "vision", "offers": {"photos": "bundle", "cameras": "subscription"},
            "capital_usd": 1e8, "core_income_usd_month": 5e5, "rows": 1e5, "field_share": 0.5, "acquires": True,
            "judgement_noise": 0.3, "attention_share": 0.001, "follow_months": 2, "reserved_gpus": 2, "skill": 0.4,
            "managed": 1, "risk_budget_share": 0.02, "field_mix": 0.3,
        },
        "store": {
            "kind": "incumbent", "sector": "shops", "offers": {"chains": "subscription"}, "price_level": 2,
            "rows": 1000, "capital_usd": 1e7, "core_income_usd_month": 1e5, "managed": 1,
            "management": {**EASY, "better_model_months": 120, "accuracy_ratio": 1.2},
        },
    },
    "entrants": {
        "new": {
            "sector": "vision", "per_year": 6, "at_start": 2,
            "offers": [{"cameras": "subscription"}, {"photos": "licence"}],
            "managed": {"mean": 0.5, "sd": 0.2}, "risk_budget_share": {"mean": 0.03, "sd": 0.01},
        },
        "sellers": {
            "sector": "shops", "per_year": 1, "at_start": 1, "direction": "tools",
            "services": [{"data": 0.5}, {"compute": 0.1}],
        },
    },
    "investors": {
        "early": {"vintage": 2015, "size_usd": 1e8, "stages": ["A", "B"], "reserve_share": 0.3, "hurdle": 0.2},
        "late-fund": {
            "vintage": 2016, "size_usd": 1e9, "stages": ["B", "C", "growth"], "thesis": {"vision": 1.1}, "hurdle": 0.2,
        },
    },
    "regulator": {"audit_months": 0.5, "fix_months": 2},
    "interventions": [{"at": "2017-06", "says": "All are examined", "set": {"world.law.certification.scope": "all"}}],
}  # fmt: skip

EAGER: dict[str, Any] = {"adoption_hurdle": -5, "imitation_rate_year": 1, "innovation_rate_year": 0.1}
CALM: dict[str, Any] = {
    "title": "firms that earn",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {"vision": {"segments": {"cameras": {**SEGMENT, **EAGER}, "halls": {**SEGMENT, **EAGER}}}},
        "compute": {"rung_gpu_hours": 20},
        "capital": {"ipo_revenue_usd_year": 1.5e7, "ipo_growth_year": 1.0},
        "law": {"support": {"tax_holiday_years": 1.5, "tax_credit_share": 0.01}},
    },
    "firms": {
        "lens": {
            "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 2e6, "managed": 1,
            "management": {**EASY, "better_model_months": 120},
        },
        "owner": {
            "kind": "incumbent", "sector": "vision", "offers": {"halls": "subscription"}, "capital_usd": 1e7,
            "core_income_usd_month": 3e5, "managed": 1, "management": {"satisfaction": 0.9, "failures_year": 0.2},
        },
    },
    "investors": {"fund": {"vintage": 2014, "stages": ["A"]}},
}  # fmt: skip
OTHER: dict[str, Any] = {
    "title": "incumbents of other directions",
    "start": "2016-01",
    "years": 2,
    "world": {
        "sectors": {
            "vision": {"segments": {"cameras": SEGMENT}},
            "shops": {"task": "commerce-recommendation", "segments": {"chains": SEGMENT}},
        },
        "compute": {"rung_gpu_hours": 20},
        "law": {
            "audits_year": 12, "fairness_gap_limit": 0.11,
            "general_purpose": {"flop_threshold": 1e17, "opt_out_share": 0.2, "licence_usd_million_tokens": 10},
        },
    },
    "firms": {
        "cloud": {
            "kind": "incumbent", "sector": "vision", "direction": "tools", "skill": 0.9, "capital_usd": 1e8,
            "rows": 1e6, "services": {"compute": 0.15, "data": 0.6}, "staff": {"operations": 6},
        },
        "broad": {
            "kind": "incumbent", "sector": "vision", "direction": "general", "model_kind": "transformer",
            "capital_usd": 1e8, "offers": {"cameras": "subscription"},
            "adapts_to": {"shops": {"chains": "subscription"}},
        },
        "buyer": {"sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e7},
    },
    "entrants": {
        "steady": {
            "sector": "vision", "offers": [{"cameras": "subscription"}], "at_start": 3, "per_year": 0,
            "managed": {"mean": 1, "sd": 0}, "skill": {"mean": 0.8, "sd": 0.05},
            "management": {**EASY, "better_model_months": 120, "accuracy_ratio": 0.5},
        },
    },
}  # fmt: skip
MOVING: dict[str, Any] = {
    "title": "tastes, market research, breakthroughs",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {
            "vision": {
                "market_opens": 2016,
                "segments": {
                    "cameras": {
                        **SEGMENT, "tailoring_weight": 1, "edge_weight": 1, "contract_months": 6,
                        "types": {"thrifty": {"price_weight": 1.5, "share": 2}, "demanding": {"advantage_weight": 1.5}},
                    },
                    "halls": {**SEGMENT, "customers": 300, "contract_months": 6},
                    "yards": {**SEGMENT, "customers": 100},
                },
            },
            "shops": {
                "task": "commerce-recommendation", "market_opens": 2016, "segments": {"chains": {**SEGMENT, **EAGER}},
            },
        },
        "compute": {"rung_gpu_hours": 20, "last_rung": 6},
        "capital": {"raise_below_months": 24, "diligence_months": 1},
        "positioning": {
            "research_usd": 20_000, "research_cash_share": 0.01, "interval_months": 4, "looks_year": 3,
            "entry_usd": 1e5, "payback_months": 12, "upkeep_usd_month": 2_000, "gain_asked": 2,
        },
        "technology": {
            "breakthroughs": {
                "jump": {"at": "2016-03", "kind": "efficiency", "factor": 8, "sectors": ["vision"]},
                "later": {"at": "2017-02", "kind": "efficiency", "factor": 8},
                "attention": {"at": "2016-05", "kind": "architecture", "model_kind": "transformer"},
                "crossing": {
                    "at": "2016-06", "kind": "crossover", "sectors": ["vision"], "source": "shops", "share": 0.5,
                },
            },
            "breakthrough_rate_year": 0.5, "take_up_months": 3, "inertia": 0.3,
        },
    },
    "firms": {
        "iris": {
            "sector": "vision", "offers": {"cameras": "solution"}, "capital_usd": 3e6, "compression": "int8",
            "release_months": 5,
        },
        "lens": {"sector": "vision", "offers": {"yards": "subscription"}, "capital_usd": 5e6, "release_months": 5},
        "giant": {
            "kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription", "halls": "licence"},
            "capital_usd": 1e8, "core_income_usd_month": 5e5, "brand_usd": 1e6,
        },
        "store": {
            "kind": "incumbent", "sector": "shops", "offers": {"chains": "subscription"}, "capital_usd": 1e8,
            "core_income_usd_month": 5e5, "rows": 1e7,
        },
    },
    "entrants": {
        "new": {
            "sector": "vision", "per_year": 4, "at_start": 3, "research_usd": 5_000,
            "offers": [{"cameras": "subscription"}, {"halls": "subscription"}, {"yards": "licence"}],
        },
    },
}  # fmt: skip

TIGHT: dict[str, Any] = {
    "title": "money is tight, and exits are priced by what buyers expect",
    "start": "2016-01",
    "years": 4,
    "world": {
        "sectors": {"vision": {"segments": {"cameras": {**SEGMENT, "adoption_hurdle": -1}}}},
        "compute": {"rung_gpu_hours": 20},
        "capital": {
            "raise_below_months": 14, "diligence_months": 1, "retry_months": 2, "ipo_revenue_usd_year": 2e6,
            "ipo_growth_year": -0.5, "ipo_window": {2015: 1.0, 2017: 0.2, 2018: 0.9}, "ipo_climate": 0.5,
            "valuation": "expected", "exit_valuation": "expected", "acquisition_rate_year": 2,
            "recapitalisation": {"months": 8, "most_share": 0.8, "pay_to_play": 0.5, "preference": 1.5},
            "expectation": {"deal_cost_usd": 1e4},
        },
    },
    "firms": {
        "giant": {
            "kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e8,
            "core_income_usd_month": 3e5, "rows": 1e4, "acquires": True, "skill": 0.3,
        },
    },
    "entrants": {"new": {"sector": "vision", "per_year": 10, "at_start": 6, "offers": [{"cameras": "subscription"}]}},
    "investors": {
        "first": {"vintage": 2015, "size_usd": 1e8, "stages": ["A", "B"], "reserve_share": 0.4, "hurdle": 0.5},
        "second": {"vintage": 2016, "size_usd": 5e7, "stages": ["A", "B", "C"], "hurdle": 0.7},
    },
}  # fmt: skip
ABROAD: dict[str, Any] = {
    "title": "customers and firms of several jurisdictions",
    "start": "2016-01",
    "years": 2,
    "world": {
        "sectors": {
            "vision": {"segments": {"cameras": SEGMENT}},
            "shops": {"segments": {"chains": {**SEGMENT, "customers": 20}}},
        },
        "jurisdictions": {
            "us": {"share_of_customers": 0.5, "share_of_founders": 0.4, "law": {"tax_rate": 0.1}},
            "eu": {
                "share_of_customers": 0.3, "share_in_sector": {"vision": 0.4}, "share_of_founders": 0.3,
                "law": {
                    "compliance_usd_month": 100_000, "audits_year": 6, "fairness_gap_limit": 0.05,
                    "compute": {"price_factor": 2}, "support": {"grant_usd": 2e5},
                },
            },
        },
    },
    "firms": {
        "lens": {
            "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e7, "home": "us",
            "market_exit_months": 9,
        },
        "owner": {
            "kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e7,
            "core_income_usd_month": 1e5, "home": "us", "market_exit_months": 6,
        },
        "store": {
            "kind": "incumbent", "sector": "shops", "offers": {"chains": "subscription"}, "capital_usd": 1e7,
            "core_income_usd_month": 2e5, "price_level": 2, "home": "us", "market_exit_months": 9,
        },
    },
    "entrants": {
        "steady": {"sector": "vision", "offers": [{"cameras": "subscription"}], "at_start": 4, "per_year": 2},
    },
    "regulator": {"audit_months": 0.5},
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "title": "documents and foundations on offer",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {
            "vision": {
                "task": "security-reports",
                "segments": {"cameras": {**SEGMENT, "tokens_month": 1e7}, "doors": {**SEGMENT, "accidents_year": 0.01}},
            },
            "letters": {"task": "advice-letters", "segments": {"banks": SEGMENT}},
        },
        "compute": {"rung_gpu_hours": 20},
        "law": {"row_licence_usd": 0.01},
        "sourcing": {
            "trial_chance": 0.25, "switching_weight": 0.5, "quality_weight": 4, "aging": True,
            "prior": {"api": 0.35, "own": 0.6},
        },
        "foundations": {},
        "revenue": {"price_response": 0.2},
    },
    "firms": {
        "iris": {"sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e7, "release_months": 5},
        "lock": {"sector": "vision", "offers": {"doors": "subscription"}, "capital_usd": 1e7, "release_months": 5},
        "scribe": {"sector": "letters", "offers": {"banks": "subscription"}, "capital_usd": 1e10, "founded": "2016-11"},
        **{
            name: {"sector": "letters", "offers": {"banks": "subscription"}, "capital_usd": 1e7, "founded": "2016-10"}
            for name in ("clerk", "notary", "editor", "critic")
        },
    },
    "entrants": {
        "new": {
            "sector": "vision", "per_year": 12, "at_start": 12,
            "offers": [{"cameras": "subscription"}, {"doors": "subscription"}],
        },
    },
}  # fmt: skip

OWN: dict[str, Any] = {"own_rung": 0, "prior": {"own": 0.7}}
PRETRAINING: dict[str, Any] = {
    **DOCUMENT,
    "title": "documents and foundations of firms' own",
    "world": {**DOCUMENT["world"], "sourcing": OWN},
    "entrants": {},
}
MODELS: dict[str, Any] = {
    "title": "laboratories of large models",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {
            "vision": {"task": "service-dialogues", "market_opens": 2016, "segments": {"cameras": SEGMENT}},
        },
        "compute": {"gpus": 20_000},
        "foundations": {
            "pool": 3, "last_rung": 1.5, "scale": 0.5, "cloud_share": 0.5, "round_months": 6,
            "text_ratio": 0.1,
            "community": {"lag_months": 2, "run_months": 2, "skill": 0.3},
        },
    },
    "firms": {
        "giant": {
            "kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e8,
            "core_income_usd_month": 1e5, "skill": 0.3,
        },
        "other": {"kind": "incumbent", "sector": "vision", "offers": {"cameras": "licence"}, "capital_usd": 1e8},
    },
    "labs": {
        "alpha": {"capital_usd": 2e10, "ahead_rungs": 1.0, "staff": 300, "release_months": 6, "skill": 0.3, "kept": 1},
        "beta": {
            "access": "licence", "capital_usd": 2e9, "ahead_rungs": 0.5, "opens_behind_rungs": 1.0, "run_months": 2,
            "release_months": 8, "skill": 0.4,
        },
        "gamma": {"founded": "2016-04", "capital_usd": 1e8, "ahead_rungs": 0.5, "stake": 0.3, "release_months": 6},
        "poor": {"capital_usd": 1e8, "stake": 0.01, "staff": 10, "ahead_rungs": 1.0},
        "unit": {
            "owner": "giant", "budget_usd_month": 3e7, "capital_usd": 1e8, "envelopment_share": 0.1, "skill": 0.3,
            "commoditise_share": 1.0, "release_months": 6, "ahead_rungs": 0.5, "least_markup": 0.5, "undercut": 0.3,
        },
    },
}  # fmt: skip

FLOW: dict[str, Any] = {
    "title": "firms that come and go",
    "start": "2016-01",
    "years": 3,
    "world": {
        "sectors": {
            "vision": {"segments": {"cameras": {**SEGMENT, "imitation_rate_year": 0.5}, "halls": {**SEGMENT, **EAGER}}}
        },
        "compute": {"rung_gpu_hours": 20},
        "capital": {
            "acquisition_rate_year": 6, "raise_below_months": 24, "diligence_months": 1, "acquisition_premium": 0,
            "bridge_months": 3, "bridge_belief": 0.0,
        },
        "law": {"compliance_usd_month": 2000, "support": {"grant_usd": 1e5, "grant_skill": 0.3}},
        "founding": {
            "firms_scale": 2, "success_prior": 0.3, "certainty_share": 0.3, "spinout_rate_year": 1.0,
            "spinout_people": 5, "return_share": 0.7, "return_months": 3, "usual_advantage": 0.4,
        },
        "exit": {
            "give_up_months": 9, "value_sigma_year": 0.1, "stop_feeding": True, "living_dead_months": 12,
            "severance_months": 1, "notice_months": 2, "lease_months": 12, "reserved_months": 6, "line_loss_months": 20,
            "budget_response": 0.5, "auction": True, "cash_target_months": 3,
        },
    },
    "firms": {
        "lens": {"sector": "vision", "offers": {"halls": "subscription"}, "capital_usd": 5e6, "skill": 0.9},
        "slow": {"sector": "vision", "offers": {"cameras": "licence"}, "capital_usd": 2e6, "skill": 0.3},
        "owner": {
            "kind": "incumbent", "sector": "vision", "offers": {"cameras": "subscription"}, "capital_usd": 1e8,
            "core_income_usd_month": 4e5, "acquires": True, "rows": 1000, "skill": 0.3,
        },
        "rival": {
            "kind": "incumbent", "sector": "vision", "offers": {"halls": "subscription"}, "capital_usd": 3e8,
            "core_income_usd_month": 9e5, "acquires": True, "rows": 1000, "skill": 0.2,
        },
    },
    "entrants": {
        "new": {
            "sector": "vision", "potential_per_year": 40, "at_start": 3,
            "offers": [{"cameras": "subscription"}, {"halls": "licence"}],
        },
    },
    "investors": {
        "fund": {"vintage": 2015, "size_usd": 3e8, "stages": ["A", "B", "C"], "hurdle": 0.2, "reserve_share": 0.3},
    },
}  # fmt: skip

WORLDS = {
    "lively": LIVELY, "calm": CALM, "other": OTHER, "moving": MOVING, "tight": TIGHT, "abroad": ABROAD,
    "document": DOCUMENT, "pretraining": PRETRAINING, "models": MODELS, "flow": FLOW,
}  # fmt: skip


def supply_models(model: MarketModel, title: str) -> None:
    """Foundations come on the market of the worlds of documents, change their prices and go."""
    if "documents and foundations" not in title:
        return
    market, month = model.model_market, model.month
    for name, access in (("labco", "api"), ("opens", "open"), ("lic", "licence")):
        if month in (0, 14):
            terms = {"api": {"usd_per_million_tokens": 5.0}, "licence": {"usd_month": 2000.0}, "open": {}}[access]
            market.release(offer(name if month == 0 else f"{name}-b", access, **terms))
    if month == 10:
        market.reprice(offer().name, 40.0)
    if month == 18:
        market.end_supplier("labco")
        market.end_supplier("lic")
