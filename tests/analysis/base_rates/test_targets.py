"""Files of targets: what is shipped, how files build on each other, what is refused and how it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.base_rates.targets import load_targets
from analysis.cli.main import run_command
from scenarios.strict_yaml.errors import ScenarioError

ONE = {"id": "X1", "says": "a wait", "source": "assumption", "statistic": "wait"}


def written(folder: Path, **changes: Any) -> Path:
    """A file with one target, changed; None leaves a key out."""
    target = {**ONE, "parameters": {"first": "seed", "then": "A"}, "low": 10, "high": 20, **changes}
    target = {name: item for name, item in target.items() if item is not None}
    file = folder / "targets.yaml"
    file.write_text("targets:\n  - " + json.dumps(target) + "\n")
    return file


def test_shipped_targets_name_known_statistics_and_sources() -> None:
    targets = load_targets()
    assert {target.id.split("-")[0] for target in targets} == {
        "S1",
        "V1",
        "V12",
        "V14",
        "V16",
        "V20",
        "V22",
        "M1",
        "M4",
        "M7",
    }
    assert all(target.computed and target.of and target.population and target.unit for target in targets)
    by_id = {target.id: target for target in targets}
    assert by_id["S1-1"].range == pytest.approx((0.756, 0.836)) and by_id["S1-1"].scale == pytest.approx(0.04)
    assert by_id["V16-A"].range == pytest.approx((9.17e6, 17.03e6))
    assert by_id["V20-seed"].range == (None, 1.2e6) and by_id["V20-seed"].scale == pytest.approx(0.24e6)


def test_a_file_extends_replaces_and_drops(tmp_path: Path) -> None:
    file = written(tmp_path)
    assert [target.id for target in load_targets(file)] == ["X1"]
    file.write_text("extends: shipped\ndrop: [M1]\n" + file.read_text().replace("X1", "M7"))
    ids = [target.id for target in load_targets(file)]
    assert "M1" not in ids and len(ids) == len(load_targets()) - 1
    (tmp_path / "more.yaml").write_text("extends: targets.yaml\ndrop: [S1-1]\n")
    more = load_targets(tmp_path / "more.yaml")
    assert len(more) == len(ids) - 1 and next(t for t in more if t.id == "M7").statistic == "wait"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sayz": "x"}, "unknown key 'sayz' in targets[0]; did you mean 'says'?"),
        ({"source": None}, "targets[0].source is missing"),
        ({"statistic": "wiat"}, "no such statistic; did you mean 'wait'?"),
        (
            {"parameters": {"first": "seed", "than": "A"}},
            "unknown key 'than' in the statistic wait; did you mean 'then'?",
        ),
        ({"parameters": {"first": "A", "then": "seed"}}, "then must be a later stage than first"),
        ({"parameters": {"first": "seed"}}, "targets[0].parameters: then is missing"),
        ({"low": None, "high": None}, "needs either low and/or high, or value with a tolerance"),
        ({"value": 1}, "needs either low and/or high, or value with a tolerance"),
        ({"low": None, "high": None, "value": 1}, "value needs exactly one of tolerance, tolerance_share"),
        ({"tolerance": 1}, "tolerance can only stand beside value"),
        ({"low": 30}, "low = 30 lies above high = 20"),
        ({"weight": -1}, "targets[0].weight = -1: must be a number between 0 and 1e6"),
        ({"low": "ten"}, "targets[0].low = 'ten': must be a number"),
    ],
)
def test_a_wrong_target_gets_one_clear_line(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError) as error:
        load_targets(written(tmp_path, **changes))
    assert says in str(error.value) and "targets.yaml:" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("targetz: []\n", "unknown key 'targetz' in the file of targets; did you mean 'targets'?"),
        ("targets: []\n", "there is no target"),
        ("extends: targets.yaml\n", "the files extend each other"),
        ("extends: nowhere.yaml\n", "no such file"),
        ("extends: shipped\ndrop: [S1-4]\n", "no such target to leave out; did you mean 'S1-"),
        ("", "is empty"),
    ],
)
def test_a_wrong_file_gets_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "targets.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=r"(targets|nowhere)\.yaml") as error:
        load_targets(tmp_path / "targets.yaml")
    assert says in str(error.value)


def test_a_wrong_file_of_targets_leaves_with_2_before_anything_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, weight=-1)
    assert run_command(["validate-world", "--targets", "targets.yaml", "-n", "1"]) == 2
    err = capfd.readouterr().err
    assert "targets.yaml:2: targets[0].weight = -1" in err and err.count("\n") == 1
    assert not (tmp_path / "runs").exists()
