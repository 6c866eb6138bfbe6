"""How far a story is robustness: what turned an ending around in one seed, replayed in further seeds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.cli.main import run_command
from analysis.counterfactual import seeds as seeds_module
from analysis.counterfactual.levers import LEVERS, LeverChange
from analysis.counterfactual.replay import Outcome, ReplayContext, replay_context
from analysis.counterfactual.search import Reversals, Search
from analysis.counterfactual.seeds import (
    AS_IT_WAS,
    Change,
    SeedRobustness,
    changes_of,
    further_seeds,
    pieces_of,
    replay_seeds,
)
from analysis.errors import AnalysisError
from analysis.explain.facts import Subject
from analysis.runs.run import Run
from analysis.screens.seeds import robustness_lines
from tests.support.explain_fakes import ENGINE, play_small

IRIS = Subject("small", "base", 0, "iris")
CAPITAL = next(lever for lever in LEVERS if lever.name == "seed capital")
PREVENTION = next(lever for lever in LEVERS if lever.name == "prevention of incidents")
MONEY = LeverChange("seed capital", +1, CAPITAL.knobs, (1e6,))
CARE = LeverChange("prevention of incidents", +1, PREVENTION.knobs, (0.0,))
ALIVE, BANKRUPT = Outcome("alive", "", False), Outcome("bankrupt", "2017-07", True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return play_small(tmp_path_factory.mktemp("small") / "run", seeds=1)


@pytest.fixture(autouse=True)
def computed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("analysis.counterfactual.replay.real_engine", lambda: ENGINE)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))


@pytest.fixture
def iris(run: Run) -> Iterator[ReplayContext]:
    with replay_context(run, IRIS, None, "cpu") as context:
        yield context


def tried(pull: LeverChange, **outcomes: Outcome) -> Search:
    """A search that tried sizes, written as percent."""
    return Search(pull, True, {int(size.removeprefix("at")) / 100: one for size, one in outcomes.items()})


REVERSALS = Reversals((tried(CARE, at25=BANKRUPT, at95=BANKRUPT), tried(MONEY, at25=BANKRUPT, at50=ALIVE)), True)


def test_what_reverses_is_replayed_at_its_smallest_size_and_the_rest_at_its_largest() -> None:
    assert changes_of(REVERSALS) == (Change(MONEY, 0.5, True), Change(CARE, 0.95, False))


def test_further_seeds_come_after_that_of_the_story() -> None:
    assert further_seeds(Subject("s", "base", 7, "iris"), 3) == range(8, 11)
    for n in (0, -1, 10**9):
        with pytest.raises(AnalysisError, match=f"--seeds must be at least 1 and at most 10,000, not {n:,}"):
            further_seeds(IRIS, n)
    with pytest.raises(AnalysisError, match="room for 3 seeds"):
        further_seeds(Subject("s", "base", 2**63 - 2, "iris"), 3)


def test_a_lever_is_counted_where_the_unchanged_firm_ends_as_in_the_story() -> None:
    robustness = SeedRobustness((1, 2, 3, 4), True, changes_of(REVERSALS))
    money = {1: ALIVE, 2: BANKRUPT, 3: ALIVE, 4: BANKRUPT}
    unchanged = {1: BANKRUPT, 2: BANKRUPT, 3: ALIVE, 4: ALIVE}
    for number, by_seed in ((AS_IT_WAS, unchanged), (0, money), (1, unchanged)):
        robustness.outcomes.update({(seed, number): one for seed, one in by_seed.items()})
    first, second = robustness.effects()
    assert (first.change.pull, first.turns.estimate, first.turns.n) == (MONEY, 0.5, 2)
    assert first.net.estimate == 0, "it saves the firm in seed 1 and ruins it in seed 4"
    assert second.turns.estimate == 0 and robustness.complete
    assert robustness.same_ending.estimate == 0.5 and robustness.endings == {"bankrupt": 2, "alive": 2}


def test_money_saves_the_small_firm_in_all_seeds_and_the_same_seeds_give_the_same(iris: ReplayContext) -> None:
    notes: list[tuple[int, int]] = []
    robustness = replay_seeds(iris, REVERSALS, True, (1, 2, 3), 1, lambda *note: notes.append(note))
    money, care = robustness.effects()
    assert robustness.same_ending.estimate == 1 and robustness.complete and notes[-1] == (9, 9)
    assert (money.change.pull, money.turns.estimate, money.net.estimate) == (MONEY, 1.0, -1.0)
    assert care.turns.estimate == 0 and care.net.estimate == 0
    again = replay_seeds(iris, REVERSALS, True, (3, 2), 1)
    assert again.outcomes == {key: one for key, one in robustness.outcomes.items() if key[0] in (2, 3)}


def test_each_seed_begins_with_the_unchanged_firm_in_even_parts() -> None:
    robustness = SeedRobustness((5, 6), True, tuple(Change(MONEY, 0.5, True) for _ in range(9)))
    pieces = pieces_of(robustness)
    assert [seed for seed, _ in pieces] == [5, 5, 6, 6] and pieces[0][1][0] == AS_IT_WAS
    assert [len(numbers) for _, numbers in pieces] == [5, 5, 5, 5] and robustness.n_wanted == 20


def test_an_interrupt_keeps_the_finished_seeds(iris: ReplayContext, monkeypatch: pytest.MonkeyPatch) -> None:
    play, left = seeds_module.play_changes, iter([True, True, False])

    def stopping(*arguments: object) -> object:
        if not next(left):
            raise KeyboardInterrupt
        return play(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(seeds_module, "play_changes", stopping)
    robustness = replay_seeds(iris, REVERSALS, True, range(1, 9))
    assert not robustness.complete and len(robustness.as_it_was) == 2 and robustness.effects()[0].turns.n == 2
    assert any("stopped by Ctrl-C" in line for line in robustness_lines(robustness))
    nothing = SeedRobustness((1,), True, changes_of(REVERSALS))
    assert "before a seed was finished" in robustness_lines(nothing)[1] and nothing.effects() == []


def test_a_drawn_firm_is_another_one_in_another_seed(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", str(run.folder), "new-2016-01-1", "--seeds", "2", "--jobs", "1"]) == 2
    assert "new-2016-01-1 was drawn from a stream of entrants" in capfd.readouterr()[1]


@pytest.mark.slow
def test_the_command_says_how_robust_it_is(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", str(run.folder), "iris", "-n", "2", "--jobs", "1", "--json"]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)["further_seeds"]
    money = next(one for one in found["levers"] if one["lever"] == "seed capital")
    assert found["seeds"] == [1, 2] and found["complete"] and found["same_ending"]["n"] == 2
    assert money["reverses_here"] and money["reverses"]["n"] == 2, "poor, it is bankrupt in every seed"
    assert money["failures"]["effect"] == -money["reverses"]["share"]
    assert len(found["levers"]) * 2 + 2 == found["replays"]
    assert "How robust it is: 2 further seeds (1 to 2)" in err and "seed capital" in err.split("How robust")[1]
    assert run_command(["explain", str(run.folder), "iris", "--no-replay", "-n", "2"]) == 2
    assert "leave out one of them" in capfd.readouterr()[1]


@pytest.mark.slow
def test_ctrl_c_in_further_seeds_leaves_with_130_and_a_whole_document(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(seeds_module, "play_changes", stopped)
    assert run_command(["explain", str(run.folder), "iris", "--seeds", "2", "--jobs", "1", "--json"]) == 130
    document = json.loads(capfd.readouterr()[0])
    assert document["reversals"]["complete"] and not document["further_seeds"]["complete"]
