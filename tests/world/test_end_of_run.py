"""The end of a run is its scenario's end: worlds in which whole markets die out early, and a walk over all statistics.

No figure of a seed may hang on who lives in other seeds, or on when the last firm died.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pydantic import ValidationError

from analysis.base_rates.sample import sample_of_tables
from analysis.base_rates.statistics import STATISTICS
from analysis.cases.evidence import read_evidence
from analysis.cases.expectations import judge
from analysis.cases.placebo_peers import peers_of
from analysis.cases.window import in_window
from analysis.comparison import MEASURES, Comparison, Difference, as_document, differences
from analysis.explain.chronicle import ending_fact
from analysis.explain.facts import Subject, read_record
from analysis.explain.offers import founding, leaving
from analysis.overview import overview, sectors_at_the_end
from analysis.play.experiment import play
from analysis.play.lockstep import Arm
from analysis.play.options import PlayOptions
from analysis.plots import plot_comparison
from analysis.plots.trajectories import alive_by_month, draw_panels, plot_trajectory
from analysis.runs.months import RunMonths, months_of
from analysis.runs.run import Run
from scenarios import Scenario
from scenarios.expectation import EventKind, Expectation, Metric
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.validation import validate_as
from simulation.records.endings import ENDINGS
from tests.support.explain_fakes import ENGINE
from tests.support.world_fakes import MARKET, merged

NAME, BASE, WEAK = "m", "base", "weak"
ARMS = (BASE, WEAK)
START, LAST_YEAR, END = date(2016, 1, 1), date(2019, 1, 1), date(2020, 1, 1)
LAST_MONTH, AFTER_THE_DEAD = pd.Timestamp("2019-12-01"), date(2017, 8, 1)
FIRST, N = 27, 12
LIVES, DIES, LATE = 29, 27, 28  # lives and dies early; dies early in both arms; lives and dies within the last year
ALONE = (LIVES, DIES, LATE)


def market() -> dict[str, Any]:
    """Two startups, one named and one drawn, and nobody else, from 2016 to 2019."""
    entrants = {"sector": "vision", "per_year": 0, "at_start": 1, "offers": [{"cameras": "subscription"}]}
    iris = {"capital_usd": 8e5, "staff": {"research": 4, "marketing": 2}}
    data = merged(MARKET, {"years": 4, "focal": "iris", "firms": {"iris": iris}, "entrants": {"new": entrants}})
    del data["firms"]["giant"]
    return data


@cache
def setups() -> dict[str, Scenario]:
    """Who survives the weak arm's poor start for three years dies of a law in the fourth."""
    poor = {"stages": {"seed": {"round_usd_2014": 2e5, "round_usd_2022": 2e5}}}
    law = {"at": "2019-02", "says": "Nobody can pay for it", "set": {"world.law.compliance_usd_month": 1e6}}
    iris = {"capital_usd": 3e5, "skill": 0.1}
    weak = {"firms": {"iris": iris}, "world": {"capital": poor}, "interventions": [law]}
    changes = {BASE: {}, WEAK: weak}
    return {arm: Scenario.from_document(Document(merged(market(), one), ""), NAME) for arm, one in changes.items()}


def played(out: Path, seed: int, n: int) -> Run:
    arms = [Arm(NAME, arm, setup) for arm, setup in setups().items()]
    settings = PlayOptions(replications=n, seed=seed, jobs=1, out=out, ledger=":memory:")
    return play(arms, settings, kind="compare", name=NAME, engine=ENGINE)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return played(tmp_path_factory.mktemp("all"), FIRST, N)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Run]:
    """The same seeds, each in a run of its own."""
    return {seed: played(tmp_path_factory.mktemp("one"), seed, 1) for seed in ALONE}


def last_months(run: Run, arm: str) -> dict[int, pd.Timestamp]:
    """The last month with a living firm, by seed."""
    return run.select("firms", NAME, arm, ["seed", "month"]).groupby("seed")["month"].max().to_dict()


