"""What the commands show of one seed and of worlds without figures: no interval of one seed, never a `nan`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.cli.main import run_command
from analysis.documents import finite, json_text
from analysis.screens.training import number
from tests.support.explain_fakes import ENGINE

Call = Callable[..., tuple[str, str]]
DYING = """\
title: Two startups that die early
start: 2016-01
years: 3
focal: iris
world:
  sectors:
    vision:
      market_opens: 2016
      segments:
        cameras: {customers: 2000, reference_price_usd: 2000, contract_months: 12}
firms:
  iris: {sector: vision, offers: {cameras: subscription}, capital_usd: 3e5, staff: {research: 4, marketing: 2}}
  twin: {sector: vision, offers: {cameras: freemium}, capital_usd: 3e5, staff: {research: 4, marketing: 2}}
expect:
  - {id: end, section: "1", says: It ends., ending: [bankrupt], after: 2016-01}
  - {id: few, section: "1", says: It has few customers., metric: customers, at_most: 1e6}
causes:
  money: {section: "1", says: Little money., set: {firms.iris.capital_usd: 5e6}}
  skill: {section: "1", says: Little skill., set: {firms.iris.skill: 0.9}}
"""
RICHER = "whatif: true\ntitle: More money\nset: {firms.iris.capital_usd: 3.1e5}\n"
EMPTY = DYING.partition("focal:")[0] + DYING[DYING.index("world:") : DYING.index("firms:")]
LATE = EMPTY + "entrants:\n  new: {sector: vision, per_year: 0, offers: [{cameras: subscription}]}\n"
COMMANDS = {
    "run": "run dying.yaml",
    "run without firms": "run late.yaml",
    "compare": "compare dying.yaml --with richer.yaml",
    "compare without firms": "compare late.yaml --with late2.yaml",
    "cases": "cases dying.yaml --shapley --placebo",
    "validate-world": "validate-world dying.yaml",
    "validate-world without firms": "validate-world late.yaml",
}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command in a folder with these files, with real worlds on a service that computes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("VENTURES_LEDGER", ":memory:")
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)
    texts = {"dying": DYING, "richer": RICHER, "late": LATE, "late2": LATE.replace("Two", "Other")}
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)

    def run(*arguments: str) -> tuple[str, str]:
        capfd.readouterr()
        assert run_command(arguments) == 0, capfd.readouterr().err
        return tuple(capfd.readouterr())

    return run


def told_nan(text: str) -> list[str]:
    """Places where a number that is none shows."""
    return re.findall(r"[^\n]*(?<![\w-])[+-]?(?:nan|NaN|NaT|inf|Infinity)(?![\w-])[^\n]*", text)


def intervals(node: Any) -> Iterator[dict[str, Any]]:
    """All parts of a document that have bounds over seeds."""
    if isinstance(node, dict):
        if {"low", "high"} <= set(node):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from intervals(one)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "command"),
    [
        pytest.param(n, command, marks=pytest.mark.slow if n == 2 or command == "cases" else ())
        for n in (1, 2)
        for command in COMMANDS
    ],
)
def test_no_screen_and_no_document_holds_a_nan_and_one_seed_has_no_interval(
    call: Call, command: str, n: int, request: pytest.FixtureRequest
) -> None:
    """Pictures are drawn once, of one seed."""
    asked = (*COMMANDS[command].split(), "-n", str(n), "-j", "1", "--out", "here")
    if n > 1:
        request.getfixturevalue("undrawn")
    shown = "".join(call(*asked))
    assert not told_nan(shown)
    request.getfixturevalue("undrawn")
    text, _ = call(*asked, "--json")
    assert not told_nan(text)
    found = list(intervals(json.loads(text)))
    assert found or command.startswith("run")
    if n == 1:
        assert all(one["low"] is None and one["high"] is None for one in found)
        assert command.startswith("run") or "too few seeds" in shown or "too little to tell" in shown


def test_the_story_of_a_firm_that_never_sold_holds_no_nan(call: Call, undrawn: None) -> None:
    call("run", "dying.yaml", "-n", "1", "-j", "1", "--out", "here")
    for more in ((), ("--json",)):
        shown = "".join(call("explain", "here", "twin", "--no-replay", *more))
        assert "bankrupt" in shown and not told_nan(shown)


def test_what_a_comparison_leaves_out_is_said_and_counted(call: Call, undrawn: None) -> None:
    request = ("compare", "dying.yaml", "--with", "richer.yaml", "-n", "2", "-j", "1", "--out", "here")
    shown, _ = call(*request)
    assert "left out of market concentration (HHI): 2 seeds without a figure in one of the arms or both" in shown
    assert "months of sectors without a figure: 24 of 24 in the base, 24 of 24 in the what-if" in shown
    (whatif,) = json.loads(call(*request, "--json")[0])["whatifs"]
    rows = {row["measure"]: row for row in whatif["differences"]}
    assert (rows["customers"]["base"], rows["customers"]["changed"], rows["customers"]["n"]) == (0, 0, 2)
    assert (rows["hhi"]["base"], rows["hhi"]["n"], rows["hhi"]["left_out"]) == (None, 0, 2)
    assert {rows[name]["verdict"] for name in ("hhi", "best_quality_field")} == {"no figure"}
    assert rows["raised_usd"]["verdict"] == "increase" or rows["raised_usd"]["low"] is None


def test_the_overview_says_how_many_seeds_are_behind_a_figure(call: Call, undrawn: None) -> None:
    request = ("run", "dying.yaml", "-n", "2", "-j", "1", "--out", "here")
    assert "– (0 of 2 seeds)" in call(*request)[0]
    document = json.loads(call(*request, "--json")[0])
    (sector,) = document["sectors"]
    assert (sector["hhi"], sector["n_hhi"], sector["n_best_quality_field"], sector["n_firms"]) == (None, 0, 0, 0)
    assert (document["survival"], document["n_survival"]) == (0, 2)


def test_documents_hold_null_for_numbers_that_cannot_be_told() -> None:
    nan = float("nan")
    content = {"a": nan, "b": [1.0, float("inf"), {"c": (nan, "nan", 2)}], "d": True, "e": None}
    assert finite(content) == {"a": None, "b": [1.0, None, {"c": [None, "nan", 2]}], "d": True, "e": None}
    assert json.loads(json_text(content)) == finite(content)
    assert number(nan) == "–"
