"""Base rates: statistics on tables whose answers are known, intervals over seeds, verdicts, files of targets."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.base_rates.judge import interval_over_seeds, rate_of, verdict_of
from analysis.base_rates.sample import Sample, sample_of_tables
from analysis.base_rates.statistics import STATISTICS, SurvivalOf
from analysis.base_rates.targets import Target, load_targets
from analysis.cli.main import run_command
from analysis.plots.base_rates import plot_base_rates
from analysis.statistics.ages import months_between
from analysis.statistics.intervals import Interval, wilson
from analysis.statistics.survival import kaplan_meier, survival_at
from analysis.statistics.verdicts import MANY_ALIKE
from scenarios.strict_yaml.document import Document
from scenarios.strict_yaml.validation import validate_as
from tests.support.analysis_fakes import ENGINE
from tests.support.world_fakes import play, world_of

# Remission in weeks of the 6-MP arm of Freireich et al. (1963), + censored; survival as printed in
# Kleinbaum & Klein, Survival Analysis, 3rd ed. (2012), ch. 2.
WEEKS = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12
PRINTED = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}


def test_kaplan_meier_gives_the_textbook_numbers() -> None:
    times, surviving = kaplan_meier(WEEKS, RELAPSED)
    assert times.tolist() == list(PRINTED)
    assert surviving == pytest.approx(list(PRINTED.values()), abs=5e-5)


def test_survival_between_deaths_before_them_and_beyond_what_was_seen() -> None:
    assert survival_at(WEEKS, RELAPSED, 5.9) == 1.0
    assert survival_at(WEEKS, RELAPSED, 12) == pytest.approx(0.7529, abs=5e-5)
    assert math.isnan(survival_at(WEEKS, RELAPSED, 36)), "nobody was seen for 36 weeks"
    assert survival_at([1, 2], [True, True], 3) == 0.0
    assert math.isnan(survival_at([], [], 1))


def test_without_censoring_survival_is_the_plain_share() -> None:
    months = np.random.default_rng(3).exponential(20, 500)
    assert survival_at(months, np.ones(500, bool), 12) == pytest.approx(np.mean(months > 12))


FIRMS = ["new-1", "new-2", "new-3", "new-4"]


def sample(
    rounds: list[tuple[str, str, str, float, float]] = (),  # type: ignore[assignment]
    ended: dict[str, tuple[str, str]] | None = None,
    firms: pd.DataFrame | None = None,
) -> Sample:
    """Entrants founded at 2014-01, run to 2020-01; rounds: (firm, date, stage, amount, pre-money); one seed."""
    names = [*FIRMS, "named", "giant"]
    endings = pd.DataFrame(
        {
            "seed": 0, "firm": names, "founded": pd.Timestamp("2014-01-01"),
            "kind": ["incumbent" if name == "giant" else "startup" for name in names],
            "ended": [pd.Timestamp(ended[n][0]) if ended and n in ended else pd.NaT for n in names],
            "ending": [ended[n][1] if ended and n in ended else "alive" for n in names],
        }
    )  # fmt: skip
    columns = ["firm", "time", "round", "amount_usd", "pre_money_usd"]
    table = pd.DataFrame(list(rounds), columns=columns).assign(seed=0)
    table["time"] = pd.to_datetime(table["time"])
    empty = pd.DataFrame({"seed": pd.Series(dtype=int), "firm": pd.Series(dtype=str), "month": pd.to_datetime([])})
    sizes = {"A": {"round_usd_2014": 5e6, "round_usd_2022": 13e6}}
    resolved = {"firms": {"named": {}}, "start": "2014-01-01", "years": 6, "world": {"capital": {"stages": sizes}}}
    tables = {"endings": endings, "rounds": table, "firms": empty if firms is None else firms}
    return sample_of_tables(tables, resolved, [0])


def value(of: Sample, statistic: str, **parameters: Any) -> tuple[float, int]:
    """(Value, observations) of a statistic on a sample."""
    one = STATISTICS[statistic]
    settings = validate_as(one.parameters, Document(parameters, ""))
    seen = one.observe(of, settings)
    return one.reduce(seen.drop(columns="seed").to_numpy(float), settings), len(seen)


def test_named_firms_and_incumbents_do_not_count() -> None:
    assert sorted(sample().endings["firm"]) == FIRMS


def test_acquired_firms_are_censored_unless_acquisition_counts_as_death() -> None:
    ended = {
        "new-1": ("2014-07-01", "bankrupt"),
        "new-2": ("2014-10-01", "acquired"),
        "new-3": ("2016-01-01", "public"),
    }
    assert value(sample(ended=ended), "survival", age_years=1) == (0.75, 4)
    assert value(sample(ended=ended), "survival", age_years=1, deaths=["bankrupt", "acquired"]) == (0.5, 4)
    assert value(sample(ended=ended), "survival", age_years=5)[0] == 0.75, "a listed firm goes on"


ROUNDS = [
    ("new-1", "2014-01-01", "seed", 1e6, 6e6), ("new-1", "2015-03-02", "A", 5e6, 14e6),
    ("new-1", "2017-03-01", "B", 12e6, 40e6), ("new-2", "2014-01-01", "seed", 2e6, 6e6),
    ("new-2", "2016-01-01", "A", 7e6, 20e6), ("new-3", "2014-01-01", "seed", 3e6, 6e6),
    ("new-4", "2018-06-01", "seed", 4e6, 6e6),
    ("named", "2014-01-01", "seed", 9e6, 9e6), ("named", "2014-02-01", "A", 99e6, 99e6),
]  # fmt: skip


def test_waits_between_rounds_by_the_year_of_the_later_one() -> None:
    assert value(sample(ROUNDS), "wait", first="seed", then="A") == (pytest.approx((14 + 1 / 31 + 24) / 2), 2)
    assert value(sample(ROUNDS), "wait", first="seed", then="A", years=[2016, 2016]) == (24.0, 1)
    assert value(sample(ROUNDS), "wait", first="A", then="B")[0] == pytest.approx(24 - 1 / 28)
    assert math.isnan(value(sample(ROUNDS), "wait", first="B", then="C")[0])


def test_the_share_that_raises_again_counts_only_firms_that_could_be_followed() -> None:
    assert value(sample(ROUNDS), "next_round", within_months=36) == (pytest.approx(2 / 3), 3)
    assert value(sample(ROUNDS), "next_round", within_months=18) == (0.5 / 2, 4)


def test_median_rounds_and_valuations_in_the_terms_of_a_year() -> None:
    assert value(sample(ROUNDS), "round_size", stage="seed") == (2.5e6, 4)
    assert value(sample(ROUNDS), "round_size", stage="seed", years=[2018, 2018]) == (4e6, 1)
    assert value(sample(ROUNDS), "pre_money", stage="A")[0] == 17e6
    told, _ = value(sample(ROUNDS), "pre_money", stage="A", at_year=2014, years=[2016, 2016])
    assert told == pytest.approx(20e6 * 5 / 7), "usual rounds rise from 5 to 13 M$ over 8 years: 7 at the start of 2016"


def test_capacity_ends_with_the_next_round_the_firm_or_the_run() -> None:
    ended = {"new-2": ("2017-01-01", "bankrupt")}
    first, second = 5e6 / (24 - 1 / 28), 7e6 / 12  # until series B, a day before two years; until bankruptcy
    assert value(sample(ROUNDS, ended), "capacity", stage="A") == (pytest.approx((first + second) / 2), 2)
    alive = 7e6 / 48  # until the end of the run
    assert value(sample(ROUNDS), "capacity", stage="A", years=[2016, 2016])[0] == pytest.approx(alive)
    assert value(sample(ROUNDS), "capacity", stage="A", follow_up_months=60)[1] == 0


@pytest.mark.parametrize(
    "founded", ["2014-01-01", "2015-03-01", "2016-01-01", "2016-02-29", "2015-06-15", "2018-05-31"]
)
def test_an_anniversary_is_a_whole_number_of_months_in_leap_years_too(founded: str) -> None:
    """365 or 366 days make a year; the days before and after it do not."""
    born = pd.Series([pd.Timestamp(founded)] * 3)
    later = born + pd.DateOffset(years=1)
    ages = months_between(born, later + pd.to_timedelta([-1, 0, 1], unit="D"))
    assert ages[0] < 12 and ages[1] == 12 and ages[2] > 12
    assert months_between(born, pd.Timestamp(founded) + pd.DateOffset(months=31)).tolist() == [31.0] * 3


def test_ages_grow_by_the_day_and_are_missing_where_a_date_is() -> None:
    born = pd.to_datetime(pd.Series(["2015-01-31", "2015-01-31", "2015-01-31", None, "2015-05-11"]))
    later = pd.to_datetime(pd.Series(["2015-02-14", "2015-02-28", "2015-03-14", "2016-01-01", "2015-04-11"]))
    found = months_between(born, later).tolist()
    assert found[:3] == pytest.approx([14 / 28, 1, 1 + 14 / 31]) and math.isnan(found[3]) and found[4] == -1
    days = pd.Series(pd.date_range("2015-01-31", "2017-04-30"))
    assert months_between(pd.Series([days[0]] * len(days)), days).diff()[1:].between(0.032, 0.036).all()


@pytest.mark.parametrize("founded", ["2014-03-01", "2015-03-01"])
def test_a_death_after_exactly_one_year_counts_alike_in_leap_years(founded: str) -> None:
    """To 2015-03-01 it is 365 days, to 2016-03-01 366: neither firm lives at the age of one year, both do before it."""
    ended = pd.Timestamp(founded) + pd.DateOffset(years=1)
    of = sample(ended={"new-1": (f"{ended:%Y-%m-%d}", "bankrupt")})
    of.endings.loc[of.endings["firm"] == "new-1", "founded"] = pd.Timestamp(founded)
    assert value(of, "survival", age_years=1) == (0.75, 4)
    assert value(of, "survival", age_years=0.99) == (1.0, 4)


def months(firm: str, n: int, start: str = "2014-01-01", **columns: Any) -> pd.DataFrame:
    """Rows of the firms table of one firm."""
    base = {
        "price_usd": 1000.0, "paying_customers": 0.0, "sales_usd": 0.0, "serving_usd": 0.0, "operations_usd": 0.0,
        "freemium_paying": 0.0, "freemium_free": 0.0, "new_paying": 0.0,
    }  # fmt: skip
    dates = pd.date_range(start, periods=n, freq="MS")
    return pd.DataFrame({"seed": 0, "month": dates, "firm": firm, "founded": dates[0], **base, **columns})


def test_gross_margin_of_full_calendar_years_with_enough_sales() -> None:
    good = months("new-1", 12, sales_usd=1e5, serving_usd=2e4, operations_usd=3e4)
    small = months("new-2", 12, sales_usd=1e3, serving_usd=2e3)
    short = months("new-3", 11, sales_usd=1e6)
    of = sample(firms=pd.concat([good, small, short]))
    assert value(of, "gross_margin") == (pytest.approx(0.5), 1)
    assert value(of, "gross_margin", operations=False) == (pytest.approx(0.8), 1)
    assert value(of, "gross_margin", years=[2015, 2016])[1] == 0


def test_churn_counts_what_is_missing_after_new_customers() -> None:
    # 100 customers all the time; two new ones a month replace two that leave: 24 a year of 100. The first calendar
    # year does not count, for nothing is known before its first month.
    steady = months("new-1", 24, paying_customers=100.0, new_paying=2.0)
    cheap = months("new-2", 24, paying_customers=100.0, new_paying=9.0, price_usd=5.0)
    of = sample(firms=pd.concat([steady, cheap]))
    assert value(of, "churn") == (pytest.approx(0.24), 1)
    assert value(of, "churn", least_price_usd=0) == (pytest.approx((0.24 + 1.08) / 2), 2)


def test_paying_share_of_freemium_users_each_december() -> None:
    free = months("new-1", 36, freemium_paying=30.0, freemium_free=970.0)
    few = months("new-2", 36, freemium_paying=3.0, freemium_free=97.0)
    of = sample(firms=pd.concat([free, few]))
    assert value(of, "paying_share") == (pytest.approx(0.03), 2), "in its first December a firm is too young"
    assert value(of, "paying_share", least_users=10)[1] == 4


def seeds(shape: tuple[int, int], seed: int = 1, spread: float = 0.0) -> list[np.ndarray]:
    """Normal observations in (seeds, observations each), with a common part of each seed."""
    draws = np.random.default_rng(seed)
    return [draws.normal(draws.normal(0, spread), 1, (shape[1], 1)) + 10 for _ in range(shape[0])]


def test_intervals_cover_and_know_that_seeds_are_the_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Power: with 200 experiments a coverage of 0.95 has a standard error of 0.015."""
    monkeypatch.setattr("analysis.statistics.resampling.N_BOOTSTRAP", 100)
    one = STATISTICS["wait"]
    found = [interval_over_seeds(seeds((8, 30), n, 1.0), one, None) for n in range(200)]
    assert 0.90 < np.mean([one.low <= 10 <= one.high for one in found]) <= 1.0
    alone = interval_over_seeds(seeds((8, 30)), one, None)
    assert found[1].high - found[1].low > 2 * (alone.high - alone.low), "seeds that differ give wider intervals"


