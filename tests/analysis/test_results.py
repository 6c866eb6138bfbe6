"""What is concluded from tables: matches, effects of causes, differences of policies, verdicts, plots."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from analysis import Run
from analysis.cases.assess import assess_case, median_end
from analysis.cases.document import as_document
from analysis.cases.expectations import ends_as_stated
from analysis.cases.removals import share_change
from analysis.cases.results import CaseResult, CasesResult, CauseResult, ShareChange
from analysis.cases.setups import arms_of_case
from analysis.cases.verdicts import case_verdict, cause_verdict, ending_verdict, written
from analysis.comparison import Comparison, differences
from analysis.comparison import as_document as comparison_document
from analysis.overview import overview
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.plots import outcomes_of, plot_cases, plot_comparison, plot_run
from analysis.plots.effects import draw_rows
from analysis.plots.trajectories import fewest_alive
from analysis.screens.chapter import case_screen
from analysis.statistics.intervals import Interval, paired_share_difference, wilson
from scenarios.expectation import Expectation
from tests.support.analysis_fakes import ENGINE, FOCAL, FakeScenario

N = 24
EARLY = Expectation(id="early", section="5.1", says="It has revenue at once.", metric="revenue_usd", at_least=1.0)
CASE = FakeScenario(expect=(*FakeScenario().expect, EARLY))
LARGE = Expectation(
    id="large", section="5.1", says="It sells much.", metric="revenue_usd", statistic="first", at_least=15000
)


@pytest.fixture(scope="module")
def case_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = PlayOptions(out=tmp_path_factory.mktemp("case"), replications=N, jobs=1, ledger="unused")
    return play(arms_of_case(CASE), settings, kind="cases", name=CASE.name, engine=ENGINE)


@pytest.fixture(scope="module")
def case(case_run: Run) -> CaseResult:
    return assess_case(case_run, CASE)


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    arms = [Arm(CASE.name, "base", CASE), Arm(CASE.name, "policies/ruin", replace(CASE, p_success=0.0))]
    settings = PlayOptions(out=tmp_path_factory.mktemp("compare"), replications=N, jobs=1, ledger="unused")
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


def test_the_ending_is_counted_apart_from_the_other_statements(case_run: Run) -> None:
    """Half of the seeds sell little in their first month, in every arm; who ends profitable hangs on the cause."""
    case = assess_case(case_run, replace(CASE, expect=(*CASE.expect, LARGE)))
    own = case_run.endings.query("firm == @FOCAL").pivot(index="seed", columns="arm", values="ending") == "profitable"
    with_cause, without = own["base"].to_numpy(), own["without:team"].to_numpy()
    assert case.ending == wilson(int(with_cause.sum()), N) and case.match.estimate < case.ending.estimate
    (cause,) = case.causes
    assert cause.ending == ShareChange(paired_share_difference(without, with_cause), float(without.mean()))
    assert cause.ending.effect.estimate < cause.effect.estimate < 0
    table = CasesResult(case_run, (case,)).table
    assert table["ending"].tolist() == [case.ending.estimate, cause.ending.share_without]
    assert table["ending_low"].tolist() == [case.ending.low, cause.ending.effect.low]
    assert table["ending_effect"].tolist()[1] == cause.ending.effect.estimate


def test_the_seeds_that_fall_short_give_the_shares_of_any_part_of_them(case: CaseResult, case_run: Run) -> None:
    own = case_run.endings.query("arm == 'base' and firm == @FOCAL").set_index("seed")["ending"]
    assert set(case.unmet) == set(own.index[own != "profitable"]) == set(case.unmet_ending or ())
    assert 1 - len(case.unmet) / N == case.match.estimate


def test_a_chapter_without_an_ending_says_so(case_run: Run) -> None:
    case = assess_case(case_run, replace(CASE, expect=(EARLY,)))
    assert case.ending is None and case.causes[0].ending is None and case.unmet_ending is None
    (told,) = as_document(CasesResult(case_run, (case,)))["cases"]
    assert told["ending"] is None and told["causes"][0]["ending"] is None
    assert "none stated" in shown(case) and "the ending" not in shown(case)


def test_all_statements_of_kind_ending_must_hold() -> None:
    about = {"section": "5.1", "says": "It ends."}
    expectations = [
        Expectation(id="sold", ending=("acquired",), **about),
        Expectation(id="soon", ending=("acquired",), before=date(2016, 1, 1), **about),
        EARLY,
    ]
    verdicts = pd.DataFrame({"sold": [True, True, False], "soon": [True, False, False], "early": [False, True, True]})
    assert ends_as_stated(expectations, verdicts).tolist() == [True, False, False]
    assert ends_as_stated([EARLY], verdicts) is None


def test_a_cause_may_change_the_statements_and_not_the_ending() -> None:
    """200 seeds: nine of ten end as stated with and without it, and most lose another statement."""
    ended = pd.Series([True] * 180 + [False] * 20)
    change = share_change(ended, ended)
    assert change.effect.estimate == 0 and change.share_without == 0.9
    assert ending_verdict(change) == "unchanged"
    assert ending_verdict(share_change(ended[:4], ended[:4])) == "open (interval holds 0)"  # too few seeds to say that
    fewer = pd.Series([True] * 100 + [False] * 100)
    assert ending_verdict(share_change(fewer, ended)) == "rarer"
    assert ending_verdict(share_change(ended, fewer)) == "more frequent"


def shown(case: CaseResult) -> str:
    """What a person reads of a case."""
    console = Console(width=160, record=True, file=StringIO())
    console.print(case_screen(case))
    return console.export_text()


def test_a_person_reads_both_shares_and_both_effects(case: CaseResult) -> None:
    lines = shown(case).splitlines()
    assert case.ending is not None and case.causes[0].ending is not None
    assert any(line.startswith(f"meets every statement {written(case.match)}") for line in lines)
    assert any(line.startswith("the chapter's ending") and written(case.ending) in line for line in lines)
    statements, ending = (line for line in lines if "every statement  " in line or "the ending  " in line)
    assert written(case.causes[0].effect, True) in statements
    assert written(case.causes[0].ending.effect, True) in ending and ending.rstrip().endswith("rarer")


def test_the_document_has_both_shares_and_all_effects(case: CaseResult, case_run: Run) -> None:
    document = as_document(CasesResult(case_run, (case,)))
    (told,) = document["cases"]
    assert told["id"] == "CASE-FAKE" and set(told["match"]) == {"share", "low", "high", "n"}
    assert {"name", "section", "effect", "low", "high"} <= set(told["causes"][0])
    assert set(told["ending"]) == {"share", "low", "high", "n"}
    assert set(told["causes"][0]["ending"]) == {"effect", "low", "high", "n", "share_without"}
    assert [one["kind"] for one in told["expectations"]] == ["ending", "metric"]
    assert document["seeds"] == list(range(N)) and told["unmet_seeds"]["match"] == case.unmet
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
        PlayOptions(out=tmp_path / "r", replications=1),
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


@pytest.mark.slow
def test_plots_are_drawn_for_every_kind_of_run(case: CaseResult, case_run: Run, comparison: Comparison) -> None:
    before = dict(mpl.rcParams)
    drawn = plot_cases(CasesResult(case_run, (case,)))
    assert [path.name for path in drawn] == [
        "fake-trajectory.png", "fake-endings.png", "fake-causes.png", "fake-thresholds.png",
    ]  # fmt: skip
    drawn += plot_comparison(comparison) + plot_run(comparison.run)
    for path in drawn:
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 10_000
        assert int.from_bytes(data[16:20]) >= 1200  # pixels wide: readable
    assert dict(mpl.rcParams) == before  # the settings of a notebook around it stay


def test_the_plot_of_causes_has_both_effects_in_every_row(case: CaseResult) -> None:
    outcomes = outcomes_of(replace(case, causes=case.causes * 3))
    axes = Figure().subplots()
    draw_rows(axes, ["a", "b", "c"], outcomes)
    markers = {one.get_marker(): one for one in axes.lines if one.get_marker() in ("o", "D")}
    assert sum(one.get_marker() == "D" for one in axes.lines) == 3 == sum(one.get_marker() == "o" for one in axes.lines)
    assert case.causes[0].ending is not None
    assert markers["D"].get_xdata()[0] == case.causes[0].ending.effect.estimate
    assert markers["o"].get_xdata()[0] == case.causes[0].effect.estimate
    assert markers["o"].get_ydata()[0] > markers["D"].get_ydata()[0]  # statements above, the ending below
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["c", "b", "a"]
    assert len(outcomes_of(replace(case, ending=None))) == 1


def test_a_trajectory_is_drawn_while_a_tenth_of_the_seeds_are_alive_and_three_at_least() -> None:
    assert [fewest_alive(n) for n in (1, 2, 3, 29, 31, 200)] == [1, 2, 3, 3, 4, 20]
