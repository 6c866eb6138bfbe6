"""The study of pools: columns, parts that are played once, figures that leave an interval or do not, its document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.cli.main import run_command
from analysis.errors import AnalysisError
from analysis.pages import pool as pages
from analysis.play.options import PlayOptions
from analysis.statistics.intervals import Interval
from analysis.training.pool import parts as played_parts
from analysis.training.pool.columns import Column, column_named, columns_named
from analysis.training.pool.figures import Figure, spread_of, verdicts
from analysis.training.pool.parts import Plan, play_parts
from analysis.training.pool.study import by_chance, fewest_kept, study
from scenarios import Scenario, load
from tests.support.explain_fakes import ENGINE
from tests.support.paths import ROOT
from tests.support.scenario_files import SMALL_MARKET

PAGE = ROOT / "docs" / "outputs.md"
WORLD = (
    SMALL_MARKET
    + """\
entrants:
  new: {sector: vision, per_year: 4, at_start: 2, offers: [{cameras: subscription}]}
"""
)
CASE = """\
expect:
  - {id: end, section: "1", says: It ends., ending: [bankrupt]}
  - {id: few, section: "1", says: It has few customers., metric: customers, at_most: 1e6}
causes:
  money: {section: "1", says: Little money., set: {firms.iris.capital_usd: 5e6}}
"""


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty draws of the bootstrap: its intervals are tested elsewhere."""
    monkeypatch.setattr("analysis.statistics.resampling.N_BOOTSTRAP", 20)


