"""Exits priced by what buyers expect to earn, and windows in which firms are listed."""

from __future__ import annotations

from typing import Any

import pytest

from agents.incumbent.acquisition import approach, asked_usd, worth_usd
from agents.incumbent.expected_worth import customers_usd, defended_usd, people_usd, rows_usd, training_usd
from agents.incumbent.incumbent import Incumbent
from agents.incumbent.perception import View
from agents.startup.exits import list_on_exchange, listing_climate, listing_value_usd
from agents.startup.expected_earnings import (
    churn_year,
    expected_earnings_of,
    gross_margin,
    hazard_year,
    operating_margin,
    still_to_come,
)
from agents.startup.startup import Startup
from scenarios import ScenarioError
from simulation.valuation import listing_usd, standalone_usd
from tests.support.conservation import check_all
from tests.support.decline import MONTH, declining
from tests.support.startups import quiet_world, raiser, threatened
from tests.support.world_fakes import kinds_of_events, play, scenario_of, world_of

EXPECTED = {"exit_valuation": "expected", "expectation": {"deal_cost_usd": 0.0}}


def buying(**capital: Any) -> tuple[Startup, Incumbent]:
    """A better startup with forty customers in a segment in which the incumbent sells licences."""
    firm, giant = threatened(**{**EXPECTED, **capital})
    firm.model.market["customers"][firm.sales.slots["cameras"]] = 40.0
    firm.model.market.set_price(giant.sales.slots["cameras"], 2000.0)
    firm.model.market.utilities()
    return firm, giant


# -- windows ----------------------------------------------------------------------------------------------------------


def grown(**capital: Any) -> Startup:
    firm = raiser(quiet_world(capital={"ipo_revenue_usd_year": 12e6, **capital}))
    firm.recurring = [5e5] * 12 + [1.5e6] * 3
    return firm


@pytest.mark.parametrize(
    ("window", "climate", "opens"),
    [
        ({}, 0.0, True),
        ({}, 0.84, True),
        ({}, 0.99, False),
        ({2015: 0.4}, 0.5, False),
        ({2015: 0.4, 2016: 0.6}, 0.5, True),
        ({2017: 0.1}, 0.84, True),
    ],
)
def test_firms_are_listed_while_the_window_is_open(window: dict[int, float], climate: float, opens: bool) -> None:
    """The funding climate of February 2016 is 0.86; a series of the exchange's own replaces it from its first year."""
    firm = grown(ipo_window=window, ipo_climate=climate)
    list_on_exchange(firm)
    assert (firm.ending == "public") == opens
    assert listing_climate(firm) == (0.6 if 2016 in window else 0.4 if window == {2015: 0.4} else firm.model.heat)


def test_a_window_is_a_series_of_years() -> None:
    with pytest.raises(ScenarioError, match=r"bad key '16' in world\.capital\.ipo_window: must be a year"):
        scenario_of({"world": {"capital": {"ipo_window": {16: 1.0}}}})
    with pytest.raises(ScenarioError, match="between 0 and 100"):
        scenario_of({"world": {"capital": {"ipo_window": {2016: -1.0}}}})


# -- listings ---------------------------------------------------------------------------------------------------------


def test_a_listing_is_worth_its_expected_earnings() -> None:
    firm = grown(exit_valuation="expected")
    value, terms = listing_value_usd(firm), firm.model.settings.capital.expectation
    most = 18e6 + still_to_come(firm)[0]
    assert value == listing_usd(18e6, firm.growth_year(), operating_margin(firm), gross_margin(firm), terms, most) > 0
    list_on_exchange(firm)
    assert firm.ending == "public" and firm.exit_value_usd == value
    assert firm.model.bank.total_cash_usd() == 0


def test_what_earns_nothing_is_not_listed() -> None:
    firm = grown(exit_valuation="expected", expectation={"usual_gross_margin": 0.0})
    list_on_exchange(firm)
    assert firm.alive and firm.ending == "alive"


# -- prospects --------------------------------------------------------------------------------------------------------


def test_margin_and_churn_are_those_of_the_last_year() -> None:
    firm = declining({"cost_of_sales": 15e3, "lost": 1.0})
    assert gross_margin(firm) == pytest.approx(0.75) and operating_margin(firm) == pytest.approx(1 - 100 / 60)
    assert churn_year(firm) == pytest.approx(hazard_year(1.0, 30.0)) and hazard_year(0.0, 30.0) == 0
    new = declining({"users": 0.0, "lost": 0.0, "sales": 0.0, "cost_of_sales": 0.0})
    assert gross_margin(new) == 0.5 and churn_year(new) == pytest.approx(
        hazard_year(MONTH["lost"], MONTH["users"]), rel=0.02
    )


