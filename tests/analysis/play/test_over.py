"""`--over`: every seed has one of the sets of values, the same in all arms, and readers of a run know which."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.cases.study import study
from analysis.comparison import compare
from analysis.errors import AnalysisError
from analysis.explain.facts import Subject, scenario_of
from analysis.play.experiment import run
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.play.over import arm_over, over_of
from scenarios import ScenarioError, load
from scenarios.uncertainty import load_uncertainty, variants
from tests.support import explain_fakes
from tests.support.scenario_files import SMALL_MARKET

SETS = """\
uncertainty: small
title: Three sets
sets:
  - {world.capital.signal_noise: 0.2, world.sectors.vision.segments.cameras.contract_months: 4}
  - {world.capital.signal_noise: 0.3, world.sectors.vision.segments.cameras.contract_months: 5}
  - {world.capital.signal_noise: 0.4, world.sectors.vision.segments.cameras.contract_months: 6}
"""
NOISE = (0.2, 0.3, 0.4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: explain_fakes.ENGINE)
    (tmp_path / "small.yaml").write_text(SMALL_MARKET.replace("years: 2", "years: 1"))
    (tmp_path / "sets.yaml").write_text(SETS)
    (tmp_path / "noisy.yaml").write_text(
        "whatif: true\ntitle: Noise\nset: {world.capital.signal_noise: 0.9, world.law.tax_rate: 0.3}\n"
    )
    return tmp_path


def test_seeds_take_the_sets_in_turn_and_arms_of_a_seed_share_one(folder: Path) -> None:
    setup = load(folder / "small.yaml")
    over = over_of(PlayOptions(over=str(folder / "sets.yaml")), setup)
    base, changed = arm_over(setup, "base", over), arm_over(setup, "tax", over, str(folder / "noisy.yaml"))
    assert [base.setup_of(seed).world.capital.signal_noise for seed in range(6)] == [*NOISE, *NOISE]
    for seed in range(3):
        months = base.setup_of(seed).world.sectors["vision"].segments["cameras"].contract_months
        assert changed.setup_of(seed).world.sectors["vision"].segments["cameras"].contract_months == months == 4 + seed
        assert changed.setup_of(seed).world.capital.signal_noise == 0.9  # the what-if is laid over the set
    assert Arm("a", "base", setup).setup_of(5) is setup


def test_a_run_says_its_sets_and_its_readers_use_them(folder: Path) -> None:
    options = {"replications": 4, "jobs": 1, "over": "sets.yaml", "ledger": ":memory:"}
    played = compare(folder / "small.yaml", ["noisy.yaml"], out=folder / "out", **options).run
    assert played.manifest.over is not None and len(played.manifest.over.sets) == 3
    for seed in range(4):
        base = scenario_of(played, Subject("small", "base", seed, "iris"))
        changed = scenario_of(played, Subject("small", "noisy.yaml", seed, "iris"))
        assert base.world.capital.signal_noise == NOISE[seed % 3]
        assert changed.world.capital.signal_noise == 0.9
        assert changed.world.sectors["vision"].segments["cameras"].contract_months == 4 + seed % 3


def test_sets_decide_what_is_played_and_other_sets_cannot_go_on(folder: Path) -> None:
    options = {"replications": 3, "jobs": 1, "ledger": ":memory:"}
    alone = run(
        variants(load(folder / "small.yaml"), load_uncertainty("sets.yaml", load(folder / "small.yaml")))[1], **options
    )
    over = run(folder / "small.yaml", out=folder / "out", over="sets.yaml", **options)
    of_seed = [frame[frame["seed"] == 1].drop(columns="scenario") for frame in (alone.firms, over.firms)]
    assert of_seed[0].reset_index(drop=True).equals(of_seed[1].reset_index(drop=True))
    (folder / "sets.yaml").write_text(SETS.replace("0.4", "0.5"))
    with pytest.raises(AnalysisError):
        run(folder / "small.yaml", out=folder / "out", over="sets.yaml", **options)
    with pytest.raises(AnalysisError):
        run(folder / "small.yaml", out=folder / "out", **options)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SETS.replace("signal_noise: 0.3", "signal_nose: 0.3"), "set 1 and set 0 must name the same paths"),
        (SETS.replace("signal_noise", "signal_nose"), "signal_nose"),
        (SETS.replace("0.4", "90"), "in set 2 of 'Three sets'"),
        ("uncertainty: small\ntitle: x\nsets: []\n", "sets"),
    ],
)
def test_sets_that_do_not_fit_are_one_line(folder: Path, text: str, says: str) -> None:
    (folder / "sets.yaml").write_text(text)
    with pytest.raises(ScenarioError) as told:
        run(folder / "small.yaml", over="sets.yaml", jobs=1)
    assert says in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("over", ["uncertainty", "nothing"])
def test_sets_that_are_not_there_are_one_line(folder: Path, over: str) -> None:
    with pytest.raises(ScenarioError, match=r"^over = "):
        run(folder / "small.yaml", over=over, jobs=1)


def test_cases_play_their_chapters_as_they_are(folder: Path) -> None:
    with pytest.raises(AnalysisError, match="over is for run and compare"):
        study(["vision"], replications=1, jobs=1, over="sets.yaml", ledger=":memory:")


def test_every_shipped_file_of_sets_fits_its_scenario() -> None:
    from scenarios.uncertainty import shipped_sets

    for name in shipped_sets():
        scenario = load(f"markets/{name}")
        sets = load_uncertainty("uncertainty", scenario)
        assert sets.uncertainty == scenario.name and len(variants(scenario, sets)) == len(sets.sets)
