"""What an expectation means: windows, endings, metrics, ranks, events."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from analysis.cases.evidence import Evidence, columns_needed, read_evidence, sector_columns_needed
from analysis.cases.expectations import judge, matches, metric_of_firm
from analysis.runs.months import RunMonths
from analysis.runs.run import Run
from scenarios import Scenario
from scenarios.expectation import Expectation
from scenarios.strict_yaml.document import Document
from tests.support.explain_fakes import play_small

MONTHS = pd.date_range("2015-01-01", periods=6, freq="MS")
RUN = RunMonths(MONTHS[0], len(MONTHS))  # to the end of June 2015


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
    return Evidence(seeds, RUN, firms if firms is not None else empty, happened, ended)


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


@pytest.mark.parametrize("ending", ["alive", "profitable"])
def test_a_firm_that_lives_at_the_end_has_its_ending_in_the_last_month(ending: str) -> None:
    """It has no date; a firm that was never founded (seed 1) has no ending."""
    where = evidence(endings=[(0, "iris", None, ending, 0, 0)], seeds=(0, 1))
    assert holds(expected(ending=(ending,)), where) == [True, False]
    for after, before, met in (
        (date(2015, 1, 1), None, True), (date(2015, 6, 1), None, True), (date(2015, 6, 1), date(2015, 7, 1), True),
        (None, date(2015, 7, 1), True), (None, date(2015, 6, 1), False), (date(2015, 1, 1), date(2015, 6, 1), False),
    ):  # fmt: skip
        assert holds(expected(ending=(ending,), after=after, before=before), where) == [met, False], (after, before)
    assert holds(expected(ending=("bankrupt",), after=date(2015, 1, 1)), where) == [False, False]


def test_what_the_last_month_decides_is_in_its_window_and_in_no_earlier_one() -> None:
    """Bankrupt on the first day after the last month, as an ending and as an event; seed 1 a month before."""
    days = ("2015-07-01", "2015-06-01")
    where = evidence(
        events=[(seed, day, "bankrupt", "iris", "") for seed, day in enumerate(days)],
        endings=[(seed, "iris", day, "bankrupt", 0, 0) for seed, day in enumerate(days)],
        seeds=(0, 1),
    )
    for fields in ({"ending": ("bankrupt",)}, {"event": "bankrupt"}, {"event": "bankrupt", "at_least": 1}):
        assert holds(expected(**fields), where) == [True, True]
        assert holds(expected(**fields, after=date(2015, 1, 1), before=date(2015, 7, 1)), where) == [True, True]
        assert holds(expected(**fields, before=date(2015, 6, 1)), where) == [False, False]
        assert holds(expected(**fields, after=date(2015, 6, 1), before=date(2015, 7, 1)), where) == [True, True]
        assert holds(expected(**fields, after=date(2015, 5, 1), before=date(2015, 6, 1)), where) == [False, False]


def test_the_last_of_a_metric_is_the_last_month_in_which_the_firm_lives() -> None:
    where = evidence(pd.concat([firm_rows(0, "iris", [10, 20]), firm_rows(1, "iris", [10] * 5 + [30])]), seeds=(0, 1))
    assert holds(expected(metric="customers", statistic="last", at_least=20, at_most=20), where) == [True, False]
    assert holds(expected(metric="customers", statistic="last", at_least=30), where) == [False, True]


def test_an_acquisition_below_what_was_raised_can_count_as_failure() -> None:
    cheap, dear, broke = (
        evidence(endings=[(0, "iris", "2015-03-01", ending, 5e6, value)])
        for ending, value in (("acquired", 1e6), ("acquired", 9e6), ("bankrupt", 0.0))
    )
    failure = expected(ending=("bankrupt", "acquired"), exit_value_below_raised=True)
    assert [holds(failure, where) for where in (cheap, dear, broke)] == [[True], [False], [True]]
    assert holds(expected(ending=("bankrupt", "acquired")), dear) == [True]


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("mean", 30.0), ("min", 20.0), ("max", 40.0), ("first", 20.0), ("last", 40.0), ("change", 20.0), ("sum", 90.0)],
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
    where = evidence(events=[(0, "2015-03-10", "acquired", "giant", "iris"), (1, "2015-03-10", "outage", "rival", "")])
    bought = Evidence((0, 1), RUN, where.firms, where.events, where.endings)
    assert holds(expected(event="acquired"), bought) == [True, False]
    assert holds(expected(event="acquired", occurs=False), bought) == [False, True]
    assert holds(expected(event="acquired", before=date(2015, 3, 1)), bought) == [False, False]
    assert holds(expected(event="outage", firm="rival"), bought) == [False, True]


def test_a_seed_matches_only_when_everything_holds() -> None:
    where = evidence(
        pd.concat([firm_rows(0, "iris", [5, 6]), firm_rows(1, "iris", [50, 60])]),
        endings=[(seed, "iris", "2015-03-01", "bankrupt", 0, 0) for seed in (0, 1)],
        seeds=(0, 1),
    )
    small = Expectation(id="small", section="5.2", says="It stays small.", metric="customers", at_most=10)
    both = [expected(ending=("bankrupt",)), small]
    verdicts = judge(both, "iris", where)
    assert verdicts.to_dict("list") == {"x": [True, True], "small": [True, False]}
    assert matches(both, verdicts).tolist() == [True, False]
    assert verdicts.index.tolist() == [0, 1]


def test_a_change_is_negative_where_a_figure_falls_and_zero_with_one_month() -> None:
    where = evidence(pd.concat([firm_rows(0, "iris", [9, None, 4]), firm_rows(1, "iris", [9])]), seeds=(0, 1))
    assert holds(expected(metric="customers", statistic="change", at_most=-5), where) == [True, False]
    assert holds(expected(metric="customers", statistic="change", at_least=0, at_most=0), where) == [False, True]


def test_quality_gap_is_lab_less_field() -> None:
    where = evidence(firm_rows(0, "iris", [1, 1]).assign(quality_lab=[0.9, 0.8], quality_field=[0.6, None]))
    gap = expected(metric="quality_gap", at_least=0.3 - 1e-9, at_most=0.3 + 1e-9)
    assert holds(gap, where) == [True]  # the month without a field figure has no gap
    assert {"quality_lab", "quality_field"} <= set(columns_needed([gap]))


def test_free_users_are_a_share_of_all_users_and_nothing_without_users() -> None:
    where = evidence(firm_rows(0, "iris", [0, 100, 50]).assign(paying_customers=[0, 20, 40]))
    assert holds(expected(metric="free_share", statistic="first", at_least=0.8, at_most=0.8), where) == [True]
    assert holds(expected(metric="free_share", at_least=0.5, at_most=0.5), where) == [True]


def test_accuracy_over_the_traditional_method_of_the_sector() -> None:
    firms = firm_rows(0, "iris", [1, 1]).assign(quality_lab=0.9, quality_field=[0.75, 0.5])
    where = evidence(firms.assign(traditional_lab=0.75, traditional_field=[0.5, 0.75]))
    over = {"of": "over_traditional", "metric": "quality_field"}
    assert holds(expected(**over, statistic="first", at_least=0.25), where) == [True]
    assert holds(expected(**over, statistic="last", at_most=-0.25), where) == [True]
    assert holds(expected(**over, statistic="last", at_least=0), where) == [False]
    gap = expected(of="over_traditional", metric="quality_gap", statistic="change", at_least=0.5)
    assert holds(gap, where) == [True]  # its gap grows by 0.25, that of the traditional method falls from 0.25 to 0
    assert sector_columns_needed([gap]) == ["traditional_field", "traditional_lab"]
    assert sector_columns_needed([expected(metric="trust", at_least=0)]) == []


def test_incumbents_of_the_same_sector_are_the_yardstick() -> None:
    kinds = {"iris": "startup", "rival": "startup", "giant": "incumbent", "dwarf": "incumbent", "far": "incumbent"}
    customers = {"iris": [40, 40], "rival": [900, 900], "giant": [80, 20], "dwarf": [10, 10], "far": [900, 900]}
    firms = pd.concat([firm_rows(0, firm, customers[firm]).assign(kind=kind) for firm, kind in kinds.items()])
    firms.loc[firms["firm"] == "far", "sector"] = "security"
    where = evidence(firms)
    against = {"metric": "customers"}
    assert holds(expected(**against, of="times_incumbents", statistic="first", at_least=0.5, at_most=0.5), where) == [
        True
    ]
    assert holds(expected(**against, of="over_incumbents", statistic="last", at_least=20, at_most=20), where) == [True]
    alone = evidence(firms[firms["kind"] == "startup"])
    assert holds(expected(**against, of="over_incumbents", at_least=-1e9), alone) == [False]  # nothing to compare with
    assert "kind" in columns_needed([expected(**against, of="over_incumbents", at_least=0)])


def test_events_are_counted_inside_the_window() -> None:
    days = ["2015-02-28", "2015-03-01", "2015-03-10", "2015-04-01"]
    where = evidence(events=[(0, day, "outage", "iris", "") for day in days], seeds=(0, 1))
    window = {"after": date(2015, 3, 1), "before": date(2015, 4, 1)}
    assert holds(expected(event="outage", at_least=2, at_most=2, **window), where) == [True, False]
    assert holds(expected(event="outage", at_least=4), where) == [True, False]
    assert holds(expected(event="outage", at_least=5), where) == [False, False]
    assert holds(expected(event="outage", at_most=0), where) == [False, True]


def test_one_event_can_be_required_before_another() -> None:
    events = [
        *((0, "2015-02-01", "round", "iris", ""), (0, "2015-03-01", "pivot", "iris", "")),
        *((1, "2015-03-01", "round", "iris", ""), (1, "2015-03-01", "pivot", "iris", "")),  # the same day
        *((2, "2015-02-01", "round", "iris", ""), (2, "2015-03-01", "pivot", "rival", "")),  # another firm's
        *((3, "2015-04-01", "round", "iris", ""), (3, "2015-03-01", "pivot", "iris", "")),
    ]
    where = evidence(events=events, seeds=(0, 1, 2, 3))
    assert holds(expected(event="round", earlier_than="pivot"), where) == [True, False, False, False]
    assert holds(expected(event="pivot", earlier_than="round"), where) == [False, False, False, True]
    late = expected(event="pivot", earlier_than="round", after=date(2015, 4, 1))
    assert holds(late, where) == [False, False, False, False]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"metric": "customers", "of": "over_traditional", "at_least": 0}, "needs a metric that the traditional"),
        ({"event": "outage", "at_least": 1.5}, "whole number from 0 on; it is 1.5"),
        ({"event": "outage", "at_most": -1}, "whole number from 0 on; it is -1"),
        ({"event": "outage", "at_least": 0}, "holds always"),
        ({"event": "outage", "at_least": 1, "occurs": False}, "contradict"),
        ({"event": "outage", "at_least": 3, "at_most": 2}, "no number is at_least 3 and at_most 2"),
        ({"event": "outage", "statistic": "sum"}, "statistic can only stand beside metric"),
        ({"event": "round", "earlier_than": "pivot", "at_least": 2}, "earlier_than needs"),
        ({"event": "round", "earlier_than": "round"}, "no first round is earlier_than itself"),
        ({"ending": ("alive",), "at_least": 1}, "at_least can only stand beside metric or event"),
        ({"ending": ("alive",), "earlier_than": "pivot"}, "earlier_than can only stand beside event"),
        ({"event": "bankruptcy"}, "'bankrupt'"),
        ({"metric": "free_share"}, "metric needs at_least or at_most"),
        ({"metric": "free_share", "of": "over_incumbent", "at_least": 0}, "over_incumbents"),
    ],
)
def test_statements_that_mean_nothing_are_refused(fields: dict, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        expected(**fields)


def test_a_played_world_has_all_that_statements_read(tmp_path: Path) -> None:
    """Traditional methods come from the sectors table, incumbents and users from the firms table."""
    run = play_small(tmp_path / "run", seeds=2)
    setup = loaded_arm(run)
    statements = [
        expected(id="accuracy", metric="quality_field", of="over_traditional", statistic="max", at_least=-1),
        expected(id="gap", metric="quality_gap", of="over_traditional", at_least=-1),
        expected(id="small", metric="revenue_usd", of="times_incumbents", statistic="max", at_most=1e9),
        expected(id="free", metric="free_share", statistic="last", at_most=0),
        expected(id="release", event="release", at_least=1),
        expected(id="order", event="founded", earlier_than="bankrupt"),
    ]
    evidence = read_evidence(run, setup, "base", statements)
    met = judge(statements, "iris", evidence)
    assert met.all(axis=None), met
    months = evidence.firms.query("firm == 'iris' and seed == 1").dropna(subset="quality_field")
    over = metric_of_firm(evidence.firms, "iris", "quality_field", "over_traditional")[1].dropna()
    assert over.tolist() == pytest.approx((months["quality_field"] - months["traditional_field"]).tolist()) and len(
        over
    )


def loaded_arm(run: Run) -> Scenario:
    resolved = run.manifest["arms"][0]["resolved"]
    return Scenario.from_document(Document(dict(resolved), "small"), "small")