def test_who_might_still_come_follows_from_demand() -> None:
    """Part of the segment, never all of it; a better model is chosen by more, one off the market by none."""
    model = play(world_of({"firms": {"iris": {"capital_usd": 1e7}}}), 12)
    firm = model.firms["iris"]
    found = expected_earnings_of(firm)
    whole = 12 * 2000 * 2000
    assert 0 < found.potential_usd_year < whole and 0 < found.arriving < 1
    market, slot = model.market, firm.sales.slots["cameras"]
    before = market["lab"][slot]
    market["lab"][slot] = before + 0.2
    assert expected_earnings_of(firm).potential_usd_year > found.potential_usd_year
    market.selling[slot] = False
    assert expected_earnings_of(firm).potential_usd_year == 0


def test_funds_can_value_what_a_firm_is_expected_to_earn() -> None:
    model = quiet_world(capital={"valuation": "expected"})
    facts = raiser(model).finance.facts()
    assert facts.expected is not None and raiser_facts_of(quiet_world()) is None


def raiser_facts_of(model: Any) -> Any:
    return raiser(model).finance.facts().expected


# -- sales ------------------------------------------------------------------------------------------------------------


def test_the_parts_of_a_worth_by_hand() -> None:
    firm, giant = buying()
    model, terms = firm.model, firm.model.settings.capital.expectation
    monthly = model.market["monthly_usd"][giant.sales.slots["cameras"]]
    assert customers_usd(giant, firm) == pytest.approx(
        12 * 40 * monthly * 0.5 / (terms.discount_year + churn_year(giant))
    )
    giant.sales.slots.pop("cameras")
    assert customers_usd(giant, firm) == 0, "who has no offer for them loses them"
    meanwhile = 12 * giant.settings.core_income_usd_month
    assert training_usd(giant, True) == giant.settings.compute_share * meanwhile and training_usd(giant, False) == 0
    rows = firm.laboratory.rows_lab + firm.laboratory.rows_field
    assert rows_usd(giant, firm) == pytest.approx(rows * model.settings.labour.label_cost_usd)
    firm.laboratory.rows_lab = 1e12
    assert rows_usd(giant, firm) == pytest.approx(giant.settings.data_share * meanwhile), "no more than it would label"
    wage = model.talent.wages["research"]
    assert people_usd(firm) == firm.staff["research"] * model.settings.risk.key_person_wages * wage
    giant.recurring = [1e5] * 3
    assert defended_usd(giant, View(0.9, 0.0)) == 0


def test_a_better_firm_with_customers_is_bought_between_what_it_is_worth_to_both() -> None:
    firm, giant = buying()
    worth, asked = worth_usd(giant, firm, 0.0), asked_usd(firm)
    terms, cash = firm.model.settings.capital.expectation, firm.books.cash_usd
    alone = standalone_usd(1.2e6, expected_earnings_of(firm), terms)
    assert asked == pytest.approx(firm.model.heat * alone + cash) and worth > asked
    approach(giant)
    assert firm.ending == "acquired" and firm.exit_value_usd == pytest.approx((worth + asked) / 2)
    assert giant.laboratory.released is firm.laboratory.released, "it got the model that it paid for"
    assert kinds_of_events(firm.model, "giant")[-1] == "release" and firm.model.bank.total_cash_usd() == 0


def test_a_rescue_pays_for_what_is_spared_and_not_where_the_deal_costs_more() -> None:
    firm, giant = buying()
    worth = giant.value_of(firm)
    assert worth == pytest.approx((worth_usd(giant, firm, 0.0) + firm.books.cash_usd) / 2)
    dear, buyer = buying(expectation={"deal_cost_usd": 1e9})
    assert buyer.value_of(dear) == 0


def test_exits_by_expectation_happen_in_a_played_world_and_the_books_hold() -> None:
    data = {
        "years": 8,
        "world": {
            "capital": {
                "exit_valuation": "expected", "valuation": "expected", "acquisition_rate_year": 6,
                "expectation": {"deal_cost_usd": 1e4}, "ipo_revenue_usd_year": 3e6, "ipo_growth_year": 0.0,
            }
        },
        "firms": {"giant": {"core_income_usd_month": 5e6, "capital_usd": 1e9, "label_noise": 0.6}},
        "entrants": {"new": {"sector": "vision", "per_year": 8, "offers": [{"cameras": "licence"}]}},
        "investors": {"fund": {"vintage": 2016, "size_usd": 1e9, "hurdle": 0.2}},
    }  # fmt: skip
    model = world_of(data)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    assert {"acquired", "round"} <= set(model.tables()["events"]["kind"])
