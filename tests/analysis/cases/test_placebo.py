"""Placebo tests: firms judged by other chapters, and startups beside the focal firm judged by its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from analysis.cases import placebo as placebo_tests
from analysis.cases.assess import assess_case
from analysis.cases.evidence import Evidence, read_evidence
from analysis.cases.expectations import figures, judge, metric_of_firm
from analysis.cases.placebo import is_alike, placebo
from analysis.cases.placebo_document import summary
from analysis.cases.placebo_peers import judge_peers, peers_of
from analysis.cases.placebo_results import ALL, Cell, Placebo
from analysis.cases.placebo_verdicts import Statement, Verdict, pooled, verdicts
from analysis.cases.results import CasesResult
from analysis.cases.setups import arms_of_case
from analysis.cases.study import CaseStudy
from analysis.cases.study import as_document as study_document
from analysis.errors import AnalysisError
from analysis.play.experiment import play
from analysis.play.options import PlayOptions
from analysis.plots import plot_study
from analysis.screens.cases import placebo_screen
from analysis.statistics.intervals import wilson
from scenarios.expectation import Expectation
from tests.support.analysis_fakes import ENGINE, FOCAL, RIVAL, FakeScenario

N = 12


def expected(**fields: object) -> Expectation:
    return Expectation(**{"id": "x", "section": "5.1", "says": "It happens.", **fields})


LUCKY = FakeScenario(
    name="cases/lucky",
    id="CASE-LUCKY",
    p_success=1.0,
    expect=(
        expected(id="ends", ending=("profitable",)),
        expected(id="leads", metric="share", of="rank", at_most=2),
    ),
)
RUINED = FakeScenario(
    name="cases/ruined",
    id="CASE-RUINED",
    p_success=0.0,
    expect=(
        expected(id="fails", ending=("bankrupt",)),
        expected(id="learns", metric="run_months", at_least=0.5),
        expected(id="rich", metric="rung", at_least=99),
    ),
)


@pytest.fixture(scope="module", autouse=True)
def only_these_cases() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placebo_tests, "shipped_cases", lambda: [])
        yield


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> CaseStudy:
    setups = [LUCKY, RUINED]
    settings = PlayOptions(out=tmp_path_factory.mktemp("placebo"), replications=N, jobs=1, ledger="unused")
    arms = [arm for setup in setups for arm in arms_of_case(setup)]
    run = play(arms, settings, kind="cases", name="cases", engine=ENGINE)
    cases = CasesResult(run, tuple(assess_case(run, setup) for setup in setups))
    return CaseStudy(cases, (), placebo(run, setups))


def shares(found: Placebo) -> dict[tuple[str, str, str], float | None]:
    return {(c.case, c.judged_by, c.expectation): c.share and c.share.estimate for c in found.cells}


@pytest.mark.slow
def test_every_focal_firm_is_judged_by_every_chapter(result: CaseStudy) -> None:
    assert result.placebo is not None
    found = shares(result.placebo)
    assert len(found) == 2 * (3 + 4)
    assert found["CASE-LUCKY", "CASE-LUCKY", "ends"] == 1 and found["CASE-LUCKY", "CASE-RUINED", "fails"] == 0
    assert found["CASE-RUINED", "CASE-LUCKY", "leads"] == 1  # second of three until it dies: nothing to be proud of
    assert found["CASE-RUINED", "CASE-LUCKY", ALL] == 0
    assert found["CASE-LUCKY", "CASE-RUINED", "learns"] == 1
    counts = summary(result.placebo)
    assert counts["chapters"] == {"cells": 2, "within_target": 2}
    assert counts["expectations"] == {"cells": 5, "within_target": 3}
    assert counts["expectations_alike"]["cells"] == 0


def test_the_diagonal_is_the_match_of_the_case(result: CaseStudy) -> None:
    assert result.placebo is not None
    for case in result.cases.cases:
        own = next(c for c in result.placebo.cells if c.own and c.case == case.id and c.expectation == ALL)
        assert own.share == case.match


def test_a_measure_that_the_run_lacks_is_left_open(result: CaseStudy) -> None:
    other = replace(LUCKY, name="cases/other", id="CASE-OTHER", expect=(expected(metric="broken_runs", at_most=1),))
    run = result.cases.run
    assert all(cell.share is not None for cell in placebo_tests.cross(run, RUINED, other))
    unknown = other.expect[0].model_copy(update={"metric": "no_such_column"})
    cells = placebo_tests.cross(run, RUINED, replace(other, expect=(unknown, *LUCKY.expect)))
    assert [cell.share is None for cell in cells] == [True, False, False, True]  # nor can the whole chapter be judged


def test_statements_about_other_firms_are_not_put_on_the_focal_one(result: CaseStudy) -> None:
    about_rival = replace(LUCKY, expect=(expected(id="rival", firm=RIVAL, ending=("alive",)), *LUCKY.expect))
    assert [c.expectation for c in placebo_tests.cross(result.cases.run, RUINED, about_rival)] == ["ends", "leads", ALL]
    nothing_left = placebo_tests.shuffle(result.cases.run, replace(about_rival, expect=about_rival.expect[:1]))
    assert nothing_left.others.n == nothing_left.focal.n == nothing_left.n_seeds == 0


@pytest.mark.parametrize(
    ("own", "other", "alike"),
    [
        ({"ending": ("profitable", "public")}, {"ending": ("public", "alive")}, True),
        ({"ending": ("profitable",)}, {"ending": ("bankrupt",)}, False),
        ({"metric": "trust", "at_least": 0.5}, {"metric": "trust", "at_least": 0.9}, True),
        ({"metric": "trust", "at_least": 0.5}, {"metric": "trust", "at_most": 0.4}, False),
        ({"metric": "trust", "at_most": 0.5}, {"metric": "trust", "of": "rank", "at_most": 2}, False),
        ({"event": "pivot"}, {"event": "pivot"}, True),
        ({"event": "pivot"}, {"event": "pivot", "occurs": False}, False),
        ({"event": "pivot"}, {"event": "pivot", "at_least": 3}, True),
        ({"event": "pivot"}, {"event": "pivot", "at_most": 0}, False),
        ({"event": "pivot", "occurs": False}, {"event": "pivot", "at_most": 1}, True),
        ({"event": "pivot"}, {"ending": ("alive",)}, False),
    ],
)
def test_chapters_that_expect_the_like_are_told_apart(own: dict, other: dict, alike: bool) -> None:
    assert is_alike(expected(**own), expected(**other)) is alike


def test_startups_beside_the_focal_firm_are_judged_by_its_chapter(result: CaseStudy) -> None:
    assert result.placebo is not None
    lucky, ruined = result.placebo.shuffled
    assert lucky.focal.estimate == 1 and lucky.others.estimate == 0  # the rival is alive, but earns no profit
    assert (lucky.others.n, lucky.n_seeds) == (N, N)  # one rival a seed; the giant is no startup
    assert ruined.others.estimate == 0 and 0 < ruined.others.high < 0.5


def test_peers_are_alive_at_the_founding_or_founded_near_it() -> None:
    rows = [
        ("focal", "startup", "2016-03-01", None, "alive"),
        ("old", "startup", "2014-01-01", None, "alive"),
        ("listed", "startup", "2014-01-01", "2016-02-01", "public"),
        ("dead", "startup", "2014-01-01", "2016-02-01", "bankrupt"),
        ("bought", "startup", "2014-01-01", "2016-02-01", "acquired"),
        ("just-dead", "startup", "2015-06-01", "2015-12-01", "bankrupt"),
        ("soon", "startup", "2017-03-01", None, "alive"),
        ("late", "startup", "2017-04-01", None, "alive"),
        ("giant", "incumbent", "2014-01-01", None, "alive"),
    ]
    endings = pd.DataFrame(rows, columns=["firm", "kind", "founded", "ended", "ending"]).assign(seed=0)
    endings[["founded", "ended"]] = endings[["founded", "ended"]].apply(pd.to_datetime)
    assert peers_of(endings, "focal", 12)["firm"].tolist() == ["old", "listed", "just-dead", "soon"]
    unborn = endings[endings["firm"] != "focal"]
    assert peers_of(unborn, "focal", 12).empty  # a world without the firm has nothing beside it


def test_judging_many_firms_at_once_is_judging_each_by_itself(result: CaseStudy) -> None:
    """Also ranks, profits, events in which a firm is the other party, and windows."""
    expect = (
        expected(id="a", metric="share", of="rank", statistic="max", at_most=2),
        expected(id="b", metric="profit_usd", of="rank", at_most=1.5, before=date(2015, 7, 1)),
        expected(id="c", ending=("profitable", "alive")),
        expected(id="d", event="breach"),
    )
    evidence = read_evidence(result.cases.run, LUCKY, "base", expect)
    breaches = [(seed, pd.Timestamp("2015-02-01"), "breach", *pair) for seed, pair in enumerate([(FOCAL, RIVAL)] * 5)]
    events = pd.DataFrame(breaches, columns=["seed", "time", "kind", "firm", "other"])
    evidence = Evidence(evidence.seeds, evidence.months, evidence.firms, events, evidence.endings)
    peers = pd.DataFrame([(seed, firm) for seed in range(N) for firm in (FOCAL, RIVAL)], columns=["seed", "firm"])
    for used in (expect[:1], expect[1:2], expect[2:3], expect[3:], expect[2:]):
        alone = {firm: judge(used, firm, evidence).all(axis=1) for firm in (FOCAL, RIVAL)}
        together = judge_peers(used, evidence, peers)
        assert together.tolist() == [bool(alone[firm][seed]) for seed, firm in peers.itertuples(index=False)]
    ranks = evidence.firms.assign(rank=figures(evidence.firms, "share", "rank")).query("firm == @FOCAL")["rank"]
    assert ranks.tolist() == metric_of_firm(evidence.firms, FOCAL, "share", "rank").tolist()


def test_one_case_alone_has_no_placebo(result: CaseStudy) -> None:
    with pytest.raises(AnalysisError, match="at least two cases"):
        placebo(result.cases.run, [LUCKY])


@pytest.mark.slow
def test_placebos_are_shown_written_and_drawn(result: CaseStudy, tmp_path: Path) -> None:
    from rich.console import Console

    assert result.placebo is not None
    text = StringIO()
    Console(width=140, file=text).print(placebo_screen(result.placebo))
    assert "whole chapters: 2 of 2 at most 0.10" in text.getvalue() and "startups beside" in text.getvalue()
    assert "passes in this sample" in text.getvalue() and "too easy" in text.getvalue()
    written = study_document(result)["placebo"]
    assert len(written["crossed"]) == 14 and [one["case"] for one in written["shuffled"]] == [
        "CASE-LUCKY",
        "CASE-RUINED",
    ]
    assert [(one["case"], one["fails"]) for one in written["verdicts"]] == [("CASE-LUCKY", []), ("CASE-RUINED", [])]
    assert [one["id"] for one in written["verdicts"][1]["statements"]] == ["fails", "learns", "rich"]
    path = plot_study(result)[-1]
    assert path.name == "placebo.png" and path.stat().st_size > 10_000


def test_a_cell_without_a_measure_is_no_success() -> None:
    assert not Cell("a", "b", "x", None, False).within_target


# -- verdicts ---------------------------------------------------------------------------------------------------------


def test_each_case_gets_a_verdict_and_each_statement_its_worth(result: CaseStudy) -> None:
    assert result.placebo is not None
    lucky, ruined = verdicts(result.placebo)
    assert not lucky.failures and lucky.says.startswith("passes in this sample"), "12 seeds cannot be surer"
    assert {one.id: one.worth for one in lucky.statements} == {"ends": "sharp", "leads": "easy for some"}
    assert {one.id: one.worth for one in ruined.statements} == {
        "fails": "sharp",
        "learns": "too easy",  # every firm trains: the lucky one does, and so does the rival
        "rich": "unmet",
    }
    assert ruined.whole.own is not None and ruined.whole.own.estimate == 0 and ruined.elsewhere.estimate == 0


def test_a_firm_that_meets_another_chapter_fails_both(result: CaseStudy) -> None:
    """A chapter that says only what all firms do is met by the lucky firm and by the startup beside its own."""
    easy = replace(RUINED, expect=RUINED.expect[1:2])
    found = placebo(result.cases.run, [LUCKY, easy])
    lucky, ruined = verdicts(found)
    assert lucky.failures == ("its firm meets other chapters",)
    assert ruined.failures == ("firms of other cases meet it", "startups beside its firm meet it")
    assert "fails: firms of other cases" in ruined.says


def test_pooling_leaves_out_the_diagonal_what_is_alike_and_what_is_not_measured() -> None:
    some, all_seeds = wilson(1, 2), wilson(2, 2)
    cells = [
        Cell("a", "a", ALL, all_seeds, True, (True, True)),
        Cell("b", "a", ALL, some, False, (True, False)),
        Cell("c", "a", ALL, all_seeds, True, (True, True)),
        Cell("d", "a", ALL, None, False),
        Cell("e", "a", ALL, wilson(0, 2), False, (False, False)),
    ]
    share = pooled(cells)
    assert (share.estimate, share.n) == (0.25, 4) and share.low < 0.25 < share.high
    assert pooled(cells[:1]).n == 0


def test_a_case_whose_shares_are_surely_small_passes() -> None:
    none = wilson(0, 100)
    whole = Statement("a", ALL, wilson(90, 100), none, none)
    assert Verdict(whole, none, ()).says == "passes"
    assert Verdict(replace(whole, peers=wilson(20, 100)), none, ()).failures == ("startups beside its firm meet it",)
    assert Verdict(replace(whole, others=pooled([]), peers=None), pooled([]), ()).says == "untested"
    assert "too few seeds to tell" in Verdict(replace(whole, others=wilson(0, 1)), none, ()).says
