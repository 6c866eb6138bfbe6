"""Sticky costs: people who were let go, space and compute are paid for after they are used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.firm.commitments import followed
from agents.firm.staffing import wage_bill
from agents.startup.startup import Startup
from tests.support.conservation import check_all
from tests.support.startups import quiet_world
from tests.support.world_fakes import found, play


def firm_with(**rules: float) -> Startup:
    return found(
        quiet_world(exit={"quits_year": 0.0, **rules}), capital_usd=2e7, staff={"research": 20, "operations": 5}
    )


@given(held=st.floats(0, 1e9), used=st.floats(0, 1e9), months=st.floats(0, 100))
def test_what_is_held_never_falls_below_use_and_never_rises_above_both(held: float, used: float, months: float) -> None:
    assert used <= followed(held, used, months) <= max(held, used) * (1 + 1e-12)


def test_what_is_held_follows_up_at_once_and_down_by_its_term() -> None:
    assert followed(50.0, 100.0, 12) == 100.0 and followed(100.0, 40.0, 0) == 40.0
    left = 100.0
    for _ in range(12):
        left = followed(left, 40.0, 12)
    assert left == pytest.approx(40 + 60 * (11 / 12) ** 12)


def test_severance_is_due_once_and_notice_is_paid_on() -> None:
    firm = firm_with(severance_months=2.0, notice_months=4.0)
    wage, before = firm.model.talent.wages["research"], dict(firm.staff)
    firm.commitments.let_go(before, {**before, "research": before["research"] - 5})
    assert firm.costs_due()["severance"] == pytest.approx((2 + 1) * 5 * wage)
    firm.commitments.end_month(1e5, 0.0)
    assert firm.costs_due()["severance"] == pytest.approx(0.75 * 5 * wage), "a quarter of them have gone"
    paid = 5 * wage
    for _ in range(200):
        paid += firm.commitments.people_usd()
        firm.commitments.end_month(1e5, 0.0)
    assert paid == pytest.approx(4 * 5 * wage), "four months each, on average"


def test_nothing_is_owed_to_those_who_leave_by_themselves() -> None:
    firm = found(quiet_world(exit={"severance_months": 2.0, "quits_year": 0.6}), staff={"research": 20})
    before = dict(firm.staff)
    firm.commitments.let_go(before, {role: 0.96 * people for role, people in before.items()})
    assert firm.commitments.people_usd() == 0
    firm.commitments.let_go(before, {role: 0.94 * people for role, people in before.items()})
    assert firm.commitments.people_usd() == pytest.approx(2 * 0.01 * wage_bill(before, firm.model.talent.wages))


def test_space_and_compute_outlast_those_who_used_them() -> None:
    firm = firm_with(lease_months=24.0, reserved_months=12.0)
    wages = wage_bill(firm.staff, firm.model.talent.wages)
    usual = firm.costs_due()["overhead"]
    firm.commitments.end_month(wages, 1000.0)
    firm.staff = {role: people / 2 for role, people in firm.staff.items()}
    share = firm.model.settings.labour.overhead_share
    assert usual == pytest.approx(share * wages)
    assert firm.costs_due()["overhead"] == pytest.approx(share * wages * (1 - 0.5 / 24))
    assert firm.costs_due()["inference"] == pytest.approx(1000 * (1 - 1 / 12)), "nobody is served, and it is paid for"


def test_idle_costs_leave_less_for_people() -> None:
    firm = firm_with(lease_months=24.0)
    firm.budget_usd = 5e5
    firm.commitments.idle_usd = 0.0
    firm.plan_staff()
    free = firm.headcount()
    firm.staff = {"product": 0.0, "marketing": 0.0, "finance": 0.0, "research": 20.0, "operations": 5.0}
    firm.commitments.idle_usd = 3e5
    firm.plan_staff()
    assert firm.headcount() < free


def cash_after_cutting(**rules: float) -> float:
    """Cash of a startup two years after it lost what paid its people; it has cut since."""
    model = quiet_world(exit=rules)
    firm = found(model, capital_usd=6e6, staff={"research": 25, "operations": 5, "product": 5})
    firm.burn_usd = 1e5
    play(model, 8)
    check_all(model)
    return firm.books.cash_usd


def test_decline_costs_more_where_costs_are_sticky() -> None:
    free = cash_after_cutting()
    for rules in ({"severance_months": 2.0}, {"notice_months": 3.0}, {"lease_months": 36.0}):
        assert cash_after_cutting(**rules) < free - 1e4, rules


def test_without_rules_nothing_is_held() -> None:
    firm = firm_with()
    assert not firm.commitments.hold
    play(firm.model, 3)
    assert vars(firm.commitments) | {"firm": None} == vars(firm_with().commitments) | {"firm": None}
