"""What a request will take is told before it is played, and what nobody can have meant is asked for twice."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import AnalysisError
from analysis.cli.main import run_command
from analysis.play.estimate import LargeWorld, check_size, estimate, firm_months, n_firms
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import NewFolder, PlayOptions, most_jobs
from scenarios import load
from scenarios.build import build_world
from scenarios.schema import Scenario
from tests.support.analysis_fakes import ENGINE
from tests.support.service import FakeService
from tests.support.shipped import shipped

HUGE = "extends: markets/base\ntitle: Huge\nentrants: {vision: {at_start: 100000}}\n"


@pytest.fixture(autouse=True)
def every_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def played_firm_months(setup: Scenario) -> int:
    service = FakeService()
    world = build_world(setup, 1, service)
    while world.month < world.n_months:
        service.train(sorted(world.advance_clock()))
        world.finish_month()
    return len(world.tables()["firms"])


def test_expected_firm_months_are_those_that_are_played_give_or_take_a_third() -> None:
    setup = shipped("markets/base").model_copy(update={"years": 2, "interventions": ()})
    assert firm_months(setup) == pytest.approx(played_firm_months(setup), rel=1 / 3)


def test_potential_founders_are_counted_as_if_all_founded() -> None:
    base = shipped("markets/base")
    scale = base.world.model_copy(update={"founding": base.world.founding.model_copy(update={"firms_scale": 10.0})})
    usual = {name: one.model_copy(update={"per_year": 6.0}) for name, one in base.entrants.items()}
    real = {name: one.model_copy(update={"potential_per_year": 60.0}) for name, one in base.entrants.items()}
    entered = [base.model_copy(update={"world": scale, "entrants": one}) for one in (usual, real)]
    assert firm_months(entered[0]) == firm_months(entered[1]) > 2 * firm_months(base)
    assert n_firms(entered[0]) == n_firms(entered[1]) > 600


def test_more_seeds_arms_and_years_take_more_and_more_jobs_take_less_time() -> None:
    one = estimate([Arm("s", "base", shipped("markets/base"))], PlayOptions(replications=8, jobs=1))
    assert one.n_worlds == 8 and one.firm_months == pytest.approx(8 * one.largest_world)
    twice = estimate([Arm("s", arm, shipped("markets/base")) for arm in "ab"], PlayOptions(replications=8, jobs=1))
    assert twice.firm_months == 2 * one.firm_months and twice.disk_bytes == 2 * one.disk_bytes
    side_by_side = estimate([Arm("s", "base", shipped("markets/base"))], PlayOptions(replications=8, jobs=4))
    assert side_by_side.seconds == pytest.approx(one.seconds / 4)
    assert side_by_side.firm_months == one.firm_months


def test_what_the_shipped_campaign_asks_for_needs_no_yes() -> None:
    arms = [Arm("s", str(i), shipped("markets/base")) for i in range(7)]
    check_size(estimate(arms, PlayOptions(replications=200, jobs=2)), "cases", PlayOptions(replications=200, jobs=2))


@pytest.mark.parametrize("n", [10**9, 2**63 - 1])
def test_a_billion_seeds_are_refused_at_once_and_leave_nothing(tmp_path: Path, n: int) -> None:
    out = tmp_path / "runs" / "huge"
    arms = [Arm("base", "base", shipped("markets/base"))]
    tracemalloc.start()
    try:
        with pytest.raises(AnalysisError, match=rf"base: {n:,} worlds, .* years, .* on disk.*--yes") as refused:
            play(arms, PlayOptions(replications=n, jobs=1, out=NewFolder(out)), kind="run", name="base", engine=ENGINE)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refused.value) and refused.value.exit_code == 2 and not out.parent.exists()


def test_yes_plays_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.play.estimate.MOST_DISK_BYTES", 1.0)
    setup = shipped("markets/base").model_copy(update={"years": 1, "interventions": ()})
    arms = [Arm("s", "base", setup)]
    options = {"replications": 2, "jobs": 1, "out": tmp_path / "run", "ledger": ":memory:"}
    with pytest.raises(AnalysisError, match=r"more than 0 kB of disk: ask for less, or say --yes"):
        play(arms, PlayOptions(**options), kind="run", name="s", engine=ENGINE)
    assert not (tmp_path / "run").exists()
    assert play(arms, PlayOptions(**options, yes=True), kind="run", name="s", engine=ENGINE).seeds == [0, 1]


def test_a_huge_world_is_warned_of_with_its_firm_months(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    file.write_text(HUGE)
    huge, settings = (
        estimate([Arm("huge", "base", load(str(file)))], PlayOptions(replications=1)),
        PlayOptions(yes=True),
    )
    assert huge.largest_world > 100_000 * 40
    with pytest.warns(LargeWorld, match=rf"huge: about {huge.largest_world:,.0f} firm-months in one world"):
        check_size(huge, "huge", settings)
    small = estimate([Arm("base", "base", shipped("markets/base"))], PlayOptions(replications=1))
    check_size(small, "base", settings)  # warns of nothing


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "run markets/base -n 1000000000",
        "cases -n 1000000000",
        "compare markets/base --with policies/compute-vouchers -n 1000000000",
        "validate-world -n 1000000000",
        "calibrate --seeds 1000000000 --study study.sqlite",
        "calibrate --trials 1000000000 --study study.sqlite",
        "train --grid default --seeds 1000000000",
    ],
)
def test_every_command_that_plays_worlds_asks_twice(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(command.split()) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and "say --yes" in err and not list(tmp_path.iterdir())


def test_more_processes_than_any_machine_has_are_refused() -> None:
    assert PlayOptions(jobs=most_jobs()).jobs == most_jobs()
    with pytest.raises(AnalysisError, match="jobs must be at most"):
        PlayOptions(jobs=most_jobs() + 1)
    with pytest.raises(AnalysisError, match="yes must be True or False"):
        PlayOptions(yes="no")  # type: ignore[arg-type]
