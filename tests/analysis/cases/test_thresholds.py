"""How much hangs on bounds that were chosen: curves of the match, from the worlds that were played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.cases.document import as_document
from analysis.cases.evidence import Evidence
from analysis.cases.expectations import judge, matches
from analysis.cases.results import CaseResult, CasesResult
from analysis.cases.thresholds import PERCENT, Threshold, chosen_bounds, thresholds_of, worst_of
from analysis.plots.thresholds import plot_thresholds
from analysis.runs.months import RunMonths
from analysis.screens.chapter import warning_lines
from analysis.statistics.intervals import wilson
from scenarios.expectation import Expectation

MONTH = pd.Timestamp("2015-01-01")
CUSTOMERS = [80.0, 90.0, 100.0, 110.0, 120.0, 130.0]  # one seed each


def stated(id: str, **fields: Any) -> Expectation:
    return Expectation(id=id, section="5.1", says=f"It is {id}.", **fields)


def evidence(releases: tuple[int, ...] = ()) -> Evidence:
    """One month in six seeds: customers as above, a trust of 0.5 to 1.0; so many models as said by seed."""
    firms = pd.DataFrame({"seed": range(6), "month": MONTH, "firm": "iris", "customers": CUSTOMERS})
    firms["trust"] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    events = [(seed, MONTH, "release", "iris", "") for seed, n in enumerate(releases) for _ in range(n)]
    happened = pd.DataFrame(events, columns=["seed", "time", "kind", "firm", "other"])
    happened["time"] = pd.to_datetime(happened["time"])
    ended = pd.DataFrame(columns=["seed", "firm", "ended", "ending", "raised_usd", "exit_value_usd"])
    return Evidence(range(6), RunMonths(MONTH, 1), firms, happened, ended)


def curves(*expect: Expectation, where: Evidence | None = None) -> tuple[Threshold, ...]:
    found = where or evidence()
    return thresholds_of(expect, "iris", found, judge(expect, "iris", found))


LARGE, TRUSTED = stated("large", metric="customers", at_least=100), stated("trusted", metric="trust", at_least=0.6)


def test_a_curve_is_what_judging_with_the_moved_bound_gives() -> None:
    found = curves(LARGE, TRUSTED)
    assert [(one.id, one.side, one.bound) for one in found] == [
        ("large", "at_least", 100),
        ("trusted", "at_least", 0.6),
    ]
    for one in found:
        assert [point.factor * 100 for point in one.curve] == pytest.approx([*range(75, 126, 5)])
        for point in one.curve:
            moved = [s.model_copy(update={one.side: point.bound}) if s.id == one.id else s for s in (LARGE, TRUSTED)]
            met = matches(moved, judge(moved, "iris", evidence()))
            assert point.share == wilson(int(met.sum()), 6), (one.id, point.factor)
    shares = [point.share.estimate * 6 for point in found[0].curve]
    assert shares == pytest.approx([5, 5, 5, 5, 4, 4, 3, 3, 2, 2, 1])  # of the five that are trusted


def test_the_bound_itself_gives_the_match() -> None:
    met = matches([LARGE, TRUSTED], judge([LARGE, TRUSTED], "iris", evidence()))
    for one in curves(LARGE, TRUSTED):
        (same,) = [point for point in one.curve if point.factor == 1]
        assert same.bound == one.bound and same.share.estimate == met.mean()


def test_the_worst_point_is_the_lowest_and_of_several_the_nearest() -> None:
    large, trusted = curves(LARGE, TRUSTED)
    assert large.worst.share.estimate == pytest.approx(1 / 6) and large.worst.factor == 1.25
    assert worst_of([trusted, large]) == (large, large.worst)
    (flat,) = curves(stated("few", metric="customers", at_most=1000))
    assert flat.worst.factor == 1 and flat.worst.share.estimate == 1
    assert worst_of([]) is None


@pytest.mark.parametrize(
    ("fields", "bounds"),
    [
        ({"metric": "customers", "at_least": 100}, [("at_least", 100)]),
        ({"metric": "customers", "at_least": 100, "at_most": 200}, [("at_least", 100), ("at_most", 200)]),
        ({"metric": "profit_usd", "at_least": 0}, []),
        ({"metric": "quality_field", "of": "over_incumbents", "at_most": -0.1}, [("at_most", -0.1)]),
        ({"metric": "quality_lab", "at_least": 0.95, "from_chapter": True}, []),
        ({"metric": "free_share", "at_least": 0.98, "fact": "M1"}, []),
        ({"event": "release", "at_least": 4}, [("at_least", 4)]),
        ({"event": "release"}, []),
        ({"ending": ("alive",)}, []),
    ],
)
def test_bounds_of_the_chapter_of_facts_and_signs_are_no_choice(fields: dict[str, Any], bounds: list[Any]) -> None:
    assert list(chosen_bounds(stated("x", **fields))) == bounds


def test_background_has_no_curve_and_does_not_lower_one() -> None:
    never = stated("never", role="background", metric="customers", at_least=1e9)
    assert curves(LARGE, never) == curves(LARGE)


def test_counts_of_events_are_moved_too() -> None:
    where = evidence(releases=(3, 4, 4, 4, 5, 0))
    (found,) = curves(stated("innovates", event="release", at_least=4), where=where)
    by_factor = {round(point.factor, 2): round(point.share.estimate * 6) for point in found.curve}
    assert (by_factor[0.75], by_factor[0.8], by_factor[1.0], by_factor[1.05], by_factor[1.25]) == (5, 4, 4, 1, 1)


def test_a_seed_without_a_figure_meets_no_bound() -> None:
    where = evidence()
    where.firms.loc[5, "customers"] = float("nan")
    (found,) = curves(stated("small", metric="customers", at_most=1000), where=where)
    assert {point.share.estimate for point in found.curve} == {5 / 6}


@pytest.fixture
def case() -> CaseResult:
    match = wilson(3, 6)
    return CaseResult("CASE-X", "cases/x", "A case", "iris", match, (), (), {}, None, thresholds=curves(LARGE, TRUSTED))


def test_the_worst_point_is_shown_and_written(case: CaseResult) -> None:
    (line,) = (str(text) for text in warning_lines(case))
    assert "at worst 0.17" in line and "large at_least 100 moved to 125 (+25%)" in line

    class Played:
        seeds, folder, training_cost, manifest = (0,), "x", {}, {"seconds": 1.0}

    (told,) = as_document(CasesResult(Played(), (case,)))["cases"]  # type: ignore[arg-type]
    assert told["worst_threshold"]["id"] == "large" and told["worst_threshold"]["bound"] == 125
    assert len(told["thresholds"]) == 2 and len(told["thresholds"][0]["curve"]) == len(PERCENT)


@pytest.mark.slow
def test_the_curves_are_drawn(case: CaseResult, tmp_path: Path) -> None:
    path = plot_thresholds(case, tmp_path / "x-thresholds.png")
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 10_000 and int.from_bytes(data[16:20]) >= 1200
