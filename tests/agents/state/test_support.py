"""Public support: grants, wage subsidies, tax relief, common data. All money comes from the government's books."""

from __future__ import annotations

from typing import Any

import pytest

from agents.firm.support import tax_after_credit
from agents.startup.startup import Startup
from scenarios import ScenarioError, catalogue, load, load_whatif
from simulation.model import MarketModel
from tests.support.world_fakes import found, incumbent, lone_world, play, scenario_of, world_of


def supported(**rules: Any) -> MarketModel:
    """A world with one silent incumbent and such support."""
    return lone_world(law={"support": rules})


def spent_by_state(model: MarketModel) -> float:
    """What the state has paid out beyond what it took in, USD."""
    return -model.bank.books["government"].cash_usd


# -- grants ------------------------------------------------------------------------------------------------------------


def test_a_founding_grant_is_capital_that_is_spent_over_the_runway() -> None:
    plain, model = found(lone_world()), supported(grant_usd=500_000)
    before = spent_by_state(model)
    firm = found(model)
    assert firm.books.cash_usd == plain.books.cash_usd + 500_000
    assert firm.burn_usd == pytest.approx(firm.books.cash_usd / plain.books.cash_usd * plain.burn_usd)
    assert spent_by_state(model) - before == pytest.approx(500_000) and model.bank.total_cash_usd() == 0
    assert firm.raised_usd == plain.raised_usd and firm.books.balance["grants"] == 0  # no shares, no turnover
    assert firm.finance.cap_table.shares == plain.finance.cap_table.shares


def test_a_jury_gives_grants_to_the_skilled_with_some_error() -> None:
    model = supported(grant_usd=1000, grant_skill=0.6)

    def won(skill: float) -> int:
        firms = [found(model, f"firm-{skill}-{i}".replace(".", ""), skill=skill) for i in range(40)]
        return sum(firm.books.cash_usd > firm.settings.capital_usd for firm in firms)

    assert won(0.3) == 0 and won(0.9) == 40 and 8 <= won(0.6) <= 32  # half of 40, beyond 3.8 standard deviations


def test_support_can_be_for_some_sectors_only() -> None:
    model = supported(sectors=["vision"], grant_usd=1000)
    assert found(model).books.cash_usd == 1e6 + 1000
    with pytest.raises(ScenarioError, match=r"support.sectors\[0\] = 'health'"):
        scenario_of({"world": {"law": {"support": {"sectors": ["health"]}}}})


# -- research ----------------------------------------------------------------------------------------------------------


def test_the_state_pays_its_share_of_research_wages_up_to_the_cap_of_the_year() -> None:
    model = supported(research_wage_share=0.5, research_wage_cap_usd_year=30_000)
    firm = found(model, staff={"research": 4}, capital_usd=1e7)
    wages = 4 * model.talent.wages["research"]
    paid = []
    for _ in range(2):
        firm.support.collect_wage_subsidy()
        paid.append(-firm.books.balance["grants"] / 100 - sum(paid))
    assert paid == pytest.approx([0.5 * wages, 30_000 - 0.5 * wages], abs=0.02)
    model.env.run(until=13)
    firm.support.collect_wage_subsidy()
    assert -firm.books.balance["grants"] / 100 == pytest.approx(30_000 + 0.5 * wages, abs=0.02)  # a new year


def test_a_subsidised_startup_employs_more_researchers() -> None:
    def researchers(share: float) -> float:
        model = supported(research_wage_share=share)
        firm = found(model, capital_usd=5e6)
        play(model, 12)
        return firm.staff["research"]

    assert researchers(0.5) > 1.05 * researchers(0.0)


def test_a_tax_credit_is_carried_forward_and_never_paid_out() -> None:
    assert tax_after_credit(100, 30) == (70, 0) and tax_after_credit(20, 30) == (0, 10)
    model = supported(tax_credit_share=0.2)
    firm = found(model, staff={"research": 4}, capital_usd=1e7)
    firm.spend(50_000, "compute")
    own = 4 * model.talent.wages["research"] + 50_000
    assert firm.support.tax_due_usd(0) == 0 and firm.support.credit_usd == pytest.approx(0.2 * own)
    assert firm.support.tax_due_usd(10_000_000) == pytest.approx(10_000_000 - 0.4 * own)
    assert firm.support.credit_usd == 0


def test_vouchers_and_subsidies_earn_no_credit() -> None:
    model = supported(tax_credit_share=1.0)
    firm = found(model, staff={"research": 0}, capital_usd=1e7)
    firm.spend(50_000, "compute")
    model.bank.pay("government", firm.name, 20_000, "spending", "grants")
    firm.support.tax_due_usd(0)
    assert firm.support.credit_usd == pytest.approx(30_000 + firm.support.research_wages_usd())


def earning(model: MarketModel) -> Startup:
    """A startup with a profit in the open month."""
    firm = found(model)
    model.bank.pay("customers", firm.name, 100_000, "spending", "sales")
    return firm


def test_a_tax_holiday_ends_with_age() -> None:
    model = supported(tax_holiday_years=1)
    firm, giant = earning(model), incumbent(model)
    firm.pay_taxes()
    assert firm.books.balance["taxes"] == 0 and giant.support.tax_due_usd(100) == 100
    model.env.run(until=14)
    firm.pay_taxes()
    assert firm.books.balance["taxes"] / 100 == pytest.approx(0.25 * 100_000)


def test_without_relief_tax_is_the_rate_on_profit() -> None:
    firm = earning(lone_world())
    firm.pay_taxes()
    assert firm.books.balance["taxes"] / 100 == pytest.approx(0.25 * 100_000)


# -- common data and people --------------------------------------------------------------------------------------------


def test_a_data_commons_is_paid_once_and_shared_by_all_startups_of_the_sector() -> None:
    model = supported(commons_rows_year=120_000, commons_field_share=0.25)
    firms = [found(model, name, data_share=0.0, rows=100) for name in ("iris", "lynx")]
    giant = incumbent(model)
    usual = giant.laboratory.rows_lab
    suppliers = model.bank.books["suppliers"]
    (commons,) = [actor for actor in model.agents if getattr(actor, "name", "") == "data commons"]
    before, labs = suppliers.cash_usd, [firm.laboratory for firm in firms]
    rows = [(lab.rows_lab, lab.rows_field) for lab in labs]
    commons.plan()
    for lab, (clean, field) in zip(labs, rows, strict=True):
        assert lab.rows_lab == pytest.approx(clean + 7500) and lab.rows_field == pytest.approx(field + 2500)
    assert suppliers.cash_usd - before == pytest.approx(10_000 * model.settings.labour.label_cost_usd)
    assert giant.laboratory.rows_lab == usual and model.bank.total_cash_usd() == 0


def test_more_talent_lowers_wages_where_firms_grow() -> None:
    def wage(growth: float) -> float:
        world = {"labour": {"talent_growth_year": growth, "wage_response": 1.0}}
        return play(world_of({"world": world}), 36).talent.wages["research"]

    assert wage(0.5) < wage(0.0)


# -- shipped policies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [entry.name for entry in catalogue() if entry.group == "policies"])
def test_shipped_policies_fit_every_sector_alone_and_say_what_they_are(name: str) -> None:
    for sector in ("vision", "health"):
        base = load("markets/base", {"sectors": [sector]})
        arm = load_whatif(name, base)
        own = [change for change in arm.interventions if change not in base.interventions]
        assert arm.fingerprint() != base.fingerprint() and all(change.says for change in own)
