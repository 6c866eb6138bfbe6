"""What is concluded from tables: matches, effects of causes, differences of policies, verdicts, plots."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from analysis_fakes import ENGINE, FOCAL, FakeScenario

from analysis import Run
from analysis.cases.assess import (
    CaseResult,
    CasesResult,
    CauseResult,
    arms_of_case,
    as_document,
    assess_case,
    median_end,
)
from analysis.cases.verdicts import case_verdict, cause_verdict, written
from analysis.comparison import Comparison, differences
from analysis.comparison import as_document as comparison_document
from analysis.overview import overview
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import Settings
from analysis.plots import plot_cases, plot_comparison, plot_run
from analysis.plots.trajectories import fewest_alive
from analysis.statistics.intervals import Interval, paired_share_difference, wilson
from scenarios.schema import Expectation

N = 24
EARLY = Expectation(id="early", section="5.1", says="It has revenue at once.", metric="revenue_usd", at_least=1.0)
CASE = FakeScenario(expect=(*FakeScenario().expect, EARLY))


@pytest.fixture(scope="module")
def case_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = Settings(out=tmp_path_factory.mktemp("case"), replications=N, jobs=1, ledger="unused")
    return play(arms_of_case(CASE), settings, kind="cases", name=CASE.name, engine=ENGINE)


@pytest.fixture(scope="module")
def case(case_run: Run) -> CaseResult:
    return assess_case(case_run, CASE)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    arms = [Arm(CASE.name, "base", CASE), Arm(CASE.name, "policies/ruin", replace(CASE, p_success=0.0))]
    settings = Settings(out=tmp_path_factory.mktemp("compare"), replications=N, jobs=1, ledger="unused")
    run = play(arms, settings, kind="compare", name=CASE.name, engine=ENGINE)
    return Comparison(run, CASE.name, tuple(differences(run, CASE.name, ["policies/ruin"])))


def test_the_match_counts_seeds_in_which_everything_holds(case: CaseResult, case_run: Run) -> None:
    own = case_run.endings.query("arm == 'base' and firm == @FOCAL")
    n_profitable = int((own["ending"] == "profitable").sum())
    assert 0 < n_profitable < N
    assert case.match == wilson(n_profitable, N)
    assert case.endings == {"profitable": n_profitable, "bankrupt": N - n_profitable}
    assert {one.id: one.share.estimate for one in case.expectations} == {"ending": n_profitable / N, "early": 1.0}


def test_taking_the_cause_away_has_the_effect_that_the_world_gives_it(case: CaseResult, case_run: Run) -> None:
    (cause,) = case.causes
    ended = case_run.endings.query("firm == @FOCAL").pivot(index="seed", columns="arm", values="ending") == "profitable"
    assert cause.share_without == ended["without:team"].mean()
    assert cause.effect.estimate == pytest.approx(ended["without:team"].mean() - ended["base"].mean())
    assert cause.effect.high < 0 and cause_verdict(cause) == "matters"
    table = CasesResult(case_run, (case,)).table
    assert table["without"].tolist() == ["", "team"] and table["match"].tolist()[1] == cause.share_without
    assert table["effect"].tolist()[1] == cause.effect.estimate


def test_the_document_is_what_the_issue_asks_for(case: CaseResult, case_run: Run) -> None:
    document = as_document(CasesResult(case_run, (case,)))
    (written,) = document["cases"]
    assert written["id"] == "CASE-FAKE" and set(written["match"]) == {"share", "low", "high", "n"}
    assert {"name", "section", "effect", "low", "high"} <= set(written["causes"][0])
    assert {"runs", "seconds", "device"} <= set(document["training"]) and document["training"]["runs"] == 4 * N
    assert document["seconds"] > 0


def test_the_median_end_counts_living_firms_as_later_than_all() -> None:
    def ends(*days: str | None) -> pd.DataFrame:
        return pd.DataFrame({"ended": pd.to_datetime(list(days))})

    assert median_end(ends("2016-01-01", "2015-01-01", None)) == date(2016, 1, 1)
    assert median_end(ends("2015-01-01", None)) is None
    assert median_end(ends(None, None, "2015-01-01")) is None
    assert median_end(ends()) is None


def test_verdicts_of_one_seed_are_that_it_is_too_few() -> None:
    one = wilson(1, 1)
    assert case_verdict(case_with(one)) == "too few seeds to tell" and written(one) == "1.00"
    cause = CauseResult("c", "5.1", "why", paired_share_difference([False], [True]), 0.0)
    assert cause_verdict(cause) == "too few seeds to tell" and written(cause.effect, signed=True) == "-1.00"
    assert written(wilson(0, 0)) == "–"


def case_with(match: Interval) -> CaseResult:
    return CaseResult("C", "c", "A case", FOCAL, match, (), (), {}, None)


@pytest.mark.parametrize(
    ("successes", "n", "verdict"),
    [
        (30, 32, "matched in most seeds"),
        (2, 32, "not matched"),
        (17, 32, "matched in this sample, but 32 seeds leave it open whether in most seeds"),
        (15, 32, "not matched in this sample (32 seeds leave it open)"),
    ],
)
def test_verdicts_on_cases_claim_no_more_than_the_interval(successes: int, n: int, verdict: str) -> None:
    assert case_verdict(case_with(wilson(successes, n))) == verdict


@pytest.mark.parametrize(
    ("effect", "low", "high", "verdict"),
    [
        (-0.4, -0.6, -0.2, "matters"),
        (0.0, -0.1, 0.1, "does not matter here: effect +0.00"),
        (0.0, -0.5, 0.5, "open (interval holds 0)"),
        (0.3, 0.1, 0.5, "works the other way"),
        (-0.1, -0.3, 0.1, "open (interval holds 0)"),
        (0.1, -0.1, 0.3, "open, if anything the other way"),
    ],
)
def test_verdicts_on_causes_are_honest(effect: float, low: float, high: float, verdict: str) -> None:
    assert cause_verdict(CauseResult("c", "5.1", "why", Interval(effect, low, high, 32), 0.5)) == verdict


def test_a_policy_is_compared_in_the_same_seeds(comparison: Comparison) -> None:
    table = comparison.table.set_index("measure")
    ended = comparison.run.endings.query("firm == @FOCAL and arm == 'base'")["ending"]
    lost = (ended == "profitable").mean() / 2  # one of two startups; the giant is no startup
    assert table.loc["survival", "effect"] == pytest.approx(-lost)
    assert table.loc["survival", "high"] < 0
    assert table.loc["hhi", ["base", "effect"]].tolist() == pytest.approx([0.4, 0])
    assert table.loc["hhi", ["low", "high"]].isna().all(), "24 seeds that agree do not say how much others may differ"
    assert table["verdict"].to_dict() == {
        "survival": "decrease", "hhi": "too few seeds", "best_quality_field": "too few seeds",
        "customers": "decrease", "raised_usd": "too few seeds",
    }  # fmt: skip
    assert table.loc["raised_usd", "base"] == 1e6 and table.loc["raised_usd", "effect"] == 0
    assert table.loc["customers", "effect"] < 0 and set(table["n"]) == {N}
    final = comparison.run.firms.query("arm == 'base'").groupby(["seed", "month"])["customers"].sum()
    assert table.loc["customers", "base"] == pytest.approx(final.mean())  # this world lasts one year


def test_the_comparison_as_a_document(comparison: Comparison) -> None:
    (whatif,) = comparison_document(comparison)["whatifs"]
    assert whatif["name"] == "policies/ruin"
    measures = ["survival", "hhi", "best_quality_field", "customers", "raised_usd"]
    assert [one["measure"] for one in whatif["differences"]] == measures


def test_only_the_last_year_counts_for_stocks(tmp_path: Path) -> None:
    setup = replace(CASE, years=2, p_success=1.0)
    run = play(
        [Arm(CASE.name, "base", setup)],
        Settings(out=tmp_path / "r", replications=1),
        kind="run",
        name="x",
        engine=ENGINE,
    )
    from analysis.comparison import customers_served

    last = run.firms[run.firms["month"] >= "2016-01-01"]
    assert customers_served(run, CASE.name, "base")[0] == pytest.approx(last.groupby("month")["customers"].sum().mean())


def test_an_overview_counts_startups_only(comparison: Comparison) -> None:
    found = overview(comparison.run)
    assert sum(found.endings.values()) == 2 * N
    assert found.sectors["sector"].tolist() == ["security"] and not math.isnan(found.survival)


def test_plots_are_drawn_for_every_kind_of_run(case: CaseResult, case_run: Run, comparison: Comparison) -> None:
    before = dict(mpl.rcParams)
    drawn = plot_cases(CasesResult(case_run, (case,)))
    assert [path.name for path in drawn] == ["fake-trajectory.png", "fake-endings.png", "fake-causes.png"]
    drawn += plot_comparison(comparison) + plot_run(comparison.run)
    for path in drawn:
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 10_000
        assert int.from_bytes(data[16:20]) >= 1200  # pixels wide: readable
    assert dict(mpl.rcParams) == before  # the settings of a notebook around it stay


def test_a_trajectory_is_drawn_while_a_tenth_of_the_seeds_are_alive_and_three_at_least() -> None:
    assert [fewest_alive(n) for n in (1, 2, 3, 29, 31, 200)] == [1, 2, 3, 3, 4, 20]