def test_one_seed_has_no_interval_and_nothing_seen_no_value() -> None:
    one = STATISTICS["wait"]
    assert math.isnan(interval_over_seeds(seeds((1, 30)), one, None).low)
    nothing = interval_over_seeds([np.zeros((0, 1))] * 3, one, None)
    assert math.isnan(nothing.estimate) and nothing.n == 0


def test_a_share_that_never_varies_has_wilsons_interval_of_the_seeds() -> None:
    """Firms of a seed share its fate, and seeds that agree do not say how much they differ: four, not eighty."""
    none = interval_over_seeds([np.zeros((20, 1))] * 4, STATISTICS["next_round"], None)
    assert (none.estimate, none.low, none.high, none.n) == (0, 0, wilson(0, 4).high, 80)
    lives = [np.column_stack([np.full(20, 40.0), np.zeros(20)])] * 4
    alive = interval_over_seeds(lives, STATISTICS["survival"], SurvivalOf(age_years=1))
    assert (alive.estimate, alive.low, alive.high) == (1, wilson(4, 4).low, 1)
    few = [np.zeros((20, 1)), *[np.zeros((0, 1))] * 3]
    assert not interval_over_seeds(few, STATISTICS["next_round"], None).is_known, "one seed with observations"


def test_a_median_that_a_handful_of_seeds_agree_on_has_no_interval() -> None:
    """Thirty that agree may well: rounds that are all of the usual size."""
    few, many = ([np.full((40, 1), 14e6)] * n for n in (MANY_ALIKE - 1, MANY_ALIKE))
    handful = interval_over_seeds(few, STATISTICS["round_size"], None)
    assert handful.estimate == 14e6 and not handful.is_known
    assert verdict_of(handful, (11.2e6, 16.8e6)) == "too little to tell"
    sure = interval_over_seeds(many, STATISTICS["round_size"], None)
    assert (sure.low, sure.high) == (14e6, 14e6) and verdict_of(sure, (11.2e6, 16.8e6)) == "inside"
    lone = interval_over_seeds([np.full((1, 1), 5.0), np.zeros((0, 1)), np.zeros((0, 1))], STATISTICS["wait"], None)
    assert (lone.estimate, lone.n) == (5.0, 1) and not lone.is_known


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.45, 0.5, "inside"), (0.1, 0.3, "below"), (0.6, 0.7, "above"), (0.3, 0.45, "too little to tell"),
        (0.3, 0.7, "too little to tell"), (math.nan, math.nan, "too little to tell"),
    ],
)  # fmt: skip
def test_verdicts_need_the_whole_interval(low: float, high: float, verdict: str) -> None:
    assert verdict_of(Interval((low + high) / 2, low, high, 100), (0.4, 0.54)) == verdict
    assert verdict_of(Interval(0.47, 0.45, 0.5, 5), (0.4, 0.54)) == "too little to tell", "five observations"
    assert verdict_of(Interval(0.2, 0.1, 0.3, 100), (None, 0.54)) == "inside"


