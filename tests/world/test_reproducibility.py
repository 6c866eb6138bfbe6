"""The same scenario and seed give the same tables, with real training, alone or in company, from any ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from analysis.play.lockstep import one_thread, play_month
from scenarios import load
from scenarios.build import build_world
from scenarios.schema import Scenario
from simulation.model import MarketModel
from simulation.training.ledger.ledger import Ledger
from simulation.training.service import TrainingService
from tests.support.world_fakes import merged, play, scenario_of

SHORT: dict[str, Any] = {
    "years": 2,
    "world": {"compute": {"rung_gpu_hours": 1e6}, "sectors": {"vision": {"traditional_rows": 256}}},
    "firms": {"iris": {"model_kind": "mlp", "rows": 1e4}, "giant": {"model_kind": "mlp", "rows": 3e4}},
    "entrants": {"new": {"sector": "vision", "per_year": 2, "at_start": 1, "offers": [{"photos": "freemium"}]}},
}  # fmt: skip
Tables = dict[str, pd.DataFrame]


def short(changes: dict[str, Any] | None = None) -> Scenario:
    return scenario_of(merged(SHORT, changes or {}))


def assert_same(one: Tables, other: Tables) -> None:
    for name in one:
        pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)


def check_keys(model: MarketModel, ledger: Ledger) -> int:
    """Every quality that a firm shows is what the ledger says of the key beside it; returns how many there are."""
    firms = model.tables()["firms"]
    assert (firms["ledger_key"].eq("") == firms["quality_lab"].isna()).all()
    assert (firms["quality_lab"].isna() == firms["quality_field"].isna()).all()
    shown = firms.dropna(subset=["quality_lab"])
    for key, rows in shown.groupby("ledger_key"):
        result = ledger.get(str(key))
        assert result is not None, f"{key} is not in the ledger"
        assert set(rows["quality_lab"]) == {result.accuracy_lab}
        assert set(rows["quality_field"]) == {result.accuracy_field}
    return len(shown)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def alone() -> tuple[MarketModel, TrainingService]:
    """The short world, played alone from an empty ledger."""
    with one_thread():
        service = TrainingService(Ledger(), "cpu")
        return play(build_world(short(), 5, service)), service


def test_a_world_in_company_takes_the_same_path(alone: tuple[MarketModel, TrainingService]) -> None:
    service = TrainingService(Ledger(), "cpu")
    other = short({"firms": {"iris": {"skill": 0.9}}})
    worlds = [build_world(short(), 4, service), build_world(short(), 5, service), build_world(other, 5, service)]
    for _ in range(24):
        play_month(worlds, service)
    assert_same(alone[0].tables(), worlds[1].tables())
    assert not worlds[0].tables()["firms"].equals(worlds[1].tables()["firms"])
    assert service.n_runs > alone[1].n_runs


def test_a_warm_ledger_gives_the_same_path_without_training(alone: tuple[MarketModel, TrainingService]) -> None:
    service = TrainingService(alone[1].ledger, "cpu")
    again = play(build_world(short(), 5, service))
    assert service.n_runs == 0 and service.n_from_ledger >= len(service.used_keys) > 3
    assert_same(alone[0].tables(), again.tables())


def test_training_again_gives_the_same_path(alone: tuple[MarketModel, TrainingService]) -> None:
    service = TrainingService(alone[1].ledger, "cpu", retrain=True)
    again = play(build_world(short(), 5, service))
    assert service.n_runs > 3 and service.n_from_ledger == 0
    assert_same(alone[0].tables(), again.tables())


def test_another_seed_is_another_history(alone: tuple[MarketModel, TrainingService]) -> None:
    other = play(build_world(short(), 6, TrainingService(Ledger(), "cpu")))
    assert not other.tables()["firms"]["cash_usd"].equals(alone[0].tables()["firms"]["cash_usd"])


def test_every_quality_shown_stands_in_the_ledger_under_its_key(alone: tuple[MarketModel, TrainingService]) -> None:
    model, service = alone
    assert check_keys(model, service.ledger) > 20
    releases = model.tables()["events"].query("kind == 'release'")
    keys = [json.loads(fields)["run"] for fields in releases["fields"]]
    assert len(keys) > 2 and all(service.ledger.get(key) is not None for key in keys)
    assert set(keys) <= service.used_keys


def test_quality_is_never_shown_before_the_first_model(alone: tuple[MarketModel, TrainingService]) -> None:
    firms, events = alone[0].tables()["firms"], alone[0].tables()["events"]
    first = events.query("kind == 'release'").groupby("firm")["time"].min()
    for firm, rows in firms.groupby("firm"):
        shown = rows.dropna(subset=["quality_lab"])["month"]
        assert len(shown) == 0 or shown.min() >= first[firm] - pd.DateOffset(months=1)


def test_nobody_is_measured_before_it_is_founded(alone: tuple[MarketModel, TrainingService]) -> None:
    firms = alone[0].tables()["firms"]
    assert (firms["month"] >= firms["founded"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("case", ["cases/vision", "cases/speech"])
def test_a_whole_case_shows_only_what_was_measured(case: str) -> None:
    scenario = load(case)
    service = TrainingService(Ledger(), "cpu")
    model = play(build_world(scenario, 0, service))
    assert check_keys(model, service.ledger) > 500
    firms = model.tables()["firms"]
    focal = firms[firms["firm"] == scenario.focal]
    assert focal["ledger_key"].replace("", None).nunique() >= 1, "the focal firm releases a model"
    endings = model.tables()["endings"].set_index("firm")
    assert scenario.focal in endings.index and len(endings) == len(model.firms)
    assert (firms["month"] >= firms["founded"]).all()
