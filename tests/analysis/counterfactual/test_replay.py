"""Playing a recorded world again with one firm changed: exactly the same without a change, and what turns an ending."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from agents.entry import with_changes
from agents.settings import FirmSettings
from analysis.cli.main import run_command
from analysis.counterfactual import search as replay_search
from analysis.counterfactual.changes import Changes
from analysis.counterfactual.levers import LEVERS, LeverChange, LeverSetting, lever_changes
from analysis.counterfactual.replay import Outcome, ReplayContext, check_same, play_changes, replay_context
from analysis.counterfactual.search import GRID, Search, search
from analysis.errors import AnalysisError
from analysis.explain.facts import Subject
from analysis.runs.run import Run
from scenarios.build import build_world
from simulation.parameters import parameter_records
from tests.support.damage import seal_again
from tests.support.explain_fakes import ENGINE, ENTRANTS, play_small
from tests.support.service import FakeService
from tests.support.world_fakes import scenario_of

CAPITAL = LeverSetting("capital_usd", 1e5, 1e8, log=True)
ALIVE, BANKRUPT = Outcome("alive", "", False), Outcome("bankrupt", "2017-07", True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return play_small(tmp_path_factory.mktemp("small") / "run")


@pytest.fixture(autouse=True)
def computed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("analysis.counterfactual.replay.real_engine", lambda: ENGINE)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))


@pytest.fixture
def iris(run: Run) -> Iterator[ReplayContext]:
    with replay_context(run, Subject("small", "base", 0, "iris"), None, "cpu") as context:
        yield context


def settings_of(**changes: object) -> FirmSettings:
    return FirmSettings(**{"sector": "vision", "offers": {"cameras": "subscription"}, **changes})


# -- replay -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", [Subject("small", "base", 1, "iris"), Subject("small", "rich", 0, "new-2016-01-1")])
def test_a_replay_without_a_change_is_the_recorded_run(run: Run, subject: Subject) -> None:
    with replay_context(run, subject, None, "cpu") as context:
        assert check_same(run, context).sector == "vision"


def test_a_replay_that_leaves_the_record_is_refused(run: Run, iris: ReplayContext) -> None:
    other = replace(iris, setup=scenario_of({"entrants": ENTRANTS, "firms": {"giant": {"capital_usd": 3e8}}}))
    with pytest.raises(
        AnalysisError, match=r"made by another version .* without any change firms 2016-0.* was recorded"
    ):
        check_same(run, other)


def test_a_replay_of_a_named_firm_pulls_its_lever(iris: ReplayContext) -> None:
    poor, rich = play_changes(iris, [Changes({"capital_usd": 1e6}), Changes({"capital_usd": 1e7})])
    assert poor == replace(BANKRUPT, ended=poor.ended) and rich == ALIVE


def test_a_replay_of_a_drawn_firm_changes_it_and_none_of_its_other_draws(run: Run) -> None:
    scenario = scenario_of({"entrants": ENTRANTS})
    before, after = (
        build_world(scenario, 0, FakeService(), changes) for changes in ({}, {"new-2016-01-1": {"skill": 0.9}})
    )
    assert after.firms["new-2016-01-1"].settings == before.firms["new-2016-01-1"].settings.model_copy(
        update={"skill": 0.9}
    )
    assert after.firms["new-2016-01-2"].settings == before.firms["new-2016-01-2"].settings
    with replay_context(run, Subject("small", "base", 0, "new-2016-01-1"), None, "cpu") as context:
        both = [Changes({"capital_usd": usd}) for usd in (1e6, 3e7)]
        assert [one.ending for one in play_changes(context, both)] == ["bankrupt", "alive"]


def test_changes_reach_nested_settings_and_are_checked() -> None:
    assert with_changes(settings_of(), {"engineering.memory": 2.0}).engineering.memory == 2.0
    assert with_changes(settings_of(), {}) == settings_of()
    with pytest.raises(ValueError, match="skill"):
        with_changes(settings_of(), {"skill": 7})


# -- levers -----------------------------------------------------------------------------------------------------------


def test_the_range_of_every_lever_is_one_that_the_schema_allows() -> None:
    for knob in (knob for lever in LEVERS for knob in lever.knobs):
        for value in (knob.low, knob.high):
            with_changes(settings_of(), {knob.path: value})


def test_sizes_are_shares_of_the_range() -> None:
    pull = LeverChange("seed capital", +1, (CAPITAL,), (1e6,))
    assert pull.room == pytest.approx(2 / 3) and pull.changes(1 / 3) == {"capital_usd": 1e7}
    assert pull.changes(1.0) == {"capital_usd": 1e8}, "never beyond the range"
    assert pull.says(1 / 3) == "capital_usd 1e+06 → 1e+07"
    both = LeverChange(
        "field", +1, (LeverSetting("field_share", 0, 1), LeverSetting("data_operations", 0, 1)), (0.0, 0.9)
    )
    assert both.changes(0.5) == {"field_share": 0.5, "data_operations": 1.0}
    assert {record["name"] for record in parameter_records(FirmSettings)} >= set(both.changes(0.5))


def test_failures_are_helped_and_survivors_hurt() -> None:
    helped = {(pull.lever, pull.direction) for pull in lever_changes(settings_of(), failed=True)}
    hurt = {(pull.lever, pull.direction) for pull in lever_changes(settings_of(), failed=False)}
    assert ("seed capital", +1) in helped - hurt and ("seed capital", -1) in hurt - helped
    assert {("price level", +1), ("price level", -1), ("cameras: subscription → licence", 0)} <= helped & hurt
    assert not any(
        lever.startswith("skill") for lever, _ in {(p.lever, 1) for p in lever_changes(settings_of(skill=1.0), True)}
    )


# -- search -----------------------------------------------------------------------------------------------------------


def finish(one: Search, turns_at: float) -> list[float]:
    while (size := one.next_size()) is not None:
        one.tried[size] = ALIVE if size >= turns_at else BANKRUPT
    return list(one.tried)


def test_a_search_climbs_the_grid_and_bisects() -> None:
    one = Search(LeverChange("seed capital", +1, (CAPITAL,), (1e6,)), failed=True)
    assert finish(one, 0.3) == [0.1, 0.25, 0.5, pytest.approx(2 / 3), 0.375, 0.3125]
    assert one.reversal == 0.3125 and one.below == 0.25 and one.most == 6 and one.larger == (3, 3)
    never = Search(LeverChange("seed capital", +1, (CAPITAL,), (1e6,)), failed=True)
    assert finish(never, 9) == [*GRID[:3], pytest.approx(2 / 3)] and never.reversal is None and never.most == 4
    assert len(finish(Search(LeverChange("s", 0, switch=(("offers", {}),)), failed=True), 0)) == 1


def test_more_money_saves_the_small_firm_and_other_levers_do_not(iris: ReplayContext) -> None:
    pulls = [
        p
        for p in lever_changes(iris.setup.firms["iris"], True)
        if p.lever in ("seed capital", "prevention of incidents")
    ]
    notes: list[tuple[int, int, int]] = []
    result = search(iris, pulls, True, 1, lambda *note: notes.append(note))
    (found,) = result.found
    assert found.pull.lever == "seed capital" and 0.1 < found.below < found.reversal < 0.5
    assert [one.pull.lever for one in result.without] == ["prevention of incidents"] and result.complete
    assert notes[-1] == (result.n_replays, result.n_replays, 1)


def test_an_interrupt_keeps_what_was_found(iris: ReplayContext, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([False, True])

    def stopped(*arguments: object) -> object:
        if next(rounds):
            raise KeyboardInterrupt
        return [BANKRUPT]

    monkeypatch.setattr(replay_search, "play_changes", stopped)
    result = search(iris, [LeverChange("seed capital", +1, (CAPITAL,), (1e6,))], True)
    assert not result.complete and result.n_replays == 1 and result.found == []


@pytest.mark.slow
def test_the_command_tells_and_searches(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert run_command(["explain", str(run.folder), "iris", "--jobs", "1", "--json"]) == 0
    out, err = capfd.readouterr()
    document = json.loads(out)
    best = document["reversals"]["levers"][0]
    assert best["reverses"] and best["not_at"] < best["size"] and document["failed"]
    sizes = [one["size"] for one in document["reversals"]["levers"] if one["reverses"] and one["size"] is not None]
    assert sizes == sorted(sizes) and "would have saved it" in err and "seed capital" in err
    assert run_command(["explain", str(run.folder), "giant", "--json"]) == 0
    assert json.loads(capfd.readouterr()[0])["reversals"] is None, "an incumbent cannot end"


def test_the_command_stops_where_the_run_is_another_version_s(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import shutil

    folder = Path(shutil.copytree(run.folder, tmp_path / "run"))
    firms = pd.read_parquet(folder / "firms.parquet")
    firms.loc[3, "cash_usd"] += 1
    firms.to_parquet(folder / "firms.parquet")
    seal_again(folder)
    assert run_command(["explain", str(folder), "iris", "--jobs", "1"]) == 2
    out, err = capfd.readouterr()
    assert "goes bankrupt" in out and "made by another version" in err and "cash_usd is" in err
    assert run_command(["explain", str(folder), "iris", "--no-replay"]) == 0


def test_ctrl_c_leaves_with_130_and_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(replay_search, "play_changes", stopped)
    assert run_command(["explain", str(run.folder), "iris", "--jobs", "1"]) == 130
    assert "stopped by Ctrl-C" in capfd.readouterr()[0]
