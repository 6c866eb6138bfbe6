"""Every ending that `simulation.records.endings` declares is known wherever endings are listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from analysis.base_rates.statistics import Deadly, SurvivalOf
from analysis.explain.chronicle import ending_fact
from analysis.explain.facts import is_failure
from analysis.facts.survival import ENDINGS as COHORT_ENDINGS
from analysis.facts.survival import CohortRow
from analysis.pages.cases import CHINESE
from analysis.plots.marks import KINDS as MARKS
from analysis.plots.style import ENDING_COLOURS
from simulation.records.endings import ENDINGS, FAILED, GONE, SURVIVED, sold_low
from simulation.records.events import KINDS, Left
from tests.support.explain_fakes import events_of, months_of, record_of

DOCS = Path(__file__).parents[2] / "docs"
OF_STARTUPS = [name for name in ENDINGS if name != "closed"]
"""Only an incumbent's line is closed by a parent."""


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_is_known_everywhere(ending: str) -> None:
    assert ending in ENDING_COLOURS and ending in CHINESE.endings
    listed = re.search(r"- `ending`: a list of (.*?);", (DOCS / "scenarios.md").read_text(encoding="utf-8"), re.S)
    assert listed and f"`{ending}`" in listed[1]
    end = {"ending": ending, "exit_value_usd": 1e6}
    told = ending_fact(record_of(months_of(cash_usd=[1e5, 1e4]), events_of(), ending=end)).headline
    assert told and told != ending, "a sentence of its own"


@pytest.mark.parametrize("ending", GONE)
def test_who_is_gone_left_with_an_event_and_a_mark(ending: str) -> None:
    assert issubclass(KINDS[ending], Left) and ending in [kind for _, kind, _ in MARKS]


def test_letters_of_marks_are_used_once() -> None:
    letters = [letter for letter, _, _ in MARKS]
    assert len(letters) == len(set(letters))


def test_what_counts_as_failure_is_said_once() -> None:
    assert {*GONE, *SURVIVED} == set(ENDINGS) and not {*GONE} & {*SURVIVED} and {*FAILED} < {*GONE}
    assert {*get_args(Deadly)} == {*GONE} - {"closed"} and {*SurvivalOf(age_years=1).deaths} == {*FAILED} - {"closed"}
    for ending in ENDINGS:
        row = pd.Series({"ending": ending, "exit_value_usd": 5.0, "raised_usd": 10.0})
        assert is_failure(row) == (ending in FAILED or ending == "acquired")
    assert not sold_low("acquired", 10.0, 10.0)


def test_cohorts_count_every_ending_of_startups() -> None:
    merged = {"alive" if name == "profitable" else name for name in OF_STARTUPS}
    assert {*COHORT_ENDINGS} == merged
    assert [*CohortRow._fields[2:]] == [name.replace(" ", "_") for name in COHORT_ENDINGS]
