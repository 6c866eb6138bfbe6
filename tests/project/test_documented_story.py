"""The example of docs/explain.md is what the two commands before it print, with networks that are really trained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.cli.main import run_command
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "explain.md"


def example() -> tuple[list[list[str]], list[str]]:
    """The commands, and the lines that they print."""
    section = PAGE.read_text(encoding="utf-8").split("\n## An example\n")[1].split("\n## ")[0]
    commands, printed = (re.findall(r"^    (.*)$", part, re.M) for part in section.split("\nprints ("))
    return [command.split()[1:] for command in commands], printed


@pytest.mark.slow
def test_the_example_is_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every line, up to what an ellipsis leaves out, in the order in which they stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("COLUMNS", "10000")
    commands, printed = example()
    assert [command[0] for command in commands] == ["run", "explain"] and len(printed) > 30
    for command in commands:
        capfd.readouterr()
        assert run_command([*command, "--device", "cpu", "--jobs", "1"]) == 0, capfd.readouterr().err
    there, place = " ".join(capfd.readouterr().out.split()), 0
    for line in printed:
        for told in (" ".join(part.split()) for part in line.split("…")):
            found = there.find(told, place)
            assert found >= 0, f"{told!r} is not printed, or not in this place"
            place = found + len(told)
