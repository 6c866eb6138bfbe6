"""What the chain names and what the replays find: where they contradict each other, story and document say so."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from agents.settings import FirmSettings
from analysis.counterfactual.agreement import checks
from analysis.counterfactual.levers import LEVERS, LeverChange, lever_changes
from analysis.counterfactual.replay import Outcome
from analysis.counterfactual.search import Reversals, Search
from analysis.explain.causes import links_of
from analysis.explain.chronicle import chronicle
from analysis.explain.rules import RULES
from analysis.explain.story import Story, as_document
from analysis.screens.story import reversal_lines
from simulation.records.reasons import MEASURES, ReasonKind
from tests.support.explain_fakes import CASH, events_of, months_of, record_of

ALIVE, BANKRUPT = Outcome("alive", "", False), Outcome("bankrupt", "2017-07", True)
FIGURES = {"own": 0.3, "peers": 0.5, "months_bought": 9.0}
TRUST = {"kind": "product", "measure": "trust", **FIGURES}
LOST_TRUST = "product: trust 0.3, 0.5 of its peers; undone, 9 months more"
SOLD = {"kind": "misjudged", "seen_usd": 2e6, "true_usd": 1e6}


def story_of(*causes: dict[str, Any]) -> Story:
    record = record_of(months_of(cash_usd=[1e6] * 6), events_of(), causes=causes)
    facts = chronicle(record)
    return Story(record, tuple(facts), (), tuple(links_of(record, facts)))


def tried(lever: str, *acts_on: str, turns: bool) -> Search:
    return Search(LeverChange(lever, 0, acts_on=acts_on), True, {1.0: ALIVE if turns else BANKRUPT})


MONEY = tried("seed capital", "cash", turns=True)
CARE = tried("prevention of incidents", "trust", turns=False)
FIELD = tried("data from the field", "trust", "field advantage", turns=False)
OTHER = tried("marketing share", turns=True)


def test_a_cause_without_which_the_ending_stays_is_contradicted() -> None:
    story, reversals = story_of(CASH, TRUST, SOLD), Reversals((MONEY, CARE, FIELD, OTHER), complete=True)
    found = {one.label: one for one in checks(story.end, story.links, reversals)}
    assert found["cash"].agrees is True and found["cash"].turning == ("seed capital",)
    assert found["trust"].agrees is False and found["trust"].levers == (
        "prevention of incidents",
        "data from the field",
    )
    assert found["misjudged"].agrees is None, "no lever acts on it"
    assert found["burn"].agrees is None if "burn" in found else True


def test_of_one_kind_the_cause_nearest_to_the_ending_is_named() -> None:
    founded = ("2016-01-01", "founded", "iris", "", 1e6, {"offers": {"cameras": "freemium"}})
    months = months_of(freemium_free=[90.0] * 6, freemium_paying=[10.0] * 6)
    free = {"kind": "price or cost", "measure": "paying share", "own": 0.1, "peers": 0.3, "months_bought": 9.0}
    record = record_of(months, events_of(founded), causes=(CASH, free))
    facts = chronicle(record)
    pivot = tried("months before a pivot", "paying share", "free", turns=True)
    found = {one.label: one for one in checks(facts[-1], links_of(record, facts), Reversals((pivot,), complete=True))}
    assert found["paying share"].direct and [cause.kind for cause in found["paying share"].causes] == ["condition"]
    assert [cause.kind for cause in found["free"].causes] == ["founded"] and found["free"].agrees


def test_the_document_says_it_of_causes_and_levers() -> None:
    document = as_document(story_of(CASH, TRUST), Reversals((MONEY, CARE, OTHER), complete=True))
    by_cause = {link["cause"]["says"]: link for link in document["causes"] if link["effect"]["kind"] == "ending"}
    assert by_cause["cash ran out"]["agrees"] is True and by_cause["cash ran out"]["tested_by"] == ["seed capital"]
    assert by_cause[LOST_TRUST]["agrees"] is False
    levers = {lever["lever"]: lever["agrees"] for lever in document["reversals"]["levers"]}
    assert levers == {"seed capital": True, "prevention of incidents": False, "marketing share": False}
    told = as_document(story_of(CASH), None)["causes"]
    assert all(link["agrees"] is None and link["tested_by"] == [] for link in told), "nothing was replayed"


def test_the_screen_says_it() -> None:
    story = story_of(CASH, TRUST, SOLD)
    text = "\n".join(reversal_lines(story, Reversals((MONEY, CARE, FIELD, OTHER), complete=True)))
    tried_ones = "tried: prevention of incidents, data from the field"
    assert f"{LOST_TRUST}: the firm still fails, whatever is done about it ({tried_ones})" in text
    assert "They bear out: cash ran out (seed capital)" in text
    assert "No replay tells of: the buyer saw 2 M$ in it" in text
    assert "though no cause above speaks of them: marketing share" in text


def test_an_interrupted_search_contradicts_nothing() -> None:
    story, reversals = story_of(CASH, TRUST), Reversals((MONEY, CARE), complete=False)
    found = {one.label: one.agrees for one in checks(story.end, story.links, reversals)}
    assert found["trust"] is None and found["cash"] is True
    assert "contradict" not in "\n".join(reversal_lines(story, reversals))


@pytest.mark.parametrize("failed", [True, False])
def test_levers_act_on_causes_that_there_are(failed: bool) -> None:
    known = {*get_args(ReasonKind), *MEASURES, *RULES}
    settings = FirmSettings(sector="vision", offers={"cameras": "freemium", "photos": "licence"})
    for pull in lever_changes(settings, failed, {"giant": ("cameras",)}):
        assert set(pull.acts_on) <= known
    acted_on = {label for lever in LEVERS for label in lever.acts_on}
    assert {"cash", "runway", "refused", "raised", "no model", "field advantage", "trust", "paying share"} <= acted_on
    assert not {*MEASURES} & {*RULES} and not {*MEASURES} & {*get_args(ReasonKind)}, "a name means one thing"