def test_the_worlds_are_what_these_tests_need(run: Run) -> None:
    base, weak = (last_months(run, arm) for arm in ARMS)
    assert base[LIVES] == base[LATE] == months_of(run, NAME, BASE).last == LAST_MONTH
    assert base[DIES] == pd.Timestamp("2017-07-01"), "it went bankrupt on the first day of AFTER_THE_DEAD"
    assert weak[LIVES] < pd.Timestamp("2017-01-01") > weak[DIES]
    assert pd.Timestamp(LAST_YEAR) < weak[LATE] < LAST_MONTH
    dead = {arm: sum(month < pd.Timestamp(LAST_YEAR) for month in last_months(run, arm).values()) for arm in ARMS}
    assert dead[BASE] >= 2 and dead[WEAK] >= 6


# -- the walk ---------------------------------------------------------------------------------------------------------

Figures = Callable[[Run, str, int], Any]  # (run, arm, seed) → what a statistic says of that seed
PARAMETERS: dict[str, dict[str, Any]] = {
    "survival": {"age_years": 1},
    "next_round": {"within_months": 12},
    "wait": {"first": "seed", "then": "A"},
    "round_size": {"stage": "seed"},
    "pre_money": {"stage": "seed"},
    "capacity": {"stage": "seed", "follow_up_months": 1},
    "paying_share": {"least_users": 1, "least_age_months": 0},
    "gross_margin": {"least_sales_usd": 1},
    "churn": {"least_price_usd": 0, "least_customers": 0.01},
}


def expected(**fields: Any) -> Expectation | None:
    """An expectation, or None for one that the schema refuses."""
    try:
        return Expectation(**{"section": "1", "says": "It happens.", "id": str(sorted(fields.items())), **fields})
    except ValidationError:
        return None


def all_expectations(**window: date) -> list[Expectation]:
    """Every ending, event and metric that a chapter can speak of, in one window."""
    many = [expected(ending=(ending,), **window) for ending in ENDINGS]
    many += [expected(event=kind, **window) for kind in get_args(EventKind)]
    for metric in get_args(Metric):
        many += [expected(metric=metric, of=of, at_least=0.0, **window) for of in ("value", "rank", "over_traditional")]
        many += [expected(metric=metric, statistic=one, at_least=1.0, **window) for one in ("last", "sum")]
    return [one for one in many if one is not None]


def verdicts(run: Run, arm: str, expect: list[Expectation]) -> pd.DataFrame:
    return judge(expect, "iris", read_evidence(run, setups()[arm], arm, expect))


def by_measure() -> Iterator[tuple[str, Figures]]:
    for measure in MEASURES:
        yield f"compare: {measure.name}", lambda run, arm, seed, m=measure: m.of_seeds(run, NAME, arm).get(seed)
        if measure.of_cells is not None:
            yield (
                f"compare: {measure.name}, cells",
                lambda run, arm, seed, m=measure: m.of_cells(run, NAME, arm).xs(seed, level="seed").tolist(),
            )


def by_base_rate() -> Iterator[tuple[str, Figures]]:
    for name, statistic in STATISTICS.items():
        of = validate_as(statistic.parameters, Document(PARAMETERS.get(name, {}), ""))

        def seen(run: Run, arm: str, seed: int, statistic: Any = statistic, of: Any = of) -> list[list[float]]:
            tables = {table: run.select(table, NAME, arm) for table in ("firms", "rounds", "endings")}
            sample = sample_of_tables(tables, setups()[arm].model_dump(mode="json"), run.seeds)
            found = statistic.observe(sample, of)
            return found[found["seed"] == seed].drop(columns="seed").to_numpy(float).tolist()

        yield f"base rates: {name}", seen


def others() -> Iterator[tuple[str, Figures]]:
    expect = [*all_expectations(), *all_expectations(after=AFTER_THE_DEAD)]
    judged = cache(lambda run, arm: verdicts(run, arm, expect))
    yield "expectations", lambda run, arm, seed: judged(run, arm).loc[seed].tolist()
    yield "peers", lambda run, arm, seed: peers_in(run, arm, seed)
    yield "alive, month by month", lambda run, arm, seed: alive_in(run, arm, seed).tolist()
    yield "story: lifetime and ending", story_end


def peers_in(run: Run, arm: str, seed: int) -> list[str]:
    peers = peers_of(run.select("endings", NAME, arm), "iris", 12)
    return peers.loc[peers["seed"] == seed, "firm"].tolist()


