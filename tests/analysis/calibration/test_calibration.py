"""Calibration: the loss, what may change, a seeded search that goes on where it stopped, the files it leaves."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
import yaml

from analysis.base_rates.targets import Target
from analysis.calibration.loss import FARTHEST, MISSING, Outcome, distance, loss
from analysis.calibration.parameters import Knob, load_parameters, overrides
from analysis.calibration.report import Report, write_report
from analysis.calibration.screening import effects, points_of
from analysis.calibration.search import SearchInterrupted, Trial, search
from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from scenarios import ScenarioError, load, load_whatif
from scenarios.uncertainty import load_uncertainty, variants
from simulation.training.ledger.ledger import Ledger
from tests.support.analysis_fakes import ENGINE
from tests.support.damage import flip_bytes, overwrite_block, truncate
from tests.support.shipped import shipped

FEW = """parameters:
  - {name: option, paths: [world.capital.option_usd], how: scale, low: 0.5, high: 2.0, log: true}
  - {name: runway, paths: [world.capital.runway_months], low: 12, high: 30}
  - {name: hurdle, paths: [world.sectors.*.segments.*.adoption_hurdle], how: add, low: -1, high: 1}
"""
IDENTITY = {"scenario": "abc", "seeds": [0, 1]}


def target(**changes: Any) -> Target:
    plain = {"id": "T", "says": "t", "source": "assumption", "statistic": "churn", "low": 10.0, "high": 14.0}
    return Target(**{**plain, **changes})


def knobs(folder: Path, text: str = FEW) -> tuple[Knob, ...]:
    (folder / "few.yaml").write_text(text)
    return load_parameters(folder / "few.yaml", shipped("markets/base"))


def fake(values: Mapping[str, float]) -> Outcome:
    """A smooth bowl with its bottom away from the start."""
    away = (values["option"] - 1.5) ** 2 + ((values["runway"] - 15) / 10) ** 2 + values["hurdle"] ** 2
    return Outcome(away, {"T": values["runway"]}, trained=3)


# -- the loss -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"), [(10, 0), (12, 0), (14, 0), (8, 1), (16, 1), (15, 0.5), (1e9, FARTHEST), (None, MISSING)]
)
def test_distance_is_in_half_widths_from_the_nearer_end(value: float | None, expected: float) -> None:
    assert distance(value, target()) == pytest.approx(expected)


def test_an_open_range_is_measured_in_fifths_of_its_bound() -> None:
    assert distance(12, target(low=None, high=10.0)) == pytest.approx(1)
    assert distance(-99, target(low=None, high=10.0)) == 0


def test_the_loss_is_the_weighted_mean_of_squared_distances() -> None:
    targets = [target(), target(id="U", weight=3.0), target(id="V", weight=0.0)]
    assert loss({"T": 18.0, "U": 16.0, "V": 1e9}, targets) == pytest.approx((1 * 4 + 3 * 1) / 4)
    assert loss({"T": 11.0, "U": 14.0, "V": 1e9}, targets) == 0


# -- what may change ------------------------------------------------------------------------------------------------


def test_overrides_set_scale_and_add_inside_declared_bounds(tmp_path: Path) -> None:
    base = shipped("markets/base")
    changed = load("markets/base", overrides(knobs(tmp_path), {"option": 2.0, "runway": 15, "hurdle": 0.5}))
    assert changed.world.capital.option_usd == 2 * base.world.capital.option_usd
    assert changed.world.capital.runway_months == 15
    for sector, own in base.world.sectors.items():
        for name, segment in own.segments.items():
            moved = changed.world.sectors[sector].segments[name].adoption_hurdle
            assert moved == pytest.approx(segment.adoption_hurdle + 0.5)
    high = knobs(
        tmp_path, "parameters: [{name: r, paths: [world.labour.overhead_share], how: scale, low: 1, high: 99}]"
    )
    assert overrides(high, {"r": 99}) == {"world.labour.overhead_share": 3}


def test_starting_values_leave_the_scenario_as_it_is(tmp_path: Path) -> None:
    base = shipped("markets/base")
    for found in (knobs(tmp_path), load_parameters(None, base)):
        same = load("markets/base", overrides(found, {knob.free.name: knob.start for knob in found}))
        assert same.fingerprint() == base.fingerprint()


@pytest.mark.parametrize(
    ("free", "says"),
    [
        (
            "{name: a, paths: [world.law.tax_rate], low: 0, high: 1}",
            "is a lever; only an uncertainty can be calibrated",
        ),
        (
            "{name: a, paths: [world.capitol.option_usd], low: 0, high: 1}",
            "no 'capitol' in world; did you mean 'capital'?",
        ),
        ("{name: a, paths: [world.capital], low: 0, high: 1}", "not a number"),
        ("{name: a, paths: [world.capital.option_usd.x], low: 0, high: 1}", "nothing lies below"),
        (
            "{name: a, paths: [world.capital.runway_months], low: 30, high: 40}",
            "must contain the scenario's own value 22",
        ),
        ("{name: a, paths: [world.capital.runway_months], low: 40, high: 30}", "low = 40 must lie below high = 30"),
        ("{name: a, paths: [world.capital.option_usd], how: scale, low: 2, high: 3}", "the range must contain 1"),
        ("{name: a, paths: [world.capital.option_usd], how: scale, low: 0, high: 3}", "low = 0 must be above 0"),
        ("{name: a, paths: ['world.sectors.*.segments.*.customers'], low: 1, high: 1e9}", "cannot be set together"),
        ("{name: a, path: [world], low: 0, high: 1}", "did you mean 'paths'?"),
    ],
)
def test_a_wrong_parameter_gets_one_clear_line(tmp_path: Path, free: str, says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        knobs(tmp_path, f"parameters:\n  - {free}\n")
    assert says in str(error.value) and "few.yaml:2: " in str(error.value) and "\n" not in str(error.value)


# -- the search -----------------------------------------------------------------------------------------------------


def losses(trials: list[Trial]) -> list[tuple[float, dict[str, float]]]:
    return [(trial.loss, trial.values) for trial in trials]


def test_a_search_is_seeded_starts_from_the_scenario_and_improves_on_it(tmp_path: Path) -> None:
    free = knobs(tmp_path)
    one = search(tmp_path / "one.sqlite", IDENTITY, free, fake, 14, seed=7)
    assert losses(one) == losses(search(tmp_path / "two.sqlite", IDENTITY, free, fake, 14, seed=7))
    assert losses(one) != losses(search(tmp_path / "three.sqlite", IDENTITY, free, fake, 14, seed=8))
    assert one[0].values == {"option": 1.0, "runway": 22.0, "hurdle": 0.0} and one[0].trained == 3
    assert min(trial.loss for trial in one) < one[0].loss
    assert len({trial.values["runway"] for trial in one}) == 14


class Stopping:
    """Interrupts the n-th trial."""

    def __init__(self, at: int) -> None:
        self.at, self.n = at, 0

    def __call__(self, values: Mapping[str, float]) -> Outcome:
        self.n += 1
        if self.n == self.at:
            raise KeyboardInterrupt
        return fake(values)


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 12])
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(tmp_path: Path, at: int) -> None:
    free = knobs(tmp_path)
    whole = search(tmp_path / "whole.sqlite", IDENTITY, free, fake, 13, seed=7)
    with pytest.raises(SearchInterrupted, match=f"{at - 1} of 13 trials are finished and kept"):
        search(tmp_path / "parts.sqlite", IDENTITY, free, Stopping(at), 13, seed=7)
    assert len(search(tmp_path / "parts.sqlite", IDENTITY, free, fake, 0)) == at - 1
    assert losses(search(tmp_path / "parts.sqlite", IDENTITY, free, fake, 13, seed=7)) == losses(whole)


def test_a_trial_that_a_killed_process_left_behind_is_done_again(tmp_path: Path) -> None:
    from analysis.calibration.search import open_study

    free, file = knobs(tmp_path), tmp_path / "killed.sqlite"
    search(file, IDENTITY, free, fake, 3, seed=7)
    open_study(file, IDENTITY).ask()  # and nobody ever tells its result
    whole = search(tmp_path / "whole.sqlite", IDENTITY, free, fake, 6, seed=7)
    assert losses(search(file, IDENTITY, free, fake, 6, seed=7)) == losses(whole)


def test_a_study_of_something_else_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    free, file = knobs(tmp_path), tmp_path / "study.sqlite"
    search(file, IDENTITY, free, fake, 1)
    with pytest.raises(AnalysisError, match=r"holds another study \(other seeds\)"):
        search(file, {**IDENTITY, "seeds": [0]}, free, fake, 2)


def sqlite_of_another_kind(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE letters (text TEXT)")
        connection.commit()


def study_of_another_program(file: Path) -> None:
    optuna.create_study(storage=f"sqlite:///{file}", study_name="theirs")


def table_of_rows(file: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(file)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda file: Ledger(file).close(), "it is an SQLite file of another kind"),
        (sqlite_of_another_kind, "it is an SQLite file of another kind"),
        (study_of_another_program, "it holds studies of another program"),
        (table_of_rows, "file is not a database"),
        (lambda file: file.write_text(FEW), "file is not a database"),
        (lambda file: file.write_text("x"), "it is an SQLite file of another kind"),
        (Path.mkdir, "it is no regular file"),
        (os.mkfifo, "it is no regular file"),
    ],
    ids=["ledger", "sqlite", "study", "parquet", "text", "letter", "folder", "pipe"],
)
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    free, file = knobs(tmp_path), tmp_path / "mine"
    make(file)
    before, names = file.read_bytes() if file.is_file() else b"", sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(AnalysisError, match="mine cannot be used as a study") as error:
        search(file, IDENTITY, free, fake, 1)
    assert says in str(error.value) and "\n" not in str(error.value)
    assert before == (file.read_bytes() if file.is_file() else b"")
    assert names == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.slow
def test_a_damaged_study_is_refused_in_one_line_or_says_what_it_said(tmp_path: Path) -> None:
    free, file = knobs(tmp_path), tmp_path / "study.sqlite"
    search(file, IDENTITY, free, fake, 4, seed=7)
    whole, n_refused = file.read_bytes(), 0
    for number in range(16):
        rng = random.Random(f"study {number}")
        file.write_bytes(whole)
        says = rng.choice((flip_bytes, truncate, overwrite_block))(file, rng)
        try:
            found = search(file, IDENTITY, free, fake, 0)
        except AnalysisError as error:
            n_refused += 1
            assert str(file) in str(error) and "\n" not in str(error) and len(str(error)) < 600, says
        else:
            assert all(trial.values.keys() == {"option", "runway", "hurdle"} for trial in found), says
            assert all(12 <= trial.values["runway"] <= 30 and trial.loss >= 0 for trial in found), says
    assert n_refused >= 3


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trial_params SET param_name = 'runwa<' WHERE param_name = 'runway'",
        "UPDATE trial_params SET param_value = 1e9 WHERE param_name = 'runway'",
        "DELETE FROM trial_params",
        "UPDATE trial_values SET value = -1.0",
        "UPDATE trial_user_attributes SET value_json = '{}'",
        "UPDATE trial_user_attributes SET value_json = '[['",
        "DELETE FROM trial_user_attributes",
        "UPDATE study_user_attributes SET value_json = '7'",
    ],
)
def test_trials_that_no_search_writes_are_refused_before_more_are_played(tmp_path: Path, change: str) -> None:
    free, file = knobs(tmp_path), tmp_path / "study.sqlite"
    search(file, IDENTITY, free, fake, 3, seed=7)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(change)
        connection.commit()

    def played(values: Mapping[str, float]) -> Outcome:
        raise AssertionError("played")

    with pytest.raises(AnalysisError, match=r"cannot be used as a study|holds another study") as error:
        search(file, IDENTITY, free, played, 4, seed=7)
    assert "\n" not in str(error.value)


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setattr("analysis.calibration.run.real_engine", lambda: ENGINE)
    (tmp_path / "tiny.yaml").write_text(
        "extends: markets/base\ntitle: Tiny\nyears: 2\nsectors: [vision]\ninterventions: []\n"
    )
    (tmp_path / "few.yaml").write_text(FEW)
    return tmp_path


CALL = ["calibrate", "tiny.yaml", "--seeds", "2", "--study", "s.sqlite", "--parameters", "few.yaml"]


@pytest.mark.slow
def test_calibrate_leaves_trials_plot_and_files_that_other_commands_take(
    in_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*CALL, "--trials", "3", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["trials"] == 3 and document["best"]["loss"] == min(document["losses"])
    folder = in_folder / "s"
    trials = pd.read_parquet(folder / "trials.parquet")
    assert trials["loss"].tolist() == document["losses"] and trials["parameter.option"].iloc[0] == 1
    assert (folder / "losses.png").stat().st_size > 5_000
    changed = load(folder / "best-scenario.yaml")
    assert changed.world == load("tiny.yaml", document["best"]["set"]).world
    assert load_whatif(folder / "best-whatif.yaml", load("tiny.yaml")).world == changed.world
    assert yaml.safe_load((folder / "best-whatif.yaml").read_text())["whatif"] is True
    assert run_command([*CALL, "--trials", "0"]) == 0
    assert "tiny.yaml: 3 trials with 2 seeds each" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--trials", "-1"], "--trials must be 0 or more, not -1"),
        (["--trials", "0"], "there is no study at s.sqlite to report on"),
        (["--seeds", "0"], "--seeds must be at least 1, not 0"),
        (["--targets", "few.yaml"], "few.yaml:1: unknown key 'parameters' in the file of targets"),
    ],
)
def test_a_wrong_request_gets_one_clear_line_and_2(
    in_folder: Path, capfd: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert run_command([*CALL, *more]) == 2
    err = capfd.readouterr().err
    assert says in err and err.count("\n") == 1
    assert not (in_folder / "s.sqlite").exists()


def test_ctrl_c_keeps_what_is_finished(
    in_folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_folder / "one.yaml").write_text(
        "targets: [{id: T, says: t, source: assumption, statistic: churn, low: 1, high: 2, unit: share}]\n"
    )
    stopping = Stopping(3)
    monkeypatch.setattr("analysis.calibration.run.WorldObjective.__call__", lambda _, values: stopping(values))
    assert run_command([*CALL, "--trials", "5", "--targets", "one.yaml"]) == 130
    assert "2 of 5 trials are finished and kept" in capfd.readouterr().err
    assert len(pd.read_parquet(in_folder / "s" / "trials.parquet")) == 2
    assert run_command([*CALL, "--trials", "5", "--targets", "one.yaml"]) == 0


# -- what fits, and what matters -------------------------------------------------------------------------------------


def test_all_that_fits_is_kept_as_sets_that_a_comparison_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = [
        Trial(0, {"option": 1.0, "runway": 18.0, "hurdle": 0.0}, 0.4, {"T": 13.0, "W": 99.0}, 1.0, 1, 0),
        Trial(1, {"option": 1.2, "runway": 20.0, "hurdle": 0.1}, 0.1, {"T": 14.9, "W": 99.0}, 1.0, 1, 0),
        Trial(2, {"option": 1.3, "runway": 21.0, "hurdle": 0.2}, 0.2, {"T": 15.1, "W": 12.0}, 1.0, 1, 0),
        Trial(3, {"option": 1.4, "runway": 22.0, "hurdle": 0.3}, 0.3, {"T": None, "W": 12.0}, 1.0, 1, 0),
    ]
    wanted = (target(), target(id="W", weight=0.0))  # only shown: it decides nothing
    report = Report("markets/base", knobs(tmp_path), wanted, 2, tuple(trials))
    assert [one.index for one in report.fitting] == [1, 0]
    write_report(report, tmp_path / "out")
    sets = load_uncertainty(tmp_path / "out" / "uncertainty.yaml", shipped("markets/base"))
    assert [one["world.capital.runway_months"] for one in sets.sets] == [20, 18]
    assert all(one.world.capital.runway_months in (18, 20) for one in variants(shipped("markets/base"), sets))


def test_a_screening_finds_what_matters_and_goes_on(tmp_path: Path) -> None:
    def steep(values: Mapping[str, float]) -> Outcome:
        """Runway matters most, the hurdle not at all."""
        value = 10 + 8 * (values["runway"] - 12) / 18 + 2 * (values["option"] - 0.5)
        return Outcome(value, {"T": value}, trained=1)

    free = knobs(tmp_path)
    points = points_of(free, 6, seed=3)
    assert len(points) == 6 * (len(free) + 1) and points == points_of(free, 6, seed=3) != points_of(free, 6, seed=4)
    for number, (before, after) in enumerate(pairwise(points), 1):
        moved = [name for name in before if before[name] != after[name]]
        assert len(moved) == 1 or number % (len(free) + 1) == 0
    study = tmp_path / "study.sqlite"
    search(study, IDENTITY, free, steep, 5, points=points)
    trials = search(study, IDENTITY, free, steep, len(points), points=points)
    assert [one.values for one in trials] == [pytest.approx(point) for point in points]
    sizes = {one.parameter: one.size for one in effects(free, [target()], trials, points) if one.figure == "T"}
    assert sizes["hurdle"] == pytest.approx(0) and sizes["runway"] > sizes["option"] > 0.5
    assert sizes["runway"] == pytest.approx(8 / 2)  # in half-widths of the range 10 to 14


def test_the_command_screens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.calibration.run.WorldObjective", lambda *_: fake)
    knobs(tmp_path)
    (tmp_path / "t.yaml").write_text(yaml.safe_dump({"targets": [target().model_dump(exclude_none=True)]}))
    command = ["calibrate", "--screen", "2", "--parameters", "few.yaml", "--targets", "t.yaml", "--study", "s.sqlite"]
    assert run_command([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["trials"] == 2 * 4 and {one["parameter"] for one in said["effects"]} == {"option", "runway", "hurdle"}
    assert run_command(command) == 0
    assert "moves most" in capsys.readouterr().out
    assert not (tmp_path / "s" / "best-whatif.yaml").exists()
    assert run_command(["calibrate", "--screen", "-1"]) == 2
