"""Runs of a laboratory: how large, on what text, paid over months, on GPUs of the cloud, and never a typed loss."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.lab.funding import duties_usd
from agents.lab.pretraining import foundation_plan
from simulation.model import MarketModel
from simulation.settings.foundations import FoundationSettings, ladder_of, text_tokens, training_flop
from simulation.training.pool import Member
from tests.support.conservation import check_money
from tests.support.lab_worlds import IDLE, RICH, give_model, lab_of, lab_world
from tests.support.service import FakeService, foundation_result_of
from tests.support.world_fakes import play


def events_of(model: Any, kind: str) -> Any:
    events = model.tables()["events"]
    return events[events["kind"] == kind]


# -- which run --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0.0, 0.5])
def test_no_run_is_larger_than_the_year_allows(ahead: float) -> None:
    model = play(lab_world({"alpha": {**RICH, "ahead_rungs": ahead, "release_months": 6}}, {"years": 5}))
    rungs = [one.rung for one in lab_of(model, "alpha").models]
    begun = events_of(model, "pretraining begun")
    frontier = ladder_of(FoundationSettings()).frontier
    for day, fields in zip(begun["month"], begun["fields"], strict=True):
        rung = float(fields.split('"rung":')[1].split(",")[0])
        assert rung <= frontier(day.year + (day.month == 12)) + ahead  # decided at the month's end
    assert rungs == sorted(set(rungs)) and len(rungs) >= 4 and max(rungs) >= frontier(2026) + ahead - 0.5


def test_money_bounds_the_rung_and_half_rungs_are_taken() -> None:
    rungs = {}
    for capital in (1e9, 1e8, 1e7, 1e6):
        lab = lab_of(lab_world({"alpha": {"capital_usd": capital, "stake": 0.5}}), "alpha")
        intended = lab.next_foundation()
        assert intended is not None and intended.cost_usd <= 0.5 * capital
        if intended.rung < lab.largest_rung():
            assert lab.pretraining.cost_usd(intended.rung + 0.5) > 0.5 * capital
        rungs[capital] = intended.rung
    assert list(rungs.values()) == sorted(rungs.values(), reverse=True) and len(set(rungs.values())) >= 3
    poor = lab_of(lab_world({"alpha": {"capital_usd": 1e2}}), "alpha")
    assert poor.next_foundation() is None


def test_nothing_is_trained_that_is_smaller_than_what_is_free() -> None:
    model = lab_world({"alpha": {"capital_usd": 1e7, "stake": 0.5}, "beta": IDLE})
    small = lab_of(model, "alpha").next_foundation()
    assert small is not None and small.rung < 2.0
    give_model(lab_of(model, "beta"), 2.0)
    assert lab_of(model, "alpha").next_foundation() == small, "what is sold leaves room below"
    model.labs[-1].take(lab_of(model, "beta").models[0])  # type: ignore[attr-defined]
    assert lab_of(model, "alpha").next_foundation() is None


def test_the_owners_money_counts() -> None:
    alone = lab_of(lab_world({"alpha": {"capital_usd": 1e6}}), "alpha").next_foundation()
    unit = {"owner": "giant", "capital_usd": 1e6, "budget_usd_month": 1e8}
    owned = lab_of(lab_world({"alpha": unit}), "alpha").next_foundation()
    assert alone is not None and owned is not None and owned.rung > alone.rung


def test_the_same_size_is_trained_again_only_on_newer_text() -> None:
    model = lab_world(
        {"alpha": {**RICH, "release_months": 1}}, {"world": {"foundations": {"last_rung": 2.0}}, "years": 6}
    )
    play(model)
    vintages = [one.trained.plan.vintage for one in lab_of(model, "alpha").models]
    assert vintages == [2022, 2024, 2026] and {one.rung for one in lab_of(model, "alpha").models} == {2.0}


def test_runs_begin_no_closer_than_the_interval() -> None:
    model = play(lab_world({"alpha": {**RICH, "release_months": 18}}, {"years": 5}))
    months = [day.year * 12 + day.month for day in events_of(model, "pretraining begun")["month"]]
    assert len(months) >= 3 and min(b - a for a, b in pairwise(months)) >= 18


# -- the plan ---------------------------------------------------------------------------------------------------------


def test_text_and_skill_act_on_the_plan() -> None:
    s, unlucky = FoundationSettings(), Member(7, 1.5)
    ideal = ladder_of(s).plan(2.0)
    good = foundation_plan(s, 2.0, 2024, unlucky, 1.0, 1.0)
    poor = foundation_plan(s, 2.0, 2024, unlucky, 0.2, 0.804)
    assert good.learning_rate == ideal.learning_rate and good.quality == 1.0
    assert poor.learning_rate > 1.5 * ideal.learning_rate and poor.quality == pytest.approx(0.8)
    assert (good.vintage, good.seed, good.width, good.tokens) == (2024, 7, ideal.width, ideal.tokens)
    assert foundation_result_of(poor).loss_general > foundation_result_of(good).loss_general


@pytest.mark.parametrize(("opted_out", "left"), [(0.4, 0.6), (1.0, 0.01)])
def test_text_that_its_owners_keep_out_shortens_the_run(opted_out: float, left: float) -> None:
    law = {"general_purpose": {"opt_out_share": opted_out}}
    lab = lab_of(lab_world({"alpha": RICH}, {"world": {"law": law}}), "alpha")
    plan = lab.pretraining.intend(2.0, 1.0, 1.0).plan
    assert plan.tokens == pytest.approx(left * ladder_of(lab.foundations).plan(2.0).tokens, rel=1e-3)


def test_licences_for_its_text_are_part_of_what_a_run_costs() -> None:
    law = {"general_purpose": {"licence_usd_million_tokens": 10.0, "opt_out_share": 0.5}}
    plain, licensed = (
        lab_of(lab_world({"alpha": RICH}, {"years": 1, "world": {"law": said}}), "alpha") for said in ({}, law)
    )
    tokens = text_tokens(training_flop(plain.foundations, 2.0, 2022.0))
    more = licensed.pretraining.cost_usd(2.0) - plain.pretraining.cost_usd(2.0)
    assert more == pytest.approx(0.5 * tokens / 1e6 * 10.0)
    play(licensed.model, 8)
    one = licensed.models[0]
    assert one.trained.cost_usd > licensed.pretraining.licences_usd(one.rung) > 0
    check_money(licensed.model)


def released_under(threshold: float) -> MarketModel:
    law = {"flop_threshold": threshold, "duties_usd_year": 1.2e6, "evaluation_months": 5}
    return play(lab_world({"alpha": RICH}, {"years": 2, "world": {"law": {"general_purpose": law}}}))


def test_above_the_threshold_a_model_waits_for_its_evaluation_and_its_maker_pays_for_duties() -> None:
    free, binding = lab_of(released_under(1e30), "alpha"), lab_of(released_under(1e20), "alpha")
    assert free.models[0].trained.training_flop > 1e20
    assert binding.models[0].month == free.models[0].month + 5
    assert duties_usd(free) == 0 and duties_usd(binding) == pytest.approx(1e5)
    none = lab_of(released_under(0.0), "alpha")
    assert [one.month for one in none.models] == [one.month for one in free.models]


def test_duties_are_paid_and_the_owner_of_a_unit_covers_them() -> None:
    unit = {**IDLE, "owner": "giant", "capital_usd": 0}
    del unit["investor_belief"]
    given = []
    for duties in (0.0, 1.2e6):
        law = {"general_purpose": {"flop_threshold": 1e20, "duties_usd_year": duties}}
        model = lab_world({"alpha": unit}, {"years": 1, "world": {"law": law}})
        give_model(lab_of(model, "alpha"))
        play(model, 3)
        check_money(model)
        given.append(-lab_of(model, "alpha").books.balance["paid_in_capital"] / 100)
    assert given[1] - given[0] == pytest.approx(3e5, rel=0.03)  # less what it had itself


@given(skill=st.floats(0, 1), text=st.floats(0.5, 1), luck=st.floats(-3, 3), year=st.integers(1980, 2100))
def test_every_team_has_a_valid_plan_on_a_coarse_grid(skill: float, text: float, luck: float, year: int) -> None:
    plan = foundation_plan(FoundationSettings(), 1.0, year, Member(1, luck), skill, text)
    assert 2015 <= plan.vintage <= 2035 and round(100 * plan.quality, 6) == round(100 * plan.quality)


def test_like_teams_of_different_worlds_have_the_same_few_plans() -> None:
    plans = set()
    for seed in range(12):
        for name in ("alpha", "beta"):
            intended = lab_of(lab_world({name: RICH}, seed=seed), name).next_foundation()
            assert intended is not None
            plans.add(intended.plan)
    assert len(plans) == 2, "a pool of two seeds"
    wide = {"world": {"foundations": {"pool": 8}}}
    many = {lab_of(lab_world({"alpha": RICH}, wide, seed), "alpha").next_foundation() for seed in range(24)}
    assert len(many) > 4


# -- paying -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("months", [1, 3, 7.5])
def test_a_run_is_paid_over_its_months_and_ends_after_them(months: float) -> None:
    model = lab_world({"alpha": {**RICH, "staff": 0, "run_months": months}})
    lab, paid = lab_of(model, "alpha"), []
    while not lab.models:
        before = lab.books.cash_usd
        model.step()
        paid.append(before - lab.books.cash_usd)
    spent = [usd for usd in paid if usd]
    assert len(spent) == -(-months // 1) and max(spent) < 1.25 * min(spent)
    assert sum(spent) == pytest.approx(lab.models[0].trained.cost_usd)
    assert months <= model.month <= months + 3
    begun, released = events_of(model, "pretraining begun"), events_of(model, "foundation released")
    expected = float(begun["amount_usd"].iloc[0])
    assert 0.7 * expected < float(released["amount_usd"].iloc[0]) <= expected + 0.05, "compute gets cheaper meanwhile"


def test_costs_are_compute_wages_and_text_in_their_ratios() -> None:
    ratios = {"world": {"foundations": {"staff_ratio": 0.5, "text_ratio": 0.2}}}
    model = lab_world({"alpha": {**RICH, "staff": 0}}, ratios)
    lab = lab_of(model, "alpha")
    lab.acquire()
    balance = lab.books.balance
    assert balance["wages"] == pytest.approx(0.5 * balance["compute"]) and balance["compute"] > 0
    assert balance["data"] == pytest.approx(0.2 * balance["compute"])


def test_a_run_that_is_not_paid_for_gives_nothing() -> None:
    model = lab_world({"alpha": {"owner": "giant", "capital_usd": 1e7, "staff": 0, "stake": 1, "run_months": 2}})
    lab = lab_of(model, "alpha")
    play(model, 1)
    assert lab.pretraining.run is not None
    model.bank.pay("alpha", "suppliers", lab.books.cash_usd, "overhead", "income")
    play(model, 8)
    run = lab.pretraining.run
    assert run is not None and run.machines_done and not run.is_paid and not lab.models
    model.bank.pay("savers", "alpha", 1e9, "spending", "paid_in_capital")
    play(model, 3)
    assert len(lab.models) == 1


def test_gpus_of_the_cloud_are_held_and_given_back() -> None:
    changes = {"world": {"foundations": {"cloud_share": 1.0}, "compute": {"gpus": 1e7}}}
    model = lab_world({"alpha": {**RICH, "run_months": 4}}, changes)
    lab = lab_of(model, "alpha")
    play(model, 2)
    run = lab.pretraining.run
    assert run is not None
    held = model.cloud.size - model.cloud.free.level
    assert held == pytest.approx(run.hours / 4 / 730, rel=0.05)
    while not lab.models:
        model.step()
    assert model.cloud.size - model.cloud.free.level < 0.01 * held


def test_a_cloud_that_is_too_small_makes_runs_longer() -> None:
    months = {}
    for gpus in (1e7, 500.0):
        changes = {"world": {"foundations": {"cloud_share": 1.0}, "compute": {"gpus": gpus}}, "years": 4}
        model = lab_world({"alpha": {"capital_usd": 1e9, "run_months": 4}}, changes)
        while not lab_of(model, "alpha").models and model.month < model.n_months:
            model.step()
        months[gpus] = model.month
    assert months[500.0] > months[1e7] + 6


# -- what comes out ---------------------------------------------------------------------------------------------------


def test_the_loss_is_what_was_measured_on_that_plan_and_due_only_then() -> None:
    service = FakeService()  # it refuses a result before its time
    model = play(lab_world({"alpha": RICH}, service=service), 12)
    one = lab_of(model, "alpha").models[0]
    assert list(service.pretrained) == [one.trained.plan.key()]
    assert one.loss == service.pretrained[one.trained.plan.key()].loss_general
    assert one.trained.training_flop == pytest.approx(
        training_flop(FoundationSettings(), one.rung, 2022 + 1 / 12), rel=0.01
    )
    rows = model.tables()["foundations"]
    assert set(rows["key"]) == {one.trained.plan.key()} and set(rows["loss_general"]) == {one.loss}


def test_a_larger_rung_has_the_lower_loss() -> None:
    lab = lab_of(lab_world({"alpha": RICH}), "alpha")
    losses = [give_model(lab, rung).loss for rung in (1.0, 1.5, 2.0)]
    assert losses == sorted(losses, reverse=True)
