"""Yearly budgets of state programmes, the cost of a talent programme, and a world with every policy on at once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agents import treasury
from agents.state.programmes import people_trained
from simulation.model import MarketModel
from tests.support.conservation import check_all, check_endings
from tests.support.scenario_files import error_of, write
from tests.support.world_fakes import fields_of, found, incumbent, lone_world, merged, play, world_of


def budgeted(programme: str, usd: float, **law: Any) -> MarketModel:
    """A world in which one programme has such a budget a year."""
    support = {"budget_usd_year": {programme: usd}, **law.pop("support", {})}
    return lone_world(law={**law, "support": support})


def ends_of(model: MarketModel) -> list[Any]:
    """Events of used-up budgets so far."""
    return [row for row in model.recorder.rows["events"] if row[1] == "budget used up"]


# -- programmes --------------------------------------------------------------------------------------------------------


def test_grants_go_to_those_founded_first_until_the_year_is_spent() -> None:
    model = budgeted("grants", 250_000, support={"grant_usd": 100_000})
    extra = [found(model, name).books.cash_usd - 1e6 for name in ("iris", "lynx", "owl", "hawk")]
    assert extra == [100_000, 100_000, 50_000, 0]
    (event,) = ends_of(model)
    assert (event.firm, event.other, event.amount_usd) == ("", "government", 250_000)
    assert fields_of(event)["programme"] == "grants"
    assert treasury.spent_usd(model, "grants", 2016) == 250_000 and treasury.left_usd(model, "grants") == 0
    model.env.run(until=13)
    assert found(model, "kite").books.cash_usd == 1e6 + 100_000  # a new year
    assert model.bank.total_cash_usd() == 0


def test_a_programme_that_is_not_named_has_no_limit() -> None:
    model = budgeted("wages", 1.0, support={"grant_usd": 100_000})
    assert [found(model, name).books.cash_usd for name in ("iris", "lynx")] == [1_100_000] * 2
    assert ends_of(model) == []


def test_research_wages_are_paid_as_far_as_the_budget_goes() -> None:
    model = budgeted("wages", 30_000, support={"research_wage_share": 0.5})
    first, second = (found(model, name, staff={"research": 4}, capital_usd=1e7) for name in ("iris", "lynx"))
    wages = 0.5 * 4 * model.talent.wages["research"]
    for firm in (first, second):
        firm.support.collect_wage_subsidy()
    assert -first.books.balance["grants"] / 100 == pytest.approx(wages, abs=0.01)
    assert -second.books.balance["grants"] / 100 == pytest.approx(30_000 - wages, abs=0.01)
    assert len(ends_of(model)) == 1


def test_firms_plan_and_pay_with_what_the_voucher_budget_leaves() -> None:
    law = {"compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 1e6}
    model = budgeted("vouchers", 120_000, **law)
    first, second = (found(model, name, capital_usd=1e7) for name in ("iris", "lynx"))
    assert first.support.bill_affordable_usd(100_000) == 200_000
    assert first.support.pay_compute(200_000) == pytest.approx(100_000)
    assert second.support.bill_affordable_usd(100_000) == 120_000
    assert second.support.pay_compute(120_000) == pytest.approx(100_000)  # 20,000 were left
    assert second.support.bill_affordable_usd(100_000) == 100_000
    assert second.support.pay_compute(50_000) == pytest.approx(50_000)
    assert len(ends_of(model)) == 1 and treasury.spent_usd(model, "vouchers", 2016) == 120_000


def test_tax_credits_and_holidays_count_as_spending_and_end_with_their_budget() -> None:
    model = budgeted("credits", 15_000, support={"tax_credit_share": 0.2})
    model.env.run(until=13)  # the giant took this year's in the month that the world has played
    firm = found(model, staff={"research": 10}, capital_usd=1e7)
    credit = 0.2 * 10 * model.talent.wages["research"]
    assert firm.support.tax_due_usd(10_000) == 0
    assert firm.support.tax_due_usd(10_000) == pytest.approx(5_000)
    assert firm.support.credit_usd == pytest.approx(2 * credit - 15_000)  # what was not taken is carried forward
    young = budgeted("holidays", 15_000, support={"tax_holiday_years": 5})
    startup = found(young)
    assert [startup.support.tax_due_usd(10_000) for _ in range(3)] == [0, 5_000, 10_000]
    for world, n_ends in ((model, 2), (young, 1)):
        assert len(ends_of(world)) == n_ends and world.bank.books["government"].imbalance_usd() == 0


def test_a_data_commons_makes_what_its_budget_pays() -> None:
    def rows(**support: Any) -> float:
        model = lone_world(law={"support": {"commons_rows_year": 120_000, **support}})
        firm = found(model, data_share=0.0, rows=100)
        before = firm.laboratory.rows_lab + firm.laboratory.rows_field
        (commons,) = [actor for actor in model.agents if getattr(actor, "name", "") == "data commons"]
        commons.plan()
        return firm.laboratory.rows_lab + firm.laboratory.rows_field - before

    usual = rows()
    cost = usual * lone_world().settings.labour.label_cost_usd
    assert usual == pytest.approx(10_000)
    assert rows(budget_usd_year={"commons": cost / 4}) == pytest.approx(usual / 4, rel=1e-4)
    assert rows(budget_usd_year={"commons": 0}) == 0


def test_a_budget_of_nothing_is_no_programme() -> None:
    model = budgeted("grants", 0, support={"grant_usd": 100_000})
    assert found(model).books.cash_usd == 1e6 and "grant" not in {r[1] for r in model.recorder.rows["events"]}
    assert ends_of(model) == []


def test_a_budget_above_all_claims_changes_nothing() -> None:
    support = {"grant_usd": 1e5, "research_wage_share": 0.3, "tax_credit_share": 0.2, "commons_rows_year": 1e5}
    law = {"compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 3e5, "support": support}
    names = ("grants", "wages", "credits", "holidays", "vouchers", "commons", "universities")
    rich = {"support": {"budget_usd_year": dict.fromkeys(names, 1e12)}}
    plain, limited = (play(world_of({"years": 5, "world": {"law": rules}})) for rules in (law, merged(law, rich)))
    for name, table in plain.tables().items():
        pd.testing.assert_frame_equal(table, limited.tables()[name])


def test_spending_in_a_played_world_stays_within_the_budgets_of_every_year() -> None:
    support = {
        "grant_usd": 1e5, "research_wage_share": 0.5, "tax_credit_share": 0.2,
        "budget_usd_year": {"grants": 250_000, "wages": 100_000, "vouchers": 50_000, "credits": 1_000},
    }  # fmt: skip
    law = {"compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 3e5, "support": support}
    stream = {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}]}
    model = play(world_of({"world": {"law": law}, "entrants": {"new": stream}}))
    for year in (2016, 2017, 2018):
        for programme, usd in support["budget_usd_year"].items():
            assert treasury.spent_usd(model, programme, year) <= usd
    ends = {(row[0].year, fields_of(row)["programme"]) for row in ends_of(model)}
    assert len(ends) == len(ends_of(model)) >= 4  # once a year each
    assert model.bank.total_cash_usd() == 0


@pytest.mark.parametrize(
    ("budget", "says"), [("{grant: 1e5}", "grant"), ("{grants: -1}", "grants"), ("{grants: much}", "grants")]
)
def test_a_bad_budget_is_refused(tmp_path: Any, budget: str, says: str) -> None:
    text = (
        "title: t\nstart: 2016-01\nyears: 3\n"
        "world: {sectors: {vision: {segments: {cameras: {}}}}, "
        f"law: {{support: {{budget_usd_year: {budget}}}}}}}\n"
        "firms: {iris: {sector: vision, offers: {cameras: licence}}}\n"
    )
    error = str(error_of(write(tmp_path, text)))
    assert says in error and "budget_usd_year" in error


# -- talent ------------------------------------------------------------------------------------------------------------


def test_people_trained_are_what_faster_growth_adds() -> None:
    assert people_trained(1000, 0.15, 0.15) == 0 == people_trained(1000, 0.1, 0.15)
    assert people_trained(1000, 0.25, 0.15) == pytest.approx(1000 * (1.25 ** (1 / 12) - 1.15 ** (1 / 12)))
    assert 12 * people_trained(1000, 0.25, 0.15) == pytest.approx(85, rel=0.05)


def test_the_state_pays_for_each_person_trained() -> None:
    def spent(growth: float, usd: float) -> float:
        world = {"labour": {"talent_growth_year": growth}, "law": {"support": {"training_usd_person": usd}}}
        model = play(world_of({"world": world}), 12)
        assert model.bank.total_cash_usd() == 0
        return treasury.spent_usd(model, "talent", 2016)

    assert spent(0.25, 0.0) == 0 and spent(0.15, 70_000) == 0
    assert spent(0.25, 10_000) > 0 and spent(0.25, 70_000) == pytest.approx(7 * spent(0.25, 10_000), rel=1e-3)


# -- everything at once ------------------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "years": 5,
    "world": {
        "risk": {"breach_rate_year": 2, "outage_rate_year": 2},
        "sectors": {"vision": {"segments": {"cameras": {"accidents_year": 0.05, "accident_usd": 1e5}}}},
        "capital": {"acquisition_rate_year": 6, "option_usd": 1e5, "ipo_revenue_usd_year": 1e6, "bridge_months": 3},
        "labour": {"talent_growth_year": 0.3},
        "law": {
            "audits_year": 2, "audit_after_incident": 1, "leakage_limit": 0.1, "fairness_gap_limit": 0.12,
            "field_accuracy_floor": 0.5, "fine_fixed_usd": 10_000, "minimisation_share": 0.1,
            "compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 3e5,
            "certification": {"scope": "all", "mandatory": False, "field_accuracy": 0.5, "trust": 0.1},
            "support": {
                "grant_usd": 1e5, "research_wage_share": 0.3, "tax_credit_share": 0.2, "tax_holiday_years": 2,
                "commons_rows_year": 1e5, "training_usd_person": 70_000,
                "budget_usd_year": {
                    "grants": 3e5, "wages": 2e5, "credits": 1e5, "holidays": 1e4, "vouchers": 1e5, "commons": 5_000,
                    "universities": 5e5,
                },
            },
            "university": {"participation_share": 0.7, "graduate_usd": 70_000, "shared_rows": 1e4, "skill_bound": 0.8},
        },
    },
    "firms": {
        "giant": {"judgement_noise": 0.6, "attention_share": 0.001, "core_income_usd_month": 5e6, "remedy": "minimise"},
        "iris": {"remedy": "dp", "skill": 0.3},
    },
    "entrants": {
        "new": {"sector": "vision", "per_year": 6, "offers": [{"cameras": "licence"}, {"photos": "freemium"}]},
    },
    "regulator": {"audit_months": 0.5, "fix_months": 2},
}  # fmt: skip


def check_tables(tables: dict[str, pd.DataFrame]) -> None:
    """Six identities between tables, which hold whatever is switched on."""
    firms, sectors, endings = tables["firms"], tables["sectors"], tables["endings"]
    by_month = firms.groupby(["month", "sector"])
    rows = sectors.set_index(["month", "sector"])
    n_firms = by_month.size().reindex(rows.index, fill_value=0)
    assert (rows["n_firms"] == n_firms).all()
    assert (rows["n_firms"] == (rows["entries"] - rows["exits"]).groupby("sector").cumsum()).all()
    hhi = (firms["share"] ** 2).groupby([firms["month"], firms["sector"]]).sum()
    assert np.allclose(rows["hhi"], hhi.reindex(rows.index, fill_value=0.0))
    assert np.allclose(rows["adopters"], by_month["customers"].sum().reindex(rows.index, fill_value=0.0))
    assert np.allclose(rows["jobs_created"], by_month["headcount"].sum().reindex(rows.index, fill_value=0.0))
    raised = tables["rounds"].groupby("firm")["amount_usd"].sum().reindex(endings["firm"], fill_value=0.0)
    assert np.allclose(endings["raised_usd"], raised.to_numpy())


@pytest.mark.parametrize("seed", [1, 2])  # in these the incumbent also buys by mistake
def test_money_and_tables_add_up_with_everything_on_at_once(seed: int) -> None:
    model = world_of(EVERYTHING, seed)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    check_endings(model)
    tables = model.tables()
    check_tables(tables)
    kinds = set(tables["events"]["kind"])
    assert {"budget used up", "university link", "audit failed", "breach", "grant"} <= kinds
    happened = [(event["kind"], json.loads(event["fields"] or "{}")) for event in tables["events"].to_dict("records")]
    assert any(fields.get("incident") == "breach" for _, fields in happened)
    assert any(
        fields["quality_seen"] not in (None, fields["quality"]) for _, fields in happened if "quality_seen" in fields
    )


def test_everything_at_once_repeats_by_seed() -> None:
    first, second = (play(world_of(EVERYTHING, 3), 30).tables() for _ in range(2))
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name])


def test_incumbents_take_no_part_in_programmes_for_startups() -> None:
    model = play(world_of(EVERYTHING), 24)
    giant = incumbent(model)
    assert giant.university.know_how == 0 and not giant.university.joined
