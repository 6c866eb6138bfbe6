"""Small inputs whose results were once wrong, each with the command that showed it and what is right.

Each file of `faults/` shows one member of a kind; the tests of the kind stand with what they test. Networks are really
trained where a value depends on them, and computed elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.cli.main import run_command
from scenarios import load, load_whatif
from scenarios.build import build_world
from tests.support.explain_fakes import ENGINE
from tests.support.patience import HANGS_S
from tests.support.service import FakeService
from tests.support.world_fakes import entrants_of, play

FILES = Path(__file__).parent / "faults"
Call = Callable[..., tuple[int, str, str]]
Document = Callable[..., Any]


@pytest.fixture
def ventures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], undrawn: None) -> Call:
    """Run a command where the files lie. Returns exit code, standard output, standard error."""
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))

    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(arguments)
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def trained(ventures: Call) -> Document:
    """What a command prints with `--json`; networks are really trained."""

    def call(*arguments: str) -> Any:
        code, out, err = ventures(*arguments, "--jobs", "1", "--device", "cpu", "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def computed(ventures: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command with networks that are computed instead of trained."""
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)
    return ventures


def founded(folder: str, firm: str) -> Mapping[str, Any]:
    """What the run recorded of the firm's founding."""
    events = pd.read_parquet(Path(folder) / "events.parquet")
    (fields,) = events[(events["kind"] == "founded") & (events["firm"] == firm)]["fields"]
    found: Mapping[str, Any] = json.loads(fields)
    return found


# -- statistics -------------------------------------------------------------------------------------------------------


def test_extinct_seeds_count_as_no_customers(trained: Document) -> None:
    """In three of four seeds the only startup dies; with half the skill in all."""
    (whatif,) = trained("compare", "one.yaml", "--with", "onew.yaml", "-n", "4")["whatifs"]
    rows = {row["measure"]: row for row in whatif["differences"]}
    customers = rows["customers"]
    assert customers["base"] == pytest.approx(6.29, abs=0.005)
    assert (customers["changed"], customers["n"]) == (0, 4)
    assert rows["survival"]["base"] == 0.25 and rows["survival"]["changed"] == 0
    for row in rows.values():
        assert row["n"] + row["left_out"] == 4
        assert row["n"] == 0 or row["changed"] - row["base"] == row["effect"]
    assert rows["hhi"]["empty_months"] == {"base": 36, "base_of": 48, "changed": 48, "changed_of": 48}
    assert (rows["raised_usd"]["low"], rows["raised_usd"]["verdict"]) == (None, "too few seeds")


WINDOWS = """\
extends: ending-window.yaml
expect:
  - {id: last-month, section: x, says: bankrupt in December, ending: [bankrupt], after: 2014-12, before: 2015-01}
  - {id: earlier, section: x, says: bankrupt before December, ending: [bankrupt], before: 2014-12}
  - {id: ev-earlier, section: x, says: event before December, event: bankrupt, before: 2014-12}
  - {id: cash, section: x, says: cash, metric: cash_usd, statistic: last, at_most: 1e5}
  - {id: cash-run, section: x, says: c, metric: cash_usd, statistic: last, at_most: 1e5, before: 2015-01}
"""
ALIVE = """\
extends: ending-window.yaml
firms: {a: {capital_usd: 1e6}}
expect:
  - {id: no-window, section: x, says: lives, ending: [alive, profitable]}
  - {id: whole-run, section: x, says: lives, ending: [alive, profitable], after: 2014-01, before: 2015-01}
  - {id: last-month, section: x, says: lives, ending: [alive, profitable], after: 2014-12}
  - {id: earlier, section: x, says: lives, ending: [alive, profitable], before: 2014-12}
"""


