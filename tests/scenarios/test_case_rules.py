"""The rules of a case: sections for what is not usual, causes that make usual, statements with roles, the twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios import Scenario, ScenarioError, load
from scenarios.causes import changes_of
from scenarios.usual import usual_traits
from tests.support.scenario_files import error_of, write

BASE = """\
title: A case
start: 2014-01
years: 6
focal: alpha
world:
  sectors:
    speech: {task: speech, segments: {dictation: {customers: 5000}, calls: {customers: 300}}}
firms:
  alpha:
    sector: speech
    founded: 2015-01
    offers: {dictation: freemium}
    skill: 0.8
    engineering: {memory: 1.3}
  rival: {kind: incumbent, sector: speech, offers: {calls: bundle}, skill: 0.7, prevention: 0.6}
entrants:
  newcomers: {sector: speech, offers: [{dictation: subscription}], managed: {mean: 0.6}, rows: {mean: 90000}}
"""
ENDOWED = """\
endowments: {sector: "5.2", founded: assumption, offers: "5.2", skill: "5.2", engineering.memory: "7.1"}
"""
EXPECT = """\
expect:
  - {id: gone, section: "5.2", says: It fails., role: outcome, ending: [bankrupt, acquired]}
  - {id: users, section: "5.2", says: It has users., metric: customers, statistic: max, at_least: 100}
