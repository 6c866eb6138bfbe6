"""What an expectation means: windows, endings, metrics, ranks, events."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from analysis.expectations import Evidence, columns_needed, judge, matches
from scenarios.schema import Expectation

MONTHS = pd.date_range("2015-01-01", periods=6, freq="MS")


def expected(**fields: object) -> Expectation:
    return Expectation(**{"id": "x", "section": "5.1", "says": "It happens.", **fields})


def firm_rows(seed: int, firm: str, customers: list[float | None], status: str = "alive") -> pd.DataFrame:
    """One row per month; the list may end early, as for a firm that died."""
    months = MONTHS[: len(customers)]
    return pd.DataFrame(
        {
            "seed": seed, "month": months, "firm": firm, "sector": "speech", "status": status,
            "customers": customers, "revenue_usd": 10.0, "costs_usd": 4.0,
        }
    )  # fmt: skip


def evidence(
    firms: pd.DataFrame | None = None,
    events: list[tuple[int, str, str, str, str]] | None = None,
    endings: list[tuple[int, str, str | None, str, float, float]] | None = None,
    seeds: tuple[int, ...] = (0,),
) -> Evidence:
    empty = firm_rows(99, "nobody", [0.0])
    happened = pd.DataFrame(events or [], columns=["seed", "time", "kind", "firm", "other"])
    happened["time"] = pd.to_datetime(happened["time"])
    ended = pd.DataFrame(endings or [], columns=["seed", "firm", "ended", "ending", "raised_usd", "exit_value_usd"])
    ended["ended"] = pd.to_datetime(ended["ended"])
    return Evidence(seeds, firms if firms is not None else empty, happened, ended)


def holds(what: Expectation, where: Evidence) -> list[bool]:
    return judge([what], "iris", where)["x"].tolist()


@pytest.mark.parametrize(
    ("ended", "met"), [("2015-02-28", False), ("2015-03-01", True), ("2015-03-31", True), ("2015-04-01", False)]
)
def test_an_ending_counts_inside_the_half_open_window_only(ended: str, met: bool) -> None:
    where = evidence(endings=[(0, "iris", ended, "bankrupt", 0, 0)])
    window = {"after": date(2015, 3, 1), "before": date(2015, 4, 1)}
    assert holds(expected(ending=("bankrupt",), **window), where) == [met]
    assert holds(expected(ending=("public",), **window), where) == [False]
    assert holds(expected(ending=("bankrupt",)), where) == [True]


def test_a_firm_without_a_date_or_without_an_ending_is_in_no_window() -> None:
    where = evidence(endings=[(0, "iris", None, "alive", 0, 0)], seeds=(0, 1))
    assert holds(expected(ending=("alive",)), where) == [True, False]
    assert holds(expected(ending=("alive",), after=date(2015, 1, 1)), where) == [False, False]


def test_an_acquisition_below_what_was_raised_can_count_as_failure() -> None:
    cheap, dear, broke = (
        evidence(endings=[(0, "iris", "2015-03-01", ending, 5e6, value)])
        for ending, value in (("acquired", 1e6), ("acquired", 9e6), ("bankrupt", 0.0))
    )
    failure = expected(ending=("bankrupt", "acquired"), exit_value_below_raised=True)
    assert [holds(failure, where) for where in (cheap, dear, broke)] == [[True], [False], [True]]
    assert holds(expected(ending=("bankrupt", "acquired")), dear) == [True]


@pytest.mark.parametrize(
    ("statistic", "value"), [("mean", 30.0), ("min", 20.0), ("max", 40.0), ("last", 40.0), ("sum", 90.0)]
)
def test_a_metric_is_summarised_over_the_half_open_window(statistic: str, value: float) -> None:
    where = evidence(firm_rows(0, "iris", [10, 20, 30, 40, 50, 60]))
    fields = {"metric": "customers", "statistic": statistic, "after": date(2015, 2, 1), "before": date(2015, 5, 1)}
    assert holds(expected(**fields, at_least=value, at_most=value), where) == [True]
    assert holds(expected(**fields, at_least=value + 1), where) == [False]
    assert holds(expected(**fields, at_most=value - 1), where) == [False]


def test_a_metric_without_months_in_its_window_is_not_met() -> None:
    where = evidence(firm_rows(0, "iris", [10, 20]))  # dead from March on
    late = {"metric": "customers", "after": date(2015, 4, 1)}
    assert holds(expected(**late, at_most=1e9), where) == [False]
    assert holds(expected(**late, at_least=0), where) == [False]


def test_missing_figures_are_skipped_and_profit_is_revenue_less_costs() -> None:
    where = evidence(firm_rows(0, "iris", [None, None, 8.0]))
    assert holds(expected(metric="customers", at_least=8, at_most=8), where) == [True]
    assert holds(expected(metric="profit_usd", statistic="sum", at_least=18, at_most=18), where) == [True]
    assert {"revenue_usd", "costs_usd"} <= set(columns_needed([expected(metric="profit_usd", at_least=0)]))


def test_rank_compares_firms_of_one_sector_and_month_that_are_alive() -> None:
    other_sector = firm_rows(0, "far", [900] * 3).assign(sector="security")
    gone = firm_rows(0, "gone", [800] * 3, status="bankrupt")
    firms = [firm_rows(0, "iris", [5, 50, 50]), firm_rows(0, "rival", [9, 9, 50]), other_sector, gone]
    where = evidence(
        pd.concat([*firms, firm_rows(1, "iris", [1, 1, 1]), firm_rows(1, "rival", [2, 2, 2])]), seeds=(0, 1)
    )
    ranks = {"metric": "customers", "of": "rank"}
    assert holds(expected(**ranks, statistic="max", at_most=2, at_least=2), where) == [True, True]
    assert holds(expected(**ranks, statistic="last", at_most=1), where) == [True, False]  # a tie shares the better rank
    assert holds(expected(**ranks, statistic="mean", at_most=4 / 3), where) == [True, False]


def test_events_count_on_either_side_and_can_be_forbidden() -> None:
    where = evidence(
        events=[(0, "2015-03-10", "acquisition", "giant", "iris"), (1, "2015-03-10", "outage", "rival", "")]
    )
    bought = Evidence((0, 1), where.firms, where.events, where.endings)
    assert holds(expected(event="acquisition"), bought) == [True, False]
    assert holds(expected(event="acquisition", occurs=False), bought) == [False, True]
    assert holds(expected(event="acquisition", before=date(2015, 3, 1)), bought) == [False, False]
    assert holds(expected(event="outage", firm="rival"), bought) == [False, True]


def test_a_seed_matches_only_when_everything_holds() -> None:
    where = evidence(
        pd.concat([firm_rows(0, "iris", [5, 6]), firm_rows(1, "iris", [50, 60])]),
        endings=[(seed, "iris", "2015-03-01", "bankrupt", 0, 0) for seed in (0, 1)],
        seeds=(0, 1),
    )
    small = Expectation(id="small", section="5.2", says="It stays small.", metric="customers", at_most=10)
    verdicts = judge([expected(ending=("bankrupt",)), small], "iris", where)
    assert verdicts.to_dict("list") == {"x": [True, True], "small": [True, False]}
    assert matches(verdicts).tolist() == [True, False]
    assert verdicts.index.tolist() == [0, 1]
