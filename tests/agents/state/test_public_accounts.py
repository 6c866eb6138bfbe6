"""Public accounts: every programme, tax, fee and fine by year, sector and kind of firm; they agree with the books."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from agents import treasury
from agents.settings import RegulatorSettings
from agents.state.regulator import Regulator
from simulation.model import MarketModel
from simulation.public_accounts import Item, PublicAccounts, Recipient
from tests.support.conservation import check_all, check_public_accounts
from tests.support.world_fakes import found, lone_world, play, released, world_of

EVERYTHING: dict[str, Any] = {
    "tax_rate": 0.3, "audits_year": 4, "audit_cost_usd": 5000, "fairness_gap_limit": 0.05, "fine_fixed_usd": 2000,
    "compute_voucher_share": 0.5, "compute_voucher_cap_usd_year": 1e5,
    "certification": {"scope": "all", "field_accuracy": 0.3, "exam_months": 1, "fee_usd": 1000},
    "support": {
        "grant_usd": 1e5, "research_wage_share": 0.3, "tax_credit_share": 0.2,
        "commons_rows_year": 1e5, "training_usd_person": 1e4, "usual_talent_growth_year": 0.0,
        "public_gpu_hours_year": 500, "open_weights_usd_year": 1.2e6,
    },
    "university": {"participation_share": 1.0, "shared_rows": 1000, "graduate_usd": 5000},
}  # fmt: skip
PROGRAMMES = {
    "grants", "wages", "credits", "vouchers", "commons", "universities", "public-compute", "open-weights",
    "talent", "audits", "taxes", "fines", "fees",
}  # fmt: skip
GENEROUS: dict[str, Any] = {
    "world": {"law": EVERYTHING, "sectors": {"vision": {"segments": {"cameras": {"innovation_rate_year": 1.0}}}}},
    "regulator": {"audit_months": 0.3},
    "firms": {"iris": {"capital_usd": 2e7}},
    "entrants": {"new": {"sector": "vision", "offers": [{"cameras": "subscription"}], "at_start": 2, "per_year": 4}},
}


def accounts_of(model: MarketModel) -> pd.DataFrame:
    return model.tables()["public_accounts"]


def test_every_programme_is_in_the_accounts_and_they_add_up_to_the_books() -> None:
    model = world_of(GENEROUS)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    table = accounts_of(model)
    assert set(table["programme"]) == PROGRAMMES
    assert not table.duplicated(["year", "programme", "flow", "jurisdiction", "sector", "kind"]).any()
    kinds = table.groupby("programme")["kind"].agg(set)
    assert kinds["grants"] == kinds["wages"] == kinds["vouchers"] == {"startup"} and "incumbent" in kinds["taxes"]
    assert kinds["talent"] == kinds["open-weights"] == {""}
    assert set(table.loc[table["programme"].eq("credits"), "flow"]) == {"forgone"}
    assert (table.loc[table["flow"] == "received", "usd"] <= 0).all() and {2016, 2017, 2018} <= set(table["year"])


def test_tax_that_a_young_firm_need_not_pay_is_forgone_and_what_is_left_is_received() -> None:
    model = lone_world(law={"tax_rate": 0.3, "support": {"tax_holiday_years": 1, "budget_usd_year": {"holidays": 1e5}}})
    firm = found(model)
    model.bank.pay("customers", firm.name, 1e6, "spending", "sales")
    firm.pay_taxes()
    told = {row.programme: row for row in model.public_accounts.rows() if row.kind == "startup"}
    assert (told["holidays"].flow, told["holidays"].usd) == ("forgone", 1e5)
    assert (told["taxes"].flow, told["taxes"].usd) == ("received", -2e5)
    check_public_accounts(model)


def test_a_year_of_a_programme_is_what_its_account_says() -> None:
    model = play(world_of(GENEROUS))
    table = accounts_of(model)
    for (programme, year), usd in table.query("flow != 'received'").groupby(["programme", "year"])["usd"].sum().items():
        assert usd == pytest.approx(treasury.spent_usd(model, str(programme), int(year)), abs=0.001), programme


def test_firms_are_counted_once_a_year_and_programme() -> None:
    model = lone_world(law={"support": {"grant_usd": 1e5, "research_wage_share": 0.5}})
    for name in ("iris", "lynx", "owl"):
        found(model, name, capital_usd=1e7)
    play(model, 6)
    table = accounts_of(model).set_index("programme")
    assert table.loc["grants", "n_firms"] == 3 and table.loc["grants", "usd"] == 3e5
    assert table.loc["wages", "n_firms"] == 3 and table.loc["wages", "sector"] == "vision"


def test_money_is_priced_at_the_marginal_cost_of_funds_of_its_day() -> None:
    dearer = {"at": "2017-01", "says": "x", "set": {"world.society.marginal_cost_of_public_funds": 1.5}}
    law = {"support": {"open_weights_usd_year": 1.2e6}}
    society = {"marginal_cost_of_public_funds": 1.2}
    model = play(world_of({"world": {"law": law, "society": society}, "interventions": [dearer]}))
    table = accounts_of(model).query("programme == 'open-weights'").set_index("year")
    assert (table["social_usd"] / table["usd"]).to_dict() == pytest.approx(
        {2016: 1.2, 2017: 1.5 - 0.3 / 12, 2018: 1.5, 2019: 1.5}
    )  # what December's phases pay is paid on 1 January


def test_a_receipt_counts_against_the_cost() -> None:
    accounts = PublicAccounts()
    whom = Recipient("eu", "vision", "startup")
    accounts.book(Item(2016, "grants", "paid", whom), 10_000, 1.5, ["iris"])
    accounts.book(Item(2016, "grants", "paid", whom), 5_000, 1.5, ["iris", "lynx"])
    accounts.book(Item(2016, "fines", "received", whom), 4_000, 1.5, ["iris"])
    grants, fines = accounts.rows()
    assert (grants.usd, grants.social_usd, grants.n_firms) == (150.0, 225.0, 2)
    assert (fines.usd, fines.social_usd, fines.jurisdiction) == (-40.0, -60.0, "eu")
    assert accounts.total_cents("paid", "received") == 11_000


def test_an_audit_costs_the_state_what_the_law_says() -> None:
    model = lone_world(law={"audit_cost_usd": 7_000})
    regulator = Regulator(model, "regulator", RegulatorSettings(audit_months=0.5))
    firm = found(model, capital_usd=1e7)
    released(firm, model)
    model.env.process(regulator.audit(firm))
    model.env.run(until=model.month + 0.9)
    (row,) = [row for row in model.public_accounts.rows() if row.programme not in ("taxes", "fees")]
    assert (row.programme, row.usd, row.kind, row.n_firms) == ("audits", 7_000.0, "startup", 1)


# -- public compute and open weights -----------------------------------------------------------------------------------


def trained(law: dict[str, Any]) -> Any:
    """A startup without money for compute that has just ordered a run."""
    model = lone_world(law=law)
    firm = found(model, capital_usd=1e6)
    firm.laboratory.purse_usd = 0.0
    firm.laboratory.order_training()
    return firm


def test_a_startup_trains_on_the_public_cluster_and_the_state_pays_the_list_price() -> None:
    poor, helped = trained({}), trained({"support": {"public_gpu_hours_year": 5_000}})
    price = helped.model.cloud.list_price_usd(helped.model.year)
    used = helped.support.public_hours_used[2016]
    assert helped.laboratory.job.plan.rung > poor.laboratory.job.plan.rung and 0 < used <= 5_000
    assert treasury.spent_usd(helped.model, "public-compute", 2016) == pytest.approx(used * price, abs=0.01)
    assert helped.books.cash_usd == poor.books.cash_usd  # it has paid nothing itself
    check_public_accounts(helped.model)


def test_public_compute_ends_with_its_budget_and_with_its_hours_and_is_for_startups() -> None:
    few = trained({"support": {"public_gpu_hours_year": 5_000, "budget_usd_year": {"public-compute": 12_000}}})
    price = few.model.cloud.list_price_usd(few.model.year)
    assert few.support.public_hours_used[2016] * price <= 12_000.01
    helped = trained({"support": {"public_gpu_hours_year": 5_000}})
    left = helped.support.public_hours_left()
    assert left == pytest.approx(5_000 - helped.support.public_hours_used[2016])
    assert helped.model.firms["giant"].support.public_hours_left() == 0