def test_a_window_over_the_whole_run_holds_what_its_last_month_decides(trained: Document) -> None:
    """One startup goes bankrupt on the first day after the run; with more money it lives."""
    Path("windows.yaml").write_text(WINDOWS)
    Path("alive.yaml").write_text(ALIVE)
    played = trained("cases", "ending-window.yaml", "windows.yaml", "alive.yaml", "-n", "1")
    exact, windows, alive = ({one["id"]: one["share"] for one in case["expectations"]} for case in played["cases"])
    assert [case["median_end"] for case in played["cases"][:2]] == ["2015-01-01"] * 2
    assert exact == {"no-window": 1, "whole-run": 1, "ev": 1, "ev-whole": 1}
    assert windows == {"last-month": 1, "earlier": 0, "ev-earlier": 0, "cash": 1, "cash-run": 1}
    assert alive == {"no-window": 1, "whole-run": 1, "last-month": 1, "earlier": 0}
    assert played["cases"][2]["match"] == {"share": 0, "low": None, "high": None, "n": 1}


# -- pairing ----------------------------------------------------------------------------------------------------------


def test_a_warmer_year_changes_nobody_who_enters_anyway() -> None:
    small = load(FILES / "small.yaml")
    warm = load_whatif(FILES / "heat.yaml", small)
    n_more = []
    for seed in range(4):
        before, after = (entrants_of(play(build_world(one, seed, FakeService()))) for one in (small, warm))
        assert {name: after[name] for name in before} == before
        n_more.append(len(after) - len(before))
    assert n_more[0] == 1, "in seed 0 the warmth brings one entrant"


# -- what is in force -------------------------------------------------------------------------------------------------


def test_a_bundle_that_ended_before_the_founding_is_not_told(computed: Call) -> None:
    assert computed("run", "nobundle.yaml", "-n", "1", "--seed", "1", "--jobs", "1", "--out", "nob")[0] == 0
    code, out, err = computed("explain", "nob", "free-voice", "--seed", "1", "--no-replay", "--json")
    assert code == 0, err
    story = json.loads(out)
    assert story["chronicle"] and not any(fact["kind"].startswith("bundle") for fact in story["chronicle"])


def test_a_founding_tells_the_offers_in_force(computed: Call) -> None:
    assert computed("run", "early.yaml", "-n", "1", "--jobs", "1", "--out", "early")[0] == 0
    assert founded("early", "free-voice")["offers"] == {"dictation": "subscription"}


@pytest.mark.parametrize("key", ["traditional_rows", "market_opens", "adopted_share"])
def test_a_dated_change_of_what_acts_at_the_start_only_is_refused(key: str, ventures: Call) -> None:
    values = {"traditional_rows": "64", "market_opens": "2014", "adopted_share": "0.1"}
    owner = "segments.dictation." if key == "adopted_share" else ""
    text = Path("traditional-rows.yaml").read_text()
    Path(f"{key}.yaml").write_text(text.replace("traditional_rows: 64", f"{owner}{key}: {values[key]}"))
    code, out, err = ventures("validate", f"{key}.yaml", "--on", "small.yaml")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert f"world.sectors.speech.{owner}{key}'" in err.replace("\n", "") and f"{key}.yaml:4" in err


def test_a_day_that_is_no_month_is_refused(ventures: Call) -> None:
    code, out, err = ventures("run", "founded-day.yaml", "-n", "1")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "founded-day.yaml:11: firms.a.founded = '2015-12-31'" in err and not Path("runs").exists()


# -- screens ----------------------------------------------------------------------------------------------------------


def test_brackets_in_a_text_are_shown_as_written(computed: Call) -> None:
    says = "at most 5 USD [/month]"
    code, out, err = computed("cases", "markup-crash.yaml", "-n", "1", "--jobs", "1")
    assert code == 0 and says in out, err
    code, out, err = computed("cases", "markup-crash.yaml", "-n", "1", "--jobs", "1", "--json")
    (case,) = json.loads(out)["cases"]
    assert code == 0 and case["expectations"][0]["says"] == says


def test_a_title_that_the_terminal_cannot_show_ends_nothing() -> None:
    command = [sys.executable, "-c", "from analysis.cli.main import main; main()", "validate", "zh.yaml"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, cwd=FILES, env=environment, capture_output=True, timeout=HANGS_S)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("cp1252").splitlines() == ["OK zh.yaml: ????:????"]