# -- the columns that base rates read -------------------------------------------------------------------------------


def test_columns_of_margin_and_customers_add_up() -> None:
    stream = {"sector": "vision", "per_year": 4, "offers": [{"cameras": "subscription"}, {"photos": "freemium"}]}
    firms = play(world_of({"years": 4, "entrants": {"new": stream}})).tables()["firms"]
    own = firms[firms["kind"] == "startup"].sort_values(["firm", "month"])
    assert (own["sales_usd"] <= own["revenue_usd"] + 0.01).all() and own["sales_usd"].max() > 0
    assert own["serving_usd"].max() > 0 and own["operations_usd"].min() > 0
    free = own["customers"] - own["paying_customers"]
    assert own["freemium_free"].to_numpy() == pytest.approx(free.to_numpy()) and free.max() > 0
    assert (own["freemium_paying"] <= own["paying_customers"] + 1e-9).all()
    before = own.groupby("firm")["paying_customers"].shift().fillna(0.0)
    lost = before + own["new_paying"] - own["paying_customers"]
    assert lost.min() > -1e-9, "nobody pays who did not begin to"
    assert (lost <= before + own["new_paying"] + 1e-9).all() and lost.max() > 0


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("VENTURES_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setattr("analysis.play.experiment.real_engine", lambda: ENGINE)
    return tmp_path


@pytest.mark.slow
def test_validate_world_prints_writes_and_draws(in_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate-world", "-n", "2", "-j", "1", "--out", "here"]) == 0
    out = capfd.readouterr().out
    assert "startups alive one year after founding" in out and "too little to tell" in out
    assert (in_folder / "here" / "plots" / "base-rates.png").stat().st_size > 10_000
    report = json.loads((in_folder / "here" / "base-rates.json").read_text())
    assert run_command(["validate-world", "-n", "2", "-j", "1", "--out", "here", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["targets"] == report["targets"] and document["seeds"] == [0, 1]
    assert [one["id"] for one in document["targets"]] == [target.id for target in load_targets()]


def test_a_plot_takes_any_units_and_values_that_are_missing(tmp_path: Path) -> None:
    target = Target(
        id="X1", says="a wait", source="assumption", statistic="wait",
        parameters={"first": "seed", "then": "A"}, low=10.0, high=20.0,
    )  # fmt: skip
    rates = [rate_of(sample(ROUNDS), target), rate_of(sample(), target)]
    assert plot_base_rates(rates, "two", tmp_path / "plot.png").exists()
