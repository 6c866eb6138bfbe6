"""Worlds with laboratories: nobody's path changes by one that nobody uses, books balance, foundations are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from scenarios.build import build_world
from simulation.model import MarketModel
from simulation.training.device import resolve_device
from simulation.training.foundation.library import Library, forget_foundations
from simulation.training.ledger.ledger import Ledger
from simulation.training.service import TrainingService
from tests.support.conservation import check_all, check_endings
from tests.support.lab_worlds import LAB_MARKET, RICH, lab_of, lab_world, without_labs
from tests.support.service import FakeService
from tests.support.world_fakes import merged, play, scenario_of

LABS: dict[str, dict[str, Any]] = {
    "alpha": {"capital_usd": 2e9, "staff": 100},
    "beta": {"capital_usd": 1e8, "access": "licence", "opens_behind_rungs": 0.5},
    "gamma": {"capital_usd": 1e9, "access": "open", "founded": "2022-09"},
    "delta": {"owner": "giant", "budget_usd_month": 1e7, "capital_usd": 0, "commoditise_share": 0.5},
    "poor": {"capital_usd": 1e6, "investor_belief": 0.0, "staff": 40},
}
STREAM = {"new": {"sector": "vision", "per_year": 6, "at_start": 2, "offers": [{"cameras": "subscription"}]}}
FIRMS = ("firms", "sectors", "rounds", "endings", "funds")


def changes_of(cloud_share: float = 0.0) -> dict[str, Any]:
    law = {"support": {"open_weights_usd_year": 1e7}}
    world = {"foundations": {"cloud_share": cloud_share}, "law": law, "compute": {"gpus": 1e7}, **NO_DOCUMENTS}
    return {"entrants": STREAM, "years": 3, "world": world}


NO_DOCUMENTS = {"sectors": {"vision": {"task": "security-vision"}}}
"""Where no foundation is of use."""


def played(labs: Mapping[str, Any], cloud_share: float = 0.0, seed: int = 3) -> MarketModel:
    return play(lab_world(labs, changes_of(cloud_share), seed))


def assert_same_firms(one: MarketModel, other: MarketModel) -> None:
    a, b = one.tables(), other.tables()
    for name in FIRMS:
        pd.testing.assert_frame_equal(a[name], b[name])
    named = {lab.name for lab in (*one.labs, *other.labs)}
    events = [frame[~frame["firm"].isin(named)].reset_index(drop=True) for frame in (a["events"], b["events"])]
    pd.testing.assert_frame_equal(*events)


# -- pairing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cloud_share", [0.0, 1.0])
def test_laboratories_that_nobody_uses_change_no_firms_path(cloud_share: float) -> None:
    """With GPUs enough for all: what is scarce is felt, and that is meant."""
    nobody = without_labs({**changes_of(), "world": {"foundations": None, "compute": {"gpus": 1e7}, **NO_DOCUMENTS}}, 3)
    with_labs = played(LABS, cloud_share)
    assert_same_firms(play(nobody), with_labs)
    assert len(with_labs.tables()["foundations"]) > 20 and nobody.tables()["foundations"].empty


def test_the_order_of_laboratories_changes_no_firm_and_no_run() -> None:
    """What is decided on what others did in the same month may follow the order; who they are does not."""
    ways = played(LABS), played(dict(reversed(LABS.items())))
    assert_same_firms(*ways)
    runs = [
        model.tables()["events"].query("kind == 'pretraining begun'").groupby("firm")["fields"].first().to_dict()
        for model in ways
    ]
    assert runs[0] == runs[1]


def test_one_laboratory_more_leaves_all_others_who_they_are() -> None:
    few, many = played({"alpha": LABS["alpha"]}), played({"more": RICH, "alpha": LABS["alpha"]})
    assert lab_of(few, "alpha").pretraining.identity == lab_of(many, "alpha").pretraining.identity
    plans = [[one.trained.plan for one in lab_of(model, "alpha").models] for model in (few, many)]
    assert plans[0] == plans[1]


# -- sums -------------------------------------------------------------------------------------------------------------


def test_money_and_firms_add_up_every_month_whatever_becomes_of_laboratories() -> None:
    model = lab_world(LABS, {**changes_of(0.1), "years": 5}, seed=1)
    check_all(model)
    while model.month < model.n_months:
        model.step()
        check_all(model)
    check_endings(model)
    events = model.tables()["events"]
    happened = {"pretraining begun", "foundation released", "opened", "repriced", "lab funded", "lab ended"}
    assert happened <= set(events["kind"])
    assert not lab_of(model, "poor").alive and lab_of(model, "poor").books.cash_usd == 0


def test_a_laboratory_does_nothing_before_its_date() -> None:
    model = played(LABS)
    events = model.tables()["events"]
    first = events[events["firm"] == "gamma"]["month"].min()
    assert first >= pd.Timestamp("2022-09-01")
    assert first <= pd.Timestamp("2022-11-01")


def test_the_same_seed_gives_the_same_world() -> None:
    one, other = played(LABS).tables(), played(LABS).tables()
    for name in one:
        pd.testing.assert_frame_equal(one[name], other[name])


def test_rows_stand_for_what_is_on_offer() -> None:
    model = lab_world(LABS, changes_of(), 2)
    for _ in range(24):
        model.step()
        rows = model.tables()["foundations"]
        now = rows[rows["month"] == rows["month"].max()] if len(rows) else rows
        offers = model.model_market.offers.values()
        if offers:
            assert sorted(zip(now["supplier"], now["key"], strict=True)) == sorted(
                (offer.supplier, offer.plan.key()) for offer in offers
            )


# -- real training ----------------------------------------------------------------------------------------------------


def test_foundations_are_trained_measured_and_kept_in_the_weight_store(tmp_path: Any) -> None:
    """The smallest rung, for real: a second each."""
    data = merged(LAB_MARKET, {"labs": {"alpha": RICH}, "years": 1, "world": {"foundations": {"last_rung": 0.0}}})
    ledger = str(tmp_path / "ledger.sqlite")
    losses = []
    for _ in range(2):  # the second world finds it in the store
        forget_foundations()
        service = TrainingService(Ledger.open(ledger), "cpu")
        model = play(build_world(scenario_of(data), 0, Mixed(service)), 10)
        one = lab_of(model, "alpha").models[0]
        losses.append(one.loss)
        assert Library(tmp_path / "ledger.sqlite.weights").get(one.trained.plan, resolve_device("cpu"))
    assert losses[0] == losses[1] and 1.0 < losses[0] < 3.0
    assert service.seconds < 30 and set(model.tables()["foundations"]["loss_general"]) == {losses[0]}


class Mixed(FakeService):
    """Networks of firms are computed, foundations trained."""

    def __init__(self, real: TrainingService) -> None:
        super().__init__()
        self.real = real

    def submit_foundation(self, plan: Any) -> str:
        return self.real.submit_foundation(plan)

    def train(self, due: Any) -> int:
        keys = list(due)
        self.real.train([key for key in keys if key not in self.plans])
        return super().train([key for key in keys if key in self.plans])

    def foundation_result(self, key: str) -> Any:
        return self.real.foundation_result(key)
