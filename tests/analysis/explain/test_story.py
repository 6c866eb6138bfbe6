"""One firm's story from hand-made tables: the chronicle, the links behind its ending, and how they are printed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.cli.main import run_command
from analysis.explain.causes import RECORDED, chain, links_of
from analysis.explain.chronicle import chronicle, turning_points
from analysis.explain.facts import Record
from analysis.explain.rules import RULES
from analysis.explain.story import Story, as_document, explain
from analysis.screens.story import MOST_LINES, heaviest, story_lines
from tests.support.explain_fakes import CASH, ENGINE, KEY, events_of, months_of, play_small, record_of

FOUNDED = ("2016-01-01", "founded", "iris", "", 1e6, {"offers": {"cameras": "freemium"}})
RELEASE = ("2016-03-01", "release", "iris", "", 0.0, {"run": KEY, "lab": 0.8, "field": 0.5, "rung": 2})
JUDGED = {
    "revenue_usd_year": 1.2e5, "growth_year": 0.3, "advantage_lab": 0.3, "advantage_field": 0.05, "free_users": 40.0,
    "stage": "A", "climate": 0.85, "value_usd": 2e6, "value_asked_usd": 9e6, "revenue_asked_usd_year": 7e5,
    "why": "no fund saw the value",
}  # fmt: skip
REFUSED = ("2016-06-10", "raise refused", "iris", "", 14e6, JUDGED)


SEEN = {"quality_seen": 0.5, "quality": 0.5, "share_seen": 0.1, "share": 0.1}
LIVES = {"ending": "profitable", "ended": pd.NaT}


def story_of(record: Record) -> Story:
    facts = chronicle(record)
    return Story(record, tuple(facts), tuple(turning_points(record)), tuple(links_of(record, facts)))


def found_links(record: Record) -> set[tuple[str, str, str]]:
    return {(link.basis, link.cause.kind, link.effect.kind) for link in links_of(record, chronicle(record))}


def test_a_chronicle_is_dated_ordered_and_names_its_rows() -> None:
    record = record_of(months_of(customers=[0.0, 50.0, 80.0, 60.0]), events_of(FOUNDED, RELEASE))
    facts = chronicle(record)
    assert [fact.kind for fact in facts] == ["founded", "release", "year", "ending"]
    assert [fact.when for fact in facts] == sorted(fact.when for fact in facts)
    assert [fact.moment for fact in facts] == sorted(fact.moment for fact in facts)
    assert "1 M$ of seed capital" in facts[0].says and "traditional method: lab 0.500, field 0.450" in facts[1].says
    assert facts[1].trace == f"events 2016-03-01 iris release {KEY}"
    assert facts[2].trace == "firms 2016-04-01 iris" and f"{facts[2].when:%Y-%m-%d}" == "2016-05-01", (
        "measured at its end"
    )
    assert "cash 1 M$ (runway 25 months)" in facts[2].says
    assert facts[-1].says.endswith("Recorded causes: cash ran out")


def test_unknown_kinds_of_events_are_told_in_their_own_words() -> None:
    strike = ("2016-02-01", "strike", "iris", "", 0, {"days": 3})
    record = record_of(months_of(cash_usd=[1e6, 1e6]), events_of(strike))
    assert "strike" in [fact.says for fact in chronicle(record)]


def test_rivals_are_told_where_they_touch_the_firm() -> None:
    others = events_of(
        ("2016-03-01", "imitation", "giant", "", 0, {**SEEN, "rival": "iris"}),
        ("2016-03-01", "imitation", "giant", "", 0, {**SEEN, "rival": "lens"}),
        ("2016-03-01", "price cut", "giant", "", 0, {**SEEN, "rival": "iris", "level": 0.9}),
        ("2016-04-01", "price cut", "giant", "", 0, {**SEEN, "rival": "lens", "level": 0.81}),
        ("2016-04-01", "law", "", "", 0, {"says": "Data protection law"}),
        ("2019-04-01", "law", "", "", 0, {"says": "after its end"}),
    )
    record = record_of(months_of(cash_usd=[1e6] * 5), events_of(FOUNDED), others=others)
    kinds = [fact.kind for fact in chronicle(record)]
    assert kinds.count("imitation") == 1 and kinds.count("law") == 1 and kinds.count("price cut") == 2
    answers = [link for link in links_of(record, chronicle(record)) if link.basis == "rival answer"]
    assert [f"{link.effect.when:%Y-%m}" for link in answers] == ["2016-03"], "the other cut answers another firm"


def test_turning_points_are_the_largest_changes() -> None:
    months = months_of(cash_usd=[9e5, 8e5, 3e5, 1e6], customers=[0.0, 10.0, 90.0, 20.0])
    turns = {fact.says: f"{fact.when:%Y-%m}" for fact in turning_points(record_of(months, events_of()))}
    assert turns["largest fall of cash in a month: 800 k$ → 300 k$"] == "2016-04", "the end of March"
    assert turns["largest rise of cash in a month: 300 k$ → 1 M$"] == "2016-05"
    assert turns["most customers: 90"] == "2016-04"
    assert not any("trust" in says for says in turns), "what never changes has no turning point"


def test_bankruptcy_goes_back_to_cash_refusal_and_revenue() -> None:
    months = months_of(cash_usd=[1e6 - 1.2e5 * i for i in range(8)], headcount=[10.0] * 6 + [8.0, 7.0])
    record = record_of(months, events_of(FOUNDED, RELEASE, REFUSED))
    links = found_links(record)
    assert {
        (RECORDED, "condition", "ending"), ("burn", "books", "condition"), ("unfunded", "raise refused", "condition"),
        ("bar", "books", "raise refused"), ("cut", "raise refused", "cut"), (RECORDED, "training", "release"),
    } <= links  # fmt: skip
    story = story_of(record)
    depths = {link.cause.kind: depth for depth, link in chain(story.end, story.links)}
    assert depths["condition"] == 1 and depths["raise refused"] == 2 and depths["books"] >= 2


@pytest.mark.parametrize("kind", ["round", "recapitalised"])
def test_a_later_round_ends_what_a_refusal_explains(kind: str) -> None:
    later = ("2016-07-01", kind, "iris", "fund", 1e6, {"stage": "A", "pre_money_usd": 2e6, "converted": 1.0})
    assert "unfunded" not in {basis for basis, _, _ in found_links(
        record_of(months_of(cash_usd=[1e5] * 8), events_of(FOUNDED, REFUSED, later))
    )}  # fmt: skip


def test_trust_and_churn_go_back_to_the_gap_between_lab_and_field() -> None:
    months = months_of(trust=[0.5, 0.5, 0.45, 0.4, 0.4, 0.4], customers=[10.0, 50.0, 100.0, 90.0, 80.0, 70.0])
    figures = {"kind": "product", "own": 0.4, "peers": 0.6, "months_bought": 9.0, "ledger_key": KEY}
    field, trust = ({**figures, "measure": name} for name in ("field advantage", "trust"))
    links = found_links(record_of(months, events_of(FOUNDED, RELEASE), causes=(CASH, field, trust)))
    assert ("field gap", "release", "trust") in links and ("churn", "trust", "customers") in links
    assert ("field gap", "trust", "condition") in links
    assert (RECORDED, "release", "condition") in links, "the model in use at the end is recorded by its key"


def test_that_no_cause_was_found_is_said_and_causes_nothing() -> None:
    record = record_of(months_of(cash_usd=[1e6] * 4), events_of(), causes=(CASH, {"kind": "none apart", "n_peers": 7}))
    facts = chronicle(record)
    assert facts[-1].says.endswith("cash ran out; nothing set it apart from its 7 peers")
    causes = [link.cause.data["kind"] for link in links_of(record, facts) if link.cause.kind == "condition"]
    assert set(causes) == {"cash"}


def test_what_incumbents_give_away_stands_behind_customers_lost() -> None:
    """A price cut stands behind customers lost; where that is no cause it explains nothing."""
    lost = {"kind": "outcompeted", "measure": "customers lost", "own": 0.2, "peers": 0.1, "months_bought": 9.0}
    cut = {**SEEN, "rival": "lens", "level": 0.9}
    others = events_of(("2016-03-01", "price cut", "giant", "", 0, cut))
    record = record_of(months_of(cash_usd=[1e6] * 4), events_of(FOUNDED), causes=(CASH, lost), others=others)
    assert ("bundle", "price cut", "condition") in found_links(record)
    without = record_of(months_of(cash_usd=[1e6] * 4), events_of(FOUNDED), others=others)
    assert "bundle" not in {basis for basis, _, _ in found_links(without)}


def test_an_incident_explains_a_fall_of_trust_in_its_month_only() -> None:
    months = months_of(trust=[0.5, 0.5, 0.4, 0.4])
    assert ("incident", "breach", "trust") in found_links(
        record_of(months, events_of(("2016-04-01", "breach", "iris", "", 1e4, {"rows": 5.0})))  # struck in March
    )
    assert not any(
        basis == "incident"
        for basis, _, _ in found_links(record_of(months, events_of(("2016-02-01", "breach", "iris", "", 0))))
    )


def test_a_model_that_holds_in_the_field_explains_no_loss_of_trust() -> None:
    training = {KEY: {"plan": {}, "accuracy_lab": 0.8, "accuracy_field": 0.75}}
    record = record_of(months_of(trust=[0.5, 0.5, 0.4, 0.4]), events_of(RELEASE), training=training)
    assert not any(basis == "field gap" for basis, _, _ in found_links(record))


def test_a_survivor_lives_on_what_it_earns() -> None:
    months = months_of(revenue_usd=[8e4] * 8, customers=[0.0, 5.0, 10.0, 40.0, 80.0, 90.0, 100.0, 110.0])
    record = record_of(months, events_of(FOUNDED, RELEASE), LIVES)
    assert {
        ("profit", "books", "ending"),
        ("demand", "growth", "books"),
        ("growth", "release", "growth"),
    } <= found_links(record)
    assert not {kind for _, kind, _ in found_links(record)} & {"condition"}, "who lives has no causes of an end"


def test_every_rule_that_links_is_stated() -> None:
    months = months_of(trust=[0.5, 0.5, 0.4, 0.3, 0.3, 0.3, 0.3], customers=[9.0, 50.0, 99.0, 90.0, 80.0, 70.0, 60.0])
    links = links_of(record := record_of(months, events_of(FOUNDED, RELEASE, REFUSED)), chronicle(record))
    assert {link.basis for link in links} <= {RECORDED, *RULES} and len({link.basis for link in links}) >= 5


def test_a_long_life_is_told_in_few_lines() -> None:
    days = [f"2016-{month:02d}-{day:02d}" for month in range(1, 9) for day in range(1, 6)]
    outages = [(day, "outage", "iris", "", 0, {"operators": 1.0}) for day in days]
    record = record_of(months_of(cash_usd=[1e6] * 9), events_of(FOUNDED, *outages, RELEASE))
    story = story_of(record)
    lines = story_lines(story)
    assert len(heaviest(story.facts, MOST_LINES)) == MOST_LINES < len(story.facts)
    assert any("lesser facts left out" in line for line in lines) and any("releases a model" in line for line in lines)
    assert any("[events release 01234567]" in line for line in lines)
    assert json.dumps(as_document(story, None)) and len(as_document(story, None)["chronicle"]) == len(story.facts)


def test_a_story_of_a_played_run_says_which_world_it_took(tmp_path: Path) -> None:
    run = play_small(tmp_path / "run")
    story = explain(run, "iris")
    assert story.notes == ("arm base, one of 2", "seed 0, one of 2") and story.record.ending["ending"] == "bankrupt"
    assert explain(run, "iris", arm="rich").record.ending["ending"] == "alive"
    assert explain(run, "giant", seed=1).facts[-1].kind == "ending"
    assert explain(run, "new-2016-01-1").record.subject.firm == "new-2016-01-1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("rnu iris", "rnu is not a run folder: it holds no manifest.json (did you mean run?)"),
        ("run irsi", "no firm 'irsi' in run (did you mean iris?); firms: giant, iris, new-2016-01-1, new-2016-01-2"),
        ("run iris --seed 7", "no seed 7 in run; there are 0 to 1"),
        ("run iris --scenario smal", "no scenario 'smal' in run (did you mean small?)"),
        ("run iris --arm rch", "no arm 'rch' in run (did you mean rich?); arms: base, rich"),
        ("run iris --jobs 0", "jobs must be at least 1, not 0"),
    ],
)
def test_a_wrong_request_gets_one_line_and_2(
    arguments: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.counterfactual.replay.real_engine", lambda: ENGINE)
    play_small(tmp_path / "run")
    capfd.readouterr()
    code = run_command(["explain", *arguments.split()])
    out, err = capfd.readouterr()
    assert code == 2 and out == "" and says in err and err.count("\n") == 1


def test_steps_of_managers_and_spending_on_risks_say_their_reason() -> None:
    moved = {"indicator": "innovation", "reached": 0.62, "aspired": 0.9, "step": "hiring", "lever": "skill"}
    step = ("2016-06-01", "management", "iris", "", 900.0, {**moved, "before": 0.7, "after": 0.73})
    largest = {"risk": "runway", "rate_year": 0.51, "loss_usd": 1e5}
    spent = ("2016-07-01", "risk response", "iris", "", 50.0, {"done_usd": {"reserve": 50.0}, **largest})
    said = [fact.says for fact in chronicle(record_of(months_of(cash_usd=[1e6] * 8), events_of(FOUNDED, step, spent)))]
    steps = "its managers change hiring: skill 0.70 → 0.73, for innovation is at 62% of the target, 90% aspired to"
    assert steps in said
    assert "spends on its risks (USD): reserve 50; the largest is runway: 0.51 a year, 100,000 USD each" in said
