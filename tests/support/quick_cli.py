"""The command line in a process of its own, with real worlds on a training service that computes.

`python -m tests.support.quick_cli run FILE … THEN validate FILE`: for tests of what a terminal, a pipe or a
closed stream makes of commands; the first that fails ends it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT
from tests.support.patience import HANGS_S
from tests.support.scenario_files import SMALL_MARKET

THEN = "THEN"
PLAY = {"run", "cases"}
UNDRAWN = {"UNDRAWN": "1"}
SMALL = (
    SMALL_MARKET.replace("years: 2", "years: 1")
    + """\
expect:
  - {id: few, section: "1", says: It has few customers., metric: customers, at_most: 1e6}
causes:
  money: {section: "1", says: Little money., set: {firms.iris.capital_usd: 5e6}}
"""
)


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables of a process that finds the project and these tests, and keeps its ledger in the folder."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name != "COLUMNS"}
    return {**given, "PYTHONPATH": str(ROOT), "VENTURES_LEDGER": str(folder / "ledger.sqlite"), **(more or {})}


def command(*arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    """What to start; `options` are those of Python."""
    return [sys.executable, *options, "-m", "tests.support.quick_cli", *arguments]


def call(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in the folder to its end; variables go into its environment."""
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(folder, variables), capture_output=True, timeout=HANGS_S
    )


def start(folder: Path, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    """Start a command in the folder, without pictures; its standard streams are pipes unless `more` says else."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen(command(*arguments), cwd=folder, env=environment(folder, UNDRAWN), **streams)


def main() -> None:
    """The command line with quick worlds, without pictures where the variable UNDRAWN is set."""
    from analysis.cli.main import main as ventures

    given = sys.argv[1:]
    if PLAY & {*given}:
        play_quickly()
    while THEN in given:
        at = given.index(THEN)
        run_one(ventures, given[:at])
        given = given[at + 1 :]
    ventures(given)


def play_quickly() -> None:
    """Put what is quick in place of what takes long; commands that play nothing need not load either."""
    import analysis.play.experiment
    import analysis.plots
    from tests.support import explain_fakes

    analysis.play.experiment.real_engine = lambda: explain_fakes.ENGINE
    if os.environ.get("UNDRAWN"):
        nothing: Any = lambda *_: []  # noqa: E731
        analysis.plots.plot_run = analysis.plots.plot_study = nothing


def run_one(ventures: Callable[[list[str]], None], arguments: list[str]) -> None:
    """One of several commands."""
    try:
        ventures(arguments)
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
