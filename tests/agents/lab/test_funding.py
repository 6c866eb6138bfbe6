"""Money of laboratories: budgets of owners, rounds, bills and costs of tokens, tax, and the end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from agents.lab.funding import value_usd, wanted_round
from tests.support.conservation import check_money
from tests.support.lab_worlds import IDLE, RICH, give_model, lab_of, lab_world, use
from tests.support.world_fakes import play

POOR: dict[str, Any] = {"capital_usd": 3e6, "investor_belief": 0.0, "staff": 20, "stake": 0.01}


def test_customers_pay_the_laboratory_and_it_pays_for_serving() -> None:
    model = play(lab_world({"alpha": IDLE}, {"world": {"law": {"tax_rate": 0.0}}}), 1)
    lab = lab_of(model, "alpha")
    one = give_model(lab)
    play(model, 1)
    cash, price = lab.books.cash_usd, one.price_usd
    use(model, "giant", one, "alpha", million_tokens=1000)
    assert lab.books.cash_usd == pytest.approx(cash + 1000 * price, abs=0.01)
    play(model, 1)
    gain = 1000 * price - 1000 * lab.serving_usd(one.rung)
    assert lab.revenues[-1] == pytest.approx(1000 * price, abs=0.01)
    assert lab.books.cash_usd == pytest.approx(cash + gain, abs=0.02)
    row = model.tables()["foundations"].iloc[-1]
    assert (row["million_tokens"], row["revenue_usd"]) == (1000, pytest.approx(1000 * price, abs=0.01))
    assert not model.model_market.uses, "a new month begins"


def test_profit_is_taxed_once_losses_are_made_good() -> None:
    model = play(lab_world({"alpha": {**IDLE, "markup": 20.0}}, {"world": {"law": {"tax_rate": 0.3}}}), 1)
    lab = lab_of(model, "alpha")
    one = give_model(lab)
    use(model, "giant", one, "alpha", million_tokens=1e5)
    before = model.bank.books["government"].cash_usd
    lab.seek_capital()
    assert model.bank.books["government"].cash_usd - before == pytest.approx(
        0.3 * 1e5 * (one.price_usd - lab.serving_usd(2.0)), rel=1e-3
    )


def test_bills_of_a_supplier_that_has_ended_go_elsewhere_and_keep_the_books() -> None:
    model = lab_world({"alpha": {**POOR, "staff": 2000}})
    one = give_model(lab_of(model, "alpha"))
    play(model, 3)
    assert not lab_of(model, "alpha").alive and lab_of(model, "alpha").books.cash_usd == 0
    assert model.model_market.payee("alpha") == "suppliers" and not model.model_market.offers
    model.bank.pay("giant", model.model_market.payee("alpha"), 10.0, "inference", "income")
    play(model, 2)
    check_money(model)
    events = model.tables()["events"]
    assert list(events[events["kind"] == "lab ended"]["firm"]) == ["alpha"] and one.access == "api"


def test_a_laboratory_of_its_own_ends_when_cash_is_out_and_its_run_with_it() -> None:
    model = lab_world({"alpha": {**POOR, "stake": 1.0, "run_months": 12}}, {"years": 2})
    lab = lab_of(model, "alpha")
    while lab.alive and model.month < model.n_months:
        model.step()
        check_money(model)
    assert not lab.alive and lab.pretraining.run is None and not lab.models
    play(model)
    assert not lab.models and "alpha" in model.model_market.ended


def test_a_units_owner_pays_and_covers_what_is_missing() -> None:
    unit = {"owner": "giant", "capital_usd": 0, "budget_usd_month": 1000.0, "staff": 50}
    model = play(lab_world({"alpha": unit}), 12)
    lab = lab_of(model, "alpha")
    assert lab.alive
    wages = 50 * 12_000
    assert -lab.books.balance["paid_in_capital"] / 100 > 12 * wages, "twelve months of staff"
    check_money(model)


def test_a_unit_ends_with_its_owner() -> None:
    model = play(lab_world({"alpha": {"owner": "giant", "budget_usd_month": 1e6}}), 2)
    model.firms["giant"].end("bankrupt")
    play(model, 1)
    events = model.tables()["events"]
    assert list(events[events["kind"] == "lab ended"]["fields"]) == ['{"why":"owner"}']


def test_a_unit_raises_no_round() -> None:
    model = play(lab_world({"alpha": {"owner": "giant", "capital_usd": 1e7, "budget_usd_month": 1e6}}))
    assert lab_of(model, "alpha").raised_usd == 0


def test_value_follows_revenue_the_distance_to_the_frontier_and_the_climate() -> None:
    model = lab_world({"alpha": {**IDLE, "investor_belief": 1.0}}, {"world": {"capital": {"heat": {2020: 1.0}}}})
    lab, promise = lab_of(model, "alpha"), model.settings.foundations.frontier_value_usd
    give_model(lab, 1.5)
    assert value_usd(lab) == pytest.approx(promise / 2), "half a rung behind F2, the largest of 2022"
    give_model(lab, 2.0)
    assert value_usd(lab) == pytest.approx(promise)
    lab.revenues += [1e6] * 3
    assert value_usd(lab) == pytest.approx(promise + 12e6 * model.settings.capital.revenue_multiple)


def test_a_round_is_a_part_of_the_value_once_in_a_while_and_only_in_need() -> None:
    model = lab_world(
        {"alpha": {"capital_usd": 1e7}}, {"world": {"foundations": {"round_share": 0.1, "round_months": 9}}}
    )
    lab = lab_of(model, "alpha")
    give_model(lab, 2.0)
    usd, value = wanted_round(lab)
    assert usd == pytest.approx(0.1 * value)
    play(model, 30)
    events = model.tables()["events"]
    rounds = events[events["kind"] == "lab funded"]
    months = [day.year * 12 + day.month for day in rounds["month"]]
    assert len(months) >= 2 and min(b - a for a, b in pairwise(months)) >= 9
    assert lab.raised_usd == pytest.approx(rounds["amount_usd"].sum())
    rich = lab_of(lab_world({"alpha": {"capital_usd": 1e11}}), "alpha")
    assert wanted_round(rich)[0] == 0


def test_only_the_scaled_part_of_a_laboratory_is_in_the_world() -> None:
    paid = {}
    for scale in (1.0, 0.25):
        model = play(lab_world({"alpha": {**RICH, "staff": 100}}, {"world": {"foundations": {"scale": scale}}}), 10)
        lab = lab_of(model, "alpha")
        capital = -lab.books.balance["paid_in_capital"] / 100
        paid[scale] = capital, capital - lab.books.cash_usd, lab.models[0].rung, lab.models[0].trained.training_flop
    assert [small / whole for small, whole in zip(paid[0.25][:2], paid[1.0][:2], strict=True)] == pytest.approx(
        [0.25] * 2
    )
    assert paid[0.25][2:] == paid[1.0][2:], "the same model, whatever part of its maker is here"
