"""Giving up: founders who could do better, investors who wait in vain, and what is left for whom."""

from __future__ import annotations

from typing import Any

import pytest

from agents.fund import Deal
from agents.startup.bridge_notes import believers
from agents.startup.giving_up import end_early, founders_expected_usd, founders_outside_usd, is_living_dead
from agents.startup.startup import Startup
from simulation.capital import Facts, fair_value_usd
from simulation.records.reasons import Reason
from tests.support.conservation import check_all, check_endings
from tests.support.startups import fund_of, quiet_world, raiser
from tests.support.world_fakes import fields_of, found, incumbent, kinds_of_events, play

NEED = Reason("prospects", {"expected_usd": 1.0, "outside_usd": 2.0})
NOT_BOUGHT: dict[str, Any] = {"acquisition_rate_year": 0.0}


def world(**exit_rules: Any) -> Any:
    return quiet_world(exit=exit_rules, founding={"outside_sigma": 0.0})


def alone(model: Any) -> Startup:
    """A startup with a model, whom no incumbent would buy."""
    incumbent(model).settings = incumbent(model).settings.model_copy(update={"acquires": False})
    return raiser(model)


# -- founders ----------------------------------------------------------------------------------------------------------


def test_founders_compare_their_part_of_the_value_with_a_wage() -> None:
    """Half of a researcher's wage is forgone over 60 months; 0.15 of a dollar of value counts for sure."""
    firm = alone(world())
    settings = firm.model.settings
    wage = firm.model.talent.wages["research"]
    assert founders_outside_usd(firm) == pytest.approx(0.5 * wage * 60)
    fair = fair_value_usd(settings.capital, firm.finance.facts(), "seed", firm.model.heat, firm.model.year)
    sold = firm.raised_usd / firm.finance.cap_table.post_money_usd
    before = founders_expected_usd(firm)
    assert fair > 1e6 and before == pytest.approx(0.15 * fair * (1 - sold), rel=1e-3), "nobody is paid first"
    firm.finance.n_refused = 2
    assert founders_expected_usd(firm) == pytest.approx(before * 0.7**2), "a refusal tells founders what it tells funds"


def test_stock_behind_preferred_stock_is_an_option() -> None:
    """Worth nothing where value stands still below what is paid first; more, the more value may move."""

    def expected(sigma: float) -> float:
        firm = living_dead(value_sigma_year=sigma)
        firm.recurring = [0.0] * 12
        fair = fair_value_usd(firm.model.settings.capital, firm.finance.facts(), "A", firm.model.heat, firm.model.year)
        assert 0 < fair < 9e6, "less than the fund put in"
        return founders_expected_usd(firm)

    still, calm, usual = (expected(sigma) for sigma in (0.0, 0.4, 0.89))
    assert still == 0 < calm < usual


@pytest.mark.parametrize(("months", "gone"), [(0.0, False), (6.0, True), (12.0, True), (60.0, False)])
def test_founders_give_up_after_so_many_months_in_which_a_career_looks_better(months: float, gone: bool) -> None:
    model = quiet_world(exit={"give_up_months": months}, founding={"outside_sigma": 0.0, "certainty_share": 0.0})
    firm = alone(model)
    founded = model.month
    play(model, 15)
    assert (not firm.alive) == gone
    if gone:
        assert firm.ending == "gave up" and firm.reasons[0].kind == "prospects"
        lasted = model.calendar.month_of(firm.ended) - founded  # type: ignore[arg-type]
        assert months <= lasted <= months + 4
        check_all(model)
        check_endings(model)


def test_founders_who_expect_more_go_on() -> None:
    model = quiet_world(exit={"give_up_months": 6.0}, founding={"outside_share": 0.0})
    firm = alone(model)
    play(model, 12)
    assert firm.alive


def test_hope_lasts_until_there_is_a_model() -> None:
    model = quiet_world(
        exit={"give_up_months": 3.0}, founding={"certainty_share": 0.0}, compute={"rung_gpu_hours": 1e9}
    )
    firm = found(model, capital_usd=1e6)
    for _ in range(9):
        model.step()
        firm.laboratory.released = None
    assert firm.alive


# -- investors ---------------------------------------------------------------------------------------------------------