def alive_in(run: Run, arm: str, seed: int) -> pd.Series:
    own = run.select("firms", NAME, arm, ["seed", "month"], [("firm", "==", "iris"), ("seed", "==", seed)])
    return alive_by_month(own, months_of(run, NAME, arm))


def story_end(run: Run, arm: str, seed: int) -> list[Any]:
    record = read_record(run, Subject(NAME, arm, seed, "iris"))
    return [*founding(record), *leaving(record), ending_fact(record).when]


WALK = dict([*by_measure(), *by_base_rate(), *others()])


SLOW = ("expectations",)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in WALK])
def test_a_seed_alone_says_the_same_as_among_others(name: str, run: Run, alone: dict[int, Run]) -> None:
    """Seed 2 alone is a run in which the last firm of all dies in its second year."""
    for arm in ARMS:
        for seed in ALONE:
            np.testing.assert_equal(WALK[name](alone[seed], arm, seed), WALK[name](run, arm, seed), f"{arm}, {seed}")


def test_the_walk_tells_seeds_apart(run: Run) -> None:
    """Comparisons of nothing with nothing would agree as well."""
    silent = {
        name
        for name, figures in WALK.items()
        if all(np.size(figures(run, arm, seed)) == 0 for arm in ARMS for seed in ALONE)
    }
    assert silent <= {"base rates: wait", "base rates: next_round", "base rates: paying_share"}, (
        "no fund gives a second round here, and nothing is given away"
    )


@pytest.mark.slow
@pytest.mark.parametrize("arm", ARMS)
def test_a_window_over_the_whole_run_is_no_window(run: Run, arm: str) -> None:
    without = verdicts(run, arm, all_expectations())
    assert without.any().sum() > 20
    for window in ({"after": START}, {"before": END}, {"after": START, "before": END}):
        within = verdicts(run, arm, all_expectations(**window))
        np.testing.assert_array_equal(without, within)


# -- the right values -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compared(run: Run) -> dict[str, Difference]:
    return {one.measure.name: one for one in differences(run, NAME, [WEAK])}


def test_a_seed_in_which_nobody_lives_has_no_customers(run: Run, compared: dict[str, Difference]) -> None:
    """The mean of the run's last twelve months over all seeds, worked out row by row."""
    one = compared["customers"]
    for arm, mean in ((BASE, one.base), (WEAK, one.changed)):
        rows = run.select("firms", NAME, arm)
        late = rows[rows["month"] >= pd.Timestamp(LAST_YEAR)]
        assert mean == pytest.approx(late["customers"].sum() / 12 / N)
    assert one.effect.n == N and one.left_out == 0 and one.empty is None


def test_both_arms_and_their_difference_are_of_the_same_seeds(run: Run, compared: dict[str, Difference]) -> None:
    for one in compared.values():
        assert one.changed - one.base == one.effect.estimate, one.measure.name
        assert one.effect.n + one.left_out == N
        seen = [one.measure.of_seeds(run, NAME, arm).reindex(run.seeds) for arm in ARMS]
        both = seen[0].notna() & seen[1].notna()
        assert (one.base, one.changed) == pytest.approx([arm[both].mean() for arm in seen])
    assert 0 < compared["hhi"].left_out < N


def test_an_empty_market_is_no_market_without_leaders(run: Run, compared: dict[str, Difference]) -> None:
    """It is left out of the mean and counted; a lone seller has an index of 1, whatever happens in other months."""
    one = compared["hhi"]
    rows = {arm: run.select("sectors", NAME, arm).query("month >= @LAST_YEAR") for arm in ARMS}
    empty = {arm: int((rows[arm]["adopters"] == 0).sum()) for arm in ARMS}
    assert one.empty is not None
    assert (one.empty.base, one.empty.base_of, one.empty.changed, one.empty.changed_of) == (
        empty[BASE], 12 * N, empty[WEAK], 12 * N,
    )  # fmt: skip
    assert 0 < empty[BASE] < empty[WEAK] < 12 * N
    assert one.base >= 0.5 and one.changed >= 0.5, "two sellers at most"
    document = as_document(Comparison(run, NAME, tuple(compared.values())))["whatifs"][0]["differences"]
    told = {row["measure"]: row for row in document}
    assert told["hhi"]["empty_months"] == {
        "base": empty[BASE], "base_of": 12 * N, "changed": empty[WEAK], "changed_of": 12 * N,
    }  # fmt: skip
    assert told["customers"]["empty_months"] is None and told["hhi"]["left_out"] == one.left_out


