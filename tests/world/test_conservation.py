"""Conservation: over random scenarios, money, customers, shares and firms add up after every month."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scenarios.build import build_world
from simulation.parameters import Settings, parameter_records
from simulation.settings import SegmentSettings
from simulation.settings.general_purpose import ComputeLawSettings, GeneralPurposeSettings
from simulation.settings.law import CertificationSettings, LawSettings, SupportSettings
from tests.support.conservation import check_all, check_customers, check_endings, check_money
from tests.support.service import FakeService
from tests.support.world_fakes import bound, merged, play, scenario_of, world_of

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # minutes, for worlds of this size
MODELS = ("subscription", "licence", "solution", "freemium", "bundle", "product", "data")


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers over orders of magnitude."""
    return st.floats(np.log10(low), np.log10(high)).map(lambda x: float(10**x))


@st.composite
def segments(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "customers": draw(numbers(1, 1e8)), "reference_price_usd": draw(numbers(0.1, 1e5)),
        "price_weight": draw(st.floats(0.01, 5)), "adoption_hurdle": draw(st.floats(-3, 4)),
        "switching_cost": draw(st.floats(0, 5)), "contract_months": draw(st.sampled_from([1, 6, 12, 36])),
        "innovation_rate_year": draw(st.floats(0, 1)), "imitation_rate_year": draw(st.floats(0, 3)),
        "field_threshold": draw(st.sampled_from([0.0, 0.0, 0.6])), "inference_gpu_hours": draw(numbers(0.001, 1000)),
        "usage_rows_month": draw(numbers(1, 1e5)), "project_staff_months": draw(st.floats(0.01, 5)),
    }  # fmt: skip