"""
CASE = BASE + ENDOWED + EXPECT


def causes(**named: str) -> str:
    """The part of a file that names causes; each with its own words in flow style."""
    return "causes:\n" + "".join(f'  {name}: {{section: "5.2", says: Why., {own}}}\n' for name, own in named.items())


@pytest.fixture
def case(tmp_path: Path) -> Scenario:
    return load(write(tmp_path, CASE + causes(team="usual: [skill]", memory="usual: [engineering.memory]")))


def test_what_the_file_does_not_say_is_usual(case: Scenario) -> None:
    firm = case.firms["alpha"]
    assert (firm.managed, firm.rows, firm.collaboration, firm.engineering.hardware) == (0.6, 90_000, 1.0, 1.0)
    assert firm.capital_usd == pytest.approx(1.1875e6)  # V20, at the beginning of 2015
    assert (firm.skill, firm.engineering.memory) == (0.8, 1.3)


def test_without_endowments_files_mean_what_they_meant(tmp_path: Path) -> None:
    plain = load(write(tmp_path, BASE + EXPECT + causes(team="set: {firms.alpha.skill: 0.1}")))
    assert plain.firms["alpha"].managed == 0.0 and plain.without("team").firms["alpha"].skill == 0.1
    usual = load(write(tmp_path, BASE + EXPECT + causes(team="usual: [skill]")))
    assert usual.without("team").firms["alpha"].skill == 0.55
    with pytest.raises(ScenarioError, match="says no endowments, so its firm has no twin"):
        plain.twin()


def test_a_cause_taken_away_makes_its_traits_usual_and_no_others(case: Scenario) -> None:
    without = case.without("team")
    assert without.firms["alpha"] == case.firms["alpha"].model_copy(update={"skill": 0.55})
    assert changes_of(case, "memory") == {"firms.alpha.engineering.memory": 1.0}
    both = case.without("team", "memory").firms["alpha"]
    assert both.skill == 0.55 and both.engineering.memory == 1.0 and both.managed == 0.6


def test_what_is_usual_follows_the_entrants_of_the_scenario(case: Scenario, tmp_path: Path) -> None:
    other = load(write(tmp_path, CASE + causes(team="usual: [skill]")), {"entrants.newcomers.skill": {"mean": 0.3}})
    assert other.without("team").firms["alpha"].skill == 0.3 and other.firms["alpha"].skill == 0.8


def test_the_twin_has_no_endowment_and_the_same_identity(case: Scenario) -> None:
    twin, firm = case.twin(), case.firms["alpha"]
    usual = usual_traits(case, "alpha")
    assert twin.firms["alpha"] == firm.model_copy(
        update={"skill": usual["skill"], "engineering": firm.engineering.model_copy(update={"memory": 1.0})}
    )
    assert twin.expect == case.expect and twin.causes == case.causes and twin.firms["rival"] == case.firms["rival"]
    assert Scenario.from_document(twin.to_document()).fingerprint() == twin.fingerprint(), "arms are read back"


def test_the_twin_is_usual_at_every_date(tmp_path: Path) -> None:
    dated = "interventions: [{at: 2016-01, set: {firms.alpha.skill: 0.9, firms.rival.skill: 0.8}}]\n"
    twin = load(write(tmp_path, CASE + dated)).twin()
    assert twin.settings_at()[-1][2]["alpha"].skill == 0.55 and twin.settings_at()[-1][2]["rival"].skill == 0.8
    alone = load(write(tmp_path, CASE + dated.replace(", firms.rival.skill: 0.8", "")))
    assert alone.settings_at()[-1][2]["alpha"].skill == 0.9 and alone.twin().interventions == ()


def test_reading_a_case_back_fills_and_refuses_nothing(case: Scenario, tmp_path: Path) -> None:
    """Arms, replays and what-ifs lay changes over the complete case; they need no section."""
    assert Scenario.from_document(case.to_document()).fingerprint() == case.fingerprint()
    changes = {"firms.alpha.managed": 0.1, "world.capital.stages.seed.round_usd_2014": 2.0e6}
    changed = load(tmp_path / "my.yaml", changes).firms["alpha"]
    assert changed.managed == 0.1 and changed.capital_usd == case.firms["alpha"].capital_usd


def test_what_is_removed_altogether_needs_no_other_change(tmp_path: Path) -> None:
    """One cause takes the giant away, another what it gives away: without both there is no giant."""
    rules = causes(giants="set: {firms.rival: null}", free="set: {firms.rival.offers: {calls: subscription}}")
    both = load(write(tmp_path, CASE + rules)).without("giants", "free")
    assert "rival" not in both.firms


def test_causes_that_set_what_another_makes_usual_must_agree(tmp_path: Path) -> None:
    chapter = "from_chapter: true, set: {firms.alpha.skill: 0.6}"
    scenario = load(write(tmp_path, CASE + causes(team="usual: [skill]", book=chapter)))
    with pytest.raises(ScenarioError, match="causes 'team' and 'book' cannot be taken away together"):
        scenario.without("team", "book")
    agreed = causes(team="usual: [skill]", book=f"{chapter}, together: {{team: {{firms.alpha.skill: 0.6}}}}")
    assert load(write(tmp_path, CASE + agreed)).without("team", "book").firms["alpha"].skill == 0.6


TEAM = causes(team="usual: [skill]")
FAULTS: dict[str, tuple[str, str, str]] = {
    "a trait without a section": (
        CASE.replace("skill: 0.8", "skill: 0.8\n    release_months: 6"), "    release_months: 6",
        "firms.alpha.release_months = 6.0: usual is 9.0, and endowments names no section for it",
    ),
    "a nested trait without a section": (
        CASE.replace("{memory: 1.3}", "{memory: 1.3, hardware: 2}"), "    engineering:",
        "firms.alpha.engineering.hardware = 2.0: usual is 1.0",
    ),
    "the default of a firm where another is usual": (
        CASE.replace("skill: 0.8", "skill: 0.8\n    managed: 0"), "    managed: 0", "usual is 0.6",
    ),
    "a section for what is usual": (
        CASE.replace('skill: "5.2"', 'skill: "5.2", prevention: "5.2"'), "endowments:",
        "endowments.prevention: firms.alpha has the usual 0.3; leave it out",
    ),
    "a section for a usual value that is written": (
        CASE.replace("skill: 0.8", "skill: 0.55"), "endowments:", "endowments.skill: firms.alpha has the usual 0.55",
    ),
    "a trait that does not exist": (
        CASE.replace('skill: "5.2"', 'skil: "5.2"'), "endowments:", "unknown trait of a firm 'skil' in endowments; did "
        "you mean 'skill'?",
    ),
    "an empty section": (CASE.replace('skill: "5.2"', 'skill: " "'), "endowments:", "needs a section of the book"),
    "no section for what it sells": (
        CASE.replace('offers: "5.2", ', ""), "endowments:", "endowments.offers is missing: must be the section",
    ),
    "nobody whose endowments they are": (
        CASE.replace("focal: alpha\n", ""), "endowments:", "endowments: are those of the focal firm; name one in focal",
    ),
    "an incumbent": (
        CASE.replace("focal: alpha", "focal: rival"), "endowments:", "rival is an incumbent; only of startups",
    ),
    "nobody enters": (
        CASE.replace("entrants:\n", "").replace(BASE.splitlines()[-1] + "\n", ""), "    sector: speech",
        "no startups of direction vertical enter the sector 'speech' of alpha",
    ),
    "a dated trait without a section": (
        CASE + "interventions: [{at: 2016-01, set: {firms.alpha.prevention: 0.9}}]\n", "interventions:",
        "'firms.alpha.prevention': changes a trait of the focal firm that endowments does not name",
    ),
    "a typed number": (
        CASE + causes(giants="set: {firms.rival.skill: 0.1}"), "  giants:",
        "cause 'giants' sets 'firms.rival.skill' to a number: a removal may not type one; say usual",
    ),
    "a number inside": (
        CASE + causes(people="set: {firms.rival.staff: {research: 1}}"), "  people:",
        "cause 'people' sets 'firms.rival.staff' to a number",
    ),
    "a trait that is set": (
        CASE + causes(team="set: {firms.alpha.skill: 0.2}"), "  team:",
        "cause 'team' sets 'firms.alpha.skill': a trait of the focal firm; say usual: [skill]",
    ),
    "a choice below usual": (
        CASE + causes(kind="set: {firms.alpha.model_kind: mlp}"), "  kind:", "say usual: [model_kind]",
    ),
    "the firm as a whole": (
        CASE + causes(team="set: {firms.alpha: {sector: speech, offers: {calls: licence}}}"), "  team:",
        "cause 'team' sets 'firms.alpha': a trait of the focal firm; say usual, with the traits",
    ),
    "usual already": (
        CASE + causes(team="usual: [collaboration]"), "  team:", "collaboration of alpha is usual already (1.0)",
    ),
    "a trait nobody has": (
        CASE + causes(team="usual: [skil]"), "  team:", "unknown trait of a firm 'skil' in causes.team.usual; did you",
    ),
    "an offer that should be usual": (
        CASE + causes(model="usual: [offers]"), "  model:", "entrants choose among several, so that none is usual",
    ),
    "a cause that takes nothing away": (CASE + causes(none="set: {}"), "  none:", "a cause that takes nothing away"),
    "no outcome": (
        CASE.replace(" role: outcome,", "") + TEAM, "expect:", "how the firm ends or what it earns needs role: outcome",
    ),
    "an outcome that is none": (
        CASE.replace(" role: outcome,", "").replace("metric: customers", "role: outcome, metric: customers") + TEAM,
        "expect:", "needs role: outcome",
    ),
    "nothing but background": (
        BASE + EXPECT.replace("role: outcome", "role: background").replace("metric:", "role: background, metric:"),
        "expect:", "every statement is background",
    ),
    "a twin that is not there": (
        BASE + EXPECT.replace("at_least: 100", "of: over_twin, at_least: 1"), "  - {id: users",
        "expect[1].of = over_twin: needs endowments",
    ),
    "a check against a twin that is not there": (
        BASE + EXPECT + causes(team="usual: [skill], manipulation: {metric: trust, of: over_twin}"), "  team:",
        "causes.team.manipulation.of = over_twin: needs endowments",
    ),
    "a check of nothing": (
        CASE + causes(team="usual: [skill], manipulation: {statistic: max}"), "  team:",
        "causes.team.manipulation.metric is missing",
    ),
    "a check that cannot be": (
        CASE + causes(team="usual: [skill], manipulation: {metric: trust, of: over_traditional}"), "  team:",
        "over_traditional needs a metric that the traditional method has too",
    ),
    "a source of no bound": (
        CASE.replace("ending: [bankrupt, acquired]", "ending: [bankrupt, acquired], fact: V1"), "  - {id: gone",
        "fact can only stand beside at_least or at_most",
    ),
    "an unknown role": (
        CASE.replace("role: outcome", "role: result"), "  - {id: gone", "must be one of outcome, process, background",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_what_breaks_a_rule_is_told_in_one_line_with_its_place(what: str, tmp_path: Path) -> None:
    text, line, says = FAULTS[what]
    path = write(tmp_path, text)
    error = error_of(path)
    assert says in str(error)
    number = next(i for i, one in enumerate(text.splitlines(), start=1) if one.startswith(line))
    assert str(error).startswith(f"{path}:{number}: ")


@pytest.mark.parametrize(
    "own",
    [
        "set: {firms.alpha.offers: {dictation: subscription}}",
        "set: {firms.rival: null}",
        "set: {firms.rival.offers: {calls: subscription}}",
        "from_chapter: true, set: {firms.alpha.skill: 0.2, firms.rival.skill: 0.1}",
        "usual: [skill], set: {firms.alpha.offers: {calls: licence}}",
        "usual: [skill], manipulation: {metric: quality_field, of: over_twin, statistic: last, before: 2017-01}",
    ],
)
def test_what_keeps_the_rules_is_read(own: str, tmp_path: Path) -> None:
    scenario = load(write(tmp_path, CASE + causes(one=own)))
    assert scenario.without("one").fingerprint() != scenario.fingerprint()


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"ending": ["alive"]}, True),
        ({"metric": "profit_usd", "at_least": 0}, True),
        ({"metric": "paying_customers", "at_least": 1}, True),
        ({"event": "profitable"}, True),
        ({"metric": "customers", "at_least": 1}, False),
        ({"metric": "trust", "at_least": 0.5}, False),
        ({"event": "release"}, False),
    ],
)
def test_an_outcome_is_how_a_firm_ends_or_what_it_earns(fields: dict[str, Any], about: bool) -> None:
    from scenarios import Expectation

    one = Expectation.model_validate({"id": "x", "section": "5", "says": "So.", **fields})
    assert one.is_about_the_outcome is about