def living_dead(growth: float = 0.0, earns: bool = False, **rules: Any) -> Startup:
    """A startup of which a fund holds three quarters, two years after its round."""
    firm = alone(world(living_dead_months=18.0, **rules))
    fund_of(firm.model, fee_share_year=0)
    firm.finance.take({"angel": 9e6}, 1e6, "A")
    firm.finance.last_round_month = firm.model.month - 24
    firm.recurring = [1e5] * 12 + [1e5 * (1 + growth)] * 3
    firm.costs, firm.revenues = [2e5] * 12, [3e5 if earns else 1e5] * 12
    return firm


@pytest.mark.parametrize(("growth", "earns", "ends"), [(0.0, False, True), (0.5, False, False), (0.0, True, False)])
def test_investors_end_what_neither_grows_nor_earns(growth: float, earns: bool, ends: bool) -> None:
    assert is_living_dead(living_dead(growth, earns)) == ends


def test_investors_wait_and_need_as_large_a_part_as_the_founders() -> None:
    patient = living_dead()
    patient.finance.last_round_month = patient.model.month - 17
    assert not is_living_dead(patient)
    small = living_dead()
    small.finance.cap_table.common *= 100
    assert not is_living_dead(small)


def test_funds_refuse_money_and_notes_to_a_company_of_theirs_that_neither_grows_nor_earns() -> None:
    def asked(stop: bool, growth: float, costs: float) -> tuple[bool, bool]:
        firm = living_dead(stop_feeding=stop)
        fund = firm.model.funds[0]
        firm.costs = [costs] * 12
        facts = Facts(5e6, growth, 0.9, 0.9, 0.0)
        deal = Deal(firm.name, firm.sector, facts, "A", 1e6, 1e6, 1)
        return fund.bid(deal, 0.5) is not None, fund in believers(firm, deal)

    assert asked(True, 0.0, 2e5) == (False, False)
    assert asked(False, 0.0, 2e5) == asked(True, 0.5, 2e5) == asked(True, 0.0, 5e4) == (True, True)


def test_a_stranger_is_asked_for_money_by_its_growth_alone() -> None:
    """Who holds nothing of a firm knows nothing of feeding it."""
    firm = living_dead(stop_feeding=True)
    other = fund_of(firm.model, "other")
    deal = Deal(firm.name, firm.sector, Facts(5e6, 0.0, 0.9, 0.9, 0.0), "A", 1e6, 1e6, 1)
    assert other.bid(deal, 0.0) is not None


# -- what is left ------------------------------------------------------------------------------------------------------


def test_people_are_paid_first_then_holders_by_rank() -> None:
    firm = living_dead(severance_months=2.0, notice_months=1.0)
    model, fund = firm.model, firm.model.funds[0]
    cash = firm.books.cash_usd
    owed = 3 * sum(people * model.talent.wages[role] for role, people in firm.staff.items())
    assert firm.commitments.closing_usd() == pytest.approx(owed)
    before = model.bank.books["workers"].cash_usd
    end_early(firm, NEED)
    assert model.bank.books["workers"].cash_usd - before == pytest.approx(owed, abs=0.01)
    # The fund put in nine of ten million and takes back what it paid, or all there is.
    assert fund.flows[-1][1] == pytest.approx(min(9e6, cash - owed), abs=0.1)
    assert firm.ending == "gave up" and firm.exit_value_usd == pytest.approx(cash - owed, abs=0.1)
    assert kinds_of_events(model, firm.name)[-1] == "gave up" and firm.books.cash_usd == 0
    event = model.recorder.rows["events"][-1]
    assert event.amount_usd == firm.exit_value_usd and fields_of(event)["causes"][0]["kind"] == "prospects"
    check_all(model)


def test_a_buyer_must_pay_more_than_the_cash_there_is() -> None:
    firm = living_dead()
    giant = incumbent(firm.model)
    giant.settings = giant.settings.model_copy(update={"acquires": True})
    giant.value_of = lambda _: firm.books.cash_usd - 1  # type: ignore[method-assign]
    end_early(firm, NEED)
    assert firm.ending == "gave up"
    bought = living_dead()
    giant = incumbent(bought.model)
    giant.settings = giant.settings.model_copy(update={"acquires": True})
    giant.value_of = lambda _: bought.books.cash_usd + 1e6  # type: ignore[method-assign]
    end_early(bought, NEED)
    assert bought.ending == "acquired"


def test_a_listed_startup_is_not_given_up() -> None:
    firm = living_dead(give_up_months=3.0)
    firm.ending = "public"
    firm.model.month = firm.founded_month + 12
    assert firm.patience.reason_to_end() is None
    firm.ending = "alive"
    assert firm.patience.reason_to_end() is not None
