"""Small scenarios with really trained networks whose figures were once wrong, and what is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.cli.main import run_command

ONE = """\
title: One startup only
start: 2014-01
years: 5
world:
  sectors:
    speech:
      task: speech
      segments:
        call-centres: {customers: 800, reference_price_usd: 3000, tailoring_weight: 0.5}
firms:
  a:
    sector: speech
    offers: {call-centres: subscription}
    capital_usd: 1.6e6
    staff: {research: 4, marketing: 2}
"""
HALF_THE_SKILL = "whatif: true\ntitle: half the skill\nset: {firms.a.skill: 0.3}\n"
ENDING_WINDOW = """\
title: One startup that goes bankrupt on the first day after the run
start: 2014-01
years: 1
focal: a
world:
  sectors:
    speech:
      task: speech
      segments:
        dictation: {customers: 50_000, reference_price_usd: 15, contract_months: 3}
firms:
  a:
    sector: speech
    offers: {dictation: freemium}
    capital_usd: 520000
    staff: {research: 4, marketing: 2}
expect:
  - {id: no-window, section: x, says: bankrupt, ending: [bankrupt]}
  - {id: whole-run, section: x, says: bankrupt in the whole run, ending: [bankrupt], after: 2014-01, before: 2015-01}
  - {id: last-month, section: x, says: bankrupt in December, ending: [bankrupt], after: 2014-12, before: 2015-01}
  - {id: earlier, section: x, says: bankrupt before December, ending: [bankrupt], before: 2014-12}
  - {id: ev, section: x, says: event no window, event: bankrupt}
  - {id: ev-whole, section: x, says: event whole run, event: bankrupt, after: 2014-01, before: 2015-01}
  - {id: ev-earlier, section: x, says: event before December, event: bankrupt, before: 2014-12}
  - {id: cash, section: x, says: cash, metric: cash_usd, statistic: last, at_most: 1e5}
  - {id: cash-run, section: x, says: c, metric: cash_usd, statistic: last, at_most: 1e5, before: 2015-01}
causes:
  money: {section: x, says: m, set: {firms.a.capital_usd: 1e6}}
"""
ALIVE = (
    ENDING_WINDOW.partition("expect:")[0].replace("520000", "1e6")
    + """\
expect:
  - {id: no-window, section: x, says: lives, ending: [alive, profitable]}
  - {id: whole-run, section: x, says: lives, ending: [alive, profitable], after: 2014-01, before: 2015-01}
  - {id: last-month, section: x, says: lives, ending: [alive, profitable], after: 2014-12}
  - {id: earlier, section: x, says: lives, ending: [alive, profitable], before: 2014-12}
"""
)


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """What a command prints with `--json`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))

    def run(*arguments: str) -> Any:
        capfd.readouterr()
        assert run_command([*arguments, "-j", "1", "--device", "cpu", "--json"]) == 0, capfd.readouterr().err
        return json.loads(capfd.readouterr().out)

    return run


def shares(document: Any) -> dict[str, float]:
    return {one["id"]: one["share"] for one in document["cases"][0]["expectations"]}


@pytest.mark.slow
def test_extinct_seeds_count_as_no_customers(document: Callable[..., Any]) -> None:
    """In three of four seeds the only startup dies; with half the skill in all."""
    Path("one.yaml").write_text(ONE)
    Path("onew.yaml").write_text(HALF_THE_SKILL)
    (whatif,) = document("compare", "one.yaml", "--with", "onew.yaml", "-n", "4")["whatifs"]
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


def test_a_window_over_the_whole_run_holds_what_its_last_month_decides(document: Callable[..., Any]) -> None:
    Path("window.yaml").write_text(ENDING_WINDOW)
    played = document("cases", "window.yaml", "-n", "1")
    assert played["cases"][0]["median_end"] == "2015-01-01"
    found = shares(played)
    assert found == {
        "no-window": 1, "whole-run": 1, "last-month": 1, "earlier": 0, "ev": 1, "ev-whole": 1, "ev-earlier": 0,
        "cash": 1, "cash-run": 1,
    }  # fmt: skip


def test_a_firm_that_lives_has_its_ending_when_the_run_ends(document: Callable[..., Any]) -> None:
    Path("alive.yaml").write_text(ALIVE)
    played = document("cases", "alive.yaml", "-n", "1")
    assert shares(played) == {"no-window": 1, "whole-run": 1, "last-month": 1, "earlier": 0}
    assert played["cases"][0]["match"] == {"share": 0, "low": None, "high": None, "n": 1}
