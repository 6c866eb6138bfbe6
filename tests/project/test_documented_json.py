"""What the commands print with `--json` is what docs/outputs.md says: every key stands where its command is told of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.cli.main import run_command
from tests.support.explain_fakes import ENGINE, play_small
from tests.support.paths import ROOT
from tests.support.scenario_files import SMALL_MARKET

PAGE = ROOT / "docs" / "outputs.md"
Call = Callable[..., Any]
MARKET = (
    SMALL_MARKET
    + """\
expect:
  - {id: end, section: "1", says: It ends., ending: [bankrupt]}
  - {id: few, section: "1", says: It has few customers., metric: customers, at_most: 1e6}
causes:
  money: {section: "1", says: Little money., set: {firms.iris.capital_usd: 5e6}}
  skill: {section: "1", says: Little skill., set: {firms.iris.skill: 0.9}}
"""
)
WHATIF = "whatif: true\ntitle: More money\nset: {firms.iris.capital_usd: 5e6}\n"
FEW = "parameters:\n  - {name: option, paths: [world.capital.option_usd], how: scale, low: 0.5, high: 2}\n"
KEYED_BY_DATA = {  # names in such a mapping are those of endings, settings, measures, devices, rules
    "endings", "plan", "measures", "set", "values", "simulated", "devices", "parameters", "differences", "damaged_by",
    "rules", "public_money_usd",
}  # fmt: skip
PLAYED = ("-n", "2", "-j", "1", "--json")
COMMANDS = {
    "ventures cases": ("cases", "market.yaml", "--shapley", "--placebo", *PLAYED),
    "ventures compare": ("compare", "market.yaml", "--with", "richer.yaml", *PLAYED),
    "ventures run": ("run", "market.yaml", *PLAYED),
    "ventures validate-world": ("validate-world", "market.yaml", *PLAYED),
    "ventures calibrate": (
        "calibrate", "market.yaml", "--parameters", "few.yaml", "--trials", "2", "--seeds", "2", "--json",
    ),
    "ventures scenarios": ("scenarios", "--json"),
}  # fmt: skip
ON = ("--device", "cpu", "--ledger", "l.sqlite", "--json")
TRAIN = ("train", "--task", "speech", "--rung", "0", "--rows", "64", *ON)
EXPORT = ("ledger", "export", "l.parquet", "--ledger", "l.sqlite", "--json")
IMPORT = ("ledger", "import", "l.parquet", "--trust", "1", "--device", "cpu", "--ledger", "new.sqlite", "--json")
TRAINING = {
    "ventures train": [TRAIN],
    "ventures ledger info": [TRAIN, ("ledger", "info", "--ledger", "l.sqlite", "--json")],
    "ventures ledger verify": [TRAIN, ("ledger", "verify", "--sample", "1", *ON)],
    "ventures ledger export": [TRAIN, EXPORT],
    "ventures ledger import": [TRAIN, EXPORT, IMPORT],
}


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], undrawn: None) -> Call:
    """Run commands in a fresh folder; returns the document of the last."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", ":memory:")
    for name, text in (("market", MARKET), ("richer", WHATIF), ("few", FEW)):
        Path(f"{name}.yaml").write_text(text)

    def run(*commands: tuple[str, ...]) -> Any:
        for command in commands:
            capfd.readouterr()
            assert run_command(command) == 0, capfd.readouterr().err
        return json.loads(capfd.readouterr().out)

    return run


def keys(node: Any) -> Iterator[str]:
    """Names of a document, without those of mappings that are keyed by data."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name
            if name not in KEYED_BY_DATA:
                yield from keys(value)
    elif isinstance(node, list):
        for one in node:
            yield from keys(one)


def part(title: str) -> str:
    """What the page says of a command's document, and the parts that this refers to."""
    json_part = PAGE.read_text(encoding="utf-8").split("\n## JSON\n")[1].split("\n## ")[0]
    parts = re.split(r"^(?=`ventures )", json_part, flags=re.M)
    (found,) = [one for one in parts if re.match(rf"`{re.escape(title)} --json`", one)]
    return "\n".join([found, *map(part, re.findall(r"as in `(ventures [\w -]+)`", found))])


def undocumented(title: str, document: Any) -> set[str]:
    """Names of a document that neither its part of the page has nor what that part refers to."""
    own, text = part(title), PAGE.read_text(encoding="utf-8")
    measures = text.split("\n## `training`\n")[1].split("\n## ")[0] if "all measures" in own else ""
    shared = "runs, from_ledger, seconds, share, device" if "training, seconds, out    as above" in own else ""
    return set(keys(document)) - set(re.findall(r"\w+", own + measures + shared))


SLOW = "ventures cases"


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=pytest.mark.slow if title == SLOW else ()) for title in COMMANDS]
)
def test_every_key_of_a_document_is_documented(title: str, document: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("play.experiment", "calibration.run"):
        monkeypatch.setattr(f"analysis.{module}.real_engine", lambda: ENGINE)
    assert undocumented(title, document(COMMANDS[title])) == set()


@pytest.mark.slow
def test_every_key_of_a_story_is_documented(document: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its replays, in the story's seed and in others."""
    play_small(Path("run").resolve(), seeds=1)
    monkeypatch.setattr("analysis.counterfactual.replay.real_engine", lambda: ENGINE)
    story = document(("explain", "run", "iris", "-j", "1", "--seeds", "2", "--json"))
    assert story["reversals"]["levers"] and story["further_seeds"]["levers"] and story["causes"]
    assert undocumented("ventures explain", story) == set()


@pytest.mark.parametrize("title", TRAINING)
def test_every_key_of_a_document_about_training_is_documented(title: str, document: Call) -> None:
    """With a small network that is really trained."""
    assert undocumented(title, document(*TRAINING[title])) == set()