@st.composite
def firms(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    kind = draw(st.sampled_from(["startup", "startup", "incumbent"]))
    sold = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    if kind == "incumbent":
        own: dict[str, Any] = {"acquires": True, "core_income_usd_month": draw(st.sampled_from([0.0, 1e5, 1e7]))}
    else:
        own = {"pivot_months": draw(st.integers(3, 30))}
    return {
        **own,
        "kind": kind, "sector": "vision", "offers": {name: draw(st.sampled_from(MODELS)) for name in sold},
        "capital_usd": draw(numbers(1e4, 1e10)), "price_level": draw(st.sampled_from([0.05, 1.0, 10.0])),
        "skill": draw(st.floats(0, 1)), "rows": draw(numbers(100, 1e8)),
        "compression": draw(st.sampled_from(["none", "int8"])), "reserved_gpus": draw(st.sampled_from([0, 100])),
        "founded": draw(st.sampled_from([None, "2016-01", "2016-08", "2017-05"])),
        "release_months": draw(st.integers(1, 24)), "brand_usd": draw(st.sampled_from([0.0, 1e7])),
    }  # fmt: skip


@st.composite
def laws(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "consent_share": draw(st.floats(0, 1)), "data_cost_factor": draw(st.floats(0.1, 10)),
        "compliance_usd_month": draw(st.sampled_from([0, 4000, 1e6])), "audits_year": draw(st.floats(0, 12)),
        "leakage_limit": draw(st.floats(0, 0.5)), "fairness_gap_limit": draw(st.floats(0, 0.5)),
        "fine_turnover_share": draw(st.floats(0, 0.04)), "compute_voucher_share": draw(st.floats(0, 0.9)),
        "compute_voucher_cap_usd_year": draw(st.sampled_from([0, 1e5, 1e8])), "tax_rate": draw(st.floats(0, 0.9)),
        "field_accuracy_floor": draw(st.sampled_from([0, 0.6])), "fine_fixed_usd": draw(st.sampled_from([0, 1e6, 1e9])),
        "minimisation_share": draw(st.sampled_from([0, 0.3])), "certification": draw(certifications()),
        "support": draw(supports()),
    }  # fmt: skip


@st.composite
def jurisdictions(draw: st.DrawFn) -> dict[str, Any]:
    """None, or two with laws of their own; a part of customers and founders lives elsewhere."""
    if draw(st.booleans()):
        return {}
    share = st.floats(0, 0.5)
    return {
        name: {"share_of_customers": draw(share), "share_of_founders": draw(share), "law": draw(laws())}
        for name in ("us", "eu")
    }


@st.composite
def certifications(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "scope": draw(st.sampled_from(["none", "all"])), "mandatory": draw(st.booleans()),
        "field_accuracy": draw(st.sampled_from([0, 0.6])), "exam_months": draw(st.sampled_from([0.1, 3])),
        "fee_usd": draw(st.sampled_from([0, 1e5])), "renewal_months": draw(st.sampled_from([0, 1, 12])),
        "sandbox_customers": draw(st.sampled_from([0, 5])), "trust": draw(st.floats(0, 1)),
    }  # fmt: skip


@st.composite
def supports(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "grant_usd": draw(st.sampled_from([0, 1e5, 1e8])), "grant_skill": draw(st.sampled_from([0, 0.5])),
        "research_wage_share": draw(st.floats(0, 0.9)), "tax_credit_share": draw(st.floats(0, 1)),
        "tax_holiday_years": draw(st.sampled_from([0, 2])), "commons_rows_year": draw(st.sampled_from([0, 1e5])),
    }  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    names = [f"segment-{i}" for i in range(draw(st.integers(1, 3)))]
    funds = {
        f"fund-{i}": {
            "vintage": draw(st.integers(2010, 2018)), "size_usd": draw(numbers(1e5, 1e10)),
            "life_years": draw(st.integers(1, 10)), "hurdle": draw(st.sampled_from([0.1, 1.0])),
            "stages": ["A", "B", "C", "growth"], "reserve_share": draw(st.sampled_from([0.0, 0.5])),
            "fee_share_year": draw(st.sampled_from([0.0, 0.03])), "recalled_share": draw(st.sampled_from([0.0, 1.0])),
        }
        for i in range(draw(st.integers(0, 3)))
    }  # fmt: skip
    law_changes = draw(laws())
    return {
        "title": "random",
        "start": "2016-01",
        "years": draw(st.integers(3, 5)),
        "world": {
            "sectors": {"vision": {"segments": {name: draw(segments()) for name in names}}},
            "compute": {"gpus": draw(numbers(1, 1e5)), "rung_gpu_hours": draw(numbers(1, 1e4))},
            "capital": {
                "ipo_revenue_usd_year": draw(st.sampled_from([1e5, 8e7])), "option_usd": draw(numbers(1, 1e10)),
                "bridge_months": draw(st.sampled_from([0, 6])), "bridge_belief": draw(st.sampled_from([0.0, 1.0])),
                "acquisition_rate_year": draw(st.sampled_from([0, 12])),
            },
            "risk": {"breach_rate_year": draw(st.floats(0, 12)), "outage_rate_year": draw(st.floats(0, 12))},
            "law": draw(laws()),
            "jurisdictions": draw(jurisdictions()),
        },
        "firms": {f"firm-{i}": draw(firms(names)) for i in range(draw(st.integers(1, 5)))},
        "entrants": {
            "new": {
                "sector": "vision", "per_year": draw(st.sampled_from([0, 3, 20])), "at_start": draw(st.integers(0, 3)),
                "offers": [{names[0]: model} for model in MODELS],
            }
        },
        "investors": funds,
        "regulator": {"audit_months": 0.5, "fix_months": draw(st.sampled_from([0.5, 6.0]))},
        "interventions": [
            {"at": "2017-03", "set": {f"world.law.{key}": law_changes[key] for key in law_changes}},
            {
                "at": draw(st.sampled_from(["2016-01", "2016-11"])),
                "set": {
                    "firms.firm-0.price_level": draw(st.sampled_from([0.1, 2.0])),
                    "firms.firm-0.offers": {names[-1]: draw(st.sampled_from(MODELS))},
                    f"world.sectors.vision.segments.{names[0]}.contract_months": draw(st.integers(1, 60)),
                },
            },
        ],
    }  # fmt: skip


@given(data=scenarios(), seed=st.integers(0, 2**40))
@settings(max_examples=15, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
def test_money_customers_and_firms_add_up_after_every_month(data: dict[str, Any], seed: int) -> None:
    play_checked(data, seed)


@pytest.mark.slow
@given(data=scenarios(), seed=st.integers(0, 2**40))
@settings(max_examples=120, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
def test_money_customers_and_firms_add_up_in_many_worlds(data: dict[str, Any], seed: int) -> None:
    play_checked(data, seed)


def play_checked(data: dict[str, Any], seed: int) -> None:
    """Play a world to its end and check everything after every month."""
    model = build_world(scenario_of(base=data), seed, FakeService())
    check_all(model)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    check_endings(model)
    sectors = model.tables()["sectors"]
    assert sectors["hhi"].between(0, 1 + 1e-9).all() and (sectors["consumer_surplus_usd"] >= 0).all()


def test_firms_of_a_month_are_those_of_the_month_before_and_entries_less_exits() -> None:
    stream = {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}
    sectors = play(world_of({"years": 6, "entrants": {"new": stream}})).tables()["sectors"]
    assert sectors["exits"].sum() > 0
    assert (sectors["n_firms"] == (sectors["entries"] - sectors["exits"]).cumsum()).all()


def test_endings_of_every_kind_keep_the_books() -> None:
    """One rich world in which firms are bought, go broke and go public: the invariants see each of these."""
    data = {
        "years": 8,
        "world": {"capital": {"ipo_revenue_usd_year": 1e5, "ipo_growth_year": -1.0}},
        "firms": {"giant": {"offers": {"cameras": "subscription"}, "capital_usd": 1e10, "skill": 0.1}},
        "entrants": {
            "new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}, {"photos": "freemium"}]}
        },
    }  # fmt: skip
    seen: set[str] = set()
    for seed in range(6):
        model = world_of(data, seed)
        while model.month < model.n_months:
            model.step()
            check_all(model)
        check_endings(model)
        seen |= set(model.tables()["endings"]["ending"])
    assert {"acquired", "bankrupt", "public"} <= seen


def test_an_invariant_notices_a_lost_cent() -> None:
    model = play(world_of(), 6)
    check_all(model)
    model.firms["iris"].books.balance["cash"] -= 1
    with pytest.raises(AssertionError):
        check_money(model)


def test_more_customers_than_the_segment_has_are_never_served_when_an_intervention_shrinks_it() -> None:
    shrink = {"at": "2018-01", "set": {"world.sectors.vision.segments.photos.customers": 10}}
    model = world_of({"interventions": [shrink]})
    while model.month < model.n_months:
        model.step()
        check_customers(model)


def test_projects_that_need_no_staff_are_not_limited() -> None:
    lowest = bound(SegmentSettings, "project_staff_months", "low")
    offers = {"offers": {"cameras": "solution"}, "staff": {"research": 1}, "collaboration": 0.3}
    segment = {"sectors": {"vision": {"segments": {"cameras": {"project_staff_months": lowest}}}}}
    check_all(play(world_of({"firms": {"iris": offers}, "world": segment}), 24))


def ends_of(settings: type[Settings], end: str) -> dict[str, Any]:
    """Every number of a settings class at one end of its range."""
    return {record["name"]: record[end] for record in parameter_records(settings) if record[end] is not None}


@pytest.mark.parametrize("end", ["low", "high"])
def test_laws_at_the_ends_of_their_ranges_keep_the_books(end: str) -> None:
    law = ends_of(LawSettings, end)
    law["certification"] = {**ends_of(CertificationSettings, end), "scope": "all"}
    law["support"] = ends_of(SupportSettings, end)
    law["general_purpose"], law["compute"] = ends_of(GeneralPurposeSettings, end), ends_of(ComputeLawSettings, end)
    model = world_of({"world": {"law": law}, "regulator": {}})
    for _ in range(36):
        model.step()
        check_all(model)


def test_merging_helper_leaves_its_arguments_alone() -> None:
    base = {"a": {"b": 1}, "offers": {"x": 1}}
    assert merged(base, {"a": {"c": 2}, "offers": {"y": 2}}) == {"a": {"b": 1, "c": 2}, "offers": {"y": 2}}
    assert base == {"a": {"b": 1}, "offers": {"x": 1}}


def test_a_played_world_that_nobody_holds_leaves_the_memory() -> None:
    """Workers play thousands of worlds one after another."""
    watch = weakref.ref(play(world_of(), 6))
    gc.collect()
    assert watch() is None
