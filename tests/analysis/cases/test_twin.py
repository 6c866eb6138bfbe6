"""The focal firm against its twin: the same firm without its endowments, in a parallel arm of the same seeds."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis.cases.assess import assess_case
from analysis.cases.document import as_document
from analysis.cases.evidence import TWIN, Evidence, has_twin, read_evidence, with_twin
from analysis.cases.expectations import judge, metric_of_firm
from analysis.cases.placebo import is_measured
from analysis.cases.placebo_peers import verdicts_of_peers
from analysis.cases.results import CasesResult
from analysis.cases.setups import arms_of_case, twin_arms
from analysis.play.experiment import BASE, play
from analysis.play.options import PlayOptions
from analysis.runs.months import RunMonths
from analysis.runs.run import Run
from analysis.statistics.intervals import paired_share_difference
from scenarios.expectation import Expectation
from tests.support.analysis_fakes import ENGINE, FOCAL, FakeScenario

N = 24
MONTHS = pd.date_range("2015-01-01", periods=3, freq="MS")
PROFITABLE = Expectation(id="end", section="5.1", says="It earns.", role="outcome", ending=("profitable",))
EARNS_MORE = Expectation(
    id="more", section="5.1", says="It earns more.", metric="profit_usd", of="over_twin", statistic="sum", at_least=1
)
CASE = FakeScenario(expect=(PROFITABLE,), endowments={"skill": "5.1"})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = PlayOptions(out=tmp_path_factory.mktemp("twin"), replications=N, jobs=1, ledger="unused")
    return play(arms_of_case(CASE), settings, kind="cases", name=CASE.name, engine=ENGINE)


def rows(firm: str, revenue: list[float], costs: float = 4.0, seed: int = 0) -> pd.DataFrame:
    """One row per month; the list may end early, as for a firm that died."""
    return pd.DataFrame(
        {
            "seed": seed, "month": MONTHS[: len(revenue)], "firm": firm, "sector": "speech", "status": "active",
            "revenue_usd": revenue, "costs_usd": costs, "quality_field": [0.1 * one for one in revenue],
        }
    )  # fmt: skip


def beside_twin(firms: pd.DataFrame, twin: pd.DataFrame) -> Evidence:
    columns = ["seed", "month", "revenue_usd", "costs_usd", "quality_field"]
    nothing = pd.DataFrame(columns=["seed", "time", "kind", "firm", "other"])
    ended = pd.DataFrame(columns=["seed", "firm", "ended", "ending", "raised_usd", "exit_value_usd"])
    return Evidence((0,), RunMonths(MONTHS[0], 3), with_twin(firms, twin[columns]), nothing, ended)


def test_a_figure_is_compared_with_the_twins_of_the_same_month() -> None:
    where = beside_twin(rows("iris", [10, 20, 30]), rows("iris", [4, 25, 1]))
    assert metric_of_firm(where.firms, "iris", "profit_usd", "over_twin").tolist() == [6, -5, 29]
    assert metric_of_firm(where.firms, "iris", "revenue_usd", "over_twin").tolist() == [6, -5, 29]


def test_a_twin_that_is_gone_earns_nothing_and_has_no_model() -> None:
    where = beside_twin(rows("iris", [10, 20, 30]), rows("iris", [4]))
    assert metric_of_firm(where.firms, "iris", "profit_usd", "over_twin").tolist() == [6, 16, 26]
    quality = metric_of_firm(where.firms, "iris", "quality_field", "over_twin")
    assert quality.iloc[0] == pytest.approx(0.6) and quality.iloc[1:].isna().all()


def test_who_does_as_well_as_the_twin_does_not_earn_more() -> None:
    alike = beside_twin(rows("iris", [10, 20, 30]), rows("iris", [10, 20, 30]))
    better = beside_twin(rows("iris", [10, 20, 31]), rows("iris", [10, 20, 30]))
    assert not judge([EARNS_MORE], "iris", alike)["more"].any() and judge([EARNS_MORE], "iris", better)["more"].all()


def test_startups_beside_are_held_against_the_same_twin() -> None:
    where = beside_twin(pd.concat([rows("iris", [9, 9, 9]), rows("rival", [1, 1, 99])]), rows("iris", [10, 10, 10]))
    peers = pd.DataFrame({"seed": [0, 0], "firm": ["iris", "rival"]})
    assert verdicts_of_peers([EARNS_MORE], where, peers)["more"].tolist() == [False, True]


def test_the_case_is_played_as_it_is_as_its_twin_and_without_each_cause(run: Run) -> None:
    assert [arm.name for arm in arms_of_case(CASE)] == [BASE, TWIN, "without:team"]
    assert twin_arms(replace(CASE, endowments={})) == []
    assert has_twin(run, CASE.name) and not has_twin(run, "cases/other")


def test_focal_firm_and_twin_are_compared_seed_by_seed(run: Run) -> None:
    case = assess_case(run, CASE)
    ended = run.endings.query("firm == @FOCAL").pivot(index="seed", columns="arm", values="ending") == "profitable"
    assert case.twin is not None and case.outcome is not None
    assert 0 < case.twin.share.estimate == ended[TWIN].mean() < case.outcome.estimate == ended[BASE].mean()
    assert case.twin.effect == paired_share_difference(ended[BASE].to_numpy(), ended[TWIN].to_numpy())
    (told,) = as_document(CasesResult(run, (case,)))["cases"]
    assert told["twin"]["share"] == case.twin.share.estimate and told["twin"]["effect"]["low"] > 0


def test_without_outcome_or_twin_nothing_is_compared(run: Run) -> None:
    process = PROFITABLE.model_copy(update={"role": "process"})
    assert assess_case(run, replace(CASE, expect=(process,))).twin is None
    (told,) = as_document(CasesResult(run, (assess_case(run, replace(CASE, expect=(process,))),)))["cases"]
    assert told["twin"] is None and told["outcome"] is None and told["causes"][0]["reproduced"] is None


def test_a_statement_about_the_twin_is_answered_from_both_arms(run: Run) -> None:
    """In this world the firm that lives on earns more than its twin that does not, and as much as one that does."""
    setup = replace(CASE, expect=(PROFITABLE, EARNS_MORE))
    verdicts = judge(setup.expect, FOCAL, read_evidence(run, setup, BASE))
    ended = run.endings.query("firm == @FOCAL").pivot(index="seed", columns="arm", values="ending") == "profitable"
    assert verdicts["more"].tolist() == (ended[BASE] & ~ended[TWIN]).tolist() and verdicts["more"].any()
    assert not judge(setup.expect, FOCAL, read_evidence(run, setup, TWIN))["more"].any()


def test_the_twin_is_the_placebo_of_what_is_said_against_it(run: Run) -> None:
    """It is not asked of startups beside, whatever they do, so that it is never too easy."""
    case = assess_case(run, replace(CASE, expect=(PROFITABLE, EARNS_MORE)))
    assert [one.peers is None for one in case.expectations] == [False, True] and case.too_easy == ()


def test_a_run_without_a_twin_does_not_answer_it(run: Run) -> None:
    assert is_measured(run, CASE, EARNS_MORE) and not is_measured(run, replace(CASE, name="cases/other"), EARNS_MORE)