def test_a_run_shows_its_last_month_though_nobody_lives_in_it(alone: dict[int, Run]) -> None:
    """One seed alone: no firm, nobody served, no model, in December 2019."""
    found = overview(alone[DIES])
    (row,) = found.sectors.to_dict("records")
    assert (row["n_firms"], row["adopters"], row["n_hhi"], row["n_best_quality_field"]) == (0, 0, 0, 0)
    assert math.isnan(row["hhi"]) and math.isnan(row["best_quality_field"])
    assert (found.survival, found.n_survival, found.endings) == (0.0, 1, {"bankrupt": 2})


def test_the_overview_counts_the_seeds_behind_its_medians(run: Run) -> None:
    rows = run.select("sectors", NAME, BASE).query("month == @LAST_MONTH")
    (row,) = sectors_at_the_end(run, NAME).to_dict("records")
    served = rows[rows["adopters"] > 0]
    assert 0 < row["n_hhi"] == len(served) < N and row["hhi"] == served["hhi"].median() > 0
    assert row["adopters"] == rows["adopters"].median()


@pytest.mark.slow
def test_the_panel_of_the_living_ends_with_the_run(run: Run, alone: dict[int, Run], tmp_path: Path) -> None:
    """Two bankrupt seeds: 0 at the end, at the scenario's end, not at that of the last survivor."""
    for which, most, at_the_end in ((alone[DIES], 1, 0), (run, N, sum(lives_in(run, BASE).values()))):
        firms = which.select("firms", NAME, BASE)
        axes = list(Figure().subplots(3, 3, sharex=True).flat)
        months = months_of(which, NAME, BASE)
        draw_panels(axes, firms, firms[firms["firm"] == "iris"], months, len(which.seeds))
        assert axes[8].get_title(loc="left") == f"Alive: {most} at most, {at_the_end} at the end"
        left, right = axes[8].get_xlim()
        assert right - left == (pd.Timestamp(END) - pd.Timestamp(START)).days
    assert plot_trajectory(alone[DIES], NAME, BASE, "iris", tmp_path / "dead.png").stat().st_size > 10_000


def lives_in(run: Run, arm: str) -> dict[int, bool]:
    """Whether the focal firm lives when the run ends, by seed."""
    own = run.select("endings", NAME, arm, where=[("firm", "==", "iris")])
    return dict(zip(own["seed"], own["ending"].isin(["alive", "profitable", "public"]), strict=True))


def test_a_comparison_of_dead_markets_is_drawn(alone: dict[int, Run]) -> None:
    result = Comparison(alone[DIES], NAME, tuple(differences(alone[DIES], NAME, [WEAK])))
    assert {one.verdict for one in result.differences} == {"too few seeds", "no figure"}
    assert all(path.stat().st_size > 10_000 for path in plot_comparison(result))


# -- months -----------------------------------------------------------------------------------------------------------


def test_every_date_belongs_to_one_month_of_the_run() -> None:
    months = RunMonths(pd.Timestamp("2014-03-01"), 24)
    assert (months.last, months.end) == (pd.Timestamp("2016-02-01"), pd.Timestamp("2016-03-01"))
    assert months.last_year.tolist() == pd.date_range("2015-03-01", "2016-02-01", freq="MS").tolist()
    days = pd.to_datetime(pd.Series(["2014-03-01", "2016-02-28", "2016-02-29", "2016-03-01", None]))
    held = {
        "first": in_window(days, months, None, date(2014, 4, 1)),
        "last": in_window(days, months, date(2016, 2, 1), date(2016, 3, 1)),
        "later": in_window(days, months, date(2016, 3, 1), None),  # a window of another chapter, of a longer run
    }
    assert held["first"].tolist() == [True, False, False, False, False]
    assert held["last"].tolist() == [False, True, True, True, False], "its decisions are dated to the next day"
    assert not held["later"].any()
    assert len(RunMonths(pd.Timestamp("2014-03-01"), 6).last_year) == 6
