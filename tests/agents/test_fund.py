"""A fund's money: calls, fees, reserves, pro-rata rights, distributions, and what partners get."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.fund import Bid, Deal, Fund, committed_usd
from agents.settings import InvestorSettings
from agents.startup.startup import Startup
from agents.startup.syndicate import allocate
from analysis.runs.tables import world_table
from scenarios import ScenarioError, load
from simulation.capital import Facts, usual_round
from simulation.model import MarketModel
from tests.support.conservation import check_all
from tests.support.startups import FACTS, bidding, fund_of, quiet_world, raiser
from tests.support.world_fakes import fields_of, play, world_of


def young(model: MarketModel, **settings: Any) -> Fund:
    """A fund whose year has not come."""
    return Fund(model, "young", InvestorSettings(**{"size_usd": 1e8, "vintage": 2017, "stages": ["A"], **settings}))


def funds_row(model: MarketModel, name: str = "angel") -> dict[str, Any]:
    table = model.tables()["funds"]
    return dict(table[table["fund"] == name].iloc[0])


# -- calls and fees ----------------------------------------------------------------------------------------------------


def test_commitments_pay_for_investments_and_for_the_fees_of_a_whole_life() -> None:
    """2 % of the commitments in each of ten years is a fifth of them."""
    assert committed_usd(InvestorSettings(size_usd=80e6, stages=["A"], life_years=10)) == pytest.approx(100e6)
    assert committed_usd(InvestorSettings(size_usd=80e6, stages=["A"], fee_share_year=0)) == 80e6


def test_before_its_vintage_a_fund_calls_nothing_then_its_fee_each_month() -> None:
    model = quiet_world()  # January 2016 has been played
    fund = young(model, size_usd=80e6)
    play(model, 10)
    assert fund.flows == [] and not fund.is_investing()
    workers = model.bank.books["workers"]
    before = workers.cash_usd
    play(model, 2)
    fees = [usd for _, usd in fund.flows]
    assert fees and fees == pytest.approx([-100e6 * 0.02 / 12] * len(fees), abs=0.01)
    assert workers.cash_usd - before >= -sum(fees)
    assert fund.is_investing() and fund.uncalled_usd == 80e6 and fund.books.cash_usd == 0


def test_fees_end_with_the_life_and_what_was_not_called_is_released() -> None:
    model = quiet_world()
    fund = young(model, life_years=1)
    play(model, 24)
    assert fund.fees_usd == pytest.approx(0.02 * committed_usd(fund.settings), rel=1e-6)
    assert fund.released and fund.uncalled_usd == fund.reserve_usd == fund.fees_left_usd == 0
    n_calls = len(fund.flows)
    play(model, 6)
    assert len(fund.flows) == n_calls and fund.books.imbalance_usd() == 0


def test_an_investment_is_called_when_it_is_made() -> None:
    model = quiet_world()
    firm, fund = raiser(model), fund_of(model, fee_share_year=0)
    savers = model.bank.books["savers"]
    before = savers.cash_usd
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    assert fund.flows == [(1, -5e6)] and fund.uncalled_usd == 95e6 and len(fund.portfolio) == 1
    assert savers.cash_usd == before - 5e6 and fund.books.cash_usd == 0
    assert fund.books.balance["investments"] == 500_000_000 == -fund.books.balance["paid_in_capital"]


@pytest.mark.parametrize(("recalled", "left"), [(1.0, 99e6), (0.0, 95e6), (0.5, 97e6)])
def test_what_is_distributed_in_the_investing_years_may_be_called_again(recalled: float, left: float) -> None:
    model = quiet_world()
    firm, fund = raiser(model), fund_of(model, fee_share_year=0, recalled_share=recalled)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    model.bank.pay("savers", "angel", 4e6, "spending", "gains")
    fund.distribute()
    fund.distribute()
    assert fund.flows == [(1, -5e6), (1, 4e6)] and fund.uncalled_usd == pytest.approx(left)


def test_a_call_back_ends_with_the_investing_years() -> None:
    model = quiet_world()
    old = fund_of(model, "old", vintage=2009, life_years=10)
    model.bank.pay("savers", "old", 4e6, "spending", "gains")
    before = old.uncalled_usd
    old.distribute()
    assert old.uncalled_usd == before


# -- reserves and pro-rata rights --------------------------------------------------------------------------------------

DEAL = Deal("iris", "vision", FACTS, "A", 1e6, 2e7, 1)


def test_a_fund_sees_more_in_the_sectors_of_its_thesis() -> None:
    model = quiet_world(capital={"signal_noise": 0})
    plain = fund_of(model, "plain")
    believer, elsewhere = fund_of(model, "a", thesis={"vision": 2.0}), fund_of(model, "b", thesis={"speech": 2.0})
    assert believer.view_usd(DEAL) == pytest.approx(2 * plain.view_usd(DEAL))
    assert elsewhere.view_usd(DEAL) == plain.view_usd(DEAL) > 0


def test_a_thesis_names_sectors_of_its_world_and_goes_with_them(tmp_path: Path) -> None:
    path = "investors.early-2013.thesis"
    with pytest.raises(ScenarioError, match=r"unknown sector 'drivng'.*did you mean 'driving'"):
        load("markets/base", {path: {"drivng": 2.0}})
    with pytest.raises(ScenarioError, match="between 0 and 10"):
        load("markets/base", {path: {"driving": -1.0}})
    theses = "{early-2013: {thesis: {driving: 2.0, vision: 3.0}}}"
    (tmp_path / "one.yaml").write_text(f"extends: markets/base\ntitle: one\nsectors: [vision]\ninvestors: {theses}\n")
    assert load(tmp_path / "one.yaml").investors["early-2013"].thesis == {"vision": 3.0}


def test_a_reserve_is_kept_for_companies_of_the_fund() -> None:
    model = quiet_world()
    fund = fund_of(model, size_usd=1e8, ticket_share=0.3, reserve_share=0.8)
    outside, inside = fund.bid(DEAL), fund.bid(DEAL, share=0.1)
    assert outside is not None and (outside.most_usd, outside.pro_rata_usd) == (2e7, 0)
    assert inside is not None and (inside.most_usd, inside.pro_rata_usd) == (3e7, pytest.approx(2e6))
    fund.draw(2e7, follows_on=False)
    assert fund.bid(DEAL) is None and fund.follow_on_usd() == pytest.approx(8e7) == fund.reserve_usd
    fund.draw(5e7, follows_on=True)
    assert fund.follow_on_usd() == pytest.approx(3e7)


@pytest.mark.parametrize("changes", [{"vintage": 2009}, {"stages": ["C"]}])
def test_a_reserve_follows_on_outside_stages_and_investing_years_by_pro_rata_only(changes: dict[str, Any]) -> None:
    model = quiet_world()
    fund = fund_of(model, **{"reserve_share": 0.5, "life_years": 12, **changes})
    assert fund.bid(DEAL) is None
    inside = fund.bid(DEAL, share=0.25)
    assert inside is not None and inside.most_usd == inside.pro_rata_usd == pytest.approx(5e6)
    without = fund_of(model, "without", **{"life_years": 12, **changes})
    assert without.bid(DEAL, share=0.25) is None


def test_nothing_follows_after_the_fund_has_ended() -> None:
    fund = fund_of(quiet_world(), vintage=2000, reserve_share=0.5, life_years=10)
    assert fund.follow_on_usd() == 0 and fund.bid(DEAL, share=0.5) is None


def test_holders_take_their_part_of_a_round_first() -> None:
    bids = {"inside": Bid(1.0, 5e6, pro_rata_usd=2e6), "best": Bid(9.0, 7e6), "second": Bid(5.0, 7e6)}
    assert allocate(bids, 10e6) == {"inside": 2e6, "best": 7e6, "second": 1e6}
    assert allocate({"a": Bid(1.0, 3e6), "b": Bid(2.0, 4e6)}, 20e6) == {"b": 4e6, "a": 3e6}
    assert allocate({}, 10.0) == {}


def test_a_fund_keeps_its_share_through_its_pro_rata_right() -> None:
    model = quiet_world()
    firm, angel, late = raiser(model), fund_of(model, reserve_share=0.5), fund_of(model, "late", stages=["B"])
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    pre, size = usual_round(model.settings.capital, "B", model.year)
    bidding(late, 4 * pre, size)
    angel.view_usd = lambda deal: 2 * pre  # type: ignore[method-assign]
    firm.finance.close_round("B")
    assert firm.finance.cap_table.shares["angel"] == pytest.approx(0.25)
    assert angel.reserve_usd == pytest.approx(0.5e8 - 0.25 * size, abs=1)


# -- returns to partners -----------------------------------------------------------------------------------------------


def test_returns_by_hand() -> None:
    """5 M$ for a quarter at 20 M$, sold for 40 M$ a year later: 10 M$ back, so DPI 2 and 100 % a year."""
    model = quiet_world()
    firm, fund = raiser(model), fund_of(model, fee_share_year=0)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    held = funds_row(model)
    assert (held["paid_in_usd"], held["distributed_usd"], held["residual_usd"]) == (5e6, 0, pytest.approx(5e6))
    assert held["dpi"] == 0 and held["tvpi"] == pytest.approx(1)
    model.bank.pay("savers", "angel", 10e6, "spending", "gains")
    firm.finance.cost_of("angel")
    model.env.run(until=13)
    fund.distribute()
    sold = funds_row(model)
    assert (sold["dpi"], sold["tvpi"], sold["residual_usd"], sold["n_companies"]) == (2, 2, 0, 1)
    assert sold["irr_year"] == pytest.approx(1)


# -- what a refused firm was asked for ---------------------------------------------------------------------------------


def refused(facts: Facts = FACTS, **funds: dict[str, Any]) -> tuple[Startup, dict[str, Any]]:
    """A firm with these facts that funds with these settings refuse a series B, and what the refusal recorded."""
    model = quiet_world(capital={"signal_noise": 0.5, "heat": {2016: 0.8}})
    firm = raiser(model)
    for name, settings in funds.items():
        fund_of(model, name, **{"stages": ["B"], "size_usd": 1e9, **settings})
    firm.finance.facts = lambda: facts  # type: ignore[method-assign]
    firm.finance.close_round("B")
    event = model.recorder.rows["events"][-1]
    assert event[1] == "raise refused"
    return firm, fields_of(event)


THREE = {"strict": {"hurdle": 9.0}, "poor": {"size_usd": 1e7, "hurdle": 4.0}, "cold": {"thesis": {"vision": 0.1}}}


def test_a_refusal_records_the_value_and_the_revenue_from_which_that_very_round_would_have_closed() -> None:
    """Hurdle, thesis, error, climate, users, technique and money all count: the funds themselves are asked again."""
    facts = replace(FACTS, revenue_usd_year=1e5, free_users=1e5)
    _, said = refused(facts, **THREE)
    assert said["stage"] == "B" and said["climate"] == 0.8 and said["free_users"] == 1e5
    assert 1e5 < said["revenue_asked_usd_year"] and said["value_usd"] < said["value_asked_usd"]
    for factor, closes in ((1 - 1e-9, False), (1 + 1e-9, True)):
        model = quiet_world(capital={"signal_noise": 0.5, "heat": {2016: 0.8}})
        firm = raiser(model)
        for name, settings in THREE.items():
            fund_of(model, name, **{"stages": ["B"], "size_usd": 1e9, **settings})
        wanted = replace(facts, revenue_usd_year=factor * said["revenue_asked_usd_year"])
        firm.finance.facts = lambda wanted=wanted: wanted  # type: ignore[misc]
        firm.finance.close_round("B")
        assert (firm.finance.stage == "B") == closes


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"hurdle": 10.0}, 2.0),  # twice the hurdle asks for twice the value
        ({"thesis": {"vision": 2.0}}, 0.5),
    ],
)
def test_what_is_asked_for_follows_hurdle_and_thesis(changes: dict[str, Any], times: float) -> None:
    _, plain = refused(one={"hurdle": 5.0})
    _, other = refused(one={"hurdle": 5.0, **changes})
    assert other["value_asked_usd"] == pytest.approx(times * plain["value_asked_usd"])


def test_users_and_technique_are_worth_revenue() -> None:
    _, plain = refused(one={"hurdle": 5.0})
    _, used = refused(replace(FACTS, free_users=1e6), one={"hurdle": 5.0})
    _, better = refused(replace(FACTS, advantage_field=0.9), one={"hurdle": 5.0})
    assert max(used["revenue_asked_usd_year"], better["revenue_asked_usd_year"]) < plain["revenue_asked_usd_year"]


@pytest.mark.parametrize("funds", [{}, {"poor": {"size_usd": 1e6}}, {"never": {"thesis": {"vision": 0.0}}}])
def test_where_no_value_would_have_closed_the_round_nothing_was_asked_for(funds: dict[str, Any]) -> None:
    firm, said = refused(**funds)
    assert said["value_asked_usd"] is None is said["revenue_asked_usd_year"]
    refusal = firm.finance.refusal
    assert refusal is not None and (refusal.stage, refusal.revenue_usd_year) == ("B", FACTS.revenue_usd_year)
    assert refusal.asked_usd is None and refusal.size_usd > 0 and refusal.growth_year == FACTS.growth_year


@pytest.mark.parametrize("rule", ["investor.valuation", "investor.bid"])
def test_where_a_plug_in_judges_otherwise_nothing_is_said_of_what_was_asked_for(rule: str) -> None:
    model = quiet_world()
    firm = raiser(model)
    fund_of(model, "one", stages=["B"], size_usd=1e9)
    model.rules[rule] = {"investor.valuation": lambda fund, deal: 0.0, "investor.bid": lambda *of: None}[rule]
    firm.finance.close_round("B")
    said = fields_of(model.recorder.rows["events"][-1])
    assert said["value_asked_usd"] is None is said["revenue_asked_usd_year"] and said["stage"] == "B"


def test_a_round_ends_what_an_earlier_refusal_explains() -> None:
    firm, _ = refused()
    firm.finance.take({"savers": 1e6}, 1e7, "B")
    assert firm.finance.refusal is None


def test_a_mark_is_written_down_after_each_refusal_and_gone_after_the_end() -> None:
    model = quiet_world(capital={"write_down_share": 0.5})
    firm, fund = raiser(model), fund_of(model)
    firm.finance.take({"angel": 5e6}, 15e6, "A")
    firm.finance.refuse(replace(DEAL, stage="B"), 0.0)
    assert fund.residual_usd() == pytest.approx(2.5e6)
    firm.finance.refuse(replace(DEAL, stage="B"), 0.0)
    assert fund.residual_usd() == pytest.approx(1.25e6)
    firm.insolvent = True
    firm.leave_or_enter()
    assert firm.ending == "bankrupt" and fund.residual_usd() == 0 and funds_row(model)["irr_year"] == -1


def test_a_fund_that_never_began_has_no_returns() -> None:
    model = quiet_world()
    young(model, vintage=2050)
    row = funds_row(model, "young")
    assert row["paid_in_usd"] == 0 and all(math.isnan(row[name]) for name in ("dpi", "tvpi", "irr_year"))


def test_every_fund_of_a_world_has_a_row() -> None:
    table = play(world_of()).tables()["funds"]
    assert list(table["fund"]) == ["fund"] and (table["paid_in_usd"] >= table["fees_usd"]).all()


def test_the_funds_table_of_a_run_has_its_types() -> None:
    """A fund that never began has NaN, not a text or a null of no type."""
    model = quiet_world()
    young(model, vintage=2050)
    table = world_table("funds", [("small", "base", 0, model.tables()["funds"])])
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert types["fund"] == "string" and types["vintage"] == types["n_companies"] == "int64"
    assert {types[name] for name in ("dpi", "tvpi", "irr_year", "paid_in_usd")} == {"double"}


def test_notes_reserves_down_rounds_and_strategic_sales_keep_the_books() -> None:
    data = {
        "years": 8,
        "world": {
            "capital": {
                "bridge_months": 6, "bridge_belief": 0.0, "option_usd": 1e8, "signal_noise": 1.0, "option_fade": 0.8,
                "acquisition_rate_year": 2, "acquisition_premium": 0.0,
            }
        },
        "firms": {"giant": {"core_income_usd_month": 5e7, "capital_usd": 1e10, "label_noise": 0.6}},
        "investors": {"fund": {"vintage": 2016, "size_usd": 1e9, "reserve_share": 0.5, "hurdle": 0.2}},
        "entrants": {"new": {"sector": "vision", "per_year": 10, "offers": [{"cameras": "licence"}]}},
    }  # fmt: skip
    model = world_of(data)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    tables = model.tables()
    assert {"bridge note", "down round", "acquired"} <= set(tables["events"]["kind"])
    assert tables["endings"]["causes"].str.contains('"threat"').any()
    assert tables["funds"]["distributed_usd"].iloc[0] > 0