@pytest.fixture
def scenarios(tmp_path: Path) -> tuple[Scenario, Scenario]:
    """A world and a case."""
    for name, text in (("world", WORLD), ("case", WORLD + CASE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return load(tmp_path / "world.yaml"), load(tmp_path / "case.yaml")


def plan_of(folder: Path, scenarios: tuple[Scenario, Scenario], columns: tuple[str, ...], seeds: int = 3) -> Plan:
    settings = PlayOptions(jobs=1, device="cpu")
    return Plan(folder, columns_named(columns), ((scenarios[0], seeds), (scenarios[1], 2)), 0, 2, settings)


def interval(estimate: float, low: float, high: float) -> Interval:
    return Interval(estimate, low, high, 9)


def test_columns_are_pools_and_grids() -> None:
    assert column_named("none") == Column("none", None, "fine")
    assert column_named("64:coarse").settings == {
        "pool": 64, "rows_step": 1.0, "coverage_step": 0.25, "rate_step": 0.5,
    }  # fmt: skip
    assert [column.name for column in columns_named(("32", "none", "32"))] == ["none", "32"]
    assert column_named("control").pool == 65_536


@pytest.mark.parametrize("text", ["0", "-1", "1000000000", "many", "32:", "32:finest", "", "3.5", "32:rows:rows"])
def test_what_is_no_column_is_told_in_one_line(text: str) -> None:
    with pytest.raises(AnalysisError, match="--column") as refused:
        column_named(text)
    assert "\n" not in str(refused.value)


def test_every_column_plays_a_block_before_the_next_begins(scenarios: Any, tmp_path: Path) -> None:
    labels = [part.label for part in plan_of(tmp_path, scenarios, ("4",)).parts()]
    assert labels == [
        "none/world/seeds-0-1", "4/world/seeds-0-1", "none/case/seeds-0-1", "4/case/seeds-0-1",
        "none/world/seeds-2-2", "4/world/seeds-2-2",
        "none/world/warm-0-1", "4/world/warm-0-1", "none/case/warm-0-1", "4/case/warm-0-1",
    ]  # fmt: skip


@pytest.mark.slow
def test_what_is_finished_is_not_played_again_and_more_seeds_add_to_it(
    scenarios: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    before = played_parts.play

    def noted(*arguments: Any, **named: Any) -> Any:
        asked.append(named["name"])
        return before(*arguments, **named)

    monkeypatch.setattr(played_parts, "play", noted)
    begun = play_parts(plan_of(tmp_path / "s", scenarios, ("4",), 2), ENGINE)
    assert [next(begun).label, next(begun).label] == ["none/world/seeds-0-1", "4/world/seeds-0-1"]
    begun.close()
    half = study(plan_of(tmp_path / "s", scenarios, ("4",), 2))
    assert [one["seeds"] for one in half["scenarios"]] == [[0, 1], []]
    list(play_parts(plan_of(tmp_path / "s", scenarios, ("4",), 2), ENGINE))
    list(play_parts(plan_of(tmp_path / "s", scenarios, ("4",), 3), ENGINE))
    assert len(asked) == len(set(asked)) == 10
    assert study(plan_of(tmp_path / "s", scenarios, ("4",), 3))["scenarios"][0]["seeds"] == [0, 1, 2]


@pytest.mark.slow
def test_seeds_that_a_column_misses_are_in_no_figure(scenarios: Any, tmp_path: Path) -> None:
    list(play_parts(plan_of(tmp_path, scenarios, (), 3), ENGINE))
    begun = play_parts(plan_of(tmp_path, scenarios, ("4",), 3), ENGINE)
    assert [next(begun).column.name for _ in range(2)] == ["none", "4"]
    found = study(plan_of(tmp_path, scenarios, ("4",), 3))
    assert found["scenarios"][0]["seeds"] == [0, 1]
    assert all(one["columns"]["none"]["n"] <= 2 for one in found["figures"] if one["kind"] in ("mean", "spread"))


@pytest.mark.slow
def test_figures_are_those_of_the_runs(scenarios: Any, tmp_path: Path) -> None:
    """The same seeds in other blocks give the same figures, and a column that changes nothing leaves no interval."""
    small = plan_of(tmp_path / "small", scenarios, ("64",), 4)
    whole = Plan(tmp_path / "whole", small.columns, small.scenarios, 0, 4, small.settings)
    for plan in (small, whole):
        list(play_parts(plan, ENGINE))
    by_blocks, at_once = study(small), study(whole)
    assert by_blocks["figures"] == at_once["figures"]
    kinds = {one["kind"] for one in by_blocks["figures"]}
    assert kinds == {"base rate", "mean", "spread", "match"}
    assert {one["name"] for one in by_blocks["figures"] if one["kind"] == "match"} == {"every statement", "ending"}
    assert next(one for one in by_blocks["figures"] if one["name"] == "bankrupt")["columns"]["none"]["n"] == 4


def test_a_figure_leaves_an_interval_or_cannot_be_told() -> None:
    def figure(name: str, *columns: Interval) -> Figure:
        return Figure("w", "mean", name, "", dict(zip(("none", "32", "control"), columns, strict=True)))

    inside = figure("a", interval(1, 0, 2), interval(2, 0, 0), interval(0, 0, 0))
    outside = figure("b", interval(1, 0, 2), interval(2.1, 0, 9), interval(1, 0, 0))
    untold = figure("c", interval(1, np.nan, np.nan), interval(9, 0, 0), interval(9, 0, 0))
    missing = figure("d", interval(1, 0, 2), interval(np.nan, np.nan, np.nan), interval(1, 0, 2))
    found = verdicts([inside, outside, untold, missing], ["none", "32", "control"])
    assert [(one.column, one.n, [name for *_, name in one.left]) for one in found] == [
        ("32", 3, ["b", "d"]), ("control", 3, []),
    ]  # fmt: skip


def test_a_spread_is_a_standard_deviation_and_needs_two_seeds() -> None:
    values = np.random.default_rng(3).normal(5, 2, 40)
    assert spread_of(values).estimate == pytest.approx(values.std(ddof=1))
    assert spread_of(values).low < 2 < spread_of(values).high
    assert not spread_of(values[:1]).is_known
    assert not spread_of(values[:0]).is_known


def test_the_interval_of_a_spread_holds_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = [(one := spread_of(rng.normal(0, 3, 12))).low <= 3 <= one.high for _ in range(2000)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def document(**left: list[list[str]]) -> dict[str, Any]:
    names = ["none", *left]
    found = {name: {"estimate": 0.5, "low": 0.4, "high": 0.6, "n": 4, "leaves": bool(left.get(name))} for name in names}
    cost = {"seeds": [0, 7], "trained": 30, "from_ledger": 10, "training_s": 1.0, "seconds": 8.0}
    return {
        "time": "2026-11-29T00:00:00",
        "quick": False,
        "machine": {"load_before": 0.1, "cores": 2},
        "columns": [{"name": name, "pool": None} for name in names],
        "scenarios": [
            {
                "scenario": "w",
                "seeds": [0],
                "blocks": {name: [cost] for name in names},
                "warm": {name: cost | {"seconds": 2.0} for name in names},
            }
        ],
        "figures": [
            {"scenario": "w", "kind": "mean", "name": "a", "unit": "share", "can_tell": True, "columns": found}
        ],
        "verdicts": [{"column": name, "n": 1, "left": some} for name, some in left.items()],
    }


def test_the_verdict_is_computed_from_the_figures() -> None:
    away = [["w", "mean", "a"]]
    mixed = document(**{"32": away, "64": [], "128": [], "control": away})
    assert fewest_kept(mixed) == "64"
    assert by_chance(mixed) == 1
    text = pages.verdict(mixed, "")
    assert "32: 1 of 1 figures leave the ∞ column's interval (other seeds and lucks alone: 1): a (mean, w)." in text
    assert "64: no figure of 1 leaves the ∞ column's interval" in text
    assert "has 64 members" in text
    none = document(**{"32": away, "64:coarse": []})
    assert fewest_kept(none) == ""
    assert by_chance(none) is None
    assert "In no pool" in pages.verdict(none, "")
    assert "decides nothing" in pages.verdict(mixed | {"quick": True}, "")


def test_pages_tell_figures_and_ledgers() -> None:
    found = document(**{"32": [["w", "mean", "a"]]})
    assert "| w | mean: a, share | 0.5 [0.4, 0.6] | 0.5* |" in pages.figures(found, "f.json")
    assert "| w | 0 to 7 | 30 + 10 (25%) | 30 + 10 (25%) |" in pages.ledgers(found, "f.json")
    assert "| 8.0 → 2.0 | 8.0 → 2.0 |" in pages.ledgers(found, "f.json")


def keys_of(content: Any, names: tuple[str, ...]) -> Iterator[str]:
    """All keys of a document; those of columns are data."""
    if isinstance(content, list):
        for one in content:
            yield from keys_of(one, names)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key not in names:
                yield key
            yield from keys_of(value, names)


@pytest.mark.slow
def test_the_command_tells_what_is_finished_and_documents_every_key(
    scenarios: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    list(play_parts(plan_of(tmp_path / "s", scenarios, ("4",), 2), ENGINE))
    words = ["bench", "pool", "--folder", "s", "--world", "world.yaml", "--case", "case.yaml", "--block", "2"]
    counts = ["--seeds", "2", "--case-seeds", "2", "--column", "4", "--report", "--json", "--out", "pool.json"]
    assert run_command([*words, *counts]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed == json.loads(Path("pool.json").read_text())
    told = PAGE.read_text().split("`ventures bench pool --json`")[1].split("\n`ventures ")[0]
    machine = {"device", "cores", "torch", "load_before", "busy"}  # as in other benchmarks
    missing = {key for key in keys_of(printed, ("none", "4")) if not re.search(rf"\b{key}\b", told)} - machine
    assert not missing


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seeds", "-1"], "--seeds must be at least 0"),
        (["--case-seeds", "-1"], "--case-seeds must be at least 0"),
        (["--block", "0"], "--block must be at least 1"),
        (["--seeds", "0", "--case-seeds", "0"], "nothing to play"),
        (["--column", "0"], "a pool has 1 to 65,536 members"),
        (["--case", "visoin"], "did you mean vision"),
        (["--world", "markets/bse"], "markets/base"),
        (["--jobs", "0"], "jobs"),
    ],
)
def test_wrong_requests_are_told_in_one_line(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run_command(["bench", "pool", "--folder", str(tmp_path / "new"), *arguments]) == 2
    err = capfd.readouterr().err.strip()
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "new").exists()
