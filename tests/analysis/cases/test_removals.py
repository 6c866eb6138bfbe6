"""What a removal does: three figures per cause, what the verdict may claim, and statements that say too little."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from analysis.cases.assess import assess_case
from analysis.cases.document import as_document
from analysis.cases.evidence import Evidence
from analysis.cases.removals import forbidden, manipulation, share_change
from analysis.cases.results import CaseResult, CasesResult, CauseResult, ExpectationResult, ShareChange
from analysis.cases.setups import arms_of_case
from analysis.cases.verdicts import cause_verdict, manipulation_verdict, outcome_verdict
from analysis.play.experiment import play
from analysis.play.options import PlayOptions
from analysis.plots import outcomes_of
from analysis.runs.months import RunMonths
from analysis.runs.run import Run
from analysis.screens.chapter import case_screen
from analysis.statistics.intervals import Interval, paired_means, wilson
from scenarios.expectation import Expectation, Measure
from scenarios.statements import Cause
from tests.support.analysis_fakes import ENGINE, FOCAL, FakeScenario

N = 24
SALES = Measure(metric="revenue_usd", statistic="last")


def stated(id: str, **fields: Any) -> Expectation:
    return Expectation(id=id, section="5.1", says=f"It is {id}.", **fields)


EXPECT = (
    stated("rich", role="outcome", ending=("profitable",)),
    stated("busy", metric="revenue_usd", statistic="first", at_least=15_000),  # half of the seeds, in every arm
    stated("alive", metric="revenue_usd", at_least=1.0),  # all firms
    stated("huge", role="background", metric="revenue_usd", at_least=1e9),
)
TEAM = Cause(section="5.1", says="A team.", set={"firms.iris.skill": 0.1}, manipulation=SALES)
CASE = FakeScenario(expect=EXPECT, causes={"team": TEAM})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = PlayOptions(out=tmp_path_factory.mktemp("removals"), replications=N, jobs=1, ledger="unused")
    return play(arms_of_case(CASE), settings, kind="cases", name=CASE.name, engine=ENGINE)


@pytest.fixture(scope="module")
def case(run: Run) -> CaseResult:
    return assess_case(run, CASE)


def shown(case: CaseResult) -> str:
    console = Console(width=180, record=True, file=StringIO())
    console.print(case_screen(case))
    return console.export_text()


def endings(run: Run) -> pd.DataFrame:
    return run.endings.query("firm == @FOCAL").pivot(index="seed", columns="arm", values="ending") == "profitable"


def test_background_counts_for_nothing_in_the_match(case: CaseResult, run: Run) -> None:
    """Nobody meets the background, and it is neither in the match nor in the ending."""
    by_id = {one.id: one for one in case.expectations}
    assert by_id["huge"].share.estimate == 0 and by_id["huge"].role == "background" and case.match.estimate > 0
    without = assess_case(run, replace(CASE, expect=EXPECT[:3]))
    assert (without.match, without.ending, without.outcome) == (case.match, case.ending, case.outcome)
    ends = EXPECT[0].model_copy(update={"id": "ends", "role": "background", "ending": ("public",)})
    assert assess_case(run, replace(CASE, expect=(*EXPECT, ends))).ending == case.ending


def test_the_outcome_is_counted_apart(case: CaseResult, run: Run) -> None:
    ended = endings(run)
    (cause,) = case.causes
    assert case.outcome == wilson(int(ended["base"].sum()), N) and case.match.estimate < case.outcome.estimate
    assert cause.outcome == share_change(ended["without:team"], ended["base"])
    assert cause.outcome.effect.high < 0 and cause.reproduced is True and "rich" in cause.moved
    table = CasesResult(run, (case,)).table
    assert table["outcome"].tolist() == [case.outcome.estimate, cause.outcome.share_without]
    assert table["outcome_effect"].tolist()[1] == cause.outcome.effect.estimate
    (told,) = as_document(CasesResult(run, (case,)))["cases"]
    assert told["outcome"]["share"] == case.outcome.estimate and told["causes"][0]["reproduced"] is True
    assert told["causes"][0]["outcome"]["high"] == cause.outcome.effect.high
    assert [one.name.split(" (")[0] for one in outcomes_of(case)][1] == "has the chapter's outcome"


def test_a_removal_is_checked_by_what_it_should_change(case: CaseResult, run: Run) -> None:
    """Where the firm dies in one arm its last sales are those of its last month there."""
    last = run.firms.query("firm == @FOCAL").sort_values("month").groupby(["seed", "arm"])["revenue_usd"].last()
    sales = last.unstack("arm")
    (cause,) = case.causes
    assert cause.manipulation is not None
    means = paired_means(sales["without:team"], sales["base"])
    assert cause.manipulation.means == means and means.effect.n == N
    told = as_document(CasesResult(run, (case,)))["cases"][0]["causes"][0]["manipulation"]
    assert (told["measure"], told["of"], told["statistic"]) == ("revenue_usd", "value", "last")
    assert told["effect"] == means.effect.estimate and told["without"] == means.treated
    assert "check: revenue_usd" in shown(case)


def evidence(values: list[float | None]) -> Evidence:
    """One month; one seed per value."""
    month = pd.Timestamp("2015-01-01")
    firms = pd.DataFrame({"seed": range(len(values)), "month": month, "firm": "iris", "trust": values})
    nothing = pd.DataFrame()
    return Evidence(range(len(values)), RunMonths(month, 1), firms, nothing, nothing)


@pytest.mark.parametrize(
    ("without", "with_cause", "n", "says"),
    [
        ([0.2, 0.3, 0.1, 0.2], [0.6, 0.7, 0.8, 0.6], 4, "changed"),
        ([0.6, 0.5, 0.6, 0.7], [0.5, 0.6, 0.6, 0.7], 4, "unchanged, as far as can be told"),
        ([0.2, None, 0.3, None], [0.6, 0.6, 0.5, None], 2, "unchanged, as far as can be told"),
        ([None, 0.1], [0.6, None], 0, "no seed has it in both arms"),
        ([0.1], [0.6], 1, "too few seeds to tell"),
        ([1.0] * 40, [0.0] * 40, 40, "changed"),
    ],
)
def test_a_check_is_paired_over_seeds_that_have_the_figure_in_both_arms(
    without: list[float | None], with_cause: list[float | None], n: int, says: str
) -> None:
    found = manipulation(Measure(metric="trust"), "iris", evidence(without), evidence(with_cause))
    assert found.means.effect.n == n and manipulation_verdict(found) == says


def test_a_change_that_is_the_same_in_every_seed_is_told_as_such() -> None:
    """A price moves by the same amount everywhere: there is no interval, and no doubt either."""
    found = manipulation(Measure(metric="trust", statistic="sum"), "iris", evidence([1.0] * 3), evidence([5.0] * 3))
    assert not found.means.effect.is_known and manipulation_verdict(found) == "changed by the same in every seed"
    none = manipulation(Measure(metric="trust", statistic="sum"), "iris", evidence([5.0] * 3), evidence([5.0] * 3))
    assert manipulation_verdict(none) == "alike in every seed"


BOOKISH = (stated("licences", metric="licence_solution_share", at_least=0.8), EXPECT[0])


@pytest.mark.parametrize(
    ("moved", "holds", "found"),
    [
        (("licences",), [False] * 8, "licences"),
        (("licences",), [False] * 7 + [True], None),
        (("licences", "rich"), [False] * 8, None),
        ((), [False] * 8, None),
        (("licences",), [False], None),
    ],
)
def test_a_statement_that_the_removal_rules_out_may_not_be_the_only_one_to_move(
    moved: tuple[str, ...], holds: list[bool], found: str | None
) -> None:
    setup = replace(CASE, expect=BOOKISH)
    without = pd.DataFrame({"licences": holds, "rich": [True] * len(holds)})
    assert forbidden(setup, moved, without) == found


def test_what_becomes_of_the_firm_is_never_ruled_out_by_a_removal() -> None:
    without = pd.DataFrame({"licences": [True] * 8, "rich": [False] * 8})
    assert forbidden(replace(CASE, expect=BOOKISH), ("rich",), without) is None


def test_the_verdict_does_not_count_what_the_removal_rules_out() -> None:
    sure = Interval(-0.9, -1.0, -0.7, 40)
    cause = CauseResult("model", "5.1", "why", sure, 0.1, moved=("licences",), forbidden="licences")
    assert cause_verdict(cause) == "licences alone moves, and the removal rules it out"
    assert cause_verdict(replace(cause, forbidden=None)) == "matters"


@pytest.mark.parametrize(
    ("effect", "low", "high", "reproduced", "says"),
    [
        (-0.4, -0.6, -0.2, True, "reproduced"),
        (-0.4, -0.9, 0.1, False, "not reproduced (interval holds 0)"),
        (0.4, 0.2, 0.6, False, "not reproduced: the other way"),
        (-1.0, float("nan"), float("nan"), False, "too few seeds to tell"),
    ],
)
def test_a_cause_is_reproduced_only_where_the_outcome_surely_becomes_rarer(
    effect: float, low: float, high: float, reproduced: bool, says: str
) -> None:
    outcome = ShareChange(Interval(effect, low, high, 9), 0.5)
    cause = CauseResult("c", "5.1", "why", Interval(-0.9, -1.0, -0.8, 9), 0.5, outcome=outcome)
    assert cause.reproduced is reproduced and outcome_verdict(outcome) == says


def test_statements_that_most_startups_beside_meet_are_named_unless_they_are_background(
    case: CaseResult, run: Run
) -> None:
    """The one startup beside has sales in every seed; it never ends profitable, and sells as much as anybody or not."""
    peers = {one.id: one.peers for one in case.expectations}
    assert peers["alive"] is not None and peers["alive"].estimate == 1 and peers["alive"].n == N
    assert peers["rich"] is not None and peers["rich"].estimate == 0
    assert case.too_easy == ("alive",) and "too easy: alive" in shown(case)
    relaxed = EXPECT[2].model_copy(update={"role": "background"})
    again = assess_case(run, replace(CASE, expect=(*EXPECT[:2], relaxed)))
    assert again.too_easy == () and "too easy" not in shown(again)
    told = as_document(CasesResult(run, (case,)))["cases"][0]["expectations"]
    assert [one["too_easy"] for one in told] == [False, False, True, False] and told[2]["peers"]["share"] == 1


def test_half_is_not_most() -> None:
    one = ExpectationResult("x", "5", "So.", wilson(9, 9), "metric", "process", Interval(0.5, 0.3, 0.7, 40))
    assert not one.is_too_easy and replace(one, peers=Interval(0.51, 0.3, 0.7, 40)).is_too_easy
    assert not replace(one, peers=None).is_too_easy


def test_startups_of_other_sectors_are_not_beside(run: Run) -> None:
    from analysis.cases.beside import shares_beside
    from analysis.cases.evidence import read_evidence

    class Elsewhere(Run):
        def select(self, table: str, *args: Any, **options: Any) -> pd.DataFrame:
            found = super().select(table, *args, **options)
            if table == "endings" and "sector" in found:
                found.loc[found["firm"] != FOCAL, "sector"] = "far"
            return found

    elsewhere = Elsewhere(run.folder)
    shares = shares_beside(elsewhere, CASE, read_evidence(run, CASE, "base"))
    assert shares["alive"].n == 0


def test_statements_about_others_are_not_asked_of_startups_beside(run: Run) -> None:
    other = EXPECT[2].model_copy(update={"firm": "giant", "id": "giant"})
    case = assess_case(run, replace(CASE, expect=(*EXPECT, other)))
    assert case.expectations[-1].peers is None and not case.expectations[-1].is_too_easy
